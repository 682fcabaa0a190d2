"""Functions of dates, times and durations."""

from __future__ import annotations

from decimal import ROUND_DOWN
from typing import Any

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import builtin
from noria.design.feel.temporal import (
    OFFSET_MAX_S,
    SECOND_NS,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    Zone,
    civil_from_days,
    days_from_civil,
    make_date,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
)
from noria.design.feel.values import decimal_of, integer_of

_UTC = Zone()
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _read(c: EvaluationContext, value: Any, text: str, what: str) -> Any:
    if value is None:
        c.note("feel.conversion", f"{text[:80]!r} is not a {what}.")
    return value


@builtin("date", "year:number;month:number;day:number")
def _date_of_parts(c: EvaluationContext, year: Any, month: Any, day: Any) -> Date | None:
    parts = [integer_of(part) for part in (year, month, day)]
    made = None if None in parts else make_date(*(part or 0 for part in parts))
    return _read(c, made, f"{year}-{month}-{day}", "date")  # type: ignore[no-any-return]


@builtin("date", "from:date|datetime")
def _date_of(_c: EvaluationContext, value: Date | DateTime) -> Date:
    return value.date if type(value) is DateTime else value  # type: ignore[return-value]


@builtin("date", "from:string")
def _date(c: EvaluationContext, text: str) -> Any:
    return _read(c, parse_date(text), text, "date")


@builtin("time", "hour:number;minute:number;second:number;offset?:days?")
def _time_of_parts(
    c: EvaluationContext, hour: Any, minute: Any, second: Any, offset: DaysDuration | None = None
) -> Time | None:
    hours, minutes = integer_of(hour), integer_of(minute)
    ns = int((decimal_of(second) * SECOND_NS).to_integral_value(ROUND_DOWN))
    if hours is None or minutes is None or not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= ns < 60 * SECOND_NS):
        c.note("feel.conversion", "Hours are 0 to 23, minutes and seconds 0 to 59.")
        return None
    zone = None
    if offset is not None:
        if abs(offset.ns) > OFFSET_MAX_S * SECOND_NS or offset.ns % SECOND_NS:
            c.note("feel.conversion", "An offset is at most 18 hours, in whole seconds.")
            return None
        zone = Zone(offset_s=offset.ns // SECOND_NS)
    return Time((hours * 60 + minutes) * 60 * SECOND_NS + ns, zone)


@builtin("time", "from:date|time|datetime")
def _time_of(_c: EvaluationContext, value: Any) -> Time:
    if type(value) is Time:
        return value
    return value.time if type(value) is DateTime else Time(0, _UTC)


@builtin("time", "from:string")
def _time(c: EvaluationContext, text: str) -> Any:
    return _read(c, parse_time(text), text, "time")


@builtin("date and time", "date:date|datetime;time:time")
def _date_time_of_parts(_c: EvaluationContext, date: Any, time: Time) -> DateTime:
    return DateTime(date.date if type(date) is DateTime else date, time.ns, time.zone)


@builtin("date and time", "from:date|datetime")
def _date_time_of(_c: EvaluationContext, value: Any) -> DateTime:
    return DateTime(value, 0, _UTC) if type(value) is Date else value


@builtin("date and time", "from:string")
def _date_time(c: EvaluationContext, text: str) -> Any:
    return _read(c, parse_date_time(text), text, "date and time")


@builtin("duration", "from:days|months")
def _duration_of(_c: EvaluationContext, value: Any) -> Any:
    return value


@builtin("@", "from:string")
def _at_literal(c: EvaluationContext, text: str) -> Any:
    return _read(c, parse_temporal(text), text, "date, time or duration")


@builtin("duration", "from:string")
def _duration(c: EvaluationContext, text: str) -> Any:
    return _read(c, parse_duration(text), text, "duration")


@builtin("years and months duration", "from:date|datetime;to:date|datetime")
def _years_and_months_duration(_c: EvaluationContext, start: Any, end: Any) -> MonthsDuration:
    first = start.date if type(start) is DateTime else start
    last = end.date if type(end) is DateTime else end
    first_ns = start.ns if type(start) is DateTime else 0
    last_ns = end.ns if type(end) is DateTime else 0
    months = (last.year - first.year) * 12 + last.month - first.month
    # Whole months only, towards zero.
    if months > 0 and (last.day, last_ns) < (first.day, first_ns):
        months -= 1
    elif months < 0 and (last.day, last_ns) > (first.day, first_ns):
        months += 1
    return MonthsDuration(months)


def _now(c: EvaluationContext) -> DateTime:
    zone = _UTC if c.zone == "UTC" else Zone(c.zone)
    days, ns = zone.local_of(c.now_ms * 1_000_000)
    return DateTime(Date(*civil_from_days(days)), ns, zone)


builtin("now")(_now)


@builtin("today")
def _today(c: EvaluationContext) -> Date:
    return _now(c).date


def _plain_date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("day of year", "date:date|datetime")
def _day_of_year(_c: EvaluationContext, value: Any) -> int:
    date = _plain_date(value)
    return date.days - days_from_civil(date.year, 1, 1) + 1


@builtin("day of week", "date:date|datetime")
def _day_of_week(_c: EvaluationContext, value: Any) -> str:
    return _DAYS[(_plain_date(value).days + 3) % 7]


@builtin("month of year", "date:date|datetime")
def _month_of_year(_c: EvaluationContext, value: Any) -> str:
    return _MONTHS[_plain_date(value).month - 1]


@builtin("week of year", "date:date|datetime")
def _week_of_year(_c: EvaluationContext, value: Any) -> int:
    # ISO 8601: a week belongs to the year of its Thursday.
    days = _plain_date(value).days
    thursday = days - (days + 3) % 7 + 3
    return (thursday - days_from_civil(civil_from_days(thursday)[0], 1, 1)) // 7 + 1
