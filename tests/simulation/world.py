"""One simulated world: servers, people, workers, the outside, a clock and a database, on one stream of choices.

Every call to the store is a point where anything else may happen first. The world is unkind for a while, then it keeps
quiet, and everything that was begun must come to its end.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import patch

import msgspec

from noria.design.bpmn.graph import Kind
from noria.engine.definition import Definition
from noria.kernel.errors import NoriaError
from noria.kernel.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from noria.operate.ports import StaleOwnerError, StoreUnavailableError
from tests.simulation.building import Builder
from tests.simulation.choosing import Chooser
from tests.simulation.clients import LostError, Outside, People, WorkerSide
from tests.simulation.former import FORMER, former_version
from tests.simulation.history import History, ViolationError
from tests.simulation.invariants import AT_THE_END, EveryCommit, no_child_is_orphaned
from tests.simulation.models import Block, Model
from tests.simulation.server import Gate, Server
from tests.simulation.store import Tables
from tests.simulation.versions import Versions, extended

START_MS = 1_790_000_000_000
STEPS = 220
QUIET_ROUNDS = 400
"""Ten times as many where a world has more of something: loops of calls in loops take long."""
ENOUGH = 20_000
"""A server that makes more calls than this without rest works in vain."""

QUIET_MS = 100 * DAY_MS
"""Longer than all timers of a model together; what waits for longer waits for ever."""

_FATES = ("answered",) * 84 + ("slow",) * 6 + ("refused",) * 4 + ("timed_out",) * 2 + ("crash_before",) * 2
_COMMIT_FATES = (
    *("answered",) * 70,
    *("slow",) * 8,
    *("refused",) * 4,
    *("timed_out",) * 6,
    *("late",) * 6,
    *("crash_before",) * 3,
    *("crash_after",) * 3,
)
"""What may become of a call to the store.

answered; slow: carried out, and the answer takes its time; refused: nothing is done; timed_out: carried out, but the
caller is told that it failed; late: the caller is told that it failed, and it may be carried out later; crash_before
and crash_after: the server goes down before or after it was carried out.
"""

_MARKED_EVENTS = {
    "CompensationStarted": "compensation",
    "InstanceMigrated": "migrated",
    "InstanceModified": "modified",
    "InstanceRestored": "restored",
    "InstanceResumed": "resumed",
    "LoopCutShort": "loop_cut_short",
    "SignalThrown": "signal_thrown",
}
"""Recorded events that are points of interest."""


LAG_MAX = 4
"""Commands after which a state is written anew: few, as instances here are short."""


FOCI = ("loop", "migrate", "return", "shift", "suspend")
"""What a world may have more of, beside kinds of blocks."""


class World:
    """Everything of one seed.

    Attributes:
        choose: the stream of choices.
        focus: what there is more of than usual: kinds of blocks, or some of `FOCI`.
        model, xml: what is run.
        requests: how many requests people start.
        tables: what survives crashes.
        servers: those alive; a second one may overlap with the first for a while.
        gates: calls to the store that wait to be let through.
        sleepers: (when, server, future), by elapsed time.
        wall_ms: the clock on the wall, which may be set.
        elapsed_ms: time that has really passed.
        effects: idempotency key → how often a worker did the side effect.
        marks: points of interest that this world came by.
        weather: the kinds of trouble that there are in this world.
        trace: numbered lines, when they are wanted.
    """

    def __init__(
        self, choose: Chooser, *, model: Model | None = None, trace: bool = False, focus: tuple[str, ...] = ()
    ) -> None:
        self.choose = choose
        self.model = model or Builder(choose, focus=focus).model()
        self.versions = Versions(self.model, START_MS)
        self.xml = self.versions.xml
        self.catalogue = self.versions.catalogue
        self.requests = 1 + choose.below(3)
        self.tables = Tables()
        self.every_commit = EveryCommit(self)
        self.tables.after_commit = self.every_commit
        self.servers: list[Server] = []
        self.gates: list[Gate] = []
        self.sleepers: list[tuple[int, Server, Any]] = []
        self.wall_ms = START_MS
        self.elapsed_ms = 0
        self.effects: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()
        self.trace: list[str] = []
        self.people = People(self)
        self.workers = WorkerSide(self)
        self.outside = Outside(self)
        self._tracing = trace
        self._focus = focus
        self._late: list[Gate] = []
        self._servers_started = 0
        self._quiet = False
        self._outage = 0
        # Not every kind of trouble in every world: one kind often hides what another would show.
        self.weather = tuple(kind for kind in ("store", "crash", "two_servers", "clock") if choose.below(100) < 65)
        if choose.chance(15):
            self.weather += ("upgrade",)
        self.blocks: dict[str, Block] = {}
        for process in self.model.processes:
            for block in process.blocks():
                if hasattr(block, "id"):
                    self.blocks[block.id] = block
        self.message_names = tuple(
            line.split('"')[1] for line in self.xml.decode().splitlines() if line.startswith("<message ")
        )

        # In half of the worlds a state is written now and then, in the others with each command.
        self._lag_max = LAG_MAX if len(self.xml) % 2 else 1

    # What is looked up

    @property
    def histories(self) -> dict[int, History]:
        """By instance."""
        return self.every_commit.histories

    def definition_of(self, iid: int) -> Definition:
        """What an instance runs on."""
        return self.versions.definition(self.tables.instances[iid].definition)

    def history_of(self, iid: int) -> History:
        """A new history of an instance."""
        return History(iid, self.tables.instances[iid].definition, self.versions, self.people.operators.meant)

    def request_of(self, iid: int) -> int:
        """Number of the request that an instance belongs to."""
        return self.histories[iid].outside.request

    def block_at(self, definition: int, element: int) -> Block | None:
        """The block that an element was written from."""
        compiled = self.versions.definition(definition)
        return self.blocks.get(compiled.graph.elements[element].id)

    def mark(self, name: str) -> None:
        """Remember that this point was come by."""
        self.marks[name] += 1

    def log(self, text: str, *values: object) -> None:
        """A line of the trace."""
        if self._tracing:
            shown = [_shown(value) for value in values]
            self.trace.append(f"{len(self.trace) + 1:5} {self.wall_ms - START_MS:>12} {text % tuple(shown)}")

    # Running

    def run(self) -> None:
        """Run the unkind phase and the quiet one, and check what must hold at the end.

        Raises:
            ViolationError: something does not hold.
        """
        try:
            with patch("noria.operate.stepping.LAG_MAX", self._lag_max):
                self._run()
        finally:
            for server in self.servers:
                server.discard()

    def _run(self) -> None:
        self.people.returns_left = (8 if "return" in self._focus else 3) if self._likely("return", 30) else 0
        self.people.cancels_left = 1 if self.choose.chance(20) else 0
        operators = self.people.operators
        operators.shifts_left = 3 if self._likely("shift", 25) else 0
        operators.suspensions_left = 2 if self._likely("suspend", 20) else 0
        operators.migrations_left = 3 if self._likely("migrate", 15) else 0
        if operators.migrations_left:
            self.versions.deploy(extended(self.model) if self.choose.chance(70) else self.model, START_MS)
        upgrade_at = 1 + self.choose.below(STEPS) if "upgrade" in self.weather else 0
        if upgrade_at:
            with former_version():
                self.start_server()
                self._storm(upgrade_at)
                for server in list(self.servers):
                    self.crash(server)
            self._mark_what_is_old()
        self.start_server()
        self._storm(STEPS - upgrade_at)
        self._keep_quiet()
        for check in AT_THE_END:
            check(self)
        self._mark_what_happened()

    def _likely(self, what: str, percent: int) -> bool:
        return self.choose.chance(90 if what in self._focus else percent)

    def _storm(self, steps: int) -> None:
        for _ in range(steps):
            if self._everything_is_over():
                break
            self._step()

    def _mark_what_is_old(self) -> None:
        self.log("a new version starts")
        if any(
            not row.ended and msgspec.msgpack.decode(row.state)[0] == FORMER for row in self.tables.instances.values()
        ):
            self.mark("upgraded")

    def _everything_is_over(self) -> bool:
        return self.people.started >= self.requests and bool(self.histories) and not self._open_instances()

    def _open_instances(self) -> list[History]:
        return [history for history in self.histories.values() if not history.over]

    def _step(self) -> None:
        choose = self.choose
        self._pass_time(1 + choose.below(40))
        dice = choose.below(100)
        if not self.servers:
            if dice < 50:
                self.start_server()
            else:
                self._move_clock()
        elif self.gates and dice < 68:
            self._let_through(choose.one_of(self.gates))
        elif dice < 90:
            self._somebody_asks()
        elif dice < 97:
            self._move_clock()
        else:
            self._trouble()
        self._wake_somebody()

    def _pass_time(self, ms: int) -> None:
        self.wall_ms += ms
        self.elapsed_ms += ms

    def _wake_somebody(self) -> None:
        due = [sleeper for sleeper in self.sleepers if sleeper[0] <= self.elapsed_ms]
        if due:
            self._wake(self.choose.one_of(due))

    def wake_next(self) -> bool:
        """Wake the first who has slept long enough; False when nobody has."""
        due = next((sleeper for sleeper in self.sleepers if sleeper[0] <= self.elapsed_ms), None)
        if due is not None:
            self._wake(due)
        return due is not None

    def _wake(self, sleeper: tuple[int, Server, Any]) -> None:
        self.sleepers.remove(sleeper)
        if not sleeper[2].done():
            sleeper[2].set_result(None)
        sleeper[1].loop.run_ready()

    # Servers

    def start_server(self) -> None:
        """Start a server on the same database."""
        self._servers_started += 1
        server = Server(self, f"server{self._servers_started}")
        self.log("%s starts", server.name)
        self.servers.append(server)
        for other in self.servers:
            other.overlapped = other.overlapped or len(self.servers) > 1
        server.boot(lambda error: self._boot_failed(server, error))
        server.loop.run_ready()

    def _boot_failed(self, server: Server, error: BaseException) -> None:
        if not isinstance(error, NoriaError):
            raise ViolationError("I9", f"{server.name} does not start: {error!r}") from error
        if server in self.servers:
            self.log("%s does not start: %s", server.name, error)
            self._forget(server)

    def crash(self, server: Server) -> None:
        """End a server as by a power cut: nothing of it runs any more."""
        self.log("%s crashes", server.name)
        self._forget(server)
        for answered in server.unanswered():
            answered(None, LostError("The server is gone."))

    def _forget(self, server: Server) -> None:
        self.servers.remove(server)
        self.gates = [gate for gate in self.gates if gate.server is not server]
        self.sleepers = [sleeper for sleeper in self.sleepers if sleeper[1] is not server]

    # The store

    def _let_through(self, gate: Gate) -> None:
        fate = self._fate(gate)
        if fate == "answered" or (fate == "slow" and gate.answer is not None):
            self._answer(gate)
            return
        if gate.name == "commit":
            self.mark(f"commit_{fate}")
        if fate == "late" and gate.answer is None:
            self._late.append(gate)
        elif fate in ("slow", "timed_out", "crash_after") and gate.answer is None:
            self._carry_out(gate)
        if fate in ("crash_before", "crash_after"):
            self.crash(gate.server)
        elif fate != "slow":
            self._fail(gate)

    def _fate(self, gate: Gate) -> str:
        if self._quiet or "store" not in self.weather:
            return "answered"
        if self._outage:
            self._outage -= 1
            self.mark("outage")
            return "refused"
        fate = self.choose.one_of(_COMMIT_FATES if gate.name == "commit" else _FATES)
        if fate in ("refused", "late", "timed_out"):
            # Faults come together: often the next calls fail as well.
            self._outage = self.choose.below(6)
        if fate.startswith("crash") and "crash" not in self.weather:
            return "refused"
        return fate

    def _carry_out(self, gate: Gate) -> None:
        try:
            gate.answer = [gate.work(), None]
        except (StaleOwnerError, StoreUnavailableError) as error:
            self.mark("stale_owner" if isinstance(error, StaleOwnerError) else "key_exists")
            gate.answer = [None, error]
        self.log("%s %s%s", gate.server.name, gate.name, f": {gate.answer[1].code}" if gate.answer[1] else "")

    def _answer(self, gate: Gate) -> None:
        if gate.answer is None:
            self._carry_out(gate)
        assert gate.answer is not None
        result, error = gate.answer
        self._resolve(gate, result, error)

    def _fail(self, gate: Gate) -> None:
        self.log("%s %s fails", gate.server.name, gate.name)
        self._resolve(gate, None, StoreUnavailableError("The database does not answer."))

    def _resolve(self, gate: Gate, result: Any, error: Exception | None) -> None:
        self.gates.remove(gate)
        if not gate.future.done():
            if error is None:
                gate.future.set_result(result)
            else:
                gate.future.set_exception(error)
        gate.server.loop.run_ready()

    def _finish_late(self) -> None:
        gate = self._late.pop(0)
        self._carry_out(gate)

    # What people and machines do

    def _server(self) -> Server | None:
        up = [server for server in self.servers if server.up]
        return self.choose.one_of(up) if up else None

    def _somebody_asks(self) -> None:
        server = self._server()
        if server is None:
            return
        dice = self.choose.below(100)
        if dice < 25 or not self.histories:
            _ = self.people.start(server) or self.people.work(server, plain=False)
        elif dice < 50:
            self.people.work(server, plain=False)
        elif dice < 60:
            self.workers.fetch(server, self.choose.one_of((MINUTE_MS, 5 * SECOND_MS, HOUR_MS)))
        elif dice < 76:
            self.workers.work(server, plain=False)
        elif dice < 82:
            self.outside.publish(server, early=self.choose.chance(35))
        elif dice < 85:
            self.outside.broadcast(server)
        elif dice < 87:
            self.outside.repeat(server)
        elif dice < 91:
            self.people.repeat(server)
        elif dice < 93:
            self.people.forget()
        elif dice < 96:
            self.people.insist(server)
        elif not self.people.operators.operate(server):
            self.people.repair(server)
        server.loop.run_ready()

    # The clock, and what goes wrong

    def _move_clock(self) -> None:
        choose = self.choose
        dice = choose.below(10)
        if dice < 5:
            due = min((row.due for row in self.tables.timers.values()), default=self.wall_ms)
            self._pass_time(max(SECOND_MS, due - self.wall_ms if choose.chance(80) else 0))
        elif dice < 8 or "clock" not in self.weather:
            self._pass_time(choose.one_of((SECOND_MS, 30 * SECOND_MS, 5 * MINUTE_MS, HOUR_MS)))
        elif dice < 9:
            self.mark("clock_set_back")
            self.wall_ms -= choose.one_of((MINUTE_MS, 30 * MINUTE_MS, HOUR_MS))
        else:
            self.mark("clock_set_forward")
            self.wall_ms += choose.one_of((MINUTE_MS, HOUR_MS, DAY_MS))
        self.log("the clock moves")

    def _trouble(self) -> None:
        dice = self.choose.below(10)
        if dice < 4 and self._late:
            self._finish_late()
        elif dice < 7 and len(self.servers) == 1 and "two_servers" in self.weather:
            self.mark("two_servers")
            self.start_server()
        elif dice >= 7 and "crash" in self.weather:
            self.mark("crash")
            self.crash(self.choose.one_of(self.servers))

    # The quiet phase

    def _keep_quiet(self) -> None:
        self.log("quiet")
        self._quiet = True
        while self._late:
            self._finish_late()
        # One process owns all shards for now. A server that ran beside another one is not told of what that one
        # committed, so it does not count on being the last.
        for server in [server for server in self.servers if server.overlapped]:
            self.crash(server)
        until_ms = self.elapsed_ms + QUIET_MS
        rounds = QUIET_ROUNDS * (10 if self._focus else 1)
        for _ in range(rounds):
            if not self.servers:
                self.start_server()
            self._settle()
            if self.elapsed_ms > until_ms:
                raise ViolationError("I9", f"not at an end after {QUIET_MS // DAY_MS} days: {self._what_is_open()}")
            # Long enough for whoever paused after a fault to look again.
            self._pass_time(2 * SECOND_MS)
            self._settle()
            no_child_is_orphaned(self)
            if not self._go_on():
                return
        raise ViolationError("I9", f"not at an end after {rounds} quiet rounds: {self._what_is_open()}")

    def _what_is_open(self) -> dict[str, object]:
        names = ("tasks", "timers", "jobs", "waits", "outbox")
        return {name: list(getattr(self.tables, name).values())[:3] for name in names if getattr(self.tables, name)}

    def _settle(self) -> None:
        """Let the server work until it rests."""
        for _ in range(ENOUGH):
            if self.gates:
                self._answer(self.gates[0])
            elif not self.wake_next():
                return
        raise ViolationError("I9", f"a server made {ENOUGH} calls without coming to rest")

    def _go_on(self) -> bool:
        """One round of everybody doing what is to be done; False when nothing is left."""
        server = self._server()
        if server is None:
            raise ViolationError("I9", "no server is up though nothing disturbs it")
        people = self.people
        asked = people.insist(server) or people.start(server) or people.operators.resume(server)
        asked = people.work(server, plain=True) or asked
        asked = self.workers.work(server, plain=True) or asked
        asked = people.repair(server) or asked
        asked = self._answer_who_waits(server) or asked
        asked = self._signal_who_waits(server) or asked
        if not asked:
            asked = self._let_time_pass(server)
        server.loop.run_ready()
        return asked

    def _answer_who_waits(self, server: Server) -> bool:
        now = self.wall_ms
        posted = {
            (row.name, row.corr) for row in self.tables.outbox.values() if row.kind == "message" and row.expires > now
        }
        for row in list(self.tables.waits.values()):
            if row.signal:
                continue
            if (row.name, row.corr) in posted:
                raise ViolationError("I9", f"a message {row.name} for {row.corr} is there, but not delivered to {row}")
            if not self._is_optional(row.iid, row.wait):
                self.outside.answer(server, row.name, row.corr)
                return True
        return False

    def _is_optional(self, iid: int, wait: int) -> bool:
        """Whether an instance goes on without this event."""
        history = self.histories[iid]
        element = history.definition.graph.elements[history.state.waits[wait].element]
        return element.kind in (Kind.BOUNDARY_EVENT, Kind.START_EVENT)

    def _signal_who_waits(self, server: Server) -> bool:
        """Broadcast a signal that somebody cannot do without."""
        for row in self.tables.waits.values():
            if row.signal and not self._is_optional(row.iid, row.wait):
                return self.outside.broadcast(server, row.name)
        return False

    def _let_time_pass(self, server: Server) -> bool:
        tables = self.tables
        due = [row.due for row in tables.timers.values()]
        due += [max(row.due, tables.leases[key].until) for key, row in tables.jobs.items() if row.retries]
        due += [row.expires for row in tables.outbox.values()]
        if not due:
            return False
        self._pass_time(max(SECOND_MS, min(due) - self.wall_ms))
        self.log("time passes")
        self.workers.fetch(server, HOUR_MS)
        if any(row.expires <= self.wall_ms for row in tables.outbox.values()):
            # Expired messages go when delivery looks the next time, which any commit makes it do.
            server.delivery.nudge()
        return True

    # What happened

    def _mark_what_happened(self) -> None:
        for history in self.histories.values():
            self.mark(history.over.partition(" ")[0])
            if history.returned:
                self.mark("returned")
            for event, mark in _MARKED_EVENTS.items():
                self.marks[mark] += history.seen[event]
            for element in history.definition.graph.elements:
                times = history.left[element.id]
                if not times:
                    continue
                kind = element.kind.name.lower()
                if element.kind is Kind.BOUNDARY_EVENT:
                    assert element.trigger is not None
                    how = "interrupts" if element.interrupting else "adds"
                    kind = f"{element.trigger.kind.name.lower()}_boundary_{how}"
                if history.merged[element.id]:
                    kind += "_joins"
                self.mark(kind)
                if element.loop is not None:
                    self.mark(f"{element.loop.kind.name.lower()}_loop")
                if element.save_before or element.save_after:
                    self.mark("save_point")


def _shown(value: object) -> object:
    if callable(value):
        value = value().command
    return value
