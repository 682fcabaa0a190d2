"""Notices leave by channels, as people prefer."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NUMBERS = frozenset({"shard", "seq", "n", "tenant", "at", "iid", "tok", "due", "attempts", "sent"})


def _columns(*names: str) -> list[sa.Column[Any]]:
    return [
        sa.Column(name, _INT if name in _NUMBERS else sa.Text(), autoincrement=False, nullable=False) for name in names
    ]


def upgrade() -> None:
    """Apply."""
    op.create_table("channel", *_columns("tenant", "id", "chosen", "secrets"), sa.PrimaryKeyConstraint("tenant", "id"))
    op.create_table("preference", *_columns("tenant", "person", "chosen"), sa.PrimaryKeyConstraint("tenant", "person"))
    names = (
        "shard",
        "seq",
        "n",
        "channel",
        "tenant",
        "person",
        "people",
        "at",
        "kind",
        "iid",
        "tok",
        "params",
        "state",
    )
    more = ("due", "attempts", "error", "sent", "message")
    op.create_table("delivery", *_columns(*names, *more), sa.PrimaryKeyConstraint("shard", "seq", "n", "channel"))
    op.create_index("delivery_state", "delivery", ["state", "due"])
    op.create_index("delivery_sent", "delivery", ["tenant", "channel", "person", "sent"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("delivery")
    op.drop_table("preference")
    op.drop_table("channel")
