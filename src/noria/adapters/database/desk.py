"""Drafts and phrases in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database


class DatabaseDesk:
    """`DeskStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, tenant: int, person: str, what: str) -> tuple[bytes, int] | None:
        """A draft as JSON and when it was kept."""
        c = t.draft.c
        query = sa.select(c.value, c.at).where(c.tenant == tenant, c.person == person, c.what == what)
        async with self._database.reading() as db:
            row = (await db.execute(query)).first()
        return (row[0], row[1]) if row is not None else None

    async def put_draft(self, tenant: int, person: str, what: str, value: bytes, now_ms: int, since_ms: int) -> None:
        """Keep a draft in place of the one before."""
        c = t.draft.c
        mine = (c.tenant == tenant) & (c.person == person)
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.draft).where(mine, (c.what == what) | (c.at < since_ms)))
            await db.execute(sa.insert(t.draft).values(tenant=tenant, person=person, what=what, value=value, at=now_ms))

    async def drop_draft(self, tenant: int, person: str, what: str) -> None:
        """Forget a draft."""
        c = t.draft.c
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.draft).where(c.tenant == tenant, c.person == person, c.what == what))

    async def phrases(self, tenant: int, person: str) -> list[str]:
        """A person's phrases, or everybody's."""
        c = t.phrases.c
        async with self._database.reading() as db:
            texts = (await db.execute(sa.select(c.texts).where(c.tenant == tenant, c.person == person))).scalar()
        return msgspec.json.decode(texts, type=list[str]) if texts is not None else []

    async def put_phrases(self, tenant: int, person: str, texts: Sequence[str]) -> None:
        """Keep phrases in place of those before."""
        c = t.phrases.c
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.phrases).where(c.tenant == tenant, c.person == person))
            kept = msgspec.json.encode(list(texts)).decode()
            await db.execute(sa.insert(t.phrases).values(tenant=tenant, person=person, texts=kept))
