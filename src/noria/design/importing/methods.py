"""Methods of Java's texts, lists, numbers and maps and of Spin and Jackson that JUEL calls, said in FEEL."""

from __future__ import annotations

import re
from collections.abc import Callable

from noria.design.importing.juel import Literal, Tree
from noria.design.importing.said import ADD, CHOICE, COMPARE, OR, PATH, UNARY, Feel, NotTranslatable, empty, quoted

_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
"""What means something in a pattern."""
_EDGES = r"^\s+|\s+$"

Arguments = tuple[Tree, ...]
Say = Callable[[Tree], Feel]
"""Says an argument in FEEL."""
Rule = Callable[[Say, Feel, Arguments], Feel]
"""What a method of a base becomes."""


def contains(say: Say, base: Feel, arguments: Arguments) -> Feel:
    """`contains` of a list or a text: which it is shows when it is evaluated."""
    value = say(arguments[0]).text
    return Feel(f"list contains({base.text}, {value}) or contains({base.text}, {value})", OR, "boolean")


def _equals(say: Say, base: Feel, arguments: Arguments) -> Feel:
    return Feel(f"{base.within(COMPARE)} = {say(arguments[0]).within(COMPARE)}", COMPARE, "boolean")


def _concat(say: Say, base: Feel, arguments: Arguments) -> Feel:
    argument = say(arguments[0])
    text = argument.within(ADD) if argument.kind == "text" else f"string({argument.text})"
    return Feel(f"{base.within(ADD - 1)} + {text}", ADD, "text")


def _ignoring_case(say: Say, base: Feel, arguments: Arguments) -> Feel:
    other = say(arguments[0]).text
    return Feel(f"lower case({base.text}) = lower case({other})", COMPARE, "boolean")


def _substring(say: Say, base: Feel, arguments: Arguments) -> Feel:
    start = say(arguments[0])
    first = _plus(start, 1)
    if len(arguments) == 1:
        return Feel(f"substring({base.text}, {first})", PATH, "text")
    end = say(arguments[1])
    written = start.text.isdecimal()
    length = _plus(end, -int(start.text)) if written else f"{end.within(ADD - 1)} - {start.within(ADD)}"
    return Feel(f"substring({base.text}, {first}, {length})", PATH, "text")


def _plus(number: Feel, more: int) -> str:
    """A number and so much more, reckoned where it is written down."""
    if number.text.isdecimal():
        return str(int(number.text) + more)
    return f"{number.within(ADD - 1)} {'-' if more < 0 else '+'} {abs(more)}" if more else number.text


def _character(say: Say, base: Feel, arguments: Arguments) -> Feel:
    return Feel(f"substring({base.text}, {_plus(say(arguments[0]), 1)}, 1)", PATH, "text")


def _compared(say: Say, base: Feel, arguments: Arguments) -> Feel:
    left, right = base.within(COMPARE), say(arguments[0]).within(COMPARE)
    return Feel(f"if {left} > {right} then 1 else if {left} < {right} then -1 else 0", CHOICE, "number")


def _written(arguments: Arguments) -> list[str]:
    """Arguments that are texts, as patterns must be: those of Java and FEEL agree in what models write, not in all."""
    texts = [item.value for item in arguments if isinstance(item, Literal) and isinstance(item.value, str)]
    if len(texts) != len(arguments):
        raise NotTranslatable("a computed pattern")
    return texts


def _matches(_say: Say, base: Feel, arguments: Arguments) -> Feel:
    (pattern,) = _written(arguments)
    return Feel(f"matches({base.text}, {quoted(f'^(?:{pattern})$')})", PATH, "boolean")


def _replaced(_say: Say, base: Feel, arguments: Arguments) -> Feel:
    """Java's `replace`, of texts; FEEL's is of patterns."""
    old, new = _written(arguments)
    pattern, replacement = _SPECIAL.sub(r"\\\g<0>", old), re.sub(r"[\\$]", r"\\\g<0>", new)
    return Feel(f"replace({base.text}, {quoted(pattern)}, {quoted(replacement)})", PATH, "text")


def _split(_say: Say, base: Feel, arguments: Arguments) -> Feel:
    """Java leaves out empty texts at the end."""
    (pattern,) = _written(arguments)
    shortened = f"replace({base.text}, {quoted(f'(?:{pattern})+$')}, {quoted('')})"
    return Feel(f"split({shortened}, {quoted(pattern)})", PATH)


def _item(_say: Say, base: Feel, arguments: Arguments) -> Feel:
    key = arguments[0]
    if isinstance(key, Literal) and key.number.isdecimal():
        return Feel(f"{base.within(UNARY)}[{int(key.number) + 1}]", PATH)
    if isinstance(key, Literal) and isinstance(key.value, str):
        return Feel(f"get value({base.text}, {quoted(key.value)})", PATH)
    raise NotTranslatable("get with a computed key")


def _has_key(say: Say, base: Feel, arguments: Arguments) -> Feel:
    return Feel(f"{_item(say, base, arguments).text} != null", COMPARE, "boolean", certain=True)


def _function(pattern: str, kind: str) -> Rule:
    def rule(say: Say, base: Feel, arguments: Arguments) -> Feel:
        return Feel(pattern.format(base.text, *(say(item).text for item in arguments)), PATH, kind)

    return rule


def _same(_say: Say, base: Feel, _arguments: Arguments) -> Feel:
    return base


METHODS: dict[tuple[str, int], Rule] = {
    ("equals", 1): _equals,
    ("equalsIgnoreCase", 1): _ignoring_case,
    ("contains", 1): contains,
    ("startsWith", 1): _function("starts with({}, {})", "boolean"),
    ("endsWith", 1): _function("ends with({}, {})", "boolean"),
    ("concat", 1): _concat,
    ("length", 0): _function("string length({})", "number"),
    ("size", 0): _function("count({})", "number"),
    ("isEmpty", 0): lambda _say, base, _: empty(base),
    ("toLowerCase", 0): _function("lower case({})", "text"),
    ("toUpperCase", 0): _function("upper case({})", "text"),
    ("trim", 0): lambda _say, base, _: Feel(f"replace({base.text}, {quoted(_EDGES)}, {quoted('')})", PATH, "text"),
    ("matches", 1): _matches,
    ("replace", 2): _replaced,
    ("split", 1): _split,
    ("charAt", 1): _character,
    ("compareTo", 1): _compared,
    ("substring", 1): _substring,
    ("substring", 2): _substring,
    ("toString", 0): _function("string({})", "text"),
    ("get", 1): _item,
    ("prop", 1): _item,
    ("path", 1): _item,
    ("asText", 0): _function("string({})", "text"),
    ("containsKey", 1): _has_key,
    ("hasProp", 1): _has_key,
    ("has", 1): _has_key,
    **{
        (name, 0): _same
        for name in (
            "booleanValue",
            "boolValue",
            "doubleValue",
            "elements",
            "intValue",
            "longValue",
            "numberValue",
            "stringValue",
            "textValue",
            "asInt",
            "asLong",
            "asDouble",
            "asBoolean",
            "toDate",
            "toDateTime",
            "value",
        )
    },
}
"""Methods of Java's texts, lists, numbers and maps and of Spin, by name and number of arguments."""
