"""Between instances: messages, signals, calls and their answers, delivered from the outbox.

At least once with a stable key, and the key makes it exactly once: the command that delivers forgets the outbox row in
its own commit, and a repetition is answered by the first answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec

from noria.design.bpmn.graph import Trigger
from noria.design.feel import EvaluationContext
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.state import Parent
from noria.kernel.errors import NoriaError, Rejected
from noria.operate.background import ended
from noria.operate.changes import ENDS, POSTED, Posted
from noria.operate.ports import (
    Clock,
    InstanceStore,
    NoAnswerError,
    NotOwnerError,
    StaleOwnerError,
    StoreUnavailableError,
)
from noria.operate.requests import Committed, Origin, OverloadedError, Request
from noria.operate.rows import OutboxRow
from noria.operate.runtime import NOT_OWNER, Runtime

logger = logging.getLogger(__name__)

_PAGE = 500
_decoder = msgspec.msgpack.Decoder(Posted)
_ABOUT_ALL = (StoreUnavailableError, StaleOwnerError, OverloadedError)
"""Failures that the next row would meet too."""
_ABOUT_OTHERS = (NotOwnerError, NoAnswerError)
"""Failures of the process at the other end."""
ENGINE = "engine"
"""The technical actor of deliveries."""
CALL_DEPTH_MAX = 1_000
"""How many calls may lie between an instance and the one that nobody called."""
_OPENING = frozenset({e.WaitOpened, e.InstanceResumed, e.InstanceRestored, e.TakenBack, e.InstanceRestarted})
"""Events that open subscriptions."""


class StartPoint(msgspec.Struct, frozen=True):
    """A start event that a message, signal or timer may trigger.

    Attributes:
        definition: id of the newest version of the process.
        element: id of the start event.
    """

    definition: int
    element: str


class Directory(Protocol):
    """Which definitions there are."""

    def message_starts(self, tenant: int, name: str) -> Sequence[StartPoint]:
        """Start events of the newest versions that a message of this name triggers."""
        ...

    def signal_starts(self, tenant: int, name: str) -> Sequence[StartPoint]:
        """Start events of the newest versions that a signal of this name triggers."""
        ...

    def condition_starts(self, tenant: int) -> Sequence[tuple[StartPoint, Trigger]]:
        """Conditional start events of the newest versions."""
        ...

    def called(self, tenant: int, process: str, binding: str, caller: int) -> int | None:
        """The definition that a call activity of definition `caller` calls; None when there is none."""
        ...


class Delivery:
    """Works the outbox off, in order; keeps unmatched messages until somebody awaits them or they expire."""

    def __init__(self, runtime: Runtime, store: InstanceStore, directory: Directory, clock: Clock) -> None:
        self._runtime = runtime
        self._store = store
        self._directory = directory
        self._clock = clock
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # Messages that found nobody; looked at again when a subscription of their name opens.
        self._waiting: dict[tuple[int, int], OutboxRow] = {}
        self._new_waits: set[tuple[int, str, str]] = set()
        # Subscriptions of any name may have opened.
        self._all_again = False
        # Rows that failed on a defect, so that the log tells of each once.
        self._failed: set[tuple[int, int]] = set()
        self._unreached = False
        self._asked: list[asyncio.Future[None]] = []

    def start(self) -> None:
        """Begin to deliver; what was left by an earlier run goes first."""
        self._runtime.listen(self._committed)
        self._wake.set()
        self._task = asyncio.create_task(self._work(), name="noria-delivery")

    async def stop(self) -> None:
        """Stop after the delivery at hand."""
        await ended(self._task)
        for tried in self._asked:
            if not tried.done():
                tried.set_exception(NoAnswerError("This process stops; what it took is delivered later. Ask again."))

    def nudge(self) -> None:
        """Something new may be in the outbox."""
        self._wake.set()

    async def accept(self, row: OutboxRow) -> bool:
        """Take something from outside for a shard that is owned here; returns when its delivery has been tried once.

        Returns:
            Whether it is a message that found nobody yet and is kept until it expires.

        Raises:
            NotOwnerError: another process owns the shard; nothing was taken.
            NoAnswerError: another process owns it by now; asking there with the same number is harmless.
            StoreUnavailableError: it is not known whether it was taken; asking again with the same number is harmless.
        """
        if not self._runtime.owns(row.shard):
            raise NotOwnerError(NOT_OWNER)
        try:
            await self._runtime.make_sure()
            await self._store.put_outbox(row, self._runtime.epoch(row.shard))
        except StaleOwnerError:
            raise NotOwnerError(NOT_OWNER) from None
        finally:
            # The row may stand even when the answer to writing it was lost.
            self.nudge()
        await self.caught_up()
        if not self._runtime.owns(row.shard):
            raise NoAnswerError("The shard went to another process meanwhile; what became of it is known there.")
        return (row.shard, row.n) in self._waiting

    async def caught_up(self) -> None:
        """Return when everything that was in the outbox before has been tried once.

        Raises:
            StoreUnavailableError: the database cannot be used now; delivery goes on by itself when it can.
        """
        tried = asyncio.get_running_loop().create_future()
        self._asked.append(tried)
        self.nudge()
        await tried

    def _committed(self, items: list[Committed]) -> None:
        if not items:
            # Subscriptions may have opened unseen.
            self._all_again = True
        concerned = not items or bool(self._waiting or self._failed)
        for item in items:
            for event in item.events:
                kind = event.__class__
                if kind in POSTED:
                    # An end is only told to a caller.
                    concerned = concerned or kind not in ENDS or bool(item.instance.parent)
                elif kind in _OPENING:
                    concerned = True
                    if not isinstance(event, e.WaitOpened):
                        # Its subscriptions are there again, whichever they are.
                        self._all_again = True
                    elif not event.signal:
                        self._new_waits.add((item.instance.tenant, event.name, event.key))
        if concerned:
            self.nudge()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.drain()
            except NoriaError as error:
                logger.warning("Delivery pauses: %s", error)
                await self._pause()
            except Exception:
                logger.exception("Delivery pauses on a defect")
                await self._pause()

    async def _pause(self) -> None:
        await self._clock.sleep_until(self._clock.now_ms() + 1_000)
        self._wake.set()

    async def drain(self) -> None:
        """Deliver all that can be delivered now."""
        # Subscriptions that open meanwhile count for the next round: this one may have passed their messages already.
        wanted, self._new_waits = self._new_waits, set()
        if self._all_again:
            self._all_again = False
            self._waiting.clear()
        asked, self._asked = self._asked, []
        try:
            # What a commit without an answer has opened or posted must not wait for the next command.
            await self._runtime.make_sure()
            await self._round(wanted)
        except BaseException as error:
            self._new_waits |= wanted
            if isinstance(error, StoreUnavailableError):
                # Nobody knows how long the database is away, or full; whoever waits may ask again.
                for tried in asked:
                    if not tried.done():
                        tried.set_exception(error)
            else:
                self._asked = asked + self._asked
            raise
        for tried in asked:
            if not tried.done():
                tried.set_result(None)
        if self._unreached:
            raise NotOwnerError("Some of it could not be delivered to other processes yet.")

    async def _round(self, wanted: set[tuple[int, str, str]]) -> None:
        after = (-1, -1)
        self._unreached = False
        while rows := await self._store.outbox(_PAGE, after, self._runtime.owned):
            for row in rows:
                after = (row.shard, row.n)
                is_wanted = (row.tenant, row.name, row.corr) in wanted or row.expires <= self._clock.now_ms()
                if after not in self._waiting or is_wanted:
                    await self._deliver_alone(row)
            if len(rows) < _PAGE:
                break

    async def _deliver_alone(self, row: OutboxRow) -> None:
        """Deliver one row; a defect in it holds up nothing behind it. It stays, and is tried again each round."""
        try:
            await self._deliver(row)
        except _ABOUT_ALL:
            raise
        except _ABOUT_OTHERS:
            self._unreached = True
        except Exception:
            if (row.shard, row.n) not in self._failed:
                logger.exception("The %s %r of shard %s, number %s, fails", row.kind, row.name, row.shard, row.n)
            self._failed.add((row.shard, row.n))

    async def _deliver(self, row: OutboxRow) -> None:
        post = _decoder.decode(row.body)
        if row.kind == "message":
            await self._message(row, post)
        elif row.kind == "signal":
            await self._signal(row, post)
        elif row.kind == "condition":
            await self._condition(row, post)
        elif row.kind == "call":
            await self._call(row, post)
        elif row.kind == "call_cancel":
            await self._call_cancel(row, post)
        elif row.kind == "call_escalation":
            escalate = c.EscalateCall(post.token, post.error, post.variables)
            await self._send(row, escalate, post.instance, f"call_escalation:{post.message_id}")
        else:
            command = c.CompleteCall(post.token, post.variables, post.error, post.message)
            await self._send(row, command, post.instance, f"call_done:{post.message_id}")

    async def _send(
        self, row: OutboxRow, command: c.AnyCommand, iid: int, key: str, *, last: bool = True, only: bool = True
    ) -> bool:
        """Submit one delivery; a refusal means that the other side is not interested any more, or is suspended.

        Args:
            row: what is delivered.
            command: how the other side takes it.
            iid: the other side.
            key: of this delivery.
            last: whether the row is done with when the command is accepted; it is forgotten in the same commit.
            only: whether the row is done with when the command is refused, because nobody else can be asked.
        """
        request = Request(
            command,
            ENGINE,
            iid=iid,
            tenant=row.tenant,
            key=key,
            origin=Origin("engine"),
            consumes=(row.shard, row.n) if last else None,
        )
        answer = await self._runtime.submit(request)
        if isinstance(answer, Rejected):
            # A suspended instance is told when it is resumed: that commit, too, has the outbox looked at.
            if last and only and answer.code != "instance.suspended":
                await self._drop(row)
            return False
        return True

    async def _start(self, row: OutboxRow, post: Posted, start: StartPoint, key: str, *, last: bool) -> None:
        command = c.StartInstance(ENGINE, {"id": ENGINE}, post.variables, row.corr, start.element)
        request = Request(
            command,
            ENGINE,
            tenant=row.tenant,
            definition=start.definition,
            key=key,
            origin=Origin("engine"),
            consumes=(row.shard, row.n) if last else None,
        )
        await self._runtime.submit(request)

    async def _message(self, row: OutboxRow, post: Posted) -> None:
        place = (row.shard, row.n)
        key = f"message:{post.message_id}"
        if place in self._waiting and row.expires <= self._clock.now_ms():
            # It waited until its end. Whoever awaits it from now on is too late; a fresh message with no time to live
            # is still offered to those who await it already.
            await self._forget(row)
            return
        for wait in await self._store.find_waits(row.tenant, False, row.name, row.corr, 10):
            command = c.Correlate(wait.wait, post.variables, post.message_id)
            if await self._send(row, command, wait.iid, key, only=False):
                self._waiting.pop(place, None)
                return
        starts = self._directory.message_starts(row.tenant, row.name)
        if starts:
            await self._start(row, post, starts[0], key, last=True)
            self._waiting.pop(place, None)
            return
        # One that was published again, and came late, must not wait for somebody else.
        if row.expires <= self._clock.now_ms() or await self._store.answers([key]):
            await self._forget(row)
            return
        self._waiting[place] = row

    async def _forget(self, row: OutboxRow) -> None:
        self._waiting.pop((row.shard, row.n), None)
        await self._drop(row)

    async def _drop(self, row: OutboxRow) -> None:
        await self._store.drop_outbox(row.shard, row.n, self._runtime.epoch(row.shard))

    async def _signal(self, row: OutboxRow, post: Posted) -> None:
        family = await self._family(post.instance) if post.within else None
        for wait in await self._store.find_waits(row.tenant, True, row.name, "", 100_000):
            if (post.told_own and wait.iid == post.instance) or (family is not None and wait.iid not in family):
                continue
            command = c.Correlate(wait.wait, post.variables, post.message_id)
            await self._send(row, command, wait.iid, f"signal:{post.message_id}:{wait.iid}:{wait.wait}", last=False)
        for start in () if post.within else self._directory.signal_starts(row.tenant, row.name):
            key = f"start:{post.message_id}:{start.definition}:{start.element}"
            await self._start(row, post, start, key, last=False)
        await self._drop(row)

    async def _family(self, iid: int) -> set[int]:
        """The instance that has called it, directly or through others, if any, and all that this one has called."""
        await self._runtime.settled()
        first = await self._runtime.instance(iid)
        while first is not None and first.state.parent is not None:
            first = await self._runtime.instance(first.state.parent.instance)
        found: set[int] = set()
        left = [first]
        while left:
            held = left.pop()
            if held is None:
                continue
            found.add(held.row.iid)
            for token in held.state.calls:
                child = await self._store.called(held.row.iid, token)
                left.append(None if child is None else await self._runtime.instance(child))
        return found

    async def _condition(self, row: OutboxRow, post: Posted) -> None:
        context = EvaluationContext(self._clock.now_ms())
        for start, trigger in self._directory.condition_starts(row.tenant):
            assert trigger.condition is not None  # noqa: S101 - a model without one is not deployed
            if trigger.condition.test(post.variables, context):
                key = f"start:{post.message_id}:{start.definition}:{start.element}"
                await self._start(row, post, start, key, last=False)
        await self._drop(row)

    async def _call(self, row: OutboxRow, post: Posted) -> None:
        # Memory that was behind the row would look as if the call had been cancelled.
        await self._runtime.settled()
        caller = await self._runtime.instance(post.instance)
        if caller is None or post.token not in caller.state.calls:
            await self._drop(row)
            return
        definition = self._directory.called(row.tenant, post.process, post.binding, caller.row.definition)
        if definition is None:
            message = f"There is no process {post.process!r} to call; deploy it and retry."
            await self._call_failed(row, post, "call.unknown_process", message)
            return
        depth = 1 if caller.state.parent is None else caller.state.parent.depth + 1
        if depth > CALL_DEPTH_MAX:
            message = f"{post.process!r} would be called {depth} deep, which looks like a process that calls itself."
            await self._call_failed(row, post, "call.too_deep", message)
            return
        starter = caller.state.scopes[0].variables.get("starter")
        start = c.StartInstance(
            caller.row.starter,
            starter if isinstance(starter, dict) else {"id": caller.row.starter},
            post.variables,
            post.business_key,
            parent=Parent(post.instance, post.token, depth),
        )
        request = Request(
            start,
            ENGINE,
            tenant=row.tenant,
            definition=definition,
            unit=caller.row.unit,
            key=f"call:{post.message_id}",
            origin=Origin("engine"),
            consumes=(row.shard, row.n),
        )
        answer = await self._runtime.submit(request)
        if isinstance(answer, Rejected):
            await self._call_failed(row, post, answer.code, answer.message)

    async def _call_failed(self, row: OutboxRow, post: Posted, code: str, message: str) -> None:
        command = c.CompleteCall(post.token, {}, code, message, begun=False)
        await self._send(row, command, post.instance, f"call_failed:{post.message_id}")

    async def _call_cancel(self, row: OutboxRow, post: Posted) -> None:
        child = await self._store.called(post.instance, post.token)
        if child is None:
            # A start that was sent to another process without an answer may still be made; its row is looked at first.
            if not self._unreached:
                await self._drop(row)
            return
        command = c.CancelInstance(ENGINE, "The caller no longer needs it.")
        await self._send(row, command, child, f"call_cancel:{post.message_id}")
