"""Filters, loops and quantifiers. Every item costs a step of the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.temporal import Date, civil_from_days
from noria.design.feel.values import Range, integer_of, kind

_Domains = tuple[Callable[..., Any], ...]


def filter_list(c: EvaluationContext, source: Any, condition: Callable[[Any], Any]) -> Any:
    """``source[condition]``: by position from 1 (from the end below 0) or by truth; a single value is a list of one."""
    if source is None:
        c.note("feel.filter", "A null has nothing to filter.")
        return None
    items = source if type(source) is list else [source]
    first = condition(items[0] if items else None)
    if kind(first) == "number":
        return _item_at(c, items, first)
    if type(first) is not bool and first is not None and items:
        c.note("feel.filter", f"A filter must be a number or a truth value, not a {kind(first)}.")
        return None
    if not items:
        return []
    c.check_list(len(items))
    kept = [items[0]] if first is True else []
    for item in items[1:]:
        result = condition(item)
        if result is True:
            kept.append(item)
        elif result is not None and result is not False:
            c.note("feel.filter", f"A filter must be a number or a truth value, not a {kind(result)}.")
            return None
    return kept


def _item_at(c: EvaluationContext, items: list[Any], position: Any) -> Any:
    index = integer_of(position)
    if index is not None and index != 0 and -len(items) <= index <= len(items):
        return items[index - 1 if index > 0 else index]
    c.note("feel.index", f"There is no item {position} in a list of {len(items)}.")
    return None


def span(c: EvaluationContext, start: Any, end: Any) -> Sequence[Any] | None:
    """``start..end`` of a loop, upwards or downwards, of whole numbers or dates; null for anything else."""
    if type(start) is Date and type(end) is Date:
        days = _Days(start.days, end.days)
        c.check_list(len(days))
        return list(days)
    if kind(start) == "number" and kind(end) == "number":
        first, last = integer_of(start), integer_of(end)
        if first is not None and last is not None:
            return range(first, last + 1) if first <= last else range(first, last - 1, -1)
    c.note("feel.loop", f"A loop cannot run from a {kind(start)} to a {kind(end)}.")
    return None


class _Days:
    """Dates between two day numbers, both included, upwards or downwards."""

    def __init__(self, first: int, last: int) -> None:
        self._days = range(first, last + 1) if first <= last else range(first, last - 1, -1)

    def __len__(self) -> int:
        return len(self._days)

    def __iter__(self) -> Iterator[Date]:
        return (Date(*civil_from_days(day)) for day in self._days)


def range_items(c: EvaluationContext, domain: Range) -> Sequence[Any] | None:
    """The members of a range of whole numbers or dates; null when it cannot be listed."""
    items = span(c, domain.start, domain.end)
    if items is None:
        return None
    if not domain.start_included:
        items = items[1:]
    if not domain.end_included:
        items = items[:-1]
    return items


def _domain(c: EvaluationContext, domain: Any) -> Sequence[Any] | None:
    if type(domain) in {list, range}:
        return domain  # type: ignore[no-any-return]
    if type(domain) is Range:
        return range_items(c, domain)
    if domain is None:
        c.note("feel.loop", "A loop over null has no items.")
        return None
    return [domain]


def _rows(
    c: EvaluationContext, domain: Any, further: _Domains, chosen: tuple[Any, ...], unlisted: list[bool]
) -> Iterator[tuple[Any, ...]]:
    """Every combination of the domains, leftmost slowest; sets `unlisted` when a domain is no list."""
    items = _domain(c, domain)
    if items is None:
        unlisted.append(True)
        return
    if not further:
        spend = c.spend
        for item in items:
            spend()
            yield (*chosen, item)
        return
    for item in items:
        row = (*chosen, item)
        yield from _rows(c, further[0](*row), further[1:], row, unlisted)
        if unlisted:
            return


def loop(
    c: EvaluationContext, domain: Any, further: _Domains, body: Callable[..., Any], partial_used: bool
) -> list[Any] | None:
    """``for ... return``: null when a domain is no list."""
    results: list[Any] = []
    unlisted: list[bool] = []
    for row in _rows(c, domain, further, (), unlisted):
        if len(results) >= c.list_max:
            c.check_list(len(results) + 1)
        if partial_used:
            # A copy: a body that returns `partial` must not hold the list it is put into.
            c.spend(len(results))
            results.append(body(list(results), *row))
        else:
            results.append(body(None, *row))
    return None if unlisted else results


def some(c: EvaluationContext, domain: Any, further: _Domains, condition: Callable[..., Any]) -> bool | None:
    """``some ... satisfies``: true when one is, null when none is but one cannot be said."""
    return _quantified(c, domain, further, condition, decided_by=True)


def every(c: EvaluationContext, domain: Any, further: _Domains, condition: Callable[..., Any]) -> bool | None:
    """``every ... satisfies``: false when one is false, null when none is but one cannot be said."""
    return _quantified(c, domain, further, condition, decided_by=False)


def _quantified(
    c: EvaluationContext, domain: Any, further: _Domains, condition: Callable[..., Any], *, decided_by: bool
) -> bool | None:
    unknown = False
    unlisted: list[bool] = []
    for row in _rows(c, domain, further, (), unlisted):
        result = condition(*row)
        if result is not None and type(result) is not bool:
            c.note("feel.type_mismatch", f"A condition must be a truth value, not a {kind(result)}.")
            return None
        if result is decided_by:
            return decided_by
        unknown = unknown or result is None
    return None if unknown or unlisted else not decided_by
