"""Processes hold leases; a shard names only its owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "process",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("machine", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "lease_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("shard", schema=None) as batch_op:
        batch_op.drop_column("lease_until")


def downgrade() -> None:
    """Revert."""
    with op.batch_alter_table("shard", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "lease_until",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                autoincrement=False,
                nullable=False,
                server_default="0",
            )
        )
    op.drop_table("process")
