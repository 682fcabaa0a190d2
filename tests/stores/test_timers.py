"""Timers on each database: what falls due while the server is down fires once when it is up again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.instants import DAY_MS, HOUR_MS, MINUTE_MS, to_datetime
from noria.operate.requests import Accepted, Request
from tests.house import TENANT, House, eventually

LIMITED = """
startEvent start
userTask work assignee=lin dueIn=PT10H
endEvent end
start -> work -> end
"""
CATCH = """
startEvent start
intermediateCatchEvent pause timer=PT1H
userTask work assignee=lin
endEvent end
start -> pause -> work -> end
"""
CYCLE = """
startEvent start
userTask work assignee=lin
boundaryEvent knock on=work cancel=false cycle=R3/PT1H
userTask look assignee=boss
endEvent end
start -> work -> end
knock -> look -> end
"""
HOURLY = """
startEvent every cycle=R3/PT1H
userTask work assignee=lin
endEvent end
every -> work -> end
"""
EVERY_MORNING = """
startEvent every cycle="0 8 * * *" calendar=default
userTask work assignee=lin
endEvent end
every -> work -> end
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url)
    yield opened
    await opened.down()


async def away(house: House, for_ms: int) -> None:
    """The server is down for a while."""
    await house.down()
    house.clock.instant += for_ms
    await house.up()


async def shares(house: House, iid: int) -> list[float]:
    return [event.share for event in await house.events(iid, e.TaskReminded)]


async def test_a_timer_that_fell_due_while_the_server_was_down_fires_once_when_it_is_up(house: House) -> None:
    await house.deploy(CATCH)
    iids = [await house.start() for _ in range(20)]
    await away(house, DAY_MS)
    for iid in iids:
        await house.comes_to(iid, "work")
    await away(house, DAY_MS)
    await house.quiet()
    assert [len(await house.events(iid, e.TimerFired)) for iid in iids] == [1] * 20
    assert await house.store.next_timer() is None


async def test_a_timer_does_not_fire_before_it_is_due(house: House) -> None:
    await house.deploy(CATCH)
    iid = await house.start()
    await away(house, HOUR_MS - 1)
    await house.quiet()
    assert await house.places(iid) == ["pause"]
    house.clock.instant += 1
    await house.comes_to(iid, "work")


async def test_both_reminders_that_fell_due_while_the_server_was_down_come_once(house: House) -> None:
    await house.deploy(LIMITED)
    iid = await house.start()
    await away(house, 2 * DAY_MS)

    async def reminded() -> bool:
        return len(await shares(house, iid)) >= 2

    await eventually(reminded)
    await away(house, DAY_MS)
    await house.quiet()
    assert await shares(house, iid) == [0.8, 1.0]


async def test_a_reminder_comes_at_eighty_percent_and_at_the_limit(house: House) -> None:
    await house.deploy(LIMITED)
    iid = await house.start()
    house.clock.instant += 8 * HOUR_MS - 1
    await house.quiet()
    assert await shares(house, iid) == []
    for after_ms, seen in ((1, [0.8]), (2 * HOUR_MS - 1, [0.8]), (1, [0.8, 1.0])):
        house.clock.instant += after_ms
        await house.quiet()
        assert await shares(house, iid) == seen


async def test_a_task_that_was_done_reminds_nobody_any_more(house: House) -> None:
    await house.deploy(LIMITED)
    iid = await house.start()
    assert isinstance(await house.complete(iid, "work"), Accepted)
    await away(house, 2 * DAY_MS)
    await house.quiet()
    assert await shares(house, iid) == []
    assert await house.store.next_timer() is None


async def test_a_cycle_makes_up_for_every_beat_that_was_missed(house: House) -> None:
    await house.deploy(CYCLE)
    iid = await house.start()
    await away(house, 30 * DAY_MS)
    await house.comes_to(iid, "look", "look", "look", "work")
    due = [event.due_ms - house.clock.instant + 30 * DAY_MS for event in await house.events(iid, e.TimerStarted)]
    assert due == [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS]


async def test_more_timers_than_fit_a_page_all_fire_once(house: House) -> None:
    await house.deploy(CATCH)
    one = Request(c.StartInstance("lin", {"id": "lin"}), "lin", definition=1)
    await asyncio.gather(*(house.noria.runtime.submit(msgspec.structs.replace(one)) for _ in range(1_200)))
    await away(house, HOUR_MS)
    await house.quiet()
    rows = await house.store.journal_after({}, 10_000)
    assert sum(row.action == "fire_timer" for row in rows) == 1_200


# Start timers


async def started(house: House) -> int:
    return len([row for row in await house.store.journal_after({}, 1_000) if row.action == "start_instance"])


async def test_starts_that_fell_due_while_the_server_was_down_are_made_up_once(house: House) -> None:
    await house.deploy(HOURLY)
    await away(house, HOUR_MS + MINUTE_MS)

    async def one() -> bool:
        return await started(house) == 1

    await eventually(one)
    await away(house, DAY_MS)

    async def three() -> bool:
        house.clock.instant += 2_000
        return await started(house) == 3

    await eventually(three)
    await away(house, DAY_MS)

    async def forgotten() -> bool:
        return not await house.noria.catalogue_store.due_start_timers(house.clock.instant + 365 * DAY_MS)

    await eventually(forgotten)
    assert await started(house) == 3


async def test_a_newer_version_takes_the_start_timer_over(house: House) -> None:
    await house.deploy(HOURLY)
    await house.deploy(HOURLY)
    rows = await house.noria.catalogue_store.due_start_timers(house.clock.instant + DAY_MS)
    assert [(row.definition, row.element, row.tenant) for row in rows] == [(2, "every", TENANT)]


async def test_a_process_deployed_long_after_its_first_start_begins_with_the_next(house: House) -> None:
    began = datetime.fromtimestamp(house.clock.instant // 1000 - 10 * 86_400 - 60, UTC)
    await house.deploy(HOURLY.replace("R3/PT1H", f"R/{began.isoformat()}/PT1H"))
    (row,) = await house.noria.catalogue_store.start_timers_of(TENANT)
    assert 0 < row.due - house.clock.instant <= HOUR_MS
    with pytest.raises(AssertionError, match="its end is past"):
        await house.deploy(HOURLY.replace("R3/PT1H", f"R3/{began.isoformat()}/PT1H"))


async def test_a_process_starts_by_a_cron_expression_on_the_working_days_of_a_calendar(house: House) -> None:
    await house.deploy(EVERY_MORNING)
    due = []
    for _ in range(4):
        (row,) = await house.noria.catalogue_store.start_timers_of(TENANT)
        due.append(to_datetime(row.due, ZoneInfo("Asia/Shanghai")).strftime("%a %H:%M"))
        house.clock.instant = max(house.clock.instant, row.due)

        async def goes_on(before: int = row.due) -> bool:
            (row,) = await house.noria.catalogue_store.start_timers_of(TENANT)
            return row.due > before

        await eventually(goes_on)
    days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
    first = days.index(due[0][:3])
    assert due == [f"{days[(first + number) % 5]} 08:00" for number in range(4)]


URGENT = """
startEvent start
userTask plain assignee=lin
userTask rush assignee=lin
boundaryEvent late on=plain timer=PT1H cancel=false
boundaryEvent sooner on=rush timer=PT2H cancel=false jobPriority="= urgency"
endEvent told
parallelGateway fork
start -> fork
fork -> plain
fork -> rush
late -> told
sooner -> told
"""


async def fired(house: House) -> list[str]:
    """The elements of the timers that fired, in the order of the clock and then of the shards' journals."""
    graph = house.noria.catalogue.compiled(house.noria.catalogue.find(TENANT, "model").id).graph
    rows = await house.store.journal_after({}, 10_000)
    events = [event for row in sorted(rows, key=lambda row: row.seq) for event in e.decode_events(row.ev)]
    return [graph.elements[event.element].id for event in events if isinstance(event, e.TimerFired)]


async def test_of_what_fell_due_while_the_server_was_down_the_higher_priority_fires_first(house: House) -> None:
    await house.deploy(URGENT)
    iid = await house.start(urgency=7)
    await away(house, DAY_MS)
    await house.quiet()
    assert await fired(house) == ["sooner", "late"]
    assert [event.priority for event in await house.events(iid, e.TimerStarted)] == [0, 7]


BY_CLOCK = """
startEvent often cycle=R/PT1H jobPriority={priority}
task done
often -> done
"""


async def test_of_processes_that_start_at_the_same_time_the_higher_priority_starts_first(house: House) -> None:
    await house.deploy(*(BY_CLOCK.format(priority=priority) for priority in ("5", "900", '"= unknown"')))
    due = await house.noria.catalogue_store.due_start_timers(house.clock.now_ms() + HOUR_MS)
    keys = [house.noria.catalogue.row(row.definition).key for row in due]
    assert list(zip(keys, [row.prio for row in due], strict=True)) == [("model1", 900), ("model", 5), ("model2", 0)]
