"""Substitutes (代理): who acts for whom, for how long, in which processes and up to which amount."""

from __future__ import annotations

import msgspec


class Substitution(msgspec.Struct, frozen=True):
    """Somebody who may do the tasks of somebody else while that one is away.

    Whoever stands in for a substitute does not stand in for the principal: there are no chains.

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

    def holds(self, at_ms: int) -> bool:
        """Whether it is in force at an instant."""
        return self.since_ms <= at_ms < self.until_ms and not 0 < self.ended_ms <= at_ms

    def about(self, process: str) -> bool:
        """Whether it is about a process."""
        return not self.processes or process in self.processes

    def within(self, amount: float | None) -> bool:
        """Whether an amount, None for one that is not known, is within the limit."""
        return self.amount_max is None or (amount is not None and amount <= self.amount_max)
