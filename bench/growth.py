"""Does work grow with what it is about, and with nothing else? Noria beside itself, on SQLite, in CPU time.

An instance with a long history must advance as cheaply as a young one; ten times as many items, or timers that fall due
in one second, must cost ten times as much; and people must not wait for timers.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import uvloop

from bench.apart import apart
from bench.models import APPROVAL, LOOP, MULTI, PAUSE, VARIABLES, Workload
from bench.noria_engine import Fixed, closed, definition, opened, settle
from bench.telling import Asked, Figures
from noria.adapters.database.opening import open_database
from noria.adapters.system import SystemClock
from noria.engine import commands as c
from noria.engine.facts import NO_FACTS
from noria.kernel.instants import InstantMs
from noria.operate.ports import InstanceStore
from noria.operate.requests import Accepted, Request
from noria.operate.runtime import Runtime
from noria.operate.timers import Timers

YOUNG, OLD = 10, 10_000
"""Events of an instance's history."""
ITEMS = (100, 1_000)
TIMERS = (10_000, 100_000)
PEOPLE = 8
AT_ONCE = 1_000
_START = c.StartInstance("li", {"id": "li"})


class _Clock(SystemClock):
    """The machine's, set forward by a measurement."""

    ahead_ms = 0

    def now_ms(self) -> InstantMs:
        """The present instant."""
        return InstantMs(super().now_ms() + self.ahead_ms)


@asynccontextmanager
async def _running(
    *workloads: Workload, clock: SystemClock | None = None, folder: str | None = None
) -> AsyncIterator[tuple[Runtime, InstanceStore]]:
    """A runtime whose definitions 1, 2, … are these workloads, on a new database or on that of a folder."""
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory(dir=".") as place:
        database = await open_database(f"sqlite:///{Path(place) / 'noria.db'}")
        known = Fixed(*(definition(workload) for workload in workloads))
        runtime = Runtime(database.store, known, clock or SystemClock(), lambda _tenant: NO_FACTS)
        await runtime.start()
        settle()
        yield runtime, database.store
        await closed(runtime, database)


async def _started(runtime: Runtime, command: c.StartInstance = _START, process: int = 1) -> Accepted:
    answer = await runtime.submit(Request(command, "li", definition=process))
    assert isinstance(answer, Accepted), answer
    return answer


async def _completed(runtime: Runtime, iid: int, token: int) -> Accepted:
    answer = await runtime.submit(Request(c.CompleteTask(token, "li"), "li", iid=iid))
    assert isinstance(answer, Accepted), answer
    return answer


# A long history


async def _advance(runtime: Runtime, answer: Accepted, events: int) -> tuple[Accepted, float]:
    """Have the loop go round until so many events have happened; gives CPU microseconds for each command."""
    begun, happened, commands = time.process_time(), 0, 0
    while happened < events:
        answer = await _completed(runtime, answer.iid, opened(answer))
        happened += len(answer.events)
        commands += 1
    return answer, (time.process_time() - begun) / commands * 1e6


async def _history(share: float) -> Figures:
    async with _running(LOOP) as (runtime, _):
        old, _ = await _advance(runtime, await _started(runtime), OLD)
        young_us, old_us = [], []
        for _ in range(max(3, int(20 * share))):
            young, _ = await _advance(runtime, await _started(runtime), YOUNG)
            young_us.append((await _advance(runtime, young, 200))[1])
            old, spent = await _advance(runtime, old, 200)
            old_us.append(spent)
        return {"small": statistics.median(young_us), "big": statistics.median(old_us)}


def history(share: float) -> Figures:
    """CPU microseconds for a command to an instance with few events, and with many."""
    return uvloop.run(_history(share))


# Many items


async def _items_one_by_one(runtime: Runtime, iid: int, tokens: list[int]) -> None:
    for token in tokens:
        await _completed(runtime, iid, token)


async def _items_at_once(runtime: Runtime, iid: int, tokens: list[int]) -> None:
    await asyncio.gather(*(_completed(runtime, iid, token) for token in tokens))


async def _all_items(count: int, complete: Callable[[Runtime, int, list[int]], Awaitable[None]]) -> float:
    async with _running(MULTI) as (runtime, _):
        begun = time.process_time()
        answer = await _started(runtime, c.StartInstance("li", {"id": "li"}, {"items": list(range(count))}))
        held = await runtime.instance(answer.iid)
        assert held is not None
        assert len(held.state.tasks) == count
        await complete(runtime, answer.iid, list(held.state.tasks))
        spent = time.process_time() - begun
        ended = await runtime.instance(answer.iid)
        assert ended is not None
        assert ended.row.ended
        return spent


def items(how: str, _share: float) -> Figures:
    """CPU seconds for all items of a multi-instance activity, few and many."""
    complete = _items_at_once if how == "at once" else _items_one_by_one
    small, big = (uvloop.run(_all_items(count, complete)) for count in ITEMS)
    return {"small": small * 1e6, "big": big * 1e6}


# Many timers


def _timers(share: float) -> tuple[int, int]:
    few, many = (int(count * share) for count in TIMERS)
    return few, many


async def _set_timers(runtime: Runtime, count: int) -> None:
    for _ in range(0, count, AT_ONCE):
        await asyncio.gather(*(_started(runtime) for _ in range(AT_ONCE)))


async def _all_timers(count: int) -> float:
    clock = _Clock()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        async with _running(PAUSE, clock=clock, folder=folder) as (runtime, _):
            await _set_timers(runtime, count)
        # They fall due behind a restart: memory would hold all of few instances and half of many.
        clock.ahead_ms = 3_600_000
        async with _running(PAUSE, clock=clock, folder=folder) as (runtime, store):
            begun = time.process_time()
            assert await Timers(runtime, store, clock).fire_due() == count
            return time.process_time() - begun


def timers(share: float) -> Figures:
    """CPU microseconds for timers that are due at once behind a restart, few and many."""
    small, big = (uvloop.run(_all_timers(count)) for count in _timers(share))
    return {"small": small * 1e6, "big": big * 1e6}


# People meanwhile


async def _person(runtime: Runtime, goes_on: Callable[[], bool], waits_ms: list[float]) -> None:
    """Somebody who drives approvals, with a moment between two commands."""
    while goes_on():
        request = Request(c.StartInstance("li", {"id": "li"}, VARIABLES), "li", definition=2)
        while True:
            begun = time.perf_counter()
            answer = await runtime.submit(request)
            waits_ms.append((time.perf_counter() - begun) * 1000)
            token = opened(answer)
            if not token:
                break
            request = Request(c.CompleteTask(token, "li"), "li", iid=answer.iid)
            await asyncio.sleep(0.005)


async def _p99_ms(runtime: Runtime, goes_on: Callable[[], bool]) -> float:
    waits_ms: list[float] = []
    await asyncio.gather(*(_person(runtime, goes_on, waits_ms) for _ in range(PEOPLE)))
    return statistics.quantiles(waits_ms, n=100)[-1]


async def _people(share: float) -> Figures:
    clock = _Clock()
    async with _running(PAUSE, APPROVAL, clock=clock) as (runtime, store):
        await _set_timers(runtime, _timers(share)[1])
        until = time.monotonic() + 10 * share + 1
        idle = await _p99_ms(runtime, lambda: time.monotonic() < until)
        clock.ahead_ms = 3_600_000
        storm = asyncio.ensure_future(Timers(runtime, store, clock).fire_due())
        busy = await _p99_ms(runtime, lambda: not storm.done())
        return {"small": idle, "big": busy}


def people(share: float) -> Figures:
    """The 99th percentile of what people wait for a command, ms: with nothing else, and while timers fire."""
    return uvloop.run(_people(share))


def laws(share: float) -> tuple[tuple[str, str, str, float], ...]:
    """What is asked, by which function with which first argument, in what unit, and the largest ratio aimed at."""
    few, many = _timers(share)
    return (
        (f"an instance with {OLD:,} events beside one with {YOUNG}", "history", "us of CPU a command", 1.5),
        (f"{ITEMS[1]:,} items beside {ITEMS[0]}, completed at once", "items:at once", "us of CPU", 12),
        (f"{ITEMS[1]:,} items beside {ITEMS[0]}, one after another", "items:one by one", "us of CPU", 12),
        (f"{many:,} timers due at once beside {few:,}", "timers", "us of CPU", 12),
        (f"people while {many:,} timers fire beside people alone", "people", "ms, 99th percentile", 2),
    )


def ask(asked: Asked) -> list[dict[str, Any]]:
    """Each law."""
    results = []
    for title, how, unit, ratio_max in laws(asked.share):
        name, _, argument = how.partition(":")
        given = [argument] if argument else []
        rounds = [apart(f"bench.growth:{name}", *given, asked.share) for _ in range(asked.rounds)]
        ratios = [one["big"] / one["small"] for one in rounds]
        ratio, small, big = (
            statistics.median(ratios),
            *(statistics.median(one[size] for one in rounds) for size in ("small", "big")),
        )
        line = f"{title:62} {small:>10,.0f} {big:>12,.0f} {unit:20} {ratio:.1f}x ({min(ratios):.1f}-{max(ratios):.1f})"
        print(f"{line}, aim at most {ratio_max:g}x" + ("" if ratio <= ratio_max else "  ABOVE THE AIM"), flush=True)
        results.append({"title": title, "ratio": ratio, "ratios": ratios, "rounds": rounds})
    return results
