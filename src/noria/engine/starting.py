"""Timer start events: when an instance is to be started, before there is one."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, Trigger, TriggerKind
from noria.engine.arming import first_due
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.deadlines import reckon, responsible
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.priority import priority_of
from noria.engine.run import Run
from noria.engine.state import State
from noria.engine.trouble import Trouble


def first_start(definition: Definition, element: int, now_ms: int, facts: Facts) -> tuple[int, int, str, int]:
    """When a timer start event is due first, how often it repeats after that (-1 for ever), its interval and priority.

    Raises:
        Trouble: its expression gives no date-time, duration or cycle.
    """
    run = Run(definition, State(), now_ms, facts, BEHAVIOURS)
    start = definition.graph.elements[element]
    due = first_due(run, start, _timer(start), {})
    return due.due_ms, due.remaining, due.interval, _priority(run, start)


def _priority(run: Run, start: Element) -> int:
    """The priority of a start: 0 when it depends on variables, which nobody has given yet."""
    try:
        return priority_of(run, start, -1)
    except Trouble:
        return 0


def next_start(definition: Definition, element: int, due_ms: int, interval: str, facts: Facts) -> int:
    """The due instant after `due_ms` in a cycle."""
    run = Run(definition, State(), due_ms, facts, BEHAVIOURS)
    calendar = responsible(run, _timer(definition.graph.elements[element]).calendar)
    return reckon(run, due_ms, interval, calendar)[0]


def _timer(start: Element) -> Trigger:
    return next(trigger for trigger in start.triggers if trigger.kind is TriggerKind.TIMER)
