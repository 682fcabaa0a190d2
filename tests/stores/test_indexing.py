"""The search index comes behind everything else, in whatever portions, and is always the one built anew."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import indexer, projection, searching
from noria.adapters.database.cursors import BOARD, SEARCH, ahead
from noria.adapters.database.indexer import Indexer
from noria.adapters.database.opening import Database
from noria.adapters.database.projection import Projector
from noria.adapters.database.searching import Documents
from noria.engine import commands as c
from noria.operate.finding import Wanted
from noria.operate.reading import InstanceBox
from tests.databases import terms_in
from tests.house import House, eventually
from tests.stores.test_lists import Company, company, company_of  # noqa: F401 - the fixture

STARTERS = ("lin", "chen", "zhou")
STEPS = ("request", "decide", "copy", "withdraw", "board", "portion", "another's portion", "search", "rebuild")


async def behind(database: Database) -> int:
    """By how many rows of the journal the index is behind."""
    async with database.reading() as db:
        return sum(head - seen for seen, head in (await ahead(db, SEARCH)).values())


class Bystander:
    """Commands, and folds by whoever comes, in an order that is given."""

    def __init__(self, company: Company) -> None:  # noqa: F811
        noria = company.house.noria
        self.company = company
        self.projector = noria.projector
        self.indexers = [Indexer(noria.database, noria.catalogue) for _ in range(2)]
        self.indexers[True].remembered = noria.runtime.remembered
        self.starters: dict[int, str] = {}

    async def takes(self, step: str, number: int) -> None:
        """One step; `number` draws what it is done to."""
        iids = sorted(self.starters)
        iid = iids[number % len(iids)] if iids else 0
        house, starter = self.company.house, self.starters.get(iid, "")
        if step == "request" or not iids:
            starter = STARTERS[number % len(STARTERS)]
            self.starters[await self.company.request(starter, number + 1, f"轴承 {number}")] = starter
        elif step == "decide":
            task = next(iter((await house.state(iid)).tasks.items()), None)
            if task is not None and task[1].assignee:
                await house.submit(c.CompleteTask(task[0], task[1].assignee), iid)
        elif step == "copy":
            await house.submit(c.SendCopy(starter, ("qian",), ""), iid, actor=starter)
        elif step == "withdraw":
            await house.submit(c.WithdrawInstance(starter, ""), iid)
        elif step == "board":
            await self.projector.reach(BOARD)
        elif step == "search":
            assert iid in await self.company.seen("he", wanted=Wanted(starter=starter))
        elif step == "rebuild":
            await (self.projector.rebuild if number % 2 else self.projector.rebuild_search)()
        else:
            await self.indexers[step == "portion"].fold()


async def keeps_the_law(company: Company, steps: list[tuple[str, int]]) -> None:  # noqa: F811
    """Whatever was done and folded in between, what is found is all of it."""
    noria = company.house.noria
    await noria.projector.stop()
    bystander = Bystander(company)
    for step, number in steps:
        await bystander.takes(step, number)
    for iid, starter in bystander.starters.items():
        assert iid in await company.seen(starter, InstanceBox.STARTED, wanted=Wanted(starter=starter))
    found = await terms_in(noria.database)
    assert found.keys() == bystander.starters.keys()
    assert await behind(noria.database) == 0
    anew = Projector(noria.database, noria.catalogue, noria.people, noria.calendar, noria.clock)  # remembers nothing
    await anew.rebuild_search()
    assert await terms_in(noria.database) == found


@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=5, max_size=40))
@settings(max_examples=12, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
def test_after_commands_and_folds_in_any_order_the_index_is_the_one_built_anew(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def play() -> None:
        async with company_of(f"sqlite:///{tmp_path_factory.mktemp('law') / 'noria.db'}") as company:  # noqa: F811
            await keeps_the_law(company, steps)

    with pytest.MonkeyPatch.context() as patched:
        small(patched)
        asyncio.run(play())


@pytest.mark.parametrize("seed", range(3))
async def test_so_it_is_on_each_database(
    company: Company,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    small(monkeypatch)
    draw = random.Random(seed)
    await keeps_the_law(company, [(draw.choice(STEPS), draw.randrange(12)) for _ in range(40)])


def small(patched: pytest.MonkeyPatch) -> None:
    """Windows and portions so small that a few commands need many."""
    patched.setattr(indexer, "_WINDOW", 5)
    patched.setattr(indexer, "_PORTION", 2)


async def test_an_instance_that_changed_often_is_written_once(
    company: Company,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noria = company.house.noria
    await noria.projector.stop()
    written: Counter[int] = Counter()
    put = searching.put

    async def count(db: AsyncConnection, documents: Documents, alike: Collection[int]) -> None:
        written.update(documents.keys())
        await put(db, documents, alike)

    monkeypatch.setattr(searching, "put", count)
    monkeypatch.setattr(indexer, "_PORTION", 2)
    iids = [await company.request("lin", number) for number in range(1, 6)]
    for number in range(10):
        for iid in iids:
            await company.house.submit(c.SendCopy("lin", ("qian",), f"{number}"), iid, actor="lin")
    await noria.projector.catch_up()
    assert written == dict.fromkeys(iids, 1)
    assert await behind(noria.database) == 0


async def test_a_portion_that_fails_leaves_the_cursor_where_it_was_and_is_written_later(
    company: Company,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noria = company.house.noria
    await noria.projector.stop()
    iid = await company.request("lin", 1)
    await noria.projector.reach(BOARD)
    put = searching.put

    async def fail(db: AsyncConnection, documents: Documents, alike: Collection[int]) -> None:
        await put(db, documents, alike)
        raise ZeroDivisionError

    before = await behind(noria.database)
    with monkeypatch.context() as patched:
        patched.setattr(searching, "put", fail)
        with pytest.raises(ZeroDivisionError):
            await noria.projector.catch_up()
    assert await terms_in(noria.database) == {}
    assert await behind(noria.database) == before > 0
    assert await company.seen("lin", q="轴承") == [iid]


async def test_when_nothing_is_committed_for_a_while_the_index_comes_by_itself(
    company: Company,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projection, "_INDEX_IDLE_S", 0.01)
    iid = await company.request("lin", 1)
    await eventually(is_indexed(company.house))
    assert (await terms_in(company.house.noria.database)).keys() == {iid}


async def test_while_work_goes_on_the_index_is_left_behind_by_no_more_than_a_search_can_wait_for(
    company: Company,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projection, "_INDEX_IDLE_S", 3_600)
    monkeypatch.setattr(projection, "_INDEX_ROWS_MAX", 3)
    noria = company.house.noria
    for number in range(4):
        await company.request("lin", number + 1)

    async def is_near() -> bool:
        return await behind(noria.database) <= 3

    await eventually(is_near)
    assert await terms_in(noria.database)


def is_indexed(house: House) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await behind(house.noria.database) == 0

    return look


async def test_on_postgresql_the_rows_of_the_index_are_narrow(company: Company) -> None:  # noqa: F811
    database = company.house.noria.database
    if not database.is_postgres:
        pytest.skip("SQLite's index has no rows that a search reads")
    for number in range(30):
        await company.request("lin", number + 1)
    await company.folded()
    async with database.reading() as db:
        # Not the size of the table: what is written again leaves its first row behind, and a table grows by more pages
        # than one while several write.
        query = "SELECT count(DISTINCT (ctid::text::point)[0]), sum(length(terms)) FROM search"
        size = (await db.exec_driver_sql(query)).one()
    # With their terms each would have a page.
    assert size[0] <= 8
    assert size[1] > 30 * 50
