"""Working calendars: which minutes of which days count, and arithmetic in working time.

Dates outside of the holiday data (after `last_date`) follow the plain week; `covers` tells. Cost: one step per day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec

from noria.kernel.errors import NoriaError
from noria.kernel.instants import Duration, InstantMs, add_duration, from_datetime, to_datetime

_DAY = timedelta(days=1)
_IDLE_DAYS_MAX = 1_000

Hours = tuple[tuple[int, int], ...]
"""Working intervals of a day: (from, to) in minutes since midnight, ascending, not overlapping, to at most 1440."""


class NoWorkingTimeError(NoriaError):
    """The calendar has no working time within about three years; correct its week."""

    code: ClassVar[str] = "calendar.no_working_time"


class WorkCalendar(msgspec.Struct, frozen=True):
    """When an organisation works.

    Attributes:
        id: key by which models name it.
        version: counts up with every change, so that an old due date can be explained.
        zone: IANA name of the zone whose wall clock counts.
        weekly: working intervals from Monday to Sunday.
        holidays: ISO dates on which nobody works.
        workdays: ISO dates that are worked although their weekday is free (make-up days, 调休); they win over holidays.
        last_date: last ISO date that the holiday data covers, "" when it covers none.
    """

    id: str
    version: int
    zone: str
    weekly: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
    holidays: frozenset[str] = frozenset()
    workdays: frozenset[str] = frozenset()
    last_date: str = ""


def covers(calendar: WorkCalendar, at: InstantMs) -> bool:
    """Whether the holiday data reaches this instant."""
    return to_datetime(at, ZoneInfo(calendar.zone)).date().isoformat() <= calendar.last_date


def hours_on(calendar: WorkCalendar, day: date) -> Hours:
    """Working intervals of a date; a make-up day on a free weekday has the hours of the week's first working day."""
    text = day.isoformat()
    if text in calendar.workdays:
        return calendar.weekly[day.weekday()] or next((hours for hours in calendar.weekly if hours), ())
    return () if text in calendar.holidays else calendar.weekly[day.weekday()]


def is_working_day(calendar: WorkCalendar, day: date) -> bool:
    """Whether any time of a date is worked."""
    return bool(hours_on(calendar, day))


def working_days(calendar: WorkCalendar, first: date, last: date) -> int:
    """How many dates from first to last, both included, are worked."""
    return sum(is_working_day(calendar, first + _DAY * offset) for offset in range((last - first).days + 1))


def add_working(calendar: WorkCalendar, at: InstantMs, duration: Duration) -> InstantMs:
    """Move an instant by a duration in working time.

    Months move the date as on a wall calendar. Days count working days and keep the wall-clock time; a time outside of
    that day's hours moves to the start of the next interval of the day, or to the end of its last one. The part
    behind the T counts working time only; it ends at the end of an interval rather than at the start of the next.
    Negative durations go back in the same way.

    Raises:
        NoWorkingTimeError: the calendar has no working time in the direction of the duration.
    """
    zone = ZoneInfo(calendar.zone)
    if duration.months:
        at = add_duration(at, Duration(months=duration.months), zone)
    if duration.days:
        at = _add_days(calendar, at, duration.days, zone)
    if duration.milliseconds > 0:
        return _forward(calendar, at, duration.milliseconds, zone)
    if duration.milliseconds < 0:
        return _backward(calendar, at, -duration.milliseconds, zone)
    return at


def working_between(calendar: WorkCalendar, start: InstantMs, end: InstantMs) -> int:
    """Working time from start to end in ms; negative when end is before start."""
    if end < start:
        return -working_between(calendar, end, start)
    zone = ZoneInfo(calendar.zone)
    day, last = to_datetime(start, zone).date(), to_datetime(end, zone).date()
    total = 0
    while day <= last:
        for opens, closes in _intervals(calendar, day, zone):
            total += max(0, min(end, closes) - max(start, opens))
        day += _DAY
    return total


def _at(day: date, minutes: int, zone: ZoneInfo) -> InstantMs:
    """The instant of a wall-clock time; one inside a spring gap is the one after the gap."""
    if minutes == 1_440:
        day, minutes = day + _DAY, 0
    return from_datetime(datetime.combine(day, time(minutes // 60, minutes % 60), zone))


def _intervals(calendar: WorkCalendar, day: date, zone: ZoneInfo) -> Iterator[tuple[InstantMs, InstantMs]]:
    """Working intervals of a date as instants, ascending and disjoint also where the clocks change."""
    after = InstantMs(-(2**62))
    for opens_at, closes_at in hours_on(calendar, day):
        opens, closes = max(after, _at(day, opens_at, zone)), _at(day, closes_at, zone)
        if closes > opens:
            yield opens, closes
            after = closes


def _step(day: date, direction: int, idle_days: int) -> date:
    if idle_days > _IDLE_DAYS_MAX or not date.min < day < date.max:
        raise NoWorkingTimeError(f"No working time was found around {day.isoformat()}; correct the calendar.")
    return day + direction * _DAY


def _forward(calendar: WorkCalendar, at: InstantMs, left_ms: int, zone: ZoneInfo) -> InstantMs:
    day, idle = to_datetime(at, zone).date(), 0
    while True:
        for opens, closes in _intervals(calendar, day, zone):
            idle = 0
            begins = max(at, opens)
            if begins < closes:
                if left_ms <= closes - begins:
                    return InstantMs(begins + left_ms)
                left_ms -= closes - begins
        idle += 1
        day = _step(day, 1, idle)


def _backward(calendar: WorkCalendar, at: InstantMs, left_ms: int, zone: ZoneInfo) -> InstantMs:
    day, idle = to_datetime(at, zone).date(), 0
    while True:
        for opens, closes in reversed(list(_intervals(calendar, day, zone))):
            idle = 0
            ends = min(at, closes)
            if opens < ends:
                if left_ms <= ends - opens:
                    return InstantMs(ends - left_ms)
                left_ms -= ends - opens
        idle += 1
        day = _step(day, -1, idle)


def _add_days(calendar: WorkCalendar, at: InstantMs, days: int, zone: ZoneInfo) -> InstantMs:
    local = to_datetime(at, zone)
    day, idle, left = local.date(), 0, abs(days)
    while left:
        day = _step(day, 1 if days > 0 else -1, idle)
        idle += 1
        if is_working_day(calendar, day):
            left, idle = left - 1, 0
    # Through UTC and back: a wall-clock time inside a spring gap becomes the one after the gap.
    moved = from_datetime(datetime.combine(day, local.time(), zone))
    intervals = list(_intervals(calendar, day, zone))
    for opens, closes in intervals:
        if moved <= closes:
            return max(moved, opens)
    return intervals[-1][1] if intervals else moved
