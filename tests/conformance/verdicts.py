"""What a suite says about a case."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether a case passed, and why not."""

    case: str
    passed: bool
    comment: str = ""
