"""FEEL types: read from text, checked with ``instance of``, and the implicit conversions of declared types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from noria.design.feel.temporal import Date, DateTime, Zone
from noria.design.feel.values import BuiltinFunction, Range, kind

SIMPLE = {
    "Any": "Any",
    "null": "null",
    "Null": "null",
    "boolean": "boolean",
    "number": "number",
    "string": "string",
    "date": "date",
    "time": "time",
    "date and time": "date and time",
    "dateTime": "date and time",
    "days and time duration": "days and time duration",
    "dayTimeDuration": "days and time duration",
    "years and months duration": "years and months duration",
    "yearMonthDuration": "years and months duration",
    "duration": "duration",
    "list": "list",
    "context": "context",
    "range": "range",
    "function": "function",
}


class FeelType(msgspec.Struct):
    """A type.

    Attributes:
        kind: a FEEL kind, "Any", or "duration" (either kind of duration).
        item: element type of a list, bound type of a range, result type of a function.
        fields: component types of a context.
        params: parameter types of a function.
        allowed: gives True for values that an item definition allows; None allows all.
        allowed_text: the unary tests behind `allowed` as written, "" for none.
    """

    kind: str
    item: FeelType | None = None
    fields: dict[str, FeelType] | None = None
    params: tuple[FeelType, ...] | None = None
    allowed: Callable[[Any], bool] | None = None
    allowed_text: str = ""

    def __str__(self) -> str:
        """As FEEL writes it, with the values that are allowed behind it."""
        text = self.kind
        if self.fields is not None:
            text += f"<{', '.join(f'{name}: {field}' for name, field in self.fields.items())}>"
        elif self.params is not None:
            text += f"<{', '.join(map(str, self.params))}> -> {self.item or ANY}"
        elif self.item is not None:
            text += f"<{self.item}>"
        return f"{text} ({self.allowed_text})" if self.allowed_text else text


ANY = FeelType("Any")


def instance_of(value: Any, wanted: FeelType) -> bool:
    """Whether a value is of a type, whatever values that allows; null is of type null and, inside, of any type."""
    if value is None:
        return wanted.kind == "null"
    return _conforms(value, wanted, limited=False)


def conforms(value: Any, wanted: FeelType) -> bool:
    """Whether a value may stand where a type is declared; null always may."""
    return value is None or _conforms(value, wanted, limited=True)


def _conforms(value: Any, wanted: FeelType, *, limited: bool) -> bool:
    def inside(entry: Any, declared: FeelType) -> bool:
        return entry is None or _conforms(entry, declared, limited=limited)

    have = kind(value)
    if wanted.kind == "Any":
        fits = True
    elif wanted.kind == "duration":
        fits = have.endswith("duration")
    elif have != wanted.kind:
        return False
    elif have == "list":
        item = wanted.item
        fits = item is None or all(inside(entry, item) for entry in value)
    elif have == "context":
        fits = wanted.fields is None or all(
            name in value and inside(value[name], field) for name, field in wanted.fields.items()
        )
    elif have == "range":
        fits = _range_conforms(value, wanted.item)
    elif have == "function":
        fits = wanted.params is None or _takes(value, wanted.params)
    else:
        fits = True
    return fits and (not limited or wanted.allowed is None or wanted.allowed(value))


def _range_conforms(value: Range, item: FeelType | None) -> bool:
    return item is None or (conforms(value.start, item) and conforms(value.end, item))


def _takes(value: Any, params: tuple[FeelType, ...]) -> bool:
    """Whether a function may be called with values of these types (10.3.2.9.2)."""
    if type(value) is BuiltinFunction:
        return any(overload.accepts(len(params)) for overload in value.overloads)
    if len(value.params) != len(params):
        return False
    return all(
        declared is None or _is_within(given, declared) for given, declared in zip(params, value.types, strict=True)
    )


def _is_within(inner: FeelType, outer: FeelType) -> bool:
    """Whether every value of a type is one of another."""
    if outer.kind == "Any":
        return True
    if outer.kind == "duration" and inner.kind.endswith("duration"):
        return True
    if inner.kind != outer.kind:
        return False
    if outer.fields is not None:
        held = inner.fields or {}
        return all(name in held and _is_within(held[name], field) for name, field in outer.fields.items())
    if outer.kind == "function":
        # What it may be called with is looked at when it is called.
        return True
    return outer.item is None or _is_within(inner.item or ANY, outer.item)


def coerce(value: Any, wanted: FeelType | None) -> tuple[bool, Any]:
    """Convert implicitly to a declared type: [x] to x, x to [x], date to date and time at midnight UTC.

    Returns:
        Whether it fits, and the converted value (None when it does not fit).
    """
    if wanted is None or conforms(value, wanted):
        return True, value
    if type(value) is list and len(value) == 1 and wanted.kind != "list" and conforms(value[0], wanted):
        return True, value[0]
    if wanted.kind == "list" and type(value) is not list:
        fits, item = coerce(value, wanted.item)
        if fits and (wanted.allowed is None or wanted.allowed([item])):
            return True, [item]
    if wanted.kind == "date and time" and type(value) is Date:
        return True, DateTime(value, 0, Zone())
    return False, None
