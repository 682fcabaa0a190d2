"""How a question is asked, and how its answer is told: paired rounds, the ratio of each pair, medians."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Figures = dict[str, float]


class Asked(NamedTuple):
    """How thoroughly.

    Attributes:
        rounds: paired rounds.
        share: of the full size of each measurement, 0..1.
    """

    rounds: int
    share: float


def in_pairs(asked: Asked, *sides: Callable[[], Figures]) -> list[tuple[Figures, ...]]:
    """Measure all sides in each round, one after another."""
    return [tuple(side() for side in sides) for _ in range(asked.rounds)]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median, smallest and largest of ratios."""
    return f"{statistics.median(values):.{digits}f}x ({min(values):.{digits}f}-{max(values):.{digits}f})"


def compared(
    title: str,
    unit: str,
    pairs: Sequence[tuple[Figures, ...]],
    floor: float,
    *,
    figure: str = "wall",
    also: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Print and give the ratio of the first side to the second, pair by pair.

    Args:
        title: what was asked.
        unit: of the figure.
        pairs: what was measured.
        floor: that the median must reach.
        figure: that is compared.
        also: further figures, each with its name as it is printed; 1 is said of their ratios when both sides are equal.
    """
    ratios = [pair[0][figure] / pair[1][figure] for pair in pairs]
    ratio = statistics.median(ratios)
    ours, theirs = (statistics.median(pair[side][figure] for pair in pairs) for side in (0, 1))
    digits = 0 if ratio >= 100 else 1 if ratio >= 3 else 2
    line = f"{title:34} {ours:>10,.0f} {theirs:>10,.0f} {unit:15} {spread(ratios, digits)}, floor {floor:g}x"
    for name, said in also:
        line += f"; {said} {spread([pair[0][name] / pair[1][name] for pair in pairs])}"
    disks = [side["fdatasync"] for pair in pairs for side in pair if "fdatasync" in side]
    if disks:
        line += f"; fdatasync {min(disks):,.0f}-{max(disks):,.0f}/s"
    print(line + ("" if ratio >= floor else "  BELOW THE FLOOR"), flush=True)
    return {"title": title, "ratio": ratio, "ratios": ratios, "floor": floor, "pairs": pairs}


def skipped(what: str, why: str) -> list[dict[str, Any]]:
    """Say that something is not measured."""
    print(f"{what}: not measured: {why}", flush=True)
    return []
