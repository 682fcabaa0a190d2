"""Links that set a password, in the database."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.trust.password_links import PasswordLink


class DatabasePasswordLinks:
    """`PasswordLinkStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, link: PasswordLink) -> None:
        """Keep a new one; those that have expired are forgotten."""
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.password_link).where(t.password_link.c.expires <= link.created))
            await db.execute(sa.insert(t.password_link).values(msgspec.structs.asdict(link)))

    async def link(self, hashed: str) -> PasswordLink | None:
        """By the hash of its secret."""
        query = sa.select(t.password_link).where(t.password_link.c.hash == hashed)
        async with self._database.reading() as db:
            row = (await db.execute(query)).mappings().first()
        return PasswordLink(**row) if row is not None else None

    async def take(self, link: PasswordLink) -> bool:
        """Forget all of its person, as one step; whether this one was still there."""
        c = t.password_link.c
        async with self._database.writing() as db:
            taken = (await db.execute(sa.delete(t.password_link).where(c.hash == link.hash))).rowcount
            await db.execute(sa.delete(t.password_link).where(c.tenant == link.tenant, c.person == link.person))
        return bool(taken)
