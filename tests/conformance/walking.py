"""Walks through every model that may be deployed, so that the laws of `world` are checked on models of all origins.

A walk does one thing after another that could be done next: complete a task or a job, throw an error, let a message or
signal come, let the next timer fire, correct variables, cancel. It does not ask what the model means; what must hold is
that live work, replay and a step taken apart agree, and that nothing breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from noria.design.bpmn.graph import Graph, Kind, TriggerKind
from noria.engine import commands as c
from noria.engine.state import RESERVED_VARIABLES, State, Status
from noria.operate.changes import Held
from noria.operate.requests import Accepted
from tests.conformance.world import BY, TENANT, World

STEPS_MAX = 60
VALUES: tuple[object, ...] = (True, False, 0, 1, 2, 5, "a", "b", None, ["a", "b"])


def names_in(graph: Graph) -> list[str]:
    """The variables that the conditions of a model name."""
    found = {name for flow in graph.flows if flow.condition is not None for name in flow.condition.names}
    for element in graph.elements:
        for trigger in element.triggers:
            found |= trigger.condition.names if trigger.condition is not None else set()
        for expression in (
            (element.loop.condition, element.loop.cardinality, element.loop.collection) if element.loop else ()
        ):
            found |= expression.names if expression is not None else set()
    return sorted(found - RESERVED_VARIABLES)


def _possible(state: State) -> list[c.AnyCommand]:
    """What somebody could do in an instance now."""
    found: list[c.AnyCommand] = []
    found += [c.CompleteTask(token, task.assignee or BY) for token, task in state.tasks.items()]
    found += [c.CompleteJob(token, BY) for token in state.jobs]
    found += [c.Correlate(key) for key in state.waits]
    return found


def _starts(world: World) -> list[tuple[int, str]]:
    """(definition, start event) of everything that was deployed."""
    found = []
    for row in world.catalogue.rows(TENANT):
        definition = world.catalogue.compiled(row.id)
        assert definition is not None, row
        elements = definition.graph.elements
        for index in elements[0].starts:
            start = elements[index]
            plain = start.trigger is None or start.trigger.kind is TriggerKind.NONE
            if start.kind is Kind.START_EVENT:
                found.append((row.id, "" if plain else start.id))
    return found


def walk(files: Mapping[str, bytes], choose: Random) -> int | None:
    """Deploy files, begin at every start event and walk on; gives how many steps were taken.

    Returns:
        None when the files are refused.
    """
    world = World()
    if any(item.severity == "error" for item in world.deploy(files)):
        return None
    steps = 0
    for definition, element in _starts(world):
        compiled = world.catalogue.compiled(definition)
        assert compiled is not None, files
        given = {name: choose.choice(VALUES) for name in names_in(compiled.graph)}
        command = c.StartInstance(BY, {"id": BY}, given, start_element=element)
        steps += isinstance(world.submit(command, definition=definition), Accepted)
        for _ in range(STEPS_MAX):
            if not _act(world, choose):
                break
            steps += 1
    return steps


def _act(world: World, choose: Random) -> bool:
    """Take one step somewhere; False when nothing is left that could be done."""
    held = [world.held(iid) for iid in world.instances()]
    running = [one for one in held if one.state.status is Status.OPEN]
    due_ms = world.next_due_ms()
    can = [(one, command) for one in running for command in _possible(one.state)]
    if due_ms is not None and (not can or choose.random() < 0.2):
        world.set_clock(max(world.wall_ms, due_ms))
        world.fire_due()
        return True
    if not can:
        return False
    one, command = choose.choice(can)
    world.submit(_varied(one, command, choose), one.row.iid)
    return True


def _varied(one: Held, command: c.AnyCommand, choose: Random) -> c.AnyCommand:
    """The command, or now and then something else that could be asked of the same instance."""
    dice = choose.random()
    names = names_in(one.definition.graph)
    given = {name: choose.choice(VALUES) for name in names if choose.random() < 0.5}
    if dice < 0.05:
        return c.SetVariables(BY, given, "tried")
    if dice < 0.07:
        return c.CancelInstance(BY, "tried")
    if dice < 0.12 and one.state.incidents:
        return c.RetryIncident(choose.choice(sorted(one.state.incidents)), BY)
    if isinstance(command, c.CompleteJob):
        if dice < 0.2:
            return c.ThrowJobError(command.token, BY, "tried")
        return c.CompleteJob(command.token, BY, given)
    if isinstance(command, c.CompleteTask):
        return c.CompleteTask(command.token, command.by, given)
    return command
