"""Conversion functions."""

from __future__ import annotations

import re
from typing import Any

from noria.design.feel.comparison import equal
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.runtime import invert
from noria.design.feel.temporal import Date, DateTime, Time
from noria.design.feel.values import DECIMAL, kind, number

_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _number(c: EvaluationContext, text: str) -> Any:
    if _NUMBER.fullmatch(text) is None or len(text) > 10_000:
        c.note("feel.conversion", f"{text[:80]!r} is not a number.")
        return None
    return number(c, DECIMAL.create_decimal(text))


builtin("number", "from:string")(_number)


@builtin("number", "from:string;grouping separator:string?;decimal separator:string?")
def _number_separated(c: EvaluationContext, text: str, grouping: str | None, decimal: str | None) -> Any:
    if grouping not in {None, " ", ",", "."} or decimal not in {None, ",", "."} or grouping == decimal is not None:
        c.note("feel.conversion", "Separators are a space, a comma or a point, and differ.")
        return None
    if grouping:
        text = text.replace(grouping, "")
    return _number(c, text.replace(decimal, ".") if decimal else text)


builtin("not", "negand:any")(invert)


@builtin("is", "value1:any;value2:any")
def _is(c: EvaluationContext, left: Any, right: Any) -> bool:
    if kind(left) != kind(right):
        return False
    if type(left) in {Date, Time, DateTime}:
        return bool(left == right)
    return equal(c, left, right) is True
