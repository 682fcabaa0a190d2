"""Months of simulated requests: the engine itself runs them on a virtual clock, nothing is written past it."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from noria.adapters.demo import habits
from noria.adapters.demo.company import DEMO_PASSWORD, DEMO_TENANT, PEOPLE, UNITS
from noria.adapters.demo.orders import demo_handlers
from noria.adapters.system import SystemClock
from noria.engine import commands as c
from noria.kernel.calendar import WorkCalendar, add_working
from noria.kernel.errors import NoriaError
from noria.kernel.instants import DAY_MS, HOUR_MS, MINUTE_MS, Duration, InstantMs, format_instant
from noria.operate.changes import Held
from noria.operate.requests import Accepted, Origin, Request, SerialDraw

SEED = 20261124
PAST_DAYS = 120
EXAMPLES = ("purchase", "contract", "urgent")
ORIGIN = Origin("demo")
Progress = Callable[[int, int, str], None]


class SimulatedClock:
    """A clock that stands still until it is set; who sleeps by it wakes up then."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._moved = asyncio.Event()

    def now_ms(self) -> InstantMs:
        """The simulated present."""
        return InstantMs(self._now_ms)

    def move_to(self, instant_ms: int) -> None:
        """Let time pass until an instant; it does not go back."""
        self._now_ms = max(self._now_ms, instant_ms)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, instant_ms: int) -> None:
        """Return when the clock has been set to that instant or later."""
        while self._now_ms < instant_ms:
            await self._moved.wait()


def example_files(example: str = "purchase") -> dict[str, bytes]:
    """An example's models: of the installed package, or of the source tree."""
    packaged = resources.files("noria") / "examples" / example
    folder = Path(str(packaged)) if packaged.is_dir() else Path(__file__).parents[4] / "examples" / example
    return {
        path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in (".bpmn", ".dmn", ".form")
    }


async def seed(
    open_noria: Callable[..., Awaitable[Any]], url: str, requests: int, progress: Progress, now_ms: int = 0
) -> bool:
    """Fill an empty database with the company and its past; gives False when it was filled before.

    Args:
        open_noria: the composition root's way to open a database.
        url: the database.
        requests: about how many requests to simulate.
        progress: called with done, total and what is going on.
        now_ms: the end of that past; 0 for the present.
    """
    now_ms = now_ms or SystemClock().now_ms()
    clock = SimulatedClock(now_ms - PAST_DAYS * DAY_MS)
    noria = await open_noria(url, clock=clock, handlers=demo_handlers())
    try:
        if noria.catalogue.rows(DEMO_TENANT):
            return False
        await _Seeder(noria, clock, now_ms, requests, progress).run()
    finally:
        await noria.close()
    return True


class _Seeder:
    def __init__(self, noria: Any, clock: SimulatedClock, now_ms: int, requests: int, progress: Progress) -> None:
        self.noria = noria
        self.clock = clock
        self.end_ms = now_ms
        self.requests = requests
        self.progress = progress
        self.random = random.Random(SEED)
        self.calendar: WorkCalendar = self.noria.calendar(DEMO_TENANT)
        # (instant, number, what happens then)
        self.agenda: list[tuple[int, int, Callable[[], Awaitable[None]]]] = []
        self.planned: set[tuple[int, int]] = set()
        self.number = 0
        self.starts, self.started = requests, 0

    async def run(self) -> None:
        """Company, models, then requests in the order of their simulated instants."""
        noria = self.noria
        people, accounts = noria.people, noria.services.accounts
        self.progress(0, self.starts, "company")
        await people.put(DEMO_TENANT, list(PEOPLE), list(UNITS), self.clock.now_ms())
        for person in PEOPLE:
            await accounts.set_password(DEMO_TENANT, person.id, DEMO_PASSWORD, self.clock.now_ms())
        for example in EXAMPLES:
            now_ms, facts = self.clock.now_ms(), noria.facts(DEMO_TENANT)
            await noria.catalogue.deploy(DEMO_TENANT, "he", example_files(example), now_ms, facts)
        await noria.take_shards()
        self._plan_starts()
        self.starts = sum(at_ms <= self.end_ms for at_ms, _, _ in self.agenda)
        while self.agenda:
            at_ms, _, act = heapq.heappop(self.agenda)
            if at_ms > self.end_ms:
                break
            await self._timers_until(at_ms)
            self.clock.move_to(at_ms)
            await act()
        await self._timers_until(self.end_ms)
        self.clock.move_to(self.end_ms)
        self.progress(self.starts, self.starts, "figures")
        await noria.projector.catch_up()

    async def _timers_until(self, until_ms: int) -> None:
        while (due := await self.noria.database.store.next_timer()) is not None and due <= until_ms:
            self.clock.move_to(due)
            await self.noria.timers.fire_due()

    def _at(self, at_ms: int, act: Callable[[], Awaitable[None]]) -> None:
        self.number += 1
        heapq.heappush(self.agenda, (at_ms, self.number, act))

    def _later(self, hours_mean: float) -> int:
        """An instant some working time from now, most often soon and sometimes late."""
        hours = min(self.random.lognormvariate(0, 0.9) * hours_mean, hours_mean * 8)
        return add_working(
            self.calendar, self.clock.now_ms(), Duration(milliseconds=max(MINUTE_MS, int(hours * HOUR_MS)))
        )

    def _plan_starts(self) -> None:
        span_ms = self.end_ms - self.clock.now_ms()
        # The last days are busier, so that whoever tries the demo finds work waiting.
        plans = (
            ("purchase", self.requests, max(12, self.requests // 25), 2 * DAY_MS),
            ("contract", self.requests // 12, 18, 6 * DAY_MS),
            ("urgent", self.requests // 30, 4, 8 * HOUR_MS),
        )
        for process, past, recent, recently_ms in plans:
            for number in range(past + recent):
                back_ms = int(self.random.random() * (span_ms if number < past else recently_ms))
                at_ms = InstantMs(self.end_ms - back_ms)
                if process != "urgent":
                    # Into working time: nobody files a purchase at three in the morning; a pump breaks when it likes.
                    at_ms = add_working(self.calendar, at_ms, Duration(milliseconds=MINUTE_MS))
                self._at(at_ms, partial(self._start, process))

    async def _start(self, process: str) -> None:
        self.started += 1
        if self.started % 20 == 0:
            self.progress(self.started, self.starts, "requests")
        noria = self.noria
        organisation = await noria.people.organisation(DEMO_TENANT)
        person = organisation.people[habits.starter(self.random, process)]
        row = noria.catalogue.find(DEMO_TENANT, process)
        pattern = (await noria.catalogue.get(row.id)).graph.serial
        year = int(format_instant(self.clock.now_ms())[:4])
        form = habits.form(self.random, process, self.clock.now_ms())
        answer = await noria.runtime.submit(
            Request(
                c.StartInstance(person.id, organisation.snapshot(person), form),
                person.id,
                tenant=DEMO_TENANT,
                definition=row.id,
                unit=person.unit,
                origin=ORIGIN,
                serial=SerialDraw(row.key, str(year), pattern, year),
            )
        )
        await self._follow(answer)

    async def _follow(self, answer: object) -> None:
        """Do what machines do at once, and plan what people do next."""
        if not isinstance(answer, Accepted):
            raise NoriaError(f"Seeding was refused: {answer}")
        await self.noria.pool.work_once()
        held: Held = await self.noria.runtime.instance(answer.iid)
        for token, task in held.state.tasks.items():
            if (answer.iid, token) in self.planned:
                continue
            graph = held.definition.graph
            element = graph.elements[task.element].id
            mean = habits.hours(graph.key, element)
            if task.groups and not task.assignee:
                mean /= 2
            if self.random.random() < 0.04:
                mean *= 8  # now and then something is left lying
            self.planned.add((answer.iid, token))
            # Who is on duty does not wait for working time.
            on_duty = self.clock.now_ms() + int(mean * HOUR_MS)
            at_ms = on_duty if element == "duty_review" else self._later(mean)
            self._at(at_ms, partial(self._work, answer.iid, token))

    async def _work(self, iid: int, token: int) -> None:
        held: Held = await self.noria.runtime.instance(iid)
        task = held.state.tasks.get(token)
        self.planned.discard((iid, token))
        if task is None:
            return
        if not task.assignee:
            person = habits.claimant(self.random, task)
            await self._do(held, person, c.ClaimTask(token, person))
            self.planned.add((iid, token))
            self._at(self._later(2.5), partial(self._work, iid, token))
            return
        command = habits.deed(self.random, held, token, self.clock.now_ms())
        await self._follow(await self._do(held, task.assignee, command))

    async def _do(self, held: Held, person: str, command: c.AnyCommand) -> object:
        return await self.noria.runtime.submit(
            Request(command, person, iid=held.row.iid, tenant=DEMO_TENANT, origin=ORIGIN)
        )
