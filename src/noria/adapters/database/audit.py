"""The audit trail in the database: one chain, appended in the transaction of its record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.kernel.numbers import whole_number
from noria.operate.auditing import AuditFilter, StoredRecord
from noria.operate.rows import JournalRow, Shard
from noria.trust.audit import GENESIS, AuditRecord, chained_record

ROWS_PER_QUERY = 200
"""A database takes only so many parameters at once."""
_BEGIN_CHAIN = sa.text("INSERT INTO audit_head (id, seq, head) VALUES (1, 0, :genesis) ON CONFLICT DO NOTHING")


class DatabaseAudit:
    """`AuditTrail` and `AuditReader`."""

    def __init__(self, database: Database, connection: AsyncConnection | None = None) -> None:
        self._database = database
        self._connection = connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[DatabaseAudit]:
        """The trail as it is now, whatever is written while it is read."""
        async with self._database.reading(snapshot=True) as db:
            yield DatabaseAudit(self._database, db)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        if self._connection is not None:
            yield self._connection
            return
        async with self._database.reading() as db:
            yield db

    async def record(self, record: AuditRecord) -> None:
        """Append a record to the chain."""
        async with self._database.writing() as db:
            # FOR UPDATE keeps two writers on PostgreSQL apart; SQLite has one writer at a time anyway.
            query = sa.select(t.audit_head.c.seq, t.audit_head.c.head).where(t.audit_head.c.id == 1).with_for_update()
            row = (await db.execute(query)).first()
            if row is None:
                # The very first record; two writers may come here at once, and both go on from the same row.
                await db.execute(_BEGIN_CHAIN, {"genesis": GENESIS})
                row = (await db.execute(query)).one()
            seq, head = row[0], row[1]
            after = chained_record(head, seq + 1, record)
            await db.execute(sa.update(t.audit_head).where(t.audit_head.c.id == 1).values(seq=seq + 1, head=after))
            await db.execute(sa.insert(t.audit).values(seq=seq + 1, head=after, **msgspec.structs.asdict(record)))

    def _wanted(self, tenant: int, wanted: AuditFilter) -> list[sa.ColumnElement[bool]]:
        c = t.audit.c
        where = [c.tenant == tenant, c.ts >= wanted.start_ms, c.ts <= wanted.end_ms]
        for column, value in ((c.actor, wanted.actor), (c.action, wanted.action), (c.outcome, wanted.outcome)):
            if value:
                where.append(column == value)
        if wanted.object:
            where.append(c.object_id == wanted.object)
        return where

    async def records(self, tenant: int, wanted: AuditFilter, limit: int) -> tuple[list[StoredRecord], int]:
        """The newest records that fit, and how many there are."""
        where = self._wanted(tenant, wanted)
        before = t.audit.alias()
        prev = sa.select(before.c.head).where(before.c.seq == t.audit.c.seq - 1).scalar_subquery().label("prev")
        query = sa.select(t.audit, prev).where(*where).order_by(t.audit.c.seq.desc()).limit(limit)
        async with self._reading() as db:
            rows = [_stored(row) for row in (await db.execute(query)).mappings()]
            total = (await db.execute(sa.select(sa.func.count()).select_from(t.audit).where(*where))).scalar_one()
        return rows, total

    async def commands(self, tenant: int, wanted: AuditFilter, limit: int) -> tuple[list[JournalRow], int]:
        """The newest journal rows that fit, and how many there are."""
        c = t.journal.c
        if wanted.outcome not in ("", "ok"):
            return [], 0
        where = [t.inst.c.tenant == tenant, c.ts >= wanted.start_ms, c.ts <= wanted.end_ms]
        if wanted.actor:
            where.append(c.actor == wanted.actor)
        if wanted.action:
            where.append(c.action == wanted.action)
        if wanted.object:
            iid = whole_number(wanted.object)
            where.append(c.iid == (-1 if iid is None else iid))
        joined = t.journal.join(t.inst, t.inst.c.iid == c.iid)
        query = (
            sa.select(t.journal)
            .select_from(joined)
            .where(*where)
            .order_by(c.ts.desc(), c.shard, c.seq.desc())
            .limit(limit)
        )
        async with self._reading() as db:
            rows = [JournalRow(**row) for row in (await db.execute(query)).mappings()]
            total = (await db.execute(sa.select(sa.func.count()).select_from(joined).where(*where))).scalar_one()
        return rows, total

    async def heads_before(self, rows: Sequence[JournalRow]) -> list[bytes]:
        """For each row the hash of the one before it in its shard."""
        c = t.journal.c
        heads: dict[tuple[int, int], bytes] = {}
        async with self._reading() as db:
            for at in range(0, len(rows), ROWS_PER_QUERY):
                part = rows[at : at + ROWS_PER_QUERY]
                wanted = sa.tuple_(c.shard, c.seq).in_([(row.shard, row.seq - 1) for row in part])
                found = await db.execute(sa.select(c.shard, c.seq, c.head).where(wanted))
                heads.update({(shard, seq): head for shard, seq, head in found})
        return [heads.get((row.shard, row.seq - 1), GENESIS) for row in rows]

    async def _pages(self, query: sa.Select[Any], page: int = 1_000) -> AsyncIterator[Any]:
        """All rows of an ordered query, a page at a time."""
        async with self._reading() as db:
            result = await db.stream(query)
            async for part in result.mappings().partitions(page):
                for row in part:
                    yield row

    async def all_records(self) -> AsyncIterator[StoredRecord]:
        """The whole chain, oldest first."""
        async for row in self._pages(sa.select(t.audit).order_by(t.audit.c.seq)):
            yield _stored(row)

    async def chain_head(self) -> tuple[int, bytes]:
        """Number and hash of the last record."""
        async with self._reading() as db:
            row = (await db.execute(sa.select(t.audit_head.c.seq, t.audit_head.c.head))).first()
        return (row[0], row[1]) if row else (0, GENESIS)

    async def all_rows(self) -> AsyncIterator[JournalRow]:
        """The whole journal, by shard and number."""
        c = t.journal.c
        async for row in self._pages(sa.select(*_readable(t.journal.c)).order_by(c.shard, c.seq)):
            yield JournalRow(**row)

    async def shards(self) -> list[Shard]:
        """The heads of all shards."""
        c = t.shard.c
        async with self._reading() as db:
            rows = (await db.execute(sa.select(c.shard, c.epoch, c.seq, c.head).order_by(c.shard))).all()
        return [Shard(*row) for row in rows]

    async def states(self) -> AsyncIterator[tuple[int, int, bytes]]:
        """Instance, version of the state that is stored, and that state of every instance, by instance."""
        c = t.inst.c
        async for row in self._pages(sa.select(*_readable([c.iid, c.ver, c.state])).order_by(c.iid)):
            yield row["iid"], row["ver"], row["state"]


def _stored(row: Any) -> StoredRecord:
    values = dict(row)
    seq, head, prev = values.pop("seq"), values.pop("head"), values.pop("prev", None)
    return StoredRecord(seq, AuditRecord(**values), head, prev or GENESIS)


def _readable(columns: Iterable[sa.Column[Any]]) -> list[sa.ColumnElement[Any]]:
    """Columns as a verifier reads them: SQLite keeps whatever type a tamperer wrote, and bytes must come as bytes."""
    return [
        sa.cast(column, sa.LargeBinary).label(column.name) if isinstance(column.type, sa.LargeBinary) else column
        for column in columns
    ]
