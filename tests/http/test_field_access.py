"""Fields per step: what a step hides or locks holds for every answer of the interface, not only for its page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from noria.design.bpmn.names import NORIA
from tests.http.house import Client, House

NAMESPACE = NORIA.strip("{}")
PDF = b"%PDF-1.7\n" + bytes(200)


def field(key: str, **more: object) -> dict[str, object]:
    return {"type": "textfield", "id": f"f_{key}", "key": key, "label": key, **more}


FORM = {
    "id": "offer",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        field("subject", validate={"required": True}),
        field("margin", validate={"required": True}),
        {"type": "number", "id": "f_price", "key": "price"},
        {
            "type": "expression",
            "id": "f_secret",
            "key": "secret_sum",
            "expression": "=price * 2",
            "computeOn": "change",
        },
        {"type": "filepicker", "id": "f_sheet", "key": "sheet"},
        {
            "type": "dynamiclist",
            "id": "f_lines",
            "path": "lines",
            "components": [{"type": "number", "id": "f_n", "key": "n"}],
        },
        field("remark"),
    ],
}
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="https://noria.dev/bpmn/1"
    id="d" targetNamespace="t">
  <bpmn:process id="offer" name="Offer" isExecutable="true" {process}>
    <bpmn:startEvent id="start" noria:form="offer" />
    <bpmn:userTask id="check" noria:assignee="wang" noria:form="offer" {check} />
    <bpmn:userTask id="close" noria:assignee="li" noria:form="offer" />
    <bpmn:endEvent id="end" />
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="check" />
    <bpmn:sequenceFlow id="b" sourceRef="check" targetRef="close" />
    <bpmn:sequenceFlow id="c" sourceRef="close" targetRef="end" />
  </bpmn:process>
</bpmn:definitions>
"""
CHECK = 'noria:hiddenFields="margin, secret_sum, sheet" noria:writableFields="remark"'
VALUES: dict[str, object] = {"subject": "泵", "margin": "机密 31%", "price": 21, "lines": [{"n": 1}], "remark": ""}


async def deploy(house: House, check: str = CHECK, process: str = "") -> Any:
    he = await house.sign_in("he")
    model = MODEL.format(check=check, process=process).replace("https://noria.dev/bpmn/1", NAMESPACE)
    files = [("files", ("offer.bpmn", model.encode())), ("files", ("offer.form", json.dumps(FORM).encode()))]
    return await he.send("POST", "/deployments", files=files)


async def begin(house: House, **changes: object) -> tuple[Client, dict[str, Any]]:
    assert (await deploy(house)).status_code == 201
    lin = await house.sign_in("lin")
    answer = await lin.post("/instances", {"process": "offer", "variables": {**VALUES, **changes}})
    assert answer.status_code == 201, answer.text
    return lin, answer.json()


async def test_a_hidden_field_is_neither_in_the_form_nor_in_the_data_of_the_step(house: House) -> None:
    await begin(house)
    wang = await house.sign_in("wang")
    answer = await wang.get(f"/tasks/{(await wang.task())['id']}")
    detail = answer.json()
    keys = [component.get("key") or component.get("path") for component in detail["form"]["components"]]
    assert keys == ["subject", "price", "lines", "remark"]
    assert sorted(detail["data"]) == ["lines", "price", "remark", "subject"]
    assert "机密" not in answer.text


async def test_no_answer_of_the_interface_shows_it_to_who_has_only_steps_that_hide_it(house: House) -> None:
    _, started = await begin(house)
    wang = await house.sign_in("wang")
    paths = ["", "/timeline", "/decisions", f"/state?at={started['started_at']}"]
    answers = [await wang.get(f"/instances/{started['id']}{path}") for path in paths]
    answers += [await wang.get("/tasks"), await wang.get("/instances", box="all"), await wang.get("/notices")]
    found = await wang.get("/instances", box="all", q="机密")
    for answer in [*answers, found]:
        assert answer.status_code == 200, answer.text
        assert "机密" not in answer.text
    assert found.json()["total"] == 0
    assert "secret_sum" not in answers[0].json()["variables"]
    assert answers[0].json()["variables"]["subject"] == "泵"
    done = await wang.complete(remark="好")
    assert done.status_code == 200
    await house.noria.projector.catch_up()
    for path in paths:
        assert "机密" not in (await wang.get(f"/instances/{started['id']}{path}")).text


@pytest.mark.parametrize("person", ["lin", "li", "he", "zhao"])
async def test_the_starter_a_step_that_shows_it_and_who_may_read_all_see_it(house: House, person: str) -> None:
    _, started = await begin(house)
    await (await house.sign_in("wang")).complete()
    client = await house.sign_in(person)
    answer = await client.get(f"/instances/{started['id']}")
    assert answer.json()["variables"]["margin"] == "机密 31%"


async def test_a_step_of_before_still_shows_what_it_showed_then(house: House) -> None:
    _, started = await begin(house)
    await (await house.sign_in("wang")).complete()
    li = await house.sign_in("li")
    assert (await li.complete(**{**VALUES, "remark": "完"})).status_code == 200
    await house.noria.projector.catch_up()
    assert (await li.get(f"/instances/{started['id']}")).json()["variables"]["margin"] == "机密 31%"
    wang = await house.sign_in("wang")
    assert "margin" not in (await wang.get(f"/instances/{started['id']}")).json()["variables"]


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ({"margin": "1%"}, "margin", "form.unknown_field"),
        ({"subject": "阀"}, "subject", "form.read_only"),
        ({"price": 1}, "price", "form.read_only"),
        ({"lines": [{"n": 1}, {"n": 2}]}, "lines", "form.read_only"),
    ],
)
async def test_what_a_step_hides_or_locks_cannot_be_written(
    house: House, values: dict[str, object], path: str, code: str
) -> None:
    await begin(house)
    wang = await house.sign_in("wang")
    answer = await wang.complete(**values)
    assert (answer.status_code, answer.json()["code"]) == (422, "form.invalid")
    assert answer.json()["details"]["fields"][path]["code"] == code


async def test_a_locked_field_may_be_sent_as_it_is_and_a_hidden_one_keeps_its_value(house: House) -> None:
    lin, started = await begin(house)
    wang = await house.sign_in("wang")
    same = {name: VALUES[name] for name in ("subject", "price", "lines")}
    assert (await wang.complete(**same, remark="好")).status_code == 200
    variables = (await lin.get(f"/instances/{started['id']}")).json()["variables"]
    assert (variables["margin"], variables["remark"], variables["secret_sum"]) == ("机密 31%", "好", 42)


async def test_a_file_that_only_a_hidden_field_names_is_not_handed_out(house: House) -> None:
    lin = await house.sign_in("lin")
    named = (await lin.send("POST", "/attachments", files={"file": ("表.pdf", PDF, "application/pdf")})).json()
    await begin(house, sheet=[named])
    await house.noria.projector.catch_up()
    wang, li = await house.sign_in("wang"), await house.sign_in("li")
    assert (await wang.get(f"/attachments/{named['hash']}")).status_code == 403
    await wang.complete()
    assert (await li.get(f"/attachments/{named['hash']}")).status_code == 200


@pytest.mark.parametrize(
    ("check", "process", "code"),
    [
        ('noria:hiddenFields="nothing"', "", "fields.unknown"),
        ('noria:writableFields="remark, nothing"', "", "fields.unknown"),
        ('noria:hiddenFields="margin"', 'noria:summary="subject, margin"', "fields.shown"),
        ('noria:hiddenFields="margin"', "noria:title=\"= 'x' + margin\"".replace("'", "&quot;"), "fields.shown"),
    ],
)
async def test_a_model_whose_access_cannot_hold_is_refused(house: House, check: str, process: str, code: str) -> None:
    answer = await deploy(house, check, process)
    assert code in [finding["code"] for finding in answer.json()["details"]["findings"]], answer.text


@pytest.mark.parametrize("projected", [False, True])
async def test_a_substitute_sees_afterwards_what_the_step_showed_and_nothing_that_it_hid(
    house: House, projected: bool
) -> None:
    """At `close`, which shows it, and at `check`, which does not; before the projection has caught up, too."""
    _, started = await begin(house)
    named = []
    for principal in ("wang", "li"):
        client = await house.sign_in(principal)
        answer = await client.post("/substitutions", {"substitute": "sun", "until": "2099-01-01"})
        named.append((client, answer.json()["id"]))
    sun = await house.sign_in("sun")

    async def seen() -> dict[str, Any]:
        if projected:
            await house.noria.projector.catch_up()
        return dict((await sun.get(f"/instances/{started['id']}")).json()["variables"])

    first = await sun.task()
    assert (await sun.post(f"/tasks/{first['id']}/complete", {"variables": {"remark": "好"}})).status_code == 200
    # The second step is theirs to do as well, and shows it.
    assert (await seen())["margin"] == "机密 31%"
    detail = (await sun.get(f"/tasks/{first['id']}")).json()
    assert "margin" not in [component.get("key") for component in detail["form"]["components"]]
    second = await sun.task()
    values = {**VALUES, "remark": "完"}
    assert (await sun.post(f"/tasks/{second['id']}/complete", {"variables": values})).status_code == 200
    assert (await seen())["margin"] == "机密 31%"
    detail = (await sun.get(f"/tasks/{second['id']}")).json()
    assert detail["data"]["margin"] == "机密 31%"
    if projected:
        # What they have decided on they may look at when they are nobody's substitute any more, too.
        for client, key in named:
            assert (await client.post(f"/substitutions/{key}/end", {})).status_code == 200
        assert (await seen())["margin"] == "机密 31%"


@pytest.mark.parametrize("projected", [False, True])
async def test_a_substitute_at_a_step_that_hides_it_never_sees_it(house: House, projected: bool) -> None:
    _, started = await begin(house)
    wang = await house.sign_in("wang")
    item = (await wang.post("/substitutions", {"substitute": "sun", "until": "2099-01-01"})).json()
    sun = await house.sign_in("sun")
    task = await sun.task()
    answers = [await sun.get(f"/tasks/{task['id']}"), await sun.get(f"/instances/{started['id']}")]
    assert (await sun.post(f"/tasks/{task['id']}/complete", {"variables": {"remark": "好"}})).status_code == 200
    if projected:
        await house.noria.projector.catch_up()
    paths = [f"/tasks/{task['id']}", *(f"/instances/{started['id']}{path}" for path in ("", "/timeline"))]
    answers += [await sun.get(path) for path in paths]
    if projected:
        # Also when they are nobody's substitute any more.
        assert (await wang.post(f"/substitutions/{item['id']}/end", {})).status_code == 200
        answers += [await sun.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert all("机密" not in answer.text for answer in answers)
    assert answers[1].json()["variables"]["subject"] == "泵"
    assert answers[3].json()["variables"]["subject"] == "泵"
