"""The runtime: takes commands, steps instances, commits in groups.

Natural batching: the next batch is what comes while the last commit is on its way; nobody waits for a timer. It is
stepped meanwhile, on top of what is being committed, so that the disk waits for no computing and the computing for no
disk. A batch that fails is tried again command by command, so that one bad command fails alone, and what was stepped on
top of it is stepped anew. Only what is committed is answered.

With several processes on one database a runtime owns some of the shards: it takes and gives up shards while it runs,
and commands for others go elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import copy
from typing import Protocol

from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.kernel.errors import NoriaError
from noria.operate.changes import Held
from noria.operate.ids import ANYWHERE, shard_for
from noria.operate.ports import Clock, InstanceStore, NotOwnerError, StaleOwnerError, StoreUnavailableError
from noria.operate.requests import (
    Accepted,
    Answer,
    Committed,
    Request,
)
from noria.operate.restoring import restored
from noria.operate.rows import SHARDS, InstanceRow, Shard
from noria.operate.stepping import Batch, InlineHandler, Pending, Stepper, broken
from noria.operate.waiting import BATCH_MAX, Waiting

logger = logging.getLogger(__name__)

CACHE_MAX = 50_000
ENDED_MAX = 5_000
"""So many instances that have ended are remembered: who has just ended one asks what has become of it, and the search
index, which comes later, need not read them."""
NOT_OWNER = "Another process owns this work now; nothing was done. Try again in a moment."


class Definitions(Protocol):
    """Where compiled definitions come from."""

    async def get(self, definition: int) -> Definition:
        """The definition with this id.

        Raises:
            NoriaError: there is none.
        """
        ...


class Elsewhere(Protocol):
    """Where commands go that this process does not own the shard of."""

    def submit(self, shard: int, request: Request) -> Awaitable[Answer]:
        """Have the owner of a shard run a command; `ANYWHERE` for whoever owns one."""
        ...

    def leased(self) -> bool:
        """Whether this process's lease runs. If not, others may have taken over, and memory may be behind them."""
        ...


Listener = Callable[[list[Committed]], None]
"""Called after each commit. An empty list says that commits may have gone by unseen: one whose answer was lost, say."""


class Runtime:
    """Owns the shards of one process and runs every command through them.

    Start it with `start`, hand commands to `submit`, stop it with `stop`. It owns all shards, or, when there is an
    `elsewhere`, those that it is told of by `adopt`.

    `prepare` is called with each tenant of a batch before its commands are stepped: it brings what `facts` gives then.

    Attributes:
        owning: held by whoever asks the store who owns what, until the answer is known here: answers must not overtake.
    """

    def __init__(
        self,
        store: InstanceStore,
        definitions: Definitions,
        clock: Clock,
        facts: Callable[[int], Facts],
        owner: str = "single",
        elsewhere: Elsewhere | None = None,
        prepare: Callable[[int], Awaitable[object]] | None = None,
    ) -> None:
        self._store = store
        self._prepare = prepare
        self._definitions = definitions
        self._clock = clock
        self._owner = owner
        self._elsewhere = elsewhere
        self._stepper = Stepper(facts)
        self._shards = self._stepper.shards
        self._leaving: set[int] = set()
        self._left = asyncio.Event()
        self._losses = 0
        self._unsure = False
        self.owning = asyncio.Lock()
        self._cache: dict[int, Held] = {}
        self._ended: deque[int] = deque()
        self._waiting = Waiting(clock)
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Listener] = []
        self._flight: asyncio.Future[None] | None = None

    def listen(self, listener: Listener) -> None:
        """Have a function called after each commit; it must not block."""
        self._listeners.append(listener)

    def handle_inline(self, topic: str, handler: InlineHandler) -> None:
        """Do jobs of this topic in the same commit; only for handlers that are pure and fast."""
        self._stepper.inline[topic] = handler

    async def start(self) -> None:
        """Begin to work: on all shards, or on those that `adopt` tells of."""
        self._loop = asyncio.get_running_loop()
        if self._elsewhere is None:
            await self._take_shards()
        self._stopping = False
        self._task = asyncio.create_task(self._work(), name="noria-runtime")

    # Which shards

    async def _take_shards(self) -> None:
        # Until they are taken anew, nothing is written: a commit without an answer may still be carried out, and
        # only a new epoch keeps it from coming after what is decided without it.
        self._unsure = True
        await self.make_sure()

    async def make_sure(self) -> None:
        """Take the shards anew when it is not known what became of a commit."""
        async with self.owning:
            if not self._unsure:
                return
            self._shards.clear()
            self._cache.clear()
            alone = self._elsewhere is None
            shards = await (self._store.own_shards if alone else self._store.retake_shards)(self._owner)
            self._unsure = False
            self._own(shards)
            self.tell([])

    def adopt(self, epochs: Mapping[int, int], claimed: Iterable[Shard]) -> None:
        """Own what the store says that this process owns; what has gone to others meanwhile is forgotten.

        Args:
            epochs: shard → epoch of all that it owns.
            claimed: those of them that are new.
        """
        if self._unsure:
            # Something may be on its way that only a new epoch keeps out; the next command takes them with one.
            return
        lost = [number for number, shard in self._shards.items() if epochs.get(number) != shard.epoch]
        claimed = list(claimed)
        if lost:
            self._losses += 1
        if lost or claimed:
            self._drop(lost)
            self._own(claimed)
            self.tell([])

    async def give_up(self, numbers: Iterable[int]) -> None:
        """Return when nothing of these shards is on its way, and nothing new will be; memory of them is gone then."""
        self._leaving |= self._shards.keys() & set(numbers)
        self._set_starts()
        while self._leaving:
            self._left.clear()
            self._wake.set()
            await self._left.wait()
        self.tell([])

    def _own(self, shards: Iterable[Shard]) -> None:
        for shard in shards:
            self._shards[shard.shard] = shard
            self._stepper.ids.follow(shard.newest)
        self._set_starts()

    def _drop(self, numbers: Iterable[int]) -> None:
        gone = set(numbers)
        for number in gone:
            self._shards.pop(number, None)
        self._leaving -= gone
        for iid in [iid for iid, held in self._cache.items() if held.row.shard in gone]:
            del self._cache[iid]
        self._set_starts()
        self._left.set()

    def _set_starts(self) -> None:
        self._leaving &= self._shards.keys()
        # Starts that came before may still have to be made when everything is being given up.
        self._stepper.starts_in = tuple(sorted(self._shards.keys() - self._leaving or self._shards))

    def _let_go(self, batch: Batch) -> None:
        """Drop the shards that are being given up as soon as nothing in hand touches them."""
        below = batch.below
        batches = [batch] if below is None or below.flight is None else [batch, below]
        busy = {pending.shard for pending in self._waiting}
        for one in batches:
            busy.update(one.shards, (pending.shard for pending in one.pendings))
        if ready := self._leaving - busy:
            self._drop(ready)

    @property
    def owned(self) -> tuple[int, ...] | None:
        """The shards that this process works on, None for all."""
        if self._elsewhere is None:
            return None
        return tuple(sorted(self._shards.keys() - self._leaving)) if self._elsewhere.leased() else ()

    @property
    def people_are_about(self) -> bool:
        """Whether somebody gave a command here a moment ago: machines then bring theirs in small portions."""
        return self._waiting.people_are_about

    @property
    def heads(self) -> dict[int, int]:
        """Shard that is owned → number of its last journal row."""
        return {number: shard.seq for number, shard in self._shards.items()}

    def owns(self, shard: int) -> bool:
        """Whether commands for this shard are taken here; `ANYWHERE` asks for any."""
        if self._elsewhere is None:
            return True
        if not self._elsewhere.leased():
            return False
        if self._unsure:
            return True
        if shard == ANYWHERE:
            return len(self._shards) > len(self._leaving)
        return shard in self._shards and shard not in self._leaving

    def epoch(self, shard: int) -> int:
        """The epoch in which this process owns a shard.

        Raises:
            StaleOwnerError: it does not.
        """
        held = self._shards.get(shard)
        if held is None:
            raise StaleOwnerError("Another process owns the shard now; nothing was written.")
        return held.epoch

    def tell(self, items: list[Committed]) -> None:
        """Tell the listeners of commits, those of other processes too."""
        for listener in self._listeners:
            listener(items)

    async def stop(self) -> None:
        """Finish what was accepted for work, then stop."""
        if self._task is not None:
            self._stopping = True
            self._wake.set()
            await asyncio.wait([self._task])
            self._task = None

    def submit(self, request: Request) -> Awaitable[Answer]:
        """Queue a command; the awaitable gives its answer when it is committed or refused.

        Raises:
            OverloadedError: too many commands are waiting.
            StoreUnavailableError: (from the awaitable) the database is away; retry with the same key.
            BrokenError: (from the awaitable) a defect of Noria; nothing was done.
        """
        shard = shard_for(request)
        if self._elsewhere is not None and not self.owns(shard):
            return self._elsewhere.submit(shard, request)
        return self._enqueue(request, shard)

    def submit_here(self, request: Request) -> Awaitable[Answer]:
        """The same for a command that another process has sent here as to the owner.

        Raises:
            NotOwnerError: (also from the awaitable) this process is not, or no longer; nothing was done.
        """
        shard = shard_for(request)
        if not self.owns(shard):
            raise NotOwnerError(NOT_OWNER)
        return self._enqueue(request, shard, here=True)

    def _enqueue(self, request: Request, shard: int, *, here: bool = False) -> asyncio.Future[Answer]:
        # Before Python 3.12 to ask which loop is running is to ask the system for the process.
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting.put(Pending(request, future, shard, here))
        self._wake.set()
        return future

    async def instance(self, iid: int) -> Held | None:
        """The instance as it is now, None when there is none. The caller must not change it."""
        held = self.remembered(iid)
        if held is None:
            rows = await self._store.load([iid])
            # A commit may have put it there while the database was read; then memory is newer.
            held = self.remembered(iid) or (await self._hold(rows[iid]) if iid in rows else None)
        return held

    def remembered(self, iid: int, version: int = 0) -> Held | None:
        """An instance as memory has it, None unless it has it as of a version or a later one.

        The store shows a commit a moment earlier, and memory never more than the store.
        """
        held = self._cache.get(iid) if self._elsewhere is None or self._elsewhere.leased() else None
        return held if held is not None and held.state.version >= version else None

    async def settled(self) -> None:
        """Return when memory holds whatever the store has shown by now: a commit is seen there a moment earlier."""
        if self._flight is not None:
            await asyncio.wait([self._flight])

    async def _hold(self, row: InstanceRow) -> Held:
        held = Held(row, restored(row), await self._definitions.get(row.definition), row.ver - len(row.later))
        row.later = ()
        return held

    async def _work(self) -> None:
        batch = Batch(self._losses)
        while True:
            below = batch.below
            # Where other processes compute meanwhile, nothing is gained by smaller commits.
            enough = self._store.enough if len(self._shards) == SHARDS else BATCH_MAX
            flying = below is not None and below.flight is not None
            if self._leaving:
                self._let_go(batch)
            if below is not None and below.flight is not None and below.flight.done():
                batch = await self._landed(below, batch)
            elif (
                self._waiting
                and (flying or len(batch.pendings) < enough)
                and (taken := self._waiting.take(batch, enough))
            ):
                batch = await self._extended(batch, taken)
                if flying and self._waiting:
                    # The answer to the commit may have come.
                    await asyncio.sleep(0)
            elif batch.pendings and not flying:
                self._launch(batch)
                batch = Batch(self._losses, batch)
                if self._waiting:
                    # The commit leaves before the next commands are stepped.
                    await asyncio.sleep(0)
            elif self._stopping and not batch.pendings and not flying:
                return
            else:
                await self._wake.wait()
                self._wake.clear()

    def _launch(self, batch: Batch) -> None:
        """Send a batch's commit on its way."""
        batch.below = None
        if batch.commit.journal or batch.commit.outbox_gone:
            self._stepper.complete(batch)
        batch.flight = self._flight = asyncio.ensure_future(self._fly(batch))
        batch.flight.add_done_callback(lambda _: self._wake.set())

    async def _fly(self, batch: Batch) -> None:
        if batch.commit.journal or batch.commit.outbox_gone:
            await self._store.commit(batch.commit)
        # At once, in the same task: nobody who reads the store after the commit may find memory behind it.
        self._keep(batch)

    async def _landed(self, below: Batch, batch: Batch) -> Batch:
        """After a commit: go on with the batch on top of it; or recover, and step that one anew."""
        assert below.flight is not None  # noqa: S101 - by the caller
        flight, below.flight = below.flight, None
        error = flight.exception()
        if error is None:
            # Memory and store have it now. Kept here it would outlive them: a shard may go to others and come back.
            batch.below = None
            return batch
        if not isinstance(error, Exception):
            raise error
        self._waiting.put_back([pending for pending in batch.pendings if not pending.passed_on])
        await self._recover(below.pendings, error)
        return Batch(self._losses)

    async def _extended(self, batch: Batch, pendings: list[Pending]) -> Batch:
        """Take commands into a batch; gives a fresh one when that failed and the commands were tried alone."""
        batch.pendings += pendings
        try:
            await self._take_in(batch, pendings)
        except Exception as error:  # noqa: BLE001 - whatever fails a batch must reach the callers, never kill the loop
            below = batch.below
            if below is not None and below.flight is not None:
                await asyncio.wait([below.flight])
                again = await self._landed(below, Batch(self._losses))
                assert not again.pendings  # noqa: S101 - nothing was put on top
            await self._recover(batch.pendings, error)
            return Batch(self._losses)
        return batch

    async def _alone(self, pending: Pending) -> None:
        """Run one command as a batch of its own, with nothing else on its way."""
        batch = Batch(self._losses)
        batch.pendings.append(pending)
        try:
            await self._take_in(batch, batch.pendings)
            self._launch(batch)
            if batch.flight is not None:
                await batch.flight
        except Exception as error:  # noqa: BLE001 - whatever fails it must reach the caller, never kill the loop
            await self._recover(batch.pendings, error, alone=True)

    async def _recover(self, pendings: list[Pending], error: Exception, *, alone: bool = False) -> None:
        """After a failed batch: forget what memory held, then try each command alone once."""
        pendings = [pending for pending in pendings if not pending.passed_on]
        for pending in pendings:
            self._cache.pop(pending.request.iid, None)
        if isinstance(error, StoreUnavailableError):
            # At once: taking the shards may take as long as the commit did, and changes nothing for these callers.
            _fail(pendings, error)
        try:
            await self._take_shards()
        except NoriaError as unavailable:
            error = unavailable
            # Somebody must try again, even when no further command comes.
            self.tell([])
        # What a former owner was refused goes to the new one, for which it is tried again.
        goes_on = self._elsewhere is not None and isinstance(error, StaleOwnerError) and not alone
        if (len(pendings) == 1 and not goes_on) or isinstance(error, StoreUnavailableError):
            _fail(pendings, error)
            return
        for pending in pendings:
            if not pending.future.done():
                await self._alone(pending)

    async def _take_in(self, batch: Batch, pendings: list[Pending]) -> None:
        """Step commands, on top of what the batch and the one below it have done."""
        if self._unsure:
            await self._take_shards()
        requests = [pending.request for pending in pendings]
        repeated = await self._answers([request.key for request in requests if request.key])
        await self._load(batch, {request.iid for request in requests if request.iid})
        for request in requests:
            if request.definition or request.target:
                await self._look_up(batch, request)
        if self._prepare is not None:
            for tenant in {pending.request.tenant for pending in pendings}:
                await self._prepare(tenant)
        # From here on nothing else runs until all are stepped.
        if batch.losses != self._losses:
            raise StaleOwnerError("Other processes have taken shards over; nothing was written.")
        now_ms = self._clock.now_ms()
        owned = self._shards if self._elsewhere is None or self._elsewhere.leased() else {}
        for pending in pendings:
            if pending.shard in owned or (pending.shard == ANYWHERE and owned):
                batch.answers.append((pending, self._stepper.answer(batch, pending.request, repeated, now_ms)))
            else:
                self._pass_on(pending)

    def _pass_on(self, pending: Pending) -> None:
        """Its shard went to another process while it waited: nothing was done, and that one is asked."""
        future, pending.passed_on = pending.future, True
        if future.done():
            return
        if self._elsewhere is None or pending.here:
            future.set_exception(NotOwnerError(NOT_OWNER))
            return

        def done(asked: asyncio.Future[Answer]) -> None:
            if future.done():
                return
            error = asked.exception()
            if error is None:
                future.set_result(asked.result())
            else:
                future.set_exception(error)

        asyncio.ensure_future(self._elsewhere.submit(pending.shard, pending.request)).add_done_callback(done)

    async def _look_up(self, batch: Batch, start: Request) -> None:
        """Have what a start needs at hand: its definition, and the serial that it draws from."""
        wanted = start.definition or start.target
        if wanted not in batch.definitions:
            batch.definitions[wanted] = await self._definitions.get(wanted)
        if start.serial is not None:
            key = (start.tenant, start.serial.name, start.serial.period)
            if key not in batch.serials:
                below = batch.below.serials.get(key) if batch.below is not None else None
                drawn = copy(below) if below is not None else await self._store.serial(*key)
                drawn.before = drawn.n
                batch.serials[key] = drawn

    async def _answers(self, keys: list[str]) -> dict[str, Accepted]:
        if not keys:
            return {}
        known = await self._store.answers(keys)
        return {key: Accepted(iid, version, repeated=True) for key, (iid, version) in known.items()}

    async def _load(self, batch: Batch, iids: Iterable[int]) -> None:
        missing = []
        below = batch.below.held if batch.below is not None else {}
        for iid in iids:
            if iid in batch.held:
                continue
            held = below.get(iid) or self._cache.get(iid)
            if held is None:
                missing.append(iid)
            else:
                batch.held[iid] = held.opened()
        if missing:
            for row in (await self._store.load(missing)).values():
                batch.held[row.iid] = (await self._hold(row)).opened()

    def _keep(self, batch: Batch) -> None:
        """After the commit: memory follows the store, callers are answered, and listeners are told."""
        shards, cache = self._shards, self._cache
        for number, shard in batch.shards.items():
            owned = shards.get(number)
            if owned is not None and owned.epoch == shard.epoch:
                shards[number] = shard
        remembered = shards if batch.losses == self._losses else {}
        for iid, held in batch.held.items():
            held.base = None
            # A dict keeps the order of insertion: the instance that was used last is its last.
            cache.pop(iid, None)
            if held.row.shard in remembered:
                cache[iid] = held
                if held.row.ended:
                    self._ended.append(iid)
        while len(self._ended) > ENDED_MAX:
            iid = self._ended.popleft()
            if iid in cache and cache[iid].row.ended:
                del cache[iid]
        while len(cache) > CACHE_MAX:
            del cache[next(iter(cache))]
        for pending, answer in batch.answers:
            if not pending.future.done():
                pending.future.set_result(answer)
        if batch.committed:
            self.tell(batch.committed)


def _fail(pendings: Iterable[Pending], error: Exception) -> None:
    """Tell those who wait that it failed."""
    failure = error if isinstance(error, NoriaError) else broken(error)
    for pending in pendings:
        if not pending.future.done():
            pending.future.set_exception(failure)
