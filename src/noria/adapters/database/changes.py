"""What others have changed in the database: journal heads, the projector's cursors, newest definition, people."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database.calendars import CALENDARS_STAMP
from noria.adapters.database.cursors import BOARD, NOTICES, cursors
from noria.adapters.database.observations import FACTS_STAMP
from noria.adapters.database.opening import Database
from noria.adapters.database.people import PEOPLE_STAMP, SESSIONS_STAMP
from noria.operate.following import Noticed, Projected, Stamp, moved

_STAMPS = (PEOPLE_STAMP, SESSIONS_STAMP, CALENDARS_STAMP, FACTS_STAMP)
"""In the order of `Stamp`'s fields."""
_HEADS = "SELECT shard, seq FROM shard"
_NEWEST = "SELECT coalesce(max(id), 0) FROM definition"
_SETTINGS = f"SELECT name, tenant, value FROM setting WHERE name IN ({', '.join(map(repr, _STAMPS))})"  # noqa: S608 - our own names, here and below
_RANGES = {
    # CROSS JOIN, for by that SQLite keeps to the order in which the tables are named.
    "sqlite": (
        "json_each(?) x CROSS JOIN {table} r ON r.shard = json_extract(x.value, '$[0]')"
        " AND r.seq > json_extract(x.value, '$[1]') AND r.seq <= json_extract(x.value, '$[2]')"
    ),
    "postgresql": (
        "json_array_elements($1::json) x JOIN {table} r ON r.shard = (x.value ->> 0)::bigint"
        " AND r.seq > (x.value ->> 1)::bigint AND r.seq <= (x.value ->> 2)::bigint"
    ),
}
"""Rows of a table that lie in some ranges, each a shard and the numbers that it begins behind and ends with."""
_NOTICED = {
    kind: (
        f"SELECT r.tenant, r.person, max(r.at) FROM {ranges.format(table='notice')}"  # noqa: S608
        " GROUP BY r.tenant, r.person"
    )
    for kind, ranges in _RANGES.items()
}
_DEFINITIONS = {
    kind: (
        f"SELECT DISTINCT i.definition FROM {ranges.format(table='journal')}"  # noqa: S608
        " JOIN inst i ON i.shard = r.shard AND i.iid = r.iid"
    )
    for kind, ranges in _RANGES.items()
}
QUERIES = (_NOTICED, _DEFINITIONS)


class DatabaseChanges:
    """`Changes`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cursors: dict[str, dict[int, int]] = {}

    async def heads(self) -> dict[int, int]:
        """Shard → number of its last journal row."""
        async with self._database.reading() as db:
            rows = (await db.exec_driver_sql(_HEADS)).all()
        return dict(map(tuple, rows))

    async def stamp(self) -> Stamp:
        """What tells that models or people have changed."""
        async with self._database.reading() as db:
            definition = (await db.exec_driver_sql(_NEWEST)).scalar_one()
            rows = sorted(tuple(row) for row in (await db.exec_driver_sql(_SETTINGS)).all())
        return Stamp(definition, *(str([row for row in rows if row[0] == name]) for name in _STAMPS))

    async def projected(self) -> Projected:
        """What the projector has written since the last call; nothing the first time."""
        async with self._database.reading() as db:
            after = await cursors(db, (BOARD, NOTICES))
            before = self._cursors or after
            found = Projected([], set())
            if ranges := moved(before[NOTICES], after[NOTICES]):
                found.noticed = await _noticed(db, ranges)
            if ranges := moved(before[BOARD], after[BOARD]):
                found.definitions = await _definitions(db, ranges)
        self._cursors = after
        return found


async def _within(db: AsyncConnection, statement: dict[str, str], ranges: dict[int, tuple[int, int]]) -> Any:
    given = msgspec.json.encode([(shard, *ends) for shard, ends in ranges.items()]).decode()
    return await db.exec_driver_sql(statement[db.dialect.name], (given,))


async def _noticed(db: AsyncConnection, ranges: dict[int, tuple[int, int]]) -> list[Noticed]:
    return [Noticed(*row) for row in await _within(db, _NOTICED, ranges)]


async def _definitions(db: AsyncConnection, ranges: dict[int, tuple[int, int]]) -> set[int]:
    return set((await _within(db, _DEFINITIONS, ranges)).scalars())
