"""What the live board of a process shows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Mean, median and 90th percentile of durations, ms, and how many there are."""

    mean_ms: int
    median_ms: int
    p90_ms: int
    count: int


def spread(durations: Sequence[int]) -> Spread | None:
    """The spread of some durations; None when there are none.

    Percentiles by the nearest-rank method (ISO 3534-1), so that each is a duration that occurred.
    """
    if not durations:
        return None
    ordered = sorted(durations)
    count = len(ordered)
    return Spread(
        round(sum(ordered) / count), ordered[(count - 1) // 2], ordered[max(0, -(-count * 9 // 10) - 1)], count
    )


def share(part: int, whole: int) -> float | None:
    """A part of a whole, 0..1; None when there is no whole."""
    return part / whole if whole else None


class Backlog(msgspec.Struct, frozen=True):
    """Open tasks: `share` is those past due ÷ all open; `days_to_clear` at the period's rate of completion."""

    open: int
    overdue: int
    share: float | None
    arrived: int
    completed: int
    days_to_clear: float | None


class Errors(msgspec.Struct, frozen=True):
    """`share` is (incidents + returns) ÷ (completed tasks + incidents + returns)."""

    incidents: int
    returns: int
    completed_tasks: int
    share: float | None


class Throughput(msgspec.Struct, frozen=True):
    """Instances started and completed in the period, and completed per day."""

    started: int
    completed: int
    per_day: float


class OnTime(msgspec.Struct, frozen=True):
    """Completed tasks that had a limit: within it, and past it."""

    on_time: int
    late: int
    share: float | None


class Tiles(msgspec.Struct, frozen=True):
    """The figures at the top. `handling` is of completed human tasks, `cycle` of completed instances."""

    handling: Spread | None
    cycle: Spread | None
    backlog: Backlog
    errors: Errors
    throughput: Throughput
    on_time: OnTime


class ElementFigures(msgspec.Struct, frozen=True):
    """The figures of one element."""

    id: str
    name: str
    kind: str
    visits: int
    open: int
    overdue: int
    returns: int
    incidents: int
    handling: Spread | None
    waiting: Spread | None
    working: Spread | None


class FlowFigures(msgspec.Struct, frozen=True):
    """How often a flow was taken."""

    id: str
    count: int


class Day(msgspec.Struct, frozen=True):
    """One day: instances started and completed, and the spread of the cycle times of those completed."""

    day: str
    started: int
    completed: int
    median_ms: int | None
    p90_ms: int | None


class ElementName(msgspec.Struct, frozen=True):
    """Id and name of an element."""

    id: str
    name: str


class ElementBacklog(msgspec.Struct, frozen=True):
    """Open tasks of an element by urgency."""

    element: ElementName
    in_time: int
    due_24h: int
    overdue: int


class ProcessName(msgspec.Struct, frozen=True):
    """Key, name and newest version of a process."""

    key: str
    name: str
    version: int


class Period(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """ISO 8601 instants."""

    start: str
    end: str


class Board(msgspec.Struct, frozen=True):
    """The live board of a process; `as_of_seq` is the number of commands, of all processes, that its figures count."""

    process: ProcessName
    range: Period
    time: str
    as_of_seq: int
    simulated: bool
    tiles: Tiles
    elements: list[ElementFigures]
    flows: list[FlowFigures]
    series: list[Day]
    backlog_by_element: list[ElementBacklog]
