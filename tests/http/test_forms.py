"""Forms over REST: designed, checked with what shows them, published; cases keep the form that they began with."""

from __future__ import annotations

import json
from typing import Any

from noria.adapters.demo.seeding import example_files
from tests.http.house import Client, House
from tests.scenarios.drawing import draw


async def form_of(client: Client, form: str = "purchase") -> dict[str, Any]:
    answer = await client.get(f"/forms/{form}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def with_field(schema: dict[str, Any], **field: object) -> dict[str, Any]:
    return {**schema, "components": [*schema["components"], field]}


COST_CENTRE = {
    "type": "textfield",
    "id": "f_cost",
    "key": "cost_centre",
    "label": "成本中心",
    "validate": {"required": True},
}


async def test_the_list_says_which_steps_show_a_form(house: House) -> None:
    he = await house.sign_in("he")
    listed = {item["id"]: item for item in (await he.get("/forms")).json()["items"]}
    (use,) = listed["purchase"]["uses"]
    assert (use["process"]["key"], listed["purchase"]["fields"]) == ("purchase", 10)
    assert "apply" in [step["id"] for step in use["steps"]]
    view = await form_of(he)
    assert (view["schema"]["id"], view["uses"], view["findings"]) == ("purchase", [use], [])


async def test_an_edited_form_counts_for_new_requests_and_running_ones_keep_theirs(house: House) -> None:
    he, lin, wang = [await house.sign_in(name) for name in ("he", "lin", "wang")]
    running = (await lin.start(amount=20_000, lines=[{"item": "轴承", "quantity": 1, "price": 20_000}]))["id"]
    view = await form_of(he)
    draft = {"schema": with_field(view["schema"], **COST_CENTRE), "base": view["base"], "note": "成本归集"}
    published = await he.post("/forms/purchase", draft)
    assert published.status_code == 201, published.text
    assert [(one["key"], one["version"]) for one in published.json()["processes"]] == [("purchase", 2)]

    fresh = await lin.post("/instances", {"process": "purchase", "variables": {"title": "轴承"}})
    assert "cost_centre" in fresh.json()["details"]["fields"]
    shown = (await lin.get("/processes/purchase/start-form")).json()["form"]
    assert shown["components"][-1]["key"] == "cost_centre"
    (waiting,) = [task for task in (await wang.get("/tasks")).json()["items"] if task["instance_id"] == running]
    opened = (await wang.get(f"/tasks/{waiting['id']}")).json()
    assert "cost_centre" not in {part.get("key") for part in opened["form"]["components"]}
    assert (await wang.complete()).status_code == 200

    records = (await (await house.sign_in("qian")).get("/audit", action="form.published")).json()["items"]
    assert (records[0]["actor"]["id"], records[0]["reason"]) == ("he", "成本归集")


async def test_a_form_that_was_published_meanwhile_is_not_overwritten(house: House) -> None:
    he = await house.sign_in("he")
    view = await form_of(he)
    draft = {"schema": with_field(view["schema"], **COST_CENTRE), "base": view["base"], "note": "一"}
    assert (await he.post("/forms/purchase", draft)).status_code == 201
    again = await he.post("/forms/purchase", draft)
    assert (again.status_code, again.json()["code"]) == (409, "form.stale")


async def test_a_form_is_checked_by_itself_and_in_the_processes_that_show_it(house: House) -> None:
    he = await house.sign_in("he")
    files = [("files", item) for item in example_files("contract").items()]
    assert (await he.send("POST", "/deployments", files=files)).status_code == 201
    contract = await form_of(he, "contract")
    broken = {**contract["schema"], "components": [{**COST_CENTRE, "key": ""}, *contract["schema"]["components"]]}
    found = (await he.post("/forms/contract/check", {"schema": broken})).json()
    assert [(item["code"], item["element"]) for item in found] == [("form.key", "f_cost")]

    kept = [part for part in contract["schema"]["components"] if part.get("key") != "floor_price"]
    missing = {**contract["schema"], "components": kept}
    found = (await he.post("/forms/contract/check", {"schema": missing})).json()
    assert {item["code"] for item in found} == {"fields.unknown"}
    refused = await he.post("/forms/contract", {"schema": missing, "base": contract["base"], "note": "去掉底价"})
    assert (refused.status_code, refused.json()["code"]) == (422, "deployment.refused")
    assert (await form_of(he, "contract"))["base"] == contract["base"]


async def test_a_new_form_is_there_for_processes_to_come(house: House) -> None:
    he = await house.sign_in("he")
    schema = {"type": "default", "id": "visit", "schemaVersion": 19, "components": [COST_CENTRE]}
    made = await he.post("/forms/visit", {"schema": schema, "note": "来访登记"})
    assert (made.status_code, made.json()["processes"]) == (201, [])
    view = await form_of(he, "visit")
    assert (view["file"], view["uses"], view["schema"]) == ("visit.form", [], schema)
    there = await he.post("/forms/visit", {"schema": schema, "note": "再来"})
    assert there.json()["code"] == "form.stale"


async def test_what_is_no_form_is_refused_with_the_reason(house: House) -> None:
    he = await house.sign_in("he")
    view = await form_of(he)
    for form, draft, code in (
        ("purchase", {"schema": {**view["schema"], "id": "other"}, "base": view["base"], "note": "x"}, "form.bad_id"),
        ("9", {"schema": {"id": "9", "components": []}, "note": "x"}, "form.bad_id"),
        ("purchase", {"schema": view["schema"], "base": view["base"], "note": " "}, "reason.required"),
    ):
        refused = await he.post(f"/forms/{form}", draft)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await he.get("/forms/nothing")).status_code == 404
    denied = await (await house.sign_in("wang")).post(
        "/forms/purchase", {"schema": view["schema"], "base": view["base"]}
    )
    assert denied.status_code == 403


def a_form(name: str, label: str = "成本中心") -> bytes:
    """A form of one field, as a file."""
    components = [{**COST_CENTRE, "label": label}]
    return json.dumps({"type": "default", "id": name, "schemaVersion": 19, "components": components}).encode()


def showing(form: str) -> bytes:
    """A process with one step, which shows a form."""
    return draw(
        ["startEvent start", f"userTask check assignee=wang form={form}", "endEvent end", "start -> check -> end"],
        f"of_{form}",
    )


async def deploy(client: Client, **files: bytes) -> None:
    named = [("files", (name.replace("_", "."), content)) for name, content in files.items()]
    answer = await client.send("POST", "/deployments", files=named)
    assert answer.status_code == 201, answer.text


async def test_a_form_stays_with_its_process_when_another_is_deployed_under_its_files_name(
    house_url: str,
) -> None:
    """The file belongs to the deployment, not to the name: so it is after a restart, too."""
    house = await House.open(house_url)
    he = await house.sign_in("he")
    await deploy(he, shared_form=a_form("visit"))
    await deploy(he, visit_bpmn=showing("visit"))
    await deploy(he, shared_form=a_form("parking"), parking_bpmn=showing("parking"))
    await house.close()

    house = await House.open(house_url)
    he = await house.sign_in("he")
    listed = await he.get("/forms")
    assert listed.status_code == 200, listed.text
    shown = {item["id"]: [use["process"]["key"] for use in item["uses"]] for item in listed.json()["items"]}
    assert (shown["visit"], shown["parking"]) == (["of_visit"], ["of_parking"])

    view = await form_of(he, "visit")
    assert view["schema"] == json.loads(a_form("visit"))
    schema = json.loads(a_form("visit", "来访部门"))
    published = await he.post("/forms/visit", {"schema": schema, "base": view["base"], "note": "改名"})
    assert published.status_code == 201, published.text
    assert (await form_of(he, "visit"))["schema"] == schema
    assert (await form_of(he, "parking"))["schema"] == json.loads(a_form("parking"))
    await house.close()


async def test_a_form_is_not_written_over_another_that_has_its_files_name(house: House) -> None:
    he = await house.sign_in("he")
    await deploy(he, visit_form=a_form("parking"))
    made = await he.post("/forms/visit", {"schema": json.loads(a_form("visit")), "note": "来访登记"})
    assert made.status_code == 201, made.text
    assert {"visit", "parking"} <= {item["id"] for item in (await he.get("/forms")).json()["items"]}
    assert (await form_of(he, "visit"))["file"] == "visit-2.form"
