"""Several Norias on one PostgreSQL in one test process: they join, hang, die and leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg

from noria.bootstrap import TENANT, Noria
from noria.engine import commands as c
from noria.kernel.errors import Rejected
from noria.operate.leases import LEASE_MS
from noria.operate.ports import Clock
from noria.operate.requests import Accepted, Answer, Origin, Request
from noria.operate.rows import SHARDS
from noria.operate.workers import JobHandler
from tests.house import MovedClock, eventually
from tests.scenarios.drawing import draw

SHORT_MS = 1_500
"""A lease that tests can wait for."""


class Ship:
    """One Noria of a fleet.

    Attributes:
        noria: the composition.
    """

    def __init__(self, noria: Noria) -> None:
        self.noria = noria
        self._going = asyncio.Event()
        self._going.set()
        store: Any = noria.database.store
        to_the_database = store.do

        async def do(work: Callable[[Any], Awaitable[Any]]) -> Any:
            await self._going.wait()
            return await to_the_database(work)

        store.do = do

    @property
    def owned(self) -> set[int]:
        return set(self.noria.runtime.owned or ())

    async def start(self) -> None:
        await self.noria.start()

    async def stop(self) -> None:
        """Leave in order."""
        await self.noria.close()

    def hang(self) -> None:
        """Stand still before the database, as a process that is paused does: nothing is renewed, nothing committed."""
        self._going.clear()

    def wake(self) -> None:
        """Go on where it stood, as if no time had passed."""
        self._going.set()

    async def kill(self) -> None:
        """End without a word: connections break, nothing is given back."""
        noria = self.noria
        assert noria.cluster is not None
        await noria.cluster._door.close()
        await noria.cluster._links.close()
        parts: list[Any] = [noria.pool, noria.start_timers, noria.timers, noria.delivery, noria.following]
        parts += [noria.projector, noria.runtime, noria.cluster.leases]
        tasks = [part._task for part in parts if part._task is not None]
        if noria.cluster.leases._giving is not None:
            tasks.append(noria.cluster.leases._giving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        store: Any = noria.database.store
        store._pool.terminate()
        self._going.set()
        await noria.database.engine.dispose()

    # Commands

    async def submit(self, command: c.AnyCommand, iid: int = 0, **given: object) -> Answer:
        request = Request(command, "lin", iid=iid, origin=Origin("api"), **{"tenant": TENANT, **given})
        return await self.noria.runtime.submit(request)

    async def start_one(self, process: str = "model", key: str = "", **given: Any) -> int:
        """Start an instance of the newest version; gives its id."""
        found = self.noria.catalogue.find(TENANT, process)
        assert found is not None
        command = c.StartInstance("lin", {"id": "lin"}, given.pop("variables", {}), given.pop("business_key", ""))
        answer = await self.submit(command, definition=found.id, key=key, **given)
        assert isinstance(answer, Accepted), answer
        return answer.iid

    async def places(self, iid: int) -> list[str]:
        """Ids of the elements where its tokens are."""
        held = await self.noria.runtime.instance(iid)
        assert held is not None
        elements = held.definition.graph.elements
        return sorted(elements[token.element].id for token in held.state.tokens.values())

    async def complete(self, iid: int, element: str, **given: object) -> Answer:
        """Complete the open task of an element."""
        held = await self.noria.runtime.instance(iid)
        assert held is not None
        index = held.definition.graph.element_of[element]
        token = next(key for key, token in held.state.tokens.items() if token.element == index)
        return await self.submit(c.CompleteTask(token, "lin"), iid, **given)

    async def deploy(self, *drawings: str) -> list[int]:
        """Deploy one process per drawing, named model, model1, …."""
        files = {
            f"model{number or ''}.bpmn": draw(drawing.splitlines(), f"model{number or ''}")
            for number, drawing in enumerate(drawings)
        }
        noria = self.noria
        made = await noria.catalogue.deploy(TENANT, "he", files, noria.clock.now_ms(), noria.facts(TENANT))
        assert made.id, made.findings
        return [row.id for row in made.definitions]


class Fleet:
    """All of them.

    Attributes:
        ships: those that run.
        clock: of all of them.
    """

    def __init__(
        self,
        url: str,
        lease_ms: int = LEASE_MS,
        handlers: Mapping[str, JobHandler] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.ships: list[Ship] = []
        self.clock = clock or MovedClock()
        self._url = url
        self._lease_ms = lease_ms
        self._handlers = handlers or {}

    async def add(self, count: int = 1) -> list[Ship]:
        """Have more join; returns when the shards are shared out."""
        added = []
        for _ in range(count):
            noria = await Noria.open(self._url, clock=self.clock, handlers=self._handlers, lease_ms=self._lease_ms)
            ship = Ship(noria)
            await ship.start()
            self.ships.append(ship)
            added.append(ship)
        await self.shared_out()
        return added

    async def kill(self, ship: Ship) -> None:
        self.ships.remove(ship)
        await ship.kill()

    async def stop(self, ship: Ship) -> None:
        self.ships.remove(ship)
        await ship.stop()

    async def close(self) -> None:
        for ship in list(self.ships):
            ship.wake()
            await self.stop(ship)
        # A killed process's connections end with it; of one that only stood for a process some may be left.
        connection = await asyncpg.connect(self._url)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.close()

    async def shared_out(self, *among: Ship) -> None:
        """Wait until every shard is owned by one of them, or of all, and nobody owns more than his share."""
        ships = among or tuple(self.ships)
        share = -(-SHARDS // len(ships))

        async def balanced() -> bool:
            for ship in ships:
                # What its next renewal would bring; a test waits for no renewal.
                ship.noria.cluster.leases.hurry()
            owned = [ship.owned for ship in ships]
            return sum(map(len, owned)) == SHARDS == len(set().union(*owned)) and max(map(len, owned)) <= share

        await eventually(balanced)

    async def owner_of(self, shard: int) -> Ship:
        """Who owns a shard, as soon as somebody does."""

        async def owner() -> Ship | None:
            return next((ship for ship in self.ships if shard in ship.owned), None)

        return await eventually(owner)


def refused(answer: Answer) -> str:
    """Code of a refusal."""
    assert isinstance(answer, Rejected), answer
    return answer.code
