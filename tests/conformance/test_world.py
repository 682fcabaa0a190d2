"""The world of the suites sees a defect when there is one: planted ones are found."""

from __future__ import annotations

import pytest

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.evolve import APPLY
from noria.engine.step import HANDLERS
from noria.kernel.errors import Rejected
from tests.conformance.world import BY, World
from tests.scenarios.drawing import draw

MODEL = """
startEvent start
userTask work assignee=suite
intermediateCatchEvent later timer=PT1H
endEvent end
start -> work -> later -> end
"""


def opened() -> tuple[World, int]:
    world = World()
    assert world.deploy({"model.bpmn": draw(MODEL.splitlines())}) == []
    iid = world.start("model", {"amount": 1})
    assert not isinstance(iid, Rejected)
    return world, iid


def complete(world: World, iid: int) -> None:
    token = next(iter(world.held(iid).state.tasks))
    world.submit(c.CompleteTask(token, BY, {"amount": 2}), iid)


def test_time_passes_only_as_far_as_it_is_let() -> None:
    world, iid = opened()
    complete(world, iid)
    world.let_pass(world.wall_ms + 1_000, lambda: None)
    assert len(world.held(iid).state.timers) == 1
    world.let_pass(world.wall_ms + 3_600_000, lambda: None)
    assert world.held(iid).state.status.name == "COMPLETED"


def test_an_event_that_replay_takes_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world, iid = opened()
    # The step goes the short way, which writes without it; only what folds the journal asks it.
    monkeypatch.setitem(APPLY, e.VariablesSet, lambda _state, _event: None)
    with pytest.raises(AssertionError):
        complete(world, iid)


def test_a_command_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world, iid = opened()
    complete(world, iid)

    def breaks(_run: object, _command: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, c.FireTimer, breaks)
    world.set_clock(world.wall_ms + 3_600_000)
    with pytest.raises(AssertionError):
        world.fire_due()


def test_what_a_signal_starts_has_the_business_key_that_the_signal_names() -> None:
    world = World()
    thrower = 'startEvent start\nendEvent end signal=Alarm correlation="= floor"\nstart -> end'
    started = "startEvent begin signal=Alarm\nuserTask look assignee=suite\nendEvent over\nbegin -> look -> over"
    files = {"thrower.bpmn": draw(thrower.splitlines()), "started.bpmn": draw(started.splitlines(), key="started")}
    assert world.deploy(files) == []
    assert not isinstance(world.start("model", {"floor": "F-3"}), Rejected)
    keys = {held.definition.graph.key: held.state.business_key for held in map(world.held, world.instances())}
    assert keys == {"model": "", "started": "F-3"}


@pytest.mark.parametrize(
    ("written", "key"), [("", "K-1"), ('businessKey="= null"', ""), ('businessKey="= string(2)"', "2")]
)
def test_a_called_instance_has_the_business_key_of_its_caller_or_that_which_is_said_or_none(
    written: str, key: str
) -> None:
    world = World()
    caller = f"startEvent start\ncallActivity ask called=asked {written}\nendEvent end\nstart -> ask -> end"
    asked = "startEvent begin\nuserTask look assignee=suite\nendEvent over\nbegin -> look -> over"
    files = {"caller.bpmn": draw(caller.splitlines()), "asked.bpmn": draw(asked.splitlines(), key="asked")}
    assert world.deploy(files) == []
    assert not isinstance(world.start("model", {}, "K-1"), Rejected)
    keys = [world.held(iid).state.business_key for iid in world.instances()]
    assert keys == ["K-1", key]
