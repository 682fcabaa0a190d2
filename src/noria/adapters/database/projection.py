"""Projections fed by the journal's cursor: the board's visits, people's notices, where files are named.

The search index comes behind them (`indexer`). Whoever asks for what a projection holds has folded first what was
committed before and concerns the question, in whichever process that is: the cursor lets each page through once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

import msgspec
import sqlalchemy as sa
from msgspec.structs import astuple
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import paging, searching
from noria.adapters.database import schema as t
from noria.adapters.database.cursors import BOARD, FILES, NOTICES, SEARCH, ahead, move, stand
from noria.adapters.database.cursors import cursors as read_cursors
from noria.adapters.database.deliveries import delivery_row, read_channels, read_preferences
from noria.adapters.database.devices import people_with_devices
from noria.adapters.database.indexer import Indexer
from noria.adapters.database.opening import Database
from noria.engine.deadlines import DEFAULT
from noria.engine.definition import Definition
from noria.engine.events import (
    AnyEvent,
    InstanceCompleted,
    InstanceStarted,
    InstanceWithdrawn,
    VariablesSet,
    decode_events,
)
from noria.engine.evolve import replay
from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import NoriaError
from noria.monitor.lately import Lately
from noria.monitor.visits import REVIVING, Fold, Life, Occurrence, Recorded, Visit
from noria.operate.background import ended
from noria.operate.channels import Delivery, deliveries_of, in_app
from noria.operate.files import files_in
from noria.operate.notices import OPENING, TOLD_OF, Holding, Members, Notice, notices_of
from noria.operate.ports import Clock, StaleOwnerError
from noria.operate.redefining import REDEFINING, definition_before
from noria.operate.requests import Committed
from noria.operate.rows import JournalRow
from noria.operate.runtime import Definitions, Runtime
from noria.trust.people import PeopleStore

logger = logging.getLogger(__name__)

_PAGE = 500
_PAGES = 4
"""After so many the search index is looked after, however much there is to do."""
_PACE_S = 0.4
"""Between two turns while work goes on: what is committed meanwhile shares the next one, and its queries."""
_INDEX_IDLE_S = 1.0
"""When so long nothing was committed, the search index comes after it."""
_INDEX_ROWS_MAX = 2_000
"""By more rows of the journal it is not left behind while work goes on: who searches then has to wait for them."""
_FAR = 5_000
"""Who is so many rows behind is being rebuilt: nobody waits for that."""
_PATIENCE_S = 5
_NAMES = {"sqlite": "instr(j.ev, :name) > 0", "postgresql": "position(CAST(:name AS bytea) IN j.ev) > 0"}
_CONCERNS = """
SELECT 1 FROM shard s LEFT JOIN cursor c ON c.consumer = :consumer AND c.shard = s.shard
JOIN journal j ON j.shard = s.shard AND j.seq > coalesce(c.seq, 0)
WHERE s.seq > coalesce(c.seq, 0) AND (j.actor = :person OR {names}) LIMIT 1
"""
"""Whatever makes something done by a person or copied to one has their id in its events, if they did not do it."""


class Projector:
    """Follows the journal; each page and its cursor are written in one transaction."""

    def __init__(
        self,
        database: Database,
        definitions: Definitions,
        people: PeopleStore,
        calendar: Callable[[int, str, int], WorkCalendar],
        clock: Clock,
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._people = people
        self._calendar = calendar
        self._clock = clock
        self._lately = Lately()
        self._indexer = Indexer(database, definitions, self._lately.known)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._runtime: Runtime
        self._untold = False
        self._more = False
        self._listeners: list[Callable[[], None]] = []
        self._lock = asyncio.Lock()
        self._seen: dict[str, dict[int, int]] = {}

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called after some pages, whoever has folded them."""
        self._listeners.append(listener)

    def start(self, runtime: Runtime) -> None:
        """Begin to follow; what was missed while nobody followed comes first.

        Of several processes the owner of shard 0 follows. Should two believe to be that, the cursor lets one through.
        """
        self._runtime = runtime
        self._indexer.remembered = runtime.remembered
        runtime.listen(self._committed)
        self._wake.set()
        self._task = asyncio.create_task(self._work(), name="noria-projector")

    async def stop(self) -> None:
        """Stop after the page at hand."""
        await ended(self._task)

    def _committed(self, _items: list[Committed]) -> None:
        self._wake.set()

    async def _work(self) -> None:
        indexed = False
        while True:
            woken = await self._woken(None if indexed else _INDEX_IDLE_S)
            if not self._runtime.owns(0):
                indexed = True  # by who owns it
                continue
            try:
                more = woken and await self._turns()
                indexed = await self._index(at_leisure=not woken)
                if more:
                    self._wake.set()
                else:
                    await asyncio.sleep(_PACE_S)
            except NoriaError as error:
                logger.warning("The projector pauses: %s", error)
                await self._pause()
            except Exception:
                # A defect must be seen, and must not leave the board standing still for ever without a word.
                logger.exception("The projector pauses on a defect")
                await self._pause()

    async def _woken(self, within_s: float | None) -> bool:
        """Wait for commands; gives whether there are any."""
        try:
            async with asyncio.timeout(within_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def _turns(self) -> bool:
        """Fold some pages and tell of them; gives whether there are more."""
        pages = 0
        # What came while a page that was not full was folded is left for the next turn: a page for a command is dear.
        while pages < _PAGES and await self._turn() and self._more:
            pages += 1
        if self._untold:
            self._untold = False
            for listener in self._listeners:
                listener()
        return pages == _PAGES

    async def _index(self, *, at_leisure: bool) -> bool:
        """Fold the search index, unless it may wait; gives whether it is where the board is."""
        behind = await self._missing(SEARCH)
        if behind <= _INDEX_ROWS_MAX and not at_leisure:
            return not behind
        passed = 0
        while rows := await self._indexer.fold():
            passed += rows
            if self._wake.is_set() and (at_leisure or passed > _INDEX_ROWS_MAX):
                return False
        return True

    async def _pause(self) -> None:
        await self._clock.sleep_until(self._clock.now_ms() + 1_000)
        self._wake.set()

    async def rebuild(self) -> None:
        """Drop the board's tables and fold the whole journal again; what is found by them is indexed anew, too."""
        async with self._lock, self._database.writing() as db:
            # The cursor first: it waits for a page that is being folded right now, whose rows then go as well.
            await db.execute(sa.delete(t.cursor).where(t.cursor.c.consumer.in_((BOARD, SEARCH))))
            for table in t.PROJECTION:
                await db.execute(sa.delete(table))
        await self.catch_up()

    async def rebuild_search(self) -> None:
        """Empty the search index and fill it again."""
        async with self._lock, self._database.writing() as db:
            await db.execute(sa.delete(t.cursor).where(t.cursor.c.consumer == SEARCH))
            await searching.forget(db)
        await self.catch_up()

    async def catch_up(self) -> int:
        """Follow the journal to its present end; gives how many rows were folded, for each consumer of its own."""
        folded = 0
        while rows := await self._turn() or await self._indexer.fold():
            folded += rows
        return folded

    async def reach(self, consumer: str, person: str = "") -> int:
        """Fold for a consumer what was committed before now; gives by how many rows it is behind all the same.

        Args:
            consumer: whose projection is about to be asked.
            person: only when something of it concerns this person; "" for whatever it is.
        """
        async with self._database.reading() as db:
            found = await ahead(db, consumer)
        missing = sum(head - seen for seen, head in found.values())
        if not missing or missing > _FAR:
            return missing
        if person and not await self._concerns(consumer, person):
            return 0
        wanted = {shard: head for shard, (_, head) in found.items()}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while consumer == SEARCH and await self._missing(BOARD, wanted):
                    await self._turn()
                while missing := await self._missing(consumer, wanted):
                    if consumer != SEARCH or not await self._indexer.fold():
                        await self._turn()
        except NoriaError:
            raise
        except Exception:
            # The projector itself will tell of it again and again; who only asks is shown what there is.
            logger.exception("What was just committed is not in the answer")
        return missing

    async def _missing(self, consumer: str, wanted: Mapping[int, int] | None = None) -> int:
        """How many rows a consumer has not folded; of those up to some heads."""
        async with self._database.reading() as db:
            found = await ahead(db, consumer)
        heads = {shard: head for shard, (_, head) in found.items()} if wanted is None else wanted
        return sum(max(0, heads.get(shard, 0) - seen) for shard, (seen, _) in found.items())

    async def _concerns(self, consumer: str, person: str) -> bool:
        async with self._database.reading() as db:
            query = sa.text(_CONCERNS.format(names=_NAMES[db.dialect.name]))
            given = {"consumer": consumer, "person": person, "name": person.encode()}
            return (await db.execute(query, given)).first() is not None

    async def _turn(self) -> int:
        """Fold a page, or see that there is none."""
        async with self._lock:
            while True:
                try:
                    return await self._page()
                except StaleOwnerError:
                    self._lately.forget()  # somebody else has folded this page; go on behind it
                except Exception:
                    self._lately.forget()
                    raise

    async def _page(self) -> int:
        """Fold the next page for those who have read furthest and have more; gives how many rows, times consumers.

        So one that is being rebuilt keeps nobody waiting.
        """
        # As the page before has left them. Should somebody else have moved them, the fold is refused.
        left, self._seen = self._seen, {}
        cursors = left
        if not cursors:
            async with self._database.reading() as db:
                cursors = await read_cursors(db, (FILES, BOARD, NOTICES))
        rows: list[JournalRow] = []
        behind: dict[int, int] = {}
        for behind in sorted(cursors.values(), key=lambda cursor: -sum(cursor.values())):
            rows = await self._database.store.journal_after(behind, _PAGE)
            if rows:
                break
        if not rows:
            # Somebody else may have set them back.
            return await self._page() if left else 0
        consumers = [consumer for consumer, cursor in cursors.items() if cursor == behind]
        recorded = await self._recorded(rows)
        heads = {row.shard: row.seq for row in rows}
        try:
            await self._fold(consumers, recorded, behind, heads)
        except NoriaError:
            raise
        except Exception:
            if len(consumers) == 1:
                raise
            await self._fold_apart(consumers, recorded, behind, heads)
        self._seen = {name: cursor | heads if name in consumers else cursor for name, cursor in cursors.items()}
        self._untold = True
        self._more = len(rows) == _PAGE or len(consumers) < len(cursors)
        return len(rows) * len(consumers)

    async def _fold_apart(
        self,
        consumers: Sequence[str],
        recorded: Sequence[Recorded],
        behind: Mapping[int, int],
        heads: Mapping[int, int],
    ) -> None:
        """Fold a page for each consumer by itself: a defect in one of them must not keep the others from going on."""
        defect: Exception | None = None
        for consumer in consumers:
            try:
                await self._fold([consumer], recorded, behind, heads)
            except NoriaError:
                raise
            except Exception as error:  # noqa: BLE001 - raised as soon as the others have gone on
                defect = error
        if defect is not None:
            raise defect

    async def _fold(
        self,
        consumers: Sequence[str],
        recorded: Sequence[Recorded],
        behind: Mapping[int, int],
        heads: Mapping[int, int],
    ) -> None:
        """Fold a page for some consumers; what that gives is written, and their cursors moved, in one transaction."""
        fold = {FILES: self._files, BOARD: self._board, NOTICES: self._notices}
        # Others cannot write to SQLite meanwhile: nothing is read or reckoned there that can be before.
        async with self._database.reading(snapshot=True) as db:
            await stand(db, consumers, behind, heads)
            writes = [write for consumer in consumers for write in await fold[consumer](db, recorded)]
        async with self._database.writing() as db:
            await move(db, consumers, behind, heads)
            await paging.put(db, writes)

    async def _recorded(self, rows: list[JournalRow]) -> list[Recorded]:
        newest = {row.iid: row.ver for row in rows}
        # What an instance runs on now may have come by a change among these rows, or by one that lies behind them.
        moved = {row.iid for row in rows if row.action in REDEFINING}
        owners: dict[int, tuple[int, int]] = {}
        for iid, version in newest.items():
            held = self._indexer.remembered(iid, version)
            if held is not None:
                owners[iid] = held.row.tenant, held.row.definition
            if held is None or held.state.version > version:
                moved.add(iid)
        moves: list[tuple[int, int, tuple[AnyEvent, ...]]] = []
        if moved:
            async with self._database.reading() as db:
                owners |= await paging.owners(db, newest.keys() - owners.keys())
                # Read after the instances.
                moves = [(iid, ver, decode_events(ev)) for iid, ver, ev in await paging.redefinitions(db, moved)]
        found = []
        for row in rows:
            tenant, definition = owners[row.iid]
            # What an entry's indexes mean is told by the first change of version behind it.
            for iid, ver, events in moves:
                if iid == row.iid and ver > row.ver:
                    definition = definition_before(events)
                    break
            happened = decode_events(row.ev)
            kinds = {event.__class__ for event in happened}
            found.append(
                Recorded(row.shard, row.seq, row.iid, row.ver, row.ts, row.actor, tenant, definition, happened, kinds)
            )
        return found

    # Files

    @staticmethod
    async def _files(_db: AsyncConnection, rows: Sequence[Recorded]) -> list[paging.Write]:
        uses: list[tuple[object, ...]] = []
        for row in rows:
            if _NAMING.isdisjoint(row.kinds):
                continue
            for event in row.events:
                if isinstance(event, InstanceStarted):
                    named = files_in(event.variables)
                elif isinstance(event, VariablesSet):
                    named = files_in(event.values)
                else:
                    continue
                uses += [(row.tenant, hashed, "", row.iid) for hashed in sorted(named)]
        return [(_ADD_USES, uses)]

    # The board

    async def _board(self, db: AsyncConnection, rows: Sequence[Recorded]) -> list[paging.Write]:
        known = self._lately.take(rows)
        unknown = {row.iid for row in rows} - known.keys()
        known |= await paging.known(db, unknown)
        reviving = {row.iid for row in rows if not REVIVING.isdisjoint(row.kinds)}
        for iid, life in (await paging.lives(db, {iid for iid in reviving if known[iid].life is None})).items():
            known[iid].life = life
        tenant = rows[0].tenant
        fold = Fold(known, lambda key, version: self._calendar(tenant, key or DEFAULT, version))
        touched: dict[int, Definition] = {}
        for row in rows:
            if row.definition not in touched:
                touched[row.definition] = await self._definitions.get(row.definition)
            fold.add(row, touched[row.definition].graph)
        self._lately.keep(known)
        return [
            (_PUT_VISIT, list(map(astuple, fold.visits()))),
            (_PUT_LIFE, list(map(astuple, fold.lives.values()))),
            (_ADD_OCCURRENCES, list(map(astuple, fold.occurrences))),
            (_ADD_FLOWS, [(*key, count) for key, count in fold.flows.items()]),
        ]

    # Notices

    async def _notices(self, db: AsyncConnection, rows: Sequence[Recorded]) -> list[paging.Write]:
        made: dict[int, list[Notice]] = {}
        members: dict[int, Members] = {}
        told = {tenant: await self._told_of(db, tenant) for tenant in {row.tenant for row in rows}}
        rows = [row for row in rows if not told[row.tenant].isdisjoint(row.kinds)]
        known: dict[int, tuple[str, str, float | None]] = {}
        for row in rows:
            held = self._indexer.remembered(row.iid, row.ver)
            if held is not None:
                known[row.iid] = held.row.starter, held.row.title, held.row.amount
        known |= await paging.titles(db, {row.iid for row in rows} - known.keys())
        # Nobody holds what is completed: the end is told to the starter alone.
        held_in = {row.iid for row in rows if not (told[row.tenant] - _ENDED).isdisjoint(row.kinds)}
        holders = await paging.holders(db, held_in)
        for row in rows:
            if row.tenant not in members:
                members[row.tenant] = Members(await self._people.organisation(row.tenant))
            starter, title, amount = known[row.iid]
            graph = (await self._definitions.get(row.definition)).graph
            holding, opening = holders.get(row.iid, {}), told[row.tenant] is not TOLD_OF
            if InstanceWithdrawn in row.kinds:
                holding = await self._held_before(row)
            found = notices_of(row, starter, title, graph, members[row.tenant], holding, amount, opening=opening)
            made.setdefault(row.tenant, []).extend(found)
        told_to = [await self._tell(db, tenant, notices, members[tenant]) for tenant, notices in made.items()]
        return [write for writes in told_to for write in writes]

    async def _held_before(self, row: Recorded) -> dict[int, Holding]:
        """Who held the tasks that a row takes away: the lists of open ones do not know any more."""
        journal = await self._database.store.journal_of(row.iid)
        state = replay(decode_events(entry.ev) for entry in journal if entry.seq < row.seq)
        return {
            token: Holding(task.assignee, task.groups, task.name, task.users, task.excluded)
            for token, task in state.tasks.items()
        }

    @staticmethod
    async def _told_of(db: AsyncConnection, tenant: int) -> frozenset[type]:
        """Events to look at: without a channel or a choice of anybody's, new tasks would be nobody's notices."""
        return TOLD_OF | OPENING if await paging.tells(db, tenant) else TOLD_OF

    @staticmethod
    async def _tell(
        db: AsyncConnection, tenant: int, notices: Sequence[Notice], members: Members
    ) -> list[paging.Write]:
        preferences = await read_preferences(db, tenant, {notice.person for notice in notices})
        kept = [
            (*_NOTICE_COLUMNS(item), msgspec.json.encode(item.params).decode(), read_ms)
            for item, read_ms in in_app(notices, preferences)
        ]
        channels = await read_channels(db, tenant)
        pushed = any(channel.kind == "webpush" for channel in channels)
        devices = await people_with_devices(db, tenant, {notice.person for notice in notices}) if pushed else set()
        sent = deliveries_of(notices, channels, preferences, members, devices)
        return [(_ADD_NOTICES, kept), (_ADD_DELIVERIES, [tuple(delivery_row(item).values()) for item in sent])]


_PUT_VISIT = paging.upsert(t.visit, Visit.__struct_fields__, "excluded.{name}")
_PUT_LIFE = paging.upsert(t.life, Life.__struct_fields__, "excluded.{name}")
_ADD_FLOWS = paging.upsert(
    t.flow_count, [column.name for column in t.flow_count.columns], "{table}.{name} + excluded.{name}"
)
_ADD_OCCURRENCES = paging.insert(t.occurrence, Occurrence.__struct_fields__)
_ADD_USES = paging.insert_once(t.blob_use, ("tenant", "hash", "person", "iid"))
_ADD_DELIVERIES = paging.insert(t.delivery, Delivery.__struct_fields__)
_NOTICE = tuple(name for name in Notice.__struct_fields__ if name != "params")
_ADD_NOTICES = paging.insert(t.notice, [*_NOTICE, "params", "read"])
_NOTICE_COLUMNS = attrgetter(*_NOTICE)
_ENDED = {InstanceCompleted}
_NAMING = {InstanceStarted, VariablesSet}
