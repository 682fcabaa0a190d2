"""What compiled expressions call: operators, paths and tests. A wrong kind gives null and a diagnostic, never an error.

Every function takes the evaluation context first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from noria.design.feel.arithmetic import add, divide, multiply, negate, power, subtract
from noria.design.feel.comparison import (
    between,
    contains,
    equal,
    greater,
    greater_or_equal,
    less,
    less_or_equal,
    unequal,
)
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.temporal import DAY_NS, SECOND_NS, Date, DateTime, DaysDuration, MonthsDuration, Time
from noria.design.feel.types import FeelType, instance_of
from noria.design.feel.values import Range, count_values, kind

__all__ = [
    "MISSING",
    "add",
    "between",
    "both",
    "divide",
    "either",
    "equal",
    "field",
    "fields",
    "greater",
    "greater_or_equal",
    "instance",
    "invert",
    "less",
    "less_or_equal",
    "make_context",
    "make_range",
    "member",
    "missing",
    "multiply",
    "negate",
    "note_repeated",
    "own_test",
    "path",
    "power",
    "repeated",
    "subtract",
    "unequal",
]


class _Missing:
    """The type of the one object that says "no such name"."""


MISSING: Final = _Missing()


def missing(c: EvaluationContext, name: str) -> None:
    """Null for a variable that is not there."""
    c.note("feel.unknown_name", f"There is no variable {name!r}.")


def field(element: Any, name: str) -> Any:
    """A field of a filtered element, MISSING when it has none of that name."""
    if type(element) is dict:
        return element.get(name, MISSING)
    properties = _PROPERTIES.get(type(element))
    if properties is None or name not in properties:
        return MISSING
    return properties[name](element)


def fields(element: Any) -> Mapping[str, Any]:
    """All fields of a filtered element: the entries of a context, the properties of a value."""
    if type(element) is dict:
        return element
    return {name: read(element) for name, read in _PROPERTIES.get(type(element), {}).items()}


def path(c: EvaluationContext, source: Any, name: str) -> Any:
    """``source.name``: an entry of a context, a property of a value, or that of every item of a list."""
    if type(source) is dict:
        value = source.get(name, MISSING)
        if value is MISSING:
            c.note("feel.no_entry", f"The context has no entry {name!r}.")
            return None
        return value
    if type(source) is list:
        c.check_list(len(source))
        return [item[name] if type(item) is dict and name in item else path(c, item, name) for item in source]
    properties = _PROPERTIES.get(type(source))
    if properties is not None and name in properties:
        return properties[name](source)
    c.note("feel.no_entry", f"A {kind(source)} has no property {name!r}.")
    return None


def both(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``and`` when the left side is not false."""
    if right is False:
        return False
    if left is True and right is True:
        return True
    _note_no_truth(c, left, right)
    return None


def either(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``or`` when the left side is not true."""
    if right is True:
        return True
    if left is False and right is False:
        return False
    _note_no_truth(c, left, right)
    return None


def invert(c: EvaluationContext, value: Any) -> bool | None:
    """Negation of three-valued logic."""
    if type(value) is bool:
        return not value
    _note_no_truth(c, value)
    return None


def _note_no_truth(c: EvaluationContext, *operands: Any) -> None:
    # A null among them has been noted where it came from.
    for operand in operands:
        if operand is not None and type(operand) is not bool:
            c.note("feel.type_mismatch", f"A {kind(operand)} is neither true nor false.")


def member(c: EvaluationContext, value: Any, wanted: Any) -> bool | None:
    """Whether a value is in what an expression of a unary test gave: equal to it, in its range or in its list."""
    if type(wanted) is Range and type(value) is not Range:
        return contains(c, wanted, value)
    if type(wanted) is list:
        unknown = False
        for item in wanted:
            inside = member(c, value, item) if type(item) is Range else equal(c, value, item)
            if inside is True:
                return True
            unknown = unknown or (inside is None and type(item) is Range)
        if type(value) is list and equal(c, value, wanted) is True:
            return True
        return None if unknown else False
    return equal(c, value, wanted)


def own_test(c: EvaluationContext, value: Any, result: Any) -> bool | None:
    """A unary test that mentions ``?``: its own truth value or null; another value is one to be equal to."""
    return result if result is None or type(result) is bool else member(c, value, result)


def instance(value: Any, wanted: FeelType) -> bool:
    """``value instance of wanted``."""
    count_values(value)
    return instance_of(value, wanted)


def make_context(c: EvaluationContext, keys: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any] | None:
    """A context; null when a key is given twice."""
    made = dict(zip(keys, values, strict=True))
    if len(made) != len(keys):
        note_repeated(c, keys)
        return None
    return made


def repeated(keys: Sequence[str]) -> str | None:
    """The first key that stands there a second time, None when each stands there once."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None


def note_repeated(c: EvaluationContext, keys: Sequence[str]) -> None:
    """Note why a context with these keys is null."""
    c.note("feel.duplicate_key", f"A context gives the key {repeated(keys)!r} twice.")


def make_range(
    c: EvaluationContext,
    start: Any,
    end: Any,
    start_included: bool,
    end_included: bool,
    operator: str,
) -> Range | None:
    """A range; null when its bounds are of different kinds, or one-sided without a bound."""
    if operator and start is None and end is None:
        c.note("feel.range", "A range with one bound needs that bound.")
        return None
    if start is not None and end is not None and kind(start) != kind(end):
        c.note("feel.range", f"A range cannot go from a {kind(start)} to a {kind(end)}.")
        return None
    return Range(start, end, start_included, end_included, operator)


def _weekday(date: Date) -> int:
    # 1970-01-01 was a Thursday, the fourth day of the ISO week.
    return (date.days + 3) % 7 + 1


def _offset(value: Time | DateTime) -> DaysDuration | None:
    offset = value.offset_s()
    return None if offset is None else DaysDuration(offset * SECOND_NS)


def _zone_name(value: Time | DateTime) -> str | None:
    return value.zone.name if value.zone is not None and value.zone.name else None


def _part(unit_ns: int, modulus: int) -> Callable[[DaysDuration], int]:
    def part(value: DaysDuration) -> int:
        size = abs(value.ns) // unit_ns % modulus if modulus else abs(value.ns) // unit_ns
        return -size if value.ns < 0 else size

    return part


def _seconds(value: DaysDuration) -> int | Decimal:
    ns = abs(value.ns) % (60 * SECOND_NS)
    sign = -1 if value.ns < 0 else 1
    return sign * (ns // SECOND_NS) if ns % SECOND_NS == 0 else Decimal(sign * ns) / SECOND_NS


def _months(value: MonthsDuration, years: bool) -> int:
    parts = divmod(abs(value.months), 12)
    size = parts[0] if years else parts[1]
    return -size if value.months < 0 else size


_PROPERTIES: dict[type, dict[str, Callable[[Any], Any]]] = {
    Date: {
        "year": lambda value: value.year,
        "month": lambda value: value.month,
        "day": lambda value: value.day,
        "weekday": _weekday,
    },
    Time: {
        "hour": lambda value: value.hour,
        "minute": lambda value: value.minute,
        "second": lambda value: value.second,
        "time offset": _offset,
        "timezone": _zone_name,
    },
    DateTime: {
        "year": lambda value: value.date.year,
        "month": lambda value: value.date.month,
        "day": lambda value: value.date.day,
        "weekday": lambda value: _weekday(value.date),
        "hour": lambda value: value.time.hour,
        "minute": lambda value: value.time.minute,
        "second": lambda value: value.time.second,
        "time offset": _offset,
        "timezone": _zone_name,
    },
    DaysDuration: {
        "days": _part(DAY_NS, 0),
        "hours": _part(3_600 * SECOND_NS, 24),
        "minutes": _part(60 * SECOND_NS, 60),
        "seconds": _seconds,
    },
    MonthsDuration: {
        "years": lambda value: _months(value, years=True),
        "months": lambda value: _months(value, years=False),
    },
    Range: {
        "start": lambda value: value.start,
        "end": lambda value: value.end,
        "start included": lambda value: value.start_included,
        "end included": lambda value: value.end_included,
    },
}
