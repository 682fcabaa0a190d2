"""One batch of commands: what each does to its instance, and the commit that all of them make.

Nothing here waits for anything; the runtime has brought what is needed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from functools import lru_cache
from operator import attrgetter

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.outcome import Outcome
from noria.engine.state import State, encode_state
from noria.engine.step import park, step
from noria.kernel.errors import Rejected
from noria.operate.changes import MANY, POSTED, Held, add_open_work, chained, posts, refresh_row
from noria.operate.ids import ALL_SHARDS, ANYWHERE, InstanceIds, shard_of
from noria.operate.requests import Accepted, Answer, BrokenError, Committed, Origin, Request
from noria.operate.rows import Commit, DedupRow, InstanceRow, JournalRow, SerialRow, Shard, ShardMove
from noria.operate.titles import amount_of, summary_of, title_of

logger = logging.getLogger(__name__)

WRITING = frozenset({e.InstanceStarted, e.VariablesSet})
"""Events after which an instance may be called otherwise in lists."""

_NOTED = WRITING | POSTED

_NOTHING_YET = State()
"""What an instance is before its first command."""

LAG_MAX = 32
"""Commands after which a state is written anew: one more than whoever reads it may have to replay."""

InlineHandler = Callable[[Mapping[str, object]], Mapping[str, object]]
"""A pure, fast job handler that runs in the same commit: variables in, variables out."""


class Pending(msgspec.Struct):
    """A command that waits for its answer.

    Attributes:
        request: the command.
        future: gets the answer.
        shard: whose owner must run it, `ANYWHERE` for any.
        here: whether it may not be passed on: it came from another process, which asks again itself.
        passed_on: whether another process has been asked.
    """

    request: Request
    future: asyncio.Future[Answer]
    shard: int = ANYWHERE
    here: bool = False
    passed_on: bool = False


class Batch:
    """What one batch has done so far, before anything is written.

    Attributes:
        losses: how often shards had been lost when it began; what it read before another loss is not to be relied on.
        below: the batch before, whose commit was on its way when this one began; what it did counts as done.
        pendings: the commands taken in.
        machines: how many of them are machines'.
        flight: its own commit, once that is on its way.
    """

    def __init__(self, losses: int, below: Batch | None = None) -> None:
        self.losses = losses
        self.below = below
        self.pendings: list[Pending] = []
        self.machines = 0
        self.flight: asyncio.Future[None] | None = None
        self.commit = Commit()
        self.held: dict[int, Held] = {}
        self.shards: dict[int, Shard] = {}
        self.shards_before: dict[int, Shard] = {}
        self.serials: dict[tuple[int, str, str], SerialRow] = {}
        self.definitions: dict[int, Definition] = {}
        self.answers: list[tuple[Pending, Answer]] = []
        self.by_key: dict[str, Accepted] = {}
        self.committed: list[Committed] = []

    def events_of(self, iid: int) -> list[e.AnyEvent]:
        """What has happened to an instance in this batch."""
        return [event for one in self.committed if one.row.iid == iid for event in one.events]


class Stepper:
    """Steps the commands of a batch.

    Attributes:
        shards: those that are owned, with their heads.
        starts_in: those of them in which instances may be started.
        ids: draws ids of new instances.
        inline: handlers of jobs that are done in the same commit, by topic.
    """

    def __init__(self, facts: Callable[[int], Facts]) -> None:
        self._facts = facts
        self.shards: dict[int, Shard] = {}
        self.starts_in: tuple[int, ...] = ALL_SHARDS
        self.ids = InstanceIds()
        self.inline: dict[str, InlineHandler] = {}

    def answer(self, batch: Batch, request: Request, repeated: Mapping[str, Accepted], now_ms: int) -> Answer:
        """Step one command on top of what the batch and the one below it have done.

        Args:
            batch: what it belongs to.
            request: the command; its instance and definition have been brought.
            repeated: the first answers to those keys of the batch that were used before.
            now_ms: the instant of the command.
        """
        if request.key:
            known = repeated.get(request.key) or batch.by_key.get(request.key)
            if known is None and batch.below is not None:
                known = batch.below.by_key.get(request.key)
            if known is not None:
                if request.consumes is not None:
                    # It may be gone already, with the first answer.
                    batch.commit.outbox_gone.append(request.consumes)
                return Accepted(known.iid, known.version, repeated=True)
        command = request.command
        drawn: SerialRow | None = None
        # Not `isinstance`: for these classes it takes five times as long.
        if type(command) is c.StartInstance:
            if request.serial is not None and not command.business_key:
                # The request itself stays as it came: after a failed batch it draws anew.
                drawn = batch.serials[request.tenant, request.serial.name, request.serial.period]
                number = request.serial.pattern.format(year=request.serial.year, number=drawn.n + 1)
                command = msgspec.structs.replace(command, business_key=number)
            held = self._new(batch.definitions[request.definition], command, request, now_ms)
        else:
            found = batch.held.get(request.iid)
            if found is None or found.row.tenant != request.tenant:
                return Rejected("instance.not_found", "There is no such instance.")
            held = found
        answer = self._step(batch, held, command, request, now_ms)
        if type(answer) is not Accepted:
            return answer
        if drawn is not None:
            drawn.n += 1
        if request.consumes is not None:
            batch.commit.outbox_taken.append(request.consumes)
        if request.key:
            batch.by_key[request.key] = answer
            batch.commit.dedup.append(DedupRow(held.row.shard, request.key, held.row.iid, answer.version, now_ms))
        if self.inline:
            self._do_inline_jobs(batch, held, answer.events, request, now_ms)
        return answer

    def _new(self, definition: Definition, command: c.StartInstance, request: Request, now_ms: int) -> Held:
        iid = self.ids.draw(now_ms, self.starts_in)
        parent = command.parent
        row = InstanceRow(
            shard=shard_of(iid),
            iid=iid,
            tenant=request.tenant,
            definition=request.definition,
            ver=0,
            status=0,
            bkey="",
            title="",
            summary="{}",
            starter=command.by,
            unit=request.unit,
            parent=parent.instance if parent else 0,
            parent_token=parent.token if parent else 0,
            started=now_ms,
            ended=0,
            round=1,
            incidents=0,
            state=b"",
        )
        return Held(row, _NOTHING_YET, definition)

    def _step(
        self, batch: Batch, held: Held, command: c.AnyCommand, request: Request, now_ms: int
    ) -> Accepted | Rejected:
        row = held.row
        facts = self._facts(row.tenant)
        if request.target:
            facts = msgspec.structs.replace(facts, target=batch.definitions[request.target])
        outcome = decided(held, command, request.actor, now_ms, facts)
        if type(outcome) is not Outcome:
            return outcome
        if request.target and facts.target is not None:
            held.definition, row.definition, held.relisted = facts.target, request.target, True
        if not row.ver:
            batch.held[row.iid] = held
        held.state = outcome.state
        shard = batch.shards.get(row.shard)
        if shard is None:
            below = batch.below.shards.get(row.shard) if batch.below is not None else None
            owned = batch.shards_before[row.shard] = below or self.shards[row.shard]
            shard = batch.shards[row.shard] = copy(owned)
        shard.seq += 1
        journal = JournalRow(
            row.shard,
            shard.seq,
            row.iid,
            outcome.state.version,
            now_ms,
            request.actor,
            c.ACTIONS[command.__class__],
            request.key,
            _encode_origin(request.origin),
            e.encode_events(outcome.events),
            b"",
        )
        journal.head = shard.head = chained(shard.head, journal)
        batch.commit.journal.append(journal)
        batch.committed.append(Committed(journal, row, held.definition, outcome.events))
        for event in outcome.events:
            if event.__class__ in _NOTED:
                _note(batch.commit, held, outcome, shard.seq, now_ms)
                break
        refresh_row(held, now_ms)
        return Accepted(row.iid, outcome.state.version, outcome.events)

    def _do_inline_jobs(
        self, batch: Batch, held: Held, events: tuple[e.AnyEvent, ...], request: Request, now_ms: int
    ) -> None:
        """Complete the jobs that have an inline handler, those that come up by completing them too."""
        todo = deque(event for event in events if isinstance(event, e.JobCreated) and event.topic in self.inline)
        machine = Request(request.command, "inline", tenant=request.tenant, origin=Origin("worker"))
        while todo:
            job = todo.popleft()
            variables = held.state.scopes[0].variables
            command: c.AnyCommand
            try:
                command = c.CompleteJob(job.token, "inline", dict(self.inline[job.topic](variables)))
            except Exception as error:  # noqa: BLE001 - a handler's failure is the job's, with retries and incident
                command = c.FailJob(job.token, "inline", f"{type(error).__name__}: {error}")
            answer = self._step(batch, held, command, machine, now_ms)
            if isinstance(answer, Accepted):
                todo.extend(
                    event for event in answer.events if isinstance(event, e.JobCreated) and event.topic in self.inline
                )

    def complete(self, batch: Batch) -> None:
        """Add to the commit what depends on the end of the whole batch."""
        commit = batch.commit
        for held in batch.held.values():
            base = held.base
            before = base.state if base is not None else _NOTHING_YET
            if held.state is before:
                continue
            row, stored = held.row, held.stored
            if base is None or not _may_lag(held) or (held.relisted and listed(base.row) != listed(row)):
                row.state, held.stored, held.ours = encode_state(held.state), held.state.version, True
                if stored:
                    commit.updates.append((row, stored))
                else:
                    commit.inserts.append(row)
            add_open_work(commit, before, held, batch.events_of(row.iid) if len(held.state.tasks) > MANY else None)
        for number, shard in batch.shards.items():
            owned = batch.shards_before[number]
            commit.moves.append(ShardMove(number, owned.epoch, owned.seq, shard.seq, shard.head))
        commit.serials.extend(serial for serial in batch.serials.values() if serial.n > serial.before)


def _may_lag(held: Held) -> bool:
    """Whether the journal row is enough for now."""
    # A process of a version that does not look for more in the journal may have written what is stored. It cannot read
    # what this one writes.
    return held.ours and held.state.version - held.stored < LAG_MAX


def _note(commit: Commit, held: Held, outcome: Outcome, seq: int, now_ms: int) -> None:
    """What other instances must be told of, and what lists call the instance now."""
    writes = False
    for index, event in enumerate(outcome.events):
        if event.__class__ in WRITING:
            writes = True
        elif event.__class__ in POSTED and (post := posts(held, event, seq, index, now_ms)) is not None:
            commit.outbox.append(post)
    if writes:
        row, variables = held.row, outcome.state.scopes[0].variables
        row.bkey = outcome.state.business_key
        row.title = title_of(held.definition, variables, row.bkey, now_ms)
        row.summary = summary_of(held.definition, variables)
        row.amount = amount_of(held.definition, variables, now_ms)
        held.relisted = True


def decided(held: Held, command: c.AnyCommand, actor: str, now_ms: int, facts: Facts) -> Outcome | Rejected:
    """What the engine makes of a command. A broken invariant parks this one instance, never the node."""
    by = getattr(command, "by", "")
    if by and by != actor:
        facts = msgspec.structs.replace(facts, actor=actor)
    try:
        return step(held.definition, held.state, command, now_ms, facts)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one instance must stay there
        return park(held.definition, held.state, command, now_ms, facts, broken(error, held.row.iid))


def broken(error: Exception, iid: int = 0) -> BrokenError:
    """What callers are told of a defect; the log has its trace."""
    logger.error("A command failed on a defect%s", f" of instance {iid}" if iid else "", exc_info=error)
    return BrokenError(
        f"A defect of Noria stopped this command ({type(error).__name__}); nothing was done. The log has the details."
    )


listed = attrgetter("definition", "status", "bkey", "title", "summary", "amount", "ended", "round", "incidents")
"""The columns of an instance row that lists show, and that most commands leave alone."""


@lru_cache(maxsize=1_024)
def _encode_origin(origin: Origin) -> bytes:
    return msgspec.msgpack.encode(origin)
