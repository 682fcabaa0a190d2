"""Cells of decision tables as sets: which constants a cell compares with, and values that stand for all others.

A cell that compares its input with constants only says the same of every value between two neighbouring constants. So
a finite list of values (each constant, and one value between each two) shows everything that the cells of a column can
tell apart. What a cell says of each is asked of the compiled cell itself: no rule of FEEL is
written a second time here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from noria.design.feel import nodes as n
from noria.design.feel.evaluation import EvaluationContext, FeelBudgetError
from noria.design.feel.expression import UnaryTests, evaluate_node, parse_expression, parse_unary_tests
from noria.design.feel.scanner import FeelSyntaxError
from noria.design.feel.temporal import (
    DAY_NS,
    SECOND_NS,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    Zone,
    date_from_days,
)
from noria.design.feel.values import DECIMAL, Range, kind, text_of

_CONSTRUCTORS = frozenset(
    {"date", "time", "date and time", "duration", "years and months duration", "number", "string", "@"}
)
"""Library functions whose value depends on their arguments alone and that write a constant."""
_SPANS_NS = (DAY_NS, 3_600 * SECOND_NS, 60 * SECOND_NS, SECOND_NS, 1)
_LAST_NS = DAY_NS - 1


class Points(msgspec.Struct):
    """What a cell compares with.

    Attributes:
        values: single constants, null included.
        groups: lists and contexts, which are values themselves besides what is in them.
        text_ordered: some text is compared by its order and not only for being equal.
    """

    values: list[Any] = []
    groups: list[Any] = []
    text_ordered: bool = False


def points_of(tests: UnaryTests) -> Points | None:
    """The constants that a cell compares its input with; None when it is no test against constants alone."""
    if tests.names:
        return None
    found = Points()
    try:
        return found if _tests(parse_unary_tests(tests.source), found) else None
    except (FeelSyntaxError, FeelBudgetError, RecursionError):
        return None


def constant_of(source: str) -> tuple[bool, Any]:
    """Whether an expression is a constant, and its value."""
    try:
        return _constant(parse_expression(source))
    except (FeelSyntaxError, FeelBudgetError, RecursionError):
        return False, None


def _constant(node: n.Node) -> tuple[bool, Any]:
    if isinstance(node, n.Literal):
        return True, node.value
    return (True, evaluate_node(node, EvaluationContext(0))) if _is_constant(node) else (False, None)


def _is_constant(node: n.Node) -> bool:
    match node:
        case n.Literal():
            return True
        case n.Negation(operand=operand):
            return _is_constant(operand)
        case n.Binary(left=left, right=right):
            return _is_constant(left) and _is_constant(right)
        case n.ListNode(items=items):
            return all(_is_constant(item) for item in items)
        case n.ContextNode(entries=entries):
            return all(_is_constant(value) for _, value in entries)
        case n.RangeNode(start=start, end=end):
            return all(bound is None or _is_constant(bound) for bound in (start, end))
        case n.Call(function=n.Name(name=name), arguments=arguments):
            return name in _CONSTRUCTORS and all(_is_constant(argument) for argument in arguments)
    return False


def _tests(tests: n.Tests, found: Points) -> bool:
    return all(_test(test, found) for test in tests.tests)


def _test(test: n.Test, found: Points) -> bool:
    if test.operand is None:
        return True
    if test.operator:
        return _against(test.operator, test.operand, found)
    return _condition(test.operand, found) if test.uses_input else _member(test.operand, found)


def _against(operator: str, operand: n.Node, found: Points) -> bool:
    known, value = _constant(operand)
    if known:
        _add(value, found, ordered=operator not in {"=", "!="})
    return known


def _add(value: Any, found: Points, *, ordered: bool) -> None:
    if isinstance(value, Range):
        # That a range as a value equals this range counts for nothing: people test what is in it.
        for bound in (value.start, value.end):
            _add(bound, found, ordered=True)
    elif type(value) is list:
        found.groups.append(value)
        for item in value:
            _add(item, found, ordered=False)
    elif kind(value) == "context":
        found.groups.append(value)
    else:
        found.values.append(value)
        found.text_ordered = found.text_ordered or (ordered and type(value) is str)


def _member(operand: n.Node, found: Points) -> bool:
    return _against("=", operand, found)


def _is_input(node: n.Node) -> bool:
    return isinstance(node, n.Name) and node.name == "?"


def _condition(node: n.Node, found: Points) -> bool:
    """An expression about ``?`` that only compares it with constants."""
    match node:
        case n.Logic(left=left, right=right):
            return _condition(left, found) and _condition(right, found)
        case n.Binary(operator="=" | "!=" | "<" | "<=" | ">" | ">=" as operator, left=left, right=right):
            if _is_input(left):
                return _against(operator, right, found)
            return _is_input(right) and _against(operator, left, found)
        case n.Between(value=value, low=low, high=high):
            return _is_input(value) and _against("<", low, found) and _against("<", high, found)
        case n.In(value=value, tests=tests):
            return _is_input(value) and _tests(tests, found)
        case n.Call(function=n.Name(name="not"), arguments=[argument], names=None):
            return _condition(argument, found)
    return False


# --- values in order


class Axis(msgspec.Struct):
    """A kind of values that have an order.

    Attributes:
        key: what orders a value.
        make: the value of a key, None when there is none.
        steps: distances, wide ones first, at which a value beside another is looked for.
        floor: distance within which values are equal although their keys differ, 0 for none.
    """

    key: Callable[[Any], Any]
    make: Callable[[Any], Any]
    steps: tuple[int, ...] = ()
    floor: int = 0

    def keys(self, values: Iterable[Any]) -> list[Any]:
        """The keys at which a test with these constants may change its answer, in order."""
        found: set[Any] = set()
        for value in values:
            key = self.key(value)
            found.add(key)
            if self.floor:
                whole = key - key % self.floor
                found |= {whole, whole + self.floor}
        return sorted(found)

    def line(self, keys: list[Any]) -> list[Any]:
        """A value below all keys, at the first, between it and the second, and so on; None where there is none."""
        line: list[Any] = [self._beside(None, keys[0])]
        for key, following in pairwise([*keys, None]):
            line += [self.make(key), self._beside(key, following)]
        return line

    def _beside(self, low: Any, high: Any) -> Any:
        """A value between two keys (None: no bound there)."""
        for key in self._candidates(low, high):
            if (low is None or low < key) and (high is None or key < high):
                made = self.make(key)
                if made is not None:
                    return made
        return None

    def _candidates(self, low: Any, high: Any) -> Iterator[Any]:
        yield from ((high - step if low is None else low + step) for step in self.steps)


class _Numbers(Axis):
    def _candidates(self, low: Any, high: Any) -> Iterator[Any]:
        if low is None:
            yield from (DECIMAL.subtract(high, 1), DECIMAL.multiply(high, 2), Decimal(0))
            return
        whole = Decimal(low).to_integral_value("ROUND_FLOOR") if abs(low) < 10**30 else Decimal(low)
        yield from (DECIMAL.add(low, 1), DECIMAL.add(whole, 1), DECIMAL.multiply(low, 2), Decimal(0))
        if high is not None:
            yield DECIMAL.divide(DECIMAL.add(low, high), 2)


class _Texts(Axis):
    def _candidates(self, low: Any, _high: Any) -> Iterator[Any]:
        yield from ("",) if low is None else (low + tail for tail in ("z", "a", "_", "0", " ", "\x01", "\x00"))


def _number(key: Any) -> Any:
    return int(key) if key == key.to_integral_value() and abs(key) < 10**30 else key


def _time(zoned: bool) -> Callable[[int], Time | None]:
    def make(key: int) -> Time | None:
        if not zoned:
            return Time(key) if 0 <= key <= _LAST_NS else None
        # Beside midnight the time of day in UTC is that of another zone on the same day.
        hours = -(key // (3_600 * SECOND_NS)) if key < 0 else 23 - key // (3_600 * SECOND_NS) if key > _LAST_NS else 0
        return Time(key + hours * 3_600 * SECOND_NS, Zone(offset_s=hours * 3_600)) if abs(hours) <= 18 else None

    return make


def _date_time(zoned: bool) -> Callable[[int], DateTime | None]:
    def make(key: int) -> DateTime | None:
        days, ns = divmod(key, DAY_NS)
        date = date_from_days(days)
        return None if date is None else DateTime(date, ns, Zone() if zoned else None)

    return make


_TIME_STEPS = _SPANS_NS[1:]
AXES: dict[str, Axis] = {
    "number": _Numbers(Decimal, _number),
    "string": _Texts(str, str),
    "date": Axis(lambda value: value.days, date_from_days, (1,)),
    "time": Axis(Time.key, _time(zoned=False), _TIME_STEPS, floor=SECOND_NS),
    "zoned time": Axis(Time.key, _time(zoned=True), _TIME_STEPS, floor=SECOND_NS),
    "date and time": Axis(DateTime.key, _date_time(zoned=False), _SPANS_NS, floor=SECOND_NS),
    "zoned date and time": Axis(DateTime.key, _date_time(zoned=True), _SPANS_NS, floor=SECOND_NS),
    "days and time duration": Axis(lambda value: value.ns, DaysDuration, _SPANS_NS),
    "years and months duration": Axis(lambda value: value.months, MonthsDuration, (12, 1)),
}
"""Every kind of values with an order; times with and without a zone do not compare and are two kinds."""


def axis_of(value: Any) -> str:
    """The name of the axis on which a value lies; its kind when it has no order."""
    name = kind(value)
    zoned = name in {"time", "date and time"} and value.zone is not None
    return f"zoned {name}" if zoned else name


TYPICAL: dict[str, Any] = {
    "number": 0,
    "string": "other",
    "boolean": True,
    "date": Date(2026, 1, 1),
    "time": Time(0),
    "zoned time": Time(0, Zone()),
    "date and time": DateTime(Date(2026, 1, 1), 0),
    "zoned date and time": DateTime(Date(2026, 1, 1), 0, Zone()),
    "days and time duration": DaysDuration(DAY_NS),
    "years and months duration": MonthsDuration(1),
    "context": {},
}
"""A value of each axis for columns in which no cell speaks of that kind."""


def example_text(value: Any) -> str:
    """A value as it would be written in FEEL."""
    written = text_of(value)
    return f'@"{written}"' if kind(value) in {"date", "time", "date and time"} or "duration" in kind(value) else written
