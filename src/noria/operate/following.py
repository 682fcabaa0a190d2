"""What happens outside of this process: commits of others, what the projector wrote, deployments, people.

The journal and the cursors of its consumers are looked at twice a second, so that a browser that is connected here sees
what happened there, and a message that waits here finds the subscription that opened there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from noria.engine.events import decode_events
from noria.kernel.errors import NoriaError
from noria.operate.background import ended
from noria.operate.deploying import Catalogue, DefinitionRow
from noria.operate.ports import Clock, InstanceStore
from noria.operate.requests import Committed
from noria.operate.rows import JournalRow
from noria.operate.runtime import Runtime

logger = logging.getLogger(__name__)

LOOK_AGAIN_MS = 500
_PAGE = 1_000


class Stamp(msgspec.Struct, frozen=True):
    """What tells that something has changed.

    Attributes:
        definition: id of the newest definition.
        people: changes whenever people or units do.
        sessions: changes whenever a session ends before its time.
        calendars: changes whenever a calendar is published or given to a unit.
        facts: changes whenever something is said of the world.
    """

    definition: int
    people: str
    sessions: str
    calendars: str = ""
    facts: str = ""


class Noticed(msgspec.Struct, frozen=True):
    """Somebody has new notices.

    Attributes:
        tenant: whose.
        person: person id.
        at: when the newest was written, ms.
    """

    tenant: int
    person: str
    at: int


class Projected(msgspec.Struct):
    """What the projector has written since it was looked at last.

    Attributes:
        noticed: who has new notices, each once.
        definitions: whose figures have moved.
    """

    noticed: list[Noticed]
    definitions: set[int]


class Changes(Protocol):
    """Where changes are seen."""

    async def heads(self) -> dict[int, int]:
        """Shard → number of its last journal row."""
        ...

    async def stamp(self) -> Stamp:
        """What tells that models or people have changed."""
        ...

    async def projected(self) -> Projected:
        """What the projector has written since the last call; nothing the first time."""
        ...


class Following:
    """Looks, and tells.

    Args:
        runtime: whose listeners are told of commits.
        catalogue: learns of definitions.
        deployed: told of definitions that were deployed elsewhere.
        projected: told of who has new notices, and of the keys of processes whose figures have moved.
        people_changed: told that people or units have changed somewhere.
        facts_changed: told that something has been said of the world.
        calendars_changed: told that calendars have changed somewhere.
        alone: whether no other process commits.
    """

    def __init__(
        self,
        runtime: Runtime,
        store: InstanceStore,
        catalogue: Catalogue,
        changes: Changes,
        clock: Clock,
        *,
        deployed: Callable[[list[DefinitionRow]], None],
        projected: Callable[[list[Noticed], set[str]], None],
        people_changed: Callable[[], None],
        sessions_ended: Callable[[], None],
        calendars_changed: Callable[[], Awaitable[None]],
        facts_changed: Callable[[], Awaitable[None]],
        alone: bool,
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._catalogue = catalogue
        self._changes = changes
        self._clock = clock
        self._deployed = deployed
        self._projected = projected
        self._people_changed = people_changed
        self._sessions_ended = sessions_ended
        self._calendars_changed = calendars_changed
        self._facts_changed = facts_changed
        self._alone = alone
        self._seen: dict[int, int] = {}
        self._stamp: Stamp | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what happens from now on.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        self._seen = await self._changes.heads()
        await self._changes.projected()
        self._task = asyncio.create_task(self._work(), name="noria-following")

    async def stop(self) -> None:
        """Stop looking."""
        await ended(self._task)

    def nudge(self) -> None:
        """Something has just happened."""
        self._wake.set()

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
            except NoriaError as error:
                logger.warning("What happens elsewhere is not seen now: %s", error)
            except Exception:
                logger.exception("What happens elsewhere is not seen on a defect")
            sleeping = asyncio.ensure_future(self._clock.sleep_until(self._clock.now_ms() + LOOK_AGAIN_MS))
            waking = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()
            self._wake.clear()

    async def look(self) -> None:
        """Look once, and tell what is new.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        await self._look_at_stamps()
        if not self._alone:
            await self._look_at_commits()
        new = await self._changes.projected()
        if new.noticed or new.definitions:
            keys = {(await self._catalogue.get(definition)).graph.key for definition in new.definitions}
            self._projected(new.noticed, keys)

    async def _look_at_stamps(self) -> None:
        stamp = await self._changes.stamp()
        before, self._stamp = self._stamp, stamp
        if before is None or before.people != stamp.people:
            self._people_changed()
        if before is None or (before.people, before.sessions) != (stamp.people, stamp.sessions):
            self._sessions_ended()
        if before is None or before.calendars != stamp.calendars:
            await self._calendars_changed()
        if before is None or before.facts != stamp.facts:
            await self._facts_changed()
        if before is None or before.definition != stamp.definition:
            found = await self._catalogue.refresh()
            if found:
                self._deployed(found)

    async def _look_at_commits(self) -> None:
        heads = await self._changes.heads()
        # What this process commits its listeners know; what went by while a shard changed hands they are told of as
        # unseen (`Runtime.adopt`).
        self._seen |= self._runtime.heads
        behind = {number: self._seen.get(number, 0) for number in heads}
        while any(behind[number] < head for number, head in heads.items()):
            rows = await self._store.journal_after({**heads, **behind}, _PAGE)
            if not rows:
                break
            for row in rows:
                behind[row.shard] = row.seq
            self._runtime.tell(await self._committed(rows))
            self._seen |= behind

    async def _committed(self, rows: list[JournalRow]) -> list[Committed]:
        instances = await self._store.load(list({row.iid for row in rows}))
        definitions = {row.definition: await self._catalogue.get(row.definition) for row in instances.values()}
        return [
            Committed(row, instances[row.iid], definitions[instances[row.iid].definition], tuple(decode_events(row.ev)))
            for row in rows
        ]


def moved(before: Mapping[int, int], after: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Shard → (from, to) of cursors that went forward; a projection that is built anew begins at its new cursor."""
    return {number: (before.get(number, 0), seq) for number, seq in after.items() if seq > before.get(number, 0)}
