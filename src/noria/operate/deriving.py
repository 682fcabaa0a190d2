"""Due dates that lay behind what a calendar knew are counted anew when it is published with more.

A publication writes its batch in the same transaction, so that a crash behind it loses nothing. The batch finds the
instances concerned, has the engine count each anew, and looks again until nothing is found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.deadlines import concerned_by
from noria.engine.state import State, Status
from noria.engine.step import step
from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import NoriaError, Rejected
from noria.kernel.instants import from_datetime
from noria.operate.background import ended
from noria.operate.calendar_views import AffectedDeadline
from noria.operate.calendars import CalendarBook, CalendarRow
from noria.operate.deploying import StartTimerRow
from noria.operate.office import Office, element_ref, iso
from noria.operate.operations import BatchItem, BatchRow, BatchStore, Plan
from noria.operate.requests import Origin, Request
from noria.operate.restoring import restored
from noria.operate.rows import InstanceRow
from noria.operate.start_timers import StartTimers

logger = logging.getLogger(__name__)

_CHUNK = 200
_LOOK_AGAIN_MS = 500


class Deriving:
    """Finds due dates that a publication concerns, shows them, and has them counted anew in the background."""

    def __init__(self, office: Office, store: BatchStore, book: CalendarBook, starts: StartTimers) -> None:
        self._office = office
        self._store = store
        self._book = book
        self._starts = starts
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def affected(
        self, tenant: int, calendar: WorkCalendar, by: str, limit: int
    ) -> tuple[int, list[AffectedDeadline]]:
        """What would become of due dates if a calendar were published now; nothing is written.

        Returns:
            How many due dates would be counted anew, and the first `limit` of them.
        """
        facts = self._office.facts(tenant)
        facts = msgspec.structs.replace(facts, calendars={**facts.calendars, calendar.id: calendar})
        command = c.DeriveDeadlines(by, calendar.id, calendar.version)
        starts = await self._starts.derived(tenant, calendar)
        total = len(starts)
        listed = [await self._start_moved(before, after) for before, after in starts[:limit]]
        async for row, state in self._concerned(tenant, calendar):
            definition = await self._office.catalogue.get(row.definition)
            outcome = step(definition, state, command, self._office.clock.now_ms(), facts)
            if isinstance(outcome, Rejected):
                continue
            moved = _moved(state, outcome.events)
            total += len(moved)
            for event in moved[: limit - len(listed)]:
                what = state.tasks.get(event.key) or state.timers[event.key]
                element = element_ref(definition.graph.elements[what.element])
                listed.append(
                    AffectedDeadline(
                        str(row.iid),
                        row.bkey,
                        row.title,
                        element,
                        iso(what.due_ms),
                        iso(event.due_ms),
                        event.provisional,
                        definition.graph.key,
                    )
                )
        return total, listed

    async def _start_moved(self, before: StartTimerRow, after: StartTimerRow) -> AffectedDeadline:
        graph = (await self._office.catalogue.get(before.definition)).graph
        element = element_ref(graph.elements[graph.element_of[before.element]])
        start, end = iso(before.due), iso(after.due)
        return AffectedDeadline("", "", graph.name, element, start, end, bool(after.provisional), graph.key)

    async def _concerned(self, tenant: int, calendar: WorkCalendar) -> AsyncIterator[tuple[InstanceRow, State]]:
        due_ms = await self._known_until(tenant, calendar)
        behind = 0
        while found := await self._store.due_after(tenant, due_ms, behind, _CHUNK):
            behind = found[-1]
            for row in (await self._office.store.load(found)).values():
                state = restored(row)
                if concerned_by(state, calendar):
                    yield row, state

    async def _known_until(self, tenant: int, calendar: WorkCalendar) -> int:
        """The instant behind which due dates may be provisional: the earliest horizon that still counts."""
        horizon = calendar.horizon
        for row in reversed(self._book.versions(tenant, calendar.id)):
            if row.calendar.version >= calendar.version:
                continue
            horizon = min(horizon, row.calendar.horizon)
            batch = await self._store.get(tenant, batch_id(tenant, row.calendar))
            if batch is None or batch.ended:
                break
        midnight = datetime.combine(horizon + timedelta(days=1), time(), ZoneInfo(calendar.zone))
        return from_datetime(midnight) - 1

    # Working in the background

    def start(self) -> None:
        """Begin to work; batches of an earlier run go on."""
        self._wake.set()
        self._task = asyncio.create_task(self._work(), name="noria-deadlines")

    def wake(self) -> None:
        """Calendars have changed: look at what depends on them."""
        self._wake.set()

    async def stop(self) -> None:
        """Stop after the instances at hand."""
        await ended(self._task)

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                for row in await self._store.unfinished():
                    if row.kind == "derive":
                        await self._carry_out(row)
            except NoriaError as error:
                logger.warning("Due dates wait to be counted anew: %s", error)
                await self._pause()
                self._wake.set()
            except Exception:
                logger.exception("Due dates wait to be counted anew on a defect")

    async def _pause(self) -> None:
        await self._office.clock.sleep_until(self._office.clock.now_ms() + _LOOK_AGAIN_MS)

    async def catch_up(self) -> None:
        """Look again at what this process opened by the calendars that it knew until now.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        for tenant in self._book.tenants():
            for row in self._book.all(tenant):
                batch = await self._store.get(tenant, batch_id(tenant, row.calendar))
                if batch is not None and batch.ended:
                    await self._carry_out(batch)
        self.wake()

    async def _carry_out(self, row: BatchRow) -> None:
        plan = msgspec.json.decode(row.plan, type=Plan)
        if not self._book.knows(row.tenant, plan.calendar, plan.calendar_version):
            # The batch is written with the calendar, and may be seen before whoever published it has read that again.
            await self._book.refresh()
        refused: set[int] = set()
        found = True
        while found:
            while items := await self._store.items(row.id, "waiting", _CHUNK):
                settled = await asyncio.gather(*(self._done(row, plan, item) for item in items))
                refused |= {item.iid for item in settled if item.state == "refused"}
                await self._store.settle(settled, "waiting")
                if all(item.state == "waiting" for item in settled):
                    # Another process owns them and has not read the calendar yet.
                    await self._pause()
            found = await self._note(row, plan, refused)
        await self._starts.derive(row.tenant, self._book.calendar(row.tenant, plan.calendar, plan.calendar_version))
        if not row.ended:
            await self._store.finish(row.id, self._office.clock.now_ms(), "")

    async def _note(self, row: BatchRow, plan: Plan, refused: set[int]) -> bool:
        """Take into the batch whatever it concerns; gives whether there is anything."""
        calendar = self._book.calendar(row.tenant, plan.calendar, plan.calendar_version)
        found = [inst.iid async for inst, _ in self._concerned(row.tenant, calendar) if inst.iid not in refused]
        for start in range(0, len(found), _CHUNK):
            chunk = found[start : start + _CHUNK]
            await self._store.add(row.id, [BatchItem(row.id, iid, "waiting") for iid in chunk])
        return bool(found)

    async def _done(self, row: BatchRow, plan: Plan, item: BatchItem) -> BatchItem:
        held = await self._office.runtime.instance(item.iid)
        if held is None or held.state.status is not Status.OPEN:
            return BatchItem(row.id, item.iid, "refused", 0, "instance.ended", "The instance has ended meanwhile.")
        command = c.DeriveDeadlines(row.by, plan.calendar, plan.calendar_version)
        request = Request(command, row.by, iid=item.iid, tenant=row.tenant, origin=Origin("batch"))
        answer = await self._office.runtime.submit(request)
        if not isinstance(answer, Rejected):
            elements = held.definition.graph.elements
            told = [
                f"{elements[what.element].id}: {iso(what.due_ms)} → {iso(event.due_ms)}"
                for event in _moved(held.state, answer.events)
                if (what := held.state.tasks.get(event.key) or held.state.timers.get(event.key)) is not None
            ]
            return BatchItem(row.id, item.iid, "done", answer.version, "", "; ".join(told))
        if answer.code == "calendar.not_yet":
            return item
        if answer.code == "calendar.nothing_to_derive":
            # Done before a crash, or by another process.
            return BatchItem(row.id, item.iid, "done", held.state.version, item.code, item.message)
        return BatchItem(row.id, item.iid, "refused", 0, answer.code, answer.message)


def _moved(state: State, events: tuple[e.AnyEvent, ...]) -> list[e.DeadlineMoved]:
    """What moved, without the reminders that follow their task."""
    return [event for event in events if isinstance(event, e.DeadlineMoved) and event.key in state.deadlines]


def batch_id(tenant: int, calendar: WorkCalendar) -> str:
    """The id of the batch that a publication makes."""
    return f"calendar-{tenant}-{calendar.id}-{calendar.version}"


def batch_of(row: CalendarRow) -> BatchRow:
    """The batch that a publication makes."""
    calendar = row.calendar
    plan = Plan("derive", "", calendar=calendar.id, calendar_version=calendar.version)
    return BatchRow(
        id=batch_id(row.tenant, calendar),
        tenant=row.tenant,
        process="",
        kind="derive",
        plan=msgspec.json.encode(plan).decode(),
        by=row.by,
        reason=row.note,
        created=row.at,
        ended=0,
        undone_by="",
        total=0,
    )
