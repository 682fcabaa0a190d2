"""Relations between points and ranges (Allen's interval algebra as DMN names it), and range from text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noria.design.feel.comparison import contains, order
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.scanner import FeelSyntaxError, scan, text_value
from noria.design.feel.temporal import parse_temporal
from noria.design.feel.values import DECIMAL, Range, kind

_POINT = "number|string|date|time|datetime|days|months"


def _compare(c: EvaluationContext, left: Any, right: Any) -> int:
    found = order(c, left, right)
    if found is None:
        raise _Incomparable
    return found


class _Incomparable(Exception):  # noqa: N818 - never leaves this module
    """Two points have no order."""


def _relation(name: str, *signatures: tuple[str, Callable[[EvaluationContext, Any, Any], bool]]) -> None:
    for signature, body in signatures:
        builtin(name, signature)(_guarded(body))


def _guarded(body: Callable[[EvaluationContext, Any, Any], bool]) -> Callable[..., bool | None]:
    def run(c: EvaluationContext, left: Any, right: Any) -> bool | None:
        try:
            return body(c, left, right)
        except _Incomparable:
            return None

    return run


def _before_ranges(c: EvaluationContext, a: Range, b: Range) -> bool:
    found = _compare(c, a.end, b.start)
    return found < 0 or (found == 0 and not (a.end_included and b.start_included))


def _before_point(c: EvaluationContext, a: Range, b: Any) -> bool:
    found = _compare(c, a.end, b)
    return found < 0 or (found == 0 and not a.end_included)


def _point_before(c: EvaluationContext, a: Any, b: Range) -> bool:
    found = _compare(c, a, b.start)
    return found < 0 or (found == 0 and not b.start_included)


def _meets(c: EvaluationContext, a: Range, b: Range) -> bool:
    return a.end_included and b.start_included and _compare(c, a.end, b.start) == 0


def _starts_before(c: EvaluationContext, a: Range, b: Range) -> int:
    """Negative when a starts before b, counting an included bound as earlier."""
    return _compare(c, a.start, b.start) or int(b.start_included) - int(a.start_included)


def _ends_before(c: EvaluationContext, a: Range, b: Range) -> int:
    """Negative when a ends before b, counting an included bound as later."""
    return _compare(c, a.end, b.end) or int(a.end_included) - int(b.end_included)


def _overlaps(c: EvaluationContext, a: Range, b: Range) -> bool:
    return not _before_ranges(c, a, b) and not _before_ranges(c, b, a)


def _overlaps_before(c: EvaluationContext, a: Range, b: Range) -> bool:
    return _starts_before(c, a, b) < 0 and not _before_ranges(c, a, b) and _ends_before(c, a, b) <= 0


def _includes(c: EvaluationContext, a: Range, b: Range) -> bool:
    return _starts_before(c, a, b) <= 0 and _ends_before(c, a, b) >= 0


def _includes_point(c: EvaluationContext, a: Range, b: Any) -> bool:
    inside = contains(c, a, b)
    if inside is None:
        raise _Incomparable
    return inside


def _finishes(c: EvaluationContext, a: Range, b: Range) -> bool:
    return _ends_before(c, a, b) == 0 and _starts_before(c, a, b) >= 0


def _starts(c: EvaluationContext, a: Range, b: Range) -> bool:
    return _starts_before(c, a, b) == 0 and _ends_before(c, a, b) <= 0


def _swap(body: Callable[..., bool]) -> Callable[[EvaluationContext, Any, Any], bool]:
    return lambda c, left, right: body(c, right, left)


_PP = f"point1:{_POINT};point2:{_POINT}"
_PR = f"point:{_POINT};range:range"
_RP = f"range:range;point:{_POINT}"
_RR = "range1:range;range2:range"

_relation(
    "before",
    (_PP, lambda c, a, b: _compare(c, a, b) < 0),
    (_PR, _point_before),
    (_RP, _before_point),
    (_RR, _before_ranges),
)
_relation(
    "after",
    (_PP, lambda c, a, b: _compare(c, a, b) > 0),
    (_PR, _swap(_before_point)),
    (_RP, _swap(_point_before)),
    (_RR, _swap(_before_ranges)),
)
_relation("meets", (_RR, _meets))
_relation("met by", (_RR, _swap(_meets)))
_relation("overlaps", (_RR, _overlaps))
_relation("overlaps before", (_RR, _overlaps_before))
_relation("overlaps after", (_RR, _swap(_overlaps_before)))
_relation("includes", (_RP, _includes_point), (_RR, _includes))
_relation("during", (_PR, _swap(_includes_point)), (_RR, _swap(_includes)))
_relation("finishes", (_PR, lambda c, a, b: b.end_included and _compare(c, a, b.end) == 0), (_RR, _finishes))
_relation("finished by", (_RP, lambda c, a, b: a.end_included and _compare(c, a.end, b) == 0), (_RR, _swap(_finishes)))
_relation("starts", (_PR, lambda c, a, b: b.start_included and _compare(c, a, b.start) == 0), (_RR, _starts))
_relation("started by", (_RP, lambda c, a, b: a.start_included and _compare(c, a.start, b) == 0), (_RR, _swap(_starts)))
_relation(
    "coincides",
    (_PP, lambda c, a, b: _compare(c, a, b) == 0),
    (_RR, lambda c, a, b: _starts_before(c, a, b) == 0 and _ends_before(c, a, b) == 0),
)


@builtin("range", "from:string")
def _range(c: EvaluationContext, text: str) -> Range | None:
    made = _read_range(c, text)
    if made is None:
        c.note("feel.conversion", f"{text[:80]!r} is not a range of constants.")
    return made


def _read_range(c: EvaluationContext, text: str) -> Range | None:
    stripped = text.strip()
    if len(stripped) < 4 or stripped[0] not in "[](" or stripped[-1] not in "[])":
        return None
    start_included, end_included = stripped[0] == "[", stripped[-1] == "]"
    written = stripped[1:-1]
    try:
        _, texts, starts = scan(written)
    except FeelSyntaxError:
        return None
    # As tokens, because two points may stand inside a text too.
    between = [at for at, part in zip(starts, texts, strict=True) if part == ".."]
    if len(between) != 1:
        return None
    left, right = written[: between[0]], written[between[0] + 2 :]
    start, end = _endpoint(left), _endpoint(right)
    if (left.strip() and start is None) or (right.strip() and end is None) or (start is None and end is None):
        return None
    if (start is None and start_included) or (end is None and end_included):
        return None
    if start is not None and end is not None and (kind(start) != kind(end) or (order(c, start, end) or 0) > 0):
        return None
    return Range(start, end, start_included, end_included)


def _endpoint(text: str) -> Any:
    """A constant: number, text, @-literal, or a call of a conversion function on a text."""
    try:
        tokens = scan(text)
        strings = [
            text_value(text, written, start) for kind, written, start in zip(*tokens, strict=True) if kind == "string"
        ]
    except FeelSyntaxError:
        return None
    kinds, texts, _ = tokens
    shape = [kind if kind in {"number", "string"} else written for kind, written in zip(kinds, texts, strict=True)][:-1]
    if shape in (["number"], ["-", "number"]):
        value = DECIMAL.create_decimal(texts[-2])
        if not value.is_finite():
            return None
        return -value if len(shape) == 2 else value
    if shape == ["string"]:
        return strings[0]
    name = " ".join(shape[:-3])
    if shape == ["@", "string"] or (
        shape[-3:] == ["(", "string", ")"] and name in {"date", "time", "date and time", "duration"}
    ):
        return parse_temporal(strings[0])
    return None
