"""Programs sign in with access tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "access_token",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", _INT, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", _INT, nullable=False),
        sa.Column("expires", _INT, nullable=False),
        sa.Column("used", _INT, nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("access_token_tenant", "access_token", ["tenant", "created"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("access_token")
