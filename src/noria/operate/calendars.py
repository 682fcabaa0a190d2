"""The working calendars of every tenant: where they are kept, and what the engine is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from noria.engine.deadlines import DEFAULT
from noria.engine.facts import Facts
from noria.kernel.calendar import WorkCalendar
from noria.operate.operations import BatchRow
from noria.trust.people import Organisation


class CalendarRow(msgspec.Struct, frozen=True):
    """A published version of a calendar.

    Attributes:
        calendar: what was published.
        at: when, ms.
        by: person id, "" for the version that came with the installation.
        note: why.
    """

    tenant: int
    calendar: WorkCalendar
    at: int
    by: str = ""
    note: str = ""


class CalendarStore(Protocol):
    """Where calendars are kept."""

    async def calendars(self) -> list[CalendarRow]:
        """Every version of every tenant's calendars, oldest first."""
        ...

    async def assignments(self) -> dict[int, dict[str, str]]:
        """Tenant → unit → id of the calendar that is its own."""
        ...

    async def publish(self, row: CalendarRow, batch: BatchRow | None) -> bool:
        """Write a version, and the batch that counts due dates anew with it; False when that version exists."""
        ...

    async def assign(self, tenant: int, unit: str, calendar: str) -> None:
        """Give a unit a calendar of its own, or ("") take it away."""
        ...


class CalendarBook:
    """All calendars in memory, as facts for the engine; read again whenever they change.

    Args:
        store: where they are kept.
        people: the organisation of a tenant that was asked for last, None when none was: its units work by them.
        seed: the calendar that tenants have who have published none.
    """

    def __init__(self, store: CalendarStore, people: Callable[[int], Organisation | None], seed: WorkCalendar) -> None:
        self._store = store
        self._people = people
        self._seed = seed
        self._versions: dict[int, dict[str, list[CalendarRow]]] = {}
        self._facts: dict[int, Facts] = {}
        self._assigned: dict[int, dict[str, str]] = {}

    async def open(self, tenant: int, now_ms: int) -> None:
        """Publish the first calendar of a tenant unless it has one, and read all.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        await self.refresh()
        if tenant not in self._versions:
            await self._store.publish(CalendarRow(tenant, self._seed, now_ms), None)
            await self.refresh()

    async def refresh(self) -> None:
        """Read everything again.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        versions: dict[int, dict[str, list[CalendarRow]]] = {}
        for row in await self._store.calendars():
            versions.setdefault(row.tenant, {}).setdefault(row.calendar.id, []).append(row)
        self._assigned = await self._store.assignments()
        self._versions = versions
        self._facts.clear()

    def facts(self, tenant: int) -> Facts:
        """What the engine is told: the calendars in force, and the people with the calendars that they work by."""
        people = self._people(tenant)
        known = self._facts.get(tenant)
        if known is None or known.people is not people:
            versions = self._versions.get(tenant)
            newest = {key: rows[-1].calendar for key, rows in versions.items()} if versions else {DEFAULT: self._seed}
            known = self._facts[tenant] = facts_of(newest, self.assigned(tenant), people)
        return known

    def calendar(self, tenant: int, key: str = DEFAULT, version: int = 0) -> WorkCalendar:
        """A calendar in one of its versions, or (0) the one in force; the default one for what is not known."""
        for row in reversed(self.versions(tenant, key)):
            if version in (0, row.calendar.version):
                return row.calendar
        return self.facts(tenant).calendars[DEFAULT]

    def knows(self, tenant: int, key: str, version: int) -> bool:
        """Whether a version of a calendar has been read."""
        return any(row.calendar.version == version for row in self.versions(tenant, key))

    def versions(self, tenant: int, key: str) -> Sequence[CalendarRow]:
        """All versions of a calendar, oldest first; empty when there is none."""
        return self._versions.get(tenant, {}).get(key, ())

    def tenants(self) -> list[int]:
        """Those that have calendars."""
        return sorted(self._versions)

    def all(self, tenant: int) -> list[CalendarRow]:
        """The calendars in force, by id."""
        return [rows[-1] for _, rows in sorted(self._versions.get(tenant, {}).items())]

    def assigned(self, tenant: int) -> Mapping[str, str]:
        """Unit → id of the calendar that is its own."""
        return self._assigned.get(tenant, {})


def facts_of(
    calendars: Mapping[str, WorkCalendar], assigned: Mapping[str, str], organisation: Organisation | None
) -> Facts:
    """The facts of a tenant: a unit works by its own calendar, or else by that of the unit above it."""
    zone = calendars[DEFAULT].zone if DEFAULT in calendars else "UTC"
    if organisation is None:
        return Facts(calendars, zone)
    of_unit = inherited(assigned, organisation)
    by_name = {organisation.units[unit].name: calendar for unit, calendar in of_unit.items()}
    return Facts(
        calendars,
        zone,
        people=organisation,
        unit_calendars={**by_name, **of_unit},
        person_calendars={
            person.id: of_unit[person.unit] for person in organisation.people.values() if person.unit in of_unit
        },
    )


def inherited(assigned: Mapping[str, str], organisation: Organisation) -> dict[str, str]:
    """Unit → id of the calendar that it works by: its own, that of the next unit above that has one, or the default."""
    found: dict[str, str] = {}
    for unit in organisation.units:
        key, seen = unit, {""}
        while key not in seen and key not in assigned and key in organisation.units:
            seen.add(key)
            key = organisation.units[key].parent
        found[unit] = assigned.get(key, DEFAULT)
    return found
