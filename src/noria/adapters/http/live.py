"""Live updates: thin pointers to what changed, for those who may see it. Browsers fetch what they show."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from noria.engine import events as e
from noria.operate.following import Noticed
from noria.operate.ids import task_id
from noria.operate.office import iso
from noria.operate.requests import Committed
from noria.trust.policy import Permission, Principal

BUFFER = 5_000
QUEUE_MAX = 1_000
KEEP_ALIVE_SECONDS = 15.0


class Pointer(msgspec.Struct, frozen=True):
    """One change.

    Attributes:
        seq: rises by one with each pointer of this process's life, from a start that no other life has.
        kind: e.g. "task.created".
        subject: id of what changed.
        process: key of the process, "" when none is concerned.
        at: when.
    """

    seq: int
    kind: str
    subject: str
    process: str
    at: str


class _Addressed(msgspec.Struct, frozen=True):
    pointer: Pointer
    tenant: int
    people: frozenset[str]
    groups: frozenset[str]
    unit: str
    needs: Permission | None

    @property
    def first(self) -> int:
        """Number of the only pointer."""
        return self.pointer.seq

    @property
    def pointers(self) -> tuple[_Addressed, ...]:
        """The only one."""
        return (self,)


class _Change(msgspec.Struct):
    """What one command has changed; its pointers are only made when somebody is connected.

    Attributes:
        first: number of the first pointer; one for each event, and one for the instance.
        iid, tenant, starter, unit: of the instance.
        actor: who gave the command.
        process: key of the process.
        at: when, ms.
        events: those that have changed tasks.
    """

    first: int
    iid: int
    tenant: int
    starter: str
    unit: str
    actor: str
    process: str
    at: int
    events: list[e.AnyEvent]
    made: tuple[_Addressed, ...] = ()

    @property
    def pointers(self) -> tuple[_Addressed, ...]:
        """All of them, in the order of their numbers."""
        if not self.made:
            self.made = tuple(self._make())
        return self.made

    def _make(self) -> Iterator[_Addressed]:
        people = {self.starter, self.actor}
        groups: set[str] = set()
        for event in self.events:
            if isinstance(event, e.TaskOpened):
                people |= {event.assignee, *event.users}
                groups |= set(event.groups)
            elif isinstance(event, e.TaskTransferred):
                people |= {event.to, event.held_by}
        changes = [(_TASK_EVENTS[type(event)], task_id(self.iid, getattr(event, "token", 0))) for event in self.events]
        for n, (kind, subject) in enumerate([*changes, ("instance.changed", str(self.iid))]):
            # Closing a task concerns all who had it in their list; those are not known any more, so it goes to
            # everybody of the tenant: it is a pointer that says nothing but an id.
            to_all = kind in ("task.closed", "task.changed")
            yield _Addressed(
                Pointer(self.first + n, kind, subject, self.process, iso(self.at)),
                self.tenant,
                frozenset({"*"} if to_all else people),
                frozenset(groups),
                self.unit,
                Permission.READ_ALL,
            )


Renew = Callable[[], Awaitable[Principal | None]]
_NOTHING = _Addressed(Pointer(0, "ping", "", "", ""), 0, frozenset(), frozenset(), "", None)
_AFRESH = _Addressed(Pointer(0, "reset", "", "", ""), 0, frozenset(), frozenset(), "", None)
_TASK_EVENTS: Mapping[type, str] = {
    e.TaskOpened: "task.created",
    e.TaskClaimed: "task.changed",
    e.TaskUnclaimed: "task.changed",
    e.TaskTransferred: "task.changed",
    e.TaskUrged: "task.changed",
    e.TaskReminded: "task.changed",
    e.TaskCompleted: "task.closed",
    e.TaskReturned: "task.closed",
}


class LiveHub:
    """Collects changes and hands them to connected browsers."""

    def __init__(self) -> None:
        self._seq = 0
        self._buffer: deque[_Addressed | _Change] = deque(maxlen=BUFFER)
        self._queues: set[asyncio.Queue[_Addressed | _Change | None]] = set()

    def begin(self, life: int) -> None:
        """Begin to count.

        Args:
            life: any number below 2**20 that other processes, and earlier lives, do not have: whoever comes from one of
                them with a number of theirs is told to start afresh. The sum stays exact in a browser.
        """
        self._seq = life << 32

    def committed(self, items: list[Committed]) -> None:
        """Runtime listener."""
        if not items:
            self._start_afresh()
        changes = []
        for item in items:
            row = item.instance
            events = [event for event in item.events if event.__class__ in _TASK_EVENTS]
            change = _Change(
                self._seq + 1,
                row.iid,
                row.tenant,
                row.starter,
                row.unit,
                item.row.actor,
                item.definition.graph.key,
                item.row.ts,
                events,
            )
            self._seq += len(events) + 1
            changes.append(change)
        self._tell(changes)

    def _start_afresh(self) -> None:
        """Changes may have gone by unseen: everybody who is connected, or comes back, reads everything again."""
        self._seq += 1
        self._buffer.clear()
        for queue in list(self._queues):
            self._put(queue, [_AFRESH])

    def projected(self, noticed: list[Noticed], processes: set[str], tenant: int, at_ms: int) -> None:
        """Projector listener."""
        for key in sorted(processes):
            self._publish("board.changed", key, key, at_ms, tenant, (), (), "", Permission.BOARD)
        for one in noticed:
            self._publish("notice.created", one.person, "", one.at, one.tenant, {one.person}, (), "")

    def deployed(self, tenant: int, keys: Iterable[str], at_ms: int) -> None:
        """New versions are in force."""
        for key in keys:
            self._publish("definition.deployed", key, key, at_ms, tenant, None, (), "")

    def _publish(
        self,
        kind: str,
        subject: str,
        process: str,
        at_ms: int,
        tenant: int,
        people: Iterable[str] | None,
        groups: Iterable[str],
        unit: str,
        needs: Permission | None = None,
    ) -> None:
        self._seq += 1
        everybody = people is None
        addressed = _Addressed(
            Pointer(self._seq, kind, subject, process, iso(at_ms)),
            tenant,
            frozenset({"*"} if everybody else people or ()),
            frozenset(groups),
            unit,
            needs or Permission.READ_ALL,
        )
        self._tell([addressed])

    def _tell(self, told: Sequence[_Addressed | _Change]) -> None:
        self._buffer.extend(told)
        for queue in list(self._queues):
            self._put(queue, told)

    def _put(self, queue: asyncio.Queue[_Addressed | _Change | None], told: Sequence[_Addressed | _Change]) -> None:
        try:
            for one in told:
                queue.put_nowait(one)
        except asyncio.QueueFull:
            # A browser that does not read is cut off; it comes back and is told to start afresh.
            self._queues.discard(queue)

    def close(self) -> None:
        """End all streams."""
        for queue in self._queues:
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(None)

    @staticmethod
    def _concerns(addressed: _Addressed, who: Principal) -> bool:
        if addressed.tenant != who.tenant:
            return False
        if "*" in addressed.people or who.id in addressed.people or addressed.groups & set(who.groups):
            return True
        if addressed.unit and addressed.unit in who.units:
            return True
        for stands in who.stands_for:
            if stands.principal in addressed.people or addressed.groups & set(stands.groups):
                return True
        return addressed.needs in who.permissions

    async def stream(
        self, who: Principal, after: int | None, renew: Renew | None = None
    ) -> AsyncIterator[Pointer | str]:
        """Pointers for one person: those missed since `after`, then live ones; "reset" when too many were missed.

        A "ping" comes in between when nothing happens, so that dead connections are noticed. From time to time the
        person is looked at again: one who is not active any more is told nothing, and whoever has other tasks to see
        than before, by a new role, say, or as a substitute from today on, is told to read everything again.

        Args:
            who: the person, as the policy sees them now.
            after: number of the last pointer that the browser has, None for none.
            renew: gives the person as the policy sees them then, None for one who is not active any more.
        """
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        queue: asyncio.Queue[_Addressed | _Change | None] = asyncio.Queue(QUEUE_MAX)
        missed = list(self._buffer)
        self._queues.add(queue)
        try:
            if after is not None and after != self._seq:
                oldest = missed[0].first if missed else self._seq + 1
                if after < oldest - 1 or after > self._seq:
                    yield "reset"
                else:
                    for addressed in (one for told in missed for one in told.pointers):
                        if addressed.pointer.seq > after and self._concerns(addressed, who):
                            yield addressed.pointer
            yield "ready"
            while queue in self._queues:
                item: _Addressed | _Change | None = _NOTHING
                with contextlib.suppress(TimeoutError):
                    item = await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
                if renew is not None and loop.time() - renewed >= KEEP_ALIVE_SECONDS:
                    renewed = loop.time()
                    fresh = await renew()
                    if fresh is None:
                        return
                    if fresh != who:
                        who = fresh
                        yield "reset"
                if item is _NOTHING:
                    yield "ping"
                    continue
                if item is None:
                    return
                if item is _AFRESH:
                    yield "reset"
                    continue
                for addressed in item.pointers:
                    if self._concerns(addressed, who):
                        yield addressed.pointer
        finally:
            self._queues.discard(queue)

    @property
    def seq(self) -> int:
        """Number of the last pointer."""
        return self._seq
