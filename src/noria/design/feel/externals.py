"""External functions: the pure Java methods that models name most, written in Python.

A model made for a Java engine may name a class and a method signature. No class is loaded and no
model can add one: what is not in this list is null with a diagnostic. Numbers go the way Java's types go: a double
through binary floating point, an int only when it is one.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.values import Function, decimal_of, integer_of, kind, number, text_of

_OBJECTS = "[Ljava.lang.Object;"
_STRING = "java.lang.String"
_BITS = {"byte": 8, "short": 16, "int": 32, "long": 64}
_SIGNATURE = re.compile(r"(?P<method>\w+)\((?P<types>.*)\)")
_FORMAT = re.compile(r"%(?P<flags>[-+ 0,]*)(?P<width>\d{1,4})?(?:\.(?P<precision>\d{1,4}))?(?P<kind>[sdfn%])")


class _NoFitError(Exception):
    """A value is not of the Java type."""


def _whole(bits: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        found = integer_of(value)
        if found is None or not -(1 << bits - 1) <= found < 1 << bits - 1:
            raise _NoFitError
        return found

    return convert


def _double(value: Any) -> float:
    if kind(value) != "number":
        raise _NoFitError
    return float(value)


def _float(value: Any) -> float:
    """The nearest number of 32 bits, written with as few digits as tell it apart."""
    single = struct.unpack("f", struct.pack("f", _double(value)))[0]
    for digits in range(6, 10):
        short = float(f"{single:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == single:
            break
    return short


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _NoFitError
    return value


def _character(value: Any) -> str:
    text = _text(value)
    if len(text) != 1 or ord(text) > 0xFFFF:
        raise _NoFitError
    return text


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise _NoFitError
    return value


_TYPES: Mapping[str, Callable[[Any], Any]] = {
    **{name: _whole(bits) for name, bits in _BITS.items()},
    "double": _double,
    "float": _float,
    "char": _character,
    "boolean": _truth,
    _STRING: _text,
    _OBJECTS: lambda value: value if type(value) is list else [value],
}


def _format(pattern: str, values: list[Any]) -> str:
    """`String.format` for texts, numbers, line ends and percent signs; anything else in the pattern is refused."""
    rest = iter(values)

    def written(match: re.Match[str]) -> str:
        flags, sort = match["flags"], match["kind"]
        if sort in "n%":
            return "\n" if sort == "n" else "%"
        value = next(rest)
        numeric = "".join(flag for flag in flags if flag in "+ ")
        if sort == "s":
            text = text_of(value, nested=False)
            text = text if match["precision"] is None else text[: int(match["precision"])]
        elif sort == "d":
            text = f"{_whole(64)(value):{numeric}{',' if ',' in flags else ''}d}"
        else:
            places = Decimal(1).scaleb(-int(match["precision"] or 6))
            exact = decimal_of(_number(value)).quantize(places, ROUND_HALF_UP)
            text = f"{exact:{numeric}{',' if ',' in flags else ''}f}"
        width = int(match["width"] or 0)
        if "-" in flags:
            return text.ljust(width)
        return text.zfill(width) if "0" in flags and sort != "s" else text.rjust(width)

    if "%" in _FORMAT.sub("", pattern):
        raise _NoFitError
    return _FORMAT.sub(written, pattern)


def _number(value: Any) -> Any:
    if kind(value) != "number":
        raise _NoFitError
    return value


def _round(value: float) -> int:
    return math.floor(value + 0.5)


_MATH_OF_ONE: Mapping[str, Callable[[float], Any]] = {
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "cbrt": math.cbrt,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "log10": math.log10,
    "rint": round,
    "round": _round,
    "signum": lambda value: math.copysign(1, value) if value else 0,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
    "toDegrees": math.degrees,
    "toRadians": math.radians,
}


def _methods() -> dict[tuple[str, str], Callable[..., Any]]:
    found: dict[tuple[str, str], Callable[..., Any]] = {
        (f"{_STRING}", f"format({_STRING},{_OBJECTS})"): _format,
        ("java.lang.Boolean", f"valueOf({_STRING})"): lambda text: text.lower() == "true",
        ("java.lang.Math", "atan2(double,double)"): math.atan2,
        ("java.lang.Math", "hypot(double,double)"): math.hypot,
        ("java.lang.Math", "pow(double,double)"): math.pow,
    }
    for name, body in _MATH_OF_ONE.items():
        found["java.lang.Math", f"{name}(double)"] = body
    for java in ("int", "long", "float", "double"):
        found["java.lang.Math", f"abs({java})"] = abs
        found["java.lang.Math", f"max({java},{java})"] = max
        found["java.lang.Math", f"min({java},{java})"] = min
    for java in ("int", "long", "char", "boolean"):
        found[_STRING, f"valueOf({java})"] = lambda value: text_of(value, nested=False)
    for box, java in (
        ("Byte", "byte"),
        ("Short", "short"),
        ("Integer", "int"),
        ("Long", "long"),
        ("Float", "float"),
        ("Double", "double"),
    ):
        found[f"java.lang.{box}", f"valueOf({java})"] = lambda value: value
        convert = _TYPES[java]
        read: Callable[[str], Any] = Decimal if java in {"float", "double"} else int
        for method in ("valueOf", f"parse{'Int' if box == 'Integer' else box}"):
            found[f"java.lang.{box}", f"{method}({_STRING})"] = lambda text, convert=convert, read=read: convert(
                read(text)
            )
    return found


_METHODS = _methods()


def external_function(
    c: EvaluationContext, params: tuple[str, ...], types: tuple[Any, ...], mapping: Any
) -> Function | None:
    """The function that an external function's mapping names; None (null) when it is not in the list.

    Args:
        c: receives the reason for a null.
        params: names of the formal parameters.
        types: their types, None for any.
        mapping: ``{java: {class: …, method signature: …}}`` evaluated.
    """
    java = mapping.get("java") if isinstance(mapping, dict) else None
    named = java if isinstance(java, dict) else {}
    class_name, signature = named.get("class"), str(named.get("method signature")).replace(" ", "")
    body = _METHODS.get((str(class_name), signature))
    match = _SIGNATURE.fullmatch(signature)
    if body is None or match is None:
        c.note("feel.external", f"The external function {class_name} {signature} is not among those that are run.")
        return None
    converters = [_TYPES[name] for name in match["types"].split(",")]

    def call(*arguments: Any) -> Any:
        try:
            value = body(*(convert(argument) for convert, argument in zip(converters, arguments, strict=True)))
        except (_NoFitError, ValueError, ArithmeticError, StopIteration):
            c.note("feel.external", f"{class_name} {signature} has no value for these arguments.")
            return None
        if type(value) is float:
            return number(c, decimal_of(value))
        return value

    return Function(params, types, call)
