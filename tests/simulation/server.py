"""One simulated server process: the real runtime, delivery, timers and workers' use cases on its own loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from noria.engine.facts import Facts
from noria.kernel.instants import InstantMs
from noria.operate.delivery import Delivery
from noria.operate.office import Office
from noria.operate.rows import Commit, InstanceRow, JournalRow, LockedJob, OutboxRow, SerialRow, Shard, WaitRow
from noria.operate.runtime import Runtime
from noria.operate.timers import Timers
from noria.operate.workers import Workers
from noria.trust.people import Organisation, Person, Unit
from tests.simulation.loop import StillLoop

if TYPE_CHECKING:
    import asyncio

    from tests.simulation.world import World

FACTS = Facts(
    people=Organisation({"ann": Person("ann", "ann", "Ann", "hall")}, {"hall": Unit("hall", "Hall", "", "ann")})
)
Answered = Callable[[Any, BaseException | None], None]


class Gate(msgspec.Struct):
    """A call to the store that the scheduler has not let through yet.

    Attributes:
        server: who calls.
        name: which method.
        work: the transaction.
        future: what the caller awaits.
        answer: a future's worth of result, once the transaction was carried out but the answer is still on its way.
    """

    server: Server
    name: str
    work: Callable[[], Any]
    future: Any
    answer: list[Any] | None = None


class Connection:
    """`InstanceStore` as one server sees it: every call waits until the scheduler lets it through, or fails it."""

    enough = 2
    """So few that commits leave while commands wait, too."""

    def __init__(self, world: World, server: Server) -> None:
        self._world = world
        self._server = server

    def _call(self, name: str, work: Callable[[], Any]) -> asyncio.Future[Any]:
        future = self._server.loop.create_future()
        self._world.gates.append(Gate(self._server, name, work, future))
        return future

    async def own_shards(self, owner: str) -> list[Shard]:
        return await self._call("own_shards", lambda: self._world.tables.own_shards(owner))

    async def commit(self, commit: Commit) -> None:
        await self._call("commit", lambda: self._world.tables.commit(commit))

    async def load(self, iids: Sequence[int]) -> dict[int, InstanceRow]:
        return await self._call("load", lambda: self._world.tables.load(iids))

    async def answers(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        return await self._call("answers", lambda: self._world.tables.answers(keys))

    async def due_timers(
        self, now_ms: int, limit: int, shards: Sequence[int] | None = None
    ) -> list[tuple[int, int, int]]:
        return await self._call("due_timers", lambda: self._world.tables.due_timers(now_ms, limit, shards))

    async def next_timer(self, shards: Sequence[int] | None = None) -> int | None:
        return await self._call("next_timer", self._world.tables.next_timer)

    async def lock_jobs(
        self, tenant: int, worker: str, topics: Sequence[str], limit: int, now_ms: int, lease_ms: int
    ) -> list[LockedJob]:
        arguments = (tenant, worker, topics, limit, now_ms, lease_ms)
        return await self._call("lock_jobs", lambda: self._world.tables.lock_jobs(*arguments))

    async def leased(self, iid: int, tok: int, lease_token: str) -> bool:
        return await self._call("leased", lambda: self._world.tables.leased(iid, tok, lease_token))

    async def extend_lease(self, iid: int, tok: int, lease_token: str, lease_until: int) -> bool:
        arguments = (iid, tok, lease_token, lease_until)
        return await self._call("extend_lease", lambda: self._world.tables.extend_lease(*arguments))

    async def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
        arguments = (tenant, signal, name, corr, limit)
        return await self._call("find_waits", lambda: self._world.tables.find_waits(*arguments))

    async def outbox(
        self, limit: int, after: tuple[int, int] = (-1, -1), shards: Sequence[int] | None = None
    ) -> list[OutboxRow]:
        return await self._call("outbox", lambda: self._world.tables.read_outbox(limit, after))

    async def put_outbox(self, row: OutboxRow, epoch: int) -> None:
        await self._call("put_outbox", lambda: self._world.tables.put_outbox(row, epoch))

    async def drop_outbox(self, shard: int, n: int, epoch: int) -> None:
        await self._call("drop_outbox", lambda: self._world.tables.drop_outbox(shard, n, epoch))

    async def called(self, parent: int, parent_token: int) -> int | None:
        return await self._call("called", lambda: self._world.tables.called(parent, parent_token))

    async def serial(self, tenant: int, name: str, period: str) -> SerialRow:
        return await self._call("serial", lambda: self._world.tables.serial(tenant, name, period))

    async def journal_of(self, iid: int, until_ver: int | None = None, after_ver: int = 0) -> list[JournalRow]:
        return await self._call("journal_of", lambda: self._world.tables.journal_of(iid, until_ver, after_ver))

    async def journal_after(self, cursor: Mapping[int, int], limit: int) -> list[JournalRow]:
        return await self._call("journal_after", lambda: self._world.tables.journal_after(cursor, limit))


class ServerClock:
    """`Clock` of one server: the simulated wall, and sleep that the scheduler ends."""

    def __init__(self, world: World, server: Server) -> None:
        self._world = world
        self._server = server

    def now_ms(self) -> InstantMs:
        return InstantMs(self._world.wall_ms)

    async def sleep_until(self, instant_ms: int) -> None:
        # As on a real machine, setting the wall clock does not change how long somebody sleeps.
        future = self._server.loop.create_future()
        sleeper = (self._world.elapsed_ms + max(0, instant_ms - self._world.wall_ms), self._server, future)
        self._world.sleepers.append(sleeper)
        try:
            await future
        finally:
            if sleeper in self._world.sleepers:
                self._world.sleepers.remove(sleeper)


class Server:
    """A server process from its start to its crash.

    Attributes:
        name: for the trace and as the owner of shards.
        up: whether it has taken the shards and begun to work.
        overlapped: whether another server ran at the same time.
    """

    def __init__(self, world: World, name: str, facts: Facts = FACTS) -> None:
        self.name = name
        self.up = False
        self.overlapped = False
        self._asked: list[tuple[Coroutine[Any, Any, Any], Answered]] = []
        self.loop = StillLoop()
        self.store = Connection(world, self)
        self.clock = ServerClock(world, self)
        catalogue = world.catalogue
        self.runtime = Runtime(self.store, catalogue, self.clock, lambda _tenant: facts, owner=name)
        self.delivery = Delivery(self.runtime, self.store, catalogue, self.clock)
        self.timers = Timers(self.runtime, self.store, self.clock)
        # People, lists, files and records are not asked for by what machines do.
        absent: Any = None
        office = Office(
            self.runtime,
            self.store,
            absent,
            catalogue,
            absent,
            absent,
            absent,
            self.clock,
            lambda _tenant: facts,
        )
        self.workers = Workers(office, self.delivery.accept)

    def boot(self, failed: Callable[[BaseException], None]) -> None:
        """Begin; `failed` is told when the shards could not be taken."""

        async def start() -> None:
            await self.runtime.start()
            self.delivery.start()
            self.timers.start()
            self.up = True

        self.ask(start(), lambda _result, error: failed(error) if error is not None else None)

    def ask(self, work: Coroutine[Any, Any, Any], answered: Answered) -> None:
        """Have something done on this server; `answered` gets the result or the error, exactly once."""

        def done(task: asyncio.Task[Any]) -> None:
            self._asked.remove(entry)
            error = task.exception()
            answered(None if error else task.result(), error)

        entry = (work, answered)
        self._asked.append(entry)
        self.loop.create_task(work).add_done_callback(done)

    def unanswered(self) -> list[Answered]:
        """Who still waits for an answer."""
        return [answered for _, answered in self._asked]

    def discard(self) -> None:
        """Close what is unfinished when the world ends in the middle."""
        for work, _ in self._asked:
            work.close()
