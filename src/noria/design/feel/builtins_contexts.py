"""Context functions; Camunda once called them ``put`` and ``put all``."""

from __future__ import annotations

from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.values import kind


@builtin("get value", "m:context;key:list")
def _get_value_at(c: EvaluationContext, context: dict[str, Any], keys: list[Any]) -> Any:
    value: Any = context
    for key in keys:
        if type(key) is not str:
            c.note("feel.arguments", f"The key of an entry is a text, not a {kind(key)}.")
            return None
        if type(value) is not dict:
            c.note("feel.no_entry", f"A {kind(value)} has no entry {key!r}.")
            return None
        value = _get_value(c, value, key)
    return value


@builtin("get value", "m:context;key:string")
def _get_value(c: EvaluationContext, context: dict[str, Any], key: str) -> Any:
    if key not in context:
        c.note("feel.no_entry", f"The context has no entry {key!r}.")
    return context.get(key)


@builtin("get entries", "m:context")
def _get_entries(c: EvaluationContext, context: dict[str, Any]) -> list[Any]:
    c.check_list(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context", "entries:list")
def _context(c: EvaluationContext, entries: list[Any]) -> dict[str, Any] | None:
    made: dict[str, Any] = {}
    for entry in entries:
        if type(entry) is not dict or type(entry.get("key")) is not str or "value" not in entry:
            c.note("feel.arguments", "Entries are contexts with a key (a text) and a value.")
            return None
        if entry["key"] in made:
            c.note("feel.duplicate_key", f"A context gives the key {entry['key']!r} twice.")
            return None
        made[entry["key"]] = entry["value"]
    c.check_list(len(made))
    return made


@builtin("put", "context:context;keys:list;value:any")
@builtin("context put", "context:context;keys:list;value:any")
def _context_put_at(c: EvaluationContext, context: dict[str, Any], keys: list[Any], value: Any) -> Any:
    if not keys or type(keys[0]) is not str:
        c.note("feel.arguments", "A list of one or more texts is needed.")
        return None
    if len(keys) > 1:
        inner = context.get(keys[0])
        if type(inner) is not dict:
            c.note("feel.no_entry", f"The entry {keys[0]!r} is no context.")
            return None
        value = _context_put_at(c, inner, keys[1:], value)
        if value is None:
            return None
    c.check_list(len(context) + 1)
    return {**context, keys[0]: value}


@builtin("put", "context:context;key:string;value:any")
@builtin("context put", "context:context;key:string;value:any")
def _context_put(c: EvaluationContext, context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    c.check_list(len(context) + 1)
    return {**context, key: value}


@builtin("put all", "contexts:list")
@builtin("context merge", "contexts:list")
def _context_merge(c: EvaluationContext, contexts: list[Any]) -> dict[str, Any] | None:
    merged: dict[str, Any] = {}
    for context in contexts:
        if type(context) is not dict:
            c.note("feel.arguments", "Only contexts can be merged.")
            return None
        merged.update(context)
    c.check_list(len(merged))
    return merged
