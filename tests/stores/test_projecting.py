"""The projector under load: few pages for many commands, and nobody left behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from noria.adapters.database import paging, projection
from noria.adapters.database import schema as t
from noria.adapters.database.cursors import BOARD, NOTICES
from noria.adapters.database.projection import Projector
from noria.engine import commands as c
from noria.engine.state import State
from noria.monitor import lately
from tests.databases import terms_in
from tests.house import House
from tests.stores.test_runtime import MODEL

LOOP = '<multiInstanceLoopCharacteristics noria:collection="= people" noria:item="who"/>'
BRANCHED = f"""
startEvent start
userTask ask assignee=lin title="= who"
parallelGateway fork
userTask check candidateGroups=finance
userTask each assignee="= who"
  raw {LOOP}
parallelGateway join
endEvent end
start -> ask -> fork -> check -> join -> end
fork -> each -> join
"""
STEPS = ("start", "start", *["do"] * 5, "claim", "repair", "take back", "withdraw", "restart", "migrate", "undo")
FOLDS = ("page", "page", "another's page", "failed page", "failed notices", "rebuilt by another", "index")


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


class Walk:
    """Commands of many kinds, and folds by whoever comes, in an order that is given."""

    def __init__(self, house: House, definitions: tuple[int, int]) -> None:
        self.house = house
        self.definitions = definitions
        self.projector = house.noria.projector
        self.another = anew(house)
        self.iids: list[int] = []
        self.before: dict[int, list[State]] = {}

    async def takes(self, step: str, number: int) -> None:
        """One step; `number` draws what it is done to."""
        self.house.clock.instant += number * 7
        if step in FOLDS:
            await self.folds(step)
        elif step == "start" or not self.iids:
            given = {"people": ["lin", "wang"], "who": f"iron {number}"} if number % 2 else {"who": "no list"}
            self.iids.append(await self.house.start("model", **given))
        else:
            iids = [iid for iid in self.iids if step != "repair" or (await self.house.state(iid)).incidents]
            if iids:
                await self.does(step, iids[number % len(iids)], number)

    async def does(self, step: str, iid: int, number: int) -> None:
        state = await self.house.state(iid)
        held = await self.house.noria.runtime.instance(iid)
        assert held is not None
        tasks, before = sorted(state.tasks), self.before.setdefault(iid, [])
        task = tasks[number % len(tasks)] if tasks else 0
        earlier = before[-1] if before else state
        here, there = held.row.definition, sum(self.definitions) - held.row.definition
        commands: dict[str, c.AnyCommand] = {
            "do": c.CompleteTask(task, (state.tasks[task].assignee if task else "") or "wang"),
            "claim": c.ClaimTask(task, "wang"),
            "repair": c.RetryIncident(next(iter(state.incidents), 0), "lin"),
            "take back": c.TakeBack("lin", earlier, state.version, "ask"),
            "withdraw": c.WithdrawInstance("lin", ""),
            "restart": c.RestartInstance("lin", "again", earlier, state.version),
            "migrate": c.MigrateInstance("lin", "newer", here, there),
            "undo": c.RestoreInstance("lin", "back", earlier, here, self.definitions[0], state.version),
        }
        if step == "repair":
            await self.house.submit(c.SetVariables("lin", {"people": ["lin", "wang"]}, "they were missing"), iid)
        target = {"migrate": there, "undo": self.definitions[0]}.get(step, 0)
        await self.house.submit(commands[step], iid, actor="lin" if number % 4 else "chen", target=target)
        if await self.house.state(iid) is not state:
            before.append(state)

    async def folds(self, step: str) -> None:
        if step == "rebuilt by another":
            await self.another.rebuild()
        elif step == "another's page":
            await self.another._turn()
        elif step == "index":
            await self.projector._indexer.fold()
        else:
            with pytest.MonkeyPatch.context() as patched:
                if step == "failed page":
                    patched.setattr(paging, "put", failing(paging.put))
                elif step == "failed notices":
                    patched.setattr(Projector, "_notices", failing(Projector._notices))
                try:
                    await self.projector._turn()
                except ZeroDivisionError:
                    assert step.startswith("failed")


def failing(work: Any) -> Any:
    """Something that is done, and then fails."""

    async def fail(*given: Any) -> Any:
        await work(*given)
        raise ZeroDivisionError

    return fail


def anew(house: House) -> Projector:
    """As another process has it, which remembers nothing yet."""
    noria = house.noria
    return Projector(noria.database, noria.catalogue, noria.people, noria.calendar, noria.clock)


async def rows_of_board(house: House) -> dict[str, list[tuple[Any, ...]]]:
    async with house.noria.database.reading() as db:
        return {table.name: sorted(map(tuple, (await db.execute(sa.select(table))).all())) for table in t.PROJECTION}


async def keeps_the_law(url: str, steps: list[tuple[str, int]]) -> None:
    """However pages are cut and whoever folds them, what is written is what one page of everything gives."""
    house = await House.open(url)
    try:
        with pytest.MonkeyPatch.context() as patched:
            (before,) = await house.deploy(BRANCHED)
            (after,) = await house.deploy(BRANCHED.replace("candidateGroups=finance", "candidateGroups=buyers"))
            await house.noria.projector.stop()
            patched.setattr(projection, "_PAGE", 4)
            patched.setattr(lately, "_INSTANCES_MAX", 8)
            patched.setattr(lately, "_VISITS_MAX", 3)
            walk = Walk(house, (before, after))
            for step, number in steps:
                await walk.takes(step, number)
            await house.noria.projector.catch_up()
        followed, found = await rows_of_board(house), await terms_in(house.noria.database)
        await anew(house).rebuild()
        assert await rows_of_board(house) == followed
        await anew(house).rebuild_search()
        assert await terms_in(house.noria.database) == found
    finally:
        await house.down()


@given(steps=st.lists(st.tuples(st.sampled_from(STEPS + FOLDS), st.integers(0, 11)), min_size=20, max_size=80))
@settings(max_examples=15, phases=(Phase.generate,), suppress_health_check=list(HealthCheck), deadline=None)
def test_however_pages_are_cut_and_whoever_folds_them_the_board_is_the_one_built_anew(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    asyncio.run(keeps_the_law(f"sqlite:///{tmp_path_factory.mktemp('law') / 'noria.db'}", steps))


@pytest.mark.parametrize("seed", range(3))
async def test_so_it_is_on_each_database(database_url: str, seed: int) -> None:
    draw = random.Random(seed)
    await keeps_the_law(database_url, [(draw.choice(STEPS + FOLDS), draw.randrange(12)) for _ in range(120)])


async def test_what_another_process_has_folded_meanwhile_is_not_taken_from_memory(house: House) -> None:
    projector, other = house.noria.projector, anew(house)
    await house.deploy(BRANCHED)
    iid = await house.start(people=["lin"])
    await house.complete(iid, "ask")
    token = await house.token(iid, "check")
    each = next(key for key, task in (await house.state(iid)).tasks.items() if task.assignee == "lin")
    await projector.catch_up()
    # It has looked where the cursors stand, and will see that they have moved before it folds the next page.
    assert await projector._turn() == 0
    house.clock.instant += 1_000
    await house.submit(c.ClaimTask(token, "wang"), iid)
    await house.submit(c.CompleteTask(each, "lin"), iid, actor="chen")
    assert await other._turn()
    assert await projector._indexer.fold()
    found = await terms_in(house.noria.database)
    assert "a.1.chen" in str(found)
    house.clock.instant += 1_000
    await house.submit(c.CompleteTask(token, "wang"), iid)
    await projector.catch_up()
    followed = await rows_of_board(house)
    assert [row[14] for row in followed["visit"] if row[1] == token] == [1_000]
    await anew(house).rebuild()
    assert await rows_of_board(house) == followed


async def test_who_did_what_is_done_again_by_others_has_done_nothing(house: House) -> None:
    projector = house.noria.projector
    (definition,) = await house.deploy(BRANCHED)
    iid = await house.start(people=["lin"])
    before, token = await house.state(iid), await house.token(iid, "ask")
    await house.submit(c.CompleteTask(token, "lin"), iid, actor="wang")
    await projector.catch_up()
    assert "a.1.wang" in str(await terms_in(house.noria.database))
    version = (await house.state(iid)).version
    await house.submit(
        c.RestoreInstance("he", "a slip", before, definition, definition, version), iid, target=definition
    )
    await house.submit(c.CompleteTask(token, "lin"), iid)
    await projector.catch_up()
    found = await terms_in(house.noria.database)
    assert "a.1.wang" not in str(found)
    await anew(house).rebuild_search()
    assert await terms_in(house.noria.database) == found


async def test_a_loop_that_begins_when_its_list_is_repaired_is_seen_to_have_waited(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.deploy(BRANCHED)
    iid = await house.start()
    await house.complete(iid, "ask")
    (incident,) = (await house.state(iid)).incidents
    house.clock.instant += 1_000
    await house.submit(c.SetVariables("lin", {"people": ["lin"]}, "it was missing"), iid)
    await house.submit(c.RetryIncident(incident, "lin"), iid)
    await house.noria.projector.catch_up()
    in_one_page = await rows_of_board(house)
    waited = [row for row in in_one_page["visit"] if row[13] == 1_000]
    assert len(waited) == 1
    monkeypatch.setattr(projection, "_PAGE", 1)
    await anew(house).rebuild()
    assert await rows_of_board(house) == in_one_page
