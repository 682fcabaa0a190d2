"""Passwords are set by links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "password_link",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created", _INT, nullable=False),
        sa.Column("expires", _INT, nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("password_link_person", "password_link", ["tenant", "person"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("password_link")
