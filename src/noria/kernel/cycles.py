"""What repeats: ISO 8601 repeating intervals, and cron expressions where the days of a week matter."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from noria.kernel.calendar import SEARCH_DAYS_MAX, WorkCalendar, add_working, is_working_day, working_between
from noria.kernel.instants import (
    DAY_MS,
    Duration,
    InstantMs,
    add_duration,
    from_datetime,
    parse_duration,
    parse_instant,
    to_datetime,
)

_REPEATED = re.compile(r"R(?P<times>-1|\d*)/(?P<what>.+)")
_MONTH_MS = 365_2425 * DAY_MS // 12_0000
_SEARCHED = timedelta(days=3_660)
NEVER = from_datetime(datetime(9999, 12, 1, tzinfo=UTC))
"""When a beat is due that no known working day has."""


class Cycle(msgspec.Struct, frozen=True):
    """What a text says of a repetition.

    Attributes:
        times: how often, -1 for ever.
        interval: between two beats: an ISO 8601 duration or a cron expression; "" for the time from start to end.
        start: the first beat as written, "" when it is one interval from now.
        end: the last beat as written, or with a start and no interval the second; "" for none.
    """

    times: int
    interval: str
    start: str = ""
    end: str = ""


def parse_cycle(text: str) -> Cycle:
    """Read a repetition: ISO 8601 such as ``R3/PT10M``, or cron such as ``0 9 * * MON-FRI``, also ``R3/0 9 * * *``.

    ISO 8601 gives an interval alone, behind its first beat (``R/2026-03-02T09:00:00Z/P1D``), before its last one
    (``R3/P1D/2026-03-02T09:00:00Z``), or as the time between two instants. A cron expression has five fields, or six
    with the seconds first.

    Raises:
        ValueError: the text is none, repeats zero times, or has an interval of no length.
    """
    text = text.strip()
    match = _REPEATED.fullmatch(text)
    what = match["what"].strip() if match is not None else text
    if is_cron(what):
        _checked(what)
        cycle = Cycle(-1, what)
    else:
        first, slash, second = what.partition("/")
        if match is None or "/" in second or (slash and not second):
            raise ValueError(f"{text[:80]!r} is not a repetition such as R3/PT10M, nor a cron expression.")
        if first.startswith("P"):
            cycle = Cycle(-1, first, end=second)
        elif second.startswith("P"):
            cycle = Cycle(-1, second, start=first)
        elif second:
            cycle = Cycle(-1, "", first, second)
        else:
            raise ValueError(f"{text[:80]!r} has no interval such as PT10M.")
        if cycle.interval and parse_duration(cycle.interval) == Duration():
            raise ValueError(f"{text[:80]!r} has an interval of no length.")
    if match is None or match["times"] in ("", "-1"):
        return cycle
    if not (times := int(match["times"])):
        raise ValueError(f"{text[:80]!r} repeats zero times.")
    return msgspec.structs.replace(cycle, times=times)


def is_cron(interval: str) -> bool:
    """Whether an interval is a cron expression: it has several fields."""
    return len(interval.split()) > 1


def anchored(interval: str, beat: InstantMs) -> str:
    """An interval whose beats are counted from one of them, such as ``2026-01-31T09:00:00+00:00/P1M``.

    From beat to beat the end of a month would become the 28th in February, and stay it; and a time that the change of
    the clocks skips would stay an hour late. What has neither months nor days needs no such beat.
    """
    if is_cron(interval):
        return interval
    duration = parse_duration(interval)
    return f"{to_datetime(beat).isoformat()}/{interval}" if duration.months or duration.days else interval


def next_beat(interval: str, at: InstantMs, zone: tzinfo) -> InstantMs:
    """The beat after an instant, which for a duration that is not anchored is a beat itself.

    Raises:
        ValueError: the interval is neither duration nor cron, or has no further beat until the year 9999.
    """
    try:
        if is_cron(interval):
            return from_datetime(next(CronSim(_checked(interval), to_datetime(at, zone))))
        anchor, _, length = interval.rpartition("/")
        duration = parse_duration(length)
        if anchor:
            return _following(parse_instant(anchor), duration, at, zone)[0]
        return add_duration(at, duration, zone)
    except (StopIteration, OverflowError):  # cron looks 50 years ahead
        raise ValueError(f"{interval!r} has no further time.") from None


def beats_from(start: InstantMs, interval: str, now: InstantMs, zone: tzinfo) -> tuple[InstantMs, int]:
    """The first beat from now on of those that begin with a given one, and how many are past.

    Args:
        start: the first beat of all.
        interval: an ISO 8601 duration.
        now: beats before it are past.
        zone: in which days and months count.

    Raises:
        ValueError: there is none until the year 9999.
    """
    if start >= now:
        return start, 0
    return _following(start, parse_duration(interval), InstantMs(now - 1), zone)


def working_beats_past(
    calendar: WorkCalendar, start: InstantMs, interval: str, now: InstantMs
) -> tuple[InstantMs, int]:
    """The last beat before now of those that begin with a given one before now, in working time, and how many are past.

    Raises:
        NoWorkingTimeError: the calendar has no working time to count.
        ValueError: the first beat is so long ago that counting would take seconds.
    """
    if now - start > SEARCH_DAYS_MAX * DAY_MS:
        raise ValueError(f"its start is more than {SEARCH_DAYS_MAX} days ago, too long to count working time from")
    duration, skipped = parse_duration(interval), 0
    if not duration.months and not duration.days:
        # There may be very many of them, and working time adds up.
        skipped = max(working_between(calendar, start, now) // duration.milliseconds - 1, 0)
    beat = add_working(calendar, start, Duration(milliseconds=skipped * duration.milliseconds))
    past = skipped + 1
    while (following := add_working(calendar, beat, duration)) < now:
        past, beat = past + 1, following
    return beat, past


def _following(anchor: InstantMs, duration: Duration, at: InstantMs, zone: tzinfo) -> tuple[InstantMs, int]:
    """The first beat after an instant, of those that are so many durations before or behind the anchor; so many."""
    about = duration.months * _MONTH_MS + duration.days * DAY_MS + duration.milliseconds
    count = (at - anchor) // about
    while _beat(anchor, duration, count, zone) > at:
        count -= 1
    while (found := _beat(anchor, duration, count, zone)) <= at:
        count += 1
    return found, count


def _beat(anchor: InstantMs, duration: Duration, count: int, zone: tzinfo) -> InstantMs:
    far = Duration(count * duration.months, count * duration.days, count * duration.milliseconds)
    return add_duration(anchor, far, zone)


def next_working_beat(calendar: WorkCalendar, interval: str, at: InstantMs) -> InstantMs:
    """The beat after an instant in a working calendar: a duration of working time, or a cron time on a working day.

    Cron times of which none falls on a working day within ten years are due at `NEVER`: a later version of the calendar
    may know of a working day.

    Raises:
        ValueError: as `next_beat`.
        NoWorkingTimeError: the calendar has no working time to count.
    """
    if not is_cron(interval):
        # Anchored before there was a calendar; working time is counted from beat to beat.
        return add_working(calendar, at, parse_duration(interval.rpartition("/")[2]))
    zone = ZoneInfo(calendar.zone)
    last = to_datetime(at, zone).date() + _SEARCHED
    while True:
        beat = next_beat(interval, at, zone)
        day = to_datetime(beat, zone).date()
        if is_working_day(calendar, day):
            return beat
        if day > last:
            return NEVER
        midnight = datetime.combine(day + timedelta(days=1), time(), zone)
        at = InstantMs(from_datetime(midnight) - 1)


def beats_until(end: InstantMs, interval: str, now: InstantMs, times: int, zone: tzinfo) -> tuple[InstantMs, int]:
    """The first beat from now on of those that end with a given one, and how many follow it.

    Args:
        end: the last beat.
        interval: an ISO 8601 duration.
        now: beats before it are past.
        times: how many there are in all, -1 for as many as there is time for.
        zone: in which days and months count.

    Raises:
        ValueError: the last one is past.
    """
    duration = parse_duration(interval)

    def back(count: int) -> int:
        try:
            return _beat(end, duration, -count, zone)
        except (ValueError, OverflowError):  # before the year 1
            return now - 1

    if end < now:
        raise ValueError("its end is past")
    fits, too_many = 0, 1
    while back(too_many) >= now:
        fits, too_many = too_many, too_many * 2
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if back(middle) >= now else (fits, middle)
    if times > 0:
        fits = min(fits, times - 1)
    return InstantMs(back(fits)), fits


@lru_cache(maxsize=1_024)
def _checked(expression: str) -> str:
    try:
        CronSim(expression, to_datetime(InstantMs(0)))
    except (CronSimError, ValueError) as error:
        raise ValueError(f"{expression[:80]!r} is not a cron expression such as 0 9 * * MON-FRI: {error}.") from None
    return expression
