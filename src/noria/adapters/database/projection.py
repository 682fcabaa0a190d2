"""Projections fed by the journal's cursor: the board's visits, people's notices, and where files are named."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.blobs import note_use
from noria.adapters.database.opening import Database
from noria.engine.definition import Definition
from noria.engine.events import InstanceStarted, VariablesSet, decode_events
from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import NoriaError
from noria.monitor.visits import Fold, Life, Recorded, Visit
from noria.operate.files import files_in
from noria.operate.notices import TOLD_OF, Holding, Notice, notices_of
from noria.operate.ports import Clock, StaleOwnerError
from noria.operate.redefining import REDEFINING, definition_before
from noria.operate.requests import Committed
from noria.operate.rows import JournalRow
from noria.operate.runtime import Definitions, Runtime
from noria.trust.people import PeopleStore

logger = logging.getLogger(__name__)

_PAGE = 500
_SET_CURSOR = sa.text(
    "INSERT INTO cursor (consumer, shard, seq) VALUES (:consumer, :shard, :seq) ON CONFLICT DO NOTHING"
)
_MOVE_CURSOR = sa.text("UPDATE cursor SET seq = :seq WHERE consumer = :consumer AND shard = :shard AND seq = :before")
BOARD, NOTICES, FILES = "board", "notices", "files"


class Projector:
    """Follows the journal; each page and its cursor are written in one transaction."""

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        people: PeopleStore,
        calendar: Callable[[int], WorkCalendar],
        clock: Clock,
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._people = people
        self._calendar = calendar
        self._clock = clock
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._runtime: Runtime
        self._listeners: list[Callable[[], None]] = []
        self._lock = asyncio.Lock()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called after each page."""
        self._listeners.append(listener)

    def start(self, runtime: Runtime) -> None:
        """Begin to follow; what was missed while nobody followed comes first.

        Of several processes the owner of shard 0 follows. Should two believe to be that, the cursor lets one through.
        """
        self._runtime = runtime
        runtime.listen(self._committed)
        self._wake.set()
        self._task = asyncio.create_task(self._work(), name="noria-projector")

    async def stop(self) -> None:
        """Stop after the page at hand."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _committed(self, _items: list[Committed]) -> None:
        self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._runtime.owns(0):
                continue
            try:
                await self.catch_up()
            except NoriaError as error:
                logger.warning("The projector pauses: %s", error)
                await self._pause()
            except Exception:
                # A defect must be seen, and must not leave the board standing still for ever without a word.
                logger.exception("The projector pauses on a defect")
                await self._pause()

    async def _pause(self) -> None:
        await self._clock.sleep_until(self._clock.now_ms() + 1_000)
        self._wake.set()

    async def rebuild(self) -> None:
        """Drop the board's tables and fold the whole journal again."""
        async with self._lock, self._database.writing() as db:
            # The cursor first: it waits for a page that is being folded right now, whose rows then go as well.
            await db.execute(sa.delete(t.cursor).where(t.cursor.c.consumer == BOARD))
            for table in t.PROJECTION:
                await db.execute(sa.delete(table))
        await self.catch_up()

    async def catch_up(self) -> int:
        """Follow the journal to its present end; gives how many rows were folded."""
        async with self._lock:
            folded = 0
            for consumer, apply in ((FILES, self._files), (BOARD, self._board), (NOTICES, self._notices)):
                page = 1
                while page:
                    try:
                        page = await self._page(consumer, apply)
                    except StaleOwnerError:
                        continue  # somebody else has folded this page; go on behind it
                    folded += page
            return folded

    async def _page(
        self, consumer: str, apply: Callable[[AsyncConnection, Sequence[Recorded]], Awaitable[None]]
    ) -> int:
        async with self._database.reading() as db:
            c = t.cursor.c
            seen = (await db.execute(sa.select(c.shard, c.seq).where(c.consumer == consumer))).all()
        cursor = {row[0]: row[1] for row in seen}
        rows = await self._database.store.journal_after(cursor, _PAGE)
        if not rows:
            return 0
        recorded = await self._recorded(rows)
        heads = {row.shard: row.seq for row in rows}
        async with self._database.writing() as db:
            # The cursor first: whoever comes second must not even begin to fold.
            for shard, seq in heads.items():
                place = {"consumer": consumer, "shard": shard, "seq": seq}
                if shard in cursor:
                    moved = await db.execute(_MOVE_CURSOR, {**place, "before": cursor[shard]})
                else:
                    moved = await db.execute(_SET_CURSOR, place)
                if not moved.rowcount:
                    # A rebuild from the command line, say: what it folds must not be counted a second time.
                    raise StaleOwnerError("Somebody else moved the projection's cursor; nothing was written.")
            await apply(db, recorded)
        for listener in self._listeners:
            listener()
        return len(rows)

    async def _recorded(self, rows: list[JournalRow]) -> list[Recorded]:
        iids = {row.iid for row in rows}
        c, j = t.inst.c, t.journal.c
        async with self._database.reading() as db:
            query = sa.select(c.iid, c.tenant, c.definition).where(c.iid.in_(iids))
            owners = {row[0]: (row[1], row[2]) for row in (await db.execute(query)).all()}
            # Read after the instances: what they run on now may have come by a change that lies behind these rows.
            # Written out, so that the database sees that the index of just these entries will do.
            actions: sa.BindParameter[str] = sa.bindparam("actions", REDEFINING, expanding=True, literal_execute=True)
            query = sa.select(j.iid, j.ver, j.ev).where(j.iid.in_(iids), j.action.in_(actions)).order_by(j.ver)
            moves = [(iid, ver, decode_events(ev)) for iid, ver, ev in (await db.execute(query)).all()]
        found = []
        for row in rows:
            tenant, definition = owners[row.iid]
            # What an entry's indexes mean is told by the first change of version behind it.
            for iid, ver, events in moves:
                if iid == row.iid and ver > row.ver:
                    definition = definition_before(events)
                    break
            found.append(Recorded(row.shard, row.seq, row.iid, row.ts, tenant, definition, decode_events(row.ev)))
        return found

    # Files

    @staticmethod
    async def _files(db: AsyncConnection, rows: Sequence[Recorded]) -> None:
        for row in rows:
            for event in row.events:
                if isinstance(event, InstanceStarted):
                    named = files_in(event.variables)
                elif isinstance(event, VariablesSet):
                    named = files_in(event.values)
                else:
                    continue
                for hashed in sorted(named):
                    await note_use(db, row.tenant, hashed, "", row.iid)

    # The board

    async def _board(self, db: AsyncConnection, rows: Sequence[Recorded]) -> None:
        iids = {row.iid for row in rows}
        visits = (await db.execute(sa.select(t.visit).where(t.visit.c.iid.in_(iids), t.visit.c.closed == 0))).mappings()
        known = {(row["iid"], row["tok"]): Visit(**row) for row in visits}
        lives = (await db.execute(sa.select(t.life).where(t.life.c.iid.in_(iids)))).mappings()
        fold = Fold(known, {row["iid"]: Life(**row) for row in lives}, self._calendar(rows[0].tenant))
        touched: dict[int, Definition] = {}
        for row in rows:
            if row.definition not in touched:
                touched[row.definition] = await self._definitions.get(row.definition)
            fold.add(row, touched[row.definition].graph)
        await _replace(db, t.visit, ("iid", "tok"), list(fold.visits.values()))
        await _replace(db, t.life, ("iid",), list(fold.lives.values()))
        if fold.occurrences:
            await db.execute(sa.insert(t.occurrence), [msgspec.structs.asdict(item) for item in fold.occurrences])
        for (tenant, definition, flow, day), count in fold.flows.items():
            c = t.flow_count.c
            where = (c.tenant == tenant) & (c.definition == definition) & (c.flow == flow) & (c.day == day)
            if not (await db.execute(sa.update(t.flow_count).where(where).values(n=c.n + count))).rowcount:
                values = {"tenant": tenant, "definition": definition, "flow": flow, "day": day, "n": count}
                await db.execute(sa.insert(t.flow_count).values(**values))

    # Notices

    async def _notices(self, db: AsyncConnection, rows: Sequence[Recorded]) -> None:
        made: list[Notice] = []
        for row in rows:
            if not any(isinstance(event, TOLD_OF) for event in row.events):
                continue
            organisation = await self._people.organisation(row.tenant)
            instance = (await db.execute(sa.select(t.inst).where(t.inst.c.iid == row.iid))).mappings().one()
            definition = await self._definitions.get(row.definition)
            holders = await self._holders(db, row)
            made += notices_of(row, instance["starter"], instance["title"], definition.graph, organisation, holders)
        if made:
            await db.execute(
                sa.insert(t.notice),
                [
                    {**msgspec.structs.asdict(item), "params": msgspec.json.encode(item.params).decode(), "read": 0}
                    for item in made
                ],
            )

    @staticmethod
    async def _holders(db: AsyncConnection, row: Recorded) -> dict[int, Holding]:
        """Who holds the open tasks of an instance now, by token."""
        task, candidate = t.task.c, t.candidate.c
        tasks = (await db.execute(sa.select(task.tok, task.assignee, task.name).where(task.iid == row.iid))).all()
        groups: dict[int, list[str]] = {}
        query = sa.select(candidate.tok, candidate.name).where(candidate.iid == row.iid, candidate.kind == "g")
        for tok, name in (await db.execute(query)).all():
            groups.setdefault(tok, []).append(name)
        return {tok: Holding(assignee, tuple(groups.get(tok, ())), name) for tok, assignee, name in tasks}


async def _replace(db: AsyncConnection, table: sa.Table, key: tuple[str, ...], rows: list[Any]) -> None:
    if not rows:
        return
    where = sa.and_(*(table.c[name] == sa.bindparam(f"k_{name}") for name in key))
    keys = [{f"k_{name}": getattr(row, name) for name in key} for row in rows]
    await db.execute(sa.delete(table).where(where), keys)
    await db.execute(sa.insert(table), [msgspec.structs.asdict(row) for row in rows])
