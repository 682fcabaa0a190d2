"""Opening a database: SQLite by default, PostgreSQL by URL; the schema is brought up to date first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from noria.adapters.database.failures import told_apart
from noria.adapters.database.postgres_store import CONNECT_S_MAX, PostgresStore
from noria.adapters.database.sqlite_store import SqliteStore
from noria.kernel.errors import NoriaError


class DatabaseUrlError(NoriaError):
    """The database address cannot be used."""

    code = "database.url"


class Database:
    """One open database: the hot path's store, and an engine for everything else.

    Attributes:
        store: `InstanceStore`.
        engine: SQLAlchemy engine for lists, people, audit and projections.
        is_postgres: which of the two it is.
    """

    def __init__(self, store: SqliteStore | PostgresStore, engine: AsyncEngine) -> None:
        self.store = store
        self.engine = engine
        self.is_postgres = isinstance(store, PostgresStore)
        self._writing = engine.execution_options(write=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries.

        Raises:
            StoreUnavailableError: (here and inside) the database cannot be used now.
        """
        with told_apart():
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that commits at the end.

        Raises:
            StoreUnavailableError: (here and inside) the database cannot be used now.
        """
        with told_apart():
            async with self._writing.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        await self.store.close()


def _migrate(connection: sa.Connection) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", "noria:adapters/database/migrations")
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


async def _prepare(engine: AsyncEngine) -> None:
    try:
        with told_apart():
            async with engine.connect() as connection:
                await connection.run_sync(_migrate)
                await connection.commit()
    except BaseException:
        await engine.dispose()
        raise


async def open_database(url: str) -> Database:
    """Open a database and bring its schema up to date.

    Args:
        url: ``sqlite:///path/to/file`` or ``postgresql://user:password@host/name``.

    Raises:
        DatabaseUrlError: the address is of another kind.
        StoreUnavailableError: the database cannot be reached or opened.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUrlError("The database address is not a URL such as sqlite:///noria.db.") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        path = Path(parsed.database or "noria.db")
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": 30})
        _sqlite_events(engine)
        await _prepare(engine)
        return Database(SqliteStore(path), engine)
    if backend == "postgresql":
        engine = create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            pool_size=5,
            pool_pre_ping=True,
            connect_args={"timeout": CONNECT_S_MAX},
        )
        await _prepare(engine)
        dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        return Database(await PostgresStore.connect(dsn), engine)
    raise DatabaseUrlError(f"{backend} databases are not supported; use sqlite:/// or postgresql://.")


def _sqlite_events(engine: AsyncEngine) -> None:
    @sa.event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        # SQLAlchemy begins transactions itself, writers at once: a reader that becomes a writer may be refused.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
