"""Batches of operators' changes in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.engine.state import Status
from noria.operate.operations import BatchItem, BatchRow

_ADD_ITEM = sa.text(
    "INSERT INTO batch_item (batch, iid, state, ver, code, message) "
    "VALUES (:batch, :iid, :state, :ver, :code, :message) "
    "ON CONFLICT (batch, iid) DO UPDATE SET "
    "state = excluded.state, ver = excluded.ver, code = excluded.code, message = excluded.message"
)


class DatabaseBatches:
    """`BatchStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def live(self, tenant: int, definitions: Sequence[int], after: int, limit: int) -> list[int]:
        """Open instances of these definitions behind an instance id, by id."""
        c = t.inst.c
        query = (
            sa.select(c.iid)
            .where(c.tenant == tenant, c.definition.in_(definitions), c.status == int(Status.OPEN), c.iid > after)
            .order_by(c.iid)
            .limit(limit)
        )
        async with self._database.reading() as db:
            return list((await db.execute(query)).scalars())

    async def put(self, batch: BatchRow, items: Sequence[BatchItem]) -> None:
        """Write a batch and its instances, all or nothing."""
        async with self._database.writing() as db:
            await db.execute(sa.insert(t.batch).values(**msgspec.structs.asdict(batch)))
            if items:
                await db.execute(sa.insert(t.batch_item), [msgspec.structs.asdict(item) for item in items])

    async def get(self, tenant: int, batch: str) -> BatchRow | None:
        """One batch."""
        query = sa.select(t.batch).where(t.batch.c.tenant == tenant, t.batch.c.id == batch)
        async with self._database.reading() as db:
            row = (await db.execute(query)).mappings().first()
        return BatchRow(**row) if row is not None else None

    async def newest(self, tenant: int, limit: int, offset: int) -> tuple[list[BatchRow], int]:
        """Batches, newest first, and how many there are."""
        c = t.batch.c
        page = sa.select(t.batch).where(c.tenant == tenant).order_by(c.created.desc(), c.id).limit(limit).offset(offset)
        async with self._database.reading() as db:
            rows = (await db.execute(page)).mappings().all()
            query = sa.select(sa.func.count()).select_from(t.batch).where(c.tenant == tenant)
            total = (await db.execute(query)).scalar_one()
        return [BatchRow(**row) for row in rows], total

    async def unfinished(self) -> list[BatchRow]:
        """Batches that are still at work, of all tenants."""
        query = sa.select(t.batch).where(t.batch.c.ended == 0).order_by(t.batch.c.created)
        async with self._database.reading() as db:
            return [BatchRow(**row) for row in (await db.execute(query)).mappings()]

    async def counts(self, batch: str) -> dict[str, int]:
        """Number of instances by state."""
        c = t.batch_item.c
        query = sa.select(c.state, sa.func.count().label("n")).where(c.batch == batch).group_by(c.state)
        async with self._database.reading() as db:
            return {row.state: row.n for row in (await db.execute(query)).all()}

    async def items(self, batch: str, state: str, limit: int, offset: int = 0) -> list[BatchItem]:
        """Instances of a batch in one state, or in any for ""."""
        c = t.batch_item.c
        query = sa.select(t.batch_item).where(c.batch == batch).order_by(c.iid).limit(limit).offset(offset)
        if state:
            query = query.where(c.state == state)
        async with self._database.reading() as db:
            return [BatchItem(**row) for row in (await db.execute(query)).mappings()]

    async def settle(self, items: Sequence[BatchItem], before: str) -> None:
        """Write what became of some instances that are still in the state before; another process may be faster."""
        c = t.batch_item.c
        where = (c.batch == sa.bindparam("b_batch")) & (c.iid == sa.bindparam("b_iid")) & (c.state == before)
        values: dict[str, sa.BindParameter[object]] = {
            name: sa.bindparam(f"b_{name}") for name in ("state", "ver", "code", "message")
        }
        rows = [{f"b_{name}": value for name, value in msgspec.structs.asdict(item).items()} for item in items]
        async with self._database.writing() as db:
            await db.execute(sa.update(t.batch_item).where(where).values(**values), rows)

    async def due_after(self, tenant: int, due_ms: int, after: int, limit: int) -> list[int]:
        """Instances with an open task or a timer that is due behind an instant, behind an instance id, by id."""
        late = [
            sa.select(table.c.iid).where(table.c.tenant == tenant, table.c.due > due_ms, table.c.iid > after)
            for table in (t.task, t.timer)
        ]
        found = sa.union(*late).subquery()
        async with self._database.reading() as db:
            return list((await db.execute(sa.select(found.c.iid).order_by(found.c.iid).limit(limit))).scalars())

    async def add(self, batch: str, items: Sequence[BatchItem]) -> None:
        """Have more instances in a batch; those that are in it already wait again. Several may do it at once."""
        # In one order, so that none waits for the other's row while that one waits for its own.
        rows = [msgspec.structs.asdict(item) for item in sorted(items, key=lambda item: item.iid)]
        c = t.batch_item.c
        async with self._database.writing() as db:
            await db.execute(_ADD_ITEM, rows)
            count = sa.select(sa.func.count()).select_from(t.batch_item).where(c.batch == batch).scalar_subquery()
            await db.execute(sa.update(t.batch).where(t.batch.c.id == batch).values(total=count))

    async def finish(self, batch: str, ended: int, undone_by: str) -> bool:
        """Set when a batch ended, or with 0 that it is at work again and who has it taken back; whether that was so."""
        c = t.batch.c
        as_expected = c.undone_by == undone_by if ended else (c.undone_by == "") & (c.ended != 0)
        query = sa.update(t.batch).where(c.id == batch, as_expected).values(ended=ended, undone_by=undone_by)
        async with self._database.writing() as db:
            return (await db.execute(query)).rowcount == 1
