"""FEEL values as Python values, and the way from and to JSON.

null None, boolean bool, number int or Decimal (float accepted from JSON and read by its shortest text), string str,
list list, context dict, and the classes of `temporal` and of this module.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import isfinite
from types import NoneType
from typing import Any

from noria.design.feel.evaluation import EvaluationContext, FeelBudgetError
from noria.design.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from noria.kernel.numbers import STORED_MAX

DECIMAL = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, capitals=1, clamp=0, flags=[], traps=[])
INT_MAX = 10**34
VALUES_MAX = 1_000_000
TOO_LARGE = f"The value has more than {VALUES_MAX:,} values inside; simplify the expression."


class Range:
    """A range of comparable values.

    Attributes:
        start: lower bound; None when open to that side.
        end: upper bound; None when open to that side.
        start_included: whether the lower bound belongs to it.
        end_included: whether the upper bound belongs to it.
        operator: how a range with one bound was written, e.g. "<" for ``(< 10)``; "" with two bounds.
    """

    __slots__ = ("end", "end_included", "operator", "start", "start_included")

    def __init__(self, start: Any, end: Any, start_included: bool, end_included: bool, operator: str = "") -> None:
        self.start = start
        self.end = end
        self.start_included = start_included
        self.end_included = end_included
        self.operator = operator

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Range) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[Any, ...]:
        return (self.start, self.end, self.start_included, self.end_included, self.operator)

    def __str__(self) -> str:
        if self.operator:
            return f"({self.operator}{text_of(self.end if self.start is None else self.start)})"
        opening = "[" if self.start_included else "("
        closing = "]" if self.end_included else ")"
        return f"{opening}{text_of(self.start)}..{text_of(self.end)}{closing}"

    __repr__ = __str__


class Function:
    """A function value written in FEEL.

    Attributes:
        params: parameter names in order.
        types: one type per parameter, None for any.
        body: called with the arguments.
    """

    __slots__ = ("body", "params", "types")

    def __init__(self, params: tuple[str, ...], types: tuple[Any, ...], body: Callable[..., Any]) -> None:
        self.params = params
        self.types = types
        self.body = body


class BuiltinFunction:
    """A function of the standard library.

    Attributes:
        name: its FEEL name.
        overloads: tried in order; see `builtins.Overload`.
    """

    __slots__ = ("name", "overloads")

    def __init__(self, name: str) -> None:
        self.name = name
        self.overloads: list[Any] = []


KINDS: dict[type, str] = {
    NoneType: "null",
    bool: "boolean",
    int: "number",
    Decimal: "number",
    float: "number",
    str: "string",
    list: "list",
    tuple: "list",
    dict: "context",
    Range: "range",
    Function: "function",
    BuiltinFunction: "function",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
}


def kind(value: Any) -> str:
    """The FEEL kind of a value, "unknown" for a Python object that FEEL has no kind for."""
    return KINDS.get(type(value), "unknown")


def decimal_of(value: float | Decimal) -> Decimal:
    """The number as a Decimal; a float by its shortest text, so that 0.1 is one tenth."""
    if type(value) is Decimal:
        return value
    return Decimal(repr(value)) if type(value) is float else Decimal(value)


def number(c: EvaluationContext, value: Decimal) -> Decimal | None:
    """A finite result; None (null) and a diagnostic for one that is too large, or not a real number."""
    if value.is_finite():
        return value
    if value.is_nan():
        c.note("feel.undefined", "The result is not a real number.")
    else:
        c.note("feel.overflow", "The result is larger than a number can be.")
    return None


def integer_of(value: Any) -> int | None:
    """The number as an int when it is integral and of a sane size, else None."""
    if type(value) is int:
        return value
    decimal = decimal_of(value)
    if not decimal.is_finite() or abs(decimal) >= INT_MAX or decimal != decimal.to_integral_value():
        return None
    return int(decimal)


def number_text(value: float | Decimal) -> str:
    """A number as FEEL prints it: no exponent where it can be read, no trailing zeros."""
    if type(value) is int:
        return str(value)
    decimal = decimal_of(value)
    if not decimal.is_finite():
        return "null"
    if decimal == 0:
        return "0"
    if abs(decimal.adjusted()) > 60:
        return str(decimal.normalize(DECIMAL))
    text = format(decimal, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_of(value: Any, nested: bool = True) -> str:
    """A value as the function string() prints it; strings inside lists and contexts are quoted."""
    name = kind(value)
    if name == "string":
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if nested else str(value)
    if name == "null":
        return "null"
    if name == "boolean":
        return "true" if value else "false"
    if name == "number":
        return number_text(value)
    if name == "list":
        return "[" + ", ".join(text_of(item) for item in value) + "]"
    if name == "context":
        return "{" + ", ".join(f"{key}: {text_of(item)}" for key, item in value.items()) + "}"
    if name == "function":
        return f"function {value.name}" if type(value) is BuiltinFunction else "function"
    return str(value)


def count_values(value: Any) -> None:
    """See that a value is not too large to be walked through.

    A list may stand in many lists, and those in many others: what takes little memory may be endless to write out.

    Raises:
        FeelBudgetError: there are more than `VALUES_MAX` values inside, each counted wherever it stands.
    """
    open_parts: list[Any] = [value]
    left = VALUES_MAX
    while open_parts:
        part = open_parts.pop()
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        left -= len(inside)
        if left < 0:
            raise FeelBudgetError(TOO_LARGE)
        open_parts += inside


def to_json(value: Any) -> Any:
    """A FEEL value as JSON: integral numbers int, others float, temporal values, ranges and functions their text.

    What has no room in 64 bits is a float, and what is too large for one its text.

    Raises:
        FeelBudgetError: there are more than `VALUES_MAX` values inside, each counted wherever it stands.
    """
    return _json(value, [VALUES_MAX])


def _json(value: Any, left: list[int]) -> Any:
    name = kind(value)
    if name == "number":
        integral = integer_of(value)
        if integral is not None and -STORED_MAX <= integral <= STORED_MAX:
            return integral
        number = float(decimal_of(value))
        return number if isfinite(number) else number_text(value)
    if name in {"null", "boolean", "string"}:
        return value
    if name in {"list", "context"}:
        left[0] -= len(value)
        if left[0] < 0:
            raise FeelBudgetError(TOO_LARGE)
        if name == "list":
            return [_json(item, left) for item in value]
        return {key: _json(item, left) for key, item in value.items()}
    return text_of(value)


def from_json(value: Any) -> Any:
    """A JSON value as a FEEL value, copied deeply; floats become exact decimals.

    Raises:
        TypeError: it holds something that is neither JSON nor a FEEL value.
    """
    name = kind(value)
    if name == "unknown":
        raise TypeError(f"{type(value).__name__} is not a JSON value.")
    if type(value) is float:
        return decimal_of(value)
    if name == "list":
        return [from_json(item) for item in value]
    if name == "context":
        return {str(key): from_json(item) for key, item in value.items()}
    return value
