"""What compiled FEEL calls: operators, access, iteration. A wrong type gives null and a diagnostic, never an exception."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DecimalException

from noria.design.feel.context import EvaluationContext, FeelBudgetError
from noria.design.feel.temporal import Months, add_months
from noria.design.feel.values import INTEGER_MAX, NUMBERS, Function, Range, from_json, is_number, kind

C = EvaluationContext
_MISSING = object()


def var(c: C, variables: Mapping[str, object], name: str) -> object:
    """A variable; null with a reason when there is none."""
    value = variables.get(name, _MISSING)
    if value is _MISSING:
        return c.why_null(f"There is no variable {name!r}.")
    kind_of = type(value)
    if kind_of is int or kind_of is str or kind_of is bool:
        return value
    return from_json(value)


def field(item: object, name: str, otherwise: Callable[[], object]) -> object:
    """A name inside a filter: the item's own field, else what the name means outside."""
    if isinstance(item, dict) and name in item:
        return item[name]
    if name == "item":
        return item
    return otherwise()


# Arithmetic


def _whole(value: object) -> object:
    """An integer beyond 34 digits is rounded like any decimal."""
    if type(value) is int and not -INTEGER_MAX < value < INTEGER_MAX:
        return NUMBERS.create_decimal(value)
    return value


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value)  # type: ignore[arg-type]


def _null(c: C, sign: str, a: object, b: object) -> None:
    c.why_null(f"{kind(a)} {sign} {kind(b)} is not defined.")


def add(c: C, a: object, b: object) -> object:
    """``a + b`` for numbers, strings, dates and durations."""
    if type(a) is int and type(b) is int:
        return _whole(a + b)
    try:
        if is_number(a) and is_number(b):
            return NUMBERS.add(_decimal(a), _decimal(b))
        if isinstance(a, str) and isinstance(b, str):
            if len(a) + len(b) > c.chars_max:
                raise FeelBudgetError("The expression builds too long a text.")
            return a + b
        return _add_temporal(c, a, b)
    except (DecimalException, OverflowError, ValueError):
        return c.why_null("The sum is out of range.")


def _add_temporal(c: C, a: object, b: object) -> object:
    if isinstance(a, timedelta | Months) and isinstance(b, date | time):
        a, b = b, a
    if isinstance(a, timedelta) and isinstance(b, timedelta):
        return a + b
    if isinstance(a, Months) and isinstance(b, Months):
        return Months(a.months + b.months)
    if isinstance(b, timedelta):
        if isinstance(a, datetime):
            return a + b
        if isinstance(a, date):
            # A date counts as its midnight; the result is a date again.
            return (datetime.combine(a, time()) + b).date()
        if isinstance(a, time):
            return (datetime.combine(date(2000, 1, 3), a) + b).timetz()
    if isinstance(b, Months) and isinstance(a, date):
        moved = add_months(a, b.months)
        return moved if moved is not None else c.why_null("The date is out of range.")
    return _null(c, "+", a, b)


def sub(c: C, a: object, b: object) -> object:
    """``a - b`` for numbers, dates and durations."""
    if type(a) is int and type(b) is int:
        return _whole(a - b)
    try:
        if is_number(a) and is_number(b):
            return NUMBERS.subtract(_decimal(a), _decimal(b))
        if isinstance(b, timedelta | Months) and not isinstance(a, str):
            return _add_temporal(c, a, -b if isinstance(b, timedelta) else Months(-b.months))
        if isinstance(a, date) and isinstance(b, date):
            return _date_time_pair_difference(c, a, b)
        if isinstance(a, time) and isinstance(b, time) and (a.tzinfo is None) == (b.tzinfo is None):
            day = date(2000, 1, 3)
            return datetime.combine(day, a) - datetime.combine(day, b)
    except (DecimalException, OverflowError, ValueError):
        return c.why_null("The difference is out of range.")
    return _null(c, "-", a, b)


def _date_time_pair_difference(c: C, a: date, b: date) -> object:
    def moment(value: date) -> datetime:
        return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)

    first, second = moment(a), moment(b)
    if not isinstance(a, datetime) and not isinstance(b, datetime):
        return first - second
    if (first.tzinfo is None) != (second.tzinfo is None):
        return c.why_null("A date and time with a zone and one without have no difference.")
    return first - second


def mul(c: C, a: object, b: object) -> object:
    """``a * b`` for numbers, and durations with numbers."""
    if type(a) is int and type(b) is int:
        return _whole(a * b)
    try:
        if is_number(a) and is_number(b):
            return NUMBERS.multiply(_decimal(a), _decimal(b))
        if is_number(a):
            a, b = b, a
        if is_number(b):
            if isinstance(a, timedelta):
                return _scaled(a, _decimal(b))
            if isinstance(a, Months):
                return Months(int(a.months * _decimal(b)))
    except (DecimalException, OverflowError, ValueError):
        return c.why_null("The product is out of range.")
    return _null(c, "*", a, b)


def _scaled(value: timedelta, factor: Decimal) -> timedelta:
    return timedelta(microseconds=int(Decimal(value // timedelta(microseconds=1)) * factor))


def div(c: C, a: object, b: object) -> object:
    """``a / b``; by zero it is null."""
    try:
        if is_number(a) and is_number(b):
            return NUMBERS.divide(_decimal(a), _decimal(b)) if b else c.why_null("Division by zero.")
        if isinstance(a, timedelta):
            if is_number(b):
                return _scaled(a, 1 / _decimal(b)) if b else c.why_null("Division by zero.")
            if isinstance(b, timedelta) and b:
                micro = timedelta(microseconds=1)
                return NUMBERS.divide(Decimal(a // micro), Decimal(b // micro))
        if isinstance(a, Months):
            if is_number(b):
                return Months(int(a.months / _decimal(b))) if b else c.why_null("Division by zero.")
            if isinstance(b, Months) and b.months:
                return NUMBERS.divide(Decimal(a.months), Decimal(b.months))
    except (DecimalException, OverflowError, ValueError):
        return c.why_null("The quotient is out of range.")
    return _null(c, "/", a, b)


def power(c: C, a: object, b: object) -> object:
    """``a ** b`` for numbers."""
    if is_number(a) and is_number(b):
        try:
            return NUMBERS.power(_decimal(a), _decimal(b))
        except (DecimalException, OverflowError):
            return c.why_null("The power is out of range.")
    return _null(c, "**", a, b)


def negate(c: C, a: object) -> object:
    """``-a`` for numbers and durations."""
    if is_number(a) or isinstance(a, timedelta):
        return -a  # type: ignore[operator]
    if isinstance(a, Months):
        return Months(-a.months)
    return c.why_null(f"-{kind(a)} is not defined.")


# Comparison


def eq(c: C, a: object, b: object) -> bool | None:
    """``a = b``: null for values of different kinds, null apart."""
    if a is None or b is None:
        return a is b
    if type(a) is type(b) and isinstance(a, str | bool | int):
        return a == b
    if is_number(a) and is_number(b):
        return a == b
    if kind(a) != kind(b):
        _null(c, "=", a, b)
        return None
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(eq(c, x, y) is True for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(eq(c, value, b[key]) is True for key, value in a.items())
    if isinstance(a, time) and isinstance(b, time):
        return a.replace(microsecond=0) == b.replace(microsecond=0)
    return a == b


def ne(c: C, a: object, b: object) -> bool | None:
    """``a != b``."""
    result = eq(c, a, b)
    return None if result is None else not result


_ORDERED = (str, timedelta, Months)


def _compare(c: C, a: object, b: object, sign: str, compare: Callable[[object, object], bool]) -> bool | None:
    if is_number(a) and is_number(b):
        return compare(a, b)
    if kind(a) == kind(b):
        if isinstance(a, _ORDERED):
            return compare(a, b)
        if isinstance(a, datetime | time):
            try:
                return compare(a, b)
            except TypeError:
                c.why_null("A value with a zone and one without cannot be compared.")
                return None
        if isinstance(a, date):
            return compare(a, b)
    _null(c, sign, a, b)
    return None


def lt(c: C, a: object, b: object) -> bool | None:
    """``a < b``."""
    if type(a) is int and type(b) is int:
        return a < b
    return _compare(c, a, b, "<", operator.lt)


def le(c: C, a: object, b: object) -> bool | None:
    """``a <= b``."""
    if type(a) is int and type(b) is int:
        return a <= b
    return _compare(c, a, b, "<=", operator.le)


def gt(c: C, a: object, b: object) -> bool | None:
    """``a > b``."""
    if type(a) is int and type(b) is int:
        return a > b
    return _compare(c, a, b, ">", operator.gt)


def ge(c: C, a: object, b: object) -> bool | None:
    """``a >= b``."""
    if type(a) is int and type(b) is int:
        return a >= b
    return _compare(c, a, b, ">=", operator.ge)


COMPARISONS: dict[str, Callable[[C, object, object], bool | None]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def both(a: object, b: Callable[[], object]) -> bool | None:
    """``a and b`` in three-valued logic; anything but a boolean counts as null."""
    if a is False:
        return False
    second = b()
    if second is False:
        return False
    return True if a is True and second is True else None


def either(a: object, b: Callable[[], object]) -> bool | None:
    """``a or b`` in three-valued logic."""
    if a is True:
        return True
    second = b()
    if second is True:
        return True
    return False if a is False and second is False else None


def between(c: C, value: object, low: object, high: object) -> bool | None:
    """``value between low and high``, both ends included."""
    return both(ge(c, value, low), lambda: le(c, value, high))


def includes(c: C, span: Range, value: object) -> bool | None:
    """Whether a range holds a value."""
    above: bool | None = True
    if span.low is not None:
        above = ge(c, value, span.low) if span.low_included else gt(c, value, span.low)
    if above is False or span.high is None:
        return above
    below = le(c, value, span.high) if span.high_included else lt(c, value, span.high)
    return both(above, lambda: below)


def any_of(results: list[object]) -> bool | None:
    """Whether one of several tests holds: true, else null if one is null, else false."""
    if any(result is True for result in results):
        return True
    return None if any(result is None for result in results) else False


def meets(c: C, value: object, test: object) -> bool | None:
    """A unary test that is an expression: a boolean decides by itself, a range or list must hold the value."""
    if isinstance(test, Range) and not isinstance(value, Range):
        return includes(c, test, value)
    if isinstance(test, list) and not isinstance(value, list):
        return any_of([meets(c, value, item) for item in test])
    if isinstance(test, bool) and not isinstance(value, bool):
        return test
    return eq(c, value, test)


def not_any(results: list[object]) -> bool | None:
    """``not(tests)``."""
    result = any_of(results)
    return None if result is None else not result


# Access


def member(c: C, base: object, name: str) -> object:
    """``base.name`` on contexts, lists (of each item), dates, durations and ranges."""
    if isinstance(base, dict):
        if name in base:
            return base[name]
        return c.why_null(f"The context has no entry {name!r}.")
    if isinstance(base, list):
        return [member(c, item, name) for item in base]
    getter = _PROPERTIES.get(kind(base), {}).get(name)
    if getter is not None:
        return getter(base)
    return c.why_null(f"{kind(base)} has no property {name!r}.")


def _weekday(value: date) -> int:
    return value.isoweekday()


def _offset(value: datetime | time) -> timedelta | None:
    return value.utcoffset()


def _zone_name(value: datetime | time) -> str | None:
    return getattr(value.tzinfo, "key", None)


def _micros(value: timedelta) -> tuple[int, int]:
    """Sign and absolute whole seconds."""
    return (-1 if value < timedelta() else 1), abs(value) // timedelta(seconds=1)


_DATE_PROPERTIES: dict[str, Callable[..., object]] = {
    "year": lambda v: v.year,
    "month": lambda v: v.month,
    "day": lambda v: v.day,
    "weekday": _weekday,
}
_TIME_PROPERTIES: dict[str, Callable[..., object]] = {
    "hour": lambda v: v.hour,
    "minute": lambda v: v.minute,
    "second": lambda v: v.second,
    "time offset": _offset,
    "timezone": _zone_name,
}
_PROPERTIES: dict[str, dict[str, Callable[..., object]]] = {
    "date": _DATE_PROPERTIES,
    "time": _TIME_PROPERTIES,
    "date and time": _DATE_PROPERTIES | _TIME_PROPERTIES,
    "days and time duration": {
        "days": lambda v: _micros(v)[0] * (_micros(v)[1] // 86_400),
        "hours": lambda v: _micros(v)[0] * (_micros(v)[1] // 3_600 % 24),
        "minutes": lambda v: _micros(v)[0] * (_micros(v)[1] // 60 % 60),
        "seconds": lambda v: _micros(v)[0] * (_micros(v)[1] % 60),
    },
    "years and months duration": {
        "years": lambda v: int(v.months / 12),
        "months": lambda v: v.months - 12 * int(v.months / 12),
    },
    "range": {
        "start": lambda v: v.low,
        "end": lambda v: v.high,
        "start included": lambda v: v.low_included,
        "end included": lambda v: v.high_included,
    },
}


def select(c: C, base: object, condition: Callable[[object], object], constant: object) -> object:
    """``base[condition]``: the item at a position, or those for which the condition holds.

    Args:
        c: the evaluation.
        base: a list; anything else counts as a list of one, null as none.
        condition: evaluated per item.
        constant: the index when the condition is a number that needs no item, else null.
    """
    items = base if isinstance(base, list) else [] if base is None else [base]
    if is_number(constant):
        index = int(constant)  # type: ignore[call-overload]
        if index == constant and 1 <= abs(index) <= len(items):
            return items[index - 1] if index > 0 else items[index]
        return c.why_null(f"The list of {len(items)} items has none at position {constant}.")
    c.step(len(items))
    found = []
    for item in items:
        holds = condition(item)
        if is_number(holds):
            return select(c, items, condition, holds)
        if holds is True:
            found.append(item)
    return found


# Iteration and functions


def steps(c: C, low: object, high: object) -> list[object]:
    """The whole numbers, or days, from one end to the other, upwards or downwards."""
    if is_number(low) and is_number(high):
        first, last = int(low), int(high)  # type: ignore[call-overload]
        if abs(last - first) + 1 > c.items_max:
            raise FeelBudgetError("The expression iterates over too many numbers.")
        return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))
    if type(low) is date and type(high) is date:
        days = (high - low).days
        if abs(days) + 1 > c.items_max:
            raise FeelBudgetError("The expression iterates over too many days.")
        return [low + timedelta(days=day) for day in (range(days + 1) if days >= 0 else range(0, days - 1, -1))]
    c.why_null("An iteration needs two numbers or two dates.")
    return []


def items_of(c: C, source: object) -> list[object]:
    """What an iteration goes over."""
    if isinstance(source, list):
        return source
    if isinstance(source, Range):
        return steps(c, source.low, source.high)
    return [] if source is None else [source]


def _combinations(c: C, sources: tuple[Callable[..., object], ...], chosen: tuple[object, ...]) -> list[tuple[object, ...]]:
    if not sources:
        return [chosen]
    found = []
    for item in items_of(c, sources[0](*chosen)):
        c.step()
        found.extend(_combinations(c, sources[1:], (*chosen, item)))
    return found


def for_each(c: C, sources: tuple[Callable[..., object], ...], body: Callable[..., object]) -> list[object]:
    """``for … return …``; the body also gets the results so far as ``partial``, a list that is still growing."""
    results: list[object] = []
    for chosen in _combinations(c, sources, ()):
        if len(results) >= c.items_max:
            raise FeelBudgetError("The expression builds too long a list.")
        results.append(body(*chosen, results))
    return results


def quantified(c: C, every: bool, sources: tuple[Callable[..., object], ...], body: Callable[..., object]) -> bool | None:
    """``some|every … satisfies …`` in three-valued logic."""
    results = [body(*chosen) for chosen in _combinations(c, sources, ())]
    if every:
        if any(result is False for result in results):
            return False
        return True if all(result is True for result in results) else None
    if any(result is True for result in results):
        return True
    return False if all(result is False for result in results) else None


def context(keys: tuple[str, ...], entries: tuple[Callable[..., object], ...]) -> dict[str, object] | None:
    """``{key: value}``; each entry sees the earlier ones. A key given twice makes null."""
    if len(set(keys)) != len(keys):
        return None
    values: list[object] = []
    for entry in entries:
        values.append(entry(*values))
    return dict(zip(keys, values, strict=True))


def call(c: C, function: object, arguments: tuple[object, ...], names: tuple[str, ...]) -> object:
    """Call a function value with positional or named arguments."""
    if not isinstance(function, Function):
        return c.why_null(f"{kind(function)} is not a function.")
    if names:
        if set(names) != set(function.parameters):
            return c.why_null(f"The parameters are {', '.join(function.parameters)}, not {', '.join(names)}.")
        given = dict(zip(names, arguments, strict=True))
        arguments = tuple(given[name] for name in function.parameters)
    if len(arguments) != len(function.parameters):
        return c.why_null(f"{len(function.parameters)} arguments are expected, not {len(arguments)}.")
    c.step()
    c.depth_left -= 1
    if c.depth_left < 0:
        raise FeelBudgetError("Functions call each other too deep.")
    try:
        return function.body(*arguments)
    finally:
        c.depth_left += 1


_CONFORMS = {
    "number": is_number,
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "date": lambda v: type(v) is date,
    "time": lambda v: isinstance(v, time),
    "date and time": lambda v: isinstance(v, datetime),
    "dateTime": lambda v: isinstance(v, datetime),
    "days and time duration": lambda v: isinstance(v, timedelta),
    "dayTimeDuration": lambda v: isinstance(v, timedelta),
    "years and months duration": lambda v: isinstance(v, Months),
    "yearMonthDuration": lambda v: isinstance(v, Months),
    "list": lambda v: isinstance(v, list),
    "context": lambda v: isinstance(v, dict),
    "range": lambda v: isinstance(v, Range),
    "function": lambda v: isinstance(v, Function),
    "Any": lambda v: v is not None,
    "Null": lambda v: v is None,
}


def instance_of(value: object, type_name: str) -> bool | None:
    """``value instance of type``; null is an instance of Null only."""
    outer, _, inner = type_name.partition("<")
    check = _CONFORMS.get(outer)
    if check is None:
        return None
    if not check(value):
        return False
    if outer == "list" and inner and isinstance(value, list):
        return all(instance_of(item, inner[:-1]) is True for item in value)
    return True
