"""Guarantees taken away on purpose, one at a time: the simulation must notice each.

Not here, because nothing changes when one of them is missing alone:

- the check of a worker's lease at completion: the job's own state refuses the second completion, and a repeated side
  effect is allowed (it has the same key); the lease check only tells the worker earlier;
- the check of an instance's version at commit: the shard's epoch and number refuse everything that it would refuse as
  long as one process owns all shards; and the other way round the version does not refuse everything that the shard's
  number refuses, so that the shard's check is among the mutants;
- the key of a timer's, a job's or an answered call's delivery: the state that it would change twice is gone after the
  first time. Taking keys away everywhere is among the mutants, because a start has no state yet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import msgspec

from noria.design.bpmn.graph import Element, Kind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import joining, lifecycle, triggers
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.evolve import APPLY
from noria.engine.run import Run
from noria.engine.state import State
from noria.engine.step import HANDLERS
from noria.kernel.errors import Rejected
from noria.kernel.instants import DAY_MS, MINUTE_MS
from noria.operate.delivery import Delivery
from noria.operate.requests import Request
from noria.operate.rows import Commit, DedupRow, OutboxRow
from noria.operate.runtime import Runtime
from noria.operate.stepping import Stepper
from noria.operate.workers import Workers
from tests.simulation.server import Connection
from tests.simulation.store import Tables

Patch = Any


@dataclass(frozen=True)
class Mutant:
    """One guarantee taken away.

    Attributes:
        name: what happens instead.
        patches: makes the patches that take it away.
        focus: what worlds have more of than usual, so that few seeds are enough (see `World`).
    """

    name: str
    patches: Callable[[], list[Patch]]
    focus: tuple[str, ...] = ()

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The mutant at work."""
        with ExitStack() as stack:
            for item in self.patches():
                stack.enter_context(item)
            yield


MUTANTS: list[Mutant] = []
"""Those that some seeds notice soon."""

RARE_MUTANTS: list[Mutant] = []
"""Those that take several faults in a row, one seed in many hundred; a scenario brings them about at once."""


def mutant(*focus: str) -> Callable[[Callable[[], list[Patch]]], Callable[[], list[Patch]]]:
    """Register a mutant by the name of the function that makes its patches."""

    def register(patches: Callable[[], list[Patch]]) -> Callable[[], list[Patch]]:
        MUTANTS.append(Mutant(patches.__name__, patches, focus))
        return patches

    return register


def rare_mutant(patches: Callable[[], list[Patch]]) -> Callable[[], list[Patch]]:
    """Register a mutant that only a scenario notices reliably."""
    RARE_MUTANTS.append(Mutant(patches.__name__, patches))
    return patches


# The engine


@mutant()
def parallel_join_passes_on_the_first_token() -> list[Patch]:
    def enter(run: Run, token: int, element: Element) -> None:
        run.leave(token, element)

    return [patch.dict(BEHAVIOURS, {Kind.PARALLEL_GATEWAY: enter})]


@mutant()
def inclusive_join_does_not_wait() -> list[Patch]:
    return [patch.object(joining, "_may_still_arrive", lambda _run, _scope, _element, _arrived: False)]


@mutant()
def interrupted_activity_goes_on() -> list[Patch]:
    def trigger(run: Run, element: Element, host: int, variables: Any) -> None:
        token = run.place(element.index, run.state.tokens[host].scope)
        run.assign(token, element, variables)
        run.leave(token, element)

    return [patch.object(triggers, "_trigger_boundary", trigger)]


@mutant("sub_process")
def event_sub_process_does_not_end_its_scope() -> list[Patch]:
    def cancel_scope(self: Run, scope: int, reason: str, but: Collection[int] = ()) -> None:
        if reason != "event_sub_process":
            original(self, scope, reason, but)

    original = Run.cancel_scope
    return [patch.object(Run, "cancel_scope", cancel_scope)]


@mutant()
def timer_fires_five_minutes_early() -> list[Patch]:
    def fire(run: Run, command: c.FireTimer) -> Rejected | None:
        run.now_ms += 5 * MINUTE_MS
        return lifecycle.fire_timer(run, command)

    async def due_timers(self: Connection, now_ms: int, limit: int, shards: Any = None) -> Any:
        return await original(self, now_ms + 5 * MINUTE_MS, limit, shards)

    original = Connection.due_timers
    return [patch.dict(HANDLERS, {c.FireTimer: fire}), patch.object(Connection, "due_timers", due_timers)]


def _leaving_behind(state: State, event: Any, keep: Callable[[int], bool]) -> None:
    """What `ElementLeft` does, but some of what the token hosts stays."""
    hosted = state.hosted.get(event.token, ())
    timers = {key: state.timers[key] for key in hosted if key in state.timers and keep(key)}
    waits = {key: state.waits[key] for key in hosted if key in state.waits and keep(key)}
    APPLY_LEFT(state, event)
    state.timers.update(timers)
    state.waits.update(waits)


APPLY_LEFT = APPLY[e.ElementLeft]


@mutant()
def reminders_stay_when_their_task_is_done() -> list[Patch]:
    def left(state: State, event: Any) -> None:
        _leaving_behind(state, event, lambda key: key in state.timers and state.timers[key].share > 0)

    return [patch.dict(APPLY, {e.ElementLeft: left})]


@mutant()
def boundary_events_stay_armed_when_their_activity_is_done() -> list[Patch]:
    def left(state: State, event: Any) -> None:
        _leaving_behind(state, event, lambda key: key in state.waits or state.timers[key].share == 0)

    return [patch.dict(APPLY, {e.ElementLeft: left})]


@mutant()
def closed_job_and_repeated_key_are_not_refused() -> list[Patch]:
    return [*_no_keys(), patch.object(lifecycle, "_job_closed", lambda _run, _token: None)]


# The runtime


def _no_keys() -> list[Patch]:
    async def answers(_self: Runtime, _keys: list[str]) -> dict[str, Any]:
        return {}

    def complete(self: Stepper, batch: Any) -> None:
        batch.commit.dedup.clear()
        original(self, batch)

    original = Stepper.complete
    return [patch.object(Runtime, "_answers", answers), patch.object(Stepper, "complete", complete)]


@mutant()
def repeated_key_is_carried_out_again() -> list[Patch]:
    return _no_keys()


@mutant()
def refused_command_is_marked_as_done() -> list[Patch]:
    def answer(self: Stepper, batch: Any, request: Request, repeated: Any, now_ms: int) -> Any:
        given = original(self, batch, request, repeated, now_ms)
        if isinstance(given, Rejected) and request.key:
            batch.commit.dedup.append(DedupRow(0, request.key, request.iid, 1, 0))
            batch.commit.outbox_gone.append((-1, -1))
        return given

    original = Stepper.answer
    return [patch.object(Stepper, "answer", answer)]


class _Kept(OrderedDict[Any, Any]):
    def pop(self, *_arguments: Any) -> Any:
        return None

    def clear(self) -> None:
        return None


@mutant()
def memory_is_kept_after_a_conflict() -> list[Patch]:
    def init(self: Runtime, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        self._cache = _Kept()

    original = Runtime.__init__
    return [patch.object(Runtime, "__init__", init)]


@mutant()
def command_is_answered_before_it_is_written() -> list[Patch]:
    def complete(self: Stepper, batch: Any) -> None:
        original(self, batch)
        for pending, answer in batch.answers:
            if not pending.future.done():
                pending.future.set_result(answer)

    original = Stepper.complete
    return [patch.object(Stepper, "complete", complete)]


@rare_mutant
def old_epoch_is_used_when_shards_cannot_be_taken_anew() -> list[Patch]:
    async def take(self: Runtime) -> None:
        before = dict(self._shards)
        try:
            await original(self)
        except BaseException:
            self._shards.update(before)
            self._unsure = False
            raise

    original = Runtime._take_shards
    return [patch.object(Runtime, "_take_shards", take)]


# The store


@mutant()
def commit_of_a_former_owner_is_accepted() -> list[Patch]:
    return [patch.object(Tables, "pass_fences", lambda _self, _commit: None)]


@mutant()
def outbox_is_written_in_a_second_transaction() -> list[Patch]:
    async def commit(self: Connection, commit: Commit) -> None:
        posts, commit.outbox = commit.outbox, []
        await original(self, commit)
        for row in posts:
            await self.put_outbox(row, self._world.tables.shards[row.shard].epoch)

    original = Connection.commit
    return [patch.object(Connection, "commit", commit)]


@mutant()
def open_work_is_written_in_a_second_transaction() -> list[Patch]:
    async def commit(self: Connection, commit: Commit) -> None:
        second = Commit(waits=commit.waits, waits_gone=commit.waits_gone)
        commit.waits, commit.waits_gone = [], []
        await original(self, commit)
        if second.waits or second.waits_gone:
            await original(self, second)

    original = Connection.commit
    return [patch.object(Connection, "commit", commit)]


@mutant()
def timer_row_goes_before_the_timer_fires() -> list[Patch]:
    def due_timers(self: Tables, now_ms: int, limit: int, shards: Any = None) -> list[tuple[int, int, int]]:
        due = original(self, now_ms, limit, shards)
        for iid, timer, _ in due:
            del self.timers[iid, timer]
        return due

    original = Tables.due_timers
    return [patch.object(Tables, "due_timers", due_timers)]


@mutant()
def lease_never_ends() -> list[Patch]:
    async def lock(self: Workers, tenant: int, worker: str, topics: Any, limit: int, _lease_ms: int) -> Any:
        return await original(self, tenant, worker, topics, limit, 3_650 * DAY_MS)

    original = Workers.lock
    return [patch("noria.operate.workers.LEASE_MS_MAX", 3_650 * DAY_MS), patch.object(Workers, "lock", lock)]


# Delivery


@mutant()
def outbox_row_goes_before_it_is_delivered() -> list[Patch]:
    async def deliver(self: Delivery, row: OutboxRow) -> None:
        await self._drop(row)
        await original(self, row)

    original = Delivery._deliver
    return [patch.object(Delivery, "_deliver", deliver)]


@mutant("message")
def subscription_that_opens_during_a_delivery_is_overlooked() -> list[Patch]:
    async def drain(self: Delivery) -> None:
        await original(self)
        self._new_waits.clear()

    original = Delivery.drain
    return [patch.object(Delivery, "drain", drain)]


@rare_mutant
def commit_without_an_answer_is_not_looked_for() -> list[Patch]:
    def committed(self: Delivery, items: list[Any]) -> None:
        if items:
            original(self, items)

    original = Delivery._committed
    return [patch.object(Delivery, "_committed", committed)]


@mutant("call")
def called_instance_outlives_its_caller() -> list[Patch]:
    async def call_cancel(self: Delivery, row: OutboxRow, _post: Any) -> None:
        await self._drop(row)

    return [patch.object(Delivery, "_call_cancel", call_cancel)]


@mutant()
def delivery_stops_at_the_first_fault() -> list[Patch]:
    async def work(self: Delivery) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.drain()

    return [patch.object(Delivery, "_work", work)]


@mutant("suspend", "call")
def answer_to_a_suspended_caller_is_dropped() -> list[Patch]:
    async def send(self: Delivery, row: OutboxRow, *arguments: Any, last: bool = True, only: bool = True) -> bool:
        taken = await original(self, row, *arguments, last=last, only=only)
        if not taken and last and only:
            await self._drop(row)
        return taken

    original = Delivery._send
    return [patch.object(Delivery, "_send", send)]


@mutant("suspend")
def subscriptions_of_a_resumed_instance_are_overlooked() -> list[Patch]:
    def committed(self: Delivery, items: list[Any]) -> None:
        untold = (e.InstanceResumed, e.InstanceRestored)
        kept = [
            msgspec.structs.replace(item, events=tuple(event for event in item.events if not isinstance(event, untold)))
            for item in items
        ]
        original(self, kept)

    original = Delivery._committed
    return [patch.object(Delivery, "_committed", committed)]


@rare_mutant
def nobody_is_told_when_the_shards_cannot_be_taken_anew() -> list[Patch]:
    def tell(self: Runtime, items: list[Any]) -> None:
        if items or not self._unsure:
            original(self, items)

    original = Runtime.tell
    return [patch.object(Runtime, "tell", tell)]
