"""Models ask the organisation on a running server: what changes there counts from the next command on."""

from __future__ import annotations

from tests.http.house import Client, House
from tests.scenarios.drawing import draw

MODEL = """
startEvent start
userTask first assignee='= people.manager(starter.id)'
userTask second candidateUsers='= people.managers(starter.id, 2)'
endEvent end
start -> first -> second -> end
""".strip().splitlines()
DECISION = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="heads" name="heads"><variable name="heads"/>
<informationRequirement><requiredInput href="#who"/></informationRequirement>
<literalExpression><text>people.managers(who)</text></literalExpression></decision>
<inputData id="who" name="who"><variable name="who" typeRef="string"/></inputData></definitions>"""


async def started(client: Client) -> dict[str, object]:
    answer = await client.post("/instances", {"process": "approval", "variables": {}})
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["holders"][0])


async def deploy(house: House) -> Client:
    he = await house.sign_in("he")
    files = [("file", ("approval.bpmn", draw(MODEL, "approval"))), ("file", ("heads.dmn", DECISION))]
    answer = await he.send("POST", "/deployments", files=files)
    assert answer.status_code == 201, answer.text
    return he


async def test_who_manages_now_gets_the_task(house: House) -> None:
    he, lin = await deploy(house), await house.sign_in("lin")
    assert (await started(lin))["assignee"] == {"id": "wang", "name": "王强"}
    await he.post("/admin/units", {"id": "purchasing", "name": "采购部", "parent": "chenghai", "manager": "liu"})
    assert (await started(lin))["assignee"] == {"id": "liu", "name": "刘洋"}


async def test_a_change_that_was_entered_ahead_counts_for_models_from_its_date_on(house: House) -> None:
    he, lin = await deploy(house), await house.sign_in("lin")
    unit = {"id": "purchasing", "name": "采购部", "parent": "chenghai", "manager": "liu"}
    at = "2199-01-01T00:00:00Z"
    await he.post("/admin/units", {**unit, "valid_from": at})
    assert (await started(lin))["assignee"] == {"id": "wang", "name": "王强"}


async def test_a_decision_asks_the_organisation_too(house: House) -> None:
    he = await deploy(house)
    answer = await he.post("/decisions/heads/evaluate", {"variables": {"who": "lin"}, "explain": True})
    assert answer.json()["value"] == ["wang", "zhao"]
    assert answer.json()["diagnostics"] == []
