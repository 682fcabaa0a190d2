"""Activities that are repeated: standard loops and multi-instance (BPMN 2.0.2, 13.3.6 and 13.3.7).

The activity's own token waits outside; its instances are tokens of the same element in that token's scope.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from noria.design.bpmn.graph import Element, Loop, LoopKind, Trigger
from noria.engine import events as e
from noria.engine import publishing
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.run import Run

INSTANCES_MAX = 10_000
_EVENTS_PER_ELEMENT = 8
"""What an element inside a loop makes of events at most, unless it is a loop itself."""


def begin(run: Run, token: int, element: Element) -> None:
    """Find out how many instances there will be and begin the first, or all.

    Raises:
        Trouble: an expression gives no usable value.
    """
    loop = _loop(element)
    if token in run.state.loops:
        proceed(run, token, element)
        return
    items = _items(run, token, element, loop)
    total = _total(run, token, element, loop, items)
    state = run.state
    if token not in state.scopes:
        # What the activity has for itself is each instance's own, and not the loop's.
        run.emit(e.ScopeOpened(token, element.index, state.tokens[token].scope))
    round_now = state.rounds.get(element.index, 0) + 1
    kept = items if loop.kind is LoopKind.SEQUENTIAL else None
    run.emit(e.LoopStarted(token, element.index, round_now, total, kept))
    if loop.kind is not LoopKind.PARALLEL:
        proceed(run, token, element)
        return
    for position in range(total):
        _start(run, token, element, position, items)
    if not total:
        _finish(run, token, element)


def _loop(element: Element) -> Loop:
    assert element.loop is not None  # noqa: S101 - only called for elements that have one
    return element.loop


def _items(run: Run, token: int, element: Element, loop: Loop) -> tuple[object, ...] | None:
    if loop.collection is None:
        return None
    value = run.evaluate(loop.collection, run.variables(token))
    if not isinstance(value, list):
        raise Trouble(
            "loop.no_collection",
            f"The collection of {element.id} ({loop.collection.source}) gives {value!r}, but a list is needed.",
        )
    return tuple(value)


def _total(run: Run, token: int, element: Element, loop: Loop, items: tuple[object, ...] | None) -> int:
    if loop.kind is LoopKind.STANDARD:
        return -1
    total: object = len(items or ())
    if loop.cardinality is not None:
        total = run.evaluate(loop.cardinality, run.variables(token))
    if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= INSTANCES_MAX:
        raise Trouble(
            "loop.no_number",
            f"{element.id} would have {total!r} instances; a whole number from 0 to {INSTANCES_MAX} is needed.",
        )
    return total


def proceed(run: Run, token: int, element: Element) -> None:
    """Begin the next instance of a loop that goes one by one, or finish it.

    Raises:
        Trouble: the condition uses up its budget, or the maximum is no number.
    """
    loop, progress = _loop(element), run.state.loops[token]
    if loop.kind is LoopKind.STANDARD:
        goes_on = _standard_goes_on(run, token, element, loop)
    else:
        goes_on = progress.started < progress.total
    if goes_on:
        _start(run, token, element, progress.started, progress.items)
    else:
        _finish(run, token, element)


def _standard_goes_on(run: Run, token: int, element: Element, loop: Loop) -> bool:
    started = run.state.loops[token].started
    variables = run.variables(token)
    if loop.maximum is not None:
        maximum = run.evaluate(loop.maximum, variables)
        if isinstance(maximum, bool) or not isinstance(maximum, int):
            raise Trouble("loop.no_number", f"The loopMaximum of {element.id} gives {maximum!r}, which is no number.")
        if started >= maximum:
            return False
    if loop.condition is None or (started == 0 and not loop.test_before):
        return True
    return run.test(loop.condition, variables)


def _start(run: Run, token: int, element: Element, position: int, items: tuple[object, ...] | None) -> None:
    loop = _loop(element)
    own: dict[str, object] = {**dict.fromkeys(element.own), "loopCounter": position + 1}
    if loop.item and items is not None:
        own[loop.item] = items[position] if position < len(items) else None
    if (loop.kind is not LoopKind.STANDARD or loop.maximum is not None) and position < INSTANCES_MAX:
        run.expect_events(_EVENTS_PER_ELEMENT * run.definition.sizes[element.index])
    instance = run.enter(element.index, token)
    run.emit(e.ScopeOpened(instance, element.index, token, own))


def instance_done(run: Run, instance: int, element: Element) -> None:
    """An instance completed: record its result, throw what the behavior says, and go on with the loop.

    Raises:
        Trouble: the result's expression uses up its budget; the instance stands still.
    """
    loop = _loop(element)
    result = None
    if loop.output_item is not None:
        result = run.evaluate(loop.output_item, run.variables(instance))
    token = run.state.tokens[instance].scope
    own = run.variables(instance) if loop.events or (element.keeps and loop.condition is not None) else {}
    run.emit(e.ElementLeft(instance, element.index))
    run.emit(e.LoopInstanceEnded(token, instance, result))
    try:
        thrown = _thrown(run, token, loop, own)
    except Trouble as trouble:
        run.raise_incident(token, element, trouble.trouble_code, trouble.message, "loop")
        return
    for trigger in thrown:
        _throw(run, token, element, trigger)
    if token in run.state.tokens:
        after_instance(run, token, element, own if element.keeps else {})


def _thrown(run: Run, token: int, loop: Loop, own: Mapping[str, object]) -> list[Trigger]:
    """The events of the loop's behavior that are thrown for an instance that has just completed.

    A condition sees the instance's variables, and the loop's counts with this instance among the completed ones.
    """
    variables = _counted(run, token, own)
    thrown = [trigger for condition, trigger in loop.events if run.test(condition, variables)]
    if loop.each_event is not None:
        thrown.append(loop.each_event)
    if loop.first_event is not None and run.state.loops[token].completed == 1:
        thrown.append(loop.first_event)
    return thrown


def _counted(run: Run, token: int, own: Mapping[str, object]) -> Mapping[str, object]:
    """An instance's variables and the loop's counts."""
    counts = run.state.scopes[token].variables
    return {**own, **{name: value for name, value in counts.items() if name.startswith("numberOf")}}


def _throw(run: Run, token: int, element: Element, trigger: Trigger) -> None:
    """Throw an implicit event: to the activity's own boundary, where it interrupts nothing, or else to everybody.

    The behaviors One and None exist so that something can happen for an instance while the others go on.
    """
    elements = run.definition.graph.elements
    for index in element.boundaries:
        if any(own.kind is trigger.kind and own.name == trigger.name for own in elements[index].triggers):
            run.leave(run.place(index, run.state.tokens[token].scope), elements[index])
            return
    publishing.throw(run, token, element, trigger)


def after_instance(run: Run, token: int, element: Element, own: Mapping[str, object] | None = None) -> None:
    """Look at the completion condition after an instance, and begin the next one or finish. Trouble: an incident.

    The condition sees the variables of the instance where they are given, and otherwise those of the loop.
    """
    loop, state = _loop(element), run.state
    variables = _counted(run, token, own) if own else run.variables(token)
    try:
        if loop.kind is LoopKind.STANDARD:
            proceed(run, token, element)
        elif loop.condition is not None and run.test(loop.condition, variables):
            cut_short(run, token, element, "completion_condition")
        elif loop.kind is LoopKind.SEQUENTIAL:
            proceed(run, token, element)
        elif not state.scopes[token].live:
            _finish(run, token, element)
    except Trouble as trouble:
        run.raise_incident(token, element, trouble.trouble_code, trouble.message, "loop")


def cut_short(run: Run, token: int, element: Element, reason: str) -> None:
    """End a loop whatever its instances do."""
    state = run.state
    others, progress = state.scopes[token].live, state.loops[token]
    cut = [key for key, value in state.tokens.items() if value.scope == token] if element.keeps else []
    never = progress.total - progress.started if element.keeps else 0
    run.cancel_scope(token, reason)
    run.emit(e.LoopCutShort(token, others))
    _finish(run, token, element, cut, never)


def _finish(run: Run, token: int, element: Element, cut: Collection[int] = (), never: int = 0) -> None:
    """Hand out what was gathered: null for instances that were cut off, and for so many that never began."""
    loop = _loop(element)
    if loop.output_collection:
        results = {**dict.fromkeys(cut), **run.state.loops[token].results}
        # In the order of the instances, not of their completion.
        gathered = [results[key] for key in sorted(results)] + [None] * never
        run.assign_outward(token, {loop.output_collection: gathered})
    run.go_on(token, element)
