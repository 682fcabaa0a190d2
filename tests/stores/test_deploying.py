"""What is put into a database beside or before a running server: models, the demonstration."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from noria.adapters.demo import seed
from noria.bootstrap import Composition, Noria
from noria.kernel.instants import DAY_MS
from noria.operate import bundles, deploying
from tests.house import TENANT, House, eventually
from tests.scenarios.drawing import draw

MODEL = """
startEvent start
userTask work assignee=lin
endEvent end
start -> work -> end
"""
TIMED = """
startEvent start date="= 1 + 1"
endEvent end
start -> end
"""


def a_form(name: str, label: str) -> bytes:
    field = {"type": "textfield", "key": "who", "label": label}
    return json.dumps({"type": "default", "id": name, "components": [field]}).encode()


def a_decision(name: str, value: int) -> bytes:
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:test">'
        f'<decision id="{name}" name="{name}"><variable name="{name}"/>'
        f"<literalExpression><text>{value}</text></literalExpression></decision></definitions>"
    ).encode()


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url)
    yield opened
    await opened.down()


async def test_models_that_the_command_line_deploys_are_in_force_in_a_running_server(
    house: House, database_url: str
) -> None:
    await house.deploy(MODEL)
    files = {"model.bpmn": draw(MODEL.splitlines(), "model"), "more.bpmn": draw(MODEL.splitlines(), "more")}
    made = await Composition().deploy(database_url, files)
    assert made.id, made.findings

    async def seen() -> bool:
        return house.noria.catalogue.find(TENANT, "more") is not None

    await eventually(seen)
    newest = house.noria.catalogue.find(TENANT, "model")
    assert newest is not None
    assert newest.version == 2
    assert await house.places(await house.start("more")) == ["work"]


async def test_a_process_keeps_the_forms_and_rules_that_it_was_deployed_with_over_a_restart(house: House) -> None:
    asking = draw(
        ["startEvent start", "businessRuleTask ask decision=limit", "endEvent end", "start -> ask -> end"], "asking"
    )
    for files in (
        {"a.form": a_form("visit", "Visitor"), "a.dmn": a_decision("limit", 1)},
        {"asking.bpmn": asking},
        {"a.form": a_form("parking", "Car"), "a.dmn": a_decision("cap", 2)},
    ):
        await house.deploy_files(files)
    row = house.noria.catalogue.find(TENANT, "asking")
    assert row is not None
    before = await house.noria.catalogue.get(row.id)
    await house.down()
    await house.up()
    after = await house.noria.catalogue.get(row.id)
    assert (after.forms, after.decisions.keys()) == (before.forms, before.decisions.keys())
    assert (after.forms.keys(), after.decisions.keys()) == ({"visit"}, {"limit"})


async def test_the_demonstration_is_seeded(database_url: str) -> None:
    await seed(Noria.open, database_url, 4, lambda *_: None)
    noria = await Noria.open(database_url)
    rows = await noria.database.store.journal_after({}, 1_000)
    assert len({row.iid for row in rows}) >= 4
    await noria.close()


async def test_what_was_deployed_under_fewer_rules_runs_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    old = """
    startEvent start
    userTask work assignee=lin
    boundaryEvent late on=work timer=PT1H cancel=false
    task passed
    endEvent end
    start -> work -[true]-> passed -> end
    raw <association id="loose" sourceRef="work" targetRef="gone"/>
    """.splitlines()[1:-1]
    files = {"model.bpmn": draw(old, "model")}
    with monkeypatch.context() as earlier:
        # An earlier version had nothing against it.
        for module in (bundles, deploying):
            earlier.setattr(module, "has_errors", lambda _findings: False)
        await house.deploy_files(files)
    begun = await house.start()
    await house.down()
    await house.up()
    await house.complete(begun, "work")
    await house.ends(begun)
    again = await house.start()
    house.clock.instant += DAY_MS
    await house.quiet()
    await house.complete(again, "work")
    await house.ends(again)
    made = await house.noria.catalogue.deploy(TENANT, "he", files, house.clock.now_ms(), house.noria.facts(TENANT))
    assert not made.id
    assert {"bpmn.dead_boundary", "bpmn.condition_not_allowed", "bpmn.unresolved"} <= {f.code for f in made.findings}


async def test_a_timer_whose_first_start_cannot_be_told_refuses_the_deployment(house: House) -> None:
    files = {"model.bpmn": draw(TIMED.splitlines(), "model")}
    made = await house.noria.catalogue.deploy(TENANT, "he", files, house.clock.now_ms(), house.noria.facts(TENANT))
    assert (made.id, [(finding.code, finding.element) for finding in made.findings if finding.severity == "error"]) == (
        0,
        [("deployment.start_timer", "start")],
    )
    assert house.noria.catalogue.newest(TENANT) == []
