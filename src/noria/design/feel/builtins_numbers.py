"""Built-in functions on numbers."""

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
    Decimal,
)

from noria.design.feel.context import EvaluationContext
from noria.design.feel.temporal import Months
from noria.design.feel.values import NUMBERS, is_number

C = EvaluationContext
SCALE_MIN, SCALE_MAX = -6111, 6176


def decimal(value: object) -> Decimal:
    """A FEEL number as Decimal.

    Raises:
        TypeError: it is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError("a number is needed")
    return Decimal(value)


def _rounder(rounding: str, *, scale_required: bool) -> Callable[..., object]:
    def rounded(_: C, n: object, scale: object = None) -> object:
        if not is_number(n) or (scale is None and scale_required) or (scale is not None and not is_number(scale)):
            return None
        digits = int(decimal(scale if scale is not None else 0))
        if not SCALE_MIN <= digits <= SCALE_MAX:
            return None
        value = decimal(n)
        if -int(value.as_tuple().exponent) <= digits:  # type: ignore[arg-type]
            return n
        return NUMBERS.plus(value.quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=None))

    return rounded


def modulo(_: C, dividend: object, divisor: object) -> object:
    """Remainder with the sign of the divisor: dividend - divisor * floor(dividend / divisor)."""
    if not is_number(dividend) or not is_number(divisor) or not divisor:
        return None
    a, b = decimal(dividend), decimal(divisor)
    quotient = NUMBERS.divide(a, b).to_integral_value(ROUND_FLOOR)
    return NUMBERS.subtract(a, NUMBERS.multiply(b, quotient))


def absolute(_: C, n: object) -> object:
    """Magnitude of a number or duration."""
    if isinstance(n, Months):
        return Months(abs(n.months))
    return abs(n) if is_number(n) or hasattr(n, "total_seconds") else None  # type: ignore[arg-type]


def _number(function: Callable[[Decimal], object]) -> Callable[..., object]:
    def checked(_: C, n: object) -> object:
        return function(decimal(n)) if is_number(n) else None

    return checked


def _parity(rest: int) -> Callable[[Decimal], object]:
    return lambda value: abs(int(value)) % 2 == rest if value == int(value) else False


FUNCTIONS: dict[str, Callable[..., object]] = {
    "decimal(n, scale)": _rounder(ROUND_HALF_EVEN, scale_required=True),
    "floor(n, scale?)": _rounder(ROUND_FLOOR, scale_required=False),
    "ceiling(n, scale?)": _rounder(ROUND_CEILING, scale_required=False),
    "round up(n, scale?)": _rounder(ROUND_UP, scale_required=False),
    "round down(n, scale?)": _rounder(ROUND_DOWN, scale_required=False),
    "round half up(n, scale?)": _rounder(ROUND_HALF_UP, scale_required=False),
    "round half down(n, scale?)": _rounder(ROUND_HALF_DOWN, scale_required=False),
    "modulo(dividend, divisor)": modulo,
    "abs(n)": absolute,
    "sqrt(number)": _number(lambda n: NUMBERS.sqrt(n) if n >= 0 else None),
    "log(number)": _number(lambda n: NUMBERS.ln(n) if n > 0 else None),
    "exp(number)": _number(NUMBERS.exp),
    "odd(number)": _number(_parity(1)),
    "even(number)": _number(_parity(0)),
}
