"""Saved filters in the database."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.operate.saved_filters import FilterRow


class DatabaseFilters:
    """`FilterStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def filters(self, tenant: int, person: str) -> list[FilterRow]:
        """All of a person's."""
        c = t.saved_filter.c
        columns = [c[name] for name in FilterRow.__struct_fields__]
        query = sa.select(*columns).where(c.tenant == tenant, c.person == person)
        async with self._database.reading() as db:
            return [FilterRow(**row) for row in (await db.execute(query)).mappings()]

    async def put_filter(self, row: FilterRow) -> bool:
        """Keep one, in place of the one with its id; False when another of that list has its name."""
        try:
            async with self._database.writing() as db:
                await db.execute(sa.delete(t.saved_filter).where(self._is(row.tenant, row.person, row.id)))
                await db.execute(sa.insert(t.saved_filter).values(**msgspec.structs.asdict(row)))
        except IntegrityError:
            return False
        return True

    async def drop_filter(self, tenant: int, person: str, key: str) -> bool:
        """Forget one; False when there is none."""
        async with self._database.writing() as db:
            gone = await db.execute(sa.delete(t.saved_filter).where(self._is(tenant, person, key)))
        return bool(gone.rowcount)

    @staticmethod
    def _is(tenant: int, person: str, key: str) -> sa.ColumnElement[bool]:
        c = t.saved_filter.c
        return sa.and_(c.tenant == tenant, c.person == person, c.id == key)
