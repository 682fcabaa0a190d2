"""The rows of one commit, in the words of the schema; adapters write them, the runtime makes them."""

from __future__ import annotations

import msgspec

SHARDS = 64
"""Logical shards: part of every key and of every instance id; they move between processes and databases as wholes."""


class Shard(msgspec.Struct, gc=False):
    """The head of a shard: who owns it, and where its dense sequence and hash chain stand.

    Attributes:
        shard: 0..63.
        epoch: counts owners; a commit with an older epoch is refused.
        seq: number of the last journal row, dense from 1.
        head: hash of the last journal row, 32 zero bytes at first.
        newest: highest instance id in it, 0 for none; told to a new owner, whose clock may be behind.
    """

    shard: int
    epoch: int
    seq: int
    head: bytes
    newest: int = 0


class ShardMove(msgspec.Struct, gc=False):
    """How one commit moves the head of a shard; refused unless epoch and `seq_before` still stand."""

    shard: int
    epoch: int
    seq_before: int
    seq: int
    head: bytes


class InstanceRow(msgspec.Struct, gc=False):
    """The compact instance.

    Attributes:
        shard: its shard.
        iid: 41 bits of milliseconds, 10 of shard, 12 of a counter.
        tenant: whose it is.
        definition: id of the definition.
        ver: commands applied; in the store, those that `state` has.
        status: `noria.engine.state.Status`.
        bkey: business key.
        title: the line that names it in lists.
        summary: JSON object of the variables shown in lists.
        starter: person id.
        unit: unit id of the starter at the start, "" for none.
        parent: instance id of the caller, 0 for none.
        parent_token: token of the call activity.
        started: instant, ms.
        ended: instant, ms, 0 while it is open.
        round: highest round of its user tasks.
        incidents: open incidents.
        state: the encoded state, or that of an earlier version.
        amount: what substitutes are limited by, None when the model gives no number.
        later: the encoded events of the commands after that version, as they were read from the journal.
    """

    shard: int
    iid: int
    tenant: int
    definition: int
    ver: int
    status: int
    bkey: str
    title: str
    summary: str
    starter: str
    unit: str
    parent: int
    parent_token: int
    started: int
    ended: int
    round: int
    incidents: int
    state: bytes
    amount: float | None = None
    later: tuple[bytes, ...] = ()


class JournalRow(msgspec.Struct, gc=False):
    """One accepted command with all its events.

    Attributes:
        shard: the instance's shard.
        seq: dense in the shard.
        iid: the instance.
        ver: version of the instance after it.
        ts: instant of the command, ms.
        actor: person id or technical actor.
        action: the command's name in snake case.
        key: its idempotency key, "" for none.
        origin: msgpack of where it came from: address, device, session, method.
        ev: the encoded events.
        head: the hash chain's head after this row.
    """

    shard: int
    seq: int
    iid: int
    ver: int
    ts: int
    actor: str
    action: str
    key: str
    origin: bytes
    ev: bytes
    head: bytes


class TaskRow(msgspec.Struct, gc=False):
    """An open task, for lists.

    Candidates are rows of their own: kind "g" for groups, "u" for people, "x" for who may not do it.
    `name` is "" unless the model computes one; `provisional` is 1 when the due date lies behind its calendar's horizon;
    `opinion` is 1 where somebody is only asked for an opinion on a task of somebody else.
    """

    shard: int
    iid: int
    tok: int
    tenant: int
    definition: int
    element: int
    assignee: str
    created: int
    due: int
    prio: int
    round: int
    version: int
    claimed: int
    candidates: tuple[tuple[str, str], ...]
    name: str = ""
    provisional: int = 0
    opinion: int = 0


class TimerRow(msgspec.Struct, gc=False):
    """A timer that is set."""

    shard: int
    iid: int
    timer: int
    tenant: int
    due: int
    prio: int = 0


class JobRow(msgspec.Struct, gc=False):
    """A job that is open; leases are kept beside it by the store."""

    shard: int
    iid: int
    tok: int
    tenant: int
    topic: str
    due: int
    retries: int
    prio: int = 0


class WaitRow(msgspec.Struct, gc=False):
    """A subscription that is open."""

    shard: int
    iid: int
    wait: int
    tenant: int
    signal: int
    name: str
    corr: str


class OutboxRow(msgspec.Struct, gc=False):
    """Something that must reach other instances: a message, a signal, a call, its answer or its end.

    Attributes:
        shard: of the instance that caused it, or hash of the key for one from outside.
        n: unique in the shard, increasing.
        tenant: whose it is.
        kind: "message", "signal", "call", "call_done" or "call_cancel".
        name: of a message or signal, else "".
        corr: correlation key of a message, else "".
        body: msgpack of the rest.
        expires: instant when a waiting message is given up, ms; 0 for never.
    """

    shard: int
    n: int
    tenant: int
    kind: str
    name: str
    corr: str
    body: bytes
    expires: int


class DedupRow(msgspec.Struct, gc=False):
    """The answer that a repeated command gets."""

    shard: int
    key: str
    iid: int
    ver: int
    at: int


class SerialRow(msgspec.Struct, gc=False):
    """The last number drawn of one serial, and the one before those of this commit, which must still stand.

    The owner of the shard that a serial belongs to draws from it; a commit of one that has just been deposed may hold
    no row of that shard, so that its fence would not see it.
    """

    tenant: int
    name: str
    period: str
    n: int
    before: int = 0


class Commit(msgspec.Struct):
    """Everything that one transaction writes. All or nothing; refused as a whole when a fence or version is stale."""

    moves: list[ShardMove] = []
    inserts: list[InstanceRow] = []
    updates: list[tuple[InstanceRow, int]] = []
    """Rows to replace, each with the version that must still stand: few, for the journal has what commands do."""
    journal: list[JournalRow] = []
    tasks: list[TaskRow] = []
    """Put (insert or replace), with their candidates, which do not change while a task is open."""
    tasks_gone: list[tuple[int, int, int]] = []
    """(shard, iid, token)."""
    candidates_gone: list[tuple[int, int, int]] = []
    """Those of them that had candidates."""
    timers: list[TimerRow] = []
    timers_gone: list[tuple[int, int, int]] = []
    jobs: list[JobRow] = []
    """Put; a lease that stood is dropped."""
    jobs_gone: list[tuple[int, int, int]] = []
    waits: list[WaitRow] = []
    waits_gone: list[tuple[int, int, int]] = []
    outbox: list[OutboxRow] = []
    outbox_gone: list[tuple[int, int]] = []
    """(shard, n) of what may go, or be gone already."""
    outbox_taken: list[tuple[int, int]] = []
    """(shard, n) of what is delivered by this commit: refused unless it stands, so that nothing is delivered twice."""
    dedup: list[DedupRow] = []
    serials: list[SerialRow] = []


class LockedJob(msgspec.Struct, gc=False):
    """A job that a worker holds for a while."""

    shard: int
    iid: int
    tok: int
    topic: str
    retries: int
    lease_until: int
    lease_token: str
    prio: int = 0
