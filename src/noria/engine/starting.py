"""Timer start events: when an instance is to be started, before there is one."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, Trigger, TriggerKind
from noria.engine.arming import Due, first_due
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.deadlines import beat, responsible
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.priority import priority_of
from noria.engine.run import Run
from noria.engine.state import Deadline, State
from noria.engine.trouble import Trouble


def first_start(definition: Definition, element: int, now_ms: int, facts: Facts) -> tuple[Due, int]:
    """When a timer start event is due first and how it goes on, and its priority.

    Raises:
        Trouble: its expression gives no date-time, duration or cycle.
    """
    run = Run(definition, State(), now_ms, facts, BEHAVIOURS)
    start = definition.graph.elements[element]
    return first_due(run, start, _timer(start), {}), _priority(run, start)


def _priority(run: Run, start: Element) -> int:
    """The priority of a start: 0 when it depends on variables, which nobody has given yet."""
    try:
        return priority_of(run, start, -1)
    except Trouble:
        return 0


def next_start(
    definition: Definition, element: int, due_ms: int, interval: str, facts: Facts
) -> tuple[int, Deadline | None]:
    """The due instant after `due_ms` in a cycle, and how it was counted in a working calendar."""
    run = Run(definition, State(), due_ms, facts, BEHAVIOURS)
    calendar = responsible(run, _timer(definition.graph.elements[element]).calendar)
    return beat(run, due_ms, interval, calendar)


def _timer(start: Element) -> Trigger:
    return next(trigger for trigger in start.triggers if trigger.kind is TriggerKind.TIMER)
