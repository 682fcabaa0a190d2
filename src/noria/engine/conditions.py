"""Conditional events: looked at when they begin to be waited for, and when a variable they name has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from noria.design.bpmn.graph import Trigger
from noria.engine import events as e
from noria.engine import triggers
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.run import Run

CREATE, UPDATE = "create", "update"


Changes = Mapping[tuple[int, str], frozenset[str]]
"""Scope and name of a variable → how it has changed since conditions were last looked at."""


def look(run: Run, fresh: frozenset[int], changed: Changes) -> None:
    """Let the conditions take effect that have come to hold.

    A condition must fail before it can take effect again (BPMN 2.0.2, 10.5.5). An event that names variables and has
    no condition takes effect at each of their changes, and one that says so at each while its condition holds.

    Args:
        run: the step.
        fresh: ids of the conditions to be looked at in any case.
        changed: what has changed.
    """
    state, elements = run.state, run.definition.graph.elements
    for key in list(state.conditions):
        waiting = state.conditions.get(key)
        # What took effect just now may have ended the wait for another one.
        if waiting is None:
            continue
        element = elements[waiting.element]
        trigger = element.triggers[waiting.which]
        occurs = key not in fresh and _concerns(run, waiting.token, trigger, changed)
        if not (key in fresh or occurs):
            continue
        if trigger.condition is None:
            # Every change is an occurrence; what changed before the wait began is none.
            if occurs:
                _take_effect(run, key)
            continue
        try:
            holds = run.test(trigger.condition, run.variables(waiting.token))
        except Trouble as trouble:
            run.raise_incident(waiting.token, element, trouble.trouble_code, trouble.message, "condition")
            continue
        if holds is not waiting.met:
            run.emit(e.ConditionChanged(key, holds))
        if holds and (not waiting.met or (occurs and trigger.every_change)):
            _take_effect(run, key)


def _take_effect(run: Run, key: int) -> None:
    waiting = run.state.conditions[key]
    element = run.definition.graph.elements[waiting.element]
    if element.needs_all_triggers:
        run.emit(e.WaitsClosed(waiting.token, (key,)))
    triggers.trigger(run, element, waiting.token, {})


def _concerns(run: Run, token: int, trigger: Trigger, changed: Changes) -> bool:
    """Whether something has changed that is watched and seen from where the condition is waited for."""
    wanted = trigger.changes or {CREATE, UPDATE}
    watched = trigger.watched
    if not watched and trigger.condition is not None and not trigger.every_change:
        watched = trigger.condition.names
    return any(
        wanted & how and (name in watched or (trigger.every_change and not watched)) and run.sees(token, scope)
        for (scope, name), how in changed.items()
    )
