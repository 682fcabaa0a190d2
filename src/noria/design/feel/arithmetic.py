"""Arithmetic on numbers (34 decimal digits, half even), texts, dates and durations."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.temporal import (
    DAY_NS,
    YEAR_MAX,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    Zone,
    date_from_days,
    days_in_month,
    make_date,
)
from noria.design.feel.values import DECIMAL, INT_MAX, decimal_of, integer_of, kind, number

_UTC = Zone()
_NUMBERS = (int, Decimal, float)
_Operation = Callable[[EvaluationContext, Any, Any], Any]


def _undefined(c: EvaluationContext, what: str, left: Any, right: Any) -> None:
    c.note("feel.type_mismatch", f"{what} is not defined for a {kind(left)} and a {kind(right)}.")


def _sum_of(c: EvaluationContext, left: Any, right: Any) -> Any:
    return number(c, DECIMAL.add(decimal_of(left), decimal_of(right)))


def _difference_of(c: EvaluationContext, left: Any, right: Any) -> Any:
    return number(c, DECIMAL.subtract(decimal_of(left), decimal_of(right)))


def _product_of(c: EvaluationContext, left: Any, right: Any) -> Any:
    return number(c, DECIMAL.multiply(decimal_of(left), decimal_of(right)))


def _quotient_of(c: EvaluationContext, left: Any, right: Any) -> Any:
    if not right:
        c.note("feel.division_by_zero", "A number is divided by zero.")
        return None
    return number(c, DECIMAL.divide(decimal_of(left), decimal_of(right)))


def _within_years(c: EvaluationContext, value: Any) -> Any:
    """A date or date-time that was reckoned, None and a diagnostic when there is none."""
    if value is None:
        c.note("feel.overflow", f"The result lies outside of the years -{YEAR_MAX:,} to {YEAR_MAX:,}.")
    return value


def _joined(c: EvaluationContext, left: str, right: str) -> str:
    c.check_text(len(left) + len(right))
    return left + right


def plus_months(date: Date, months: int) -> Date | None:
    """The date so many months on, clipped to the end of the month; None when its year is out of range."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return make_date(year, month + 1, min(date.day, days_in_month(year, month + 1)))


def plus_ns(moment: DateTime, ns: int) -> DateTime | None:
    """The date-time so much later: in a named zone on the time line, otherwise on its own clock."""
    if moment.zone is not None and moment.zone.name:
        days, rest = moment.zone.local_of(moment.key() + ns)
    else:
        days, rest = divmod(moment.date.days * DAY_NS + moment.ns + ns, DAY_NS)
    date = date_from_days(days)
    return None if date is None else DateTime(date, rest, moment.zone)


def _moved_months(sign: int) -> _Operation:
    def moved(c: EvaluationContext, left: Any, right: MonthsDuration) -> Any:
        if type(left) is Date:
            return _within_years(c, plus_months(left, sign * right.months))
        date = _within_years(c, plus_months(left.date, sign * right.months))
        return None if date is None else DateTime(date, left.ns, left.zone)

    return moved


def _moved_ns(sign: int) -> _Operation:
    def moved(c: EvaluationContext, left: Any, right: DaysDuration) -> Any:
        if type(left) is Date:
            return _within_years(c, date_from_days((left.days * DAY_NS + sign * right.ns) // DAY_NS))
        if type(left) is Time:
            return Time((left.ns + sign * right.ns) % DAY_NS, left.zone)
        return _within_years(c, plus_ns(left, sign * right.ns))

    return moved


def _swapped(operation: _Operation) -> _Operation:
    return lambda c, left, right: operation(c, right, left)


def _apart(c: EvaluationContext, left: Any, right: Any) -> DaysDuration | None:
    """The time between two points of time; a date is midnight UTC when the other side has a zone."""
    if type(left) is Date and type(right) is Date:
        return DaysDuration((left.days - right.days) * DAY_NS)
    if type(left) is Date:
        left = DateTime(left, 0, _UTC)
    if type(right) is Date:
        right = DateTime(right, 0, _UTC)
    if (left.zone is None) != (right.zone is None):
        c.note("feel.type_mismatch", "Subtraction needs a time zone or offset on both sides, or on neither.")
        return None
    return DaysDuration(left.key() - right.key())


def _scaled(make: Callable[[int], Any], attribute: str) -> tuple[_Operation, _Operation, _Operation]:
    """Multiplication with and division by a number, and division by a duration of the same kind."""

    def made(c: EvaluationContext, scaled: Decimal) -> Any:
        if scaled.is_finite() and abs(scaled) < INT_MAX:
            return make(int(scaled))
        c.note("feel.overflow", "The result is longer than a duration can be.")
        return None

    def times(c: EvaluationContext, left: Any, right: Any) -> Any:
        return made(c, DECIMAL.multiply(Decimal(getattr(left, attribute)), decimal_of(right)))

    def over(c: EvaluationContext, left: Any, right: Any) -> Any:
        if not right:
            c.note("feel.division_by_zero", "A duration is divided by zero.")
            return None
        return made(c, DECIMAL.divide(Decimal(getattr(left, attribute)), decimal_of(right)))

    def ratio(c: EvaluationContext, left: Any, right: Any) -> Any:
        return _quotient_of(c, getattr(left, attribute), getattr(right, attribute))

    return times, over, ratio


def _numeric(operation: _Operation) -> dict[tuple[type, type], _Operation]:
    return {(left, right): operation for left in _NUMBERS for right in _NUMBERS}


def _days_sum(_c: EvaluationContext, left: DaysDuration, right: DaysDuration) -> DaysDuration:
    return DaysDuration(left.ns + right.ns)


def _days_difference(_c: EvaluationContext, left: DaysDuration, right: DaysDuration) -> DaysDuration:
    return DaysDuration(left.ns - right.ns)


def _months_sum(_c: EvaluationContext, left: MonthsDuration, right: MonthsDuration) -> MonthsDuration:
    return MonthsDuration(left.months + right.months)


def _months_difference(_c: EvaluationContext, left: MonthsDuration, right: MonthsDuration) -> MonthsDuration:
    return MonthsDuration(left.months - right.months)


_ADD = _numeric(_sum_of)
_SUBTRACT = _numeric(_difference_of)
_MULTIPLY = _numeric(_product_of)
_DIVIDE = _numeric(_quotient_of)
_ADD[str, str] = _joined
_ADD[DaysDuration, DaysDuration] = _days_sum
_ADD[MonthsDuration, MonthsDuration] = _months_sum
_SUBTRACT[DaysDuration, DaysDuration] = _days_difference
_SUBTRACT[MonthsDuration, MonthsDuration] = _months_difference
for _point in (Date, DateTime):
    _ADD[_point, MonthsDuration] = _moved_months(1)
    _ADD[MonthsDuration, _point] = _swapped(_moved_months(1))
    _SUBTRACT[_point, MonthsDuration] = _moved_months(-1)
_point_types: tuple[type, ...] = (Date, DateTime, Time)
for _moment in _point_types:
    _ADD[_moment, DaysDuration] = _moved_ns(1)
    _ADD[DaysDuration, _moment] = _swapped(_moved_ns(1))
    _SUBTRACT[_moment, DaysDuration] = _moved_ns(-1)
for _left, _right in ((Date, Date), (Date, DateTime), (DateTime, Date), (DateTime, DateTime), (Time, Time)):
    _SUBTRACT[_left, _right] = _apart
for _duration, _attribute in ((DaysDuration, "ns"), (MonthsDuration, "months")):
    _times, _over, _ratio = _scaled(_duration, _attribute)
    for _number in _NUMBERS:
        _MULTIPLY[_duration, _number] = _times
        _MULTIPLY[_number, _duration] = _swapped(_times)
        _DIVIDE[_duration, _number] = _over
    _DIVIDE[_duration, _duration] = _ratio


def add(c: EvaluationContext, left: Any, right: Any) -> Any:
    """``left + right``."""
    if type(left) is int and type(right) is int:
        result = left + right
        if -INT_MAX < result < INT_MAX:
            return result
    operation = _ADD.get((type(left), type(right)))
    return _undefined(c, "Addition", left, right) if operation is None else operation(c, left, right)


def subtract(c: EvaluationContext, left: Any, right: Any) -> Any:
    """``left - right``."""
    if type(left) is int and type(right) is int:
        result = left - right
        if -INT_MAX < result < INT_MAX:
            return result
    operation = _SUBTRACT.get((type(left), type(right)))
    return _undefined(c, "Subtraction", left, right) if operation is None else operation(c, left, right)


def multiply(c: EvaluationContext, left: Any, right: Any) -> Any:
    """``left * right``."""
    if type(left) is int and type(right) is int:
        result = left * right
        if -INT_MAX < result < INT_MAX:
            return result
    operation = _MULTIPLY.get((type(left), type(right)))
    return _undefined(c, "Multiplication", left, right) if operation is None else operation(c, left, right)


def divide(c: EvaluationContext, left: Any, right: Any) -> Any:
    """``left / right``; null for a zero divisor."""
    operation = _DIVIDE.get((type(left), type(right)))
    return _undefined(c, "Division", left, right) if operation is None else operation(c, left, right)


def power(c: EvaluationContext, left: Any, right: Any) -> Any:
    """``left ** right``; null when the result is not a real number or too large."""
    if kind(left) != "number" or kind(right) != "number":
        return _undefined(c, "Exponentiation", left, right)
    if integer_of(right) == 0:
        return 1
    if not left and right < 0:
        c.note("feel.division_by_zero", "Zero has no negative power.")
        return None
    return number(c, DECIMAL.power(decimal_of(left), decimal_of(right)))


def negate(c: EvaluationContext, value: Any) -> Any:
    """Unary minus of a number or duration."""
    name = kind(value)
    if name == "number":
        return -value if type(value) is int else DECIMAL.minus(decimal_of(value))
    if type(value) is DaysDuration:
        return DaysDuration(-value.ns)
    if type(value) is MonthsDuration:
        return MonthsDuration(-value.months)
    c.note("feel.type_mismatch", f"A {name} has no negative.")
    return None
