"""What survives a crash: the tables of `InstanceStore` in memory, with the same rules as SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from noria.operate.ports import StaleOwnerError, StoreUnavailableError
from noria.operate.rows import (
    SHARDS,
    Commit,
    DedupRow,
    InstanceRow,
    JobRow,
    JournalRow,
    LockedJob,
    OutboxRow,
    SerialRow,
    Shard,
    TaskRow,
    TimerRow,
    WaitRow,
)

Key = tuple[int, int]


class Lease(msgspec.Struct):
    """Who holds a job, and until when."""

    until: int = 0
    token: str = ""
    worker: str = ""


class Tables:
    """All tables. Every method is one transaction, and checks as a database would.

    Attributes:
        shards: by number.
        instances: by id.
        journal: by shard, in order.
        tasks, timers, jobs, waits: (instance, number) → row.
        leases: (instance, token) → lease of an open job.
        outbox: (shard, number) → row.
        dedup: (shard, key) → row.
        answered: key → (instance, version), what `answers` looks up.
        serials: by tenant, name and period.
        after_commit: called with every commit that was written.
    """

    def __init__(self) -> None:
        self.shards = {number: Shard(number, 0, 0, bytes(32)) for number in range(SHARDS)}
        self.instances: dict[int, InstanceRow] = {}
        self.journal: dict[int, list[JournalRow]] = {number: [] for number in range(SHARDS)}
        self.tasks: dict[Key, TaskRow] = {}
        self.timers: dict[Key, TimerRow] = {}
        self.jobs: dict[Key, JobRow] = {}
        self.leases: dict[Key, Lease] = {}
        self.waits: dict[Key, WaitRow] = {}
        self.outbox: dict[Key, OutboxRow] = {}
        self.dedup: dict[tuple[int, str], DedupRow] = {}
        self.answered: dict[str, tuple[int, int]] = {}
        self.serials: dict[tuple[int, str, str], SerialRow] = {}
        self.after_commit: Callable[[Commit], None] = lambda _commit: None
        self._leases_given = 0

    def own_shards(self, owner: str) -> list[Shard]:
        for shard in self.shards.values():
            shard.epoch += 1
            shard.newest = max((iid for iid, row in self.instances.items() if row.shard == shard.shard), default=0)
        return [msgspec.structs.replace(shard) for shard in self.shards.values()]

    def pass_fences(self, commit: Commit) -> None:
        """Refuse a commit of a former owner, or one that somebody has overtaken."""
        for move in commit.moves:
            shard = self.shards[move.shard]
            if (shard.epoch, shard.seq) != (move.epoch, move.seq_before):
                raise StaleOwnerError(f"Shard {move.shard} has another owner or head now; nothing was written.")
        for row, version in commit.updates:
            known = self.instances.get(row.iid)
            if known is None or known.ver != version:
                raise StaleOwnerError(f"Instance {row.iid} is no longer at version {version}; nothing was written.")
        for place in commit.outbox_taken:
            if place not in self.outbox:
                raise StaleOwnerError(f"{place} has been delivered; nothing was written.")
        for serial in commit.serials:
            if self.serial(serial.tenant, serial.name, serial.period).n != serial.before:
                raise StaleOwnerError(f"Another {serial.name} has been drawn; nothing was written.")

    def pass_unique_keys(self, commit: Commit) -> None:
        """Refuse what the primary keys refuse."""
        for row in commit.inserts:
            if row.iid in self.instances:
                raise StoreUnavailableError(f"The database refused: instance {row.iid} exists.")
        for entry in commit.dedup:
            if (entry.shard, entry.key) in self.dedup:
                raise StoreUnavailableError(f"The database refused: key {entry.key} exists.")

    def commit(self, commit: Commit) -> None:
        self.pass_fences(commit)
        self.pass_unique_keys(commit)
        for move in commit.moves:
            shard = self.shards[move.shard]
            shard.seq, shard.head = move.seq, move.head
        for row in (*commit.inserts, *(row for row, _ in commit.updates)):
            self.instances[row.iid] = msgspec.structs.replace(row)
        for entry in commit.journal:
            self.journal[entry.shard].append(entry)
        _change(self.tasks, commit.tasks_gone, {(row.iid, row.tok): row for row in commit.tasks})
        _change(self.timers, commit.timers_gone, {(row.iid, row.timer): row for row in commit.timers})
        _change(self.jobs, commit.jobs_gone, {(row.iid, row.tok): row for row in commit.jobs})
        _change(self.leases, commit.jobs_gone, {(row.iid, row.tok): Lease() for row in commit.jobs})
        _change(self.waits, commit.waits_gone, {(row.iid, row.wait): row for row in commit.waits})
        for post in commit.outbox:
            self.outbox.setdefault((post.shard, post.n), post)
        for place in (*commit.outbox_gone, *commit.outbox_taken):
            self.outbox.pop(place, None)
        for answer in commit.dedup:
            self.dedup[answer.shard, answer.key] = answer
            self.answered[answer.key] = (answer.iid, answer.ver)
        for serial in commit.serials:
            self.serials[serial.tenant, serial.name, serial.period] = msgspec.structs.replace(serial)
        self.after_commit(commit)

    def load(self, iids: Sequence[int]) -> dict[int, InstanceRow]:
        return {iid: self._with_later(self.instances[iid]) for iid in iids if iid in self.instances}

    def _with_later(self, row: InstanceRow) -> InstanceRow:
        later = self.journal_of(row.iid, after_ver=row.ver)
        ver = later[-1].ver if later else row.ver
        return msgspec.structs.replace(row, ver=ver, later=tuple(entry.ev for entry in later))

    def answers(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        return {key: self.answered[key] for key in keys if key in self.answered}

    def due_timers(self, now_ms: int, limit: int, shards: Sequence[int] | None = None) -> list[tuple[int, int, int]]:
        assert shards is None, "one simulated server owns all shards"
        due = sorted(
            (-row.prio, row.due, row.iid, row.timer, row.tenant) for row in self.timers.values() if row.due <= now_ms
        )
        return [(iid, timer, tenant) for _, _, iid, timer, tenant in due[:limit]]

    def next_timer(self) -> int | None:
        return min((row.due for row in self.timers.values()), default=None)

    def lock_jobs(
        self, tenant: int, worker: str, topics: Sequence[str], limit: int, now_ms: int, lease_ms: int
    ) -> list[LockedJob]:
        free = sorted(
            (-row.prio, row.due, *key)
            for key, row in self.jobs.items()
            if row.tenant == tenant
            and row.topic in topics
            and row.due <= now_ms
            and self.leases[key].until <= now_ms
            and row.retries > 0
        )
        locked = []
        for _, _, iid, tok in free[:limit]:
            self._leases_given += 1
            lease = self.leases[iid, tok] = Lease(now_ms + lease_ms, f"lease{self._leases_given}", worker)
            row = self.jobs[iid, tok]
            locked.append(LockedJob(row.shard, iid, tok, row.topic, row.retries, lease.until, lease.token, row.prio))
        return locked

    def leased(self, iid: int, tok: int, lease_token: str) -> bool:
        lease = self.leases.get((iid, tok))
        return lease is not None and lease_token != "" and lease.token == lease_token

    def extend_lease(self, iid: int, tok: int, lease_token: str, lease_until: int) -> bool:
        lease = self.leases.get((iid, tok))
        if lease is None or lease.token != lease_token:
            return False
        lease.until = lease_until
        return True

    def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
        wanted = (tenant, int(signal), name, corr)
        return [row for _, row in sorted(self.waits.items()) if (row.tenant, row.signal, row.name, row.corr) == wanted][
            :limit
        ]

    def read_outbox(self, limit: int, after: Key = (-1, -1)) -> list[OutboxRow]:
        return [row for place, row in sorted(self.outbox.items()) if place > after][:limit]

    def put_outbox(self, row: OutboxRow, epoch: int) -> None:
        if self.shards[row.shard].epoch != epoch:
            raise StaleOwnerError(f"Shard {row.shard} has another owner now; nothing was accepted.")
        self.outbox.setdefault((row.shard, row.n), row)

    def drop_outbox(self, shard: int, n: int, epoch: int) -> None:
        if self.shards[shard].epoch != epoch:
            raise StaleOwnerError(f"Shard {shard} has another owner now; nothing was forgotten.")
        self.outbox.pop((shard, n), None)

    def called(self, parent: int, parent_token: int) -> int | None:
        return max(
            (row.iid for row in self.instances.values() if row.parent == parent and row.parent_token == parent_token),
            default=None,
        )

    def serial(self, tenant: int, name: str, period: str) -> SerialRow:
        known = self.serials.get((tenant, name, period))
        return SerialRow(tenant, name, period, known.n if known else 0)

    def journal_of(self, iid: int, until_ver: int | None = None, after_ver: int = 0) -> list[JournalRow]:
        shard = self.instances[iid].shard if iid in self.instances else 0
        rows = [row for row in self.journal[shard] if row.iid == iid]
        return [row for row in rows if row.ver > after_ver and (until_ver is None or row.ver <= until_ver)]

    def journal_after(self, cursor: Mapping[int, int], limit: int) -> list[JournalRow]:
        found: list[JournalRow] = []
        for number, rows in self.journal.items():
            found += rows[cursor.get(number, 0) :]
        return found[:limit]


def _change(table: dict[Key, object], gone: list[tuple[int, int, int]], put: dict[Key, object]) -> None:
    for _, iid, number in gone:
        table.pop((iid, number), None)
    table.update(put)
