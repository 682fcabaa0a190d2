"""Rows for the store suite: only what a test is about is named there."""

from __future__ import annotations

import msgspec

from noria.operate.changes import GENESIS, chained
from noria.operate.ids import InstanceIds
from noria.operate.ports import InstanceStore
from noria.operate.rows import (
    Commit,
    DedupRow,
    InstanceRow,
    JobRow,
    JournalRow,
    OutboxRow,
    SerialRow,
    Shard,
    ShardMove,
    TaskRow,
    TimerRow,
    WaitRow,
)

NOW_MS = 1_790_000_000_000
TENANT = 1
FIRST_EPOCH = 1
"""Of a shard that has had one owner."""
_ids = InstanceIds()


def an_id(shard: int = 3) -> int:
    return _ids.draw(NOW_MS, (shard,))


def an_instance(iid: int, **given: object) -> InstanceRow:
    row = InstanceRow(
        shard=iid >> 12 & 0x3FF,
        iid=iid,
        tenant=TENANT,
        definition=1,
        ver=1,
        status=0,
        bkey=f"CG-{iid}",
        title="采购 轴承",
        summary='{"amount":1}',
        starter="lin",
        unit="purchasing",
        parent=0,
        parent_token=0,
        started=NOW_MS,
        ended=0,
        round=1,
        incidents=0,
        state=b"\x00state\xff",
    )
    return msgspec.structs.replace(row, **given)


class Owner:
    """Makes commits that pass the fence: it knows the heads of the shards as their owner does."""

    def __init__(self, store: InstanceStore, shards: list[Shard]) -> None:
        self.store = store
        self.shards = {shard.shard: shard for shard in shards}

    @classmethod
    async def of(cls, store: InstanceStore) -> Owner:
        return cls(store, await store.own_shards("suite"))

    def commit(self, *rows: InstanceRow, since: int = 0, **parts: object) -> Commit:
        """A commit with one journal row for each instance; `since` is the version that must stand, 0 for new ones."""
        commit = Commit(**parts)
        for row in rows:
            head = self.shards[row.shard]
            journal = JournalRow(
                row.shard, head.seq + 1, row.iid, row.ver, NOW_MS, "lin", "start_instance", "", b"\x81", b"\x90", b""
            )
            journal.head = chained(head.head, journal)
            moved = Shard(head.shard, head.epoch, head.seq + 1, journal.head)
            before = next((move for move in commit.moves if move.shard == row.shard), None)
            if before is None:
                commit.moves.append(ShardMove(head.shard, head.epoch, head.seq, moved.seq, moved.head))
            else:
                before.seq, before.head = moved.seq, moved.head
            self.shards[row.shard] = moved
            commit.journal.append(journal)
            if since:
                commit.updates.append((row, since))
            else:
                commit.inserts.append(row)
        return commit

    async def write(self, *rows: InstanceRow, since: int = 0, **parts: object) -> None:
        await self.store.commit(self.commit(*rows, since=since, **parts))


def a_task(iid: int, tok: int = 2, **given: object) -> TaskRow:
    row = TaskRow(
        iid >> 12 & 0x3FF,
        iid,
        tok,
        TENANT,
        1,
        3,
        "",
        NOW_MS,
        NOW_MS + 1_000,
        50,
        1,
        1,
        0,
        candidates=(("g", "finance"),),
    )
    return msgspec.structs.replace(row, **given)


def a_timer(iid: int, timer: int, due: int, prio: int = 0) -> TimerRow:
    return TimerRow(iid >> 12 & 0x3FF, iid, timer, TENANT, due, prio)


def a_job(iid: int, tok: int = 2, **given: object) -> JobRow:
    return msgspec.structs.replace(JobRow(iid >> 12 & 0x3FF, iid, tok, TENANT, "order", NOW_MS, 3), **given)


def a_wait(iid: int, wait: int, **given: object) -> WaitRow:
    return msgspec.structs.replace(WaitRow(iid >> 12 & 0x3FF, iid, wait, TENANT, 0, "paid", "CG-1"), **given)


def a_post(shard: int, n: int, **given: object) -> OutboxRow:
    return msgspec.structs.replace(OutboxRow(shard, n, TENANT, "message", "paid", "CG-1", b"\x00body", 0), **given)


def an_answer(iid: int, key: str) -> DedupRow:
    return DedupRow(iid >> 12 & 0x3FF, key, iid, 1, NOW_MS)


def a_serial(n: int, before: int = 0) -> SerialRow:
    return SerialRow(TENANT, "purchase", "2026", n, before)


__all__ = [
    "FIRST_EPOCH",
    "GENESIS",
    "NOW_MS",
    "TENANT",
    "Owner",
    "a_job",
    "a_post",
    "a_serial",
    "a_task",
    "a_timer",
    "a_wait",
    "an_answer",
    "an_id",
    "an_instance",
]
