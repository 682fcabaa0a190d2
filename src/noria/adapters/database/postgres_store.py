"""The hot path on PostgreSQL: one prepared data-modifying statement per commit, through asyncpg."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

import asyncpg

from noria.adapters.database import statements as s
from noria.adapters.database.arrays import given, unnest
from noria.adapters.database.failures import POSTGRES_FAILURES, failure_of
from noria.adapters.database.statements import in_order
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

T = TypeVar("T")

CONNECT_S_MAX = 10
STATEMENT_S_MAX = 30
"""A server that does not answer is taken for gone; the longest statement of the hot path takes far less."""

SERVER_SETTINGS = {"idle_in_transaction_session_timeout": "5000"}
"""A process that hangs in the middle of a transaction must not hold its locks for longer, in ms, than others wait."""

# Planning a commit takes four times as long as running it, so its plan is made once, for any values. A generic plan
# made on an empty table would choose sequential scans of inst and task for ever. Where there is no other way the plan
# looks so dear then that it would be compiled, which takes far longer still.
PLANNING = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
STATEMENTS_MAX = 300
"""Prepared statements that a connection keeps: one commit per set of groups, and the queries."""

KEY3 = {"shard": s.INT, "iid": s.INT, "k": s.INT}
KEY2 = {"shard": s.INT, "n": s.INT}


CHANGED = (*s.INST_CHANGED, "shard", "iid")

SECTIONS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("moves", s.SHARD_MOVE),
    ("updates", {**{name: s.INST[name] for name in CHANGED}, "ver_before": s.INT}),
    ("inserts", s.INST),
    ("journal", s.JOURNAL),
    ("tasks", s.TASK),
    ("candidates", s.CANDIDATE),
    ("tasks_gone", KEY3),
    ("candidates_gone", KEY3),
    ("timers", s.TIMER),
    ("timers_gone", KEY3),
    ("jobs", s.JOB),
    ("jobs_gone", KEY3),
    ("waits", s.WAIT),
    ("waits_gone", KEY3),
    ("outbox", s.OUTBOX),
    ("outbox_gone", KEY2),
    ("outbox_taken", KEY2),
    ("dedup", s.DEDUP),
    ("serials", s.SERIAL_DRAWN),
)
"""What a commit may hold, in the order of the statement's parameters: one array per column."""

GROUPS: tuple[frozenset[str], ...] = (
    frozenset({"updates", "inserts"}),
    frozenset({"tasks", "candidates", "tasks_gone", "candidates_gone"}),
    frozenset({"timers", "timers_gone"}),
    frozenset({"jobs", "jobs_gone"}),
    frozenset({"waits", "waits_gone", "outbox", "outbox_gone", "outbox_taken"}),
    frozenset({"dedup", "serials"}),
)
"""Sections that are left out of the statement together when none of them has rows: most need two or three,
and what is there costs both sides even when it is empty. Groups, so that there are few different statements to plan."""


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class _Statement:
    """Writes the commit's one statement: a common table expression per section that it has."""

    def __init__(self, left_out: frozenset[str]) -> None:
        self._left_out = left_out
        self._parts: list[str] = []
        self._parameters = 0
        self._source: dict[str, str] = {}
        self._first: dict[str, int] = {}
        for name, columns in SECTIONS:
            if name in left_out:
                continue
            self._first[name] = self._parameters + 1
            self._source[name] = f"{unnest(columns.values(), self._first[name])} AS x({_quoted(columns)})"
            self._parameters += len(columns)

    def part(self, name: str, section: str, sql: Callable[[str], str]) -> None:
        """Add what is done with a section, told where its rows come from."""
        if section not in self._left_out:
            self._parts.append(f"{name} AS ({sql(self._source[section])})")

    def insert(self, name: str, table: str, section: str, columns: Iterable[str], conflict: str = "") -> None:
        names = _quoted(columns)
        self.part(
            name, section, lambda source: f"INSERT INTO {table} ({names}) SELECT {names} FROM {source} {conflict}"
        )

    def put(self, name: str, table: str, section: str, columns: Mapping[str, str], key: tuple[str, ...]) -> None:
        changed = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in key)
        self.insert(name, table, section, columns, f"ON CONFLICT ({_quoted(key)}) DO UPDATE SET {changed}")

    def remove(self, name: str, table: str, section: str, third: str) -> None:
        self.part(
            name,
            section,
            lambda source: (
                f'DELETE FROM {table} t USING {source} WHERE t.shard = x.shard AND t.iid = x.iid AND t."{third}" = x.k'
            ),
        )

    def text(self) -> str:
        # Division by zero is the cheapest way to make a statement fail as a whole when a fence does not hold.
        fences = (
            ("moved", "moves"),
            ("updated", "updates"),
            ("outbox_delivered", "outbox_taken"),
            ("(SELECT 1 FROM serials_drawn UNION ALL SELECT 1 FROM serials_begun) AS serials", "serials"),
        )
        holds = " AND ".join(self._all(part, section) for part, section in fences if section not in self._left_out)
        return "WITH " + ",\n".join(self._parts) + f"\nSELECT 1 / (CASE WHEN {holds} THEN 1 ELSE 0 END)"

    def _all(self, part: str, section: str) -> str:
        """Whether a part changed as many rows as its section names; the first column of these sections is a number."""
        return f"(SELECT count(*) FROM {part}) = cardinality(${self._first[section]}::int8[])"


@lru_cache
def commit_statement(left_out: frozenset[str] = frozenset()) -> str:
    """The statement of a commit in which some sections, whole groups of them, have no rows."""
    statement = _Statement(left_out)
    statement.part(
        "moved",
        "moves",
        lambda source: (
            f"UPDATE shard t SET seq = x.seq, head = x.head FROM {source} "
            "WHERE t.shard = x.shard AND t.epoch = x.epoch AND t.seq = x.seq_before RETURNING 1"
        ),
    )
    changed = ", ".join(f'"{name}" = x."{name}"' for name in s.INST_CHANGED)
    statement.part(
        "updated",
        "updates",
        lambda source: (
            f"UPDATE inst t SET {changed} FROM {source} "
            "WHERE t.shard = x.shard AND t.iid = x.iid AND t.ver = x.ver_before RETURNING 1"
        ),
    )
    statement.insert("inserted", "inst", "inserts", s.INST)
    statement.insert("journaled", "journal", "journal", s.JOURNAL)
    statement.remove("tasks_removed", "task", "tasks_gone", "tok")
    statement.remove("candidates_removed", "candidate", "candidates_gone", "tok")
    statement.put("tasks_put", "task", "tasks", s.TASK, ("shard", "iid", "tok"))
    # A task's candidates do not change while it is open, so there is nothing to replace.
    statement.insert("candidates_put", "candidate", "candidates", s.CANDIDATE, "ON CONFLICT DO NOTHING")
    statement.remove("timers_removed", "timer", "timers_gone", "timer")
    statement.put("timers_put", "timer", "timers", s.TIMER, ("shard", "iid", "timer"))
    statement.remove("jobs_removed", "job", "jobs_gone", "tok")
    job_columns = [*s.JOB, *s.LEASE_COLUMNS]
    keys = ("shard", "iid", "tok")
    changed_job = ", ".join(f'"{name}" = excluded."{name}"' for name in job_columns if name not in keys)
    statement.part(
        "jobs_put",
        "jobs",
        lambda source: (
            f"INSERT INTO job ({_quoted(job_columns)}) SELECT {_quoted(s.JOB)}, 0, '', '' FROM {source} "
            f"ON CONFLICT (shard, iid, tok) DO UPDATE SET {changed_job}"
        ),
    )
    statement.remove("waits_removed", "wait", "waits_gone", "wait")
    statement.put("waits_put", "wait", "waits", s.WAIT, ("shard", "iid", "wait"))
    statement.insert("outbox_put", "outbox", "outbox", s.OUTBOX, "ON CONFLICT DO NOTHING")
    drop = "DELETE FROM outbox t USING {} WHERE t.shard = x.shard AND t.n = x.n"
    statement.part("outbox_removed", "outbox_gone", drop.format)
    statement.part("outbox_delivered", "outbox_taken", (drop + " RETURNING 1").format)
    statement.insert("dedup_put", "dedup", "dedup", s.DEDUP)
    statement.part(
        "serials_drawn",
        "serials",
        lambda source: (
            f"UPDATE serial t SET n = x.n FROM {source} "
            "WHERE t.tenant = x.tenant AND t.name = x.name AND t.period = x.period AND t.n = x.before RETURNING 1"
        ),
    )
    statement.part(
        "serials_begun",
        "serials",
        lambda source: (
            f"INSERT INTO serial ({_quoted(s.SERIAL)}) SELECT {_quoted(s.SERIAL)} FROM {source} "
            "WHERE x.before = 0 ON CONFLICT DO NOTHING RETURNING 1"
        ),
    )
    return statement.text()


MAKE_SHARDS = (
    "INSERT INTO shard (shard, epoch, owner, seq, head) SELECT n, 0, '', 0, $1 FROM generate_series(0, $2) n "
    "ON CONFLICT DO NOTHING"
)
SELECT_INST = s.stored(s.INST, "i.shard = ANY($1) AND i.iid = ANY($2)")
SELECT_JOURNAL = f"SELECT {_quoted(s.JOURNAL)} FROM journal "
SELECT_OUTBOX = f"SELECT {_quoted(s.OUTBOX)} FROM outbox "
PUT_OUTBOX = f"""
WITH owned AS (SELECT 1 FROM shard WHERE shard = $1 AND epoch = $2 FOR SHARE),
put AS (
    INSERT INTO outbox ({_quoted(s.OUTBOX)})
    SELECT {", ".join(f"${at}" for at in range(3, 3 + len(s.OUTBOX)))} FROM owned
    ON CONFLICT DO NOTHING
)
SELECT 1 FROM owned
"""
"""What a process was writing when it died stands before the next one owns the shard, or never: nobody would look."""
DROP_OUTBOX = """
WITH owned AS (SELECT 1 FROM shard WHERE shard = $1 AND epoch = $3 FOR SHARE),
dropped AS (DELETE FROM outbox WHERE shard = $1 AND n = $2 AND EXISTS (SELECT 1 FROM owned))
SELECT 1 FROM owned
"""
LOCK_JOBS = """
UPDATE job t SET lease_until = $1, worker = $2, lease_token = encode(sha256(random()::text::bytea), 'hex')
FROM (
    SELECT shard, iid, tok FROM job
    WHERE tenant = $3 AND topic = ANY($4) AND due <= $5 AND lease_until <= $5 AND retries > 0 AND prio = $7{level}
    ORDER BY due, iid, tok LIMIT $6 FOR UPDATE SKIP LOCKED) x
WHERE t.shard = x.shard AND t.iid = x.iid AND t.tok = x.tok
RETURNING t.shard, t.iid, t.tok, t.topic, t.retries, t.lease_until, t.lease_token, t.prio, t.due
"""
NEXT_JOB_LEVEL = """
SELECT max((SELECT max(prio) FROM job WHERE tenant = $1 AND topic = t.topic AND prio > 0 AND prio < $3))
FROM unnest($2::text[]) AS t(topic)
"""
DUE_TIMERS = """
SELECT iid, timer, tenant, prio FROM timer
WHERE due <= $1 AND ($3::int8[] IS NULL OR shard = ANY($3)){level}
ORDER BY due, iid, timer LIMIT $2
"""
NEXT_TIMER_LEVEL = "SELECT max(prio) FROM timer WHERE prio > 0 AND prio < $1"
"""Each level is one step down an index, however many rows it has."""
PREFERRED = " AND prio > 0"
"""A partial index is used only where the statement itself says that it may be."""


def shard_of(iid: int) -> int:
    """The shard of an instance (see `noria.operate.ids`)."""
    return iid >> 12 & 0x3FF


def _rows(commit: Commit, name: str, columns: Iterable[str]) -> list[tuple[Any, ...]]:
    """The rows of a section, ordered by key, so that two commits cannot deadlock."""
    if name == "updates":
        changed = attrgetter(*CHANGED)
        return sorted(((*changed(row), ver) for row, ver in commit.updates), key=lambda value: value[-3:])
    if name == "candidates":
        return sorted(
            {
                (row.shard, row.iid, row.tok, kind, candidate, row.tenant)
                for row in commit.tasks
                for kind, candidate in row.candidates
            }
        )
    rows = getattr(commit, name)
    return sorted(rows if name.endswith(("_gone", "_taken")) else s.values(rows, columns))


def _parameters(commit: Commit) -> tuple[frozenset[str], list[object]]:
    """The sections that are left out, and one array per column of every other."""
    sections = {name: _rows(commit, name, columns) for name, columns in SECTIONS}
    left_out = frozenset().union(*(group for group in GROUPS if not any(sections[name] for name in group)))
    parameters: list[object] = []
    for name, columns in SECTIONS:
        if name not in left_out:
            rows = sections[name]
            values = zip(*rows, strict=True) if rows else ((),) * len(columns)
            parameters += given(values, columns.values())
    return left_out, parameters


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    """Nothing here changes a session, so that nothing has to be put back: that would be a round trip per commit."""


class PostgresStore:
    """`InstanceStore` on PostgreSQL."""

    enough = 64

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str) -> PostgresStore:
        """Open a small pool; commits use one connection at a time.

        Raises:
            StoreUnavailableError: the database cannot be reached.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=4,
                reset=_leave_as_it_is,
                timeout=CONNECT_S_MAX,
                command_timeout=STATEMENT_S_MAX,
                server_settings={**SERVER_SETTINGS, **PLANNING},
                statement_cache_size=STATEMENTS_MAX,
                max_cached_statement_lifetime=0,
            )
        except POSTGRES_FAILURES as error:
            raise failure_of(error) from error
        return cls(pool)

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def do(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Have something done on a connection.

        Raises:
            StoreUnavailableError: the database cannot be used now.
        """
        try:
            async with self._pool.acquire(timeout=CONNECT_S_MAX) as connection:
                return await work(connection)
        except POSTGRES_FAILURES as error:
            raise failure_of(error) from error

    async def own_shards(self, owner: str) -> list[Shard]:
        async def work(db: asyncpg.Connection) -> list[Shard]:
            async with db.transaction():
                await db.execute(MAKE_SHARDS, bytes(32), SHARDS - 1)
                await db.execute("UPDATE shard SET epoch = epoch + 1, owner = $1", owner)
                rows = await db.fetch(f"{s.SELECT_SHARDS} ORDER BY shard")
            return [Shard(*row) for row in rows]

        return await self.do(work)

    async def retake_shards(self, owner: str) -> list[Shard]:
        async def work(db: asyncpg.Connection) -> list[Shard]:
            async with db.transaction():
                await db.execute("UPDATE shard SET epoch = epoch + 1 WHERE owner = $1", owner)
                rows = await db.fetch(f"{s.SELECT_SHARDS} WHERE owner = $1 ORDER BY shard", owner)
            return [Shard(*row) for row in rows]

        return await self.do(work)

    async def commit(self, commit: Commit) -> None:
        async def work(db: asyncpg.Connection) -> None:
            left_out, parameters = _parameters(commit)
            try:
                await db.execute(commit_statement(left_out), *parameters)
            except asyncpg.DivisionByZeroError:
                raise StaleOwnerError(
                    "A shard has another owner, an instance moved on, a message was delivered or a number drawn; "
                    "nothing was written."
                ) from None

        await self.do(work)

    async def load(self, iids: Sequence[int]) -> dict[int, InstanceRow]:
        shards = list({shard_of(iid) for iid in iids})
        rows = await self.do(lambda db: db.fetch(SELECT_INST, shards, list(iids)))
        return s.instances(rows)

    async def answers(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        rows = await self.do(lambda db: db.fetch("SELECT key, iid, ver FROM dedup WHERE key = ANY($1)", list(keys)))
        return {row["key"]: (row["iid"], row["ver"]) for row in rows}

    async def due_timers(
        self, now_ms: int, limit: int, shards: Sequence[int] | None = None
    ) -> list[tuple[int, int, int]]:
        async def work(db: asyncpg.Connection) -> list[asyncpg.Record]:
            oldest = await db.fetch(DUE_TIMERS.format(level=""), now_ms, limit, shards)
            if len(oldest) < limit:
                return sorted(oldest, key=lambda row: -row["prio"])
            # More is due than is asked for, perhaps far more: level by level, so that nobody sorts it all.
            found: list[asyncpg.Record] = []
            level = JOB_PRIORITY_MAX + 1
            preferred = DUE_TIMERS.format(level=f" AND prio = $4{PREFERRED}")
            while len(found) < limit and (level := await db.fetchval(NEXT_TIMER_LEVEL, level)):
                found += await db.fetch(preferred, now_ms, limit - len(found), shards, level)
            left = limit - len(found)
            others = [row for row in oldest if not row["prio"]][:left]
            if len(others) < left:
                others = await db.fetch(DUE_TIMERS.format(level=" AND prio = 0"), now_ms, left, shards)
            return found + others

        return [tuple(row[:3]) for row in await self.do(work)]

    async def next_timer(self, shards: Sequence[int] | None = None) -> int | None:
        query = "SELECT min(due) FROM timer WHERE $1::int8[] IS NULL OR shard = ANY($1)"
        return await self.do(lambda db: db.fetchval(query, shards))

    async def lock_jobs(
        self, tenant: int, worker: str, topics: Sequence[str], limit: int, now_ms: int, lease_ms: int
    ) -> list[LockedJob]:
        async def work(db: asyncpg.Connection) -> list[LockedJob]:
            locked: list[LockedJob] = []
            level = JOB_PRIORITY_MAX + 1
            while level and len(locked) < limit:
                level = await db.fetchval(NEXT_JOB_LEVEL, tenant, list(topics), level) or 0
                statement = LOCK_JOBS.format(level=PREFERRED if level else "")
                left = limit - len(locked)
                locked += in_order(
                    await db.fetch(statement, now_ms + lease_ms, worker, tenant, list(topics), now_ms, left, level)
                )
            return locked

        return await self.do(work)

    async def leased(self, iid: int, tok: int, lease_token: str) -> bool:
        query = (
            "SELECT 1 FROM job WHERE shard = $1 AND iid = $2 AND tok = $3 AND lease_token = $4 AND lease_token <> ''"
        )
        return await self.do(lambda db: db.fetchval(query, shard_of(iid), iid, tok, lease_token)) is not None

    async def extend_lease(self, iid: int, tok: int, lease_token: str, lease_until: int) -> bool:
        query = (
            "UPDATE job SET lease_until = $1 "
            "WHERE shard = $2 AND iid = $3 AND tok = $4 AND lease_token = $5 AND lease_token <> ''"
        )
        done = await self.do(lambda db: db.execute(query, lease_until, shard_of(iid), iid, tok, lease_token))
        return str(done) == "UPDATE 1"

    async def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
        query = (
            "SELECT shard, iid, wait, tenant, signal, name, corr FROM wait "
            "WHERE tenant = $1 AND signal = $2 AND name = $3 AND corr = $4 ORDER BY iid, wait LIMIT $5"
        )
        rows = await self.do(lambda db: db.fetch(query, tenant, int(signal), name, corr, limit))
        return [WaitRow(*row) for row in rows]

    async def outbox(
        self, limit: int, after: tuple[int, int] = (-1, -1), shards: Sequence[int] | None = None
    ) -> list[OutboxRow]:
        query = (
            SELECT_OUTBOX
            + "WHERE (shard, n) > ($1, $2) AND ($4::int8[] IS NULL OR shard = ANY($4)) ORDER BY shard, n LIMIT $3"
        )
        return [OutboxRow(*row) for row in await self.do(lambda db: db.fetch(query, *after, limit, shards))]

    async def put_outbox(self, row: OutboxRow, epoch: int) -> None:
        values = [getattr(row, name) for name in s.OUTBOX]
        if await self.do(lambda db: db.fetchval(PUT_OUTBOX, row.shard, epoch, *values)) is None:
            raise StaleOwnerError("The shard has another owner now; nothing was accepted.")

    async def drop_outbox(self, shard: int, n: int, epoch: int) -> None:
        if await self.do(lambda db: db.fetchval(DROP_OUTBOX, shard, n, epoch)) is None:
            raise StaleOwnerError("The shard has another owner now; nothing was forgotten.")

    async def called(self, parent: int, parent_token: int) -> int | None:
        query = "SELECT max(iid) FROM inst WHERE parent = $1 AND parent > 0 AND parent_token = $2"
        return await self.do(lambda db: db.fetchval(query, parent, parent_token))

    async def serial(self, tenant: int, name: str, period: str) -> SerialRow:
        query = "SELECT n FROM serial WHERE tenant = $1 AND name = $2 AND period = $3"
        n = await self.do(lambda db: db.fetchval(query, tenant, name, period))
        return SerialRow(tenant, name, period, n or 0)

    async def journal_of(self, iid: int, until_ver: int | None = None, after_ver: int = 0) -> list[JournalRow]:
        query = SELECT_JOURNAL + "WHERE iid = $1 AND ver > $2 AND ver <= $3 ORDER BY ver"
        limit = until_ver if until_ver is not None else 2**62
        return [JournalRow(*row) for row in await self.do(lambda db: db.fetch(query, iid, after_ver, limit))]

    async def journal_after(self, cursor: Mapping[int, int], limit: int) -> list[JournalRow]:
        async def work(db: asyncpg.Connection) -> list[JournalRow]:
            found: list[JournalRow] = []
            query = SELECT_JOURNAL + "WHERE shard = $1 AND seq > $2 ORDER BY seq LIMIT $3"
            for number, seq in await db.fetch("SELECT shard, seq FROM shard WHERE seq > 0 ORDER BY shard"):
                seen = cursor.get(number, 0)
                if seen < seq and len(found) < limit:
                    rows = await db.fetch(query, number, seen, limit - len(found))
                    found.extend(JournalRow(*row) for row in rows)
            return found

        return await self.do(work)
