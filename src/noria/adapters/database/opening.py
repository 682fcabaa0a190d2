"""Opening a database: SQLite by default, PostgreSQL by URL; the schema is brought up to date first."""

from __future__ import annotations

import asyncio
import functools
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from noria.adapters.database.failures import told_apart
from noria.adapters.database.postgres_store import CONNECT_S_MAX, SERVER_SETTINGS, PostgresStore
from noria.adapters.database.sqlite_connections import BEGIN, BEGIN_WRITING, NONE, Stepping, connect
from noria.adapters.database.sqlite_store import SqliteStore
from noria.adapters.database.turns import Turn
from noria.kernel.errors import NoriaError
from noria.operate.ports import StoreFullError

T = TypeVar("T")

# Any numbers that nothing else in a database of Noria's locks.
MIGRATING, ALONE = 7_006_017, 7_006_018
_LOCK = sa.text(f"SELECT pg_advisory_lock({ALONE})")
_UNLOCK = sa.text(f"SELECT pg_advisory_unlock({ALONE})")
_SHORT = {"jit": "off", "max_parallel_workers_per_gather": "0"}
"""What the screens ask of PostgreSQL takes less time than compiling it, or than starting processes that share it."""
_BY_INDEX = "SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
_PUT_SECRET = sa.text("INSERT INTO setting (tenant, name, value) VALUES (0, 'cluster', :value) ON CONFLICT DO NOTHING")
_GET_SECRET = sa.text("SELECT value FROM setting WHERE tenant = 0 AND name = 'cluster'")


class DatabaseUrlError(NoriaError):
    """The database address cannot be used."""

    code = "database.url"


class DatabaseTakenError(NoriaError):
    """Another server has this SQLite file."""

    code = "database.taken"


class Database:
    """One open database: the hot path's store, and an engine for everything else.

    Attributes:
        store: `InstanceStore`.
        engine: SQLAlchemy engine for lists, people, audit and projections.
        is_postgres: which of the two it is.
    """

    def __init__(self, store: SqliteStore | PostgresStore, engine: AsyncEngine, path: Path | None = None) -> None:
        self._path = path
        self._claim: sqlite3.Connection | None = None
        self.store = store
        self.engine = engine
        self.is_postgres = isinstance(store, PostgresStore)
        self._writing = engine.execution_options(begin=BEGIN_WRITING)
        # On SQLite every transaction is a snapshot.
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ") if self.is_postgres else engine
        # A query is a transaction by itself: to begin and to end one costs two exchanges more, and while one is open
        # SQLite's log cannot begin anew.
        self._queries = (
            engine.execution_options(isolation_level="AUTOCOMMIT")
            if self.is_postgres
            else engine.execution_options(begin=NONE)
        )

    @asynccontextmanager
    async def reading(self, *, snapshot: bool = False, by_index: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for queries.

        Args:
            snapshot: whether all queries see the database as the first one did, whatever is written meanwhile.
            by_index: have PostgreSQL plan each query for what it asks, and never read every row. It does not know what
                it costs to take the terms of the search index apart, nor how few open tasks of all are somebody's.

        Raises:
            StoreUnavailableError: (here and inside) the database cannot be used now.
        """
        planned = by_index and self.is_postgres
        async with _connected(self._snapshots if snapshot else self.engine if planned else self._queries) as connection:
            if planned:
                await connection.exec_driver_sql(_BY_INDEX)
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that commits at the end.

        Raises:
            StoreUnavailableError: (here and inside) the database cannot be used now.
        """
        try:
            async with _connected(self._writing) as connection:
                await _to_its_end(connection.begin().start())
                yield connection
                await _to_its_end(connection.commit())
        except StoreFullError:
            if isinstance(self.store, SqliteStore):
                await self.store.fold()
            raise

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Keep other processes out of what is done inside: PostgreSQL's is a lock, SQLite has one server anyway.

        Raises:
            StoreUnavailableError: the database cannot be used now.
        """
        if not self.is_postgres:
            yield
            return
        async with _connected(self.engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
            await connection.execute(_LOCK)
            try:
                yield
            finally:
                await _to_its_end(connection.execute(_UNLOCK))

    async def secret(self) -> bytes:
        """What the engine processes of this database prove themselves to each other with; drawn at the first call."""
        async with self.writing() as connection:
            await connection.execute(_PUT_SECRET, {"value": secrets.token_hex(32)})
            return str((await connection.execute(_GET_SECRET)).scalar_one()).encode()

    async def close(self) -> None:
        """Close all connections, and let another server have the file."""
        await self.engine.dispose()
        await self.store.close()
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def claim(self) -> None:
        """Be the one server of a SQLite file until this is closed, or the process ends. PostgreSQL is for many.

        Raises:
            DatabaseTakenError: another server has it.
        """
        if self._path is None or self._claim is not None:
            return
        # A lock on a file of its own, held by an open transaction: it ends with the process, however that ends.
        claim = sqlite3.connect(f"{self._path}.server", timeout=0, isolation_level=None, check_same_thread=False)
        try:
            claim.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            claim.close()
            raise DatabaseTakenError(
                f"Another Noria serves {self._path} already. Stop it first, or use PostgreSQL for several processes."
            ) from error
        self._claim = claim


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    connection = engine.connect()
    with told_apart():
        try:
            await _to_its_end(connection.start())
            yield connection
        finally:
            if connection.sync_connection is not None:
                await _to_its_end(connection.close())


async def _to_its_end(work: Awaitable[T]) -> T:
    """Have a step finished even when its caller is cancelled meanwhile, and only then be cancelled.

    A step that is given up half-way leaves its transaction open, which locks SQLite for everybody.
    """
    step = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        await asyncio.gather(step, return_exceptions=True)
        raise


def _migrations() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", "noria:adapters/database/migrations")
    return config


@functools.cache
def _newest() -> tuple[str, ...]:
    """The revision of an up-to-date schema; all migrations are read to find it, so once is enough."""
    return tuple(ScriptDirectory.from_config(_migrations()).get_heads())


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Several processes may start at once; the lock ends with the transaction.
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({MIGRATING})"))
    if MigrationContext.configure(connection).get_current_heads() == _newest():
        return
    config = _migrations()
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
        turn = Turn()
        engine = _sqlite_engine(path, turn)
        await _prepare(engine)
        return Database(SqliteStore(path, turn), engine, path)
    if backend == "postgresql":
        engine = create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            pool_size=5,
            connect_args={"timeout": CONNECT_S_MAX, "server_settings": {**SERVER_SETTINGS, **_SHORT}},
        )
        _postgres_events(engine)
        await _prepare(engine)
        dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        return Database(await PostgresStore.connect(dsn), engine)
    raise DatabaseUrlError(f"{backend} databases are not supported; use sqlite:/// or postgresql://.")


def _postgres_events(engine: AsyncEngine) -> None:
    @sa.event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, _record: object, _proxy: object) -> None:
        # Instead of SQLAlchemy's ping, which is three exchanges with the server for each list: asyncpg has been told
        # by the system when the server closed a connection or went down, and with it all the others.
        if connection.driver_connection.is_closed():
            raise sa.exc.InvalidatePoolError


def _sqlite_engine(path: Path, turn: Turn) -> AsyncEngine:
    async def opened() -> Stepping:
        connection = Stepping(lambda: connect(path, turn, urgent=False))
        try:
            await connection
        except BaseException:
            await connection.ended()
            raise
        return connection

    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", async_creator=opened)

    @sa.event.listens_for(engine.sync_engine, "invalidate")
    def invalidate(connection: Any, _record: object, _error: BaseException | None) -> None:
        # A statement that is given up half-way would keep a closed connection's transaction, and with it the lock.
        connection.run_async(Stepping.give_up)

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # SQLAlchemy begins transactions itself, writers at once: a reader that becomes a writer may be refused.
        kind = connection.get_execution_options().get("begin", BEGIN)
        if kind == BEGIN_WRITING:
            connection.connection.run_async(Stepping.begin)
        elif kind:
            connection.exec_driver_sql(kind)

    return engine
