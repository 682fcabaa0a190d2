"""Camunda 8's dialect of FEEL: what it writes otherwise, and what of it does not exist here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from noria.design.feel import FeelSyntaxError, compile_expression
from noria.design.feel import nodes as n
from noria.design.feel.builtins import LIBRARY
from noria.design.feel.expression import parse_expression
from noria.design.importing.working import Found, Work

_SPACED = re.compile(r"\b(random number)\s*\(")
"""Functions that exist only there and whose names have spaces, so that a call of them is no FEEL here."""
_ESCAPED = re.compile(r"`([^\W\d]\w*)`")
_TEXTS = re.compile(r'("(?:[^"\\]|\\.)*")')
_ZONED = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+)(?:[+-]\d\d:\d\d|Z)\[([\w/+-]+)\]")
"""A date and time with offset and zone, as Java writes it."""
_WORLD = "camunda"
"""``camunda.vars`` and the like: what a cluster or tenant is configured with."""


def plain(text: str) -> str:
    """A constant as it is, an expression behind ``=`` in the words that are known here."""
    return feel(text) if text.startswith("=") else text


def feel(text: str) -> str:
    """FEEL without back quotes around names that need none, and with zones as DMN has them."""
    parts = _TEXTS.split(text)
    parts[::2] = [_ESCAPED.sub(r"\1", part) for part in parts[::2]]
    parts[1::2] = [_ZONED.sub(r"\1@\2", part) for part in parts[1::2]]
    return "".join(parts)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """FEEL with other names for some of its own; what is in quotes, a property or a key of a context stays."""
    if not names:
        return text
    name = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, names))})(?![\w(]|\s*:)")
    parts = _TEXTS.split(text)
    parts[::2] = [name.sub(lambda match: names[match[1]], part) for part in parts[::2]]
    return "".join(parts)


def without_zones(text: str) -> str:
    """A date or cycle with offsets alone: the zone beside one changes no instant."""
    return re.sub(r"(?<=[\dZ])\[[\w/+-]+\]", "", text)


def checked(work: Work, found: Found) -> bool:
    """Whether an expression behind ``=`` does the same here; a line says why not."""
    source = found.value[1:]
    spaced = _SPACED.search(source)
    if spaced is not None:
        work.say(found, "import.feel_function", name=spaced[1])
        return False
    try:
        names = compile_expression(source).names
        tree = parse_expression(source)
    except FeelSyntaxError as error:
        work.say(found, "import.expression", reason=error.message)
        return False
    unknown = unknown_function(tree, names)
    if unknown:
        work.say(found, "import.feel_function", name=unknown)
        return False
    return not of_cluster(work, found, names)


def of_cluster(work: Work, found: Found, names: Collection[str]) -> bool:
    """Whether an expression with these free names asks how a cluster is configured; a line says so."""
    if _WORLD not in names or f"{_WORLD}.vars" not in found.value:
        return False
    work.say(found, "import.expression", reason=f"{_WORLD}.vars is what a cluster is configured with")
    return True


def unknown_function(tree: n.Node, names: Collection[str]) -> str:
    """The first function that a tree calls and that nobody knows here; "" when there is none.

    Args:
        tree: an expression, or tests.
        names: its free names.
    """
    return next((name for call in _calls(tree) if (name := _unknown(call, names))), "")


def _calls(tree: object) -> Iterator[n.Call]:
    """Every call in a tree."""
    if isinstance(tree, n.Call):
        yield tree
    if isinstance(tree, msgspec.Struct):
        for name in tree.__struct_fields__:
            yield from _calls(getattr(tree, name))
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from _calls(item)


def _unknown(call: n.Call, names: Collection[str]) -> str:
    """The name of the function called when there is none such here, or none that takes as much; else ""."""
    if not isinstance(call.function, n.Name):
        return ""
    name = call.function.name
    if name not in LIBRARY:
        return name if name in names else ""
    if call.names is None and not any(overload.accepts(len(call.arguments)) for overload in LIBRARY[name].overloads):
        return name
    # Its second argument there may be a time zone.
    zoned = name == "date and time" and len(call.arguments) > 1
    last = call.arguments[-1] if zoned else None
    return name if isinstance(last, n.Literal) and isinstance(last.value, str) else ""


def cycle(source: str) -> str:
    """FEEL for what ``cycle(times, interval)`` gives there, a text such as R3/PT1H; "" for any other expression."""
    try:
        tree = parse_expression(source)
    except FeelSyntaxError:
        return ""
    if not (isinstance(tree, n.Call) and tree.function == n.Name("cycle") and tree.names is None):
        return ""
    inside = source.strip()[len("cycle") :].strip()[1:-1]
    if len(tree.arguments) == 1:
        return f'"R/" + string({inside})'
    made = '"R" + (if times = null then "" else string(times)) + "/" + string(interval)'
    return f"(function(times, interval) {made})({inside})"
