"""Noria itself on a virtual clock, for the suites: the product's own runtime, delivery, catalogue and worker use cases.

The tables and the event loop are those of the simulation, without its storms: every call to the store is answered at
once. Nothing happens by itself but delivery between instances: timers fire and workers work when a suite says so.
After every commit the laws are checked: the journal's events, folded, give the stored state; what was encoded reads
back to the same bytes; a step that is taken apart from the running server gives the same events; and no command ends
in a defect of Noria.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from noria.design.findings import Finding
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.evolve import APPLY
from noria.engine.facts import Facts
from noria.engine.outcome import Outcome
from noria.engine.state import State, decode_state, encode_state
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.operate.changes import Held
from noria.operate.deploying import Catalogue, DefinitionRow, Resource, StartTimerRow
from noria.operate.office import Caller
from noria.operate.requests import Accepted, Answer, BrokenError, Origin, Request
from noria.operate.rows import Commit
from noria.operate.start_timers import StartTimers
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from tests.simulation.server import Gate, Server
from tests.simulation.store import Tables

TENANT = 1
START_MS = 1_790_000_000_000
BY = "suite"
ORIGIN = Origin("suite")
OUTSIDE = Caller(Principal(BY, TENANT, frozenset({Permission.MESSAGES})), Person(BY, BY, "Suite"), ORIGIN)
MESSAGE_TTL_MS = 3_600_000
FACTS = Facts()
"""Nobody keeps people here: a task goes to whoever a model names."""


class _OpenGates(list[Gate]):
    """Lets every call to the store through as it comes."""

    def append(self, gate: Gate) -> None:
        try:
            gate.future.set_result(gate.work())
        except Exception as error:  # noqa: BLE001 - the caller of the store gets it, as from a database
            gate.future.set_exception(error)


class _Deployments:
    """`CatalogueStore` in memory."""

    def __init__(self) -> None:
        self.rows: list[DefinitionRow] = []
        self.kept: dict[int, list[Resource]] = {}
        self.start_timers: dict[tuple[int, str], StartTimerRow] = {}

    async def definitions(self, after: int = 0) -> list[DefinitionRow]:
        return [row for row in self.rows if row.id > after]

    async def resources(self, deployment: int) -> list[Resource]:
        return self.kept[deployment]

    async def newest_resources(self, tenant: int, kind: str, before: int | None = None) -> list[Resource]:
        deployed = [kept for number, kept in self.kept.items() if before is None or number < before]
        found = {item.name: item for kept in deployed for item in kept if item.kind == kind}
        return list(found.values())

    async def deploy(
        self,
        tenant: int,
        by: str,
        now_ms: int,
        resources: list[Resource],
        definitions: list[DefinitionRow],
        timers: Mapping[str, list[StartTimerRow]],
    ) -> int:
        number = len(self.kept) + 1
        self.kept[number] = resources
        for row in definitions:
            before = sum((other.tenant, other.key) == (tenant, row.key) for other in self.rows)
            row.id, row.version, row.deployment = len(self.rows) + 1, before + 1, number
            self.rows.append(row)
            older = {other.id for other in self.rows if (other.tenant, other.key) == (tenant, row.key)}
            self.start_timers = {key: timer for key, timer in self.start_timers.items() if key[0] not in older}
            for timer in timers.get(row.key, []):
                timer.definition = row.id
                await self.put_start_timer(timer)
        return number

    async def put_start_timer(self, row: StartTimerRow) -> None:
        self.start_timers[row.definition, row.element] = row

    async def drop_start_timer(self, definition: int, element: str) -> None:
        del self.start_timers[definition, element]

    async def due_start_timers(self, now_ms: int) -> list[StartTimerRow]:
        return [row for row in self.start_timers.values() if row.due <= now_ms]

    async def start_timers_of(self, tenant: int) -> list[StartTimerRow]:
        return [row for row in self.start_timers.values() if row.tenant == tenant]

    async def move_start_timer(self, due_ms: int, row: StartTimerRow) -> None:
        if self.start_timers[row.definition, row.element].due == due_ms:
            self.start_timers[row.definition, row.element] = row


class World:
    """One fresh Noria.

    Attributes:
        tables: what the store holds.
        wall_ms, elapsed_ms: the virtual clock.
        catalogue: what is deployed.
        server: runtime, delivery and workers' use cases.
    """

    def __init__(self) -> None:
        self.tables = Tables()
        self.tables.after_commit = self._check
        self.gates = _OpenGates()
        self.sleepers: list[Any] = []
        self.wall_ms = START_MS
        self.elapsed_ms = 0
        self._violations: list[AssertionError] = []
        self._folded: dict[int, State] = {}
        self._histories: dict[int, list[e.AnyEvent]] = {}
        self._last: dict[int, Held] = {}
        self._read: dict[int, int] = {}
        self._deployments = _Deployments()
        self.catalogue = Catalogue(self._deployments)
        surroundings: Any = self
        self.server = Server(surroundings, "suite", FACTS)
        self.start_timers = StartTimers(
            self.server.runtime, self.catalogue, self._deployments, self.server.clock, lambda _tenant: FACTS
        )
        self.ask(self.server.runtime.start())
        self.ask(self._deliver())

    async def _deliver(self) -> None:
        self.server.delivery.start()

    # Laws

    def _check(self, commit: Commit) -> None:
        try:
            self._check_laws(commit)
        except AssertionError as violation:
            # Raised here it would be taken for a failing database; whoever asked is told.
            self._violations.append(violation)

    def _check_laws(self, commit: Commit) -> None:
        for row in commit.journal:
            events = e.decode_events(row.ev)
            assert e.encode_events(events) == row.ev, "events do not read back to the same bytes"
            state = self._folded.setdefault(row.iid, State())
            for event in events:
                assert not (isinstance(event, e.IncidentRaised) and event.code == BrokenError.code), event
                APPLY[event.__class__](state, event)
            state.version += 1
            self._histories.setdefault(row.iid, []).extend(events)
        for stored in (*commit.inserts, *(row for row, _ in commit.updates)):
            assert encode_state(self._folded[stored.iid]) == stored.state, "replay does not give the state"
            assert encode_state(decode_state(stored.state)) == stored.state, "the state does not read back"

    # Asking

    def ask(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the server answers; all that follows from it has been delivered then.

        Raises:
            AssertionError: a law does not hold, or something failed in the background that only the log would tell.
        """
        loop = self.server.loop
        try:
            result = loop.run_until_complete(work)
        finally:
            if self._violations:
                raise self._violations[0]
        assert not loop.broken, loop.broken
        assert not self.sleepers, "delivery pauses on a failure"
        # Only a message may stay: one that nobody awaits yet.
        left = [row for row in self.tables.outbox.values() if row.kind != "message"]
        assert not left, f"not delivered: {left}"
        return result

    def submit(self, command: c.AnyCommand, iid: int = 0, definition: int = 0) -> Answer:
        """The runtime's answer to a command; the same step taken apart from it gives the same events."""

        async def answer() -> Answer:
            return await self.server.runtime.submit(Request(command, BY, iid, TENANT, definition, origin=ORIGIN))

        apart = None
        if iid:
            held = self.held(iid)
            apart = step(held.definition, held.state, command, self.wall_ms, FACTS)
        given = self.ask(answer())
        assert not (isinstance(given, Rejected) and given.code == BrokenError.code), given
        if isinstance(apart, Outcome):
            assert given.events == apart.events, "the same step gives other events"
        return given

    def deploy(self, files: Mapping[str, bytes]) -> list[Finding]:
        """Deploy files together; gives what was found. Nothing is deployed when one of the findings is an error."""
        return self.ask(self.catalogue.deploy(TENANT, BY, files, self.wall_ms, FACTS)).findings

    def start(self, process: str, variables: Mapping[str, object], business_key: str = "") -> int | Rejected:
        """Start an instance of the newest version of a process; gives its id."""
        row = self.catalogue.find(TENANT, process)
        if row is None:
            return Rejected("process.not_found", f"There is no process {process!r}.")
        answer = self.submit(c.StartInstance(BY, {"id": BY}, dict(variables), business_key), definition=row.id)
        return answer.iid if isinstance(answer, Accepted) else answer

    def message(self, name: str, key: str, variables: Mapping[str, object]) -> str:
        """Publish a message from outside; gives what became of it: correlated, waiting or expired."""
        number = f"outside-{self._count('message')}"
        workers = self.server.workers
        return self.ask(workers.publish(OUTSIDE, name, key, dict(variables), 0, number)).status

    def signal(self, name: str, variables: Mapping[str, object]) -> None:
        """Broadcast a signal from outside."""
        number = f"outside-{self._count('signal')}"
        self.ask(self.server.workers.broadcast(OUTSIDE, name, dict(variables), number))

    def _count(self, what: str) -> str:
        self._read[0] = self._read.get(0, 0) + 1
        return f"{what}-{self._read[0]}"

    # Looking

    def instances(self) -> list[int]:
        """Every instance there ever was, oldest first."""
        return sorted(self.tables.instances)

    def held(self, iid: int) -> Held:
        """An instance as it is now. The caller must not change it."""
        found = self.ask(self.server.runtime.instance(iid))
        assert found is not None, f"there is no instance {iid}"
        return found

    def history(self, iid: int) -> list[e.AnyEvent]:
        """Everything that happened to an instance."""
        return self._histories[iid]

    # Time

    def set_clock(self, now_ms: int) -> None:
        """Set the clock; nothing fires by that."""
        self.wall_ms = now_ms

    def next_due_ms(self) -> int | None:
        """When the next timer is due, of instances and of start events."""
        dues = [row.due for row in self.tables.timers.values()]
        dues += [row.due for row in self._deployments.start_timers.values()]
        return min(dues, default=None)

    def start_timer_rows(self) -> list[StartTimerRow]:
        """The timers that start processes."""
        return list(self._deployments.start_timers.values())

    def fire_due(self) -> int:
        """Fire what is due now, and what falls due at this instant by firing it; gives how many."""
        return self.ask(self.server.timers.fire_due()) + self.fire_start_timers()

    def fire_start_timers(self) -> int:
        """Start the processes that are due now; gives how many."""
        return self.ask(self.start_timers.start_due())

    def let_pass(self, until_ms: int, work: Callable[[], None]) -> None:
        """Let time pass up to an instant: timers fire in their order, and `work` is done after each instant."""
        work()
        while (due_ms := self.next_due_ms()) is not None and due_ms <= until_ms:
            self.set_clock(max(self.wall_ms, due_ms))
            assert self.fire_due(), "a due timer does not fire"
            work()
        self.set_clock(max(self.wall_ms, until_ms))
