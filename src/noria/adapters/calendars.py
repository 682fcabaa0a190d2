"""Working calendars from the `holidays` package: data goes in here once, the core never asks for more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import holidays
import msgspec

from noria.kernel.calendar import OFFICE_WEEK, WorkCalendar

CHINA_ZONE = "Asia/Shanghai"
_REST_DAY = "休息日"


class PublicDays(msgspec.Struct, frozen=True):
    """What the package knows of a year.

    Attributes:
        holidays: date → what the day is called.
        workdays: make-up workdays.
        published: whether the year's make-up days are known; if not, the holidays are those that the law always has.
    """

    holidays: dict[date, str]
    workdays: frozenset[date]
    published: bool


def china_days(year: int) -> PublicDays:
    """Public holidays and make-up workdays (调休) of a year in mainland China.

    The State Council publishes a year's make-up days late in the year before; a year of which the package knows none
    is not published yet.
    """
    found = holidays.country_holidays("CN", years=[year], language="zh_CN")
    # The package lists make-up days of other years too when they lie at a turn of the year.
    workdays = frozenset(day for day in found.weekend_workdays if day.year == year)
    named = {day: name.removesuffix("（补假）") for day, name in found.items() if not name.startswith(_REST_DAY)}
    days = {day: named.get(day) or _nearest(named, day) for day in sorted(found) if day not in workdays}
    return PublicDays(days, workdays, bool(workdays))


def _nearest(named: dict[date, str], day: date) -> str:
    """A rest day that was moved is called like the festival that it lengthens."""
    return min(named.items(), key=lambda item: abs((item[0] - day).days), default=(day, ""))[1]


def china_calendar(years: Iterable[int], calendar_id: str = "default") -> WorkCalendar:
    """Mainland China's office calendar with holidays and make-up workdays; its horizon is the last year known."""
    known = {year: china_days(year) for year in sorted(years)}
    published = [year for year, days in known.items() if days.published]
    return WorkCalendar(
        id=calendar_id,
        version=1,
        zone=CHINA_ZONE,
        week=OFFICE_WEEK,
        holidays={day: name for days in known.values() for day, name in sorted(days.holidays.items())},
        workdays=frozenset(day for days in known.values() for day in days.workdays),
        horizon=date(published[-1], 12, 31) if published else date(min(known), 1, 1),
        name="办公日历",
    )
