"""What a page of the journal needs of the database: a few statements for all its instances, each found by its key.

As text, like what a page writes: for one page SQLAlchemy's work with so many values costs more than reading them. The
ids are one value, a JSON text for SQLite and an array for PostgreSQL. Instances and tasks are asked for as pairs with
their shard, which their keys begin with: by the id alone both databases would look through all that there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database.arrays import given, unnest
from noria.adapters.database.statements import stored, together
from noria.monitor.visits import Known, Life, Visit
from noria.operate.indexing import Subject
from noria.operate.notices import Holding
from noria.operate.redefining import REDEFINING

INDEXED = Subject.__struct_fields__[: Subject.__struct_fields__.index("variables")]
"""The columns of an instance that the search index is made of, beside its state."""
_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]
_EACH = {"sqlite": "SELECT {} FROM json_each(?)", "postgresql": "SELECT {} FROM unnest($1::bigint[]) AS value"}
_BY_KEY = "(shard, iid) IN ({pairs})"
_BY_ID = "iid IN ({ids})"


def _statement(query: str) -> dict[str, str]:
    """A query by the kind of database."""
    return {
        kind: query.format(pairs=each.format("value >> 12 & 1023, value"), ids=each.format("value"))
        for kind, each in _EACH.items()
    }


_REDEFINED = ", ".join(f"'{action}'" for action in REDEFINING)
_OWNERS = _statement(f"SELECT iid, tenant, definition FROM inst WHERE {_BY_KEY}")  # noqa: S608 - our own names, here and below
_MOVES = _statement(f"SELECT iid, ver, ev FROM journal WHERE {_BY_ID} AND action IN ({_REDEFINED}) ORDER BY ver")  # noqa: S608
_TITLES = _statement(f"SELECT iid, starter, title, amount FROM inst WHERE {_BY_KEY}")  # noqa: S608
_TASKS = _statement(f"SELECT iid, tok, assignee, name FROM task WHERE {_BY_KEY}")  # noqa: S608
_CANDIDATES = _statement(f"SELECT iid, tok, kind, name FROM candidate WHERE {_BY_KEY}")  # noqa: S608
_VISITS = _statement(f"SELECT {', '.join(Visit.__struct_fields__)} FROM visit WHERE {_BY_ID} AND closed = 0")  # noqa: S608
_LIVES = _statement(f"SELECT {', '.join(Life.__struct_fields__)} FROM life WHERE {_BY_ID}")  # noqa: S608
_TO_INDEX = _statement(stored(("iid", "state", *INDEXED), "(i.shard, i.iid) IN ({pairs})"))
_VISITORS = _statement(f"SELECT iid, actor, proxy, name FROM visit WHERE {_BY_ID} AND (actor <> '' OR name <> '')")  # noqa: S608


class Statement(NamedTuple):
    """What writes rows.

    Attributes:
        sqlite: for one row.
        postgresql: for all rows together, an array for each column; one by one they cost the server twice as much.
        kinds: name of each column's type in PostgreSQL.
    """

    sqlite: str
    postgresql: str
    kinds: tuple[str, ...]


Write = tuple[Statement, list[tuple[Any, ...]]]
"""A statement, and the rows that it writes."""

QUERIES = (_OWNERS, _MOVES, _TITLES, _TASKS, _CANDIDATES, _VISITS, _LIVES, _TO_INDEX, _VISITORS)


async def _rows(db: AsyncConnection, statement: dict[str, str], iids: Collection[int]) -> Sequence[Any]:
    if not iids:
        return ()
    ids = sorted(iids)
    given = msgspec.json.encode(ids).decode() if db.dialect.name == "sqlite" else ids
    return (await db.exec_driver_sql(statement[db.dialect.name], (given,))).all()


async def owners(db: AsyncConnection, iids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Instance → (tenant, definition that it runs on now)."""
    return {iid: (tenant, definition) for iid, tenant, definition in await _rows(db, _OWNERS, iids)}


async def redefinitions(db: AsyncConnection, iids: Collection[int]) -> Sequence[tuple[int, int, bytes]]:
    """(instance, version, events) of the commands by which instances went on by another definition, oldest first."""
    return await _rows(db, _MOVES, iids)


async def known(db: AsyncConnection, iids: Collection[int]) -> dict[int, Known]:
    """What a fold must know of some instances, but for their lives, and for who did what is over."""
    found = {iid: Known(people=None) for iid in iids}
    for row in await _rows(db, _VISITS, iids):
        found[row[0]].visits[row[1]] = Visit(*row)
    return found


async def lives(db: AsyncConnection, iids: Collection[int]) -> dict[int, Life]:
    """The lives of some instances."""
    return {row[0]: Life(*row) for row in await _rows(db, _LIVES, iids)}


_TELLS = {
    kind: f"SELECT EXISTS (SELECT 1 FROM channel WHERE tenant = {place})"  # noqa: S608
    f" OR EXISTS (SELECT 1 FROM preference WHERE tenant = {place})"
    for kind, place in (("sqlite", "?1"), ("postgresql", "$1"))
}


async def tells(db: AsyncConnection, tenant: int) -> bool:
    """Whether a tenant has a channel, or anybody of it a preference."""
    return bool((await db.exec_driver_sql(_TELLS[db.dialect.name], (tenant,))).scalar_one())


async def titles(db: AsyncConnection, iids: Collection[int]) -> dict[int, tuple[str, str, float | None]]:
    """Instance → (starter, line, amount)."""
    return {iid: (starter, title, amount) for iid, starter, title, amount in await _rows(db, _TITLES, iids)}


async def holders(db: AsyncConnection, iids: Collection[int]) -> dict[int, dict[int, Holding]]:
    """Who holds the open tasks of some instances now: instance → token → holding."""
    named: dict[tuple[int, int, str], list[str]] = {}
    for iid, tok, kind, name in await _rows(db, _CANDIDATES, iids):
        named.setdefault((iid, tok, kind), []).append(name)
    found: dict[int, dict[int, Holding]] = {}
    for iid, tok, assignee, name in await _rows(db, _TASKS, iids):
        groups, users, excluded = (tuple(named.get((iid, tok, kind), ())) for kind in "gux")
        found.setdefault(iid, {})[tok] = Holding(assignee, groups, name, users, excluded)
    return found


async def to_index(db: AsyncConnection, iids: Collection[int]) -> list[tuple[Sequence[Any], list[tuple[int, bytes]]]]:
    """Of some instances the columns id, state and `INDEXED`, and version and events of each command that came later."""
    return list(together(await _rows(db, _TO_INDEX, iids)))


async def visitors(db: AsyncConnection, iids: Collection[int]) -> Sequence[tuple[int, str, str, str]]:
    """(instance, who did something there, who did it for them, name of the task) of some instances."""
    return await _rows(db, _VISITORS, iids)


def insert(table: sa.Table, names: Sequence[str]) -> Statement:
    """Insert rows with these columns, which must be all of the table's."""
    assert {*names} == {column.name for column in table.columns}, table.name  # noqa: S101 - when the module is loaded
    kinds = tuple(table.columns[name].type.compile(_POSTGRES) for name in names)
    begun = f"INSERT INTO {table.name} ({', '.join(names)})"
    marks = ", ".join("?" * len(names))
    rows = f"SELECT * FROM {unnest(kinds)}"  # noqa: S608
    return Statement(f"{begun} VALUES ({marks})", f"{begun} {rows}", kinds)


def insert_once(table: sa.Table, names: Sequence[str]) -> Statement:
    """Insert rows; those that are there already stay."""
    return _followed_by(insert(table, names), "ON CONFLICT DO NOTHING")


def upsert(table: sa.Table, names: Sequence[str], change: str) -> Statement:
    """Insert rows; those that are there already are changed, each column that is no key as `change` says."""
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = {change.format(table=table.name, name=name)}" for name in names if name not in keys)
    return _followed_by(insert(table, names), f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}")


def _followed_by(statement: Statement, rest: str) -> Statement:
    return Statement(f"{statement.sqlite} {rest}", f"{statement.postgresql} {rest}", statement.kinds)


async def put(db: AsyncConnection, writes: Iterable[Write]) -> None:
    """Write rows, where there are any."""
    for statement, rows in writes:
        if not rows:
            continue
        if db.dialect.name == "sqlite":
            await db.exec_driver_sql(statement.sqlite, rows)
        else:
            columns = zip(*rows, strict=True)
            await db.exec_driver_sql(statement.postgresql, tuple(given(columns, statement.kinds)))
