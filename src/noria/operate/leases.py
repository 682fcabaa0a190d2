"""Which process owns which shards: leases that are renewed, shares that balance, takeover of who is gone.

A lease decides who tries; the fence in each commit decides who wins (`noria.operate.ports.InstanceStore.commit`). So
neither clocks nor pauses can break anything here: at worst two processes believe to own a shard, and one is refused.

A process that lets its lease run out loses all its shards in one transaction, never some of them; single shards leave
it only by its own giving up, when nothing of them is on its way any more. That is why a start may be decided at the
owner of its idempotency key and lie in another shard of that owner: a commit of it is refused as soon as the key has
another owner who has not seen it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

import msgspec

from noria.kernel.errors import NoriaError
from noria.operate.background import ended
from noria.operate.ids import ANYWHERE
from noria.operate.ports import Clock
from noria.operate.rows import SHARDS, Shard
from noria.operate.runtime import Runtime

logger = logging.getLogger(__name__)

LEASE_MS = 10_000
"""How long a process keeps its shards without a word."""


class Member(msgspec.Struct, frozen=True):
    """A process that takes part.

    Attributes:
        id: of one life of the process; never used again.
        address: host:port where other processes reach it.
        machine: the same for processes that share one network on one machine; "" when that is not known.
    """

    id: str
    address: str
    machine: str = ""


class Standing(msgspec.Struct):
    """How things stand.

    Attributes:
        members: processes whose lease runs, by id.
        owners: shard → id of the process that owns it; free ones are left out.
    """

    members: dict[str, Member] = {}
    owners: dict[int, str] = {}

    def owner_of(self, shard: int) -> Member | None:
        """The owner of a shard, None when it is free; of any shard for `ANYWHERE`."""
        if shard == ANYWHERE:
            return next((self.members[owner] for owner in self.owners.values() if owner in self.members), None)
        return self.members.get(self.owners.get(shard, ""))


class Renewal(msgspec.Struct):
    """What renewing a lease gave.

    Attributes:
        standing: how things stand then.
        epochs: shard → epoch of all that the process owns.
        claimed: those of them that are new.
    """

    standing: Standing
    epochs: dict[int, int]
    claimed: list[Shard]


class LeaseStore(Protocol):
    """Where leases are kept. Time is the database's.

    Every method raises StoreUnavailableError when the database cannot be used, and may be called again.
    """

    async def renew(self, member: Member, lease_ms: int, dead: Collection[str]) -> Renewal:
        """Renew a process's lease, free the shards of those whose lease has run out, and claim its share of the free.

        Args:
            member: whose lease.
            lease_ms: from now on.
            dead: processes that are known to be gone, whatever their leases say.
        """
        ...

    async def standing(self) -> Standing:
        """How things stand."""
        ...

    async def release(self, member: str, shards: Collection[int]) -> None:
        """Free shards that a process owns."""
        ...

    async def leave(self, member: str) -> None:
        """End a process's lease and free all that it owns."""
        ...


def share_of(members: int) -> int:
    """How many shards each of so many processes may own: all are owned, and nobody owns more than one above another."""
    return -(-SHARDS // max(1, members))


class Leases:
    """Keeps this process's lease, and its runtime told of what it owns.

    Args:
        is_dead: whether a process that shares this machine's network certainly runs no more.
        lease_ms: how long a lease runs; it is renewed five times as often.

    Attributes:
        member: this process.
        standing: how things stood when they were looked at last.
    """

    def __init__(
        self,
        member: Member,
        store: LeaseStore,
        runtime: Runtime,
        clock: Clock,
        is_dead: Callable[[Member], Awaitable[bool]],
        lease_ms: int = LEASE_MS,
    ) -> None:
        self.member = member
        self.standing = Standing()
        self._store = store
        self._runtime = runtime
        self._clock = clock
        self._is_dead = is_dead
        self._lease_ms = lease_ms
        self._until_ms = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._giving: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Standing], None]] = []

    def listen(self, listener: Callable[[Standing], None]) -> None:
        """Have a function called whenever it was looked how things stand."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Take part; returns when there is a lease.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        await self.renew()
        self._task = asyncio.create_task(self._work(), name="noria-leases")

    async def stop(self) -> None:
        """Finish what is on its way, then free all shards at once."""
        await ended(self._task)
        await ended(self._giving)
        if self._looking is not None:
            # Commands wait for it, and are answered: cancelled, they would be as if their callers had given up.
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._task is not None:
            self._task = None
            await self._runtime.give_up(range(SHARDS))
            try:
                await self._store.leave(self.member.id)
            except NoriaError as error:
                logger.warning("The lease could not be given back; it runs out by itself: %s", error)

    def runs(self) -> bool:
        """Whether the lease certainly runs, by this machine's clock and from the instant at which it was asked for."""
        return self._clock.now_ms() < self._until_ms

    def hurry(self) -> None:
        """Look again at once: another process may have gone."""
        self._wake.set()

    async def look(self) -> None:
        """See how things stand; who asks at the same time looks together."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        self._saw(await self._store.standing())

    def _saw(self, standing: Standing) -> None:
        self.standing = standing
        for listener in self._listeners:
            listener(standing)

    async def _work(self) -> None:
        while True:
            pause_ms = self._lease_ms // 5
            if self._is_short():
                # Whoever has more than its share is about to give some up.
                pause_ms //= 8
            await self._pause(pause_ms)
            try:
                await self.renew()
            except NoriaError as error:
                logger.warning("The lease could not be renewed: %s", error)
            except Exception:
                logger.exception("The lease could not be renewed on a defect")

    async def _pause(self, ms: int) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep_until(self._clock.now_ms() + ms))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()
        self._wake.clear()

    def _is_short(self) -> bool:
        others = len(self.standing.members) - 1
        counts = Counter(self.standing.owners.values())
        return counts[self.member.id] < SHARDS - others * share_of(others + 1)

    async def renew(self) -> None:
        """Renew the lease, take what falls to this process, and give up what others lack.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        dead = await self._dead(self.standing.members)
        async with self._runtime.owning:
            lapsed, asked_ms = not self.runs(), self._clock.now_ms()
            renewal = await self._store.renew(self.member, self._lease_ms, dead)
            self._until_ms = asked_ms + self._lease_ms
            self._runtime.adopt(renewal.epochs, renewal.claimed)
            if lapsed:
                # Whoever looked meanwhile found that nothing is owned here.
                self._runtime.tell([])
        self._saw(renewal.standing)
        await self._runtime.make_sure()
        if self._giving is None or self._giving.done():
            surplus = self._surplus(renewal.epochs)
            if surplus:
                # Beside renewing: what is on its way may take longer than a lease.
                self._giving = asyncio.create_task(self._give_up(surplus), name="noria-giving-up")

    async def _dead(self, members: Mapping[str, Member]) -> list[str]:
        machine = self.member.machine
        near = [other for other in members.values() if machine and other.machine == machine and other != self.member]
        found = await asyncio.gather(*(self._is_dead(other) for other in near))
        return [other.id for other, is_dead in zip(near, found, strict=True) if is_dead]

    def _surplus(self, epochs: Mapping[int, int]) -> list[int]:
        """The shards above this process's share, and those that it owns without knowing their heads."""
        held = self._runtime.heads
        unknown = [number for number in epochs if number not in held]
        more = len(epochs) - share_of(len(self.standing.members))
        return unknown or (sorted(epochs)[-more:] if more > 0 else [])

    async def _give_up(self, shards: list[int]) -> None:
        await self._runtime.give_up(shards)
        with contextlib.suppress(NoriaError):
            # When it fails they are still this process's by name, and given up again.
            await self._store.release(self.member.id, shards)
