"""Working calendars: to look at, to publish, to give to units."""

from __future__ import annotations

import msgspec
from litestar import get, post, put

from noria.adapters.http.services import Services
from noria.kernel.numbers import whole_number
from noria.operate.calendar_drafts import CalendarDraft
from noria.operate.calendar_views import (
    CalendarBrief,
    CalendarView,
    CalendarYear,
    PublicationPlan,
    SuggestedDays,
    UnitCalendar,
)
from noria.operate.office import Caller
from noria.operate.views import Page


class UnitCalendarOrder(msgspec.Struct):
    """The calendar that a unit is to have as its own, "" for that of the unit above."""

    calendar: str = ""


def _number(year: str) -> int:
    number = whole_number(year, 9_999)
    if number is None:
        raise ValueError(f"{year[:80]!r} is no year such as 2026.")
    return number


@get("/calendars", operation_id="listCalendars", tags=["calendars"])
async def list_calendars(caller: Caller, services: Services) -> Page[CalendarBrief]:
    """All working calendars in force."""
    return await services.calendaring.list_all(caller)


@get("/calendars/{calendar_id:str}", operation_id="getCalendar", tags=["calendars"])
async def get_calendar(calendar_id: str, caller: Caller, services: Services, version: int = 0) -> CalendarView:
    """A calendar: the version in force, or an earlier one."""
    return await services.calendaring.one(caller, calendar_id, version)


@get("/calendars/{calendar_id:str}/years/{year:str}", operation_id="getCalendarYear", tags=["calendars"])
async def get_year(calendar_id: str, year: str, caller: Caller, services: Services, version: int = 0) -> CalendarYear:
    """A year of a calendar, day by day, with its holidays and make-up workdays."""
    return await services.calendaring.year(caller, calendar_id, _number(year), version)


@get("/public-holidays/{year:str}", operation_id="getPublicHolidays", tags=["calendars"])
async def get_public_holidays(year: str, caller: Caller, services: Services) -> SuggestedDays:
    """Holidays and make-up workdays of a year in mainland China, to be taken over into a calendar."""
    return await services.calendaring.suggested(caller, _number(year))


@post("/calendars/{calendar_id:str}/plan", operation_id="planCalendar", tags=["calendars"], status_code=200)
async def plan_calendar(calendar_id: str, data: CalendarDraft, caller: Caller, services: Services) -> PublicationPlan:
    """Check a calendar, and list the due dates that publishing it would count anew; nothing is written."""
    return await services.calendaring.plan(caller, calendar_id, data)


@post("/calendars/{calendar_id:str}", operation_id="publishCalendar", tags=["calendars"], status_code=201)
async def publish_calendar(calendar_id: str, data: CalendarDraft, caller: Caller, services: Services) -> CalendarView:
    """Publish a calendar as its next version; provisional due dates are counted anew in the background."""
    return await services.calendaring.publish(caller, calendar_id, data)


@get("/unit-calendars", operation_id="listUnitCalendars", tags=["calendars"])
async def list_unit_calendars(caller: Caller, services: Services) -> Page[UnitCalendar]:
    """By which calendar each unit works."""
    return await services.calendaring.units(caller)


@put("/unit-calendars/{unit_id:str}", operation_id="assignCalendar", tags=["calendars"])
async def assign_calendar(unit_id: str, data: UnitCalendarOrder, caller: Caller, services: Services) -> UnitCalendar:
    """Give a unit a calendar of its own, or take it away."""
    return await services.calendaring.assign(caller, unit_id, data.calendar)


HANDLERS = [
    list_calendars,
    get_calendar,
    get_year,
    get_public_holidays,
    plan_calendar,
    publish_calendar,
    list_unit_calendars,
    assign_calendar,
]
