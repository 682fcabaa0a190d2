"""Working calendars as people write them: texts for dates and hours, checked before they are published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from noria.engine.deadlines import OF_UNIT
from noria.kernel.calendar import DAY_MINUTES, Hours, WorkCalendar, intervals_on, is_working_day
from noria.kernel.errors import Rejected
from noria.operate.calendar_views import CalendarDay, CalendarYear

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_WEEKDAYS = 7
_DAYS_MAX = 5_000
_SPANS_MAX = 20
_NAME_CHARS_MAX = 100


class CalendarDraft(msgspec.Struct):
    """A calendar to be published.

    Attributes:
        zone: IANA name of the zone its wall-clock times are in.
        week: for Monday to Sunday the working hours, such as ``["09:00-12:00", "13:00-18:00"]``; one that ends no later
            than it begins ends on the next day.
        horizon: last date for which holidays are known, YYYY-MM-DD.
        holidays: date → what the day is called.
        workdays: make-up workdays (调休).
        hours: dates with hours of their own.
        name: what people call the calendar.
        base: the version that it was made from; refused when another one is in force. 0 for a new calendar.
        note: why it is published.
    """

    zone: str
    week: list[list[str]]
    horizon: str
    holidays: dict[str, str] = {}
    workdays: list[str] = []
    hours: dict[str, list[str]] = {}
    name: str = ""
    base: int = 0
    note: str = ""


class _Fault(Exception):  # noqa: N818 - carries a refusal out of the reading
    def __init__(self, code: str, field: str, message: str) -> None:
        self.rejected = Rejected(code, message, {"fields": {field: code}})


def read_draft(key: str, version: int, draft: CalendarDraft) -> WorkCalendar | Rejected:
    """The calendar that a draft describes, or what is wrong with it.

    Args:
        key: id of the calendar.
        version: that it would have.
        draft: as people write it.
    """
    try:
        return _read(key, version, draft)
    except _Fault as fault:
        return fault.rejected


def _read(key: str, version: int, draft: CalendarDraft) -> WorkCalendar:
    if not _ID.fullmatch(key) or key == OF_UNIT:
        raise _Fault(
            "calendar.bad_id", "id", f"{key!r} cannot be an id: use letters, digits, - and _, and not {OF_UNIT!r}."
        )
    if len(draft.name) > _NAME_CHARS_MAX:
        raise _Fault("calendar.bad_name", "name", f"The name is longer than {_NAME_CHARS_MAX} characters.")
    try:
        ZoneInfo(draft.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _Fault(
            "calendar.bad_zone", "zone", f"{draft.zone!r} is no time zone; give one such as Asia/Shanghai."
        ) from None
    if max(len(draft.holidays), len(draft.workdays), len(draft.hours)) > _DAYS_MAX:
        raise _Fault("calendar.too_many_days", "holidays", f"There are more than {_DAYS_MAX} days of a kind.")
    if len(draft.week) != _WEEKDAYS:
        raise _Fault("calendar.bad_hours", "week", "The week needs the hours of seven days, Monday first.")
    calendar = WorkCalendar(
        key,
        version,
        draft.zone,
        tuple(_hours(spans, f"week.{number}") for number, spans in enumerate(draft.week)),
        {_date(day, "holidays"): _name(name) for day, name in draft.holidays.items()},
        frozenset(_date(day, "workdays") for day in draft.workdays),
        _date(draft.horizon, "horizon"),
        {_date(day, "hours"): _hours(spans, f"hours.{day}") for day, spans in draft.hours.items()},
        draft.name.strip(),
    )
    _check_whole(calendar)
    return calendar


def _name(text: str) -> str:
    if len(text) > _NAME_CHARS_MAX:
        raise _Fault("calendar.bad_name", "holidays", f"The name {text[:20]!r}… is too long.")
    return text.strip()


def _date(text: str, field: str) -> date:
    try:
        if len(text) != len("2026-01-01"):
            raise ValueError(text)  # noqa: TRY301 - other forms of ISO 8601 are not for people
        return date.fromisoformat(text)
    except ValueError:
        raise _Fault("calendar.bad_date", field, f"{text!r} is no date such as 2026-10-01.") from None


def _hours(spans: Sequence[str], field: str) -> Hours:
    if len(spans) > _SPANS_MAX:
        raise _Fault("calendar.bad_hours", field, f"A day has more than {_SPANS_MAX} intervals.")
    found: list[tuple[int, int]] = []
    for text in spans:
        match = _SPAN.fullmatch(text.strip())
        if match is None:
            raise _Fault("calendar.bad_hours", field, f"{text!r} are no hours such as 09:00-12:00.")
        start = int(match[1]) * 60 + int(match[2])
        end = int(match[3]) * 60 + int(match[4])
        if start >= DAY_MINUTES or end > DAY_MINUTES or max(int(match[2]), int(match[4])) > 59:
            raise _Fault("calendar.bad_hours", field, f"{text!r} is not within a day.")
        found.append((start, end if end > start else end + DAY_MINUTES))
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise _Fault("calendar.bad_hours", field, f"{', '.join(spans)} overlap or are not in order.")
    return tuple(found)


def _check_whole(calendar: WorkCalendar) -> None:
    both = calendar.workdays & calendar.holidays.keys()
    if both:
        text = f"{min(both).isoformat()} is a holiday and a make-up workday at once."
        raise _Fault("calendar.contradiction", "workdays", text)
    if not any(calendar.week):
        raise _Fault("calendar.no_working_time", "week", "Nobody ever works: give the hours of at least one weekday.")
    every = [hours for hours in (*calendar.week, *calendar.hours.values()) if hours]
    latest = max(hours[-1][1] for hours in every) - DAY_MINUTES
    if latest > min(hours[0][0] for hours in every):
        raise _Fault("calendar.bad_hours", "week", "A shift that crosses midnight runs into the hours of the next day.")


def text_of_hours(hours: Hours) -> list[str]:
    """Hours as people write them."""

    def clock(minute: int) -> str:
        if minute > DAY_MINUTES:
            minute -= DAY_MINUTES
        return f"{minute // 60:02}:{minute % 60:02}"

    return [f"{clock(start)}-{clock(end)}" for start, end in hours]


def draft_of(calendar: WorkCalendar, note: str = "") -> CalendarDraft:
    """A calendar as people write it."""
    return CalendarDraft(
        calendar.zone,
        [text_of_hours(hours) for hours in calendar.week],
        calendar.horizon.isoformat(),
        named_days(calendar.holidays),
        sorted(day.isoformat() for day in calendar.workdays),
        {day.isoformat(): text_of_hours(hours) for day, hours in sorted(calendar.hours.items())},
        calendar.name,
        calendar.version,
        note,
    )


def named_days(days: Mapping[date, str]) -> dict[str, str]:
    """Dates as texts, in order."""
    return {day.isoformat(): name for day, name in sorted(days.items())}


def year_of(calendar: WorkCalendar, year: int) -> CalendarYear:
    """A year of a calendar, day by day."""
    first = date(year, 1, 1)
    dates = [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]
    return CalendarYear(
        year=year,
        working_days=sum(is_working_day(calendar, day) for day in dates),
        make_up_days=sum(day.year == year for day in calendar.workdays),
        provisional=calendar.horizon < dates[-1],
        days=[
            CalendarDay(
                day.isoformat(),
                kind_of(calendar, day),
                calendar.holidays.get(day, ""),
                sum(end - start for start, end in intervals_on(calendar, day)),
            )
            for day in dates
        ],
    )


def kind_of(calendar: WorkCalendar, day: date) -> str:
    """What a date is: "special", "make_up", "holiday", "working" or "free"."""
    if day in calendar.hours:
        return "special"
    if day in calendar.workdays:
        return "make_up"
    if day in calendar.holidays:
        return "holiday"
    return "working" if calendar.week[day.weekday()] else "free"
