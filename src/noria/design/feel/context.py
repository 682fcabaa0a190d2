"""What an evaluation has besides its variables: the present instant, its budget, and why values are null."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from noria.kernel.errors import NoriaError

DIAGNOSTICS_MAX = 20


class FeelBudgetError(NoriaError):
    """An evaluation took more steps, or built something larger, than it may."""

    code: ClassVar[str] = "feel.budget"


class EvaluationContext:
    """One evaluation, or several in a row that share a budget.

    Attributes:
        now_ms: what ``now()`` and ``today()`` say, ms since the epoch; there is no clock.
        zone: IANA name of the zone in which they say it.
        steps_left: iterations and calls that may still be made.
        items_max: longest list that may be built.
        chars_max: longest string that may be built.
        depth_left: how deep functions may still call each other.
        diagnostics: why something became null, the first few reasons.
    """

    __slots__ = ("chars_max", "depth_left", "diagnostics", "items_max", "now_ms", "steps_left", "zone")

    def __init__(
        self,
        now_ms: int,
        zone: str = "UTC",
        *,
        steps_max: int = 100_000,
        items_max: int = 100_000,
        chars_max: int = 1_000_000,
        depth_max: int = 100,
    ) -> None:
        self.now_ms = now_ms
        self.zone = zone
        self.steps_left = steps_max
        self.items_max = items_max
        self.chars_max = chars_max
        self.depth_left = depth_max
        self.diagnostics: list[str] = []

    def step(self, count: int = 1) -> None:
        """Use up some of the budget.

        Raises:
            FeelBudgetError: nothing is left.
        """
        self.steps_left -= count
        if self.steps_left < 0:
            raise FeelBudgetError("The expression takes more steps than it may.")

    def why_null(self, reason: str) -> None:
        """Record why a value is null; gives None, so that it can be returned."""
        if len(self.diagnostics) < DIAGNOSTICS_MAX:
            self.diagnostics.append(reason)

    def zone_info(self) -> ZoneInfo:
        """The zone."""
        return ZoneInfo(self.zone)
