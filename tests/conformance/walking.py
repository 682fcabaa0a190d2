"""Walks through every model that may be deployed, so that the laws of `world` are checked on models of all origins.

A walk does whatever can be done next: complete a task or a job, let a message or signal come, let the next timer fire.
It does not ask what the model means; what must hold is that live work, replay and a step taken apart agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.bpmn.graph import Kind, TriggerKind
from noria.engine import commands as c
from noria.engine.state import State, Status
from noria.kernel.errors import Rejected
from tests.conformance.world import BY, TENANT, World

STEPS_MAX = 60


def _next(state: State) -> c.AnyCommand | None:
    """What somebody could do in an instance now, None when only time helps or nothing does."""
    for token, task in state.tasks.items():
        return c.CompleteTask(token, task.assignee or BY)
    for token in state.jobs:
        return c.CompleteJob(token, BY)
    for key in state.waits:
        return c.Correlate(key)
    return None


def _starts(world: World, files: Mapping[str, bytes]) -> list[tuple[int, str]]:
    """(definition, start event) of everything that was deployed."""
    found = []
    for row in world.catalogue.rows(TENANT):
        definition = world.catalogue.compiled(row.id)
        assert definition is not None, files
        elements = definition.graph.elements
        for index in elements[0].starts:
            start = elements[index]
            plain = start.trigger is None or start.trigger.kind is TriggerKind.NONE
            if start.kind is Kind.START_EVENT:
                found.append((row.id, "" if plain else start.id))
    return found


def walk(files: Mapping[str, bytes]) -> int | None:
    """Deploy files, begin at every start event and walk on; gives how many steps were taken.

    Returns:
        None when the files are refused.
    """
    world = World()
    if any(item.severity == "error" for item in world.deploy(files)):
        return None
    steps = 0
    for definition, element in _starts(world, files):
        answer = world.submit(c.StartInstance(BY, {"id": BY}, start_element=element), definition=definition)
        steps += not isinstance(answer, Rejected)
        refused: set[tuple[int, int]] = set()
        for _ in range(STEPS_MAX):
            steps += 1
            if not _act(world, refused):
                break
    return steps


def _act(world: World, refused: set[tuple[int, int]]) -> bool:
    """Take one step somewhere; False when nothing is left that could be done.

    Args:
        world: where.
        refused: (instance, version) whose next command was refused; it would be again.
    """
    for iid in world.instances():
        state = world.held(iid).state
        command = _next(state) if state.status is Status.OPEN else None
        if command is not None and (iid, state.version) not in refused:
            if isinstance(world.submit(command, iid), Rejected):
                refused.add((iid, state.version))
            return True
    due_ms = world.next_due_ms()
    if due_ms is None:
        return False
    world.set_clock(max(world.wall_ms, due_ms))
    return bool(world.fire_due())
