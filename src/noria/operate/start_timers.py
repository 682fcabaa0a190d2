"""Timers that start processes: when they are due, what starts then, and what a newer calendar makes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from noria.engine import commands as c
from noria.engine.deadlines import counted, is_behind
from noria.engine.facts import Facts
from noria.engine.starting import next_start
from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import NoriaError
from noria.operate.background import ended
from noria.operate.deploying import Catalogue, CatalogueStore, StartTimerRow
from noria.operate.ids import shard_of_key
from noria.operate.ports import Clock
from noria.operate.requests import Origin, Request
from noria.operate.runtime import Runtime
from noria.operate.timers import TIMER

logger = logging.getLogger(__name__)

_LOOK_AGAIN_MS = 1_000
FactsOf = Callable[[int], Facts]


class StartTimers:
    """Starts the processes whose timer start events fall due."""

    def __init__(
        self, runtime: Runtime, catalogue: Catalogue, store: CatalogueStore, clock: Clock, facts: FactsOf
    ) -> None:
        self._runtime = runtime
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._facts = facts
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; what fell due while nobody looked starts first."""
        self._task = asyncio.create_task(self._work(), name="noria-start-timers")

    async def stop(self) -> None:
        """Stop."""
        await ended(self._task)

    async def _work(self) -> None:
        while True:
            try:
                await self.start_due()
            except NoriaError as error:
                logger.warning("Start timers pause: %s", error)
            except Exception:
                logger.exception("Start timers pause on a defect")
            await self._clock.sleep_until(self._clock.now_ms() + _LOOK_AGAIN_MS)

    async def start_due(self) -> int:
        """Start every process that is due now, and whose start falls to this process; gives how many."""
        due = await self._store.due_start_timers(self._clock.now_ms())
        rows = [row for row in due if self._runtime.owns(shard_of_key(f"start-timer:{row.definition}:{row.element}"))]
        for row in rows:
            definition = await self._catalogue.get(row.definition)
            if not self._catalogue.is_newest(row.definition):
                # Two versions were deployed at once, in two processes; only the newest starts by itself.
                await self._store.drop_start_timer(row.definition, row.element)
                continue
            command = c.StartInstance(TIMER, {"id": TIMER}, start_element=row.element)
            # The key names the due instant: after a crash in between, the same start is not made twice.
            key = f"start-timer:{row.definition}:{row.element}:{row.due}"
            await self._runtime.submit(
                Request(command, TIMER, tenant=row.tenant, definition=row.definition, key=key, origin=Origin("timer"))
            )
            if not row.remaining:
                await self._store.drop_start_timer(row.definition, row.element)
                continue
            index = definition.graph.element_of[row.element]
            try:
                following = row.at(*next_start(definition, index, row.due, row.interval, self._facts(row.tenant)))
            except ValueError as error:
                logger.warning("The start timer %s of definition %d waits: %s", row.element, row.definition, error)
                continue
            following.remaining -= 1 if row.remaining > 0 else 0
            await self._store.put_start_timer(following)
        return len(rows)

    async def derived(self, tenant: int, calendar: WorkCalendar) -> list[tuple[StartTimerRow, StartTimerRow]]:
        """What a calendar makes of the start timers of a tenant: (as it is, as it would be); nothing is written."""
        found = []
        for row in await self._store.start_timers_of(tenant):
            deadline = row.deadline
            if deadline is None or not is_behind(deadline, calendar):
                continue
            try:
                due_ms, made = counted(calendar, deadline.start_ms, deadline.duration)
            except ValueError as error:
                logger.warning("The start timer %s of definition %d stays: %s", row.element, row.definition, error)
                continue
            found.append((row, row.at(due_ms, made)))
        return found

    async def derive(self, tenant: int, calendar: WorkCalendar) -> None:
        """Move the start timers whose due instant lay behind what the calendar knew.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        while found := await self.derived(tenant, calendar):
            for before, after in found:
                # One that fires meanwhile has gone on; its next beat is looked at in the next round.
                await self._store.move_start_timer(before.due, after)
