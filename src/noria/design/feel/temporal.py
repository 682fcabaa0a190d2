"""Dates, times, date-times and durations of FEEL: years -999,999,999 to 999,999,999, offsets and IANA zones kept.

Python's own types end at year 9999 and forget whether a zone was an offset or a name; FEEL needs both.
Algorithm of day numbers: Howard Hinnant, "chrono-compatible low-level date algorithms" (public).
"""

from __future__ import annotations

import functools
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND_NS = 1_000_000_000
DAY_S = 86_400
DAY_NS = DAY_S * SECOND_NS
YEAR_MAX = 999_999_999
OFFSET_MAX_S = 18 * 3_600
# An offset before the first and behind the last of Python's years must not lead out of them.
_ZONED_YEAR_MIN, _ZONED_YEAR_MAX = 2, 9_998

_DATE = r"(?P<year>-?(?:\d{4}|[1-9]\d{4,8}))-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = (
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,30}))?"
    r"(?P<zone>[zZ]|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+)*)?"
)
_DATE_RE = re.compile(_DATE, re.ASCII)
_TIME_RE = re.compile(_TIME, re.ASCII)
_DATE_TIME_RE = re.compile(_DATE + "T" + _TIME, re.ASCII)
_MONTHS_RE = re.compile(r"(-?)P(?:(\d{1,18})Y)?(?:(\d{1,18})M)?", re.ASCII)
_DAYS_RE = re.compile(
    r"(-?)P(?:(\d{1,18})D)?(?:T(?=\d)(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{1,18})(?:\.(\d{1,30}))?S)?)?", re.ASCII
)


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, for any year."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day number counted from 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _near_day(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day number, the year brought to where Python's zones reach.

    The calendar repeats every 400 years. What is before them borrows from their first years, in which no zone had a
    rule yet but the local mean time of its place; what is behind them from their last, in which its last rule holds.
    """
    year, month, day = civil_from_days(days)
    if year < _ZONED_YEAR_MIN:
        year = _ZONED_YEAR_MIN + (year - _ZONED_YEAR_MIN) % 400
    elif year > _ZONED_YEAR_MAX:
        year = _ZONED_YEAR_MAX - (_ZONED_YEAR_MAX - year) % 400
    return year, month, day


@functools.lru_cache(maxsize=512)
def zone_info(name: str) -> ZoneInfo | None:
    """The IANA zone of this name, or None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Zone:
    """A fixed offset in seconds, or an IANA zone by name. Equal when written the same way.

    Attributes:
        name: IANA name, "" for a fixed offset.
        offset_s: the fixed offset in seconds east of UTC; 0 for a named zone.
    """

    __slots__ = ("name", "offset_s")

    def __init__(self, name: str = "", offset_s: int = 0) -> None:
        self.name = name
        self.offset_s = offset_s

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Zone) and self.name == other.name and self.offset_s == other.offset_s

    def __hash__(self) -> int:
        return hash((self.name, self.offset_s))

    def offset_at(self, local_days: int, ns: int) -> int:
        """Offset in seconds east of UTC at a local day number and nanosecond of that day."""
        if not self.name:
            return self.offset_s
        info = zone_info(self.name)
        if info is None:
            return 0
        local = datetime(*_near_day(local_days), tzinfo=info) + timedelta(microseconds=ns // 1_000)
        offset = local.utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    def local_of(self, utc_ns: int) -> tuple[int, int]:
        """Local day number and nanosecond of the day of an instant in nanoseconds since the epoch."""
        offset = self.offset_s
        if self.name:
            days, ns = divmod(utc_ns, DAY_NS)
            info = zone_info(self.name)
            if info is not None:
                moment = datetime(*_near_day(days), tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=ns // 1_000)
                found = moment.astimezone(info).utcoffset()
                offset = int(found.total_seconds()) if found is not None else 0
        return divmod(utc_ns + offset * SECOND_NS, DAY_NS)

    def __str__(self) -> str:
        if self.name:
            return "@" + self.name
        if self.offset_s == 0:
            return "Z"
        sign = "-" if self.offset_s < 0 else "+"
        hours, rest = divmod(abs(self.offset_s), 3_600)
        minutes, seconds = divmod(rest, 60)
        return f"{sign}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")


class Date:
    """A calendar date."""

    __slots__ = ("day", "month", "year")

    def __init__(self, year: int, month: int, day: int) -> None:
        self.year = year
        self.month = month
        self.day = day

    @property
    def days(self) -> int:
        """Days since 1970-01-01."""
        return days_from_civil(self.year, self.month, self.day)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Date) and self.year == other.year and self.month == other.month and self.day == other.day
        )

    def __hash__(self) -> int:
        return hash((self.year, self.month, self.day))

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04d}-{self.month:02d}-{self.day:02d}"

    def __repr__(self) -> str:
        return f"Date({self})"


class Time:
    """A time of day, with or without a zone.

    Attributes:
        ns: nanoseconds since midnight.
        zone: None for a local time.
    """

    __slots__ = ("ns", "zone")

    def __init__(self, ns: int, zone: Zone | None = None) -> None:
        self.ns = ns
        self.zone = zone

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.ns // (3_600 * SECOND_NS)

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self.ns // (60 * SECOND_NS) % 60

    @property
    def second(self) -> int:
        """0 to 59, without the fraction."""
        return self.ns // SECOND_NS % 60

    def offset_s(self) -> int | None:
        """Seconds east of UTC; None for a local time. A named zone is read at 1970-01-01."""
        return None if self.zone is None else self.zone.offset_at(0, self.ns)

    def key(self) -> int:
        """Nanoseconds for comparison among times that all have a zone, or all have none."""
        return self.ns - (self.offset_s() or 0) * SECOND_NS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self.ns == other.ns and self.zone == other.zone

    def __hash__(self) -> int:
        return hash((self.ns, self.zone))

    def __str__(self) -> str:
        return _clock_text(self.ns) + ("" if self.zone is None else str(self.zone))

    def __repr__(self) -> str:
        return f"Time({self})"


class DateTime:
    """A date and a time of day, with or without a zone.

    Attributes:
        date: the local date.
        ns: nanoseconds since local midnight.
        zone: None for a local date-time.
    """

    __slots__ = ("date", "ns", "zone")

    def __init__(self, date: Date, ns: int, zone: Zone | None = None) -> None:
        self.date = date
        self.ns = ns
        self.zone = zone

    @property
    def time(self) -> Time:
        """The time part, with its zone."""
        return Time(self.ns, self.zone)

    def offset_s(self) -> int | None:
        """Seconds east of UTC; None for a local date-time."""
        return None if self.zone is None else self.zone.offset_at(self.date.days, self.ns)

    def key(self) -> int:
        """Nanoseconds since the epoch; a local date-time is read as UTC."""
        return self.date.days * DAY_NS + self.ns - (self.offset_s() or 0) * SECOND_NS

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DateTime) and self.ns == other.ns and self.date == other.date and self.zone == other.zone
        )

    def __hash__(self) -> int:
        return hash((self.date, self.ns, self.zone))

    def __str__(self) -> str:
        return f"{self.date}T{_clock_text(self.ns)}" + ("" if self.zone is None else str(self.zone))

    def __repr__(self) -> str:
        return f"DateTime({self})"


class DaysDuration:
    """A days and time duration, in nanoseconds."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaysDuration) and self.ns == other.ns

    def __hash__(self) -> int:
        return hash(("days", self.ns))

    def __str__(self) -> str:
        if self.ns == 0:
            return "PT0S"
        total_s, fraction = divmod(abs(self.ns), SECOND_NS)
        minutes, seconds = divmod(total_s, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        text = ("-P" if self.ns < 0 else "P") + (f"{days}D" if days else "")
        clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
        if seconds or fraction:
            clock += f"{seconds}" + (f".{fraction:09d}".rstrip("0") if fraction else "") + "S"
        return text + ("T" + clock if clock else "")

    def __repr__(self) -> str:
        return f"DaysDuration({self})"


class MonthsDuration:
    """A years and months duration, in months."""

    __slots__ = ("months",)

    def __init__(self, months: int) -> None:
        self.months = months

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MonthsDuration) and self.months == other.months

    def __hash__(self) -> int:
        return hash(("months", self.months))

    def __str__(self) -> str:
        if self.months == 0:
            return "P0M"
        years, months = divmod(abs(self.months), 12)
        sign = "-" if self.months < 0 else ""
        return f"{sign}P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")

    def __repr__(self) -> str:
        return f"MonthsDuration({self})"


def _clock_text(ns: int) -> str:
    seconds, fraction = divmod(ns, SECOND_NS)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}" + (f".{fraction:09d}".rstrip("0") if fraction else "")


def make_date(year: int, month: int, day: int) -> Date | None:
    """A date, or None when there is no such day."""
    if not -YEAR_MAX <= year <= YEAR_MAX or not 1 <= month <= 12 or not 1 <= day <= days_in_month(year, month):
        return None
    return Date(year, month, day)


def date_from_days(days: int) -> Date | None:
    """The date of a day number, or None when its year is out of range."""
    year, month, day = civil_from_days(days)
    return Date(year, month, day) if -YEAR_MAX <= year <= YEAR_MAX else None


def parse_zone(text: str) -> Zone | None:
    """``Z``, ``+hh:mm[:ss]`` or ``@Area/City``; None when it is none of these."""
    if text in {"Z", "z"}:
        return Zone()
    if text.startswith("@"):
        return Zone(text[1:]) if zone_info(text[1:]) is not None else None
    parts = [int(part) for part in text[1:].split(":")]
    seconds = parts[0] * 3_600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)
    if seconds > OFFSET_MAX_S or parts[1] > 59 or (len(parts) > 2 and parts[2] > 59):
        return None
    return Zone(offset_s=-seconds if text[0] == "-" else seconds)


def parse_date(text: str) -> Date | None:
    """An ISO 8601 date, or None."""
    match = _DATE_RE.fullmatch(text)
    return make_date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None


def _time_of(match: re.Match[str]) -> Time | None:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if hour > 23 or minute > 59 or second > 59:
        return None
    zone = None
    if match["zone"]:
        zone = parse_zone(match["zone"])
        if zone is None:
            return None
    fraction = int(((match["fraction"] or "") + "0" * 9)[:9])
    return Time(((hour * 60 + minute) * 60 + second) * SECOND_NS + fraction, zone)


def parse_time(text: str) -> Time | None:
    """An ISO 8601 time with seconds, optionally with ``Z``, an offset or ``@zone``; or None."""
    match = _TIME_RE.fullmatch(text.removeprefix("T"))
    return _time_of(match) if match else None


def parse_date_time(text: str) -> DateTime | None:
    """An ISO 8601 date-time, or a date (midnight, local); or None."""
    match = _DATE_TIME_RE.fullmatch(text)
    if match is None:
        date = parse_date(text)
        return None if date is None else DateTime(date, 0)
    date = make_date(int(match["year"]), int(match["month"]), int(match["day"]))
    if match["hour"] == "24" and match["minute"] == match["second"] == "00" and not int(match["fraction"] or 0):
        # ISO 8601: the end of a day is the start of the next.
        shifted = parse_date_time(text.replace("T24", "T00", 1))
        next_day = None if shifted is None else date_from_days(shifted.date.days + 1)
        return None if shifted is None or next_day is None else DateTime(next_day, 0, shifted.zone)
    time = _time_of(match)
    return None if date is None or time is None else DateTime(date, time.ns, time.zone)


def parse_duration(text: str) -> DaysDuration | MonthsDuration | None:
    """An ISO 8601 duration of only years and months, or only days and below; or None."""
    match = _MONTHS_RE.fullmatch(text)
    if match and (match[2] or match[3]):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return MonthsDuration(-months if match[1] else months)
    match = _DAYS_RE.fullmatch(text)
    if match and any(match[index] for index in (2, 3, 4, 5)):
        seconds = int(match[2] or 0) * DAY_S + int(match[3] or 0) * 3_600 + int(match[4] or 0) * 60 + int(match[5] or 0)
        ns = seconds * SECOND_NS + int(((match[6] or "") + "0" * 9)[:9])
        return DaysDuration(-ns if match[1] else ns)
    return None


def parse_temporal(text: str) -> Date | Time | DateTime | DaysDuration | MonthsDuration | None:
    """What an ``@"..."`` literal means, or None when it is no temporal text."""
    # A date alone would be read as a date-time too.
    for parse in (parse_date, parse_time, parse_duration, parse_date_time):
        if (value := parse(text)) is not None:
            return value
    return None
