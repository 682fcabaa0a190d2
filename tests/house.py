"""A whole Noria on one database, with a clock that tests move: everything in it runs as in a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from noria.bootstrap import TENANT, Noria
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.state import State
from noria.kernel.errors import Rejected
from noria.kernel.instants import InstantMs, parse_instant
from noria.operate.ports import InstanceStore
from noria.operate.requests import Accepted, Answer, Origin, Request, SerialDraw
from noria.operate.workers import JobHandler
from tests.scenarios.drawing import draw

T = TypeVar("T")
START_MS = parse_instant("2026-03-02T01:00:00Z")
DEADLINE_S = 20
ORIGIN = Origin("api")


class MovedClock:
    """Stands still until a test moves it; who sleeps wakes up when it is moved far enough."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.instant = now_ms

    def now_ms(self) -> InstantMs:
        return InstantMs(self.instant)

    async def sleep_until(self, instant_ms: int) -> None:
        while self.instant < instant_ms:  # noqa: ASYNC110 - tests set the instant from outside of the loop too
            await asyncio.sleep(0.005)


async def eventually(look: Callable[[], Awaitable[T]], within_s: float = DEADLINE_S) -> T:
    """Look again and again until what is seen is true; gives it."""
    deadline = time.monotonic() + within_s
    while not (seen := await look()):
        assert time.monotonic() < deadline, f"{look} never came true"
        await asyncio.sleep(0.005)
    return seen


class House:
    """A Noria that is up, or down for a while.

    Attributes:
        noria: the composition.
        clock: to be moved.
    """

    def __init__(self, url: str, clock: MovedClock, handlers: Mapping[str, JobHandler]) -> None:
        self._url = url
        self._handlers = handlers
        self._up = False
        self.clock = clock
        self.noria: Noria

    @property
    def store(self) -> InstanceStore:
        return self.noria.database.store

    @classmethod
    async def open(
        cls, url: str, clock: MovedClock | None = None, handlers: Mapping[str, JobHandler] | None = None
    ) -> House:
        house = cls(url, clock or MovedClock(), handlers or {})
        await house.up()
        return house

    async def up(self) -> None:
        """Open the database and begin to work."""
        self.noria = await Noria.open(self._url, clock=self.clock, handlers=self._handlers)
        await self.noria.start()
        self._up = True

    async def down(self) -> None:
        """Stop as a server stops; nothing happens until it is up again."""
        if self._up:
            self._up = False
            await self.noria.close()

    async def deploy(self, *drawings: str, tenant: int = TENANT, **process: str) -> list[int]:
        """Deploy one process per drawing, named model, model2, …; gives their definitions."""
        files = {
            f"model{number or ''}.bpmn": draw(drawing.splitlines(), f"model{number or ''}", **process)
            for number, drawing in enumerate(drawings)
        }
        return await self.deploy_files(files, tenant)

    async def deploy_files(self, files: Mapping[str, bytes], tenant: int = TENANT) -> list[int]:
        """Deploy files together; gives the definitions that they hold."""
        made = await self.noria.catalogue.deploy(tenant, "he", files, self.clock.now_ms(), self.noria.facts(tenant))
        assert made.id, made.findings
        return [row.id for row in made.definitions]

    # Commands

    async def submit(self, command: c.AnyCommand, iid: int = 0, **given: object) -> Answer:
        given = {"actor": getattr(command, "by", "lin"), "tenant": TENANT, **given}
        request = Request(command, iid=iid, origin=ORIGIN, **given)
        return await self.noria.runtime.submit(request)

    async def start(self, process: str = "model", key: str = "", business_key: str = "", **variables: object) -> int:
        """Start an instance of the newest version; gives its id."""
        answer = await self.submit(
            c.StartInstance("lin", {"id": "lin"}, variables, business_key),
            definition=self.noria.catalogue.find(TENANT, process).id,
            key=key,
        )
        assert isinstance(answer, Accepted), answer
        return answer.iid

    async def complete(self, iid: int, element: str, key: str = "", **variables: object) -> Answer:
        """Complete the open task of an element."""
        return await self.submit(c.CompleteTask(await self.token(iid, element), "lin", variables), iid, key=key)

    # Looking

    async def state(self, iid: int) -> State:
        held = await self.noria.runtime.instance(iid)
        assert held is not None
        return held.state

    async def places(self, iid: int) -> list[str]:
        """Ids of the elements where its tokens are."""
        held = await self.noria.runtime.instance(iid)
        assert held is not None
        elements = held.definition.graph.elements
        return sorted(elements[token.element].id for token in held.state.tokens.values())

    async def token(self, iid: int, element: str) -> int:
        held = await self.noria.runtime.instance(iid)
        assert held is not None
        index = held.definition.graph.element_of[element]
        return next(key for key, token in held.state.tokens.items() if token.element == index)

    async def events(self, iid: int, kind: type | None = None) -> list[e.AnyEvent]:
        """What happened to an instance, as the journal has it."""
        rows = await self.store.journal_of(iid)
        return [event for row in rows for event in e.decode_events(row.ev) if kind is None or isinstance(event, kind)]

    async def comes_to(self, iid: int, *places: str) -> None:
        """Wait until the tokens are there."""

        async def there() -> bool:
            return await self.places(iid) == sorted(places)

        await eventually(there)

    async def ends(self, iid: int, status: str = "COMPLETED") -> None:
        """Wait until the instance has ended like that."""

        async def ended() -> bool:
            return (await self.state(iid)).status.name == status

        await eventually(ended)

    async def quiet(self) -> None:
        """Wait until nothing that machines could do now is left: no due timer, nothing to deliver."""

        async def nothing_due() -> bool:
            await self.noria.delivery.caught_up()
            return not await self.store.due_timers(self.clock.now_ms(), 1)

        await eventually(nothing_due)


def serial(definition: int) -> SerialDraw:
    """Numbers such as CG-2026-000001."""
    return SerialDraw(f"serial-{definition}", "2026", "CG-{year}-{number:06d}", 2026)


__all__ = ["START_MS", "TENANT", "House", "MovedClock", "Rejected", "eventually", "serial"]
