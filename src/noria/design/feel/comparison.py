"""Equality, order and ranges. Values of different kinds do not compare: null and a diagnostic."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.temporal import SECOND_NS, Date, DateTime, DaysDuration, MonthsDuration, Time
from noria.design.feel.values import Range, decimal_of, kind

_PLAIN = (int, str, Decimal)
_KEYED = frozenset({"null", "boolean", "string", "date"})
_HASHED_MAX = 2**60
_ANY_LENGTH = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def equal(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``left = right``: three-valued."""
    if type(left) is type(right) and type(left) in _PLAIN:
        return bool(left == right)
    if left is None or right is None:
        return left is right
    name = kind(left)
    if name != kind(right):
        _different(c, left, right)
        return None
    if name == "number":
        return decimal_of(left) == decimal_of(right)
    if name in {"list", "context"}:
        c.spend(len(left))
    if name == "list":
        return len(left) == len(right) and all(
            equal(c, one, other) is True for one, other in zip(left, right, strict=True)
        )
    if name == "context":
        return left.keys() == right.keys() and all(equal(c, left[key], right[key]) is True for key in left)
    if name in {"time", "date and time"}:
        # The specification compares by hour, minute, second and offset: the fraction does not count.
        if (left.zone is None) != (right.zone is None):
            return False
        return bool(left.key() // SECOND_NS == right.key() // SECOND_NS)
    if name == "range":
        return (
            left.start_included == right.start_included
            and left.end_included == right.end_included
            and left.operator == right.operator
            and equal(c, left.start, right.start) is True
            and equal(c, left.end, right.end) is True
        )
    return bool(left == right)


def key_of(value: Any) -> tuple[str, Any] | None:
    """What two values share exactly when they are `equal`, to look them up by; None for a value without such a key.

    Lists, contexts, ranges and functions have none.
    """
    name = kind(value)
    if name in _KEYED:
        return name, value
    if name == "number":
        return (name, _number_key(value)) if decimal_of(value).is_finite() else None
    if name in {"time", "date and time"}:
        return f"{name} {'local' if value.zone is None else 'zoned'}", _number_key(value.key() // SECOND_NS)
    if type(value) is DaysDuration:
        return name, _number_key(value.ns)
    return (name, _number_key(value.months)) if type(value) is MonthsDuration else None


def _number_key(value: float | Decimal) -> int | str:
    """Small whole numbers as such, all others as their shortest text.

    Large numbers can be chosen so that Python hashes all of them alike, and then a set is as slow as a list; texts
    cannot.
    """
    if type(value) is int and -_HASHED_MAX < value < _HASHED_MAX:
        return value
    exact = decimal_of(value)
    if abs(exact) < _HASHED_MAX and exact == exact.to_integral_value():
        return int(exact)
    return str(exact.normalize(_ANY_LENGTH))


def _different(c: EvaluationContext, left: Any, right: Any) -> None:
    c.note("feel.type_mismatch", _why_different(left, right))


def _why_different(left: Any, right: Any) -> str:
    name = kind(left)
    if name != kind(right):
        return f"A {name} does not compare with a {kind(right)}."
    if name in {"time", "date and time"}:
        return f"A {name} with a time zone or offset does not compare with one that has neither."
    return f"A {name} has no order."


def unequal(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``left != right``."""
    same = equal(c, left, right)
    return None if same is None else not same


def order(c: EvaluationContext, left: Any, right: Any) -> int | None:
    """Negative, zero or positive like left - right; None when the two have no order."""
    name = type(left)
    if name is type(right) and name in _PLAIN:
        return int(left > right) - int(left < right)
    pair = _keys(left, right)
    if pair is None:
        _different(c, left, right)
        return None
    return int(pair[0] > pair[1]) - int(pair[0] < pair[1])


def _keys(left: Any, right: Any) -> tuple[Any, Any] | None:
    name = kind(left)
    if name != kind(right):
        return None
    if name == "number":
        return decimal_of(left), decimal_of(right)
    if type(left) is Date:
        return (left.year, left.month, left.day), (right.year, right.month, right.day)
    if type(left) in {Time, DateTime}:
        if (left.zone is None) != (right.zone is None):
            return None
        return left.key(), right.key()
    if type(left) is DaysDuration:
        return left.ns, right.ns
    if type(left) is MonthsDuration:
        return left.months, right.months
    return None


def less(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``left < right``."""
    if type(left) is int and type(right) is int:
        return left < right
    found = order(c, left, right)
    return None if found is None else found < 0


def less_or_equal(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``left <= right``."""
    if type(left) is int and type(right) is int:
        return left <= right
    found = order(c, left, right)
    return None if found is None else found <= 0


def greater(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``left > right``."""
    if type(left) is int and type(right) is int:
        return left > right
    found = order(c, left, right)
    return None if found is None else found > 0


def greater_or_equal(c: EvaluationContext, left: Any, right: Any) -> bool | None:
    """``left >= right``."""
    if type(left) is int and type(right) is int:
        return left >= right
    found = order(c, left, right)
    return None if found is None else found >= 0


def between(c: EvaluationContext, value: Any, low: Any, high: Any) -> bool | None:
    """``value between low and high``, both ends included."""
    above, below = order(c, value, low), order(c, value, high)
    if above is None or below is None:
        return None
    return above >= 0 >= below


def contains(c: EvaluationContext, wanted: Range, value: Any) -> bool | None:
    """Whether a value lies in a range; the missing bound of ``(< 10)`` does not limit it, a null bound gives null."""
    if wanted.operator == "!=":
        return unequal(c, value, wanted.start)
    if value is None or (not wanted.operator and (wanted.start is None or wanted.end is None)):
        c.note("feel.range", "A range with a null bound, or a null value, cannot be compared.")
        return None
    inside = True
    if wanted.start is not None:
        above = order(c, value, wanted.start)
        if above is None:
            return None
        inside = above > 0 or (above == 0 and wanted.start_included)
    if wanted.end is not None:
        below = order(c, value, wanted.end)
        if below is None:
            return None
        inside = inside and (below < 0 or (below == 0 and wanted.end_included))
    return inside
