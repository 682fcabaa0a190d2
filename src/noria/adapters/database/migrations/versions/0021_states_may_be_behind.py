"""The version of a stored instance is that of its state; and what an instance does not have has no entry in an index.

Until now the version went ahead of a large state, so that a process that reads it knew how much of the journal was to
be replayed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_CHUNK = 500
_INDEXES = {
    "inst_parent": (["parent", "parent_token"], "parent > 0"),
    "inst_bkey": (["tenant", "bkey"], "bkey <> ''"),
    "inst_unit": (["tenant", "unit", "started"], "unit <> ''"),
}


class _Stored(msgspec.Struct, array_like=True):
    """The beginning of a stored state, of any format so far."""

    format: int
    version: int


_decode = msgspec.msgpack.Decoder(_Stored).decode
_inst = sa.table(
    "inst", sa.column("shard"), sa.column("iid"), sa.column("ver"), sa.column("status"), sa.column("state")
)
_journal = sa.table("journal", sa.column("iid"), sa.column("ver"))


def upgrade() -> None:
    """Apply."""
    db = op.get_bind()
    for shard, iid, ver, state in _open(db):
        stored = _decode(state).version
        if stored < ver:
            db.execute(sa.update(_inst).where(_inst.c.shard == shard, _inst.c.iid == iid).values(ver=stored))
    for name, (columns, condition) in _INDEXES.items():
        op.drop_index(name, table_name="inst")
        where = sa.text(condition)
        op.create_index(name, "inst", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Revert: the version is that of the instance again. Whoever reads a row looks how far its state is behind."""
    newest = sa.select(sa.func.max(_journal.c.ver)).where(_journal.c.iid == _inst.c.iid).scalar_subquery()
    op.get_bind().execute(sa.update(_inst).values(ver=newest))
    for name, (columns, _) in _INDEXES.items():
        op.drop_index(name, table_name="inst")
        op.create_index(name, "inst", columns)


def _open(db: sa.Connection) -> Iterator[Any]:
    """All that may be behind, for an end was always written: some at a time, for they may be large."""
    keys = sa.tuple_(_inst.c.shard, _inst.c.iid)
    columns = (_inst.c.shard, _inst.c.iid, _inst.c.ver, _inst.c.state)
    query = sa.select(*columns).where(_inst.c.status == 0).order_by(_inst.c.shard, _inst.c.iid).limit(_CHUNK)
    rows = db.execute(query).all()
    while rows:
        yield from rows
        rows = db.execute(query.where(keys > sa.tuple_(rows[-1].shard, rows[-1].iid))).all()
