"""Connections to a SQLite file: durable, one of this process writes at a time, a statement is one visit to a thread."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from noria.adapters.database.turns import WAIT_S_MAX, Turn

T = TypeVar("T")
NONE, BEGIN, BEGIN_WRITING = "", "BEGIN", "BEGIN IMMEDIATE"
"""How a transaction begins."""
LOG_PAGES, LOG_PAGES_URGENT = 8_000, 32_000
"""Whose commit finds the log so long, 33 MB, folds the rest of it into the file; all that write wait for that. Commands
do it only where nobody else has, at 130 MB: a storm of timers writes 19 kB a timer."""
FOLD_CHANGES = 8_000
"""Behind so many changed rows the log is folded beside those that write: 2 to 10 MB."""
FASTEST = 1_000_000_000
"""So many bytes a second fill a disk at most."""
LOOK_S_MAX = 1.0
FOLD_MS_MAX = 100
"""How long those who read are waited for when there is no room."""
FIRST_ROWS = 1_000


class TurnTaker(sqlite3.Connection):
    """A connection whose writing transactions wait for their turn and keep it until they end, however they do.

    Args:
        path: of the file.
        turn: of the file.
        urgent: whether it is served before others.
        named: what else `sqlite3.Connection` is given.

    Attributes:
        writing: whether it is its turn.
    """

    def __init__(self, path: Path | str, *, turn: Turn, urgent: bool, **named: Any) -> None:
        super().__init__(path, **named)
        self.writing = False
        self._turn = turn
        self._urgent = urgent
        self._log = Path(f"{path}-wal")
        self._folder = str(self._log.parent)
        self._look_at = 0.0
        self._noted = 0

    def begin(self) -> None:
        """Begin to write, when it is this connection's turn."""
        self._take()
        try:
            self.execute(BEGIN_WRITING)
        except BaseException:
            self._give()
            raise

    def commit(self) -> None:
        """Commit; a log that has taken too much of the disk is folded."""
        try:
            super().commit()
            if self.writing and self._room_is_short():
                # What has been committed is; whether there is still no room, the next commit will tell.
                with suppress(sqlite3.OperationalError):
                    self._fold(0)
        finally:
            # A commit that fails may leave the transaction open; it is rolled back then.
            if not self.in_transaction:
                self._note_changes()
                self._give()
        if not self._urgent and self._turn.changes >= FOLD_CHANGES:
            self._turn.changes = 0
            # Most of the log, while others write: little is left for whose commit finds it long. Where it cannot be
            # done now, it is done then.
            with suppress(sqlite3.OperationalError):
                self.execute("PRAGMA wal_checkpoint(PASSIVE)").close()

    def rollback(self) -> None:
        """Roll back, also when SQLite has done so by itself: the turn is given up here."""
        try:
            super().rollback()
        finally:
            self._give()

    def close(self) -> None:
        """Close; what was not committed is rolled back."""
        try:
            super().close()
        finally:
            self._give()

    def fold(self) -> None:
        """Write all of the log into the file and give its room back, as far as no reader still needs it."""
        self._take()
        try:
            self._fold(FOLD_MS_MAX)
        finally:
            self._give()

    def _fold(self, wait_ms: int) -> None:
        self.execute(f"PRAGMA busy_timeout = {wait_ms}")
        try:
            self.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        finally:
            self.execute(f"PRAGMA busy_timeout = {WAIT_S_MAX * 1_000}")

    def _room_is_short(self) -> bool:
        """Whether the log has taken a third of what there was: one that takes all can never be folded, and stays."""
        # To ask the system gives the interpreter away, and a commit would wait for it to come back: not more often than
        # the answer may change.
        now = time.monotonic()
        if now < self._look_at:
            return False
        disk = os.statvfs(self._folder)
        left = disk.f_bavail * disk.f_frsize // 2 - self._log.stat().st_size
        self._look_at = now + min(LOOK_S_MAX, max(left, 0) / FASTEST)
        return left < 0

    def _note_changes(self) -> None:
        if self.writing:
            self._turn.changes += self.total_changes - self._noted
            self._noted = self.total_changes

    def _take(self) -> None:
        if not self._turn.take(urgent=self._urgent):
            raise sqlite3.OperationalError("database is locked")
        self.writing = True

    def _give(self) -> None:
        if self.writing:
            self.writing = False
            self._turn.give()


def connect(path: Path | str, turn: Turn, *, urgent: bool) -> TurnTaker:
    """Open a connection with the durability that Noria promises.

    Args:
        path: of the file.
        turn: of the file.
        urgent: whether people wait for what it writes.
    """
    connection = TurnTaker(
        path, turn=turn, urgent=urgent, timeout=WAIT_S_MAX, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES_URGENT if urgent else LOG_PAGES}")
    # While somebody reads for long the log grows; that room is given back.
    connection.execute(f"PRAGMA journal_size_limit = {LOG_PAGES_URGENT * 4_096}")
    return connection


class Stepping(aiosqlite.Connection):
    """For SQLAlchemy: a statement, its rows and its end are one visit to the connection's thread instead of four.

    Each visit waits for the loop and for the interpreter, and others wait meanwhile for what its transaction locks.
    """

    def __init__(self, connector: Callable[[], TurnTaker]) -> None:
        super().__init__(connector, iter_chunk_size=FIRST_ROWS)
        # As SQLAlchemy has it with those that it makes: one that is lost must not keep the process.
        self._thread.daemon = True

    async def ended(self) -> None:
        """Wait until the thread has ended, as it is told when there is no connection: it still answers to this loop."""
        await asyncio.to_thread(self._thread.join)

    async def visit(self, work: Callable[..., T], *given: Any) -> T:
        """Do something in the connection's thread."""
        done: T = await self._execute(work, *given)  # type: ignore[no-untyped-call]
        return done

    async def begin(self) -> None:
        """Begin to write."""
        await self.visit(self.taker.begin)

    async def rollback(self) -> None:
        """Roll back, if there is anything: SQLAlchemy asks for it whenever it is given a connection back."""
        if self.taker.in_transaction or self.taker.writing:
            await super().rollback()

    async def give_up(self) -> None:
        """Roll back behind whatever is still being done."""
        await super().rollback()

    def cursor(self) -> Steps:  # type: ignore[override]
        """What SQLAlchemy executes a statement with."""
        return Steps(self)

    @property
    def taker(self) -> TurnTaker:
        """The connection within the thread."""
        assert isinstance(self._conn, TurnTaker)  # noqa: S101 - what the connector gives
        return self._conn


class Steps:
    """A cursor whose first rows come with its statement; most statements have no more."""

    def __init__(self, connection: Stepping) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self._open: sqlite3.Cursor | None = None
        self.arraysize = 1
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Execute a statement."""
        await self._connection.visit(self._run, self._connection.taker.execute, statement, values)

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Execute a statement for each of some rows."""
        await self._connection.visit(self._run, self._connection.taker.executemany, statement, values)

    def _run(self, run: Callable[..., sqlite3.Cursor], *given: Any) -> None:
        cursor = run(*given)
        self.description, self.lastrowid, self.rowcount = cursor.description, cursor.lastrowid, cursor.rowcount
        if cursor.description:
            self._rows = cursor.fetchmany(FIRST_ROWS)
            if len(self._rows) == FIRST_ROWS:
                self._open = cursor
                return
        cursor.close()

    async def fetchone(self) -> Any:
        """The next row, None at the end."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int) -> list[Any]:
        """The next rows, none at the end."""
        if not self._rows and self._open is not None:
            self._rows = await self._connection.visit(self._open.fetchmany, max(size, FIRST_ROWS))
        found, self._rows = self._rows[:size], self._rows[size:]
        return found

    async def fetchall(self) -> list[Any]:
        """All further rows."""
        found, self._rows = self._rows, []
        if self._open is not None:
            found += await self._connection.visit(self._open.fetchall)
        return found

    async def close(self) -> None:
        """Have SQLite forget the statement, where there were more rows."""
        if self._open is not None:
            await self._connection.visit(self._open.close)
            self._open = None
