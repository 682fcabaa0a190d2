"""The projector under load: few pages for many commands, and nobody left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from noria.adapters.database import projection
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


async def test_commands_are_committed_while_a_page_is_folded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    projector = house.noria.projector
    fold, begun = projector._board, []

    async def meanwhile(*given: Any) -> Any:
        begun.append(await asyncio.wait_for(house.start(), 10))
        return await fold(*given)

    monkeypatch.setattr(projector, "_board", meanwhile)
    await house.start()
    assert not await projector._turns()
    assert len(begun) == 1
    assert await projector._missing(BOARD) == 1


async def test_what_was_read_before_somebody_else_folded_or_rebuilt_is_not_written(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = house.noria.projector
    stand, moved = projection.stand, []

    async def rebuilt(*given: Any) -> None:
        if not moved:
            moved.append(given)
            async with house.noria.database.writing() as db:
                await db.execute(sa.delete(t.cursor).where(t.cursor.c.consumer == BOARD))
                await db.execute(sa.delete(t.visit))
                await db.execute(sa.delete(t.life))
        await stand(*given)

    await house.start()
    await projector.catch_up()
    await house.start()
    monkeypatch.setattr(projection, "stand", rebuilt)
    await projector.catch_up()
    async with house.noria.database.reading() as db:
        assert (await db.execute(sa.select(sa.func.count()).select_from(t.life))).scalar_one() == 2
    assert [await projector._missing(consumer) for consumer in (BOARD, NOTICES)] == [0, 0]
