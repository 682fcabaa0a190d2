"""The hot path on SQLite: WAL, `synchronous=FULL`, one writer thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from noria.adapters.database import statements as s
from noria.adapters.database.failures import SQLITE_FAILURES, failure_of
from noria.adapters.database.sqlite_connections import TurnTaker, connect
from noria.adapters.database.statements import in_order
from noria.adapters.database.threads import Worker
from noria.adapters.database.turns import Turn
from noria.design.bpmn.graph import JOB_PRIORITY_MAX
from noria.operate.ports import StaleOwnerError
from noria.operate.rows import (
    SHARDS,
    Commit,
    InstanceRow,
    JournalRow,
    LockedJob,
    OutboxRow,
    SerialRow,
    Shard,
    WaitRow,
)
from noria.operate.waiting import BATCH_MAX

T = TypeVar("T")


ROWS = 32
"""So many rows are one statement: SQLite is entered, and the interpreter given away, once for all of them."""


def _insert(table: str, columns: Iterable[str], verb: str = "INSERT") -> str:
    names = list(columns)
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{verb} INTO {table} ({quoted}) VALUES ({', '.join('?' * len(names))})"


@cache
def _of_many(statement: str) -> str:
    head, row = statement.split(" VALUES ")
    return f"{head} VALUES {', '.join([row] * ROWS)}"


INSERT_INST = _insert("inst", s.INST)
UPDATE_INST = (
    f"UPDATE inst SET {', '.join(f'{name} = ?' for name in s.INST_CHANGED)} WHERE shard = ? AND iid = ? AND ver = ?"
)
CHANGED = {name: s.INST[name] for name in (*s.INST_CHANGED, "shard", "iid")}
MOVE_SHARD = "UPDATE shard SET seq = ?, head = ? WHERE shard = ? AND epoch = ? AND seq = ?"
MOVED = {name: s.SHARD_MOVE[name] for name in ("seq", "head", "shard", "epoch", "seq_before")}
INSERT_JOURNAL = _insert("journal", s.JOURNAL)
PUT_TASK = _insert("task", s.TASK, "INSERT OR REPLACE")
PUT_CANDIDATE = _insert("candidate", s.CANDIDATE, "INSERT OR IGNORE")
PUT_TIMER = _insert("timer", s.TIMER, "INSERT OR REPLACE")
PUT_JOB = _insert("job", (*s.JOB, *s.LEASE_COLUMNS), "INSERT OR REPLACE").removesuffix(", ?, ?, ?)") + ", 0, '', '')"
PUT_WAIT = _insert("wait", s.WAIT, "INSERT OR REPLACE")
PUT_OUTBOX = _insert("outbox", s.OUTBOX, "INSERT OR IGNORE")
DROP_OUTBOX = "DELETE FROM outbox WHERE shard = ? AND n = ?"
PUT_DEDUP = _insert("dedup", s.DEDUP)
DRAW_SERIAL = "UPDATE serial SET n = ? WHERE tenant = ? AND name = ? AND period = ? AND n = ?"
BEGIN_SERIAL = _insert("serial", s.SERIAL, "INSERT OR IGNORE")
SELECT_INST = s.stored(s.INST, "(i.shard, i.iid) IN (SELECT value >> 12 & 1023, value FROM json_each(?))")
"""In one statement, however many there are: one by one costs twice as much."""
SELECT_JOURNAL = "SELECT " + ", ".join(f'"{name}"' for name in s.JOURNAL) + " FROM journal "
SELECT_OUTBOX = "SELECT " + ", ".join(s.OUTBOX) + " FROM outbox "
LOCK_JOBS = """
UPDATE job SET lease_until = ?, worker = ?, lease_token = lower(hex(randomblob(12)))
WHERE (shard, iid, tok) IN (
    SELECT shard, iid, tok FROM job
    WHERE tenant = ? AND topic IN ({topics}) AND {level} AND due <= ? AND lease_until <= ? AND retries > 0
    ORDER BY due, iid, tok LIMIT ?)
RETURNING shard, iid, tok, topic, retries, lease_until, lease_token, prio, due
"""
DUE_TIMERS = """
SELECT iid, timer, tenant, prio FROM timer
WHERE {level} AND due <= ? AND {shards}
ORDER BY due, iid, timer LIMIT ?
"""
NEXT_JOB_LEVEL = "SELECT max(prio) FROM job WHERE tenant = ? AND topic = ? AND prio > 0 AND prio < ?"
NEXT_TIMER_LEVEL = "SELECT max(prio) FROM timer WHERE prio > 0 AND prio < ?"
"""Each level is one step down an index, however many rows it has."""


def shard_of(iid: int) -> int:
    """The shard of an instance (see `noria.operate.ids`)."""
    return iid >> 12 & 0x3FF


class SqliteStore:
    """`InstanceStore` on one SQLite file.

    Args:
        path: of the file.
        turn: of whoever writes to it in this process.
    """

    # SQLite works in this process, and whoever computes meanwhile keeps it waiting for the interpreter.
    enough = BATCH_MAX

    def __init__(self, path: Path | str, turn: Turn) -> None:
        self._writer = Worker("noria-sqlite-writer")
        self._reader = Worker("noria-sqlite-reader")
        self._write_connection = connect(path, turn, urgent=True)
        self._read_connection = connect(path, turn, urgent=True)

    async def close(self) -> None:
        """Close both connections after the work at hand."""
        await self._write(lambda db: db.close())
        await self._read(lambda db: db.close())
        self._writer.stop()
        self._reader.stop()

    async def _write(self, work: Callable[[TurnTaker], T]) -> T:
        return await self._writer.do(_guarded, work, self._write_connection)

    async def _read(self, work: Callable[[TurnTaker], T]) -> T:
        return await self._reader.do(_guarded, work, self._read_connection)

    async def fold(self) -> None:
        """Have the log give back the room that it takes, as far as it can."""
        await self._write(TurnTaker.fold)

    async def own_shards(self, owner: str) -> list[Shard]:
        def work(db: sqlite3.Connection) -> list[Shard]:
            db.executemany(
                "INSERT OR IGNORE INTO shard (shard, epoch, owner, seq, head) VALUES (?, 0, '', 0, ?)",
                [(number, bytes(32)) for number in range(SHARDS)],
            )
            db.execute("UPDATE shard SET epoch = epoch + 1, owner = ?", (owner,))
            return [Shard(*row) for row in db.execute(f"{s.SELECT_SHARDS} ORDER BY shard")]

        return await self._write(lambda db: _in_transaction(db, work))

    async def retake_shards(self, owner: str) -> list[Shard]:
        def work(db: sqlite3.Connection) -> list[Shard]:
            db.execute("UPDATE shard SET epoch = epoch + 1 WHERE owner = ?", (owner,))
            return [Shard(*row) for row in db.execute(f"{s.SELECT_SHARDS} WHERE owner = ? ORDER BY shard", (owner,))]

        return await self._write(lambda db: _in_transaction(db, work))

    async def commit(self, commit: Commit) -> None:
        def work(db: sqlite3.Connection) -> None:
            _pass_fences(db, commit)
            _put_all(db, commit)

        await self._write(lambda db: _in_transaction(db, work))

    async def load(self, iids: Sequence[int]) -> dict[int, InstanceRow]:
        def work(db: sqlite3.Connection) -> dict[int, InstanceRow]:
            return s.instances(db.execute(SELECT_INST, (msgspec.json.encode(iids).decode(),)))

        return await self._read(work)

    async def answers(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        def work(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
            found = {}
            for key in keys:
                row = db.execute("SELECT iid, ver FROM dedup WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    found[key] = (row[0], row[1])
            return found

        return await self._read(work)

    async def due_timers(
        self, now_ms: int, limit: int, shards: Sequence[int] | None = None
    ) -> list[tuple[int, int, int]]:
        def work(db: sqlite3.Connection) -> list[tuple[int, int, int, int]]:
            def page(level: str, *values: int) -> list[tuple[int, int, int, int]]:
                return db.execute(DUE_TIMERS.format(level=level, shards=_among(shards)), values).fetchall()

            oldest = page("1", now_ms, limit)
            if len(oldest) < limit:
                return sorted(oldest, key=lambda row: -row[3])
            # More is due than is asked for, perhaps far more: level by level, so that nobody sorts it all.
            found: list[tuple[int, int, int, int]] = []
            level: int | None = JOB_PRIORITY_MAX + 1
            while len(found) < limit and (level := _one(db.execute(NEXT_TIMER_LEVEL, (level,)).fetchone())):
                found += page(at_level(level), level, now_ms, limit - len(found))
            left = limit - len(found)
            others = [row for row in oldest if not row[3]][:left]
            return found + (others if len(others) == left else page(at_level(0), 0, now_ms, left))

        return [row[:3] for row in await self._read(work)]

    async def next_timer(self, shards: Sequence[int] | None = None) -> int | None:
        query = f"SELECT min(due) FROM timer WHERE {_among(shards)}"
        return await self._read(lambda db: _one(db.execute(query).fetchone()))

    async def lock_jobs(
        self, tenant: int, worker: str, topics: Sequence[str], limit: int, now_ms: int, lease_ms: int
    ) -> list[LockedJob]:
        def work(db: sqlite3.Connection) -> list[LockedJob]:
            locked: list[LockedJob] = []
            level = JOB_PRIORITY_MAX + 1
            while level and len(locked) < limit:
                levels = [_one(db.execute(NEXT_JOB_LEVEL, (tenant, topic, level)).fetchone()) for topic in topics]
                level = max((found for found in levels if found), default=0)
                statement = LOCK_JOBS.format(topics=", ".join("?" * len(topics)), level=at_level(level))
                values = (now_ms + lease_ms, worker, tenant, *topics, level, now_ms, now_ms, limit - len(locked))
                locked += in_order(db.execute(statement, values).fetchall())
            return locked

        return await self._write(lambda db: _in_transaction(db, work))

    async def leased(self, iid: int, tok: int, lease_token: str) -> bool:
        query = "SELECT 1 FROM job WHERE shard = ? AND iid = ? AND tok = ? AND lease_token = ? AND lease_token <> ''"
        values = (shard_of(iid), iid, tok, lease_token)
        return await self._read(lambda db: db.execute(query, values).fetchone()) is not None

    async def extend_lease(self, iid: int, tok: int, lease_token: str, lease_until: int) -> bool:
        query = (
            "UPDATE job SET lease_until = ? "
            "WHERE shard = ? AND iid = ? AND tok = ? AND lease_token = ? AND lease_token <> ''"
        )
        values = (lease_until, shard_of(iid), iid, tok, lease_token)
        return await self._write(lambda db: _in_transaction(db, lambda db: db.execute(query, values).rowcount)) == 1

    async def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
        query = (
            'SELECT shard, iid, wait, tenant, "signal", name, corr FROM wait '
            'WHERE tenant = ? AND "signal" = ? AND name = ? AND corr = ? ORDER BY iid, wait LIMIT ?'
        )
        values = (tenant, int(signal), name, corr, limit)
        rows = await self._read(lambda db: db.execute(query, values).fetchall())
        return [WaitRow(*row) for row in rows]

    async def outbox(
        self, limit: int, after: tuple[int, int] = (-1, -1), shards: Sequence[int] | None = None
    ) -> list[OutboxRow]:
        query = SELECT_OUTBOX + f"WHERE (shard, n) > (?, ?) AND {_among(shards)} ORDER BY shard, n LIMIT ?"
        rows = await self._read(lambda db: db.execute(query, (*after, limit)).fetchall())
        return [OutboxRow(*row) for row in rows]

    async def put_outbox(self, row: OutboxRow, epoch: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            _check_owner(db, row.shard, epoch)
            db.execute(PUT_OUTBOX, _bound([row], s.OUTBOX))

        await self._write(lambda db: _in_transaction(db, work))

    async def drop_outbox(self, shard: int, n: int, epoch: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            _check_owner(db, shard, epoch)
            db.execute(DROP_OUTBOX, (shard, n))

        await self._write(lambda db: _in_transaction(db, work))

    async def called(self, parent: int, parent_token: int) -> int | None:
        query = "SELECT max(iid) FROM inst WHERE parent = ? AND parent > 0 AND parent_token = ?"
        return await self._read(lambda db: _one(db.execute(query, (parent, parent_token)).fetchone()))

    async def serial(self, tenant: int, name: str, period: str) -> SerialRow:
        query = "SELECT n FROM serial WHERE tenant = ? AND name = ? AND period = ?"
        row = await self._read(lambda db: db.execute(query, (tenant, name, period)).fetchone())
        return SerialRow(tenant, name, period, row[0] if row else 0)

    async def journal_of(self, iid: int, until_ver: int | None = None, after_ver: int = 0) -> list[JournalRow]:
        query = SELECT_JOURNAL + "WHERE iid = ? AND ver > ? AND ver <= ? ORDER BY ver"
        values = (iid, after_ver, until_ver if until_ver is not None else 2**62)
        rows = await self._read(lambda db: db.execute(query, values).fetchall())
        return [JournalRow(*row) for row in rows]

    async def journal_after(self, cursor: Mapping[int, int], limit: int) -> list[JournalRow]:
        def work(db: sqlite3.Connection) -> list[JournalRow]:
            found: list[JournalRow] = []
            heads = db.execute("SELECT shard, seq FROM shard WHERE seq > 0 ORDER BY shard").fetchall()
            query = SELECT_JOURNAL + "WHERE shard = ? AND seq > ? ORDER BY seq LIMIT ?"
            for number, seq in heads:
                seen = cursor.get(number, 0)
                if seen < seq and len(found) < limit:
                    rows = db.execute(query, (number, seen, limit - len(found))).fetchall()
                    found.extend(JournalRow(*row) for row in rows)
            return found

        return await self._read(work)


def _one(row: tuple[Any, ...] | None) -> int | None:
    return row[0] if row else None


def _put(db: sqlite3.Connection, statement: str, rows: Sequence[msgspec.Struct], columns: Mapping[str, str]) -> None:
    values = _bound(rows, columns)
    width = len(columns)
    many = len(rows) // ROWS * ROWS * width
    if many:
        db.executemany(_of_many(statement), _pieces(values[:many], ROWS * width))
    if many < len(values):
        db.executemany(statement, _pieces(values[many:], width))


def _pieces(values: list[Any], length: int) -> list[list[Any]]:
    return [values[at : at + length] for at in range(0, len(values), length)]


def _bound(rows: Sequence[msgspec.Struct], columns: Mapping[str, str]) -> list[Any]:
    """The values of rows, one behind the other, as `sqlite3` takes them fastest.

    For every value that is not exactly an int, str, float or bytearray it looks for an adapter, which for a journal row
    took a third of the time of writing it; bytes are not among them.
    """
    found = list(chain.from_iterable(s.values(rows, columns)))
    for index, kind in enumerate(columns.values()):
        if kind == s.BYTES:
            found[index :: len(columns)] = map(bytearray, found[index :: len(columns)])
    return found


def _guarded(work: Callable[[TurnTaker], T], db: TurnTaker) -> T:
    try:
        return work(db)
    except SQLITE_FAILURES as error:
        raise failure_of(error) from error


def _check_owner(db: sqlite3.Connection, shard: int, epoch: int) -> None:
    if db.execute("SELECT 1 FROM shard WHERE shard = ? AND epoch = ?", (shard, epoch)).fetchone() is None:
        raise StaleOwnerError("The shard has another owner now; nothing was written.")


def _in_transaction(db: TurnTaker, work: Callable[[TurnTaker], T]) -> T:
    try:
        return _once(db, work)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        db.fold()
        return _once(db, work)


def _once(db: TurnTaker, work: Callable[[TurnTaker], T]) -> T:
    db.begin()
    try:
        done = work(db)
        db.commit()
    except BaseException:
        # On some errors (a full disk among them) SQLite has rolled back by itself; then this only gives up the turn.
        db.rollback()
        raise
    return done


def at_level(level: int) -> str:
    """A condition for rows of one priority."""
    # A partial index is used only where the statement itself says that it may be.
    return "prio = ? AND prio > 0" if level else "prio = ?"


def _among(shards: Sequence[int] | None) -> str:
    """A condition for rows of some shards; these are our own numbers, never text from outside."""
    return "1" if shards is None else f"shard IN ({', '.join(str(int(number)) for number in shards)})"


def _pass_fences(db: sqlite3.Connection, commit: Commit) -> None:
    moves = _pieces(_bound(commit.moves, MOVED), len(MOVED))
    if db.executemany(MOVE_SHARD, moves).rowcount != len(moves):
        raise StaleOwnerError("A shard has another owner or head now; nothing was written.")
    if commit.updates:
        changed = _pieces(_bound([row for row, _ in commit.updates], CHANGED), len(CHANGED))
        values = [(*row, version) for row, (_, version) in zip(changed, commit.updates, strict=True)]
        if db.executemany(UPDATE_INST, values).rowcount != len(values):
            raise StaleOwnerError("An instance is no longer at the version it was read at; nothing was written.")
    if commit.outbox_taken and db.executemany(DROP_OUTBOX, commit.outbox_taken).rowcount != len(commit.outbox_taken):
        raise StaleOwnerError("What was to be delivered has been delivered; nothing was written.")
    for row in commit.serials:
        drawn = (row.n, row.tenant, row.name, row.period, row.before)
        begun = (row.tenant, row.name, row.period, row.n)
        if not db.execute(DRAW_SERIAL, drawn).rowcount and not (
            row.before == 0 and db.execute(BEGIN_SERIAL, begun).rowcount
        ):
            raise StaleOwnerError("A number has been drawn elsewhere meanwhile; nothing was written.")


def _put_all(db: sqlite3.Connection, commit: Commit) -> None:
    put = partial(_put, db)

    def remove(statement: str, keys: list[tuple[int, int, int]]) -> None:
        if keys:
            db.executemany(statement, keys)

    put(INSERT_INST, commit.inserts, s.INST)
    put(INSERT_JOURNAL, commit.journal, s.JOURNAL)
    remove("DELETE FROM candidate WHERE shard = ? AND iid = ? AND tok = ?", commit.candidates_gone)
    remove("DELETE FROM task WHERE shard = ? AND iid = ? AND tok = ?", commit.tasks_gone)
    put(PUT_TASK, commit.tasks, s.TASK)
    candidates = [
        (row.shard, row.iid, row.tok, kind, name, row.tenant) for row in commit.tasks for kind, name in row.candidates
    ]
    if candidates:
        db.executemany(PUT_CANDIDATE, candidates)
    remove("DELETE FROM timer WHERE shard = ? AND iid = ? AND timer = ?", commit.timers_gone)
    put(PUT_TIMER, commit.timers, s.TIMER)
    remove("DELETE FROM job WHERE shard = ? AND iid = ? AND tok = ?", commit.jobs_gone)
    put(PUT_JOB, commit.jobs, s.JOB)
    remove("DELETE FROM wait WHERE shard = ? AND iid = ? AND wait = ?", commit.waits_gone)
    put(PUT_WAIT, commit.waits, s.WAIT)
    put(PUT_OUTBOX, commit.outbox, s.OUTBOX)
    if commit.outbox_gone:
        db.executemany(DROP_OUTBOX, commit.outbox_gone)
    put(PUT_DEDUP, commit.dedup, s.DEDUP)
