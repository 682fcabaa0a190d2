"""Calendars on each database: publications are kept, and due dates are counted anew whatever happens in between."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest

from noria.adapters.database.operations import DatabaseBatches
from noria.bootstrap import Noria
from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.instants import parse_instant
from noria.operate.calendar_drafts import CalendarDraft
from noria.operate.office import Caller, RefusedError, iso
from noria.operate.operations import BatchItem
from noria.operate.requests import Origin
from noria.trust.people import Person, Unit
from noria.trust.policy import Permission, Principal
from tests.house import DEADLINE_S, TENANT, House, MovedClock, eventually

LIMITED = """
startEvent start
userTask work assignee=lin dueIn=P2D calendar=plant remindAt=1
endEvent end
start -> work -> end
"""
WAITING = """
startEvent start
intermediateCatchEvent pause timer=P2D calendar=plant
userTask work assignee=lin
endEvent end
start -> pause -> work -> end
"""
NEW_YEARS_EVE = parse_instant("2026-12-31T10:00:00+08:00")
PROVISIONAL = parse_instant("2027-01-05T10:00:00+08:00")
FIRM = parse_instant("2027-01-06T10:00:00+08:00")
PLANT = CalendarDraft("Asia/Shanghai", [["09:00-18:00"]] * 5 + [[], []], "2026-12-31", {"2027-01-01": "元旦"})
PLANT_2027 = msgspec.structs.replace(
    PLANT, horizon="2027-12-31", holidays={"2027-01-01": "元旦", "2027-01-04": "元旦"}, base=1
)
HE = Caller(
    Principal("he", TENANT, frozenset({Permission.CALENDARS, Permission.OPERATE})),
    Person("he", "he", "何"),
    Origin("api"),
)
BATCH = f"calendar-{TENANT}-plant-2"


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url, MovedClock(NEW_YEARS_EVE))
    await opened.noria.services.calendaring.publish(HE, "plant", PLANT)
    yield opened
    await opened.down()


async def due(house: House, iid: int) -> int:
    state = await house.state(iid)
    return next(item.due_ms for item in (*state.tasks.values(), *state.timers.values()))


async def derived(noria: Noria) -> bool:
    return (await noria.services.operations.one(HE, BATCH)).ended_at is not None


async def test_a_calendar_is_the_same_after_a_restart(house: House) -> None:
    before = house.noria.book.calendar(TENANT, "plant")
    await house.down()
    await house.up()
    assert house.noria.book.calendar(TENANT, "plant") == before
    assert house.noria.book.calendar(TENANT).version == 1


async def test_a_publication_moves_what_was_provisional_in_the_tables_too(house: House) -> None:
    await house.deploy(LIMITED, WAITING)
    task, timer = await house.start(), await house.start("model1")
    (listed,) = await house.noria.services.office.lists.open_tasks([task])
    assert (listed.due, listed.provisional) == (PROVISIONAL, 1)
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    await eventually(lambda: derived(house.noria))
    assert [await due(house, iid) for iid in (task, timer)] == [FIRM, FIRM]
    (listed,) = await house.noria.services.office.lists.open_tasks([task])
    assert (listed.due, listed.provisional) == (FIRM, 0)
    house.clock.instant = FIRM - 1
    assert not await house.store.due_timers(house.clock.now_ms(), 10)
    house.clock.instant = FIRM
    await house.comes_to(timer, "work")


async def test_what_nobody_could_count_before_the_server_went_down_is_counted_when_it_is_up(house: House) -> None:
    await house.deploy(LIMITED)
    iids = [await house.start() for _ in range(5)]
    await house.noria.deriving.stop()
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    assert await due(house, iids[0]) == PROVISIONAL
    await house.down()
    await house.up()
    await eventually(lambda: derived(house.noria))
    assert {await due(house, iid) for iid in iids} == {FIRM}
    assert (await house.noria.services.operations.one(HE, BATCH)).done == 5


async def test_what_is_opened_by_an_old_version_meanwhile_is_found_too(house: House) -> None:
    await house.deploy(LIMITED)
    book = house.noria.book
    old = book.facts(TENANT)
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    await eventually(lambda: derived(house.noria))
    # As in a process that has not read the publication yet, and then does.
    book._facts[TENANT] = old
    late = await house.start()
    assert await due(house, late) == PROVISIONAL
    await book.refresh()
    await house.noria.deriving.catch_up()
    assert await due(house, late) == FIRM


async def test_two_may_find_the_same_instance_concerned_at_once(house: House) -> None:
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    await eventually(lambda: derived(house.noria))
    batches = DatabaseBatches(house.noria.database)
    await batches.add(BATCH, [BatchItem(BATCH, 1, "done")])
    found = [BatchItem(BATCH, iid, "waiting") for iid in (2, 1)]
    await asyncio.gather(*(batches.add(BATCH, order) for order in (found, found[::-1]) * 4))
    assert [(item.iid, item.state) for item in await batches.items(BATCH, "", 10)] == [(1, "waiting"), (2, "waiting")]


DAILY = """
startEvent every cycle=R/P2D calendar=plant
userTask work assignee=lin
endEvent end
every -> work -> end
"""


async def next_start(house: House) -> int:
    (row,) = await house.noria.catalogue_store.start_timers_of(TENANT)
    return row.due


async def test_a_publication_moves_the_next_start_of_a_process_too(house: House) -> None:
    await house.deploy(DAILY)
    assert await next_start(house) == PROVISIONAL
    plan = await house.noria.services.calendaring.plan(HE, "plant", PLANT_2027)
    assert [(item.process, item.element.id, item.instance_id) for item in plan.affected] == [("model", "every", "")]
    assert await next_start(house) == PROVISIONAL
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    await eventually(lambda: derived(house.noria))
    assert iso(await next_start(house)) == plan.affected[0].after == iso(FIRM)


async def test_a_start_whose_day_was_certain_stays(house: House) -> None:
    # Down meanwhile: who looked for starts that are due a moment before would take this one for such.
    await house.down()
    house.clock.instant = parse_instant("2026-12-28T10:00:00+08:00")
    await house.up()
    await house.deploy(DAILY)
    before = await next_start(house)
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    await eventually(lambda: derived(house.noria))
    assert await next_start(house) == before


async def test_the_start_behind_one_that_was_made_while_a_calendar_came_is_counted_by_it(house: House) -> None:
    await house.deploy(DAILY)
    # Down meanwhile: who had just looked would look again some time after, and this clock stands still.
    await house.down()
    house.clock.instant = PROVISIONAL
    await house.up()
    await eventually(lambda: has_started(house))
    behind = await next_start(house)
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    await eventually(lambda: derived(house.noria))
    assert behind == parse_instant("2027-01-07T10:00:00+08:00") == await next_start(house)
    (row,) = await house.noria.catalogue_store.start_timers_of(TENANT)
    assert (row.calendar_version, row.provisional) == (2, 0)


async def has_started(house: House) -> bool:
    return await next_start(house) > PROVISIONAL


async def test_only_one_of_two_publications_from_the_same_version_counts(house: House) -> None:
    publish = house.noria.services.calendaring.publish
    answers = await asyncio.gather(*(publish(HE, "plant", PLANT_2027) for _ in range(2)), return_exceptions=True)
    assert [isinstance(answer, RefusedError) for answer in answers].count(True) == 1
    assert len(house.noria.book.versions(TENANT, "plant")) == 2


async def test_units_keep_their_calendars_and_hand_them_down(house: House) -> None:
    units = [Unit("plant", "工厂"), Unit("line", "产线", "plant"), Unit("office", "办公室")]
    await house.noria.people.put(TENANT, [Person("xu", "xu", "徐", "line")], units, house.clock.now_ms())
    await house.noria.services.calendaring.assign(HE, "plant", "plant")
    await house.noria.people.organisation(TENANT)
    facts = house.noria.facts(TENANT)
    assert [facts.unit_calendars[unit] for unit in ("plant", "line", "office")] == ["plant", "plant", "default"]
    assert facts.person_calendars == {"xu": "plant"}
    await house.down()
    await house.up()
    await house.noria.people.organisation(TENANT)
    assert house.noria.facts(TENANT).unit_calendars == facts.unit_calendars
    await house.noria.services.calendaring.assign(HE, "line", "default")
    assert house.noria.facts(TENANT).person_calendars == {"xu": "default"}


async def test_who_moves_to_another_unit_works_by_its_calendar(house: House) -> None:
    units = [Unit("plant", "工厂"), Unit("office", "办公室")]
    people = house.noria.people
    await people.put(TENANT, [Person("xu", "xu", "徐", "plant")], units, house.clock.now_ms())
    await house.noria.services.calendaring.assign(HE, "plant", "plant")
    await people.put(TENANT, [Person("xu", "xu", "徐", "office")], [], house.clock.now_ms())

    await people.organisation(TENANT)
    assert house.noria.facts(TENANT).person_calendars == {"xu": "default"}


async def publish_and_work(url: str, told: Connection) -> None:
    house = await House.open(url, MovedClock(NEW_YEARS_EVE))
    await house.noria.services.calendaring.publish(HE, "plant", PLANT)
    await house.deploy(LIMITED)
    commands = (
        house.submit(c.StartInstance("lin", {"id": "lin"}), definition=house.noria.catalogue.find(TENANT, "model").id)
        for _ in range(600)
    )
    await asyncio.gather(*commands)
    await house.noria.services.calendaring.publish(HE, "plant", PLANT_2027)
    told.send("published")
    await asyncio.Event().wait()


def killed(url: str, told: Connection) -> None:
    asyncio.run(publish_and_work(url, told))


def counted(path: Path) -> int:
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT count(*) FROM journal WHERE action = 'derive_deadlines'").fetchone()[0]
    db.close()
    return int(found)


def test_a_server_that_is_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "noria.db"
    url = f"sqlite:///{path}"
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=killed, args=(url, there))
    server.start()
    assert server.pid is not None
    assert here.poll(DEADLINE_S * 3)
    deadline = time.monotonic() + DEADLINE_S
    while not counted(path):
        assert time.monotonic() < deadline
    os.kill(server.pid, signal.SIGKILL)
    server.join()

    async def look() -> None:
        house = await House.open(url, MovedClock(NEW_YEARS_EVE))
        await eventually(lambda: derived(house.noria))
        batch = await house.noria.services.operations.one(HE, BATCH)
        assert (batch.done, batch.total) == (600, 600)
        for item in await house.noria.services.operations.items(HE, BATCH, "", 600, 0):
            iid = int(item.instance_id)
            assert await due(house, iid) == FIRM
            moves = await house.events(iid, e.DeadlineMoved)
            assert [event.version for event in moves if isinstance(event, e.DeadlineMoved)] == [2, 0]
        await house.down()

    asyncio.run(look())
