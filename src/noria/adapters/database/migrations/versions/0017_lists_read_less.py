"""On PostgreSQL lists read less: narrow rows of the search index, and of done tasks the index alone.

The terms of instances lie beside the rows of the search index, not in them.
A search reads the row of all that it finds, for its id: with the terms in it each lay on a page of its own. PostgreSQL
moves values out of a row only where that is longer than 2 kB, whatever the table's `toast_tuple_target`; so a filler
makes it that long, which is compressed to almost nothing in the same step.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NARROW = (
    "ALTER TABLE search RENAME TO search_before",
    "ALTER INDEX search_pkey RENAME TO search_before_pkey",
    "ALTER INDEX search_terms RENAME TO search_before_terms",
    (
        "CREATE TABLE search (iid bigint NOT NULL, unit text NOT NULL, terms tsvector NOT NULL, "
        "filler text NOT NULL DEFAULT repeat(' ', 2000)) WITH (toast_tuple_target = 128)"
    ),
    "ALTER TABLE search ALTER terms SET STORAGE EXTERNAL",
    "ALTER TABLE search ALTER filler SET STORAGE MAIN",
    "INSERT INTO search (iid, unit, terms) SELECT iid, unit, terms FROM search_before ORDER BY iid",
    "DROP TABLE search_before",
    "ALTER TABLE search ADD PRIMARY KEY (iid)",
    # What waits to be sorted in is looked through by every search; the default is 4 MB.
    "CREATE INDEX search_terms ON search USING gin (terms) WITH (gin_pending_list_limit = 256)",
    "ANALYZE search",
    "DROP INDEX visit_actor",
    "CREATE INDEX visit_actor ON visit (tenant, actor, human, closed) INCLUDE (iid, tok, definition)",
)
_WIDE = (
    "ALTER TABLE search DROP COLUMN filler",
    "ALTER TABLE search ALTER terms SET STORAGE EXTENDED",
    "ALTER TABLE search RESET (toast_tuple_target)",
    "DROP INDEX visit_actor",
    "CREATE INDEX visit_actor ON visit (tenant, actor, human, closed)",
)


def upgrade() -> None:
    """Apply."""
    _run(_NARROW)


def downgrade() -> None:
    """Revert; rows that stand there stay as they are, for both read the same."""
    _run(_WIDE)


def _run(statements: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in statements:
            op.execute(statement)
