"""Substitutes: who acts for whom; amounts that they are limited by; who did a task for somebody else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY_PROXY = sa.text("proxy <> ''")
_TEXTS = ("principal", "substitute")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "substitution",
        sa.Column("tenant", _INT, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("since", _INT, nullable=False),
        sa.Column("until", _INT, nullable=False),
        sa.Column("processes", sa.Text(), nullable=False),
        sa.Column("amount_max", sa.Double()),
        sa.Column("created", _INT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended", _INT, nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
    )
    op.create_index("substitution_principal", "substitution", ["tenant", "principal"])
    op.add_column("inst", sa.Column("amount", sa.Double()))
    op.add_column("visit", sa.Column("proxy", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_index(
        "visit_proxy",
        "visit",
        ["tenant", "proxy", "closed"],
        sqlite_where=_BY_PROXY,
        postgresql_where=_BY_PROXY,
    )


def downgrade() -> None:
    """Revert."""
    op.drop_index("visit_proxy", table_name="visit")
    op.drop_column("visit", "proxy")
    op.drop_column("inst", "amount")
    op.drop_index("substitution_principal", table_name="substitution")
    op.drop_table("substitution")
