"""Access tokens in the database."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.trust.tokens import AccessToken


class DatabaseTokens:
    """`TokenStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tokens(self, tenant: int) -> list[AccessToken]:
        """All of a tenant, the newest first."""
        c = t.access_token.c
        query = sa.select(t.access_token).where(c.tenant == tenant).order_by(c.created.desc(), c.id)
        async with self._database.reading() as db:
            return [AccessToken(**row) for row in (await db.execute(query)).mappings()]

    async def token(self, hashed: str) -> AccessToken | None:
        """By the hash of its secret."""
        query = sa.select(t.access_token).where(t.access_token.c.hash == hashed)
        async with self._database.reading() as db:
            row = (await db.execute(query)).mappings().first()
        return AccessToken(**row) if row is not None else None

    async def put(self, token: AccessToken) -> None:
        """Keep a new one."""
        async with self._database.writing() as db:
            await db.execute(sa.insert(t.access_token).values(msgspec.structs.asdict(token)))

    async def touch(self, token: AccessToken, now_ms: int) -> None:
        """Note that it was used."""
        async with self._database.writing() as db:
            await db.execute(sa.update(t.access_token).where(t.access_token.c.hash == token.hash).values(used=now_ms))

    async def drop(self, token: AccessToken) -> None:
        """Forget one."""
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.access_token).where(t.access_token.c.hash == token.hash))
