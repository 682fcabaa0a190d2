"""What repeats: ISO 8601 repeating intervals, and cron expressions where the days of a week matter."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from noria.kernel.calendar import WorkCalendar, add_working, is_working_day
from noria.kernel.instants import Duration, InstantMs, add_duration, from_datetime, parse_duration, to_datetime

_REPEATED = re.compile(r"R(?P<times>-1|\d*)/(?P<what>.+)")
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


def next_beat(interval: str, at: InstantMs, zone: tzinfo) -> InstantMs:
    """The beat after an instant, which for a duration is a beat itself.

    Raises:
        ValueError: the interval is neither duration nor cron, or a cron expression that has no further beat.
    """
    if not is_cron(interval):
        return add_duration(at, parse_duration(interval), zone)
    try:
        return from_datetime(next(CronSim(_checked(interval), to_datetime(at, zone))))
    except (StopIteration, OverflowError):  # for 50 years, or until the year 9999
        raise ValueError(f"The cron expression {interval!r} has no further time.") from None


def next_working_beat(calendar: WorkCalendar, interval: str, at: InstantMs) -> InstantMs:
    """The beat after an instant in a working calendar: a duration of working time, or a cron time on a working day.

    Cron times of which none falls on a working day within ten years are due at `NEVER`: a later version of the calendar
    may know of a working day.

    Raises:
        ValueError: as `next_beat`.
        NoWorkingTimeError: the calendar has no working time to count.
    """
    if not is_cron(interval):
        return add_working(calendar, at, parse_duration(interval))
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
        far = Duration(-count * duration.months, -count * duration.days, -count * duration.milliseconds)
        try:
            return add_duration(end, far, zone)
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
