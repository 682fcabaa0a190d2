"""Tasks, open and done, have names of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("task", "visit")


def upgrade() -> None:
    """Apply."""
    for table in _TABLES:
        op.add_column(table, sa.Column("name", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Revert."""
    for table in _TABLES:
        op.drop_column(table, "name")
