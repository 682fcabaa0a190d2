"""End event: the token ends here; a trigger says what else happens."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, TriggerKind
from noria.engine import publishing
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """End the token, with its trigger's effect.

    Raises:
        Trouble: a name or correlation expression gives no usable value.
    """
    trigger = element.trigger
    if trigger is None:
        run.take(token, element, ())
    elif trigger.kind is TriggerKind.TERMINATE:
        run.cancel_scope(run.state.tokens[token].scope, "terminate_event", but=token)
        run.take(token, element, ())
    elif trigger.kind is TriggerKind.ERROR:
        run.throw_error(token, trigger.name, element.name)
    elif element.job is not None:
        publishing.create_job(run, token, element)
    else:
        publishing.throw(run, token, element, trigger)
        if token in run.state.tokens:
            run.leave(token, element)
