"""Working calendars for people: to look at, to publish with all that depends on them, and to give to units."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import Rejected
from noria.operate.calendar_drafts import CalendarDraft, draft_of, named_days, read_draft, year_of
from noria.operate.calendar_views import (
    CalendarBrief,
    CalendarVersion,
    CalendarView,
    CalendarYear,
    PublicationPlan,
    SuggestedDays,
    UnitCalendar,
)
from noria.operate.calendars import CalendarBook, CalendarRow, CalendarStore, inherited
from noria.operate.deriving import Deriving, batch_id, batch_of
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, origin_json, person_or_none
from noria.operate.views import Page, Ref
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission

_AFFECTED_MAX = 200
_YEAR_MIN, _YEAR_MAX = 1970, 2200


class KnownDays(msgspec.Struct, frozen=True):
    """What is known of a year's public holidays; `published` by the authority, or only what the law always has."""

    holidays: dict[date, str]
    workdays: frozenset[date]
    published: bool


class Calendaring:
    """The use cases about working calendars.

    Args:
        office: what all use cases share.
        book: all calendars in memory.
        store: where they are kept.
        deriving: counts due dates anew.
        suggest: what is known of a year's public holidays.
    """

    def __init__(
        self,
        office: Office,
        book: CalendarBook,
        store: CalendarStore,
        deriving: Deriving,
        suggest: Callable[[int], KnownDays],
    ) -> None:
        self._office = office
        self._book = book
        self._store = store
        self._deriving = deriving
        self._suggest = suggest

    # Looking: everybody works by them, so everybody may see them

    async def list_all(self, caller: Caller) -> Page[CalendarBrief]:
        """All calendars in force."""
        tenant = caller.principal.tenant
        organisation = await self._office.people.organisation(tenant)
        assigned = self._book.assigned(tenant)
        found = []
        for row in self._book.all(tenant):
            key = row.calendar.id
            units = [
                organisation.units[unit]
                for unit, own in sorted(assigned.items())
                if own == key and unit in organisation.units
            ]
            found.append(
                CalendarBrief(
                    id=key,
                    name=row.calendar.name,
                    version=row.calendar.version,
                    zone=row.calendar.zone,
                    horizon=row.calendar.horizon.isoformat(),
                    published_at=iso(row.at),
                    published_by=person_or_none(organisation, row.by),
                    units=[Ref(unit.id, unit.name) for unit in units],
                )
            )
        return Page(found, len(found), len(found), 0)

    async def one(self, caller: Caller, key: str, version: int = 0) -> CalendarView:
        """A calendar in one of its versions, or (0) the one in force.

        Raises:
            NotFoundError: there is no such calendar or version.
        """
        return await self._view(self._row(caller, key, version))

    def draft(self, caller: Caller, key: str) -> CalendarDraft:
        """The calendar in force as a draft of its next version.

        Raises:
            NotFoundError: there is no such calendar.
        """
        return draft_of(self._row(caller, key).calendar)

    def _row(self, caller: Caller, key: str, version: int = 0) -> CalendarRow:
        rows = self._book.versions(caller.principal.tenant, key)
        found = next((row for row in reversed(rows) if version in (0, row.calendar.version)), None)
        if found is None:
            raise NotFoundError(f"There is no working calendar {key!r}" + (f" version {version}." if version else "."))
        return found

    async def _view(self, row: CalendarRow) -> CalendarView:
        organisation = await self._office.people.organisation(row.tenant)
        draft = draft_of(row.calendar)
        versions = [
            CalendarVersion(
                version=other.calendar.version,
                published_at=iso(other.at),
                published_by=person_or_none(organisation, other.by),
                note=other.note,
            )
            for other in reversed(self._book.versions(row.tenant, row.calendar.id))
        ]
        return CalendarView(
            id=row.calendar.id,
            name=draft.name,
            version=row.calendar.version,
            zone=draft.zone,
            week=draft.week,
            holidays=draft.holidays,
            workdays=draft.workdays,
            hours=draft.hours,
            horizon=draft.horizon,
            published_at=iso(row.at),
            published_by=person_or_none(organisation, row.by),
            note=row.note,
            versions=versions,
            batch=batch_id(row.tenant, row.calendar) if row.calendar.version > 1 else "",
        )

    async def year(self, caller: Caller, key: str, year: int, version: int = 0) -> CalendarYear:
        """A year of a calendar, day by day.

        Raises:
            NotFoundError: there is no such calendar or version.
            RefusedError: the year is out of all bounds.
        """
        _check_year(year)
        return year_of(self._row(caller, key, version).calendar, year)

    async def suggested(self, caller: Caller, year: int) -> SuggestedDays:
        """Holidays and make-up workdays of a year as the holiday package has them (mainland China)."""
        await self._office.require(caller, Permission.CALENDARS, "calendar")
        _check_year(year)
        known = self._suggest(year)
        return SuggestedDays(
            year, named_days(known.holidays), sorted(day.isoformat() for day in known.workdays), known.published
        )

    # Publishing

    async def plan(self, caller: Caller, key: str, draft: CalendarDraft) -> PublicationPlan:
        """Check a draft, and find the due dates that publishing it would count anew; nothing is written.

        Raises:
            DeniedError: the caller may not publish calendars.
            RefusedError: the draft is wrong.
        """
        calendar = await self._checked(caller, key, draft)
        found = await self._deriving.affected(caller.principal.tenant, calendar, caller.principal.id, _AFFECTED_MAX)
        return PublicationPlan(*found)

    async def publish(self, caller: Caller, key: str, draft: CalendarDraft) -> CalendarView:
        """Put a calendar into force, and have provisional due dates counted anew by it.

        Raises:
            DeniedError: the caller may not publish calendars.
            RefusedError: the draft is wrong, or was made from a version that is no longer in force.
        """
        calendar = await self._checked(caller, key, draft)
        before = next(iter(reversed(self._book.versions(caller.principal.tenant, key))), None)
        now_ms = self._office.clock.now_ms()
        row = CalendarRow(caller.principal.tenant, calendar, now_ms, caller.principal.id, draft.note.strip())
        if not await self._store.publish(row, batch_of(row) if calendar.version > 1 else None):
            raise _stale(key)
        told = _told(before.calendar) if before is not None else None
        await self._record(caller, "calendar.published", key, draft.note, told, _told(calendar))
        await self._book.refresh()
        self._deriving.wake()
        return await self._view(row)

    async def _checked(self, caller: Caller, key: str, draft: CalendarDraft) -> WorkCalendar:
        await self._office.require(caller, Permission.CALENDARS, "calendar", key)
        rows = self._book.versions(caller.principal.tenant, key)
        version = rows[-1].calendar.version if rows else 0
        if draft.base != version:
            raise _stale(key)
        calendar = read_draft(key, version + 1, draft)
        if isinstance(calendar, Rejected):
            raise RefusedError(calendar)
        if rows and calendar.horizon < rows[-1].calendar.horizon:
            code = "calendar.horizon_back"
            text = f"Holidays are known until {rows[-1].calendar.horizon} already; the horizon cannot go back."
            raise RefusedError(Rejected(code, text, {"fields": {"horizon": code}}))
        return calendar

    # Units

    async def units(self, caller: Caller) -> Page[UnitCalendar]:
        """By which calendar each unit works."""
        tenant = caller.principal.tenant
        organisation = await self._office.people.organisation(tenant)
        assigned = self._book.assigned(tenant)
        found = [
            UnitCalendar(Ref(unit, organisation.units[unit].name), assigned.get(unit, ""), calendar)
            for unit, calendar in sorted(inherited(assigned, organisation).items())
        ]
        return Page(found, len(found), len(found), 0)

    async def assign(self, caller: Caller, unit: str, calendar: str) -> UnitCalendar:
        """Give a unit a calendar of its own, or ("") have it work by that of the unit above.

        Raises:
            DeniedError: the caller may not.
            NotFoundError: there is no such unit or calendar.
        """
        await self._office.require(caller, Permission.CALENDARS, "unit", unit)
        tenant = caller.principal.tenant
        organisation = await self._office.people.organisation(tenant)
        if unit not in organisation.units:
            raise NotFoundError(f"There is no unit {unit!r}.")
        if calendar:
            self._row(caller, calendar)
        before = self._book.assigned(tenant).get(unit, "")
        await self._store.assign(tenant, unit, calendar)
        await self._record(caller, "calendar.assigned", unit, "", {"calendar": before}, {"calendar": calendar})
        await self._book.refresh()
        assigned = self._book.assigned(tenant)
        name = organisation.units[unit].name
        return UnitCalendar(Ref(unit, name), assigned.get(unit, ""), inherited(assigned, organisation)[unit])

    async def _record(
        self,
        caller: Caller,
        action: str,
        object_id: str,
        reason: str,
        before: dict[str, object] | None,
        after: dict[str, object],
    ) -> None:
        old = before or {}
        changed = [name for name in after if old.get(name) != after[name]]
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                "unit" if action == "calendar.assigned" else "calendar",
                object_id,
                reason=reason,
                before=msgspec.json.encode({name: old[name] for name in changed if name in old}).decode(),
                after=msgspec.json.encode({name: after[name] for name in changed}).decode(),
                origin=origin_json(caller.origin),
            )
        )


def _told(calendar: WorkCalendar) -> dict[str, object]:
    """A calendar as the audit trail tells it; publications differ in few of these."""
    told = msgspec.structs.asdict(draft_of(calendar))
    return {
        **{name: value for name, value in told.items() if name not in ("base", "note")},
        "version": calendar.version,
    }


def _stale(key: str) -> RefusedError:
    text = f"Another version of calendar {key!r} is in force than the one this was made from; load it again."
    return RefusedError(Rejected("calendar.stale", text))


def _check_year(year: int) -> None:
    if not _YEAR_MIN <= year <= _YEAR_MAX:
        text = f"{year} is out of bounds; give a year from {_YEAR_MIN} to {_YEAR_MAX}."
        raise RefusedError(Rejected("calendar.bad_year", text, {"fields": {"year": "calendar.bad_year"}}))
