"""From engine results to rows: what one batch of commands changes in the store."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from hashlib import blake2b
from itertools import compress, filterfalse
from operator import is_not
from typing import TypeVar

import msgspec

from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.state import Consultation, Deadline, State, Status, Task
from noria.operate.rows import (
    Commit,
    InstanceRow,
    JobRow,
    JournalRow,
    OutboxRow,
    TaskRow,
    TimerRow,
    WaitRow,
)

GENESIS = bytes(32)
"""Head of an empty hash chain."""

_OPEN = Status.OPEN
_FEW = 8
"""So many are looked through one by one sooner than by chained iterators."""
MANY = 64
"""Of more tasks those that have changed are found by what has happened: to look through a thousand takes as long as all
else that a command does."""
_OF_WHOLE_STATES = frozenset({e.InstanceMigrated, e.InstanceRestored, e.TakenBack, e.InstanceRestarted})

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_encoder = msgspec.msgpack.Encoder()
_NOTHING_HASHED = blake2b(digest_size=32)


def chained(head: bytes, row: JournalRow) -> bytes:
    """The head of the hash chain after a row: blake2b-256 over the head before it and every field of the row."""
    content = _encoder.encode(
        (row.shard, row.seq, row.iid, row.ver, row.ts, row.actor, row.action, row.key, row.origin, row.ev)
    )
    # A copy of one that has seen nothing: to begin one with its parameters takes longer than to hash a row.
    chain = _NOTHING_HASHED.copy()
    chain.update(head)
    chain.update(content)
    return chain.digest()


class Held(msgspec.Struct, gc=False):
    """An instance in memory.

    Attributes:
        row: as of the state, but for `state`, which is only encoded for a commit that writes it.
        state: the decoded state.
        definition: what it runs on.
        stored: the version that the row in the store is of, 0 while there is none.
        ours: whether this process has written that.
        base: what a batch that is not committed yet has made it from, None for a new one.
        relisted: whether columns that lists show have been set since.
    """

    row: InstanceRow
    state: State
    definition: Definition
    stored: int = 0
    ours: bool = False
    base: Held | None = None
    relisted: bool = False

    def opened(self) -> Held:
        """One made from it, for a batch to change."""
        row = self.row.__copy__()  # type: ignore[attr-defined]  # see `State.copy`
        return Held(row, self.state, self.definition, self.stored, self.ours, self)


def _perhaps_changed(before: Mapping[K, V], after: Mapping[K, V]) -> Iterable[tuple[K, V]]:
    """What may be new in `after` or replaced there: all of it when it is little, for that is sooner looked through."""
    if len(after) < _FEW:
        return after.items()
    # No loop in Python: of a thousand open tasks a command changes one.
    return compress(after.items(), map(is_not, after.values(), map(before.get, after)))


def _perhaps_gone(before: Mapping[K, V], after: Mapping[K, V]) -> Iterable[K]:
    """The keys that `after` may have no more: all when they are few."""
    if len(before) < _FEW:
        return before
    return filterfalse(after.__contains__, before)


def _task_row(row: InstanceRow, tok: int, task: Task, deadline: Deadline | None) -> TaskRow:
    candidates: tuple[tuple[str, str], ...] = ()
    if task.groups or task.users or task.excluded:
        candidates = (
            *(("g", group) for group in task.groups),
            *(("u", user) for user in task.users),
            *(("x", person) for person in task.excluded),
        )
    return TaskRow(
        row.shard,
        row.iid,
        tok,
        row.tenant,
        row.definition,
        task.element,
        task.assignee,
        task.opened_ms,
        task.due_ms,
        task.priority,
        task.round,
        task.version,
        1 if task.claimed else 0,
        task.name,
        1 if deadline is not None and deadline.provisional else 0,
        0,
        candidates,
    )


def _opinion_row(row: InstanceRow, key: int, asked: Consultation) -> TaskRow:
    return TaskRow(
        row.shard,
        row.iid,
        key,
        row.tenant,
        row.definition,
        asked.element,
        asked.person,
        asked.at_ms,
        0,
        50,
        1,
        1,
        0,
        opinion=1,
    )


def _tokens_in(events: Iterable[e.AnyEvent]) -> dict[int, None] | None:
    """The tokens whose tasks some events may have opened, changed or closed; None when it may be any."""
    found: dict[int, None] = {}
    for event in events:
        if event.__class__ in _OF_WHOLE_STATES:
            return None
        token = event.key if isinstance(event, e.DeadlineMoved) else getattr(event, "token", None)
        if token is not None:
            found[token] = None
    return found


def add_open_work(commit: Commit, before: State, held: Held, happened: Iterable[e.AnyEvent] | None) -> None:
    """Add the rows of what is open now: tasks, timers, jobs and subscriptions that appeared, changed or went.

    Args:
        commit: what they are added to.
        before: the state that the store has.
        held: the instance as it is now.
        happened: the events between the two, None for looking through all tasks.
    """
    row, after = held.row, held.state
    shard, iid = row.shard, row.iid
    if before.tasks is not after.tasks:
        tasks_before, tasks = before.tasks, after.tasks
        named = _tokens_in(happened) if happened is not None else None
        if named is None:
            changed, gone = _perhaps_changed(tasks_before, tasks), _perhaps_gone(tasks_before, tasks)
        else:
            changed = [(tok, tasks[tok]) for tok in named if tok in tasks]
            gone = [tok for tok in named if tok in tasks_before]
        for tok, task in changed:
            if tasks_before.get(tok) is not task:
                commit.tasks.append(_task_row(row, tok, task, after.deadlines.get(tok)))
        for tok in gone:
            if tok not in tasks:
                commit.tasks_gone.append((shard, iid, tok))
                task = tasks_before[tok]
                if task.groups or task.users or task.excluded:
                    commit.candidates_gone.append((shard, iid, tok))
    if before.consultations is not after.consultations:
        asked_before, asked = before.consultations, after.consultations
        for key, item in _perhaps_changed(asked_before, asked):
            if asked_before.get(key) is not item:
                commit.tasks.append(_opinion_row(row, key, item))
        commit.tasks_gone.extend((shard, iid, key) for key in _perhaps_gone(asked_before, asked) if key not in asked)
    if before.suspended or after.suspended:
        # Nothing falls due, is fetched or is delivered while an instance is suspended.
        before, after = _at_rest(before), _at_rest(after)
    if before.timers is not after.timers:
        timers_before, timers = before.timers, after.timers
        for key, timer in _perhaps_changed(timers_before, timers):
            if timers_before.get(key) is not timer:
                commit.timers.append(TimerRow(shard, iid, key, row.tenant, timer.due_ms, timer.priority))
        commit.timers_gone.extend(
            (shard, iid, key) for key in _perhaps_gone(timers_before, timers) if key not in timers
        )
    if before.jobs is not after.jobs:
        jobs_before, jobs = before.jobs, after.jobs
        for tok, job in _perhaps_changed(jobs_before, jobs):
            known = jobs_before.get(tok)
            # A job that only stands at another element, after a migration, stays with who has leased it.
            if known is None or (known is not job and msgspec.structs.replace(known, element=job.element) != job):
                commit.jobs.append(
                    JobRow(shard, iid, tok, row.tenant, job.topic, job.due_ms, job.retries, job.priority)
                )
        commit.jobs_gone.extend((shard, iid, tok) for tok in _perhaps_gone(jobs_before, jobs) if tok not in jobs)
    if before.waits is not after.waits:
        waits_before, waits = before.waits, after.waits
        for key, wait in _perhaps_changed(waits_before, waits):
            if waits_before.get(key) is not wait:
                commit.waits.append(WaitRow(shard, iid, key, row.tenant, int(wait.signal), wait.name, wait.key))
        commit.waits_gone.extend((shard, iid, key) for key in _perhaps_gone(waits_before, waits) if key not in waits)


def _at_rest(state: State) -> State:
    """What of a state can happen by itself: nothing while it is suspended."""
    return State(tasks=state.tasks) if state.suspended else state


class Posted(msgspec.Struct, frozen=True):
    """The body of an outbox row; which fields count depends on its kind.

    Attributes:
        instance: who caused it, 0 for a message from outside.
        token: the call activity, for the four call kinds.
        variables: handed over.
        message_id: unique id, the idempotency key of its delivery.
        process: key of the called process.
        binding: "latest", "deployment" or "version:N".
        error: code of a failed call, or of an escalation.
        message: text of a failed call.
        told_own: the thrower's own subscriptions to the signal have taken it up already.
        business_key: of the called instance.
        within: the signal is for those alone that called the thrower or were called by it, near or far.
    """

    instance: int = 0
    token: int = 0
    variables: dict[str, object] = {}
    message_id: str = ""
    process: str = ""
    binding: str = ""
    error: str = ""
    message: str = ""
    business_key: str = ""
    told_own: bool = False
    within: bool = False


ENDS = (e.InstanceCompleted, e.InstanceTerminated, e.InstanceFailed, e.InstanceRefused)
"""How a called instance may end: it is not withdrawn."""

POSTED = frozenset({e.MessageThrown, e.SignalThrown, e.CallRequested, e.CallCancelled, e.EscalationThrown, *ENDS})
"""Events that other instances may have to be told of."""

THROWN_MESSAGE_TTL_MS = 3_600_000
"""How long a message thrown by an instance waits for somebody to await it."""


def posts(held: Held, event: e.AnyEvent, seq: int, index: int, now_ms: int) -> OutboxRow | None:
    """What an event must tell other instances, None when there is nobody to tell.

    Args:
        held: the instance after the command.
        event: one of its events, of a type in `POSTED`.
        seq: journal number of the command, which makes the row's number unique and rising.
        index: position of the event in the command.
        now_ms: instant of the command.
    """
    row = held.row
    message_id = f"{row.iid}-{seq}-{index}"
    kind, name, corr, expires = "", "", "", 0
    if isinstance(event, e.MessageThrown):
        kind, name, corr, expires = "message", event.name, event.key, now_ms + THROWN_MESSAGE_TTL_MS
        body = Posted(row.iid, variables=event.variables, message_id=message_id)
    elif isinstance(event, e.SignalThrown):
        if event.within and not row.parent and not held.state.calls:
            return None
        kind, name, corr = "signal", event.name, event.business_key
        body = Posted(row.iid, variables=event.variables, message_id=message_id, told_own=True, within=event.within)
    elif isinstance(event, e.CallRequested):
        kind = "call"
        body = Posted(
            row.iid,
            event.token,
            event.variables,
            message_id,
            event.process,
            event.binding,
            business_key=event.business_key,
        )
    elif isinstance(event, e.CallCancelled):
        kind = "call_cancel"
        body = Posted(row.iid, event.token, message_id=message_id)
    elif row.parent and isinstance(event, e.EscalationThrown) and event.caught_by < 0:
        kind = "call_escalation"
        variables = held.state.scopes[0].variables
        body = Posted(row.parent, row.parent_token, variables, message_id, error=event.code)
    elif row.parent and isinstance(event, ENDS):
        kind = "call_done"
        error, message = "", ""
        if isinstance(event, e.InstanceFailed):
            error, message = event.code, event.message
        elif isinstance(event, e.InstanceTerminated):
            error, message = "call.terminated", event.reason
        elif isinstance(event, e.InstanceRefused):
            error, message = "call.refused", ""
        body = Posted(row.parent, row.parent_token, held.state.scopes[0].variables, message_id, "", "", error, message)
    else:
        return None
    return OutboxRow(row.shard, seq << 14 | index, row.tenant, kind, name, corr, _encoder.encode(body), expires)


def refresh_row(held: Held, now_ms: int) -> None:
    """Bring the instance row's columns up to the state; the state itself is encoded once, for the commit."""
    row, state = held.row, held.state
    row.ver = state.version
    incidents = len(state.incidents)
    round_ = max(state.rounds.values()) if state.rounds else 1
    if row.incidents != incidents or row.round != round_:
        row.incidents, row.round, held.relisted = incidents, round_, True
    if row.status != state.status:
        row.status, held.relisted = int(state.status), True
        row.ended = 0 if state.status is _OPEN else now_ms
