"""Both databases for tests: a SQLite file, and a PostgreSQL server that the tests start and stop themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import alembic.command
import alembic.config
import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.schema import metadata

USER = "noria"
DEBIAN_USER = "postgres"
START_S_MAX = 30
NEWEST = "head"


def postgres_programs() -> Path | None:
    """The folder of initdb and postgres, None when PostgreSQL is not installed."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)]
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def missing_postgres() -> str:
    """Why no server can be started, "" when one can."""
    if postgres_programs() is None:
        return "PostgreSQL is not installed"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(DEBIAN_USER)
        except KeyError:
            return f"PostgreSQL refuses to run as root, and there is no user {DEBIAN_USER}"
    return ""


def need(missing: str) -> None:
    """Skip with the reason, or fail where everything is required."""
    if missing and os.environ.get("NORIA_REQUIRE_ALL"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def children(pid: int) -> list[int]:
    """Processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class PostgresServer:
    """A private server: its own folder, its own port on loopback, its own password, durable as in production.

    Args:
        within: where its folder is made, None for where temporary files are.
        host: address that it can be reached at besides loopback, from a network of its own, "" for none.
        settings: of the server, beside those that every test needs.
    """

    def __init__(self, within: Path | None = None, host: str = "", **settings: str) -> None:
        programs = postgres_programs()
        assert programs is not None
        self._programs = programs
        self._host = host
        self._settings = {"shared_buffers": "32MB", "max_connections": "60", **settings}
        self._folder = Path(tempfile.mkdtemp(prefix="noria-postgres-", dir=within))
        self._as_user: dict[str, object] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(DEBIAN_USER)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._empty: list[str] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._initialise()

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password)
        secret.chmod(0o644)  # the folder itself is closed to others
        command = [self._programs / "initdb", "-D", self._folder / "data", "-U", USER, "-A", "scram-sha-256"]
        command += ["--pwfile", secret, "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=4"]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as_user)
        assert done.returncode == 0, done.stderr
        secret.unlink()
        if self._host:
            with (self._folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self._host}/24 scram-sha-256\n")

    def start(self) -> None:
        """Start, and wait until it takes connections; after a crash it recovers first."""
        command = [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port)]
        for setting in (
            f"listen_addresses={','.join(filter(None, ('127.0.0.1', self._host)))}",
            "unix_socket_directories=",
            "fsync=on",
            "synchronous_commit=on",
            *(f"{name}={value}" for name, value in self._settings.items()),
        ):
            command += ["-c", setting]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True, **self._as_user
            )
        deadline = time.monotonic() + START_S_MAX
        ready = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2_000:]
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop this server's own process: SIGINT at once but in order, SIGQUIT as in a crash."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(START_S_MAX)
        self._process = None

    def kill(self) -> None:
        """End all its processes with kill -9, the first first, so that none can do anything about it."""
        assert self._process is not None
        pids = children(self._process.pid)
        self._process.kill()
        for pid in pids:
            _kill(pid)
        self._process.wait(START_S_MAX)
        self._process = None
        deadline = time.monotonic() + START_S_MAX
        # The next one starts only when nobody has the old shared memory any more.
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            assert time.monotonic() < deadline, "PostgreSQL's processes do not end"
            time.sleep(0.01)

    def kill_one(self, draw: random.Random) -> None:
        """End one of its processes with kill -9, any but the first, which then starts all others anew."""
        assert self._process is not None
        if pids := children(self._process.pid):
            _kill(draw.choice(pids))

    def close(self) -> None:
        """Stop if it runs, and remove all of it; nothing is left that would have to be written out in order."""
        if self._process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def url(self, name: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{name}"

    @staticmethod
    def through(url: str, host: str, port: int) -> str:
        """The same database by another way."""
        return make_url(url).set(host=host, port=port).render_as_string(hide_password=False)

    async def take_database(self) -> str:
        """The address of a database without rows, for one test alone."""
        if self.ended:
            # What one test did to it must not be every test's failure.
            self.start()
            self._empty.clear()
        if self._empty:
            return self._empty.pop()
        self._databases += 1
        url = self.url(f"test_{self._databases}")
        connection = await asyncpg.connect(self.url("postgres"))
        await connection.execute(f"CREATE DATABASE test_{self._databases}")
        await connection.close()
        await (await open_database(url)).close()
        return url

    async def give_back(self, url: str) -> None:
        """Empty a database for the next test: far cheaper than a new one, whose files must all reach the disk."""
        connection = await asyncpg.connect(url)
        await connection.execute("SET lock_timeout = '5s'")
        tables = [*metadata.sorted_tables, sa.table("search")]
        await connection.execute("; ".join(str(sa.delete(table)) for table in tables))
        await connection.close()
        self._empty.append(url)


def turn(connection: sa.Connection, revision: str) -> None:
    """Have the schema of that revision: back to an earlier one, or on to the newest."""
    config = alembic.config.Config()
    config.set_main_option("script_location", "noria:adapters/database/migrations")
    config.attributes["connection"] = connection
    go = alembic.command.upgrade if revision == NEWEST else alembic.command.downgrade
    go(config, revision)


async def terms_in(database: Database) -> dict[int, tuple[str, ...]]:
    """The index: instance → its terms."""
    unit = ", unit" if database.is_postgres else ""
    key = "iid" if database.is_postgres else "rowid"
    async with database.reading() as db:
        found = (await db.exec_driver_sql(f"SELECT {key}, terms{unit} FROM search")).all()  # noqa: S608 - our own names
    return {iid: tuple(map(str, rest)) for iid, *rest in found}


def _kill(pid: int) -> None:
    # It may have ended since it was seen.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    need(missing_postgres())
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
async def postgres_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A database without rows on PostgreSQL."""
    url = await postgres_server.take_database()
    yield url
    await postgres_server.give_back(url)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a database without rows, to be copied by each test: far cheaper than every migration anew."""
    path = tmp_path_factory.mktemp("empty") / "noria.db"

    async def make() -> None:
        await (await open_database(f"sqlite:///{path}")).close()

    asyncio.run(make())
    return path


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    """A file with a database without rows."""
    return f"sqlite:///{shutil.copy(empty_sqlite, tmp_path / 'noria.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database without rows, once on each kind: whatever uses this holds on both."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As `database_url`, for a file whose tests share what is in it."""
    if request.param == "sqlite":
        empty: Path = request.getfixturevalue("empty_sqlite")
        yield f"sqlite:///{shutil.copy(empty, tmp_path_factory.mktemp('shared') / 'noria.db')}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = asyncio.run(server.take_database())
    yield url
    asyncio.run(server.give_back(url))
