"""Compensation and transactions: undoing completed activities by what the model gives for it (BPMN 2.0.2, 13.5.5).

A completed activity that can be compensated is kept with its variables. Compensation goes backwards: an activity that
was entered after another one had completed is compensated before it; what ran side by side, side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.design.bpmn.graph import SUB_PROCESSES, Element, Kind, Trigger, TriggerKind
from noria.engine import events as e
from noria.engine import triggers
from noria.engine.state import Done

if TYPE_CHECKING:
    from noria.engine.run import Run


def keep(run: Run, token: int, element: Element) -> None:
    """Remember a completing activity when it, or something inside it, can be compensated."""
    state = run.state
    inside = element.kind in SUB_PROCESSES and any(value.scope == token for value in state.done.values())
    if element.compensated_by < 0 and not inside:
        return
    scope = state.tokens[token].scope
    if scope in state.loops:
        scope = state.tokens[scope].scope
    own = state.scopes.get(token)
    run.emit(e.ActivityKept(token, element.index, scope, dict(own.variables) if own is not None else {}))


def throw(run: Run, token: int, element: Element, trigger: Trigger) -> bool:
    """Ask for compensation; gives whether the token has to wait for it."""
    done = _reachable(run, run.state.tokens[token].scope, trigger.activity)
    if not done:
        return False
    run.emit(e.CompensationThrown(token, element.index, done, trigger.waits))
    advance(run, token)
    return trigger.waits


def _reachable(run: Run, scope: int, activity: int) -> tuple[int, ...]:
    """What a compensation event in a scope means, the last completed first.

    A named activity is looked for outwards. Without a name it is everything in the scope; for an event sub-process
    that is the scope around it. What somebody has asked for already is compensated once, for whoever asked first.
    """
    state, elements = run.state, run.definition.graph.elements
    asked_for = {key for under_way in state.compensations.values() for key in under_way.left}
    while scope >= 0:
        around = state.scopes[scope].parent
        in_event_sub_process = elements[state.scopes[scope].element].kind is Kind.EVENT_SUB_PROCESS
        if activity >= 0 or not in_event_sub_process:
            found = tuple(
                key
                for key, value in reversed(tuple(state.done.items()))
                if value.scope == scope and key not in asked_for and activity in (-1, value.element)
            )
            if found or activity < 0:
                return found
        scope = around
    return ()


def advance(run: Run, asked_by: int) -> None:
    """Begin to compensate what nothing later stands in the way of."""
    state = run.state
    under_way = state.compensations[asked_by]
    busy = {handler.done for handler in state.handlers.values()}
    for key in under_way.left:
        record = state.done.get(key)
        if record is None or key in busy or asked_by not in state.compensations:
            continue
        later = (other for other in under_way.left if other != key and other in state.done and other >= record.at)
        if not any(later):
            _start(run, asked_by, key, record)


def _start(run: Run, asked_by: int, key: int, record: Done) -> None:
    elements = run.definition.graph.elements
    element = elements[record.element]
    if element.compensated_by >= 0 and elements[element.compensated_by].kind is not Kind.EVENT_SUB_PROCESS:
        handler = elements[element.compensated_by]
        token = run.enter(handler.index, record.scope)
        run.emit(e.CompensationStarted(token, handler.index, asked_by, key))
        if record.variables:
            run.emit(e.ScopeOpened(token, handler.index, record.scope, record.variables))
        return
    # A sub-process comes back to life with its variables, so that what was completed inside it finds them.
    token = run.place(element.index, record.scope)
    run.emit(e.ScopeOpened(token, element.index, record.scope, record.variables))
    run.emit(e.CompensationStarted(token, element.index, asked_by, key))
    if element.compensated_by >= 0:
        start = elements[elements[element.compensated_by].starts[0]]
        triggers.trigger(run, start, token, {})
        return
    inside = _reachable(run, token, -1)
    if inside:
        run.emit(e.CompensationThrown(token, element.index, inside, True))
        advance(run, token)
    else:
        run.leave(token, element)


def handler_done(run: Run, token: int, element: Element) -> None:
    """A token that compensates has finished: go on with what is left, or with who asked for it."""
    state = run.state
    asked_by, scope = state.handlers[token].asked_by, state.tokens[token].scope
    under_way = state.compensations.get(asked_by)
    run.emit(e.ElementLeft(token, element.index))
    if asked_by in state.compensations:
        advance(run, asked_by)
    elif under_way is not None and under_way.waits and asked_by in state.tokens:
        _resume(run, asked_by)
    if scope in state.scopes:
        run.finish_if_empty(scope)


def go_on(run: Run, asked_by: int) -> None:
    """A handler was cancelled, by an event at its boundary: that counts as compensated."""
    if asked_by in run.state.compensations:
        advance(run, asked_by)
    else:
        _resume(run, asked_by)


def _resume(run: Run, token: int) -> None:
    taking_back = run.state.taking_back
    if taking_back is not None and taking_back.token == token:
        run.emit(e.TakenBack(taking_back.element, taking_back.by, taking_back.before))
        return
    element = run.definition.graph.elements[run.state.tokens[token].element]
    if element.trigger is not None and element.trigger.kind is TriggerKind.CANCEL:
        _cancelled(run, token, element)
    else:
        run.leave(token, element)


def cancel_transaction(run: Run, token: int, element: Element) -> None:
    """A cancel end event: end everything else in the transaction, compensate it, and leave by its cancel event.

    What is being compensated at that moment goes on, and is waited for.
    """
    state, scope = run.state, run.state.tokens[token].scope
    spared = {key for key in state.handlers if state.tokens[key].scope == scope}
    run.cancel_scope(scope, "cancel_event", but=(token, *spared))
    done = tuple(key for key, value in reversed(tuple(state.done.items())) if value.scope == scope)
    if done:
        run.emit(e.CompensationThrown(token, element.index, done, True))
        advance(run, token)
    else:
        _cancelled(run, token, element)


def _cancelled(run: Run, token: int, element: Element) -> None:
    state, elements = run.state, run.definition.graph.elements
    host = state.tokens[token].scope
    if state.tokens[host].scope in state.loops:
        host = state.tokens[host].scope
    for index in elements[state.tokens[host].element].boundaries:
        if any(trigger.kind is TriggerKind.CANCEL for trigger in elements[index].triggers):
            triggers.trigger(run, elements[index], host, {})
            return
    run.take(token, element, ())
