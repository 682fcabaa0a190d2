"""Working calendars with versions, which units work by which, and what integrators say of the world."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calendar",
        _column("tenant", _INT),
        _column("id", sa.Text()),
        _column("version", _INT),
        _column("body", sa.Text()),
        _column("at", _INT),
        _column("by", sa.Text()),
        _column("note", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "id", "version"),
    )
    op.create_table(
        "calendar_unit",
        _column("tenant", _INT),
        _column("unit", sa.Text()),
        _column("calendar", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "unit"),
    )
    op.create_table(
        "observation",
        _column("tenant", _INT),
        _column("name", sa.Text()),
        _column("version", _INT),
        _column("value", sa.Text()),
        _column("valid_from", _INT),
        _column("valid_until", _INT),
        _column("at", _INT),
        _column("by", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "name", "version"),
    )
    op.add_column("task", sa.Column("provisional", _INT, nullable=False, server_default="0"))
    op.add_column("visit", sa.Column("calendar", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("visit", sa.Column("calendar_version", _INT, nullable=False, server_default="0"))


def downgrade() -> None:
    """Revert."""
    op.drop_column("visit", "calendar_version")
    op.drop_column("visit", "calendar")
    op.drop_column("task", "provisional")
    op.drop_table("observation")
    op.drop_table("calendar_unit")
    op.drop_table("calendar")
