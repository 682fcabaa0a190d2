"""Alembic migrations: expand, migrate, contract; events are never rewritten."""
