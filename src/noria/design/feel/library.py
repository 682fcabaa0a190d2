"""How a library function says what it takes: one or more overloads, checked and converted before its body runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noria.design.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from noria.design.feel.values import KINDS, BuiltinFunction, Range, kind

LIBRARY: dict[str, BuiltinFunction] = {}

_KINDS = {
    "date": Date,
    "time": Time,
    "datetime": DateTime,
    "days": DaysDuration,
    "months": MonthsDuration,
    "range": Range,
}


_NAMES = {python: python.__name__ for python in _KINDS.values()}


class _Parameter:
    """One parameter: name, the kinds it accepts, whether it may be left out, be null, or repeat."""

    __slots__ = ("kinds", "name", "nullable", "optional", "types", "variadic")

    def __init__(self, text: str) -> None:
        name, _, kinds = text.strip().partition(":")
        self.variadic = kinds.endswith("...")
        kinds = kinds.removesuffix("...")
        self.nullable = kinds.endswith("?")
        self.optional = name.endswith("?")
        self.name = name.removesuffix("?")
        self.kinds = frozenset(
            _KINDS[part].__name__ if part in _KINDS else part for part in kinds.strip("? ").split("|")
        )
        # Python types of which every value fits as it is; nearly all arguments are of one.
        self.types = frozenset(
            python for python, name in KINDS.items() if "any" in self.kinds or _NAMES.get(python, name) in self.kinds
        )

    def accept(self, value: Any) -> tuple[bool, Any]:
        """Whether the value fits, and the value converted: [x] to x, x to [x]."""
        if "any" in self.kinds:
            return True, value
        if value is None:
            return self.nullable, None
        found = kind(value) if type(value) not in _NAMES else _NAMES[type(value)]
        if found in self.kinds:
            return True, value
        if found == "list" and len(value) == 1:
            return self.accept(value[0])
        if "list" in self.kinds:
            return True, [value]
        return False, None


class Overload:
    """One way to call a library function.

    Attributes:
        body: called with the context and the converted arguments.
    """

    __slots__ = ("_least", "_most", "_parameters", "body")

    def __init__(self, signature: str, body: Callable[..., Any]) -> None:
        self._parameters = [_Parameter(part) for part in signature.split(";")] if signature else []
        self._least = sum(not parameter.optional for parameter in self._parameters)
        variadic = bool(self._parameters) and self._parameters[-1].variadic
        self._most = 1_000_000 if variadic else len(self._parameters)
        self.body = body

    def accepts(self, count: int) -> bool:
        """Whether it may be called with so many arguments."""
        return self._least <= count <= self._most

    def bind(self, arguments: tuple[Any, ...]) -> list[Any] | None:
        """The converted arguments, or None when one does not fit."""
        bound: list[Any] = []
        last = len(self._parameters) - 1
        for position, argument in enumerate(arguments):
            parameter = self._parameters[min(last, position)]
            if type(argument) in parameter.types:
                bound.append(argument)
                continue
            fits, value = parameter.accept(argument)
            if not fits:
                return None
            bound.append(value)
        return bound

    def order(self, given: dict[str, Any]) -> tuple[Any, ...] | None:
        """Named arguments in order, None when the names do not fit (an optional one left out ends the list)."""
        arguments: list[Any] = []
        for parameter in self._parameters:
            if parameter.name in given:
                arguments.append(given[parameter.name])
            elif not parameter.optional:
                return None
            else:
                break
        return tuple(arguments) if len(arguments) == len(given) and self.accepts(len(arguments)) else None


def builtin(name: str, signature: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a body under a name for a signature; repeat for overloads, the first that fits is called.

    A signature is ``name:kind;name?:kind|kind?;name:kind...``: ``?`` after the name makes a parameter optional, after
    the kinds makes it accept null; ``...`` lets the last one repeat.
    """

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        function = LIBRARY.setdefault(name, BuiltinFunction(name))
        function.overloads.insert(0, Overload(signature, body))
        return body

    return register
