"""What people and programs are shown of working calendars."""

from __future__ import annotations

import msgspec

from noria.operate.views import Ref


class CalendarBrief(msgspec.Struct, kw_only=True):
    """A calendar in the version in force; `units` are those that have it as their own."""

    id: str
    name: str
    version: int
    zone: str
    horizon: str
    published_at: str
    published_by: Ref | None
    units: list[Ref]


class CalendarVersion(msgspec.Struct, kw_only=True):
    """A publication of a calendar."""

    version: int
    published_at: str
    published_by: Ref | None
    note: str


class CalendarView(msgspec.Struct, kw_only=True):
    """One version of a calendar.

    Attributes:
        week: for Monday to Sunday the working hours, such as ``09:00-12:00``; one that ends no later than it begins
            ends on the next day.
        holidays: date → what the day is called.
        workdays: make-up workdays.
        hours: dates with hours of their own.
        horizon: last date for which holidays are known.
        batch: counts the provisional due dates anew after this publication, "" for none.
    """

    id: str
    name: str
    version: int
    zone: str
    week: list[list[str]]
    holidays: dict[str, str]
    workdays: list[str]
    hours: dict[str, list[str]]
    horizon: str
    published_at: str
    published_by: Ref | None
    note: str
    versions: list[CalendarVersion]
    batch: str = ""


class CalendarDay(msgspec.Struct):
    """A day of a calendar.

    Attributes:
        date: the day.
        kind: "working", "free", "holiday", "make_up" or "special" (hours of its own).
        name: of the holiday, "" for none.
        minutes: of working time.
    """

    date: str
    kind: str
    name: str
    minutes: int


class CalendarYear(msgspec.Struct, kw_only=True):
    """A year of a calendar; `provisional` when its holidays are not all known."""

    year: int
    working_days: int
    make_up_days: int
    provisional: bool
    days: list[CalendarDay]


class SuggestedDays(msgspec.Struct):
    """Holidays and make-up workdays of a year as the holiday package has them; `published` by the authority or not."""

    year: int
    holidays: dict[str, str]
    workdays: list[str]
    published: bool


class AffectedDeadline(msgspec.Struct):
    """A due date that a publication would count anew.

    Attributes:
        instance_id: "" for a start event that waits for its time; `title` is the name of the process then.
    """

    instance_id: str
    business_key: str
    title: str
    element: Ref
    before: str
    after: str
    provisional: bool
    process: str


class PublicationPlan(msgspec.Struct):
    """What publishing a calendar would do: how many due dates would be counted anew, and the first of them."""

    total: int
    affected: list[AffectedDeadline]


class UnitCalendar(msgspec.Struct):
    """By which calendar a unit works; `own` is "" when it is that of a unit above, or the default one."""

    unit: Ref
    own: str
    calendar: str
