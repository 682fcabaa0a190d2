"""Intermediate throw events and send tasks: publish a message or signal, escalate, or jump along a link."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, TriggerKind
from noria.engine import publishing
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Throw and go on; a worker's send task waits for the worker.

    Raises:
        Trouble: a name or correlation expression gives no usable value.
    """
    trigger = element.trigger
    if element.job is not None:
        publishing.create_job(run, token, element)
        return
    if trigger is not None and trigger.kind is TriggerKind.LINK:
        scope = run.state.tokens[token].scope
        # The new token comes first, so that the scope is never empty in between.
        run.enter(element.link_target, scope)
        run.take(token, element, ())
        return
    if trigger is not None:
        publishing.throw(run, token, element, trigger)
    # An interrupting catch of the escalation may have taken the token away.
    if token in run.state.tokens:
        run.leave(token, element)
