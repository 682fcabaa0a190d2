"""End event: the token ends here; its triggers say what else happens."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, Trigger, TriggerKind
from noria.engine import compensation, looping, publishing, triggers
from noria.engine import events as e
from noria.engine.arming import event_name
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """End the token, with its triggers' effects; an error comes last, whatever their order.

    Raises:
        Trouble: a name or correlation expression gives no usable value.
    """
    trigger = element.trigger
    if trigger is None:
        run.take(token, element, ())
    elif trigger.kind is TriggerKind.TERMINATE:
        if trigger.whole_instance:
            run.cancel_scope(0, "terminate_event")
            run.emit(e.InstanceCompleted())
        else:
            _terminate(run, token, element, whole_loop=trigger.whole_loop)
    elif trigger.kind is TriggerKind.CANCEL:
        compensation.cancel_transaction(run, token, element)
    elif trigger.kind is TriggerKind.COMPENSATION:
        if not compensation.throw(run, token, element, trigger):
            run.leave(token, element)
    elif element.job is not None:
        publishing.create_job(run, token, element)
    else:
        _throw_all(run, token, element)


def _terminate(run: Run, token: int, element: Element, *, whole_loop: bool) -> None:
    """End the scope: of a loop the instance alone (BPMN 2.0.2, 13.5.6), or with all others when the model says so."""
    tokens = run.state.tokens
    scope = instance = tokens[token].scope
    while whole_loop and instance and not run.is_instance(instance):
        instance = tokens[instance].scope
    if whole_loop and instance:
        loop = tokens[instance].scope
        looping.cut_short(run, loop, run.definition.graph.elements[run.state.loops[loop].element], "terminate_event")
    else:
        run.cancel_scope(scope, "terminate_event", but=(token,))
        run.take(token, element, ())


def _throw_all(run: Run, token: int, element: Element) -> None:
    error = None
    for trigger in element.triggers:
        if trigger.kind is TriggerKind.ERROR:
            error = trigger
        elif token in run.state.tokens:
            publishing.throw(run, token, element, trigger)
    if token not in run.state.tokens or (error is not None and _throw_error(run, token, element, error)):
        return
    if any(trigger.kind is TriggerKind.SIGNAL for trigger in element.triggers):
        run.leave_at_rest(token, element)
    else:
        run.leave(token, element)


def _throw_error(run: Run, token: int, element: Element, trigger: Trigger) -> bool:
    message, code = element.name, event_name(run, element, trigger, run.variables(token))
    if trigger.message is not None:
        what = f"The message of the error of {element.id}"
        message = run.evaluate_text(trigger.message, run.variables(token), what, may_be_empty=True)
    return triggers.throw_error(run, token, code, message, goes_on=trigger.goes_on)
