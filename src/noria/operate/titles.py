"""The line and the facts that name an instance in lists."""

from __future__ import annotations

import math

import msgspec

from noria.design.feel import EvaluationContext, to_json
from noria.engine.definition import Definition
from noria.kernel.errors import NoriaError

TITLE_CHARS_MAX = 200
SUMMARY_VALUE_CHARS_MAX = 200


def title_of(definition: Definition, variables: dict[str, object], business_key: str, now_ms: int) -> str:
    """The model's own title, or the process's name with the business key when it has none or it gives no text."""
    graph = definition.graph
    if graph.title is not None:
        try:
            value = to_json(graph.title.evaluate(variables, EvaluationContext(now_ms)))
        except NoriaError:
            # A title is for reading; a model whose title uses up its budget is still run.
            value = None
        if isinstance(value, str) and value.strip():
            return value.strip()[:TITLE_CHARS_MAX]
    return f"{graph.name} {business_key}".strip()[:TITLE_CHARS_MAX]


def summary_of(definition: Definition, variables: dict[str, object]) -> str:
    """JSON object of the variables that the model names for cards; long texts are cut, rows are counted."""
    summary: dict[str, object] = {}
    for name in definition.graph.summary:
        value = variables.get(name)
        if isinstance(value, str):
            summary[name] = value[:SUMMARY_VALUE_CHARS_MAX]
        elif isinstance(value, list):
            summary[name] = len(value)
        elif not isinstance(value, dict):
            summary[name] = value
    return msgspec.json.encode(summary).decode()


def amount_of(definition: Definition, variables: dict[str, object], now_ms: int) -> float | None:
    """What substitutes are limited by: what the model says, or else the variable ``amount``; None for no number."""
    amount = definition.graph.amount
    try:
        value = (
            variables.get("amount")
            if amount is None
            else to_json(amount.evaluate(variables, EvaluationContext(now_ms)))
        )
    except NoriaError:
        # As good as not known: what is limited then goes to the administrators.
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
