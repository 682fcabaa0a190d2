"""Who waits to be stepped, and who goes first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from noria.engine import commands as c
from noria.kernel.instants import InstantMs
from noria.operate.requests import Origin, OverloadedError, Request
from noria.operate.stepping import Batch, Pending
from noria.operate.waiting import BATCH_MAX, BESIDE_PEOPLE_MAX, MACHINES_MAX, PEOPLE_GONE_MS, QUEUE_MAX, Waiting


class StandingClock:
    """Stands still unless it is set."""

    def __init__(self) -> None:
        self.at_ms = 1_790_000_000_000

    def now_ms(self) -> InstantMs:
        return InstantMs(self.at_ms)

    async def sleep_until(self, instant_ms: int) -> None:
        self.at_ms = max(self.at_ms, instant_ms)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def waiting(clock: StandingClock) -> Waiting:
    return Waiting(clock)


def some(loop: asyncio.AbstractEventLoop, method: str, count: int) -> list[Pending]:
    request = Request(c.FireTimer(1), method, iid=1, origin=Origin(method))
    return [Pending(request, loop.create_future()) for _ in range(count)]


def put(waiting: Waiting, pendings: list[Pending]) -> None:
    for pending in pendings:
        waiting.put(pending)


def test_who_comes_first_is_served_first(waiting: Waiting, loop: asyncio.AbstractEventLoop) -> None:
    people = some(loop, "ui", 3)
    put(waiting, people)
    assert waiting.take(Batch(0)) == people
    assert not waiting


def test_people_go_before_a_storm_of_timers(waiting: Waiting, loop: asyncio.AbstractEventLoop) -> None:
    timers, people = some(loop, "timer", 1_000), some(loop, "ui", 2)
    put(waiting, timers)
    put(waiting, people)
    batch = Batch(0)
    assert waiting.take(batch) == people + timers[:BESIDE_PEOPLE_MAX]
    assert batch.machines == BESIDE_PEOPLE_MAX
    assert not waiting.take(batch), "the same commit takes no more of them, however often it is asked"


def test_a_portion_holds_no_more_than_is_asked_for_people_first(
    waiting: Waiting, loop: asyncio.AbstractEventLoop
) -> None:
    timers, people = some(loop, "timer", 4), some(loop, "ui", 3)
    put(waiting, timers)
    put(waiting, people)
    batch = Batch(0)
    assert waiting.take(batch, 2) == people[:2]
    assert waiting.take(batch, 2) == [people[2], timers[0]]
    assert list(waiting) == timers[1:]


def test_machines_have_commits_for_themselves_when_people_are_gone(
    waiting: Waiting, clock: StandingClock, loop: asyncio.AbstractEventLoop
) -> None:
    put(waiting, some(loop, "ui", 1))
    waiting.take(Batch(0))
    put(waiting, some(loop, "batch", 1_000))
    assert len(waiting.take(Batch(0))) == BESIDE_PEOPLE_MAX
    clock.at_ms += PEOPLE_GONE_MS
    assert len(waiting.take(Batch(0))) == MACHINES_MAX


def test_people_fill_a_commit_and_the_rest_waits(waiting: Waiting, loop: asyncio.AbstractEventLoop) -> None:
    people, timers = some(loop, "api", BATCH_MAX + 5), some(loop, "timer", 1)
    put(waiting, people)
    put(waiting, timers)
    batch = Batch(0)
    batch.pendings = waiting.take(batch)
    assert batch.pendings == people[:BATCH_MAX]
    assert not waiting.take(batch)
    assert list(waiting) == people[BATCH_MAX:] + timers


def test_what_is_put_back_goes_first_in_its_order(waiting: Waiting, loop: asyncio.AbstractEventLoop) -> None:
    first, later = some(loop, "ui", 2) + some(loop, "timer", 1), some(loop, "ui", 1)
    put(waiting, later)
    waiting.put_back(first)
    assert waiting.take(Batch(0)) == first + later


def test_who_comes_when_too_many_wait_is_refused_and_takes_no_place(
    waiting: Waiting, loop: asyncio.AbstractEventLoop
) -> None:
    people, timers = some(loop, "ui", QUEUE_MAX - 1), some(loop, "timer", 1)
    put(waiting, people)
    put(waiting, timers)
    for method in ("ui", "timer"):
        with pytest.raises(OverloadedError):
            put(waiting, some(loop, method, 1))
    assert len(waiting) == QUEUE_MAX
    assert list(waiting) == people + timers
