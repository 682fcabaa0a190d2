"""The smallest scenarios of what simulation has found: one process, one fault each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from noria.engine import commands as c
from noria.engine.state import Parent
from noria.kernel.errors import Rejected
from noria.operate.ports import StaleOwnerError, StoreUnavailableError
from noria.operate.requests import Accepted, Request, SerialDraw
from tests.simulation.choosing import Chooser
from tests.simulation.clients import OUTSIDE
from tests.simulation.models import Call, Catch, Model, Process, Sequence, Trigger, UserTask
from tests.simulation.server import Gate, Server
from tests.simulation.world import World

MESSAGE = "m_paid"
MODEL = Model(
    (Process("main", Sequence((UserTask("pay"), Catch("paid", Trigger("message", MESSAGE)), UserTask("pack")))),)
)

CALLING = Model(
    (
        Process("main", Sequence((Call("ask", "child"), UserTask("after")))),
        Process("child", Sequence((UserTask("answer"),))),
    )
)


class Scene:
    """A world without chance: a server that is up, and a store that does what the test says.

    Attributes:
        fail: asked before each call to the store is let through; what it gives is raised, "late" and "lost" mean that
            the call is carried out later, or now, though the caller is told that it failed.
    """

    def __init__(self, model: Model = MODEL) -> None:
        self.world = World(Chooser(lambda _end: 0), model=model)
        self.late: list[Gate] = []
        self.calls: list[str] = []
        self.fail: Callable[[Gate], Exception | str | None] = lambda _gate: None
        self.world.start_server()
        self.server: Server = self.world.servers[0]
        self.settle()

    def settle(self) -> None:
        """Let the server work until it rests, pauses included."""
        for _ in range(4):
            while self.world.gates:
                self._let_through(self.world.gates[0])
            # Not a multiple of the number of shards: what starts later starts in another shard.
            self.world._pass_time(2_001)
            while self.world.wake_next():
                pass

    def _let_through(self, gate: Gate) -> None:
        self.calls.append(gate.name)
        fault = self.fail(gate)
        if fault is None:
            self.world._answer(gate)
            return
        if fault == "late":
            self.late.append(gate)
        elif fault == "lost":
            self.world._carry_out(gate)
        error = fault if isinstance(fault, Exception) else StoreUnavailableError("no answer")
        self.world._resolve(gate, None, error)

    def fail_once(self, name: str, fault: Exception | str) -> None:
        """The next call of this name fails."""
        left = [name]

        def fail(gate: Gate) -> Exception | str | None:
            if left and gate.name == left[0]:
                left.clear()
                return fault
            return None

        self.fail = fail

    def submit(self, *requests: Request) -> list[Any]:
        """The answers, or errors, to requests that come at once."""
        answers: list[Any] = [None] * len(requests)

        def ask(position: int, request: Request) -> None:
            async def work() -> Any:
                return await self.server.runtime.submit(request)

            def answered(result: Any, error: BaseException | None) -> None:
                answers[position] = error or result

            self.server.ask(work(), answered)

        for position, request in enumerate(requests):
            ask(position, request)
        self.server.loop.run_ready()
        self.settle()
        return answers

    def start(self, key: str, number: str = "") -> Request:
        """A request that draws a serial number, or comes with a number of its own."""
        return Request(
            c.StartInstance("ann", {"id": "ann"}, {"request": 1}, number),
            "ann",
            definition=1,
            key=key,
            serial=None if number else SerialDraw("main", "2026", "R-{number:04d}", 2026),
        )

    def complete(self, iid: int) -> Request:
        """The completion of an instance's only task."""
        (token,) = (row.tok for row in self.world.tables.tasks.values() if row.iid == iid)
        return Request(c.CompleteTask(token, "ann"), "ann", iid=iid, key=f"complete-{iid}-{token}")

    def suspend(self, iid: int) -> None:
        """Have nothing happen to an instance until it is resumed."""
        self.submit(Request(c.SuspendInstance("operator", "not now"), "operator", iid=iid))

    def resume(self, iid: int) -> None:
        """Have it go on."""
        self.submit(Request(c.ResumeInstance("operator", "now"), "operator", iid=iid))

    def publish(self, corr: str) -> list[BaseException | None]:
        """Publish the message that the model awaits."""
        errors: list[BaseException | None] = []

        async def work() -> None:
            await self.server.workers.publish(OUTSIDE, MESSAGE, corr, {}, 3_600_000, "message-1")

        self.server.ask(work(), lambda _result, error: errors.append(error))
        self.server.loop.run_ready()
        self.settle()
        return errors

    def waits_at(self) -> list[str]:
        """The elements where tasks are open."""
        elements = self.world.catalogue.compiled(1)
        assert elements is not None
        return [elements.graph.elements[row.element].id for row in self.world.tables.tasks.values()]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_starts_of_a_batch_that_failed_draw_their_serial_numbers_anew(scene: Scene):
    scene.fail_once("commit", StaleOwnerError("overtaken"))
    answers = scene.submit(scene.start("one"), scene.start("two"))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert sorted(row.bkey for row in scene.world.tables.instances.values()) == ["R-0001", "R-0002"]


def test_nothing_is_written_before_the_shards_are_taken_anew_after_a_commit_without_answer(scene: Scene):
    faults = iter(("late", StoreUnavailableError("still away")))
    scene.fail = lambda gate: next(faults, None) if gate.name in ("commit", "own_shards") else None
    # With a serial, the number that has been drawn meanwhile would refuse the late commit as well.
    scene.submit(scene.start("one", "N-1"))
    (again,) = scene.submit(scene.start("one", "N-1"))
    assert isinstance(again, Accepted)
    with pytest.raises(StaleOwnerError):
        scene.late[0].work()
    assert [row.bkey for row in scene.world.tables.instances.values()] == ["N-1"]


def test_a_subscription_that_opens_while_delivery_looks_elsewhere_gets_its_message(scene: Scene):
    (started,) = scene.submit(scene.start("one"))

    # The message has been looked at in vain; before that pass of delivery ends, the subscription opens.
    async def publish() -> None:
        await scene.server.workers.publish(OUTSIDE, MESSAGE, "R-0001", {}, 3_600_000, "message-1")

    scene.server.ask(publish(), lambda _result, _error: None)
    scene.server.loop.run_ready()
    while not any(gate.name == "find_waits" for gate in scene.world.gates):
        scene._let_through(scene.world.gates[0])
    looking = next(gate for gate in scene.world.gates if gate.name == "find_waits")
    scene.world._carry_out(looking)
    request = scene.complete(started.iid)

    async def complete() -> Any:
        return await scene.server.runtime.submit(request)

    scene.server.ask(complete(), lambda _result, _error: None)
    scene.server.loop.run_ready()
    while others := [gate for gate in scene.world.gates if gate is not looking]:
        scene._let_through(others[0])
    scene.settle()
    assert scene.waits_at() == ["pack"]


def test_a_message_finds_the_subscription_that_a_commit_without_answer_has_opened(scene: Scene):
    (started,) = scene.submit(scene.start("one"))
    scene.publish("R-0001")
    scene.fail_once("commit", "lost")
    (unanswered,) = scene.submit(scene.complete(started.iid))
    assert isinstance(unanswered, StoreUnavailableError)
    assert scene.waits_at() == ["pack"]


def test_a_message_is_delivered_without_a_further_command_when_the_shards_could_not_be_taken_anew(scene: Scene):
    (started,) = scene.submit(scene.start("one"))
    scene.publish("R-0001")
    faults = iter(("lost", StoreUnavailableError("still away")))
    scene.fail = lambda gate: next(faults, None) if gate.name in ("commit", "own_shards") else None
    (unanswered,) = scene.submit(scene.complete(started.iid))
    assert isinstance(unanswered, StoreUnavailableError)
    assert scene.waits_at() == ["pack"]


def test_a_message_whose_acceptance_was_not_answered_is_delivered(scene: Scene):
    (started,) = scene.submit(scene.start("one"))
    scene.submit(scene.complete(started.iid))
    scene.fail_once("put_outbox", "lost")
    (error,) = scene.publish("R-0001")
    assert isinstance(error, StoreUnavailableError)
    assert scene.waits_at() == ["pack"]


def test_a_called_instance_is_not_withdrawn_behind_its_callers_back(scene: Scene):
    start = c.StartInstance("ann", {"id": "ann"}, {"request": 1}, parent=Parent(1, 2))
    (called,) = scene.submit(Request(start, "engine", definition=1))
    (answer,) = scene.submit(Request(c.WithdrawInstance("ann"), "ann", iid=called.iid))
    assert isinstance(answer, Rejected)
    assert answer.code == "instance.called"


def test_a_message_that_came_while_its_instance_was_suspended_is_delivered_when_it_is_resumed(scene: Scene):
    (started,) = scene.submit(scene.start("one"))
    scene.submit(scene.complete(started.iid))
    scene.suspend(started.iid)
    scene.publish("R-0001")
    assert scene.waits_at() == []
    scene.resume(started.iid)
    assert scene.waits_at() == ["pack"]


def test_the_answer_to_a_call_waits_for_a_caller_that_is_suspended():
    scene = Scene(CALLING)
    (started,) = scene.submit(scene.start("one"))
    (called,) = (row.iid for row in scene.world.tables.instances.values() if row.parent == started.iid)
    scene.suspend(started.iid)
    scene.submit(scene.complete(called))
    assert scene.waits_at() == []
    scene.resume(started.iid)
    assert scene.waits_at() == ["after"]
