"""Working calendars: versioned data, and the one arithmetic of working time.

Timers, time limits, metrics, forecasts and the twin all use these two functions. The core never asks a holiday library:
a calendar is a value that is handed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from noria.kernel.errors import NoriaError
from noria.kernel.instants import MINUTE_MS, Duration, InstantMs, add_duration, from_datetime, to_datetime

SEARCH_DAYS_MAX = 20_000


class NoWorkingTimeError(NoriaError):
    """A calendar has no working time within many years, so the sum has no end."""

    code = "calendar.no_working_time"


class WorkCalendar(msgspec.Struct, frozen=True):
    """When people work.

    Attributes:
        id: what models name it by.
        version: counts its publications.
        zone: IANA name of the zone its wall-clock times are in.
        week: for Monday to Sunday the working intervals, (from, to) in minutes since midnight, ascending.
        holidays: dates on which nobody works, whatever the weekday.
        workdays: make-up dates (调休) that are worked like a Monday, whatever the weekday.
        horizon: last date for which holidays are known; later due dates are provisional.
    """

    id: str
    version: int
    zone: str
    week: tuple[tuple[tuple[int, int], ...], ...]
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    horizon: date = date(9999, 12, 31)


OFFICE_HOURS = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
OFFICE_WEEK = (OFFICE_HOURS,) * 5 + ((), ())


def intervals_on(calendar: WorkCalendar, day: date) -> tuple[tuple[int, int], ...]:
    """The working intervals of a date, (from, to) in minutes since midnight."""
    if day in calendar.workdays:
        return calendar.week[0]
    if day in calendar.holidays:
        return ()
    return calendar.week[day.weekday()]


def is_working_day(calendar: WorkCalendar, day: date) -> bool:
    """Whether anybody works on a date."""
    return bool(intervals_on(calendar, day))


@lru_cache(maxsize=4_096)  # the same few days are asked for again and again
def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    if minute == 24 * 60:
        day, minute = day + timedelta(days=1), 0
    return from_datetime(datetime.combine(day, time(minute // 60, minute % 60), zone))


def _spans(calendar: WorkCalendar, day: date, zone: ZoneInfo, step: int) -> Iterator[tuple[int, int]]:
    """Working intervals as instants from a date on, forwards (step 1) or backwards (-1).

    Raises:
        NoWorkingTimeError: there is none for many years.
    """
    for _ in range(SEARCH_DAYS_MAX):
        spans = [(_instant(day, start, zone), _instant(day, end, zone)) for start, end in intervals_on(calendar, day)]
        yield from spans if step > 0 else reversed(spans)
        day += timedelta(days=step)
    raise NoWorkingTimeError(f"Calendar {calendar.id} has not enough working time in {SEARCH_DAYS_MAX} days.")


def add_working(calendar: WorkCalendar, at: InstantMs, duration: Duration) -> InstantMs:
    """The instant a working duration after (or, negative, before) another.

    Hours, minutes and seconds count working time only. A day is a working day: the same wall-clock time on the next
    working day, moved into that day's working hours when it lies outside them. Months move the date on the ordinary
    calendar and then into working time.

    Raises:
        NoWorkingTimeError: the calendar has no working time to count.
    """
    zone = ZoneInfo(calendar.zone)
    result = int(at)
    if duration.months or duration.days:
        result = _add_days(calendar, to_datetime(at, zone), duration, zone)
    if duration.milliseconds > 0:
        return InstantMs(_forwards(calendar, result, duration.milliseconds, zone))
    if duration.milliseconds < 0:
        return InstantMs(_backwards(calendar, result, -duration.milliseconds, zone))
    return InstantMs(result)


def _add_days(calendar: WorkCalendar, local: datetime, duration: Duration, zone: ZoneInfo) -> int:
    if duration.months:
        local = to_datetime(add_duration(from_datetime(local), Duration(months=duration.months), zone), zone)
    day = local.date()
    step = 1 if duration.days >= 0 else -1
    left = abs(duration.days)
    for _ in range(SEARCH_DAYS_MAX):
        if left == 0 and is_working_day(calendar, day):
            break
        day += timedelta(days=step)
        if left and is_working_day(calendar, day):
            left -= 1
    else:
        raise NoWorkingTimeError(f"Calendar {calendar.id} has not enough working days in {SEARCH_DAYS_MAX} days.")
    minute_ms = (local.hour * 60 + local.minute) * MINUTE_MS + local.second * 1000 + local.microsecond // 1000
    for start, end in intervals_on(calendar, day):
        if minute_ms <= end * MINUTE_MS:
            beyond_ms = max(minute_ms - start * MINUTE_MS, 0)
            return _instant(day, start, zone) + beyond_ms
    return _instant(day, intervals_on(calendar, day)[-1][1], zone)


def _forwards(calendar: WorkCalendar, at: int, left_ms: int, zone: ZoneInfo) -> int:
    first_day = to_datetime(InstantMs(at), zone).date() - timedelta(days=1)
    for start, end in _spans(calendar, first_day, zone, 1):
        begin = max(start, at)
        if begin < end:
            if left_ms <= end - begin:
                return begin + left_ms
            left_ms -= end - begin
    return at  # never: _spans raises instead of ending


def _backwards(calendar: WorkCalendar, at: int, left_ms: int, zone: ZoneInfo) -> int:
    first_day = to_datetime(InstantMs(at), zone).date() + timedelta(days=1)
    for start, end in _spans(calendar, first_day, zone, -1):
        finish = min(end, at)
        if start < finish:
            if left_ms <= finish - start:
                return finish - left_ms
            left_ms -= finish - start
    return at  # never: _spans raises instead of ending


def working_between(calendar: WorkCalendar, start: InstantMs, end: InstantMs) -> int:
    """Working time between two instants, ms; negative when the end is the earlier one."""
    if end < start:
        return -working_between(calendar, end, start)
    zone = ZoneInfo(calendar.zone)
    day = to_datetime(start, zone).date() - timedelta(days=1)
    last = to_datetime(end, zone).date() + timedelta(days=1)
    total_ms = 0
    while day <= last:
        for first, until in intervals_on(calendar, day):
            total_ms += max(0, min(_instant(day, until, zone), end) - max(_instant(day, first, zone), start))
        day += timedelta(days=1)
    return total_ms
