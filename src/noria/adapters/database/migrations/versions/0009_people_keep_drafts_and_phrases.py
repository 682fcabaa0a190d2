"""People keep drafts and phrases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "draft",
        sa.Column("tenant", _INT, autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("at", _INT, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "person", "what"),
    )
    op.create_table(
        "phrases",
        sa.Column("tenant", _INT, autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "person"),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_table("phrases")
    op.drop_table("draft")
