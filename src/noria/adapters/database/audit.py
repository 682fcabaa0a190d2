"""The audit trail in the database: one chain, appended in the transaction of its record."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.trust.audit import GENESIS, AuditRecord, chained_record


class DatabaseAudit:
    """`AuditTrail`, and its search."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, record: AuditRecord) -> None:
        """Append a record to the chain."""
        async with self._database.writing() as db:
            # FOR UPDATE keeps two writers on PostgreSQL apart; SQLite has one writer at a time anyway.
            row = (await db.execute(sa.select(t.audit_head).where(t.audit_head.c.id == 1).with_for_update())).first()
            seq, head = (row[1], row[2]) if row else (0, GENESIS)
            after = chained_record(head, seq + 1, record)
            if row is None:
                await db.execute(sa.insert(t.audit_head).values(id=1, seq=1, head=after))
            else:
                await db.execute(sa.update(t.audit_head).where(t.audit_head.c.id == 1).values(seq=seq + 1, head=after))
            await db.execute(sa.insert(t.audit).values(seq=seq + 1, head=after, **msgspec.structs.asdict(record)))
