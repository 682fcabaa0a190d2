"""Timers and subscriptions: what an event element waits for, worked out from its trigger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from noria.design.bpmn.graph import Element, TimerKind, Trigger, TriggerKind
from noria.design.feel import Expression
from noria.engine import events as e
from noria.engine.deadlines import beat, calendar_of, counted_from, deadline_set, reckon, responsible
from noria.engine.priority import priority_of
from noria.engine.state import Deadline
from noria.engine.trouble import Trouble
from noria.kernel.cycles import Cycle, anchored, beats_from, beats_until, parse_cycle
from noria.kernel.instants import InstantMs, parse_instant, parse_zoned

if TYPE_CHECKING:
    from noria.engine.run import Run

Opening = e.TimerStarted | e.WaitOpened | e.ConditionAwaited | e.DeadlineSet


class Due(NamedTuple):
    """When a timer is due.

    Attributes:
        due_ms: first.
        remaining: how often it repeats after that, -1 for ever.
        interval: of the repetition, a duration (anchored or not) or a cron expression, "" for none.
        deadline: how it was counted in a working calendar, None for clock time.
    """

    due_ms: int
    remaining: int = 0
    interval: str = ""
    deadline: Deadline | None = None


def openings(run: Run, token: int, elements: Iterable[int]) -> list[Opening]:
    """The events that set the triggers of these event elements for a token or scope.

    Errors and escalations are looked up when they are thrown; they need nothing set.

    Raises:
        Trouble: an expression gives no usable value.
    """
    graph = run.definition.graph
    variables = run.variables(token)
    opened: list[Opening] = []
    counted: list[Opening] = []
    for index in elements:
        element = graph.elements[index]
        for which, trigger in enumerate(element.triggers):
            key = run.state.next_id + len(opened)
            if trigger.kind is TriggerKind.TIMER:
                due_ms, remaining, interval, deadline = first_due(run, element, trigger, variables)
                priority = priority_of(run, element, token)
                opened.append(e.TimerStarted(key, token, index, due_ms, remaining, interval, priority=priority))
                if deadline is not None:
                    counted.append(deadline_set(key, deadline))
            elif trigger.kind is TriggerKind.MESSAGE:
                name = event_name(run, element, trigger, variables)
                correlation = run.state.business_key
                if trigger.correlation is not None:
                    correlation = correlation_key(run, trigger.correlation, element, variables)
                opened.append(e.WaitOpened(key, token, index, False, name, correlation))
            elif trigger.kind is TriggerKind.SIGNAL:
                opened.append(e.WaitOpened(key, token, index, True, event_name(run, element, trigger, variables)))
            elif trigger.kind is TriggerKind.CONDITIONAL:
                opened.append(e.ConditionAwaited(key, token, index, which))
    return opened + counted


def correlation_key(run: Run, expression: Expression, element: Element, variables: Mapping[str, object]) -> str:
    """A message's correlation key; a number counts as its text.

    Raises:
        Trouble: it is neither text nor number.
    """
    value = run.evaluate(expression, variables)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise Trouble(
            "message.no_correlation_key",
            f"The correlation key of {element.id} ({expression.source}) gives {value!r}; a text or number is needed.",
        )
    return str(value)


def event_name(run: Run, element: Element, trigger: Trigger, variables: Mapping[str, object]) -> str:
    """The name of a message or signal, or the code of what is thrown.

    Raises:
        Trouble: its expression gives no text.
    """
    if trigger.name_expression is None:
        return trigger.name
    return run.evaluate_text(trigger.name_expression, variables, f"The name of {element.id}")


def first_due(run: Run, element: Element, trigger: Trigger, variables: Mapping[str, object]) -> Due:
    """When a timer is due first, and how it goes on.

    Raises:
        Trouble: the expression gives no date-time, duration or cycle.
    """
    expression = trigger.timer_expression
    if expression is None:
        raise Trouble("timer.no_value", f"The timer {element.id} has no expression.")
    value = run.evaluate(expression, variables)
    try:
        text = text_of(value)
        if trigger.timer is TimerKind.DATE:
            return Due(instant_of(text, run))
        if trigger.timer is TimerKind.DURATION:
            due_ms, deadline = reckon(run, run.now_ms, text, responsible(run, trigger.calendar))
            return Due(due_ms, deadline=deadline)
        return _first_of_cycle(run, text, responsible(run, trigger.calendar))
    except ValueError as error:
        raise Trouble(
            "timer.no_value", f"The timer {element.id} ({expression.source}) is not usable: {error}"
        ) from None


def text_of(value: object) -> str:
    """A value that must be a text.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")  # noqa: TRY004 - one kind of error for all unusable values
    return value


def _first_of_cycle(run: Run, text: str, calendar: str) -> Due:
    cycle = parse_cycle(text)
    remaining = cycle.times - 1 if cycle.times > 0 else -1
    now = InstantMs(run.now_ms)
    if cycle.start:
        return _from_start(run, cycle, remaining, calendar)
    if cycle.end:
        if calendar:
            raise ValueError(f"{text!r} has an end, which no working calendar can be counted back from")
        end_ms = InstantMs(instant_of(cycle.end, run))
        return Due(*beats_until(end_ms, cycle.interval, now, cycle.times, run.zone()), anchored(cycle.interval, end_ms))
    due_ms, deadline = beat(run, now, cycle.interval, calendar)
    return Due(due_ms, remaining, cycle.interval if calendar else anchored(cycle.interval, now), deadline)


def _from_start(run: Run, cycle: Cycle, remaining: int, calendar: str) -> Due:
    """The first beat that is not past: a version deployed today does not begin what should have begun last year."""
    start_ms, now = InstantMs(instant_of(cycle.start, run)), InstantMs(run.now_ms)
    interval, deadline = cycle.interval, None
    if not interval:
        length_ms = instant_of(cycle.end, run) - start_ms
        if length_ms <= 0:
            raise ValueError("its end is before its start")
        interval = f"PT{length_ms // 1_000}.{length_ms % 1_000:03d}S"
    due_ms, past = int(start_ms), 0
    if not calendar:
        due_ms, past = beats_from(start_ms, interval, now, run.zone())
        interval = anchored(interval, start_ms)
    elif start_ms < now:
        due_ms, deadline, past = counted_from(calendar_of(run, calendar), start_ms, interval, now)
    if 0 <= remaining < past:
        raise ValueError("its end is past")
    return Due(due_ms, remaining - past if remaining > 0 else remaining, interval, deadline)


def instant_of(text: str, run: Run) -> int:
    """The instant of an ISO 8601 date or date-time; without an offset it is taken in the tenant's zone.

    Raises:
        ValueError: it is neither.
    """
    if len(text) == 10:
        day = date.fromisoformat(text)
        return parse_instant(datetime(day.year, day.month, day.day).isoformat(), run.zone())  # noqa: DTZ001
    return parse_zoned(text, run.zone())
