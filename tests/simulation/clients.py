"""Who asks the servers for something: people, workers and the outside. None of them ever crashes; they just wait.

Each method asks for one thing and gives False when there is nothing to ask. With `plain` they make no mistakes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from noria.engine import commands as c
from noria.engine.tasks.returning import returnable
from noria.kernel.errors import NoriaError
from noria.kernel.instants import HOUR_MS, MINUTE_MS
from noria.operate.office import Caller
from noria.operate.requests import Accepted, Answer, Origin, Request, SerialDraw
from noria.operate.rows import TaskRow
from noria.operate.views import JobView
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from tests.simulation.history import ViolationError
from tests.simulation.invariants import answers_are_recorded_once
from tests.simulation.models import ServiceTask, UserTask, decided
from tests.simulation.operators import Operators

if TYPE_CHECKING:
    from tests.simulation.server import Server
    from tests.simulation.world import World

ORIGIN = Origin("simulation")
OUTSIDE = Caller(
    Principal("outside", 1, frozenset({Permission.MESSAGES})), Person("outside", "outside", "Outside"), ORIGIN
)
CLERKS = ("bob", "cy")
MORE_CLERKS = ("fay", "gil", "hal")
"""Who is asked when all others are kept from a task."""
SUBSTITUTES = ("dee", "eve")
TOPIC = "work"


class LostError(NoriaError):
    """The server crashed before it answered."""

    code = "simulation.lost"


class Command(msgspec.Struct):
    """One command of a person, sent again with the same key as often as it takes.

    Attributes:
        key: idempotency key.
        make: the request; a new one each time, as from the wire.
    """

    key: str
    make: Callable[[], Request]


class People:
    """They start requests, work on tasks and repair what stands still."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0
        # Commands that were answered, for late duplicates, and those without an answer.
        self._answered: deque[Command] = deque(maxlen=8)
        self._unsure: deque[Command] = deque()
        self.started = 0
        self.returns_left = 0
        self.cancels_left = 0
        self.operators = Operators(world, self)

    def send(self, server: Server, command: Command) -> bool:
        """Send a command; what is not answered is sent again some time."""
        world = self._world

        def answered(answer: Any, error: BaseException | None) -> None:
            if error is None:
                self._take_answer(command, answer)
                return
            if not isinstance(error, NoriaError):
                raise ViolationError("I9", f"command {command.key} ended in {error!r}") from error
            world.log("no answer to %s: %s", command.key, type(error).__name__)
            self._unsure.append(command)

        async def work() -> Answer:
            return await server.runtime.submit(command.make())

        world.log("%s is asked %s: %s", server.name, command.key, command.make)
        server.ask(work(), answered)
        return True

    def _take_answer(self, command: Command, answer: Answer) -> None:
        world = self._world
        if isinstance(answer, Accepted):
            if answer.repeated:
                world.mark("repeated_command")
            answers_are_recorded_once(world, command.key, answer)
            world.log("%s is accepted: %s", command.key, answer.version)
        else:
            world.mark("refused_command")
            world.log("%s is refused: %s", command.key, answer.code)
        self._answered.append(command)

    def command(self, iid: int, command: c.AnyCommand, target: int = 0, actor: str = "person") -> Command:
        """A command with a key of its own."""
        self._number += 1
        key = f"person-{self._number}"
        return Command(key, lambda: Request(command, actor, iid=iid, key=key, origin=ORIGIN, target=target))

    def start(self, server: Server) -> bool:
        """Start a request."""
        world = self._world
        if self.started >= world.requests:
            return False
        self.started += 1
        number = self.started
        variables = world.model.start_variables(number)
        key = f"start-{number}"

        def make() -> Request:
            return Request(
                c.StartInstance("ann", {"id": "ann"}, variables),
                "ann",
                definition=world.versions.first,
                key=key,
                origin=ORIGIN,
                serial=SerialDraw("main", "2026", "R-{number:04d}", 2026),
            )

        return self.send(server, Command(key, make))

    def insist(self, server: Server) -> bool:
        """Send again what was not answered."""
        return bool(self._unsure) and self.send(server, self._unsure.popleft())

    def forget(self) -> None:
        """Give up what was not answered; whether it happened is not known."""
        if self._unsure:
            self._unsure.popleft()

    def repeat(self, server: Server) -> bool:
        """Send again what was answered long ago."""
        if not self._answered:
            return False
        self._world.mark("late_duplicate")
        return self.send(server, self._world.choose.one_of(self._answered))

    def work(self, server: Server, *, plain: bool) -> bool:
        """Do something about an open task."""
        world = self._world
        tasks = list(world.tables.tasks.values())
        if not tasks:
            return False
        row = world.choose.one_of(tasks)
        kept_out = self._kept_out(row)
        free = [person for person in (*CLERKS, *MORE_CLERKS) if person not in kept_out]
        holder = row.assignee or world.choose.one_of([person for person in CLERKS if person in free] or free)
        if row.assignee in kept_out:
            # Whoever holds what they may not do hands it on.
            command: c.AnyCommand = c.TransferTask(row.tok, holder, free[0])
        else:
            command = self._completion(row, holder) if plain else self._something(row, holder)
        return self.send(server, self.command(row.iid, command, actor=self._actor(command, kept_out, plain=plain)))

    def _kept_out(self, row: TaskRow) -> frozenset[str]:
        """Who may not do a task because of what they did before."""
        history = self._world.histories.get(row.iid)
        task = history.state.tasks.get(row.tok) if history is not None else None
        return frozenset(task.excluded if task is not None else ())

    def _actor(self, command: c.AnyCommand, kept_out: frozenset[str], *, plain: bool) -> str:
        """Who gives a command: whose it is, or somebody who stands in for them."""
        choose = self._world.choose
        by = str(getattr(command, "by", ""))
        if not choose.chance(20):
            return by
        substitutes = [person for person in SUBSTITUTES if not plain or person not in kept_out]
        self._world.mark("substitute")
        return choose.one_of(substitutes) if substitutes else by

    def _completion(self, row: TaskRow, by: str) -> c.CompleteTask:
        block = self._world.block_at(row.definition, row.element)
        values: dict[str, object] = {}
        if isinstance(block, UserTask) and block.sets:
            values[block.sets] = decided(self._world.request_of(row.iid), block.sets)
        return c.CompleteTask(row.tok, by, values)

    def _something(self, row: TaskRow, holder: str) -> c.AnyCommand:
        choose = self._world.choose
        what = choose.below(22)
        if what < 12:
            return self._completion(row, holder)
        if what == 12:
            return c.ClaimTask(row.tok, holder)
        if what == 13:
            return c.UnclaimTask(row.tok, holder)
        if what == 14:
            return c.TransferTask(row.tok, holder, choose.one_of(("dee", *CLERKS)))
        if what == 15:
            return c.UrgeTask(row.tok, "ann", "please")
        if what == 16:
            return msgspec.structs.replace(self._completion(row, holder), version=row.version + choose.below(2))
        if what == 17:
            return self._completion(row, "stranger")
        if what >= 20 and self.returns_left:
            targets = returnable(self._world.definition_of(row.iid), self._world.histories[row.iid].state, row.tok)
            if targets:
                self.returns_left -= 1
                to = self._world.definition_of(row.iid).graph.elements[choose.one_of(targets)].id
                return c.ReturnTask(row.tok, holder, to, "again")
        if what == 19 and self.cancels_left and not self._world.tables.instances[row.iid].parent:
            self.cancels_left -= 1
            return c.CancelInstance("operator", "not needed")
        if what == 18 and self.cancels_left:
            return c.WithdrawInstance("ann", "not needed")
        return self._completion(row, holder)

    def repair(self, server: Server) -> bool:
        """Have a failed job tried again, as an operator."""
        for history in self._world.histories.values():
            for incident in history.incidents:
                self._world.mark("incident_retried")
                command = c.RetryIncident(incident, "operator", 1 + self._world.choose.below(2))
                return self.send(server, self.command(history.iid, command))
        return False


class Hand(msgspec.Struct):
    """A job in a worker's hands.

    Attributes:
        job: as it was handed over.
        acted: whether its side effect was done, or tried.
        failing: whether this try fails.
        reporting: whether a report is under way.
    """

    job: JobView
    acted: bool = False
    failing: bool = False
    reporting: bool = False


class WorkerSide:
    """External workers: they fetch, act, report, and die or hang in between."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hands: list[Hand] = []
        self._tries: Counter[str] = Counter()
        self._number = 0

    def fetch(self, server: Server, lease_ms: int) -> bool:
        """Lease what is there."""
        world = self._world
        if not world.tables.jobs:
            return False
        self._number += 1
        name = f"worker{self._number % 3}"

        def answered(jobs: Any, error: BaseException | None) -> None:
            if error is not None:
                _unless_expected(error, "fetching jobs")
                return
            for job in jobs.items:
                self._hands.append(Hand(job))
                world.log("%s holds job %s", name, job.id)

        async def work() -> Any:
            return await server.workers.lock(1, name, [TOPIC], 3, lease_ms)

        server.ask(work(), answered)
        return True

    def work(self, server: Server, *, plain: bool) -> bool:
        """Go on with one of the jobs at hand: act, then report."""
        free = [hand for hand in self._hands if not hand.reporting]
        if not free:
            return False
        hand = self._world.choose.one_of(free)
        if not plain and self._world.choose.chance(10):
            self._world.mark("worker_died_after_effect" if hand.acted else "worker_died_before_effect")
            self._hands.remove(hand)
            return True
        if not hand.acted:
            self._act(hand)
            if not plain:
                return True
        elif not plain and self._world.choose.chance(10):
            return self._extend(server, hand)
        return self._report(server, hand)

    def _act(self, hand: Hand) -> None:
        world = self._world
        key = hand.job.idempotency_key
        block = world.blocks[hand.job.element_id]
        assert isinstance(block, ServiceTask)
        self._tries[key] += 1
        hand.acted = True
        hand.failing = self._tries[key] <= block.failures(int(str(hand.job.variables["request"])))
        if hand.failing:
            return
        world.effects[key] += 1
        if world.effects[key] > 1:
            world.mark("effect_repeated")
        world.log("side effect %s, for the %s. time", key, world.effects[key])

    def _extend(self, server: Server, hand: Hand) -> bool:
        async def work() -> None:
            await server.workers.extend(hand.job.id, hand.job.lease_token, MINUTE_MS)

        def answered(_result: Any, error: BaseException | None) -> None:
            if error is not None:
                _unless_expected(error, "extending a lease")

        server.ask(work(), answered)
        return True

    def _report(self, server: Server, hand: Hand) -> bool:
        world = self._world
        hand.reporting = True
        job = hand.job
        block = world.blocks[job.element_id]
        assert isinstance(block, ServiceTask)
        request = int(str(job.variables["request"]))
        workers = server.workers

        async def work() -> None:
            error = block.outcome(request)
            if hand.failing:
                await workers.fail(1, job.id, job.lease_token, "not now", "worker", ORIGIN)
            elif error:
                await workers.throw_error(1, job.id, job.lease_token, error, "planned", {}, "worker", ORIGIN)
            else:
                values: dict[str, object] = {block.sets: decided(request, block.sets)} if block.sets else {}
                await workers.complete(1, job.id, job.lease_token, values, "worker", ORIGIN)

        def answered(_result: Any, error: BaseException | None) -> None:
            code = getattr(error, "code", "")
            if error is not None:
                _unless_expected(error, f"reporting job {job.id}")
                world.log("report of job %s: %s", job.id, code)
            if code in ("store.unavailable", "store.stale_owner", LostError.code) and world.choose.chance(80):
                # It does not know whether the report arrived, and reports again.
                hand.reporting = False
                return
            if code == "job.lease_lost":
                world.mark("lease_lost")
            self._hands.remove(hand)

        server.ask(work(), answered)
        return True


class Outside:
    """Other systems: they publish messages and broadcast signals."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._number = 0
        self._again: list[Callable[[Server], bool]] = []

    def publish(self, server: Server, *, early: bool) -> bool:
        """Publish to somebody who waits, or, when `early`, to whoever may wait later."""
        world = self._world
        choose = world.choose
        if early:
            rows = [row.bkey for row in world.tables.instances.values()]
            if not rows or not world.message_names:
                return False
            return self._post(server, choose.one_of(world.message_names), choose.one_of(rows))
        waits = [row for row in world.tables.waits.values() if not row.signal]
        if not waits:
            return False
        row = choose.one_of(waits)
        return self._post(server, row.name, row.corr)

    def answer(self, server: Server, name: str, corr: str) -> None:
        """Publish to one who waits."""
        self._post(server, name, corr)

    def _post(self, server: Server, name: str, corr: str) -> bool:
        self._number += 1
        message_id = f"message-{self._number}"
        ttl_ms = self._world.choose.one_of((HOUR_MS, 0, 10 * MINUTE_MS))

        def again(other: Server) -> bool:
            async def work() -> None:
                await other.workers.publish(OUTSIDE, name, corr, {}, ttl_ms, message_id)

            other.ask(work(), _ignored("publishing a message"))
            return True

        self._again.append(again)
        self._world.log("message %s %s to %s", message_id, name, corr)
        return again(server)

    def broadcast(self, server: Server, name: str = "") -> bool:
        """Broadcast a signal that somebody waits for, the one that is named or any."""
        names = [row.name for row in self._world.tables.waits.values() if row.signal]
        if not names:
            return False
        name = name or self._world.choose.one_of(names)
        self._number += 1
        message_id = f"signal-{self._number}"

        async def work() -> None:
            await server.workers.broadcast(OUTSIDE, name, {}, message_id)

        self._world.log("signal %s %s", message_id, name)
        server.ask(work(), _ignored("broadcasting a signal"))
        return True

    def repeat(self, server: Server) -> bool:
        """Publish a message again that was published before."""
        if not self._again:
            return False
        self._world.mark("message_repeated")
        return self._world.choose.one_of(self._again)(server)


def _unless_expected(error: BaseException, doing: str) -> None:
    if not isinstance(error, NoriaError):
        raise ViolationError("I9", f"{doing} ended in {error!r}") from error


def _ignored(doing: str) -> Callable[[Any, BaseException | None], None]:
    def answered(_result: Any, error: BaseException | None) -> None:
        if error is not None:
            _unless_expected(error, doing)

    return answered
