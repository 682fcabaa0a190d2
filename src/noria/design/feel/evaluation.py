"""What one evaluation may use and what it noticed: the instant, the zone, budgets and diagnostics."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from noria.kernel.errors import NoriaError

_DIAGNOSTICS_MAX = 100
_DEPTH_MAX = 200
# A call of FEEL takes three to a dozen of Python's frames, and by default Python allows 1,000 in all: how deep a
# function may call itself would then hang on who evaluates it, and a replay could end otherwise. The limit is for the
# whole process, and what reads deeply nested JSON uses the stack of C up to it: 3,000 levels fit into the megabyte
# that a thread has at least, 4,000 did not.
_FRAMES_MIN = 3_000
sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES_MIN))
NOTHING_OUTSIDE: Mapping[str, Any] = MappingProxyType({})


class FeelBudgetError(NoriaError):
    """An evaluation used more steps, list items, text or recursion than it was given. Nothing of it may be used."""

    code: ClassVar[str] = "feel.budget"


class Diagnostic(msgspec.Struct, frozen=True):
    """Why a part of an expression became null.

    Attributes:
        code: stable, dotted, e.g. ``feel.type_mismatch``.
        message: one English sentence.
    """

    code: str
    message: str


class EvaluationContext(msgspec.Struct, gc=False):
    """Everything an evaluation may know beside its variables. One per evaluation (or per command); not shared.

    The collector of garbage need not look at it (`gc=False`): nothing in it leads back to it.

    Attributes:
        now_ms: the instant that now() and today() give, ms since the epoch in UTC.
        zone: IANA name of the zone in which now() and today() are expressed.
        steps_left: loop items, calls and generated list items that may still be spent.
        list_max: longest list that may be generated.
        text_max: longest string that may be generated, in code points.
        depth_max: deepest nesting of function calls.
        outside: values by name that stand behind the variables: what has no variable of that name is looked up here.
        depth: current nesting of function calls.
        diagnostics: why parts became null, oldest first, at most 100.
    """

    now_ms: int
    zone: str = "UTC"
    steps_left: int = 100_000
    list_max: int = 100_000
    text_max: int = 1_000_000
    depth_max: int = _DEPTH_MAX
    outside: Mapping[str, Any] = NOTHING_OUTSIDE
    depth: int = 0
    diagnostics: list[Diagnostic] = []

    def note(self, code: str, message: str) -> None:
        """Record why something became null."""
        if len(self.diagnostics) < _DIAGNOSTICS_MAX:
            self.diagnostics.append(Diagnostic(code, message))

    def spend(self, steps: int = 1) -> None:
        """Take steps from the budget.

        Raises:
            FeelBudgetError: the budget is used up.
        """
        self.steps_left -= steps
        if self.steps_left < 0:
            raise FeelBudgetError("The expression needs more steps than it may use; simplify it or bound its lists.")

    def check_list(self, length: int) -> None:
        """Charge a list of `length` items about to be built.

        Raises:
            FeelBudgetError: the list is longer than allowed, or the steps are used up.
        """
        if length > self.list_max:
            raise FeelBudgetError(f"The expression builds a list of more than {self.list_max} items.")
        self.spend(length)

    def check_text(self, length: int) -> None:
        """Refuse a text of `length` code points about to be built when it is too long.

        Raises:
            FeelBudgetError: the text is longer than allowed.
        """
        if length > self.text_max:
            raise FeelBudgetError(f"The expression builds a text of more than {self.text_max} characters.")

    def enter(self) -> None:
        """Go one function call deeper.

        Raises:
            FeelBudgetError: calls are nested deeper than allowed, or the steps are used up.
        """
        self.depth += 1
        if self.depth > self.depth_max:
            raise FeelBudgetError(f"The expression nests function calls deeper than {self.depth_max}.")
        self.spend(1)
