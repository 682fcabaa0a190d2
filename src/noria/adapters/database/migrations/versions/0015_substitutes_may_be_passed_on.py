"""A substitution may say that the substitute's own substitutes act for the principal, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.add_column("substitution", sa.Column("passes_on", _INT, nullable=False, server_default="0"))


def downgrade() -> None:
    """Revert."""
    op.drop_column("substitution", "passes_on")
