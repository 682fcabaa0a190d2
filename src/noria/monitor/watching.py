"""The live board and the feed of a process, for those who may watch it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from noria.design.bpmn.graph import Graph
from noria.kernel.instants import DAY_MS, InstantMs, from_datetime, to_datetime
from noria.monitor.board import Board, ProcessName
from noria.operate.office import Caller, NotFoundError, Office
from noria.operate.rows import JournalRow
from noria.operate.timeline import history_of
from noria.operate.views import Timeline, TimelineItem
from noria.trust.policy import Permission

_FEED_KINDS = frozenset(
    {
        "instance.started",
        "instance.completed",
        "instance.withdrawn",
        "instance.terminated",
        "task.completed",
        "task.returned",
        "task.transferred",
        "task.reminded",
        "task.urged",
        "incident.raised",
        "incident.resolved",
    }
)


class BoardRange(StrEnum):
    """Which period a board shows, up to now."""

    TODAY = "today"
    DAYS_7 = "7d"
    DAYS_30 = "30d"
    DAYS_90 = "90d"
    ALL = "all"


class BoardTime(StrEnum):
    """Whether durations are on the clock or in working time."""

    CLOCK = "clock"
    WORKING = "working"


class BoardReader(Protocol):
    """Where the figures come from."""

    async def board(
        self,
        tenant: int,
        versions: Sequence[tuple[int, Graph]],
        name: ProcessName,
        *,
        start_ms: int,
        end_ms: int,
        working: bool,
        zone: str,
        simulated: bool,
    ) -> Board:
        """The board for a period."""
        ...

    async def recent(self, tenant: int, definitions: Sequence[int], limit: int) -> list[JournalRow]:
        """The newest journal rows of a process."""
        ...


class Watching:
    """The use cases of watching."""

    def __init__(self, office: Office, reader: BoardReader, *, simulated: bool) -> None:
        self._office = office
        self._reader = reader
        self._simulated = simulated

    async def _versions(self, caller: Caller, key: str) -> list[tuple[int, Graph]]:
        await self._office.require(caller, Permission.BOARD, "process", key)
        rows = [row for row in self._office.catalogue.rows(caller.principal.tenant) if row.key == key]
        if not rows:
            raise NotFoundError(f"There is no process {key!r}.")
        return [(row.id, await self._office.graph(row.id)) for row in rows]

    async def board(self, caller: Caller, key: str, period: BoardRange, time: BoardTime) -> Board:
        """The live board of a process.

        Raises:
            NotFoundError: there is no such process.
            DeniedError: the caller may not watch.
        """
        versions = await self._versions(caller, key)
        tenant = caller.principal.tenant
        row = self._office.catalogue.find(tenant, key)
        if row is None:
            raise NotFoundError(f"There is no process {key!r}.")
        facts = self._office.facts(tenant)
        now_ms = self._office.clock.now_ms()
        return await self._reader.board(
            tenant,
            versions,
            ProcessName(row.key, row.name, row.version),
            start_ms=_start(period, now_ms, facts.zone),
            end_ms=now_ms,
            working=time is BoardTime.WORKING,
            zone=facts.zone,
            simulated=self._simulated,
        )

    async def feed(self, caller: Caller, key: str, limit: int) -> Timeline:
        """What happened last in a process, newest first."""
        versions = await self._versions(caller, key)
        tenant = caller.principal.tenant
        organisation = await self._office.people.organisation(tenant)
        rows = await self._reader.recent(tenant, [definition for definition, _ in versions], limit * 3)
        items: list[TimelineItem] = []
        for row in rows:
            held = await self._office.runtime.instance(row.iid)
            if held is None or len(items) >= limit:
                continue
            told = (await history_of(self._office, held, organisation, row.ver)).items(row.iid)
            items += [item for item in reversed(told) if item.seq == row.ver and item.kind in _FEED_KINDS]
        return Timeline(items[:limit])


def _start(period: BoardRange, now_ms: int, zone: str) -> int:
    if period is BoardRange.ALL:
        return 0
    if period is BoardRange.TODAY:
        local = to_datetime(InstantMs(now_ms), ZoneInfo(zone))
        return from_datetime(local.replace(hour=0, minute=0, second=0, microsecond=0))
    days = {BoardRange.DAYS_7: 7, BoardRange.DAYS_30: 30, BoardRange.DAYS_90: 90}[period]
    return now_ms - days * DAY_MS
