"""Instances are found by an index of terms; the projector fills it, beginning with the oldest command."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "sqlite":
        # Terms come cut: all that is not a blank belongs to one.
        op.get_bind().exec_driver_sql(
            "CREATE VIRTUAL TABLE search USING fts5(terms, detail = none, columnsize = 0, "
            "tokenize = \"ascii tokenchars '^=:_~.!#'\")"
        )
        return
    op.create_table(
        "search",
        sa.Column("iid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("terms", sa.dialects.postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("iid"),
    )
    # What waits to be sorted in is looked through by every search; the default is 4 MB.
    op.execute("CREATE INDEX search_terms ON search USING gin (terms) WITH (gin_pending_list_limit = 256)")


def downgrade() -> None:
    """Revert."""
    op.execute("DELETE FROM cursor WHERE consumer = 'search'")
    op.drop_table("search")
