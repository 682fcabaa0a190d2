"""Timers: due ones are found by a query, never by memory alone, so that none is lost."""

from __future__ import annotations

import asyncio
import logging

from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.errors import NoriaError
from noria.operate.background import ended
from noria.operate.ports import Clock, InstanceStore
from noria.operate.requests import Accepted, Committed, Origin, Request
from noria.operate.runtime import Runtime

logger = logging.getLogger(__name__)

_PAGE, _PAGE_BESIDE_PEOPLE = 100, 20
"""Timers that are read and handed over at once."""
_LOOK_AGAIN_MS = 1_000
_ARMING = frozenset(
    {e.TimerStarted, e.InstanceResumed, e.InstanceMigrated, e.InstanceRestored, e.TakenBack, e.InstanceRestarted}
)
"""Events after which a timer may be set that was not before."""
TIMER = "timer"
"""The technical actor of timers."""


class Timers:
    """Fires what is due, and sleeps until the next is."""

    def __init__(self, runtime: Runtime, store: InstanceStore, clock: Clock) -> None:
        self._runtime = runtime
        self._store = store
        self._clock = clock
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._refused: frozenset[tuple[int, int, int]] = frozenset()

    def start(self) -> None:
        """Begin; what fell due while nobody looked fires first."""
        self._runtime.listen(self._committed)
        self._task = asyncio.create_task(self._work(), name="noria-timers")

    async def stop(self) -> None:
        """Stop after the page at hand."""
        await ended(self._task)

    def _committed(self, items: list[Committed]) -> None:
        if not items:
            self._wake.set()
        for item in items:
            for event in item.events:
                if event.__class__ in _ARMING:
                    self._wake.set()
                    return

    async def _work(self) -> None:
        while True:
            # Before looking, not after: what is committed while it looks must wake it again.
            self._wake.clear()
            looked_ms = self._clock.now_ms()
            next_ms: int | None = None
            try:
                await self.fire_due()
                next_ms = await self._store.next_timer(self._runtime.owned)
            except NoriaError as error:
                logger.warning("Timers pause: %s", error)
            except Exception:
                logger.exception("Timers pause on a defect")
            # Never longer than a moment: the clock may be set forward under us. A moment also when what was due
            # already is still there: it was refused, and asking at once again would only spin.
            until_ms = self._clock.now_ms() + _LOOK_AGAIN_MS
            if next_ms is not None and next_ms > looked_ms:
                until_ms = min(next_ms, until_ms)
            sleeping = asyncio.create_task(self._clock.sleep_until(until_ms))
            waking = asyncio.create_task(self._wake.wait())
            try:
                await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()

    async def fire_due(self) -> int:
        """Fire every timer that is due now; gives how many."""
        fired = 0
        while due := await self._due():
            answers = [
                self._runtime.submit(Request(c.FireTimer(timer), TIMER, iid=iid, tenant=tenant, origin=Origin("timer")))
                for iid, timer, tenant in due
            ]
            accepted = [answer for answer in await asyncio.gather(*answers) if isinstance(answer, Accepted)]
            fired += len(accepted)
            if not accepted:
                # Once means little: another process may have fired them, or an instance ended, while they were read.
                if stuck := self._refused.intersection(due):
                    logger.error("Timers %s are refused again and again; they stay where they are.", sorted(stuck)[:5])
                self._refused = frozenset(due)
                break
            self._refused = frozenset()
        return fired

    async def _due(self) -> list[tuple[int, int, int]]:
        page = _PAGE_BESIDE_PEOPLE if self._runtime.people_are_about else _PAGE
        return await self._store.due_timers(self._clock.now_ms(), page, self._runtime.owned)
