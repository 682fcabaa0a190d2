"""Separation of duty within one request (四眼原则): who did one task may not do another.

Who acts counts as well as for whom: a substitute and the one they stand in for are both tested, and both remembered.
"""

from __future__ import annotations

from noria.design.bpmn.graph import Element, Kind
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.state import Task
from noria.kernel.errors import Rejected


def excluded(run: Run, element: Element) -> tuple[str, ...]:
    """Who may not do a user task that opens now, because of what they have done."""
    state = run.state
    found: list[str] = []
    for index in element.separate_from:
        if run.definition.graph.elements[index].kind is Kind.START_EVENT:
            found.append(state.starter)
        found += state.doers.get(index, ())
        if index in state.actors:
            # Before the model said so, only who did it last was remembered.
            found.append(state.actors[index])
    return tuple(dict.fromkeys(found))


def separated(task: Task, *people: str) -> Rejected | None:
    """Why none of these people may do a task or get it, None when they may."""
    for person in people:
        if person and person in task.excluded:
            message = f"{person} did an earlier step of this request and may not do this one; four eyes are needed."
            return Rejected("task.separated", message, {"person": person})
    return None


def may_not_do(run: Run, task: Task, by: str) -> Rejected | None:
    """Why a task may not be done by who acts, or for whom they act; None when it may."""
    return separated(task, by, run.facts.actor)


def note(run: Run, token: int, element: Element, by: str) -> None:
    """Remember who did a user task, if others are to be separate from it, and keep them from those that are open."""
    apart = run.definition.keeping_apart.get(element.index)
    if apart is None:
        return
    state = run.state
    people = tuple(dict.fromkeys(person for person in (by, run.facts.actor) if person))
    new = tuple(person for person in people if person not in state.doers.get(element.index, ()))
    if new:
        run.emit(e.DoersNoted(token, element.index, new))
    for other, task in list(state.tasks.items()):
        if other != token and task.element in apart:
            kept_out = tuple(person for person in people if person not in task.excluded)
            if kept_out:
                run.emit(e.TaskSeparated(other, kept_out))
