"""The projector under load: few pages for many commands, and nobody left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.cursors import BOARD, NOTICES
from tests.house import House
from tests.stores.test_runtime import MODEL


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url)
    await opened.deploy(MODEL)
    await opened.noria.projector.stop()
    yield opened
    await opened.down()


async def test_commands_that_come_while_a_page_is_folded_share_the_next_turn(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = house.noria.projector
    fold, pages = projector._fold, []

    async def meanwhile(consumers: Any, recorded: Any, *given: Any) -> None:
        pages.append(len(recorded))
        await fold(consumers, recorded, *given)
        for _ in range(2):
            await house.start()

    monkeypatch.setattr(projector, "_fold", meanwhile)
    for _ in range(3):
        await house.start()
    assert [await projector._turns() for _ in range(2)] == [False, False]
    assert pages == [3, 2]


async def test_who_is_being_rebuilt_goes_on_in_the_same_turn_behind_the_others(house: House) -> None:
    projector = house.noria.projector
    await house.start()
    await projector.catch_up()
    async with house.noria.database.writing() as db:
        await db.execute(sa.delete(t.cursor).where(t.cursor.c.consumer == BOARD))
        await db.execute(sa.delete(t.visit))
        await db.execute(sa.delete(t.life))
    projector._seen = {}
    await house.start()
    assert not await projector._turns()
    assert [await projector._missing(consumer) for consumer in (BOARD, NOTICES)] == [0, 0]
