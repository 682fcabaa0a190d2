"""Indexes that the lists of the screens begin with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OPEN = sa.text("status = 0")
_ODD = sa.text("status > 1")


def upgrade() -> None:
    """Apply."""
    op.drop_index("visit_actor", table_name="visit")
    op.create_index("visit_actor", "visit", ["tenant", "actor", "human", "closed"])
    op.create_index("inst_unit", "inst", ["tenant", "unit", "started"])
    op.create_index("inst_open", "inst", ["tenant", "started"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("inst_odd", "inst", ["tenant", "status", "started"], sqlite_where=_ODD, postgresql_where=_ODD)


def downgrade() -> None:
    """Revert."""
    for name in ("inst_odd", "inst_open", "inst_unit"):
        op.drop_index(name, table_name="inst")
    op.drop_index("visit_actor", table_name="visit")
    op.create_index("visit_actor", "visit", ["tenant", "actor", "closed"])
