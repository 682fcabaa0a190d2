"""Instants as whole milliseconds since the epoch in UTC, and ISO 8601 durations.

Time is always an argument in the core: nothing here reads a clock.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NewType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

InstantMs = NewType("InstantMs", int)

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>\d+(?:[.,]\d+)?)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?"
)


class Duration(msgspec.Struct, frozen=True):
    """An ISO 8601 duration, kept in the three parts that do not convert into each other.

    A month has no fixed number of days, and a day has no fixed number of hours where clocks change.

    Attributes:
        months: years × 12 + months; may be negative.
        days: weeks × 7 + days; same sign as months.
        milliseconds: the part behind the T; same sign as days.
    """

    months: int = 0
    days: int = 0
    milliseconds: int = 0


@lru_cache(maxsize=1_024)  # models name few, and name them again and again
def parse_duration(text: str) -> Duration:
    """Read an ISO 8601 duration such as ``P1DT2H``, ``PT1.5H`` or ``-PT15M``.

    Raises:
        ValueError: the text is not a duration, or has no part at all.
    """
    match = _DURATION.fullmatch(text.strip())
    given = [part for part in match.groupdict().values() if part] if match is not None else []
    parts = [part for part in given if part != "-"]
    # Only the smallest part may be broken.
    if match is None or not parts or any("." in part or "," in part for part in parts[:-1]):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as P1DT2H.")

    def part(name: str, unit: int = 1) -> int:
        whole, _, broken = (match[name] or "0").replace(",", ".").partition(".")
        digits = broken[:9]
        return int(whole) * unit + int(digits or 0) * unit // int("1" + "0" * len(digits))

    sign = -1 if match["sign"] else 1
    return Duration(
        months=sign * (part("years") * 12 + part("months")),
        days=sign * (part("weeks") * 7 + part("days")),
        milliseconds=sign * (part("hours", HOUR_MS) + part("minutes", MINUTE_MS) + part("seconds", SECOND_MS)),
    )


def to_datetime(instant: InstantMs, zone: tzinfo = UTC) -> datetime:
    """The instant as an aware datetime in `zone`."""
    return (_EPOCH + timedelta(milliseconds=instant)).astimezone(zone)


def from_datetime(moment: datetime) -> InstantMs:
    """The instant of an aware datetime, rounded down to the millisecond.

    Raises:
        ValueError: the datetime has no zone, so it names no instant.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; an instant needs one.")
    return InstantMs((moment - _EPOCH) // timedelta(milliseconds=1))


def parse_instant(text: str, zone: tzinfo = UTC) -> InstantMs:
    """Read an ISO 8601 date-time; one without an offset is taken in `zone`.

    Raises:
        ValueError: the text is not an ISO 8601 date-time.
    """
    moment = datetime.fromisoformat(text.strip())
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def parse_zoned(text: str, zone: tzinfo = UTC) -> InstantMs:
    """Read an ISO 8601 date-time that may name its own zone, as FEEL or Java does.

    That is ``…T09:00:00@Europe/Berlin`` or ``…T09:00:00+01:00[Europe/Berlin]``. An offset says more than a zone does;
    without both the text is taken in `zone`.

    Raises:
        ValueError: the text is not an ISO 8601 date-time, or nobody knows the zone.
    """
    moment, _, named = text.strip().removesuffix("]").replace("[", "@").partition("@")
    try:
        return parse_instant(moment, ZoneInfo(named) if named else zone)
    except ZoneInfoNotFoundError:
        raise ValueError(f"{named[:80]!r} is no time zone.") from None


@lru_cache(maxsize=4_096)  # what happens together happens at one instant, and is shown together
def format_instant(instant: InstantMs) -> str:
    """ISO 8601 in UTC with milliseconds, e.g. ``2026-11-24T09:30:00.000Z``."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant % 1000:03d}Z"


def add_duration(instant: InstantMs, duration: Duration, zone: tzinfo = UTC) -> InstantMs:
    """Move an instant by a duration as a person with a wall clock in `zone` would.

    Months clip to the end of the month; months and days keep the wall-clock time across a change of the
    clocks (a wall-clock time that the change skips moves on by the gap); hours and below are exact.

    Raises:
        ValueError: that is outside the years 1 to 9999.
    """
    try:
        moved = _moved(instant, duration, zone)
        to_datetime(moved)
    except OverflowError:
        raise ValueError("That is outside the years 1 to 9999.") from None
    return moved


def _moved(instant: InstantMs, duration: Duration, zone: tzinfo) -> InstantMs:
    if duration.months or duration.days:
        local = to_datetime(instant, zone).replace(tzinfo=None)
        if duration.months:
            month_index = local.year * 12 + local.month - 1 + duration.months
            year, month = divmod(month_index, 12)
            day = min(local.day, calendar.monthrange(year, month + 1)[1])
            local = local.replace(year=year, month=month + 1, day=day)
        local += timedelta(days=duration.days)
        # Through UTC and back: a wall-clock time inside a spring gap becomes the one after the gap.
        instant = from_datetime(local.replace(tzinfo=zone))
    return InstantMs(instant + duration.milliseconds)
