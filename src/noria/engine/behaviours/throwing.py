"""Intermediate throw events and send tasks: publish, escalate, compensate, or jump along a link."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, TriggerKind
from noria.engine import compensation, publishing
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Throw and go on; a worker's send task waits for the worker, a compensation perhaps for its end.

    Raises:
        Trouble: a name or correlation expression gives no usable value.
    """
    if element.job is not None:
        publishing.create_job(run, token, element)
        return
    for trigger in element.triggers:
        if trigger.kind is TriggerKind.LINK:
            scope = run.state.tokens[token].scope
            # The new token comes first, so that the scope is never empty in between.
            run.enter(element.link_target, scope)
            run.take(token, element, ())
            return
        if trigger.kind is TriggerKind.COMPENSATION:
            if compensation.throw(run, token, element, trigger):
                return
        # An interrupting catch of an escalation may have taken the token away.
        elif token in run.state.tokens:
            publishing.throw(run, token, element, trigger)
    if any(trigger.kind is TriggerKind.SIGNAL for trigger in element.triggers):
        run.leave_at_rest(token, element)
    elif token in run.state.tokens:
        run.leave(token, element)
