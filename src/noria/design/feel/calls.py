"""Calling functions: those written in FEEL and those of the library, by order or by name."""

from __future__ import annotations

from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.types import coerce, note_misfit
from noria.design.feel.values import BuiltinFunction, Function, kind


def invoke(c: EvaluationContext, function: Any, arguments: tuple[Any, ...]) -> Any:
    """Call with arguments in order; null when it is no function or the arguments do not fit."""
    if type(function) is BuiltinFunction:
        for overload in function.overloads:
            if overload.accepts(len(arguments)):
                bound = overload.bind(arguments)
                if bound is not None:
                    return overload.body(c, *bound)
        return _no_fit(c, function.name, arguments)
    if type(function) is Function:
        return _call(c, function, arguments)
    c.note("feel.not_a_function", f"A {kind(function)} cannot be called.")
    return None


def invoke_named(c: EvaluationContext, function: Any, names: tuple[str, ...], arguments: tuple[Any, ...]) -> Any:
    """Call with named arguments; null when it is no function or the names do not fit."""
    given = dict(zip(names, arguments, strict=True))
    if len(given) != len(names):
        c.note("feel.arguments", "An argument is named twice.")
        return None
    if type(function) is BuiltinFunction:
        for overload in function.overloads:
            ordered = overload.order(given)
            if ordered is not None:
                bound = overload.bind(ordered)
                if bound is not None:
                    return overload.body(c, *bound)
        return _no_fit(c, function.name, arguments)
    if type(function) is Function:
        if set(given) != set(function.params):
            c.note("feel.arguments", f"The parameters are {', '.join(function.params)}, not {', '.join(names)}.")
            return None
        return _call(c, function, tuple(given[param] for param in function.params))
    c.note("feel.not_a_function", f"A {kind(function)} cannot be called.")
    return None


def _no_fit(c: EvaluationContext, name: str, arguments: tuple[Any, ...]) -> None:
    kinds = ", ".join(kind(argument) for argument in arguments)
    c.note("feel.arguments", f"Function {name!r} does not take ({kinds}).")


def _call(c: EvaluationContext, function: Function, arguments: tuple[Any, ...]) -> Any:
    if len(arguments) != len(function.params):
        c.note("feel.arguments", f"The function takes {len(function.params)} arguments, not {len(arguments)}.")
        return None
    converted: list[Any] = []
    for name, argument, wanted in zip(function.params, arguments, function.types, strict=True):
        fits, value = coerce(argument, wanted)
        if not fits:
            note_misfit(c, "feel.arguments", f"Parameter {name}", argument, wanted)
            return None
        converted.append(value)
    c.enter()
    try:
        return function.body(*converted)
    finally:
        c.depth -= 1
