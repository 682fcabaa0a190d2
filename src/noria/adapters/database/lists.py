"""The lists of the screens, under the permission policy: what a person may not see is not in the query's answer."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database import searching, seeking
from noria.adapters.database.conditions import excluded, may_reassign, may_work_on
from noria.adapters.database.cursors import BOARD, NOTICES, SEARCH
from noria.adapters.database.opening import Database
from noria.adapters.database.projection import Projector
from noria.engine.state import Status
from noria.operate.finding import SearchBehindError
from noria.operate.indexing import definition_term, status_term
from noria.operate.ports import Clock
from noria.operate.reading import (
    COUNTED_MAX,
    InstanceBox,
    InstanceFields,
    InstanceStatus,
    NoticeFields,
    ProcessCounts,
    Search,
    TaskBox,
    TaskFields,
    TaskSort,
)
from noria.operate.terms import Clause, Term
from noria.trust.policy import InstanceFacts, Permission, Principal, TaskFacts

_STATUS = {
    InstanceStatus.OPEN: Status.OPEN,
    InstanceStatus.COMPLETED: Status.COMPLETED,
    InstanceStatus.WITHDRAWN: Status.WITHDRAWN,
    InstanceStatus.TERMINATED: Status.TERMINATED,
    InstanceStatus.FAILED: Status.FAILED,
    InstanceStatus.REFUSED: Status.REFUSED,
    InstanceStatus.VOIDED: Status.VOIDED,
}
_NEVER_DUE = 2**62
_NUMBERED = sa.text("inst.bkey <> ''")
"""As the index of numbers says it: with a parameter it would not be used."""
_NUMBERED_MAX = 100
_LATELY = 2_000
"""So many tasks of a process tell how long they usually take."""
Where = sa.ColumnElement[bool]
F = TypeVar("F", TaskFields, InstanceFields, NoticeFields)


def _is_of(status: Status) -> Where:
    """Whether a row of `inst` is of a status, in the words of the indexes of the few: a parameter would not do."""
    number: sa.ColumnElement[int] = sa.literal_column(str(int(status)))
    is_it = t.inst.c.status == number
    if status in (Status.OPEN, Status.COMPLETED):
        return is_it
    return sa.and_(t.inst.c.status > sa.literal_column("1"), is_it)


_INST = [t.inst.c[name] for name in InstanceFields.__struct_fields__]
_JOINED = [t.inst.c[name] for name in ("bkey", "title", "summary", "starter", "amount")]
_OPEN_TASK = [
    t.task.c[name]
    for name in (
        "iid",
        "tok",
        "definition",
        "element",
        "assignee",
        "created",
        "due",
        "prio",
        "round",
        "version",
        "claimed",
        "name",
        "provisional",
        "opinion",
    )
]
_DONE_TASK = [
    t.visit.c.iid,
    t.visit.c.tok,
    t.visit.c.definition,
    t.visit.c.element,
    t.visit.c.actor.label("assignee"),
    t.visit.c.entered.label("created"),
    t.visit.c.due,
    sa.literal(50).label("prio"),
    t.visit.c.round,
    sa.literal(0).label("version"),
    t.visit.c.claimed,
    t.visit.c.name,
    t.visit.c.proxy,
]


def _clauses(definitions: Sequence[int] | None, status: InstanceStatus) -> list[Clause]:
    """What the index must have for a process and a status."""
    clauses: list[Clause] = []
    if definitions is not None:
        clauses.append(tuple(Term(definition_term(definition)) for definition in definitions))
    if status is not InstanceStatus.ALL:
        clauses.append((Term(status_term(_STATUS[status])),))
    return clauses


def _fields(kind: type[F], found: sa.CursorResult[Any]) -> list[F]:
    """Rows as what their columns are called; SQLAlchemy's own mappings cost several times as much."""
    names = tuple(found.keys())
    return [kind(**dict(zip(names, row, strict=True))) for row in found.all()]


class DatabaseLists:
    """`Lists`."""

    def __init__(self, database: Database, projector: Projector, clock: Clock) -> None:
        self._database = database
        self._projector = projector
        self._clock = clock

    async def _up_to_date(self, search: Search | None, *consumers: str, person: str) -> None:
        """Have what was committed before now in what is about to be asked.

        Raises:
            SearchBehindError: something is looked for, and the index is still being built.
        """
        for consumer in consumers:
            await self._projector.reach(consumer, person)
        if search is not None and (behind := await self._projector.reach(SEARCH)):
            message = f"The search index is being built; {behind} commands are not in it yet. Try again in a moment."
            raise SearchBehindError(message, details={"behind": behind})

    @staticmethod
    def _box(who: Principal, box: TaskBox) -> sa.Select[tuple[object, ...]]:
        if box is TaskBox.DONE:
            found = sa.union_all(*seeking.done_by(who)).subquery("seed")
            same = sa.and_(t.visit.c.iid == found.c.iid, t.visit.c.tok == found.c.tok)
            joined = found.join(t.visit, same).join(t.inst, seeking.on_instance(found))
            return sa.select(*_DONE_TASK, t.visit.c.closed, *_JOINED).select_from(joined)
        found = seeking.tasks_of(who, box)
        joined = found.join(t.task, seeking.on_task(found))
        joined = joined.join(t.inst, (t.inst.c.shard == t.task.c.shard) & (t.inst.c.iid == t.task.c.iid))
        query = sa.select(*_OPEN_TASK, sa.literal(0).label("closed"), *_JOINED).select_from(joined)
        return query.where(may_reassign(who) if box is TaskBox.QUEUE else may_work_on(who, box))

    @staticmethod
    def _count(who: Principal, box: TaskBox) -> sa.Select[int]:
        """How many tasks a box has; without a look at their instances where that is not needed."""
        k = t.task.c
        if box is TaskBox.DONE:
            found = sa.union_all(*seeking.done_by(who)).subquery()
        elif box is TaskBox.MINE and not who.stands_for:
            return sa.select(sa.func.count()).where(k.tenant == who.tenant, k.assignee == who.id)
        elif box is TaskBox.QUEUE and not who.limited:
            return sa.select(sa.literal(0))
        else:
            simple = box is TaskBox.GROUP and not who.stands_for
            keys = DatabaseLists._plainly(who, box) if simple else DatabaseLists._box(who, box)
            found = keys.with_only_columns(k.iid).subquery()
        return sa.select(sa.func.count()).select_from(found)

    async def tasks(
        self,
        who: Principal,
        box: TaskBox,
        *,
        definitions: Sequence[int] | None,
        search: Search | None,
        sort: TaskSort,
        limit: int,
        offset: int,
    ) -> tuple[list[TaskFields], int]:
        await self._up_to_date(search, *([BOARD] if box is TaskBox.DONE else []), person=who.id)
        if box is TaskBox.DONE and search is not None:
            return await self._done_found(who, definitions, search, limit, offset)
        source = t.visit if box is TaskBox.DONE else t.task
        plainly = box in (TaskBox.MINE, TaskBox.GROUP) and not who.stands_for
        query = self._plainly(who, box) if plainly else self._box(who, box)
        if definitions is not None:
            query = query.where(source.c.definition.in_(definitions))
        if search is not None:
            clauses = (searching.held_in(who, box), *search.clauses)
            query = query.where(searching.among(source.c.iid, clauses, self._database.engine.dialect.name))
        if box is TaskBox.DONE:
            order: list[sa.ColumnElement[Any]] = [t.visit.c.closed.desc()]
        else:
            due = sa.case((t.task.c.due == 0, _NEVER_DUE), else_=t.task.c.due)
            orders: dict[TaskSort, list[sa.ColumnElement[Any]]] = {
                TaskSort.DUE: [due, t.task.c.created],
                TaskSort.CREATED: [t.task.c.created.desc()],
                TaskSort.PRIORITY: [t.task.c.prio.desc(), due],
            }
            order = orders[sort]
        order += [source.c.iid, source.c.tok]
        if plainly:
            return await self._page(query, order, limit, offset)
        everything = definitions is None and search is None
        total = self._count(who, box) if everything else sa.select(sa.func.count()).select_from(query.subquery())
        query = query.order_by(*order).limit(limit).offset(offset)
        if box is TaskBox.DONE and everything:
            query = self._lately_done(who, limit, offset)
        async with self._database.reading(by_index=search is not None) as db:
            rows = _fields(TaskFields, await db.execute(query))
            count = (await db.execute(total)).scalar_one()
            await self._add_groups(db, rows)
        return rows, count

    @staticmethod
    def _plainly(who: Principal, box: TaskBox) -> sa.Select[tuple[object, ...]]:
        """Keys of the tasks of somebody who stands for nobody; no instance need be looked at."""
        k = t.task.c
        keys = sa.select(k.shard, k.iid, k.tok)
        if box is TaskBox.MINE:
            return keys.where(k.tenant == who.tenant, k.assignee == who.id)
        seed = seeking.tasks_of(who, box)
        offered = keys.select_from(seed.join(t.task, seeking.on_task(seed)))
        return offered.where(seeking.is_untaken(), sa.not_(excluded(who.tenant, who.id)))

    async def _page(
        self, keys: sa.Select[Any], order: list[sa.ColumnElement[Any]], limit: int, offset: int
    ) -> tuple[list[TaskFields], int]:
        """A page of open tasks, chosen and counted by what stands in their rows before anything is joined to them."""
        chosen = keys.add_columns(sa.func.count().over()).order_by(*order).limit(limit).offset(offset)
        async with self._database.reading(by_index=True) as db:
            found = (await db.execute(chosen)).all()
            behind_the_end = sa.select(sa.func.count()).select_from(keys.subquery())
            total = found[0][3] if found else (await db.execute(behind_the_end)).scalar_one()
            places = {(iid, tok) for _, iid, tok, _ in found}
            joined = t.task.join(t.inst, (t.inst.c.shard == t.task.c.shard) & (t.inst.c.iid == t.task.c.iid))
            query = sa.select(*_OPEN_TASK, sa.literal(0).label("closed"), *_JOINED).select_from(joined)
            query = query.where(seeking.is_among(t.task, {iid for iid, _ in places})).order_by(*order)
            tasks = _fields(TaskFields, await db.execute(query)) if places else []
            rows = [row for row in tasks if (row.iid, row.tok) in places]
            await self._add_groups(db, rows)
        return rows, int(total)

    @staticmethod
    def _lately_done(who: Principal, limit: int, offset: int) -> sa.Select[tuple[object, ...]]:
        """A page of what a person has done, taken from the index before anything is joined to it."""
        parts = [
            sa.select(part.order_by(sa.desc("closed")).limit(limit + offset).subquery())
            for part in seeking.done_by(who)
        ]
        both = sa.union_all(*parts).subquery()
        keys = (sa.desc(both.c.closed), both.c.iid, both.c.tok)
        found = sa.select(both).order_by(*keys).limit(limit).offset(offset).subquery("seed")
        same = sa.and_(t.visit.c.iid == found.c.iid, t.visit.c.tok == found.c.tok)
        joined = found.join(t.visit, same).join(t.inst, seeking.on_instance(found))
        query = sa.select(*_DONE_TASK, t.visit.c.closed, *_JOINED).select_from(joined)
        return query.order_by(t.visit.c.closed.desc(), t.visit.c.iid, t.visit.c.tok)

    async def _done_found(
        self, who: Principal, definitions: Sequence[int] | None, search: Search, limit: int, offset: int
    ) -> tuple[list[TaskFields], int]:
        """A page of what a person has done and looks for: the keys first, so that rows are read of those alone."""
        dialect = self._database.engine.dialect.name
        seed = sa.union_all(*seeking.done_by(who)).subquery("seed")
        fits = searching.among(seed.c.iid, (searching.held_in(who, TaskBox.DONE), *search.clauses), dialect)
        keys = sa.select(seed.c.iid, seed.c.tok, sa.func.count().over()).where(fits)
        if definitions is not None:
            keys = keys.where(seed.c.definition.in_(definitions))
        page = keys.order_by(seed.c.closed.desc(), seed.c.iid, seed.c.tok).limit(limit).offset(offset)
        v = t.visit.c
        async with self._database.reading(by_index=True) as db:
            chosen = (await db.execute(page)).all()
            behind_the_end = sa.select(sa.func.count()).select_from(keys.subquery())
            total = chosen[0][2] if chosen else (await db.execute(behind_the_end)).scalar_one()
            joined = t.visit.join(t.inst, seeking.on_instance(t.visit))
            places = {(row[0], row[1]) for row in chosen}
            # Not by pairs: for those SQLite uses no index.
            query = sa.select(*_DONE_TASK, v.closed, *_JOINED).select_from(joined)
            query = query.where(v.iid.in_({iid for iid, _ in places}), v.tok.in_({tok for _, tok in places}))
            query = query.order_by(v.closed.desc(), v.iid, v.tok)
            found = _fields(TaskFields, await db.execute(query)) if chosen else []
            rows = [row for row in found if (row.iid, row.tok) in places]
            await self._add_groups(db, rows)
        return rows, total

    @staticmethod
    async def _add_groups(db: AsyncConnection, rows: list[TaskFields]) -> None:
        if not rows:
            return
        c = t.candidate.c
        query = sa.select(c.iid, c.tok, c.kind, c.name).where(seeking.is_among(t.candidate, (row.iid for row in rows)))
        named: dict[tuple[int, int, str], list[str]] = {}
        for iid, tok, kind, name in (await db.execute(query)).all():
            named.setdefault((iid, tok, kind), []).append(name)
        for row in rows:
            row.groups, row.users, row.excluded = [named.get((row.iid, row.tok, kind), []) for kind in "gux"]

    async def open_tasks(self, iids: Sequence[int]) -> list[TaskFields]:
        if not iids:
            return []
        joined = t.task.join(t.inst, (t.inst.c.shard == t.task.c.shard) & (t.inst.c.iid == t.task.c.iid))
        query = (
            sa.select(*_OPEN_TASK, sa.literal(0).label("closed"), *_JOINED)
            .select_from(joined)
            .where(seeking.is_among(t.task, iids))
            .order_by(t.task.c.iid, t.task.c.tok)
        )
        async with self._database.reading() as db:
            rows = _fields(TaskFields, await db.execute(query))
            await self._add_groups(db, rows)
        return rows

    async def counts(self, who: Principal) -> tuple[int, int, int, int, int, int]:
        started = sa.select(sa.func.count()).where(t.inst.c.tenant == who.tenant, t.inst.c.starter == who.id)
        unread = sa.select(sa.func.count()).where(
            t.notice.c.tenant == who.tenant, t.notice.c.person == who.id, t.notice.c.read == 0
        )
        boxes = [self._count(who, box) for box in TaskBox]
        await self._up_to_date(None, BOARD, NOTICES, person=who.id)
        async with self._database.reading(by_index=True) as db:
            mine, group, done, queue, begun, notices = [
                int((await db.execute(query)).scalar_one()) for query in (*boxes, started, unread)
            ]
        return mine, group, done, begun, notices, queue

    async def instances(
        self,
        who: Principal,
        box: InstanceBox,
        *,
        definitions: Sequence[int] | None,
        status: InstanceStatus,
        search: Search | None,
        limit: int,
        offset: int,
    ) -> tuple[list[InstanceFields], int]:
        await self._up_to_date(search, *([NOTICES] if box is InstanceBox.COPIED else []), person=who.id)
        async with self._database.reading(by_index=True) as db:
            numbered = await self._numbered(db, who.tenant, search.number) if search is not None else []
            if search is not None and not numbered:
                found = await self._found(db, who, box, [*_clauses(definitions, status), *search.clauses])
                return await self._rows(db, found[offset : offset + limit]), min(len(found), COUNTED_MAX)
            c = t.inst.c
            where: list[Where] = []
            if definitions is not None:
                where.append(c.definition.in_(definitions))
            if status is not InstanceStatus.ALL:
                where.append(_is_of(_STATUS[status]))
            if numbered:
                where.append(seeking.is_one_of(t.inst, numbered))
            only_open = status is InstanceStatus.OPEN
            seed = self._seed(who, box, where, numbered, only_open=only_open, definitions=definitions)
            # An id begins with the instant at which its instance was started.
            whole = sa.func.count().over()
            page = sa.select(seed.c.iid, whole).order_by(seed.c.iid.desc()).limit(limit).offset(offset)
            chosen = (await db.execute(page)).all()
            behind_the_end = sa.select(sa.func.count()).select_from(seed)
            total = chosen[0][1] if chosen else (await db.execute(behind_the_end)).scalar_one()
            return await self._rows(db, [row[0] for row in chosen]), min(total, COUNTED_MAX)

    @staticmethod
    def _seed(
        who: Principal,
        box: InstanceBox,
        where: Sequence[Where],
        numbered: Sequence[int],
        *,
        only_open: bool,
        definitions: Sequence[int] | None,
    ) -> sa.Subquery:
        """Ids of the instances of a box."""
        c = t.inst.c
        own = sa.select(c.iid).where(c.tenant == who.tenant, *where)
        if box is InstanceBox.STARTED:
            mine = own.where(c.starter == who.id)
            return (mine if numbered else seeking.newest(mine)).subquery("seed")
        if box is InstanceBox.COPIED:
            return sa.select(seeking.fitting(seeking.copied_to(who), where).subquery().c.iid).distinct().subquery()
        if box is InstanceBox.UNIT:
            parts = [sa.select(part.subquery().c.iid) for part in seeking.of_units(who, own)]
            return sa.union(*(parts or [own.where(sa.false())])).subquery("seed")
        if Permission.READ_ALL in who.permissions:
            return (own if numbered else seeking.newest(own)).subquery("seed")
        has_task = may_work_on(who, None)
        return seeking.instances_seen_by(
            who, where, has_task, numbered or None, only_open=only_open, definitions=definitions
        )

    async def _found(
        self, db: AsyncConnection, who: Principal, box: InstanceBox, clauses: Sequence[Clause]
    ) -> list[int]:
        """Ids of the instances of a box that are found by the index, the newest first, as many as are counted."""
        now_ms = self._clock.now_ms()
        found = await searching.newest_seen(db, who, box, clauses, COUNTED_MAX + 1, now_ms)
        if box is not InstanceBox.ALL or not who.stands_for or Permission.READ_ALL in who.permissions:
            return found
        held = [searching.held_in(who, None), *clauses]
        perhaps = await searching.newest(db, who.tenant, held, COUNTED_MAX + 1, now_ms)
        joined = t.task.join(t.inst, (t.inst.c.shard == t.task.c.shard) & (t.inst.c.iid == t.task.c.iid))
        query = sa.select(t.task.c.iid).select_from(joined)
        query = query.where(seeking.is_among(t.task, perhaps), may_work_on(who, None))
        others = set((await db.execute(query)).scalars()) if perhaps else set()
        return sorted(others.union(found), reverse=True)[: COUNTED_MAX + 1]

    @staticmethod
    async def _rows(db: AsyncConnection, iids: Sequence[int]) -> list[InstanceFields]:
        """Instances by their ids, the newest first: joined to them in one statement, the rows might be read before."""
        if not iids:
            return []
        query = sa.select(*_INST).where(seeking.is_among(t.inst, iids)).order_by(t.inst.c.iid.desc())
        return _fields(InstanceFields, await db.execute(query))

    @staticmethod
    async def _numbered(db: AsyncConnection, tenant: int, q: str) -> list[int]:
        """Instances whose whole business key this is: who gives a whole number means just that one."""
        if not q:
            return []
        c = t.inst.c
        query = sa.select(c.iid).where(c.tenant == tenant, c.bkey == q.strip(), _NUMBERED).limit(_NUMBERED_MAX)
        return list((await db.execute(query)).scalars())

    async def instance_facts(self, iid: int) -> InstanceFacts | None:
        c, v = t.inst.c, t.visit.c
        async with self._database.reading() as db:
            columns = (c.tenant, c.starter, c.unit, c.definition, c.amount)
            row = (await db.execute(sa.select(*columns).where(seeking.is_instance(t.inst, iid)))).first()
            if row is None:
                return None
            did = (await db.execute(sa.select(v.actor, v.proxy).where(v.iid == iid, v.actor != "").distinct())).all()
            tasks = (
                await db.execute(sa.select(t.task.c.tok, t.task.c.assignee).where(seeking.is_instance(t.task, iid)))
            ).all()
            candidates = (
                await db.execute(
                    sa.select(t.candidate.c.tok, t.candidate.c.kind, t.candidate.c.name).where(
                        seeking.is_instance(t.candidate, iid)
                    )
                )
            ).all()
            known = frozenset(person for both in did for person in both if person)
        return InstanceFacts(
            row[0],
            row[1],
            row[2],
            tuple(
                TaskFacts(
                    assignee,
                    tuple(name for tok2, kind, name in candidates if tok2 == tok and kind == "g"),
                    tuple(name for tok2, kind, name in candidates if tok2 == tok and kind == "u"),
                    tuple(name for tok2, kind, name in candidates if tok2 == tok and kind == "x"),
                    row[1],
                    row[3],
                    row[4],
                    (iid, tok),
                )
                for tok, assignee in tasks
            ),
            known,
        )

    async def worked_at(self, iid: int, person: str) -> list[int]:
        v = t.visit.c
        query = sa.select(v.element).where(v.iid == iid, sa.or_(v.actor == person, v.proxy == person)).distinct()
        async with self._database.reading() as db:
            return list((await db.execute(query)).scalars())

    async def visited(self, tenant: int, places: Sequence[tuple[int, int]], since_ms: int, limit: int) -> list[int]:
        c = t.visit.c
        by_definition: dict[int, list[int]] = {}
        for definition, element in places:
            by_definition.setdefault(definition, []).append(element)
        if not by_definition:
            return []
        there = sa.or_(
            *(
                sa.and_(c.definition == definition, c.element.in_(elements))
                for definition, elements in by_definition.items()
            )
        )
        last = sa.func.max(c.closed)
        query = (
            sa.select(c.iid)
            .where(c.tenant == tenant, c.closed >= since_ms, there)
            .group_by(c.iid)
            .order_by(last.desc(), c.iid.desc())
            .limit(limit)
        )
        async with self._database.reading() as db:
            return list((await db.execute(query)).scalars())

    async def usual_ms(self, tenant: int, definition: int) -> dict[int, int]:
        v = t.visit.c
        query = (
            sa.select(v.element, v.handling)
            .where(v.tenant == tenant, v.definition == definition, v.human == 1, v.closed > 0, v.outcome == "completed")
            .order_by(v.closed.desc())
            .limit(_LATELY)
        )
        taken: dict[int, list[int]] = {}
        async with self._database.reading() as db:
            for element, handling in (await db.execute(query)).all():
                taken.setdefault(element, []).append(handling)
        return {element: round(median(times)) for element, times in taken.items()}

    async def process_counts(self, tenant: int, definitions: Sequence[int], now_ms: int) -> ProcessCounts:
        i, k = t.inst.c, t.task.c
        overdue = sa.func.sum(sa.case((sa.and_(k.due > 0, k.due < now_ms), 1), else_=0))
        async with self._database.reading() as db:
            opened = await db.execute(
                sa.select(sa.func.count(), sa.func.sum(i.incidents)).where(
                    i.tenant == tenant, i.definition.in_(definitions), i.status == int(Status.OPEN)
                )
            )
            instances, incidents = opened.one()
            tasks = await db.execute(
                sa.select(sa.func.count(), overdue).where(
                    k.tenant == tenant, k.definition.in_(definitions), k.opinion == 0
                )
            )
            open_tasks, late = tasks.one()
        return ProcessCounts(instances, open_tasks, int(late or 0), int(incidents or 0))

    async def open_per_definition(self, tenant: int) -> dict[int, int]:
        c = t.inst.c
        query = (
            sa.select(c.definition, sa.func.count())
            .where(c.tenant == tenant, c.status == int(Status.OPEN))
            .group_by(c.definition)
        )
        async with self._database.reading() as db:
            return {row[0]: row[1] for row in (await db.execute(query)).all()}

    async def notices(self, who: Principal, *, unread: bool, limit: int, offset: int) -> tuple[list[NoticeFields], int]:
        c = t.notice.c
        where: list[Where] = [c.tenant == who.tenant, c.person == who.id]
        if unread:
            where.append(c.read == 0)
        columns = [c[name] for name in NoticeFields.__struct_fields__]
        query = (
            sa.select(*columns)
            .where(*where)
            .order_by(c.at.desc(), c.shard, c.seq.desc(), c.n.desc())
            .limit(limit)
            .offset(offset)
        )
        async with self._database.reading() as db:
            rows = _fields(NoticeFields, await db.execute(query))
            total = (await db.execute(sa.select(sa.func.count()).where(*where))).scalar_one()
        return rows, total

    async def read_notices(self, who: Principal, notice: tuple[int, int, int] | None, now_ms: int) -> None:
        c = t.notice.c
        where: list[Where] = [c.tenant == who.tenant, c.person == who.id, c.read == 0]
        if notice is not None:
            where += [c.shard == notice[0], c.seq == notice[1], c.n == notice[2]]
        async with self._database.writing() as db:
            await db.execute(sa.update(t.notice).where(*where).values(read=now_ms))
