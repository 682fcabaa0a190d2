"""The search index: terms of instances, kept by SQLite's FTS5 or in a GIN index of PostgreSQL's text search.

Neither sees a text: the terms are cut in Python (`noria.operate.terms`), so that both find the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import paging
from noria.adapters.database import schema as t
from noria.adapters.database.arrays import given, unnest
from noria.engine.definition import Definition
from noria.engine.events import decode_events
from noria.engine.evolve import replay
from noria.engine.state import State, Status, decode_state
from noria.kernel.instants import DAY_MS
from noria.monitor.visits import Known
from noria.operate.changes import Held
from noria.operate.ids import drawn_ms
from noria.operate.indexing import Subject, day_term, person_term, tenant_term, terms_of
from noria.operate.reading import InstanceBox, TaskBox
from noria.operate.runtime import Definitions
from noria.operate.terms import Clause, Term
from noria.trust.policy import Permission, Principal

_UNITS_EACH = 4
"""So many units are looked for by their terms; of more PostgreSQL would compare each list with all that it finds."""
_DAYS = (3, 9)
"""PostgreSQL puts all that it finds in order before it gives the newest: who sees all is shown those of these first."""
_READ = "SELECT rowid, terms FROM search WHERE rowid IN (SELECT value FROM json_each(?))"
_DOCUMENT = ("int8", "text", "text")
"""Types of an instance's id, unit and terms."""
_PUT = {
    "sqlite": "INSERT OR REPLACE INTO search (rowid, terms) VALUES (?, ?)",
    "postgresql": (
        # Our own names.
        "INSERT INTO search (iid, unit, terms) SELECT iid, unit, array_to_tsvector(string_to_array(terms, ' ')) "  # noqa: S608
        f"FROM {unnest(_DOCUMENT)} AS x (iid, unit, terms) "
        "ON CONFLICT (iid) DO UPDATE SET terms = excluded.terms WHERE search.terms <> excluded.terms"
    ),
}
_NEWEST = {
    "sqlite": "SELECT rowid FROM search WHERE search MATCH :question ORDER BY rowid DESC LIMIT :limit",
    "postgresql": (
        "WITH found AS MATERIALIZED (SELECT iid FROM search WHERE terms @@ CAST(:question AS tsquery){of_units}) "
        "SELECT iid FROM found ORDER BY iid DESC LIMIT :limit"
    ),
}
_Visited = dict[int, tuple[AbstractSet[str], AbstractSet[str]]]
"""Instance → who did something in it, and the names of what was done."""
_NOT_VISITED: tuple[AbstractSet[str], AbstractSet[str]] = (frozenset(), frozenset())
_COLUMNS = attrgetter(*paging.INDEXED)


# Writing


Documents = dict[int, tuple[str, frozenset[str]]]
"""Instance → its unit and its terms."""


async def documents_of(
    db: AsyncConnection,
    definitions: Definitions,
    iids: Sequence[int],
    remembered: Iterable[Held] = (),
    known: Mapping[int, Known] = MappingProxyType({}),
) -> Documents:
    """The terms of some instances, as they are now.

    Args:
        db: where the visits have been written of all that is indexed.
        definitions: whose forms say what is found.
        iids: which.
        remembered: those of them that memory has as they are now; the others are read.
        known: what is remembered of their visits, as they are now; those of the others are read.
    """
    found: dict[int, tuple[Sequence[Any], State]]
    found = {held.row.iid: (_COLUMNS(held.row), held.state) for held in remembered}
    for (iid, encoded, *read), later in await paging.to_index(db, [iid for iid in iids if iid not in found]):
        found[iid] = read, replay((decode_events(events) for _, events in later), decode_state(encoded))
    visited: _Visited = {iid: (one.people, one.names) for iid, one in known.items() if one.people is not None}
    visited |= await _visited(db, [iid for iid in iids if iid not in visited])
    documents: Documents = {}
    touched: dict[int, Definition] = {}
    for iid, (columns, state) in found.items():
        subject = subject_of(columns, state, *visited.get(iid, _NOT_VISITED))
        if subject.definition not in touched:
            touched[subject.definition] = await definitions.get(subject.definition)
        documents[iid] = subject.unit, terms_of(subject, touched[subject.definition])
    return documents


def subject_of(columns: Sequence[Any], state: State, actors: Iterable[str] = (), names: Iterable[str] = ()) -> Subject:
    """An instance as it is indexed.

    Args:
        columns: `paging.INDEXED` of its row.
        state: as of then.
        actors: who has ever done something in it.
        names: of what was done in it.
    """
    subject = Subject(*columns)
    if 0 in state.scopes:
        subject.variables = state.scopes[0].variables
    holders: set[str] = set()
    users: set[str] = set()
    groups: set[str] = set()
    called = {*names}
    if state.status is Status.OPEN:
        for task in state.tasks.values():
            if task.assignee:
                holders.add(task.assignee)
            else:
                users.update(task.users)
                groups.update(task.groups)
            if task.name:
                called.add(task.name)
        if state.consultations:
            holders.update(asked.person for asked in state.consultations.values())
    did = {*state.actors.values(), *actors}
    did.discard("")
    subject.holders, subject.users, subject.groups = holders, users, groups
    subject.actors, subject.copied, subject.names = did, {*state.copied}, called
    return subject


async def _visited(db: AsyncConnection, iids: Sequence[int]) -> _Visited:
    found: _Visited = {}
    for iid, *people, name in await paging.visitors(db, iids):
        actors, names = found.get(iid, _NOT_VISITED)
        found[iid] = actors | {*filter(None, people)}, names | {*filter(None, (name,))}
    return found


async def put(db: AsyncConnection, documents: Documents, alike: Collection[int] = ()) -> None:
    """Keep unit and terms of instances.

    Args:
        db: in a transaction.
        documents: what is to be kept.
        alike: those of the instances of which it is likely that this is there already: SQLite is asked before. To
            PostgreSQL it makes no difference, which compares all.
    """
    if not documents:
        return
    texts = {iid: " ".join(sorted(terms)) for iid, (_, terms) in documents.items()}
    if db.dialect.name == "postgresql":
        units = [unit for unit, _ in documents.values()]
        columns = (list(texts), units, list(texts.values()))
        await db.exec_driver_sql(_PUT["postgresql"], tuple(given(columns, _DOCUMENT)))
        return
    there: dict[int, str] = {}
    if alike:
        there = dict(map(tuple, await db.exec_driver_sql(_READ, (msgspec.json.encode(alike).decode(),))))
    if rows := [item for item in texts.items() if there.get(item[0]) != item[1]]:
        await db.exec_driver_sql(_PUT["sqlite"], rows)


async def forget(db: AsyncConnection) -> None:
    """Empty the index."""
    await db.exec_driver_sql("DELETE FROM search")


# Asking


def question(clauses: Iterable[Clause], dialect: str) -> str | None:
    """Clauses in the language of a database; None where one of them finds nothing."""
    parts = []
    for clause in clauses:
        if not clause:
            return None
        write, either = (_for_postgres, " | ") if dialect == "postgresql" else (_for_sqlite, " OR ")
        parts.append(f"({either.join(map(write, clause))})")
    return (" & " if dialect == "postgresql" else " AND ").join(parts)


def _for_sqlite(term: Term) -> str:
    quoted = term.text.replace('"', '""')
    return f'"{quoted}"{"*" if term.begins else ""}'


def _for_postgres(term: Term) -> str:
    quoted = term.text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' if term.begins else ''}"


async def newest(
    db: AsyncConnection, tenant: int, clauses: Sequence[Clause], limit: int, now_ms: int, units: Sequence[str] = ()
) -> list[int]:
    """Ids of the newest instances that fit, the newest first.

    Args:
        db: where the index is.
        tenant: whose.
        clauses: all of them must hold.
        limit: how many.
        now_ms: the instant of the question.
        units: on PostgreSQL, those of which the starter's must be one; none for any.
    """
    dialect = db.dialect.name
    asked = question(clauses, dialect)
    if asked is None:
        return []
    statement = sa.text(_NEWEST[dialect].format(of_units=" AND unit = ANY(:units)" if units else ""))
    given: dict[str, Any] = {"limit": limit, **({"units": list(units)} if units else {})}
    if dialect == "sqlite":
        return list((await db.execute(statement, {"question": asked, **given})).scalars())
    everything = (Term(tenant_term(tenant)),)
    for days in _DAYS if everything in clauses else ():
        within = f"{asked} & {question([_lately(days, now_ms)], dialect)}"
        found = list((await db.execute(statement, {"question": within, **given})).scalars())
        if len(found) == limit:
            return found
    return list((await db.execute(statement, {"question": asked, **given})).scalars())


def _lately(days: int, now_ms: int) -> Clause:
    """What instances of the last days have; of tomorrow, too, for the clocks of several processes differ."""
    return tuple(Term(day_term(now_ms - back * DAY_MS)) for back in range(-1, days))


async def newest_seen(
    db: AsyncConnection, who: Principal, box: InstanceBox, clauses: Sequence[Clause], limit: int, now_ms: int
) -> list[int]:
    """Ids of the newest instances of a box that fit, but for those that are shown to a substitute."""
    mine = seen_in(who, box)
    units = {Term(person_term("u", who.tenant, unit)) for unit in who.units}
    if db.dialect.name != "postgresql" or len(units) <= _UNITS_EACH or units.isdisjoint(mine):
        return await newest(db, who.tenant, [mine, *clauses], limit, now_ms)
    all_of_tenant = (Term(tenant_term(who.tenant)),)
    found = await newest(db, who.tenant, [all_of_tenant, *clauses], limit, now_ms, who.units)
    own = [tuple(term for term in mine if term not in units), *clauses]
    if not own[0]:
        return found
    since = []
    if len(found) == limit and (days := max(0, now_ms - drawn_ms(found[-1])) // DAY_MS + 3) <= _DAYS[-1]:
        # Where those of the units are as many as are wanted, no older ones are.
        since = [_lately(days, now_ms)]
    return sorted({*found, *await newest(db, who.tenant, [*own, *since], limit, now_ms)}, reverse=True)[:limit]


def among(column: sa.ColumnElement[Any], clauses: Sequence[Clause], dialect: str) -> sa.ColumnElement[bool]:
    """Whether a column with the id of an instance is one that fits."""
    asked = question(clauses, dialect)
    if asked is None:
        return sa.false()
    if dialect == "postgresql":
        found = sa.text("SELECT iid FROM search WHERE terms @@ CAST(:question AS tsquery)")
    else:
        found = sa.text("SELECT rowid AS iid FROM search WHERE search MATCH :question")
    ids = found.bindparams(question=asked).columns(sa.column("iid", t.Int)).cte("found")
    # By itself, and once: PostgreSQL would rather take the terms of each row apart.
    return column.in_(sa.select(ids.prefix_with("MATERIALIZED", dialect="postgresql").c.iid))


# Who finds what


def _parts(who: Principal, kinds: str, person: str) -> list[Term]:
    return [Term(person_term(kind, who.tenant, person)) for kind in kinds]


def _groups(who: Principal, groups: Iterable[str]) -> list[Term]:
    return [Term(person_term("g", who.tenant, group)) for group in groups]


def seen_in(who: Principal, box: InstanceBox) -> Clause:
    """What instances of a box have, but for what their reader has to do with them as a substitute."""
    units = [Term(person_term("u", who.tenant, unit)) for unit in who.units]
    if box is InstanceBox.STARTED:
        return tuple(_parts(who, "s", who.id))
    if box is InstanceBox.COPIED:
        return tuple(_parts(who, "c", who.id))
    if box is InstanceBox.UNIT:
        return tuple(units)
    if Permission.READ_ALL in who.permissions:
        return (Term(tenant_term(who.tenant)),)
    return (*_parts(who, "sachk", who.id), *_groups(who, who.groups), *units)


def held_in(who: Principal, box: TaskBox | None) -> Clause:
    """What instances of a box of tasks have, and perhaps others: the policy is asked of each."""
    if box is TaskBox.DONE:
        return tuple(_parts(who, "a", who.id))
    others = who.limited if box is TaskBox.QUEUE else who.stands_for
    people = [(stands.principal, stands.groups) for stands in others]
    if box not in (TaskBox.QUEUE, None):
        people.append((who.id, who.groups))
    kinds = {TaskBox.MINE: "h", TaskBox.GROUP: "k"}.get(box, "hk") if box is not None else "hk"
    terms = [term for person, _ in people for term in _parts(who, kinds, person)]
    if box is not TaskBox.MINE:
        terms += [term for _, groups in people for term in _groups(who, groups)]
    return tuple(terms)
