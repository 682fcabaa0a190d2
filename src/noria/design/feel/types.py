"""FEEL types: read from text, checked with ``instance of``, and the implicit conversions of declared types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from noria.design.feel.evaluation import EvaluationContext, FeelBudgetError
from noria.design.feel.temporal import Date, DateTime, Zone
from noria.design.feel.values import TOO_LARGE, VALUES_MAX, BuiltinFunction, kind, text_of

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


class Limit(msgspec.Struct, frozen=True):
    """Unary tests that an item definition puts on its values.

    Attributes:
        text: as written.
        allows: whether a value passes them.
    """

    text: str
    allows: Callable[[Any], bool]


class FeelType(msgspec.Struct):
    """A type. It may stand inside itself, below a component.

    Attributes:
        kind: a FEEL kind, "Any", or "duration" (either kind of duration).
        item: element type of a list, bound type of a range, result type of a function.
        fields: component types of a context.
        params: parameter types of a function.
        limits: what item definitions allow of it, that of the base first.
    """

    kind: str
    item: FeelType | None = None
    fields: dict[str, FeelType] | None = None
    params: tuple[FeelType, ...] | None = None
    limits: tuple[Limit, ...] = ()

    def allows(self, value: Any) -> bool:
        """Whether a value passes all limits, of whatever kind it is."""
        return all(limit.allows(value) for limit in self.limits)

    def __str__(self) -> str:
        """As FEEL writes it, with the values that are allowed behind it."""
        return _text(self, _SHOWN_DEPTH_MAX)


ANY = FeelType("Any")
_SHOWN_DEPTH_MAX = 3


def _text(wanted: FeelType, depth: int) -> str:
    text = wanted.kind
    if depth:
        if wanted.fields is not None:
            text += f"<{', '.join(f'{name}: {_text(field, depth - 1)}' for name, field in wanted.fields.items())}>"
        elif wanted.params is not None:
            params = ", ".join(_text(param, depth - 1) for param in wanted.params)
            text += f"<{params}> -> {_text(wanted.item or ANY, depth - 1)}"
        elif wanted.item is not None:
            text += f"<{_text(wanted.item, depth - 1)}>"
    return "".join([text, *(f" ({limit.text})" for limit in wanted.limits)])


class Misfit(NamedTuple):
    """The part of a value that is not of its type.

    Attributes:
        path: the way to it, e.g. ``.address.lines[2]``; "" for the value itself.
        reason: what is there and what was expected, the rest of a sentence.
    """

    path: str
    reason: str


_Way = tuple["_Way", str | int] | None
"""From a part of a value back to the value: the name of the entry or the position in the list, innermost first."""


class _Part(NamedTuple):
    """A part of a value and what it should be; `absent` when it is not even there."""

    value: Any
    wanted: FeelType
    way: _Way = None
    absent: bool = False


def instance_of(value: Any, wanted: FeelType) -> bool:
    """Whether a value is of a type, whatever values that allows; null is of type null and, inside, of any type.

    Raises:
        FeelBudgetError: there are more than `VALUES_MAX` values inside.
    """
    if value is None:
        return wanted.kind == "null"
    return _of_other_kind(_Part(value, wanted), []) is None


def conforms(value: Any, wanted: FeelType) -> bool:
    """Whether a value may stand where a type is declared; null always may. Errors as for `instance_of`."""
    if not wanted.limits and wanted.item is None and wanted.fields is None:
        return value is None or _is_of_kind(value, wanted)
    return value is None or _first_misfit(value, wanted) is None


def misfit(value: Any, wanted: FeelType) -> Misfit | None:
    """Why a value cannot be converted to a declared type; None when it can. Errors as for `instance_of`."""
    if wanted.kind == "list" and wanted.item is not None and type(value) is not list:
        return misfit(value, wanted.item) or misfit([value], wanted)
    found = None if value is None else _first_misfit(value, wanted)
    if found is None:
        return None
    (part, limit), name = found, kind(found[0].value)
    if part.absent:
        reason = f"there is no such entry, but one of type {part.wanted} is expected"
    elif limit is None:
        reason = f"a {name} is not of type {part.wanted}"
    else:
        what = f"a {name}" if name in _HOLDING else f"the {name} {text_of(part.value)[:_SHOWN_CHARS_MAX]}"
        reason = f"{what} is not an allowed value ({limit.text})"
    return Misfit(_written(part.way), reason)


_HOLDING = frozenset({"list", "context", "range", "function"})
_SHOWN_CHARS_MAX = 80


def _written(way: _Way) -> str:
    steps: list[str] = []
    while way is not None:
        way, step = way
        steps.append(f".{step}" if isinstance(step, str) else f"[{step}]")
    return "".join(reversed(steps))


def _first_misfit(value: Any, wanted: FeelType) -> tuple[_Part, Limit | None] | None:
    """The first part that is of another kind, or else the first that does not pass a limit, and that limit."""
    limited: list[_Part] = []
    part = _of_other_kind(_Part(value, wanted), limited)
    if part is not None:
        return part, None
    for part in limited:
        for limit in part.wanted.limits:
            if not limit.allows(part.value):
                return part, limit
    return None


def _of_other_kind(whole: _Part, limited: list[_Part]) -> _Part | None:
    """The first part of another kind than is declared; parts on which there are limits are added to a list.

    The types end as the value does: one that stands inside itself is followed as deep as the value goes. A value may
    be endless to walk through without being large, since a list may stand in many lists.
    """
    waiting = [whole]
    left = VALUES_MAX
    while waiting:
        part = waiting.pop()
        value, wanted, way, absent = part
        if absent or not _is_of_kind(value, wanted):
            return part
        if wanted.limits:
            limited.append(part)
        inside = _parts_of(value, wanted, way)
        left -= len(inside)
        if left < 0:
            raise FeelBudgetError(TOO_LARGE)
        inside.reverse()
        waiting += inside
    return None


def _is_of_kind(value: Any, wanted: FeelType) -> bool:
    if wanted.kind == "Any":
        return True
    have = kind(value)
    if have != wanted.kind:
        return wanted.kind == "duration" and have.endswith("duration")
    return have != "function" or wanted.params is None or _takes(value, wanted.params)


def _parts_of(value: Any, wanted: FeelType, way: _Way) -> list[_Part]:
    """The parts of a value of the right kind that a type says something about; a null is of any type."""
    item = wanted.item
    if wanted.fields is not None:
        return [
            _Part(value.get(name), field, (way, name), name not in value)
            for name, field in wanted.fields.items()
            if value.get(name) is not None or name not in value
        ]
    if item is None:
        return []
    if wanted.kind == "list":
        return [_Part(entry, item, (way, at)) for at, entry in enumerate(value, 1) if entry is not None]
    if wanted.kind == "range":
        bounds = {"start": value.start, "end": value.end}
        return [_Part(bound, item, (way, name)) for name, bound in bounds.items() if bound is not None]
    return []


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
    waiting = [(inner, outer)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        inner, outer = waiting.pop()
        # Types that stand inside themselves come round to the same pair, which then is as it was.
        if (id(inner), id(outer)) in seen or outer.kind == "Any":
            continue
        seen.add((id(inner), id(outer)))
        if outer.kind == "duration" and inner.kind.endswith("duration"):
            continue
        if inner.kind != outer.kind:
            return False
        if outer.fields is not None:
            held = inner.fields or {}
            if not outer.fields.keys() <= held.keys():
                return False
            waiting += [(held[name], field) for name, field in outer.fields.items()]
        # What a function may be called with is looked at when it is called.
        elif outer.item is not None and outer.kind != "function":
            waiting.append((inner.item or ANY, outer.item))
    return True


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
        if fits and wanted.allows([item]):
            return True, [item]
    if wanted.kind == "date and time" and type(value) is Date:
        return True, DateTime(value, 0, Zone())
    return False, None


def note_misfit(c: EvaluationContext, code: str, name: str, value: Any, wanted: FeelType | None) -> None:
    """Note which part of a value of this name is not of a declared type, what it is and what was expected."""
    found = None if wanted is None else misfit(value, wanted)
    if found is not None:
        c.note(code, f"{name}{found.path}: {found.reason}.")
