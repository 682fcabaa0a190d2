"""Working calendars: versioned data, and the one arithmetic of working time.

Timers, time limits, metrics, forecasts and the twin all use these functions. The core never asks a holiday library:
a calendar is a value that is handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from noria.kernel.errors import NoriaError
from noria.kernel.instants import DAY_MS, MINUTE_MS, Duration, InstantMs, add_duration, from_datetime, to_datetime

SEARCH_DAYS_MAX = 20_000
DAY_MINUTES = 24 * 60
_DAY = timedelta(days=1)
_EPOCH_DAY = date(1970, 1, 1)
_WINDOW_DAYS_MAX = 3
Hours = tuple[tuple[int, int], ...]
"""The working intervals of a day, (from, to) in minutes since its midnight, ascending. A shift that crosses midnight
ends behind minute 1440 and belongs to the day on which it begins."""


class NoWorkingTimeError(NoriaError):
    """A calendar has no working time within many years, so the sum has no end."""

    code = "calendar.no_working_time"


class WorkCalendar(msgspec.Struct, frozen=True):
    """When people work (工作日历).

    Attributes:
        id: what models and units name it by.
        version: counts its publications.
        zone: IANA name of the zone its wall-clock times are in.
        week: the hours of Monday to Sunday.
        holidays: dates on which nobody works, whatever the weekday → what the day is called.
        workdays: make-up dates (调休) that are worked like the first working day of the week, whatever the weekday.
        horizon: last date for which holidays are known; later due dates are provisional.
        hours: dates with hours of their own, such as half a day before a festival.
        name: what people call the calendar.
    """

    id: str
    version: int
    zone: str
    week: tuple[Hours, ...]
    holidays: Mapping[date, str] = {}
    workdays: frozenset[date] = frozenset()
    horizon: date = date(9999, 12, 31)
    hours: Mapping[date, Hours] = {}
    name: str = ""


OFFICE_HOURS = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
OFFICE_WEEK = (OFFICE_HOURS,) * 5 + ((), ())


def intervals_on(calendar: WorkCalendar, day: date) -> Hours:
    """The working intervals that begin on a date."""
    if day in calendar.hours:
        return calendar.hours[day]
    if day in calendar.workdays:
        return next((hours for hours in calendar.week if hours), ())
    if day in calendar.holidays:
        return ()
    return calendar.week[day.weekday()]


def is_working_day(calendar: WorkCalendar, day: date) -> bool:
    """Whether anybody works on a date."""
    return bool(intervals_on(calendar, day))


def is_provisional(calendar: WorkCalendar, at: InstantMs) -> bool:
    """Whether an instant lies behind what the calendar knows of holidays."""
    return to_datetime(at, ZoneInfo(calendar.zone)).date() > calendar.horizon


@lru_cache(maxsize=4_096)  # the same few days are asked for again and again
def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """The instant of a wall-clock minute, counted from midnight of a date.

    Of a minute that the clocks pass twice it is the first; one that they skip is the instant at which they skip it, so
    that later minutes never come before earlier ones.
    """
    days, minute = divmod(minute, DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), zone)
    at = from_datetime(wall)
    if to_datetime(at, zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return at
    before, offset = from_datetime(wall.replace(fold=1)), to_datetime(at, zone).utcoffset()
    while at - before > 1:
        middle = InstantMs((before + at) // 2)
        if to_datetime(middle, zone).utcoffset() == offset:
            at = middle
        else:
            before = middle
    return at


def _wall_instant(day: date, since_midnight_ms: int, zone: ZoneInfo) -> int:
    minute, rest_ms = divmod(since_midnight_ms, MINUTE_MS)
    at = _instant(day, minute, zone)
    return min(at + rest_ms, _instant(day, minute + 1, zone)) if rest_ms else at


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
    day, minute_ms = _shift_day(calendar, local)
    day = add_working_days(calendar, day, duration.days)
    for start, end in intervals_on(calendar, day):
        if minute_ms <= end * MINUTE_MS:
            return _wall_instant(day, max(minute_ms, start * MINUTE_MS), zone)
    return _instant(day, intervals_on(calendar, day)[-1][1], zone)


def _shift_day(calendar: WorkCalendar, local: datetime) -> tuple[date, int]:
    """The working day that a wall-clock time belongs to, and its ms since that day's midnight.

    The small hours of a shift that began the day before belong to that day.
    """
    day = local.date()
    since_ms = (local.hour * 60 + local.minute) * MINUTE_MS + local.second * 1000 + local.microsecond // 1000
    before = day - timedelta(days=1)
    end_ms = max((end - DAY_MINUTES for _, end in intervals_on(calendar, before)), default=0) * MINUTE_MS
    starts_now = any(start * MINUTE_MS == since_ms for start, _ in intervals_on(calendar, day))
    if since_ms < end_ms or (0 < since_ms == end_ms and not starts_now):
        return before, since_ms + DAY_MINUTES * MINUTE_MS
    return day, since_ms


def add_working_days(calendar: WorkCalendar, day: date, count: int) -> date:
    """The date that many working days after (or, negative, before) another; 0 is the first working day from it on.

    Raises:
        NoWorkingTimeError: the calendar has not as many within many years.
    """
    step = 1 if count >= 0 else -1
    left = abs(count)
    for _ in range(SEARCH_DAYS_MAX):
        if left == 0 and is_working_day(calendar, day):
            return day
        day += timedelta(days=step)
        if left and is_working_day(calendar, day):
            left -= 1
    raise NoWorkingTimeError(f"Calendar {calendar.id} has not enough working days in {SEARCH_DAYS_MAX} days.")


def working_days_between(calendar: WorkCalendar, start: date, end: date) -> int:
    """How many working days lie behind `start` up to and with `end`; negative when the end is the earlier one."""
    if end < start:
        return -sum(is_working_day(calendar, end + timedelta(days=n)) for n in range((start - end).days))
    return sum(is_working_day(calendar, start + timedelta(days=n + 1)) for n in range((end - start).days))


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


class WorkingDays:
    """A calendar that many questions are asked of: the intervals of each day are counted once."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.zone)
        self._spans: dict[date, list[tuple[int, int]]] = {}
        self._windows: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def between(self, start: InstantMs, end: InstantMs) -> int:
        """Working time between two instants, ms; negative when the end is the earlier one."""
        if end < start:
            return -self.between(end, start)
        # By days of UTC, which are had without a calendar; no zone is further from it than a day.
        days = start // DAY_MS, end // DAY_MS
        spans = self._windows.get(days)
        if spans is None:
            spans = self._within(*days)
            if days[1] - days[0] <= _WINDOW_DAYS_MAX:
                self._windows[days] = spans
        total_ms = 0
        for first, until in spans:
            if first < end and start < until:
                total_ms += min(until, end) - max(first, start)
        return total_ms

    def _within(self, first: int, last: int) -> list[tuple[int, int]]:
        """The intervals of all local days that may have an instant of some days of UTC, and may reach into them."""
        since = _EPOCH_DAY + first * _DAY
        return [span for n in range(-2, last - first + 3) for span in self._on(since + n * _DAY)]

    def _on(self, day: date) -> list[tuple[int, int]]:
        spans = self._spans.get(day)
        if spans is None:
            hours = intervals_on(self._calendar, day)
            spans = [(_instant(day, first, self._zone), _instant(day, until, self._zone)) for first, until in hours]
            self._spans[day] = spans
        return spans


def working_between(calendar: WorkCalendar, start: InstantMs, end: InstantMs) -> int:
    """Working time between two instants, ms; negative when the end is the earlier one."""
    return WorkingDays(calendar).between(start, end)
