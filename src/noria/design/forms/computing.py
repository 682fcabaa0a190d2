"""Computed fields, before anything is checked: what a page says of them counts for nothing.

Fields may depend on each other in any order: a sum on a column of a list whose rows compute it, a condition on the sum.
All are evaluated again and again until nothing changes. A field that is hidden counts with the value from before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.expression import Expression
from noria.design.feel.values import to_json
from noria.design.forms.model import Field

ABSENT = object()


def get(values: Mapping[str, Any], key: tuple[str, ...]) -> Any:
    """The value at a path, `ABSENT` when there is none."""
    found: Any = values
    for part in key:
        if not isinstance(found, Mapping) or part not in found:
            return ABSENT
        found = found[part]
    return found


def put(target: dict[str, Any], key: tuple[str, ...], value: object) -> None:
    """Set the value at a path."""
    for part in key[:-1]:
        inner = target.get(part)
        # A copy: the scope may still hold the submitted object itself.
        target[part] = dict(inner) if isinstance(inner, dict) else {}
        target = target[part]
    target[key[-1]] = value


class _Leaf:
    """A field that holds a value, where it is, and what hides it: conditions of its own and of the groups around it."""

    __slots__ = ("field", "hides", "key")

    def __init__(self, field: Field, key: tuple[str, ...], hides: tuple[Expression, ...]) -> None:
        self.field = field
        self.key = key
        self.hides = hides


def _leaves(fields: tuple[Field, ...], prefix: tuple[str, ...] = (), hides: tuple[Expression, ...] = ()) -> list[_Leaf]:
    found = []
    for field in fields:
        key = (*prefix, *field.parts)
        conditions = (*hides, field.hide) if field.hide is not None else hides
        if field.type == "group":
            found += _leaves(field.fields, key, conditions)
        else:
            found.append(_Leaf(field, key, conditions))
    return found


def _settles(fields: tuple[Field, ...]) -> bool:
    return any(field.expression is not None or field.hide is not None or _settles(field.fields) for field in fields)


def row_scope(scope: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What an expression in a row of a list sees."""
    return {**scope, **row, "this": row, "parent": scope}


def settled(
    fields: tuple[Field, ...], scope: Mapping[str, Any], before: Mapping[str, Any], context: EvaluationContext
) -> dict[str, Any]:
    """What expressions see, with all computed fields computed.

    Args:
        fields: of the form, or of a row.
        scope: values as submitted, over those from before.
        before: values before the submission.
        context: for the expressions.
    """
    seen = dict(scope)
    if not _settles(fields):
        return seen
    leaves = _leaves(fields)
    submitted = {leaf.key: get(scope, leaf.key) for leaf in leaves}
    for leaf in leaves:
        if leaf.field.expression is not None:
            put(seen, leaf.key, None)
    # Every round settles at least one more field, unless they depend on each other in a ring.
    for _ in range(len(leaves) + 1):
        changed = False
        for leaf in leaves:
            value = _value(leaf, submitted[leaf.key], seen, before, context)
            if value is not ABSENT and value != get(seen, leaf.key):
                put(seen, leaf.key, value)
                changed = True
        if not changed:
            break
    return seen


def _value(
    leaf: _Leaf, submitted: Any, seen: Mapping[str, Any], before: Mapping[str, Any], context: EvaluationContext
) -> Any:
    field = leaf.field
    if any(hide.test(seen, context) for hide in leaf.hides):
        kept = get(before, leaf.key)
        return None if kept is ABSENT else kept
    if field.expression is not None:
        return to_json(field.expression.evaluate(seen, context))
    if field.type != "dynamiclist" or not isinstance(submitted, list) or len(submitted) > field.rows_max:
        return submitted
    kept = get(before, leaf.key)
    old = kept if isinstance(kept, list) else []
    return [
        _row(field, row, old[index] if index < len(old) and isinstance(old[index], dict) else {}, seen, context)
        if isinstance(row, dict)
        else row
        for index, row in enumerate(submitted)
    ]


def _row(
    field: Field,
    row: Mapping[str, Any],
    old: Mapping[str, Any],
    seen: Mapping[str, Any],
    context: EvaluationContext,
) -> dict[str, Any]:
    """A row with its own computed fields computed."""
    inner = settled(field.fields, row_scope(seen, row), old, context)
    computed = dict(row)
    for leaf in _leaves(field.fields):
        value = get(inner, leaf.key)
        if value is not ABSENT and (leaf.field.expression is not None or get(row, leaf.key) is not ABSENT):
            put(computed, leaf.key, value)
    return computed
