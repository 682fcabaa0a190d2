"""Working calendars from the `holidays` package: data goes in here once, the core never asks for more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import holidays

from noria.kernel.calendar import OFFICE_WEEK, WorkCalendar

CHINA_ZONE = "Asia/Shanghai"


def china_calendar(years: Iterable[int], calendar_id: str = "default") -> WorkCalendar:
    """Mainland China's office calendar with public holidays and make-up workdays (调休).

    The State Council publishes a year's make-up days late in the year before; a year of which the package knows none
    is not published yet, and the horizon ends before it.
    """
    published = holidays.country_holidays("CN", years=list(years))
    workdays = frozenset(published.weekend_workdays)
    known = {day.year for day in workdays}
    return WorkCalendar(
        id=calendar_id,
        version=1,
        zone=CHINA_ZONE,
        week=OFFICE_WEEK,
        holidays=frozenset(day for day in published if day not in workdays),
        workdays=workdays,
        horizon=date(max(known), 12, 31) if known else date(min(years), 1, 1),
    )
