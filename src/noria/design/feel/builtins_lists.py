"""List functions: positions count from 1, and from the end below 0."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Any

from noria.design.feel.arithmetic import add, divide, multiply
from noria.design.feel.calls import invoke
from noria.design.feel.comparison import equal, key_of, order
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.values import DECIMAL, KINDS, decimal_of, integer_of, kind, number


def _aggregate(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register for one list and for the items one by one."""

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        builtin(name, "list:any...")(lambda c, *items: body(c, list(items)))
        builtin(name, "list:list")(body)
        return body

    return register


def _all_numbers(c: EvaluationContext, items: list[Any]) -> bool:
    if items and all(kind(item) == "number" for item in items):
        return True
    c.note("feel.arguments", "A list of numbers with at least one item is needed.")
    return False


def _same(c: EvaluationContext, left: Any, right: Any) -> bool:
    return equal(c, left, right) is True


_UNORDERED = frozenset({"boolean", "list", "context", "null", "range", "function"})


def _extreme(c: EvaluationContext, items: list[Any], sign: int) -> Any:
    c.spend(len(items))
    if not items or kind(items[0]) in _UNORDERED:
        c.note("feel.arguments", "A list with at least one item, all of one kind that has an order, is needed.")
        return None
    best = items[0]
    for item in items[1:]:
        found = order(c, item, best)
        if found is None:
            return None
        if found * sign > 0:
            best = item
    return best


@_aggregate("min")
def _min(c: EvaluationContext, items: list[Any]) -> Any:
    return _extreme(c, items, -1)


@_aggregate("max")
def _max(c: EvaluationContext, items: list[Any]) -> Any:
    return _extreme(c, items, 1)


@builtin("count", "list:list")
def _count(_c: EvaluationContext, items: list[Any]) -> int:
    return len(items)


def _folded(c: EvaluationContext, items: list[Any], operation: Callable[..., Any], kinds: set[str]) -> Any:
    c.spend(len(items))
    found = {KINDS.get(one, "unknown") for one in set(map(type, items))}
    if len(found) != 1 or not found <= kinds:
        c.note("feel.arguments", "A list with at least one item, all of one summable kind, is needed.")
        return None
    total = items[0]
    for item in items[1:]:
        total = operation(c, total, item)
    return total


_SUMMABLE = {"number", "days and time duration", "years and months duration"}


@_aggregate("sum")
def _sum(c: EvaluationContext, items: list[Any]) -> Any:
    return _folded(c, items, add, _SUMMABLE)


@_aggregate("product")
def _product(c: EvaluationContext, items: list[Any]) -> Any:
    return _folded(c, items, multiply, {"number"})


@_aggregate("mean")
def _mean(c: EvaluationContext, items: list[Any]) -> Any:
    total = _folded(c, items, add, _SUMMABLE)
    return None if total is None else divide(c, total, len(items))


@_aggregate("median")
def _median(c: EvaluationContext, items: list[Any]) -> Any:
    c.spend(len(items))
    if not _all_numbers(c, items):
        return None
    ordered = sorted(decimal_of(item) for item in items)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return number(c, DECIMAL.divide(DECIMAL.add(ordered[middle - 1], ordered[middle]), Decimal(2)))


@_aggregate("stddev")
def _stddev(c: EvaluationContext, items: list[Any]) -> Any:
    c.spend(len(items))
    if not _all_numbers(c, items):
        return None
    if len(items) < 2:
        c.note("feel.arguments", "A standard deviation needs two numbers or more.")
        return None
    numbers = [decimal_of(item) for item in items]
    total = functools.reduce(DECIMAL.add, numbers)
    mean = DECIMAL.divide(total, Decimal(len(numbers)))
    squares = [DECIMAL.power(DECIMAL.subtract(item, mean), Decimal(2)) for item in numbers]
    variance = DECIMAL.divide(functools.reduce(DECIMAL.add, squares), Decimal(len(numbers) - 1))
    return number(c, DECIMAL.sqrt(variance))


@_aggregate("mode")
def _mode(c: EvaluationContext, items: list[Any]) -> Any:
    if not items:
        return []
    if not _all_numbers(c, items):
        return None
    counted = _counted(c, items)
    most = max(count for _, count in counted)
    return sorted((value for value, count in counted if count == most), key=decimal_of)


def _decided(c: EvaluationContext, items: list[Any], decided_by: bool) -> bool | None:
    c.spend(len(items))
    if any(item is decided_by for item in items):
        return decided_by
    if any(type(item) is not bool for item in items):
        c.note("feel.type_mismatch", "A list of truth values is needed.")
        return None
    return not decided_by


@_aggregate("all")
def _all(c: EvaluationContext, items: list[Any]) -> bool | None:
    return _decided(c, items, False)


@_aggregate("and")
def _and(c: EvaluationContext, items: list[Any]) -> bool | None:
    return _decided(c, items, False)


@_aggregate("any")
def _any(c: EvaluationContext, items: list[Any]) -> bool | None:
    return _decided(c, items, True)


@_aggregate("or")
def _or(c: EvaluationContext, items: list[Any]) -> bool | None:
    return _decided(c, items, True)


@builtin("list contains", "list:list;element:any")
def _list_contains(c: EvaluationContext, items: list[Any], element: Any) -> bool:
    c.spend(len(items))
    return any(_same(c, item, element) for item in items)


@builtin("sublist", "list:list;start position:number;length?:number")
def _sublist(c: EvaluationContext, items: list[Any], start: Any, length: Any = None) -> list[Any] | None:
    position = integer_of(start)
    count = len(items) if length is None else integer_of(length)
    if position is None or count is None or not 1 <= abs(position) <= len(items) or count < 0:
        c.note("feel.index", "The sublist lies outside of the list.")
        return None
    begin = position - 1 if position > 0 else len(items) + position
    if length is not None and begin + count > len(items):
        c.note("feel.index", "The sublist lies outside of the list.")
        return None
    return items[begin : begin + count]


@builtin("append", "list:list;item:any...")
def _append(c: EvaluationContext, items: list[Any], *more: Any) -> list[Any]:
    c.check_list(len(items) + len(more))
    return [*items, *more]


@builtin("concatenate", "list:list...")
def _concatenate(c: EvaluationContext, *lists: list[Any]) -> list[Any]:
    c.check_list(sum(map(len, lists)))
    return [item for items in lists for item in items]


def _index_in(items: list[Any], position: Any) -> int | None:
    index = integer_of(decimal_of(position).to_integral_value(ROUND_DOWN))
    if index is None or index == 0 or abs(index) > len(items):
        return None
    return index - 1 if index > 0 else len(items) + index


@builtin("insert before", "list:list;position:number;newItem:any")
def _insert_before(c: EvaluationContext, items: list[Any], position: Any, new: Any) -> list[Any] | None:
    index = _index_in(items, position)
    if index is None:
        c.note("feel.index", "There is no such position in the list.")
        return None
    c.check_list(len(items) + 1)
    return [*items[:index], new, *items[index:]]


@builtin("remove", "list:list;position:number")
def _remove(c: EvaluationContext, items: list[Any], position: Any) -> list[Any] | None:
    index = _index_in(items, position)
    if index is None:
        c.note("feel.index", "There is no such position in the list.")
        return None
    c.check_list(len(items))
    return [*items[:index], *items[index + 1 :]]


@builtin("list replace", "list:list;match:function;newItem:any")
def _list_replace_matching(c: EvaluationContext, items: list[Any], match: Any, new: Any) -> list[Any] | None:
    c.check_list(len(items))
    replaced: list[Any] = []
    for item in items:
        found = invoke(c, match, (item, new))
        if type(found) is not bool:
            c.note("feel.type_mismatch", f"The function must give a truth value, not a {kind(found)}.")
            return None
        replaced.append(new if found else item)
    return replaced


@builtin("list replace", "list:list;position:number;newItem:any")
def _list_replace(c: EvaluationContext, items: list[Any], position: Any, new: Any) -> list[Any] | None:
    index = _index_in(items, position)
    if index is None:
        c.note("feel.index", "There is no such position in the list.")
        return None
    c.check_list(len(items))
    return [*items[:index], new, *items[index + 1 :]]


@builtin("reverse", "list:list")
def _reverse(c: EvaluationContext, items: list[Any]) -> list[Any]:
    c.check_list(len(items))
    return items[::-1]


@builtin("index of", "list:list;match:any")
def _index_of(c: EvaluationContext, items: list[Any], match: Any) -> list[int]:
    c.check_list(len(items))
    return [position for position, item in enumerate(items, 1) if _same(c, item, match)]


def _counted(c: EvaluationContext, items: list[Any]) -> list[tuple[Any, int]]:
    """The values in the order in which they come first, and how often each is there."""
    kept: list[Any] = []
    counts: list[int] = []
    places: dict[Any, int] = {}
    unkeyed: list[int] = []
    for item in items:
        key = key_of(item)
        if key is None:
            c.spend(1 + len(unkeyed) // 8)
            place = next((at for at in unkeyed if _same(c, item, kept[at])), len(kept))
        else:
            c.spend()
            place = places.setdefault(key, len(kept))
        if place < len(kept):
            counts[place] += 1
            continue
        if key is None:
            unkeyed.append(place)
        kept.append(item)
        counts.append(1)
    return list(zip(kept, counts, strict=True))


@builtin("union", "list:list...")
def _union(c: EvaluationContext, *lists: list[Any]) -> list[Any]:
    return [value for value, _ in _counted(c, _concatenate(c, *lists))]


@builtin("distinct values", "list:list")
def _distinct_values(c: EvaluationContext, items: list[Any]) -> list[Any]:
    return [value for value, _ in _counted(c, items)]


@builtin("duplicate values", "list:list")
def _duplicate_values(c: EvaluationContext, items: list[Any]) -> list[Any]:
    return [value for value, count in _counted(c, items) if count > 1]


@builtin("flatten", "list:list")
def _flatten(c: EvaluationContext, items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        c.spend(1)
        if type(item) is list:
            flat.extend(_flatten(c, item))
        else:
            flat.append(item)
    return flat


@builtin("sort", "list:list;precedes?:function")
def _sort(c: EvaluationContext, items: list[Any], precedes: Any = None) -> list[Any] | None:
    c.check_list(len(items))
    failed: list[bool] = []

    def compare(left: Any, right: Any) -> int:
        c.spend(1)
        if precedes is None:
            found = order(c, left, right)
            failed.extend([True] * (found is None))
            return found or 0
        before = invoke(c, precedes, (left, right))
        if type(before) is not bool and not failed:
            c.note("feel.type_mismatch", f"The function must give a truth value, not a {kind(before)}.")
        failed.extend([True] * (type(before) is not bool))
        if before is True:
            return -1
        return 1 if invoke(c, precedes, (right, left)) is True else 0

    ordered = sorted(items, key=functools.cmp_to_key(compare))
    return None if failed else ordered
