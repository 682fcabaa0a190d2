"""Built-in functions on lists."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key

from noria.design.feel import runtime
from noria.design.feel.context import EvaluationContext, FeelBudgetError
from noria.design.feel.values import NUMBERS, Function, is_number

C = EvaluationContext


def _as_list(value: object) -> list[object] | None:
    if value is None:
        return None
    return value if isinstance(value, list) else [value]


def _same(c: C, a: object, b: object) -> bool:
    return runtime.eq(c, a, b) is True


def list_contains(c: C, items: object, element: object) -> object:
    """Whether an equal element is in a list."""
    found = _as_list(items)
    return None if found is None else any(_same(c, item, element) for item in found)


def _extreme(compare: Callable[[C, object, object], bool | None]) -> Callable[..., object]:
    def extreme(c: C, items: object) -> object:
        found = _as_list(items)
        if not found:
            return None
        best = found[0]
        if not isinstance(best, str) and not is_number(best) and runtime.le(c, best, best) is None:
            return None
        for item in found[1:]:
            better = compare(c, item, best)
            if better is None:
                return None
            if better:
                best = item
        return best

    return extreme


def _numbers(items: object) -> list[Decimal] | None:
    found = _as_list(items)
    if found is None or not all(is_number(item) for item in found):
        return None
    return [Decimal(item) for item in found]  # type: ignore[arg-type]


def total(c: C, items: object) -> object:
    """Sum of numbers (or durations); null for an empty list."""
    found = _as_list(items)
    if not found:
        return None
    result = found[0]
    if not is_number(result) and isinstance(result, str | bool | list | dict):
        return None
    for item in found[1:]:
        result = runtime.add(c, result, item)
    return result


def mean(c: C, items: object) -> object:
    """Arithmetic mean."""
    found = _as_list(items)
    return runtime.div(c, total(c, found), len(found)) if found else None


def product(_: C, items: object) -> object:
    """Product of numbers."""
    found = _numbers(items)
    if not found:
        return None
    result = Decimal(1)
    for item in found:
        result = NUMBERS.multiply(result, item)
    return result


def median(_: C, items: object) -> object:
    """Middle value, or the mean of the two middle ones."""
    found = _numbers(items)
    if not found:
        return None
    found.sort()
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else NUMBERS.divide(found[middle - 1] + found[middle], Decimal(2))


def stddev(_: C, items: object) -> object:
    """Standard deviation of a sample."""
    found = _numbers(items)
    if not found or len(found) < 2:
        return None
    average = NUMBERS.divide(sum(found, Decimal(0)), Decimal(len(found)))
    squares = sum((NUMBERS.power(item - average, 2) for item in found), Decimal(0))
    return NUMBERS.sqrt(NUMBERS.divide(squares, Decimal(len(found) - 1)))


def mode(_: C, items: object) -> object:
    """Most frequent values, ascending."""
    found = _numbers(items)
    if found is None:
        return None
    counts = {item: found.count(item) for item in found}
    return sorted(item for item, count in counts.items() if count == max(counts.values()))


def _all(_: C, items: object) -> object:
    found = _as_list(items)
    if found is None or any(item is False for item in found):
        return None if found is None else False
    return True if all(item is True for item in found) else None


def _any(_: C, items: object) -> object:
    found = _as_list(items)
    if found is None or any(item is True for item in found):
        return None if found is None else True
    return False if all(item is False for item in found) else None


def _index(position: object, size: int) -> int | None:
    """0-based index of a 1-based position, negative from the end."""
    if not is_number(position):
        return None
    place = int(position)  # type: ignore[call-overload]
    if place == 0 or abs(place) > size:
        return None
    return place - 1 if place > 0 else size + place


def sublist(_: C, items: object, start: object, length: object = None) -> object:
    """Part of a list by 1-based position."""
    found = _as_list(items)
    if found is None or (length is not None and not is_number(length)):
        return None
    first = _index(start, len(found))
    if first is None:
        return None
    if length is None:
        return found[first:]
    count = int(length)  # type: ignore[call-overload]
    return found[first : first + count] if 1 <= count <= len(found) - first else None


def insert_before(_: C, items: object, position: object, new: object) -> object:
    """A list with an element put in."""
    found = _as_list(items)
    first = None if found is None else _index(position, len(found))
    return None if found is None or first is None else [*found[:first], new, *found[first:]]


def remove(_: C, items: object, position: object) -> object:
    """A list without the element at a position."""
    found = _as_list(items)
    first = None if found is None else _index(position, len(found))
    return None if found is None or first is None else [*found[:first], *found[first + 1 :]]


def list_replace(c: C, items: object, where: object, new: object) -> object:
    """A list with one position, or all that a function picks, replaced."""
    found = _as_list(items)
    if found is None:
        return None
    if isinstance(where, Function):
        return [new if runtime.call(c, where, (item, new), ()) is True else item for item in found]
    first = _index(where, len(found))
    return None if first is None else [*found[:first], new, *found[first + 1 :]]


def index_of(c: C, items: object, match: object) -> object:
    """1-based positions of the equal elements."""
    found = _as_list(items)
    return None if found is None else [place for place, item in enumerate(found, 1) if _same(c, item, match)]


def distinct(c: C, items: object) -> object:
    """The first of each group of equal elements."""
    found = _as_list(items)
    if found is None:
        return None
    c.step(len(found))
    kept: list[object] = []
    for item in found:
        if not any(_same(c, item, other) for other in kept):
            kept.append(item)
    return kept


def duplicates(c: C, items: object) -> object:
    """Each value that occurs more than once, once."""
    found = _as_list(items)
    if found is None:
        return None
    unique = distinct(c, found)
    return [item for item in unique if sum(_same(c, item, other) for other in found) > 1]  # type: ignore[union-attr, attr-defined]


def flatten(c: C, items: object) -> object:
    """All elements of nested lists in one list."""
    found = _as_list(items)
    if found is None:
        return None
    flat: list[object] = []
    stack = list(reversed(found))
    while stack:
        item = stack.pop()
        c.step()
        if isinstance(item, list):
            stack.extend(reversed(item))
        else:
            flat.append(item)
    return flat


def sort(c: C, items: object, precedes: object = None) -> object:
    """A list in the order of a function that says whether its first argument comes first, or ascending."""
    found = _as_list(items)
    if found is None or (precedes is not None and not isinstance(precedes, Function)):
        return None

    def order(a: object, b: object) -> int:
        first = runtime.call(c, precedes, (a, b), ()) if precedes is not None else runtime.lt(c, a, b)
        if first is True:
            return -1
        second = runtime.call(c, precedes, (b, a), ()) if precedes is not None else runtime.lt(c, b, a)
        return 1 if second is True else 0

    return sorted(found, key=cmp_to_key(order))


def concatenate(c: C, lists: object) -> object:
    """Lists one behind the other."""
    joined: list[object] = []
    for items in lists if isinstance(lists, list) else []:
        found = _as_list(items)
        if found is None:
            return None
        joined.extend(found)
        if len(joined) > c.items_max:
            raise FeelBudgetError("The expression builds too long a list.")
    return joined


def append(c: C, items: object) -> object:
    """A list with elements behind."""
    if not isinstance(items, list) or not items:
        return None
    first = _as_list(items[0])
    return concatenate(c, [first if first is not None else [None], list(items[1:])])


FUNCTIONS: dict[str, Callable[..., object]] = {
    "list contains(list, element)": list_contains,
    "count(list)": lambda _, items: None if items is None else len(items) if isinstance(items, list) else 1,
    "min(*list)": _extreme(runtime.lt),
    "max(*list)": _extreme(runtime.gt),
    "sum(*list)": total,
    "mean(*list)": mean,
    "product(*list)": product,
    "median(*list)": median,
    "stddev(*list)": stddev,
    "mode(*list)": mode,
    "all(*list)": _all,
    "any(*list)": _any,
    "sublist(list, start position, length?)": sublist,
    "append(*list)": append,
    "concatenate(*list)": concatenate,
    "union(*list)": lambda c, lists: distinct(c, concatenate(c, lists)),
    "insert before(list, position, newItem)": insert_before,
    "remove(list, position)": remove,
    "list replace(list, position, newItem)": list_replace,
    "reverse(list)": lambda _, items: items[::-1] if isinstance(items, list) else None,
    "index of(list, match)": index_of,
    "distinct values(list)": distinct,
    "duplicate values(list)": duplicates,
    "flatten(list)": flatten,
    "sort(list, precedes?)": sort,
}
