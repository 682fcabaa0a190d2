"""Deploying: checked, refused by name, or put into force as a new version; and the files that can be read back."""

from __future__ import annotations

import pytest

from noria.adapters.demo.seeding import example_files
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

TINY = draw(["startEvent start", "task a", "endEvent end", "start -> a -> end"], "tiny")
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
IMPLICIT = TINY.replace(b'<task id="a"></task>', b'<implicitThrowEvent id="a"></implicitThrowEvent>')


async def deploy(client: Client, files: dict[str, bytes], *, dry_run: bool = False) -> tuple[int, dict]:
    answer = await client.send(
        "POST",
        "/deployments",
        params={"dry_run": str(dry_run).lower()},
        files=[("files", (name, content)) for name, content in files.items()],
    )
    return answer.status_code, answer.json()


async def test_a_new_version_is_in_force_at_once_and_the_old_one_stays_readable(house: House) -> None:
    he = await house.sign_in("he")
    assert (await deploy(he, {"tiny.bpmn": TINY}))[1]["processes"] == [{"key": "tiny", "name": "tiny", "version": 1}]
    changed = TINY.replace(b'<task id="a">', b'<task id="a" name="new">')
    assert (await deploy(he, {"tiny.bpmn": changed}))[1]["processes"][0]["version"] == 2
    assert (await he.get("/processes/tiny")).json()["version"] == 2
    assert [item["version"] for item in (await he.get("/processes/tiny/versions")).json()["items"]] == [2, 1]
    assert (await he.get("/processes/tiny/xml", version=1)).content == TINY
    assert (await he.get("/processes/tiny/xml")).content == changed


@pytest.mark.parametrize(
    ("content", "code", "names"),
    [
        (BOMB, "xml.refused", "DOCTYPE"),
        (b"<definitions", "xml.refused", "not well-formed"),
        (IMPLICIT, "bpmn.unsupported", "implicitThrowEvent"),
        (TINY.replace(b'targetRef="end"', b'targetRef="nowhere"'), "bpmn.unresolved", "nowhere"),
    ],
    ids=["hostile", "malformed", "unsupported", "dangling"],
)
async def test_a_file_with_errors_is_refused_and_nothing_is_deployed(
    house: House, content: bytes, code: str, names: str
) -> None:
    he = await house.sign_in("he")
    status, problem = await deploy(he, {"tiny.bpmn": content})
    assert (status, problem["code"]) == (422, "deployment.refused")
    finding = next(item for item in problem["details"]["findings"] if item["code"] == code)
    assert names in finding["message"]
    assert (finding["file"], finding["line"] > 0) == ("tiny.bpmn", True)
    assert (await he.get("/processes/tiny")).status_code == 404


async def test_one_bad_file_keeps_the_whole_deployment_out(house: House) -> None:
    he = await house.sign_in("he")
    assert (await deploy(he, {"tiny.bpmn": TINY, "other.dmn": b"<nonsense/>"}))[0] == 422
    assert (await he.get("/processes/tiny")).status_code == 404


async def test_a_dry_run_reports_and_changes_nothing(house: House) -> None:
    he = await house.sign_in("he")
    status, report = await deploy(he, {"tiny.bpmn": TINY}, dry_run=True)
    assert status == 201
    assert report["findings"] == []
    assert (await he.get("/processes/tiny")).status_code == 404


async def test_a_deployment_is_on_record_with_versions_before_and_after(house: House) -> None:
    he = await house.sign_in("he")
    await deploy(he, dict(example_files()))
    qian = await house.sign_in("qian")
    entry = (await qian.get("/audit", action="models.deployed")).json()["items"][0]
    assert (entry["before"], entry["after"]) == ({"purchase": 1}, {"purchase": 2})


async def test_a_decision_is_made_by_itself_and_names_the_rows_that_decided(house: House) -> None:
    he = await house.sign_in("he")
    answer = await he.post(
        "/decisions/approval_policy/evaluate", {"variables": {"category": "equipment", "amount": 60_000}}
    )
    assert answer.json()["value"]["needs_general_manager"] is True
    assert [item["row"] for item in answer.json()["matched"]] == [1]
    assert answer.json()["explanation"] is None
    assert (await he.post("/decisions/none/evaluate", {})).status_code == 404


async def test_a_decision_that_is_to_be_explained_says_what_each_row_made_of_the_input(house: House) -> None:
    he = await house.sign_in("he")
    asked = {"variables": {"category": "equipment", "amount": 60_000}, "explain": True}
    (table,) = (await he.post("/decisions/approval_policy/evaluate", asked)).json()["explanation"]["tables"]
    assert [(one["expression"], one["value"]) for one in table["inputs"]] == [
        ("category", "equipment"),
        ("amount", 60_000),
    ]
    assert [rule["matched"] for rule in table["rules"]][:2] == [True, False]
    assert table["rules"][1]["cells"] == [{"column": "amount", "test": ">= 100000", "outcome": "failed"}]


async def test_the_decisions_of_an_instance_are_explained_to_whoever_may_read_models(house: House) -> None:
    lin = await house.sign_in("lin")
    started = await lin.start(amount=68_400)
    (mine,) = (await lin.get(f"/instances/{started['id']}/decisions")).json()["items"]
    assert (mine["decision"], mine["explanation"], mine["same"]) == ("approval_policy", None, None)
    he = await house.sign_in("he")
    (made,) = (await he.get(f"/instances/{started['id']}/decisions")).json()["items"]
    assert made["value"] == mine["value"]
    assert made["same"] is True
    (table,) = made["explanation"]["tables"]
    assert {one["expression"]: one["value"] for one in table["inputs"]}["amount"] == 68_400
    assert next(rule["row"] for rule in table["rules"] if rule["matched"]) == made["matched"][0]["row"]


async def test_a_dry_run_warns_of_what_a_decision_table_leaves_open(house: House) -> None:
    he = await house.sign_in("he")
    loose = example_files()["approval.dmn"].replace(b'hitPolicy="FIRST"', b'hitPolicy="UNIQUE"')
    status, answer = await deploy(he, {"approval.dmn": loose}, dry_run=True)
    assert status < 300
    assert {(one["code"], one["severity"]) for one in answer["findings"]} == {("dmn.rules_overlap", "warning")}


@pytest.mark.parametrize("name", ["../../evil.bpmn", "C:\\evil.bpmn"])
async def test_a_path_in_a_file_name_is_only_a_name(house: House, name: str) -> None:
    he = await house.sign_in("he")
    status, problem = await deploy(he, {name: IMPLICIT})
    assert status == 422
    assert {item["file"] for item in problem["details"]["findings"]} == {"evil.bpmn"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"variables": {"a": ' + b"[" * 2_000 + b"]" * 2_000 + b"}}",
        b'{"variables": {"a": ' + b"[" * 200 + b"]" * 200 + b"}}",
        b'{"variables": {"a": "\xaa"}}',
        b'{"variables": {"a": "\\ud800"}}',
        b'{"variables": {"a": NaN}}',
        b"\xff\xfe",
    ],
    ids=["very-deep", "deep", "no-utf-8", "half-a-character", "no-number", "no-text"],
)
async def test_a_body_that_is_no_sensible_json_is_refused(house: House, body: bytes) -> None:
    he = await house.sign_in("he")
    answer = await he.http.post(
        "/api/decisions/approval_policy/evaluate",
        content=body,
        headers={"X-CSRF-Token": he.csrf, "Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == "request.invalid"


async def test_a_body_may_have_many_brackets_that_are_not_deep(house: House) -> None:
    he = await house.sign_in("he")
    flat = {"variables": {"category": "[" * 500, "amount": [[] for _ in range(500)]}}
    assert (await he.post("/decisions/approval_policy/evaluate", flat)).status_code == 200


async def test_modellers_are_given_the_words_of_our_namespace(house: House) -> None:
    given = (await (await house.sign_in("he")).get("/bpmn/moddle")).json()
    assert (given["prefix"], given["uri"]) == ("noria", "urn:noria:bpmn:1")
    task = next(kind for kind in given["types"] if kind["extends"] == ["bpmn:UserTask"])
    assert {"name": "approval", "isAttr": True, "type": "Approval"}.items() <= next(
        said for said in task["properties"] if said["name"] == "approval"
    ).items()


async def test_a_model_is_given_as_plain_bpmn_with_what_that_costs(house: House) -> None:
    he = await house.sign_in("he")
    given = (await he.get("/processes/purchase/plain")).json()
    assert "urn:noria:bpmn" not in given["xml"]
    assert 'id="manager_review"' in given["xml"]
    lost = [finding for finding in given["findings"] if finding["severity"] == "warning"]
    assert {"manager_review", "policy"} <= {finding["element"] for finding in lost}
    assert (await he.get("/processes/none/plain")).status_code == 404
