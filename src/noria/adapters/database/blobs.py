"""Uploaded files in the database, once each by the hash of their content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database


async def note_use(db: AsyncConnection, tenant: int, hashed: str, person: str, iid: int) -> None:
    """Note, once, who uploaded a content (person, 0) or which instance names it ("", instance)."""
    c = t.blob_use.c
    where = (c.tenant == tenant) & (c.hash == hashed) & (c.person == person) & (c.iid == iid)
    if not (await db.execute(sa.select(sa.literal(1)).where(where))).first():
        await db.execute(sa.insert(t.blob_use).values(tenant=tenant, hash=hashed, person=person, iid=iid))


class DatabaseBlobs:
    """`BlobStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, tenant: int, name: str, media_type: str, content: bytes, by: str, now_ms: int) -> str:
        """Store a file; gives its hash. The first name and type that came with a content stay."""
        hashed = sha256(content).hexdigest()
        values = {"name": name, "media_type": media_type, "size": len(content), "content": content}
        if not await self.exist(tenant, [hashed]):
            # Refused when somebody stored the same content at the same moment: then it is there.
            with contextlib.suppress(sa.exc.IntegrityError):
                async with self._database.writing() as db:
                    await db.execute(sa.insert(t.blob).values(tenant=tenant, hash=hashed, by=by, at=now_ms, **values))
        with contextlib.suppress(sa.exc.IntegrityError):
            async with self._database.writing() as db:
                await note_use(db, tenant, hashed, by, 0)
        return hashed

    async def get(self, tenant: int, hashed: str) -> tuple[str, str, bytes] | None:
        """Name, media type and content; None when there is none."""
        c = t.blob.c
        async with self._database.reading() as db:
            query = sa.select(c.name, c.media_type, c.content).where(c.tenant == tenant, c.hash == hashed)
            row = (await db.execute(query)).first()
        return (row[0], row[1], row[2]) if row else None

    async def exist(self, tenant: int, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes that are stored."""
        c = t.blob.c
        async with self._database.reading() as db:
            query = sa.select(c.hash).where(c.tenant == tenant, c.hash.in_(list(hashes)))
            return set((await db.execute(query)).scalars())

    async def uses(self, tenant: int, hashed: str) -> tuple[set[str], list[int]]:
        """Who uploaded the content, and the instances whose data have named it, the newest first."""
        c = t.blob_use.c
        query = sa.select(c.person, c.iid).where(c.tenant == tenant, c.hash == hashed).order_by(c.iid.desc())
        async with self._database.reading() as db:
            rows = (await db.execute(query)).all()
        return {person for person, iid in rows if not iid}, [iid for _, iid in rows if iid]
