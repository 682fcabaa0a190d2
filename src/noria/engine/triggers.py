"""Events that are thrown and caught: who catches an error or escalation, and what a triggered event element does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from noria.design.bpmn.graph import Element, Kind, Trigger, TriggerKind
from noria.engine import events as e
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.run import Run


def throw_error(
    run: Run,
    token: int,
    code: str,
    message: str,
    variables: Mapping[str, object] | None = None,
    outputs: Mapping[str, object] | None = None,
    *,
    goes_on: bool = False,
) -> bool:
    """Throw a business error at a token and let the nearest catching event take over.

    Nothing catching it, a called instance fails towards its caller; a top-level one gets an incident.

    Args:
        run: the step.
        token: where it is thrown.
        code: which error.
        message: what happened.
        variables: what the catching event gets.
        outputs: what the activity hands out when the error is caught, here or by a caller.
        goes_on: it has no effect when nothing catches it and there is no caller.

    Returns:
        Whether it had an effect; else the element is still to be left.
    """
    graph = run.definition.graph
    state = run.state
    element = graph.elements[state.tokens[token].element]
    found = _find_catcher(run, token, TriggerKind.ERROR, code)
    run.emit(e.ErrorThrown(token, element.index, code, message, found[0].index if found else -1))
    if outputs and (found is not None or state.parent is not None):
        run.hand_out(token, element, outputs)
    if found is not None:
        catcher, definition, host = found
        trigger(run, catcher, host, {**(variables or {}), **_caught_variables(definition, code, message)})
    elif state.parent is not None:
        run.cancel_scope(0, "error")
        run.emit(e.InstanceFailed(code, message))
    elif goes_on:
        return False
    else:
        run.raise_incident(
            token, element, "error.uncaught", f"Nothing in the model catches the error {code!r}: {message}", "enter"
        )
    return True


def throw_escalation(run: Run, token: int, code: str, outputs: Mapping[str, object] | None = None) -> None:
    """Throw an escalation; without a catching event it has no effect (BPMN 2.0.2, 10.5.6).

    Args:
        run: the step.
        token: where it is thrown.
        code: which escalation.
        outputs: what the activity hands out when the escalation is caught.
    """
    element = run.definition.graph.elements[run.state.tokens[token].element]
    found = _find_catcher(run, token, TriggerKind.ESCALATION, code)
    run.emit(e.EscalationThrown(token, element.index, code, found[0].index if found else -1))
    if found is not None:
        catcher, definition, host = found
        if outputs:
            run.hand_out(token, element, outputs)
        trigger(run, catcher, host, _caught_variables(definition, code, ""))


def _caught_variables(trigger: Trigger, code: str, message: str) -> dict[str, object]:
    values: dict[str, object] = {}
    if trigger.code_variable:
        values[trigger.code_variable] = code
    if trigger.message_variable:
        values[trigger.message_variable] = message or None
    return values


def _find_catcher(run: Run, token: int, kind: TriggerKind, code: str) -> tuple[Element, Trigger, int] | None:
    """The nearest event element that catches a code, by which definition, and the token or scope it belongs to.

    From the inside out: boundary events of the activity, then event sub-processes of the scope around it, then
    the boundary events of that scope's host, and so on. At one level an exact code goes before "any code".
    """
    elements = run.definition.graph.elements
    state = run.state

    def matching(candidates: Iterable[int]) -> tuple[Element, Trigger] | None:
        any_code = None
        for index in candidates:
            for trigger in elements[index].triggers:
                if trigger.kind is kind:
                    if trigger.name == code:
                        return elements[index], trigger
                    if not trigger.name and any_code is None:
                        any_code = elements[index], trigger
        return any_code

    while token:
        here = state.tokens[token]
        # Boundary events of a loop or approval belong to the whole; the scopes of instances have the sub-processes.
        if here.scope not in state.loops and here.scope not in state.approvals:
            found = matching(elements[here.element].boundaries)
            if found is not None:
                return *found, token
            scope = state.scopes[here.scope]
            found = matching(
                start
                for event_sub_process in elements[scope.element].event_sub_processes
                # An error inside an event sub-process is not caught by itself.
                if event_sub_process != here.element
                for start in elements[event_sub_process].starts
            )
            if found is not None:
                return *found, here.scope
        token = here.scope
    return None


def trigger(run: Run, element: Element, host: int, variables: Mapping[str, object]) -> None:
    """Let a caught event take effect.

    Args:
        run: the step.
        element: the boundary event, start of an event sub-process, catch event or receive task.
        host: the token (or scope, for an event sub-process) it belonged to.
        variables: what the event brought.
    """
    if element.needs_all_triggers and _waits_for_more(run, element, host, variables):
        return
    if element.kind is Kind.BOUNDARY_EVENT:
        _trigger_boundary(run, element, host, variables)
    elif element.kind is Kind.START_EVENT:
        begin_event_sub_process(run, element, host, variables)
    elif run.state.tokens[host].element != element.index:
        _trigger_behind_gateway(run, element, host, variables)
    else:
        run.assign(host, element, variables)
        run.leave(host, element)


def _waits_for_more(run: Run, element: Element, host: int, variables: Mapping[str, object]) -> bool:
    """Whether a parallel multiple event has not had all its triggers yet; one that interrupts nothing is set anew.

    What has arrived is no longer waited for, so that what is still waited for is what is missing.
    """
    state = run.state
    for key in state.hosted.get(host, ()):
        if (state.timers.get(key) or state.waits.get(key) or state.conditions[key]).element == element.index:
            run.assign_outward(host, variables)
            return True
    if not element.interrupting and element.kind is not Kind.INTERMEDIATE_CATCH_EVENT:
        run.arm(host, (element.index,))
    return False


def _trigger_boundary(run: Run, element: Element, host: int, variables: Mapping[str, object]) -> None:
    scope = run.state.tokens[host].scope
    if element.interrupting:
        # The new token comes first, so that the scope is never empty in between.
        token = run.place(element.index, scope)
        run.cancel(host, "boundary")
    else:
        token = run.place(element.index, scope)
    run.assign(token, element, variables)
    run.leave(token, element)


def begin_event_sub_process(run: Run, start: Element, scope: int, variables: Mapping[str, object]) -> None:
    """Begin an event sub-process by one of its start events, which may interrupt what else is in the scope.

    Args:
        run: the step.
        start: the start event.
        scope: around the event sub-process.
        variables: what it begins with.
    """
    graph = run.definition.graph
    sub_process = graph.elements[start.scope]
    token = run.place(sub_process.index, scope)
    if start.interrupting:
        host = graph.elements[run.state.scopes[scope].element]
        starts = {index for inner in host.event_sub_processes for index in graph.elements[inner].starts}
        _close_waits(run, scope, starts)
        run.cancel_scope(scope, "event_sub_process", but=(token,))
    run.open_scope(token, sub_process)
    if variables and not start.passes_on:
        run.write(token, variables)
    inner = run.place(start.index, token)
    if start.passes_on:
        run.assign(inner, start, variables)
    go_in(run, inner, start)


def go_in(run: Run, inner: int, start: Element) -> None:
    """Take the inputs of an event sub-process, set the triggers inside, and go on from its start event.

    Trouble becomes an incident; a retry does all of it.
    """
    sub_process, token = run.definition.graph.elements[start.scope], run.state.tokens[inner].scope
    try:
        run.take_inputs(token, sub_process)
        if sub_process.event_sub_processes:
            arm_event_sub_processes(run, token, sub_process)
    except Trouble as trouble:
        run.raise_incident(inner, start, trouble.trouble_code, trouble.message, "begin")
        return
    run.leave(inner, start)


def arm_event_sub_processes(run: Run, scope: int, host: Element) -> None:
    """Set the triggers of the event sub-processes directly inside a process or sub-process.

    Raises:
        Trouble: an expression gives no usable value.
    """
    elements = run.definition.graph.elements
    run.arm(scope, [start for inner in host.event_sub_processes for start in elements[inner].starts])


def _trigger_behind_gateway(run: Run, element: Element, gateway_token: int, variables: Mapping[str, object]) -> None:
    graph = run.definition.graph
    here = run.state.tokens[gateway_token]
    flow = next(index for index in graph.elements[here.element].outgoing if graph.flows[index].target == element.index)
    run.emit(e.ElementLeft(gateway_token, here.element, (flow,)))
    token = run.place(element.index, here.scope, flow)
    run.assign(token, element, variables)
    run.leave(token, element)


def _close_waits(run: Run, host: int, elements: set[int]) -> None:
    state = run.state
    ids = tuple(
        key
        for key in state.hosted.get(host, ())
        if (state.timers.get(key) or state.waits.get(key) or state.conditions[key]).element in elements
    )
    if ids:
        run.emit(e.WaitsClosed(host, ids))


def receive(run: Run, wait: int, variables: Mapping[str, object], message_id: str) -> None:
    """Let a message or signal take effect at one open subscription."""
    waiting = run.state.waits[wait]
    element = run.definition.graph.elements[waiting.element]
    stays = (
        not element.interrupting
        and not element.needs_all_triggers
        and element.kind in (Kind.BOUNDARY_EVENT, Kind.START_EVENT)
    )
    run.emit(e.MessageReceived(wait, waiting.element, waiting.name, message_id, stays))
    trigger(run, element, waiting.token, variables)


def close_when_completing(run: Run, scope: int) -> None:
    """Begin no further event sub-processes once only such ones are still running (BPMN 2.0.2, 13.3.4)."""
    elements = run.definition.graph.elements
    own = elements[run.state.scopes[scope].element].event_sub_processes
    if all(value.element in own for value in run.state.tokens.values() if value.scope == scope):
        _close_waits(run, scope, {start for inner in own for start in elements[inner].starts})
