"""Rows of `task` may stand for an opinion that somebody is asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("task", sa.Column("opinion", _INT, nullable=False, server_default="0"))


def downgrade() -> None:
    """Revert."""
    op.drop_column("task", "opinion")
