"""Substitutes (代理): who acts for whom, for how long, in which processes and up to which amount."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

CHAIN_MAX = 3
"""Substitutions in a row by which somebody may act for somebody else."""


class Substitution(msgspec.Struct, frozen=True):
    """Somebody who may do the tasks of somebody else while that one is away.

    Whoever stands in for a substitute does not stand in for the principal, unless that one has said so.

    Attributes:
        id: its key.
        principal: person id of who is away; stays the owner of what is done.
        substitute: person id of who acts.
        since_ms: from when on.
        until_ms: not any more from this instant on.
        processes: keys of the processes that it is about, empty for all.
        amount_max: requests of a higher amount, or of none that is known, go to the administrators; None for no limit.
        created_ms: when it was entered.
        created_by: who entered it.
        ended_ms: when it was taken back, 0 while it has not been.
        ended_by: who took it back, "" for nobody.
        kept: ids of the tasks that stay with the substitute although it was taken back, until they are done.
        passes_on: whether the substitute's own substitutes may act for the principal, too.
    """

    id: str
    principal: str
    substitute: str
    since_ms: int
    until_ms: int
    processes: tuple[str, ...] = ()
    amount_max: float | None = None
    created_ms: int = 0
    created_by: str = ""
    ended_ms: int = 0
    ended_by: str = ""
    kept: tuple[str, ...] = ()
    passes_on: bool = False

    def holds(self, at_ms: int) -> bool:
        """Whether it is in force at an instant."""
        return self.since_ms <= at_ms < self.until_ms and not 0 < self.ended_ms <= at_ms

    def about(self, process: str) -> bool:
        """Whether it is about a process."""
        return not self.processes or process in self.processes

    def within(self, amount: float | None) -> bool:
        """Whether an amount, None for one that is not known, is within the limit."""
        return self.amount_max is None or (amount is not None and amount <= self.amount_max)


class Way(msgspec.Struct, frozen=True):
    """How somebody may act for somebody else: by one substitution, or by several in a row.

    Attributes:
        links: the principal's own first, that of who acts last; all of them must hold.
    """

    links: tuple[Substitution, ...]

    @property
    def principal(self) -> str:
        """Person id of for whom."""
        return self.links[0].principal

    @property
    def substitute(self) -> str:
        """Person id of who acts."""
        return self.links[-1].substitute

    @property
    def via(self) -> tuple[str, ...]:
        """Person ids of who is between the two, from the principal's side."""
        return tuple(link.substitute for link in self.links[:-1])

    def about(self, process: str) -> bool:
        """Whether it is about a process."""
        return all(link.about(process) for link in self.links)

    def within(self, amount: float | None) -> bool:
        """Whether an amount, None for one that is not known, is within every limit."""
        return all(link.within(amount) for link in self.links)


def ways(substitutions: Iterable[Substitution], at_ms: int) -> list[Way]:
    """Every way in which somebody may act for somebody else at an instant, the shortest first.

    What was taken back but for some tasks is a way by itself, and no part of a longer one. Nobody is twice on a way.
    """
    known = tuple(substitutions)
    lasting = [item for item in known if item.holds(at_ms)]
    found = [Way((item,)) for item in known]
    longest = [Way((item,)) for item in lasting]
    passed_on: dict[str, list[Substitution]] = {}
    for item in lasting:
        if item.passes_on:
            passed_on.setdefault(item.substitute, []).append(item)
    for _ in range(CHAIN_MAX - 1):
        longest = [
            Way((item, *way.links))
            for way in longest
            for item in passed_on.get(way.principal, ())
            if item.principal not in (way.substitute, *way.via)
        ]
        found += longest
    return found
