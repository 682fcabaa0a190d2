"""FEEL's dates, times and durations on Python's own types, and the text forms between.

A date is `datetime.date`, a date and time `datetime.datetime`, a time `datetime.time`, a days and time duration
`datetime.timedelta`, a years and months duration `Months`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from noria.kernel.instants import parse_duration


class Months(msgspec.Struct, frozen=True, order=True):
    """A years and months duration."""

    months: int


Temporal = date | datetime | time | timedelta | Months

_DATE = re.compile(r"(-?\d{4,9})-(\d{2})-(\d{2})")
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2}(?::\d{2})?|@[\w/+-]+)?")


def parse_date(text: str) -> date | None:
    """A date; None when the text is not one (or a year that Python's calendar does not know)."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """A time with an optional offset or zone; None when the text is not one."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    microsecond = int(((match[4] or ".")[1:] + "000000")[:6])
    try:
        return time(int(match[1]), int(match[2]), int(match[3]), microsecond, _zone(match[5]))
    except (ValueError, ZoneInfoNotFoundError):
        return None


def parse_date_time(text: str) -> datetime | None:
    """A date and time; a date alone counts as its midnight. None when the text is neither."""
    day_text, separator, time_text = text.partition("T")
    day = parse_date(day_text)
    if day is None:
        return None
    if not separator:
        return datetime.combine(day, time())
    moment = parse_time(time_text)
    return None if moment is None else datetime.combine(day, moment)


def parse_duration_text(text: str) -> timedelta | Months | None:
    """A duration of either kind; None when the text is not one or mixes both."""
    try:
        parsed = parse_duration(text)
    except ValueError:
        return None
    body = text.strip().lstrip("-")
    has_months = "Y" in body or "M" in body.partition("T")[0]
    has_days = "D" in body or "T" in body or "W" in body
    if has_months and has_days:
        return None
    if has_months:
        return Months(parsed.months)
    return timedelta(days=parsed.days, milliseconds=parsed.milliseconds)


def parse_temporal(text: str) -> Temporal | None:
    """What ``@"…"`` stands for; None when it is no date, time or duration."""
    if "T" in text and not text.lstrip("-").startswith("P"):
        return parse_date_time(text)
    return parse_date(text) or parse_time(text) or parse_duration_text(text)


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    if text.startswith("@"):
        return ZoneInfo(text[1:])
    sign = -1 if text[0] == "-" else 1
    parts = [int(part) for part in text[1:].split(":")]
    seconds = parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)
    return timezone(sign * timedelta(seconds=seconds))


def format_temporal(value: Temporal) -> str:
    """The text that reads back as the same value."""
    if isinstance(value, Months):
        return _format_months(value.months)
    if isinstance(value, timedelta):
        return _format_days(value)
    if isinstance(value, datetime):
        return f"{value.date().isoformat()}T{_format_time(value.timetz())}"
    if isinstance(value, date):
        return value.isoformat()
    return _format_time(value)


def _format_time(value: time) -> str:
    text = value.replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    zone = value.tzinfo
    if zone is None:
        return text
    if isinstance(zone, ZoneInfo):
        return f"{text}@{zone.key}"
    offset = zone.utcoffset(None) or timedelta()
    if not offset:
        return text + "Z"
    total = int(abs(offset).total_seconds())
    shown = f"{total // 3600:02d}:{total // 60 % 60:02d}" + (f":{total % 60:02d}" if total % 60 else "")
    return f"{text}{'-' if offset < timedelta() else '+'}{shown}"


def _format_months(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    body = (f"{years}Y" if years else "") + (f"{rest}M" if rest or not years else "")
    return f"{'-' if months < 0 else ''}P{body}"


def _format_days(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    shown_seconds = f"{seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".") if value.microseconds else str(seconds)
    clock = (
        (f"{hours}H" if hours else "")
        + (f"{minutes}M" if minutes else "")
        + (f"{shown_seconds}S" if shown_seconds != "0" else "")
    )
    body = (f"{value.days}D" if value.days else "") + (f"T{clock}" if clock else "")
    return f"{sign}P{body or 'T0S'}"


def add_months(value: date, months: int) -> date | None:
    """A date (or date and time) moved by months, clipped to the end of the month; None out of the calendar's range."""
    index = value.year * 12 + value.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        return None
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) if year < 9999 or month < 11 else None
    last = (following - timedelta(days=1)).day if following else 31
    return value.replace(year=year, month=month + 1, day=min(value.day, last))
