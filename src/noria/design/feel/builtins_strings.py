"""String functions: lengths and positions count code points, from 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.regex import PatternError, pattern_of, replacement_of
from noria.design.feel.values import count_values, decimal_of, number_text, text_of


@builtin("substring", "string:string;start position:number;length?:number")
def _substring(c: EvaluationContext, string: str, start: Any, length: Any = None) -> str | None:
    furthest = Decimal(len(string) + 1)
    position = int(max(min(decimal_of(start), furthest), -furthest))
    count = len(string) if length is None else int(max(min(decimal_of(length), furthest), Decimal(0)))
    if position == 0 or abs(position) > max(len(string), 1) or (length is not None and count < 1):
        asked = number_text(start) + ("" if length is None else f" with length {number_text(length)}")
        c.note("feel.index", f"There is no position {asked} in a text of {len(string)}.")
        return None
    begin = position - 1 if position > 0 else len(string) + position
    return string[begin : begin + count]


@builtin("string length", "string:string")
def _string_length(_c: EvaluationContext, string: str) -> int:
    return len(string)


@builtin("upper case", "string:string")
def _upper_case(_c: EvaluationContext, string: str) -> str:
    return string.upper()


@builtin("lower case", "string:string")
def _lower_case(_c: EvaluationContext, string: str) -> str:
    return string.lower()


@builtin("substring before", "string:string;match:string")
def _substring_before(_c: EvaluationContext, string: str, match: str) -> str:
    return string[: max(string.find(match), 0)]


@builtin("substring after", "string:string;match:string")
def _substring_after(_c: EvaluationContext, string: str, match: str) -> str:
    at = string.find(match)
    return "" if at < 0 else string[at + len(match) :]


@builtin("contains", "string:string;match:string")
def _contains(_c: EvaluationContext, string: str, match: str) -> bool:
    return match in string


@builtin("starts with", "string:string;match:string")
def _starts_with(_c: EvaluationContext, string: str, match: str) -> bool:
    return string.startswith(match)


@builtin("ends with", "string:string;match:string")
def _ends_with(_c: EvaluationContext, string: str, match: str) -> bool:
    return string.endswith(match)


@builtin("matches", "input:string;pattern:string;flags?:string?")
def _matches(c: EvaluationContext, subject: str, pattern: str, flags: str | None = None) -> bool | None:
    try:
        return pattern_of(pattern, flags or "", subject).search(subject) is not None
    except PatternError as error:
        c.note("feel.pattern", str(error))
        return None


@builtin("replace", "input:string;pattern:string;replacement:string;flags?:string?")
def _replace(
    c: EvaluationContext, subject: str, pattern: str, replacement: str, flags: str | None = None
) -> str | None:
    try:
        compiled = pattern_of(pattern, flags or "", subject)
        if compiled.search("") is not None:
            c.note("feel.pattern", "A pattern that matches the empty text replaces nothing.")
            return None
        replaced = compiled.sub(replacement_of(replacement, compiled, flags or ""), subject)
    except PatternError as error:
        c.note("feel.pattern", str(error))
        return None
    c.check_text(len(replaced))
    return replaced


@builtin("split", "string:string;delimiter:string")
def _split(c: EvaluationContext, string: str, delimiter: str) -> list[str] | None:
    try:
        compiled = pattern_of(delimiter, "", string)
    except PatternError as error:
        c.note("feel.pattern", str(error))
        return None
    pieces: list[str] = []
    at = 0
    for match in compiled.finditer(string):
        if match.end() > match.start():
            pieces.append(string[at : match.start()])
            at = match.end()
    pieces.append(string[at:])
    c.check_list(len(pieces))
    return pieces


@builtin("string join", "list:list;delimiter?:string?")
def _string_join(c: EvaluationContext, items: list[Any], delimiter: str | None = None) -> str | None:
    if any(item is not None and type(item) is not str for item in items):
        c.note("feel.arguments", "Only texts can be joined.")
        return None
    texts = [item for item in items if item is not None]
    c.check_text(sum(map(len, texts)) + len(texts) * len(delimiter or ""))
    return (delimiter or "").join(texts)


@builtin("string", "from:any")
def _string(c: EvaluationContext, value: Any) -> str | None:
    if value is None:
        return None
    count_values(value)
    text = text_of(value, nested=False)
    c.check_text(len(text))
    return text
