"""Uploaded files in the database, once each by the hash of their content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from hashlib import sha256

import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database


class DatabaseBlobs:
    """`BlobStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, tenant: int, name: str, media_type: str, content: bytes, by: str, now_ms: int) -> str:
        """Store a file; gives its hash. The first name and type that came with a content stay."""
        hashed = sha256(content).hexdigest()
        if not await self.exist(tenant, [hashed]):
            values = {"name": name, "media_type": media_type, "size": len(content), "content": content}
            # Refused when somebody stored the same content at the same moment: then it is there.
            with contextlib.suppress(sa.exc.IntegrityError):
                async with self._database.writing() as db:
                    await db.execute(sa.insert(t.blob).values(tenant=tenant, hash=hashed, by=by, at=now_ms, **values))
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
