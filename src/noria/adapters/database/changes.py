"""What others have changed in the database: journal heads, the projector's cursors, newest definition, people."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.calendars import CALENDARS_STAMP
from noria.adapters.database.cursors import BOARD, NOTICES
from noria.adapters.database.observations import FACTS_STAMP
from noria.adapters.database.opening import Database
from noria.adapters.database.people import PEOPLE_STAMP, SESSIONS_STAMP
from noria.operate.following import Projected, Stamp, moved
from noria.operate.notices import Notice

_STAMPS = (PEOPLE_STAMP, SESSIONS_STAMP, CALENDARS_STAMP, FACTS_STAMP)
"""In the order of `Stamp`'s fields."""


class DatabaseChanges:
    """`Changes`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cursors: dict[str, dict[int, int]] = {}

    async def heads(self) -> dict[int, int]:
        """Shard → number of its last journal row."""
        async with self._database.reading() as db:
            rows = (await db.execute(sa.select(t.shard.c.shard, t.shard.c.seq))).all()
        return dict(map(tuple, rows))

    async def stamp(self) -> Stamp:
        """What tells that models or people have changed."""
        newest = sa.select(sa.func.coalesce(sa.func.max(t.definition.c.id), 0)).scalar_subquery()
        c = t.setting.c
        stamps = sa.select(c.name, c.tenant, c.value).where(c.name.in_(_STAMPS))
        async with self._database.reading() as db:
            definition = (await db.execute(sa.select(newest))).scalar_one()
            rows = sorted(tuple(row) for row in (await db.execute(stamps)).all())
        return Stamp(definition, *(str([row for row in rows if row[0] == name]) for name in _STAMPS))

    async def projected(self) -> Projected:
        """What the projector has written since the last call; nothing the first time."""
        async with self._database.reading() as db:
            c = t.cursor.c
            rows = (
                await db.execute(sa.select(c.consumer, c.shard, c.seq).where(c.consumer.in_((BOARD, NOTICES))))
            ).all()
            after: dict[str, dict[int, int]] = {BOARD: {}, NOTICES: {}}
            for consumer, shard, seq in rows:
                after[consumer][shard] = seq
            before = self._cursors or after
            found = Projected([], set())
            if ranges := moved(before[NOTICES], after[NOTICES]):
                found.notices = await _notices(db, ranges)
            if ranges := moved(before[BOARD], after[BOARD]):
                found.definitions = await _definitions(db, ranges)
        self._cursors = after
        return found


def _within(table: sa.Table, ranges: dict[int, tuple[int, int]]) -> sa.ColumnElement[bool]:
    c = table.c
    return sa.or_(*((c.shard == shard) & (c.seq > start) & (c.seq <= end) for shard, (start, end) in ranges.items()))


async def _notices(db: AsyncConnection, ranges: dict[int, tuple[int, int]]) -> list[Notice]:
    columns = [t.notice.c[name] for name in Notice.__struct_fields__]
    rows = (await db.execute(sa.select(*columns).where(_within(t.notice, ranges)))).mappings()
    return [Notice(**_read(row)) for row in rows]


def _read(row: Any) -> dict[str, Any]:
    return {**row, "params": msgspec.json.decode(row["params"])}


async def _definitions(db: AsyncConnection, ranges: dict[int, tuple[int, int]]) -> set[int]:
    same = (t.inst.c.shard == t.journal.c.shard) & (t.inst.c.iid == t.journal.c.iid)
    query = sa.select(t.inst.c.definition).distinct().join(t.journal, same).where(_within(t.journal, ranges))
    return set((await db.execute(query)).scalars())
