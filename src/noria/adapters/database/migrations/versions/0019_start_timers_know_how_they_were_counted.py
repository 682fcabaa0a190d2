"""Start timers know how their due instants were counted in a working calendar."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0016"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NUMBERS = ("calendar_version", "start", "provisional")
_TEXTS = ("calendar", "duration")


def upgrade() -> None:
    """Apply."""
    for name in _NUMBERS:
        op.add_column("start_timer", sa.Column(name, _INT, nullable=False, server_default="0"))
    for name in _TEXTS:
        op.add_column("start_timer", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Revert."""
    for name in (*_NUMBERS, *_TEXTS):
        op.drop_column("start_timer", name)
