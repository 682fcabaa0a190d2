"""Built-in functions on strings, contexts and conversions. Keys are signatures: ``?`` optional, ``*`` variadic."""

from __future__ import annotations

import re
from collections.abc import Callable

from noria.design.feel.context import EvaluationContext, FeelBudgetError
from noria.design.feel.values import NUMBERS, format_value, is_number

C = EvaluationContext
PATTERN_CHARS_MAX = 1_000
SUBJECT_CHARS_MAX = 20_000
_NESTED_REPEAT = re.compile(r"\([^()]*[+*}][^()]*\)[+*{]")


def string(_: C, value: object) -> object:
    """Text of a value; null stays null."""
    return None if value is None else format_value(value)


def number(_: C, text: object, grouping: object = None, decimal: object = None) -> object:
    """Number of a text with the separators given."""
    if is_number(text):
        return text
    if not isinstance(text, str) or grouping not in (None, " ", ",", ".") or decimal not in (None, ".", ","):
        return None
    if grouping is not None and grouping == decimal:
        return None
    if grouping:
        text = text.replace(str(grouping), "")
    if decimal:
        text = text.replace(str(decimal), ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        return None
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else NUMBERS.create_decimal(text)


def negation(_: C, value: object) -> object:
    """not(): null for anything but a boolean."""
    return (not value) if isinstance(value, bool) else None


def substring(_: C, text: object, start: object, length: object = None) -> object:
    """Part of a text by 1-based position, negative from the end."""
    if not isinstance(text, str) or not is_number(start) or (length is not None and not is_number(length)):
        return None
    first, size = int(start), len(text)  # type: ignore[call-overload]
    if first == 0 or abs(first) > size or (length is not None and int(length) < 1):  # type: ignore[call-overload]
        return None
    index = first - 1 if first > 0 else size + first
    return text[index:] if length is None else text[index : index + int(length)]  # type: ignore[call-overload]


def _texts(function: Callable[..., object]) -> Callable[..., object]:
    """Null unless every argument is a text."""

    def checked(c: C, *arguments: object) -> object:
        if not all(isinstance(argument, str) for argument in arguments):
            return None
        return function(c, *arguments)

    return checked


def regex(pattern: str, flags: str) -> re.Pattern[str]:
    """An XPath regular expression as Python's, for the shared part of both languages.

    Raises:
        FeelBudgetError: it is too long, or nests repetitions, which may take for ever.
        ValueError: it is not one.
    """
    if len(pattern) > PATTERN_CHARS_MAX or _NESTED_REPEAT.search(pattern):
        raise FeelBudgetError("The pattern is too long or nests repetitions.")
    python_flags = 0
    for flag in flags:
        if flag == "q":
            pattern = re.escape(pattern)
        elif flag in "smix":
            python_flags |= getattr(re, flag.upper())
        else:
            raise ValueError(f"unknown flag {flag!r}")
    pattern = pattern.replace(r"\p{L}", r"[^\W\d_]").replace(r"\p{N}", r"\d").replace(r"\p{Nd}", r"\d")
    try:
        return re.compile(pattern, python_flags)
    except re.error as error:
        raise ValueError(str(error)) from None


def _subject(text: str) -> str:
    if len(text) > SUBJECT_CHARS_MAX:
        raise FeelBudgetError("The text is too long for a pattern.")
    return text


def matches(_: C, text: object, pattern: object, flags: object = None) -> object:
    """Whether a pattern occurs in a text."""
    if not isinstance(text, str) or not isinstance(pattern, str) or not isinstance(flags or "", str):
        return None
    return regex(pattern, str(flags or "")).search(_subject(text)) is not None


def replace(_: C, text: object, pattern: object, replacement: object, flags: object = None) -> object:
    """Every occurrence of a pattern replaced; $1 is the first group."""
    if not all(isinstance(value, str) for value in (text, pattern, replacement, flags or "")):
        return None
    inserted = re.sub(r"\\(?!\$)", r"\\\\", str(replacement))
    inserted = re.sub(r"(?<!\\)\$(\d)", r"\\g<\1>", inserted).replace(r"\$", "$")
    return regex(str(pattern), str(flags or "")).sub(inserted, _subject(str(text)))


def split(_: C, text: object, pattern: object) -> object:
    """Pieces of a text between the occurrences of a pattern."""
    if not isinstance(text, str) or not isinstance(pattern, str):
        return None
    found, last = [], 0
    for match in regex(pattern, "").finditer(_subject(text)):
        found.append(text[last : match.start()])
        last = match.end()
    return [*found, text[last:]]


def string_join(c: C, items: object, delimiter: object = None) -> object:
    """Texts of a list joined; nulls are left out."""
    if isinstance(items, str):
        items = [items]
    if not isinstance(items, list) or not isinstance(delimiter or "", str):
        return None
    if not all(item is None or isinstance(item, str) for item in items):
        return None
    joined = str(delimiter or "").join(item for item in items if item is not None)
    if len(joined) > c.chars_max:
        raise FeelBudgetError("The expression builds too long a text.")
    return joined


def get_value(_: C, base: object, key: object) -> object:
    """Entry of a context; a list of keys is a path."""
    path = key if isinstance(key, list) else [key]
    for step in path:
        if not isinstance(base, dict) or not isinstance(step, str):
            return None
        base = base.get(step)
    return base if path else None


def get_entries(_: C, base: object) -> object:
    """Entries as contexts with key and value."""
    return [{"key": key, "value": value} for key, value in base.items()] if isinstance(base, dict) else None


def context(_: C, entries: object) -> object:
    """A context of entries with key and value."""
    items = [entries] if isinstance(entries, dict) else entries
    if not isinstance(items, list):
        return None
    made: dict[str, object] = {}
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("key"), str) or "value" not in item:
            return None
        if item["key"] in made:
            return None
        made[item["key"]] = item["value"]
    return made


def context_put(_: C, base: object, key: object, value: object) -> object:
    """A context with one entry more or changed; a list of keys is a path."""
    path = key if isinstance(key, list) else [key]
    if not isinstance(base, dict) or not path or not all(isinstance(step, str) for step in path):
        return None
    if len(path) == 1:
        return {**base, path[0]: value}
    inner = context_put(_, base.get(path[0], {}), path[1:], value)
    return None if inner is None else {**base, path[0]: inner}


def context_merge(_: C, contexts: object) -> object:
    """Contexts joined, later ones first."""
    items = [contexts] if isinstance(contexts, dict) else contexts
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    merged: dict[str, object] = {}
    for item in items:
        merged |= item
    return merged


def _after(text: str, match: str) -> str:
    return text.partition(match)[2] if match in text else ""


def _before(text: str, match: str) -> str:
    return text.partition(match)[0] if match in text else ""


def is_same(_: C, a: object, b: object) -> object:
    """Same kind and same value, zone included."""
    if type(a) is not type(b) and not (is_number(a) and is_number(b)):
        return False
    return a == b and getattr(a, "tzinfo", None) == getattr(b, "tzinfo", None)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "string(from)": string,
    "number(from, grouping separator?, decimal separator?)": number,
    "not(negand)": negation,
    "substring(string, start position, length?)": substring,
    "string length(string)": _texts(lambda _, text: len(text)),
    "upper case(string)": _texts(lambda _, text: text.upper()),
    "lower case(string)": _texts(lambda _, text: text.lower()),
    "trim(string)": _texts(lambda _, text: text.strip()),
    "contains(string, match)": _texts(lambda _, text, match: match in text),
    "starts with(string, match)": _texts(lambda _, text, match: text.startswith(match)),
    "ends with(string, match)": _texts(lambda _, text, match: text.endswith(match)),
    "substring before(string, match)": _texts(lambda _, text, match: _before(text, match)),
    "substring after(string, match)": _texts(lambda _, text, match: _after(text, match)),
    "matches(input, pattern, flags?)": matches,
    "replace(input, pattern, replacement, flags?)": replace,
    "split(string, delimiter)": split,
    "string join(list, delimiter?)": string_join,
    "get value(m, key)": get_value,
    "get entries(m)": get_entries,
    "context(entries)": context,
    "context put(context, key, value)": context_put,
    "context merge(contexts)": context_merge,
    "is(value1, value2)": is_same,
    "is defined(value)": lambda _, value: value is not None,
    "get or else(value, default)": lambda _, value, default: default if value is None else value,
}
