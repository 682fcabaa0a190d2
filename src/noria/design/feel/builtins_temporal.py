"""Built-in functions on dates, times, durations and ranges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

from noria.design.feel import runtime
from noria.design.feel.context import EvaluationContext
from noria.design.feel.temporal import (
    Months,
    parse_date,
    parse_date_time,
    parse_duration_text,
    parse_time,
)
from noria.design.feel.values import Range, is_number

C = EvaluationContext
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def make_date(_: C, first: object, month: object = None, day: object = None) -> object:
    """date(from) or date(year, month, day)."""
    if isinstance(first, datetime):
        return first.date()
    if isinstance(first, date):
        return first
    if isinstance(first, str):
        return parse_date(first)
    if is_number(first) and is_number(month) and is_number(day):
        return date(int(first), int(month), int(day))  # type: ignore[call-overload]
    return None


def make_time(_: C, first: object, minute: object = None, second: object = None, offset: object = None) -> object:
    """time(from) or time(hour, minute, second, offset)."""
    if isinstance(first, datetime):
        return first.timetz()
    if isinstance(first, date):
        return time(0, 0, 0, tzinfo=UTC)
    if isinstance(first, time):
        return first
    if isinstance(first, str):
        return parse_time(first)
    if is_number(first) and is_number(minute) and is_number(second):
        if offset is not None and not isinstance(offset, timedelta):
            return None
        zone = None if offset is None else timezone(offset)
        whole = int(second)  # type: ignore[call-overload]
        micro = int((second - whole) * 1_000_000)  # type: ignore[operator]
        return time(int(first), int(minute), whole, micro, zone)  # type: ignore[call-overload]
    return None


def make_date_time(_: C, first: object, moment: object = None) -> object:
    """date and time(from) or date and time(date, time)."""
    if isinstance(first, str) and moment is None:
        return parse_date_time(first)
    if isinstance(first, datetime) and moment is None:
        return first
    if isinstance(first, date) and isinstance(moment, time):
        day = first.date() if isinstance(first, datetime) else first
        return datetime.combine(day, moment)
    if isinstance(first, date) and moment is None:
        return datetime.combine(first, time(tzinfo=UTC))
    return None


def duration(_: C, text: object) -> object:
    """A duration of a text."""
    if isinstance(text, timedelta | Months):
        return text
    return parse_duration_text(text) if isinstance(text, str) else None


def years_and_months(_: C, start: object, end: object) -> object:
    """Whole months between two dates."""
    if not isinstance(start, date) or not isinstance(end, date):
        return None
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return Months(months)


def now(c: C) -> object:
    """The present date and time of the evaluation."""
    return datetime.fromtimestamp(c.now_ms / 1000, c.zone_info())


def today(c: C) -> object:
    """The present date of the evaluation."""
    return datetime.fromtimestamp(c.now_ms / 1000, c.zone_info()).date()


def _of_date(function: Callable[[date], object]) -> Callable[..., object]:
    return lambda _, value: function(value) if isinstance(value, date) else None


def make_range(_: C, text: object) -> object:
    """A range of a text such as "[1..5]"; both ends must be literals."""
    from noria.design.feel.parser import Parser
    from noria.design.feel.scanner import FeelSyntaxError
    from noria.design.feel.syntax import Literal, Negate, RangeOf

    if not isinstance(text, str):
        return None
    try:
        tree = Parser(text).expression()
    except FeelSyntaxError:
        return None
    if not isinstance(tree, RangeOf):
        return None
    ends = []
    for end in (tree.low, tree.high):
        if isinstance(end, Negate) and isinstance(end.operand, Literal) and is_number(end.operand.value):
            ends.append(-end.operand.value)  # type: ignore[operator]
        elif isinstance(end, Literal):
            ends.append(end.value)
        elif end is None:
            ends.append(None)
        else:
            return None
    return Range(ends[0], ends[1], tree.low_included, tree.high_included)


# Relations between points and ranges (DMN 1.5, table 78). A point is a range whose ends are itself.


def _span(value: object) -> Range:
    return value if isinstance(value, Range) else Range(value, value, True, True)


def _and(*parts: bool | None) -> bool | None:
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def _or(*parts: bool | None) -> bool | None:
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def before(c: C, a: object, b: object) -> bool | None:
    """Whether all of a lies before all of b."""
    first, second = _span(a), _span(b)
    touch = not (first.high_included and second.low_included)
    return _or(runtime.lt(c, first.high, second.low), _and(touch, runtime.eq(c, first.high, second.low)))


def meets(c: C, a: object, b: object) -> bool | None:
    """Whether a ends where b begins, both there included."""
    if not isinstance(a, Range) or not isinstance(b, Range):
        return None
    return _and(a.high_included, b.low_included, runtime.eq(c, a.high, b.low))


def overlaps(c: C, a: object, b: object) -> bool | None:
    """Whether a and b have a point in common."""
    if not isinstance(a, Range) or not isinstance(b, Range):
        return None
    return _and(_not(before(c, a, b)), _not(before(c, b, a)))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def includes(c: C, a: object, b: object) -> bool | None:
    """Whether a holds all of b."""
    if not isinstance(a, Range):
        return None
    if not isinstance(b, Range):
        return runtime.includes(c, a, b)
    low = _or(
        runtime.lt(c, a.low, b.low), _and(runtime.eq(c, a.low, b.low), a.low_included or not b.low_included)
    )
    high = _or(
        runtime.gt(c, a.high, b.high), _and(runtime.eq(c, a.high, b.high), a.high_included or not b.high_included)
    )
    return _and(low, high)


def starts(c: C, a: object, b: object) -> bool | None:
    """Whether a begins b."""
    if not isinstance(b, Range):
        return None
    first = _span(a)
    return _and(runtime.eq(c, first.low, b.low), first.low_included == b.low_included, includes(c, b, a))


def finishes(c: C, a: object, b: object) -> bool | None:
    """Whether a ends b."""
    if not isinstance(b, Range):
        return None
    first = _span(a)
    return _and(runtime.eq(c, first.high, b.high), first.high_included == b.high_included, includes(c, b, a))


def coincides(c: C, a: object, b: object) -> bool | None:
    """Whether a and b are the same point or range."""
    first, second = _span(a), _span(b)
    return _and(
        runtime.eq(c, first.low, second.low),
        runtime.eq(c, first.high, second.high),
        first.low_included == second.low_included,
        first.high_included == second.high_included,
    )


def overlaps_before(c: C, a: object, b: object) -> bool | None:
    """Whether a begins before b and ends inside it."""
    if not isinstance(a, Range) or not isinstance(b, Range):
        return None
    return _and(overlaps(c, a, b), _not(starts_at_or_after(c, a, b)), _not(ends_after(c, a, b)))


def starts_at_or_after(c: C, a: Range, b: Range) -> bool | None:
    """Whether a begins where b begins, or later."""
    return _or(
        runtime.gt(c, a.low, b.low), _and(runtime.eq(c, a.low, b.low), b.low_included or not a.low_included)
    )


def ends_after(c: C, a: Range, b: Range) -> bool | None:
    """Whether a ends after b."""
    return _or(
        runtime.gt(c, a.high, b.high), _and(runtime.eq(c, a.high, b.high), a.high_included and not b.high_included)
    )


FUNCTIONS: dict[str, Callable[..., object]] = {
    "date(from, month?, day?)": make_date,
    "time(from, minute?, second?, offset?)": make_time,
    "date and time(from, time?)": make_date_time,
    "duration(from)": duration,
    "years and months duration(from, to)": years_and_months,
    "now()": now,
    "today()": today,
    "day of week(date)": _of_date(lambda value: _DAYS[value.weekday()]),
    "day of year(date)": _of_date(lambda value: value.timetuple().tm_yday),
    "month of year(date)": _of_date(lambda value: _MONTHS[value.month - 1]),
    "week of year(date)": _of_date(lambda value: value.isocalendar().week),
    "range(from)": make_range,
    "before(a, b)": before,
    "after(a, b)": lambda c, a, b: before(c, b, a),
    "meets(a, b)": meets,
    "met by(a, b)": lambda c, a, b: meets(c, b, a),
    "overlaps(a, b)": overlaps,
    "overlaps before(a, b)": overlaps_before,
    "overlaps after(a, b)": lambda c, a, b: overlaps_before(c, b, a),
    "finishes(a, b)": finishes,
    "finished by(a, b)": lambda c, a, b: finishes(c, b, a),
    "includes(a, b)": includes,
    "during(a, b)": lambda c, a, b: includes(c, b, a),
    "starts(a, b)": starts,
    "started by(a, b)": lambda c, a, b: starts(c, b, a),
    "coincides(a, b)": coincides,
}
