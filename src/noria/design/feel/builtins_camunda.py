"""Functions that Camunda adds to FEEL, so that its models run as they are; DMN 1.5 has none of them.

What gives something else at each call (``uuid``, ``random number``) is not among them: an expression is a function of
its inputs here.
"""

from __future__ import annotations

import base64
from itertools import islice
from typing import Any

import msgspec

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.regex import PatternError, pattern_of
from noria.design.feel.temporal import Date, DateTime, days_in_month
from noria.design.feel.values import decimal_of, from_json, integer_of, number_text, to_json

_DEPTH_MAX = 100
"""As for what comes from outside: what is deeper would exhaust the interpreter's stack further in."""
_SPACES = "".join(map(chr, range(0x21)))


@builtin("is defined", "value:any")
def _is_defined(_c: EvaluationContext, value: Any) -> bool:
    return value is not None


@builtin("get or else", "value:any;default:any")
def _get_or_else(_c: EvaluationContext, value: Any, default: Any) -> Any:
    return default if value is None else value


@builtin("trim", "string:string")
def _trim(_c: EvaluationContext, string: str) -> str:
    return string.strip(_SPACES)


@builtin("is blank", "string:string")
def _is_blank(_c: EvaluationContext, string: str) -> bool:
    return not string.strip()


@builtin("extract", "string:string;pattern:string")
def _extract(c: EvaluationContext, string: str, pattern: str) -> list[str] | None:
    try:
        found = pattern_of(pattern, "", string).finditer(string)
        pieces = [match[0] for match in islice(found, c.list_max + 1)]
    except PatternError as error:
        c.note("feel.pattern", str(error))
        return None
    c.check_list(len(pieces))
    return pieces


@builtin("to base64", "value:string")
def _to_base64(c: EvaluationContext, value: str) -> str:
    encoded = base64.b64encode(value.encode()).decode()
    c.check_text(len(encoded))
    return encoded


@builtin("to json", "value:any")
def _to_json(c: EvaluationContext, value: Any) -> str:
    encoded = msgspec.json.encode(to_json(value)).decode()
    c.check_text(len(encoded))
    return encoded


@builtin("is empty", "list:list")
def _is_empty(_c: EvaluationContext, items: list[Any]) -> bool:
    return not items


@builtin("partition", "list:list;size:number")
def _partition(c: EvaluationContext, items: list[Any], size: Any) -> list[list[Any]] | None:
    count = integer_of(decimal_of(size))
    if count is None or count < 1:
        c.note("feel.arguments", f"A list has no parts of {number_text(size)} items.")
        return None
    c.check_list(len(items))
    return [items[at : at + count] for at in range(0, len(items), count)]


@builtin("last day of month", "date:date|datetime")
def _last_day_of_month(_c: EvaluationContext, value: Any) -> Date:
    date = value.date if isinstance(value, DateTime) else value
    return Date(date.year, date.month, days_in_month(date.year, date.month))


@builtin("from json", "value:string")
def _from_json(c: EvaluationContext, value: str) -> Any:
    try:
        decoded = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        c.note("feel.arguments", f"That is not JSON: {error}")
        return None
    if _depth(c, decoded) > _DEPTH_MAX:
        c.note("feel.arguments", f"Lists and contexts stand more than {_DEPTH_MAX} deep in each other.")
        return None
    return from_json(decoded)


def _depth(c: EvaluationContext, value: Any) -> int:
    """How deep lists and contexts stand in each other, counted to one more than the limit."""
    depth, level = 0, [value]
    while depth <= _DEPTH_MAX:
        level = [part for part in level if isinstance(part, dict | list)]
        if not level:
            break
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
        c.check_list(len(level))
    return depth


@builtin("fromAi", "value:any;description?:any;type?:any;schema?:any;options?:any")
def _from_ai(_c: EvaluationContext, value: Any, *_told: Any) -> Any:
    # Only marks the value, for whoever reads the model.
    return value
