"""What is put into a database beside or before a running server: models, the demonstration."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from noria.adapters.demo import seed
from noria.bootstrap import Composition, Noria
from tests.house import TENANT, House, eventually
from tests.scenarios.drawing import draw

MODEL = """
startEvent start
userTask work assignee=lin
endEvent end
start -> work -> end
"""


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


async def test_the_demonstration_is_seeded(database_url: str) -> None:
    await seed(Noria.open, database_url, 4, lambda *_: None)
    noria = await Noria.open(database_url)
    rows = await noria.database.store.journal_after({}, 1_000)
    assert len({row.iid for row in rows}) >= 4
    await noria.close()
