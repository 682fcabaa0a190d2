"""SQLite and PostgreSQL: schema, the one-statement commit, queries."""
