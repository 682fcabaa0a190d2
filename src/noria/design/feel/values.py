"""FEEL's values and their way from and to JSON.

null, boolean and string are Python's own; a number is `int` or `Decimal` (34 digits); a list is `list`, a context
`dict`; dates and durations are those of `temporal`; ranges and functions are defined here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

import msgspec

from noria.design.feel.temporal import Months, format_temporal

NUMBERS = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[DivisionByZero, InvalidOperation, Overflow])
"""Decimal128 arithmetic (IEEE 754-2008), as DMN asks."""

INTEGER_MAX = 10**34


class Range(msgspec.Struct, frozen=True):
    """``[low..high]``; None is an end without bound."""

    low: object
    high: object
    low_included: bool
    high_included: bool


class Function:
    """A function value: positional parameters by name, and what to call."""

    __slots__ = ("body", "parameters")

    def __init__(self, parameters: tuple[str, ...], body: Callable[..., object]) -> None:
        self.parameters = parameters
        self.body = body


def is_number(value: object) -> bool:
    """Whether a value is a FEEL number; a boolean is none."""
    return type(value) is int or type(value) is Decimal


def kind(value: object) -> str:
    """The FEEL type's name."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | Decimal):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, datetime):
        return "date and time"
    if isinstance(value, date):
        return "date"
    if isinstance(value, time):
        return "time"
    if isinstance(value, timedelta):
        return "days and time duration"
    if isinstance(value, Months):
        return "years and months duration"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "context"
    return "range" if isinstance(value, Range) else "function"


def from_json(value: object) -> object:
    """The FEEL value of a JSON value: floats become the decimals they print as; what holds none stays as it is."""
    if type(value) is float:
        return Decimal(repr(value))
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, list):
        items = [from_json(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        entries = {key: from_json(item) for key, item in value.items()}
        return entries if any(entries[key] is not item for key, item in value.items()) else value
    return value


def to_json(value: object) -> object:
    """The JSON value of a FEEL value.

    Numbers become int when whole and float otherwise (17 digits); dates, times and durations their ISO 8601 text; a
    range its FEEL text; a function null.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, Decimal):
        return to_json(int(value)) if value == value.to_integral_value() else float(value)
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, date | time | timedelta | Months):
        return format_temporal(value)
    if isinstance(value, Range):
        return format_value(value)
    if isinstance(value, float):
        return value
    return None


def format_number(value: int | Decimal) -> str:
    """A number as FEEL prints it: no trailing zeros, no exponent."""
    if isinstance(value, int):
        return str(value)
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def format_value(value: object, *, nested: bool = False) -> str:
    """A value as FEEL's ``string()`` prints it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if nested else value
    if isinstance(value, int | Decimal):
        return format_number(value)
    if isinstance(value, list):
        return "[" + ", ".join(format_value(item, nested=True) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {format_value(item, nested=True)}" for key, item in value.items()) + "}"
    if isinstance(value, date | time | timedelta | Months):
        return format_temporal(value)
    if isinstance(value, Range):
        low = "" if value.low is None else format_value(value.low, nested=True)
        high = "" if value.high is None else format_value(value.high, nested=True)
        return f"{'[' if value.low_included else '('}{low}..{high}{']' if value.high_included else ')'}"
    return "function"
