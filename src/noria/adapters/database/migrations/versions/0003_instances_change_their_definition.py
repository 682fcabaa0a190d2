"""Instances change their definition; batches of operators' changes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REDEFINES = sa.text("action IN ('migrate_instance', 'restore_instance')")


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "journal_redefining", "journal", ["iid", "ver"], sqlite_where=_REDEFINES, postgresql_where=_REDEFINES
    )
    op.create_table(
        "batch",
        _column("id", sa.Text()),
        _column("tenant", _INT),
        _column("process", sa.Text()),
        _column("kind", sa.Text()),
        _column("plan", sa.Text()),
        _column("by", sa.Text()),
        _column("reason", sa.Text()),
        _column("created", _INT),
        _column("ended", _INT),
        _column("undone_by", sa.Text()),
        _column("total", _INT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("batch_tenant", "batch", ["tenant", "created"])
    op.create_table(
        "batch_item",
        _column("batch", sa.Text()),
        _column("iid", _INT),
        _column("state", sa.Text()),
        _column("ver", _INT),
        _column("code", sa.Text()),
        _column("message", sa.Text()),
        sa.PrimaryKeyConstraint("batch", "iid"),
    )
    op.create_index("batch_item_state", "batch_item", ["batch", "state"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("batch_item")
    op.drop_table("batch")
    op.drop_index("journal_redefining", table_name="journal")
