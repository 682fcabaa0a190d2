"""Jobs, timers and start timers have priorities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PREFERRED = sa.text("prio > 0")
_TABLES = ("timer", "job", "start_timer")


def upgrade() -> None:
    """Apply."""
    for table in _TABLES:
        op.add_column(table, sa.Column("prio", _INT, nullable=False, server_default="0"))
    op.create_index("timer_prio", "timer", ["prio", "due"], sqlite_where=_PREFERRED, postgresql_where=_PREFERRED)
    op.create_index(
        "job_prio",
        "job",
        ["tenant", "topic", "prio", "due"],
        sqlite_where=_PREFERRED,
        postgresql_where=_PREFERRED,
    )


def downgrade() -> None:
    """Revert."""
    op.drop_index("job_prio", table_name="job")
    op.drop_index("timer_prio", table_name="timer")
    for table in _TABLES:
        op.drop_column(table, "prio")
