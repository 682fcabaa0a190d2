"""The figures of the live board, from the projection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.cursors import BOARD
from noria.adapters.database.opening import Database
from noria.design.bpmn.graph import ACTIVITIES, Graph, Kind
from noria.engine.state import Status
from noria.kernel.instants import DAY_MS, InstantMs, format_instant, to_datetime
from noria.monitor import board as b
from noria.monitor.visits import INCIDENT, RETURN
from noria.operate.rows import JournalRow

_SHOWN = ACTIVITIES | {
    Kind.START_EVENT,
    Kind.END_EVENT,
    Kind.INTERMEDIATE_CATCH_EVENT,
    Kind.BOUNDARY_EVENT,
}


class DatabaseBoard:
    """`BoardReader`: the board of a process over all its versions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def board(
        self,
        tenant: int,
        versions: Sequence[tuple[int, Graph]],
        name: b.ProcessName,
        *,
        start_ms: int,
        end_ms: int,
        working: bool,
        zone: str,
        simulated: bool,
    ) -> b.Board:
        """The board for a period.

        Args:
            tenant: whose.
            versions: definition and graph of all versions; indexes mean something only within one.
            name: of the process.
            start_ms: from when.
            end_ms: now.
            working: whether durations are in working time.
            zone: IANA name of the zone that cuts days.
            simulated: whether the data is.
        """
        graphs = dict(versions)
        ids = list(graphs)
        newest = versions[-1][1]
        days = ZoneInfo(zone) if zone != "UTC" else UTC
        v, o, life = t.visit.c, t.occurrence.c, t.life.c
        handling = v.handling_work if working else v.handling
        waiting = v.waiting_work if working else v.waiting
        async with self._database.reading() as db:
            followed = sa.select(sa.func.coalesce(sa.func.sum(t.cursor.c.seq), 0)).where(t.cursor.c.consumer == BOARD)
            as_of_seq = int((await db.execute(followed)).scalar_one())
            closed = (
                await db.execute(
                    sa.select(v.definition, v.element, v.human, v.outcome, v.closed, v.due, handling, waiting).where(
                        v.tenant == tenant, v.definition.in_(ids), v.closed >= start_ms, v.closed <= end_ms
                    )
                )
            ).all()
            opened = (
                await db.execute(
                    sa.select(v.definition, v.element, v.human, v.due).where(
                        v.tenant == tenant, v.definition.in_(ids), v.closed == 0
                    )
                )
            ).all()
            arrived = (
                await db.execute(
                    sa.select(sa.func.count()).where(
                        v.tenant == tenant,
                        v.definition.in_(ids),
                        v.human == 1,
                        v.entered >= start_ms,
                        v.entered <= end_ms,
                    )
                )
            ).scalar_one()
            occurred = (
                await db.execute(
                    sa.select(o.definition, o.element, o.kind, sa.func.count())
                    .where(o.tenant == tenant, o.definition.in_(ids), o.at >= start_ms, o.at <= end_ms)
                    .group_by(o.definition, o.element, o.kind)
                )
            ).all()
            cycle = life.cycle_work if working else (life.ended - life.started)
            ended = (
                await db.execute(
                    sa.select(life.ended, cycle, life.status).where(
                        life.tenant == tenant, life.definition.in_(ids), life.ended >= start_ms, life.ended <= end_ms
                    )
                )
            ).all()
            started = (
                (
                    await db.execute(
                        sa.select(life.started).where(
                            life.tenant == tenant,
                            life.definition.in_(ids),
                            life.started >= start_ms,
                            life.started <= end_ms,
                        )
                    )
                )
                .scalars()
                .all()
            )
            first_ever = (
                await db.execute(
                    sa.select(sa.func.min(life.started)).where(life.tenant == tenant, life.definition.in_(ids))
                )
            ).scalar_one()
            first_day = to_datetime(InstantMs(start_ms), days).date()
            f = t.flow_count.c
            flows = (
                await db.execute(
                    sa.select(f.definition, f.flow, sa.func.sum(f.n))
                    .where(f.tenant == tenant, f.definition.in_(ids), f.day >= first_day.isoformat())
                    .group_by(f.definition, f.flow)
                )
            ).all()

        # Versions are joined by element and flow id; an element that the newest version no longer has is left out.
        def place(definition: int, element: int) -> str:
            return graphs[definition].elements[element].id

        handled: dict[str, list[int]] = defaultdict(list)
        waited: dict[str, list[int]] = defaultdict(list)
        worked: dict[str, list[int]] = defaultdict(list)
        visits: dict[str, int] = defaultdict(int)
        done: list[int] = []
        on_time = late = 0
        for definition, element, human, outcome, at, due, took, waits in closed:
            key = place(definition, element)
            visits[key] += 1
            if outcome == "completed":
                handled[key].append(took)
            if human:
                waited[key].append(waits)
                worked[key].append(took - waits)
                if outcome == "completed":
                    done.append(took)
                    on_time += bool(due and at <= due)
                    late += bool(due and at > due)
        open_by: dict[str, list[int]] = defaultdict(list)
        open_visits: dict[str, int] = defaultdict(int)
        for definition, element, human, due in opened:
            key = place(definition, element)
            open_visits[key] += 1
            if human:
                open_by[key].append(due)
        happened: dict[tuple[str, str], int] = defaultdict(int)
        for definition, element, kind, count in occurred:
            happened[place(definition, element), kind] += count
        returns = sum(count for (_, kind), count in happened.items() if kind == RETURN)
        incidents = sum(count for (_, kind), count in happened.items() if kind == INCIDENT)
        all_due = [due for dues in open_by.values() for due in dues]
        overdue = sum(1 for due in all_due if 0 < due < end_ms)
        # A period begins with the first instance ever, when that is later: a young process is not idle since 1970.
        begin_ms = max(start_ms, first_ever if first_ever is not None else end_ms)
        period_days = max((end_ms - begin_ms) / DAY_MS, 1 / 24)
        completed = [took for _, took, status in ended if status == int(Status.COMPLETED)]
        figures = [
            b.ElementFigures(
                element.id,
                element.name,
                element.kind.name.lower(),
                visits[element.id] + open_visits[element.id],
                open_visits[element.id],
                sum(1 for due in open_by[element.id] if 0 < due < end_ms),
                happened[element.id, RETURN],
                happened[element.id, INCIDENT],
                b.spread(handled[element.id]),
                b.spread(waited[element.id]),
                b.spread(worked[element.id]),
            )
            for element in newest.elements
            if element.kind in _SHOWN
        ]
        counts: dict[str, int] = defaultdict(int)
        for definition, flow, count in flows:
            counts[graphs[definition].flows[flow].id] += int(count)
        return b.Board(
            process=name,
            range=b.Period(format_instant(InstantMs(begin_ms)), format_instant(InstantMs(end_ms))),
            time="working" if working else "clock",
            as_of_seq=as_of_seq,
            simulated=simulated,
            tiles=b.Tiles(
                handling=b.spread(done),
                cycle=b.spread(completed),
                backlog=b.Backlog(
                    len(all_due),
                    overdue,
                    b.share(overdue, len(all_due)),
                    arrived,
                    len(done),
                    len(all_due) / (len(done) / period_days) if done else None,
                ),
                errors=b.Errors(
                    incidents, returns, len(done), b.share(incidents + returns, len(done) + incidents + returns)
                ),
                throughput=b.Throughput(len(started), len(completed), len(completed) / period_days),
                on_time=b.OnTime(on_time, late, b.share(on_time, on_time + late)),
            ),
            elements=figures,
            flows=[b.FlowFigures(flow.id, counts[flow.id]) for flow in newest.flows],
            series=_series(started, ended, first_day, to_datetime(InstantMs(end_ms), days).date(), days),
            backlog_by_element=[
                b.ElementBacklog(
                    b.ElementName(element.id, element.name),
                    sum(1 for due in open_by[element.id] if due == 0 or due >= end_ms + DAY_MS),
                    sum(1 for due in open_by[element.id] if end_ms <= due < end_ms + DAY_MS),
                    sum(1 for due in open_by[element.id] if 0 < due < end_ms),
                )
                for element in newest.elements
                if element.kind is Kind.USER_TASK
            ],
        )

    async def recent(self, tenant: int, definitions: Sequence[int], limit: int) -> list[JournalRow]:
        """The newest journal rows of a process."""
        i, j = t.inst.c, t.journal.c
        query = (
            sa.select(t.journal)
            .join(t.inst, (i.shard == j.shard) & (i.iid == j.iid))
            .where(i.tenant == tenant, i.definition.in_(definitions))
            .order_by(j.ts.desc(), j.seq.desc())
            .limit(limit)
        )
        async with self._database.reading() as db:
            return [JournalRow(**row) for row in (await db.execute(query)).mappings()]


def _series(
    started: Sequence[int],
    ended: Sequence[sa.Row[Any, Any, Any]],
    first: date,
    last: date,
    zone: tzinfo,
) -> list[b.Day]:
    starts: dict[date, int] = defaultdict(int)
    cycles: dict[date, list[int]] = defaultdict(list)
    for at in started:
        starts[to_datetime(InstantMs(at), zone).date()] += 1
    for at, took, status in ended:
        if status == int(Status.COMPLETED):
            cycles[to_datetime(InstantMs(at), zone).date()].append(took)
    days = []
    day = max(first, min([*starts, *cycles], default=last))
    while day <= last:
        figures = b.spread(cycles[day])
        days.append(
            b.Day(
                day.isoformat(),
                starts[day],
                len(cycles[day]),
                figures.median_ms if figures else None,
                figures.p90_ms if figures else None,
            )
        )
        day += timedelta(days=1)
    return days
