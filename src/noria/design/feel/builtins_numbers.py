"""Numeric functions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from fractions import Fraction
from typing import Any

from noria.design.feel.arithmetic import negate
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.temporal import DaysDuration, MonthsDuration
from noria.design.feel.values import DECIMAL, decimal_of, number

_SCALE_MIN, _SCALE_MAX = -6111, 6176


def _rounding(mode: str) -> Callable[..., Any]:
    # Wide enough to hold any number of 34 digits at any scale that changes it.
    wide = Context(prec=6200, Emin=-6200, Emax=6200, traps=[])

    def rounded(c: EvaluationContext, value: Any, scale: Any = 0) -> Any:
        places = decimal_of(scale).to_integral_value(ROUND_DOWN)
        if not _SCALE_MIN <= places <= _SCALE_MAX:
            c.note("feel.scale", f"The scale must lie between {_SCALE_MIN} and {_SCALE_MAX}.")
            return None
        digits = int(places)
        if type(value) is int and digits >= 0:
            return value
        decimal = decimal_of(value)
        if digits > 0 and -int(decimal.as_tuple().exponent) <= digits:
            return decimal
        return number(c, DECIMAL.plus(decimal.quantize(Decimal((0, (1,), -digits)), rounding=mode, context=wide)))

    return rounded


builtin("decimal", "n:number;scale:number")(_rounding(ROUND_HALF_EVEN))
builtin("floor", "n:number;scale?:number")(_rounding(ROUND_FLOOR))
builtin("ceiling", "n:number;scale?:number")(_rounding(ROUND_CEILING))
builtin("round up", "n:number;scale:number")(_rounding(ROUND_UP))
builtin("round down", "n:number;scale:number")(_rounding(ROUND_DOWN))
builtin("round half up", "n:number;scale:number")(_rounding(ROUND_HALF_UP))
builtin("round half down", "n:number;scale:number")(_rounding(ROUND_HALF_DOWN))


@builtin("abs", "n:number|days|months")
def _abs(c: EvaluationContext, n: Any) -> Any:
    negative = n.ns < 0 if type(n) is DaysDuration else n.months < 0 if type(n) is MonthsDuration else n < 0
    return negate(c, n) if negative else n


@builtin("modulo", "dividend:number;divisor:number")
def _modulo(c: EvaluationContext, dividend: Any, divisor: Any) -> Any:
    if not divisor:
        c.note("feel.division_by_zero", "A number is divided by zero.")
        return None
    if type(dividend) is int and type(divisor) is int:
        return dividend % divisor
    left, right = decimal_of(dividend), decimal_of(divisor)
    rest = DECIMAL.remainder(left, right)
    if not rest.is_finite():
        # The quotient has more digits than a number.
        exact = Fraction(left) % Fraction(right)
        return number(c, DECIMAL.divide(Decimal(exact.numerator), Decimal(exact.denominator)))
    # The result has the sign of the divisor: dividend - divisor * floor(dividend / divisor).
    if rest and (rest < 0) != (right < 0):
        rest = DECIMAL.add(rest, right)
    return number(c, rest)


@builtin("sqrt", "number:number")
def _sqrt(c: EvaluationContext, value: Any) -> Any:
    if value < 0:
        c.note("feel.undefined", "Only numbers from 0 have a square root.")
        return None
    return number(c, DECIMAL.sqrt(decimal_of(value)))


@builtin("log", "number:number")
def _log(c: EvaluationContext, value: Any) -> Any:
    if value <= 0:
        c.note("feel.undefined", "Only numbers above 0 have a logarithm.")
        return None
    return number(c, DECIMAL.ln(decimal_of(value)))


@builtin("exp", "number:number")
def _exp(c: EvaluationContext, value: Any) -> Any:
    return number(c, DECIMAL.exp(decimal_of(value)))


@builtin("odd", "number:number")
def _odd(c: EvaluationContext, value: Any) -> bool | None:
    last = _last_digit(c, value)
    return None if last is None else last % 2 == 1


@builtin("even", "number:number")
def _even(c: EvaluationContext, value: Any) -> bool | None:
    last = _last_digit(c, value)
    return None if last is None else last % 2 == 0


def _last_digit(c: EvaluationContext, value: Any) -> int | None:
    """That of a whole number, None and a diagnostic for any other."""
    decimal = decimal_of(value)
    if decimal != decimal.to_integral_value():
        c.note("feel.undefined", "Only whole numbers are odd or even.")
        return None
    _, digits, exponent = decimal.as_tuple()
    if not isinstance(exponent, int) or exponent > 0:
        return 0
    return digits[exponent - 1] if -exponent < len(digits) else 0
