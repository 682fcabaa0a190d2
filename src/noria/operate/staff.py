"""People and units for administrators; every change is an audit record with fields before and after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from noria.kernel.errors import Rejected
from noria.kernel.instants import from_datetime, parse_instant, to_datetime
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, origin_json
from noria.operate.staffviews import (
    ActingView,
    AdminPerson,
    ChangeView,
    UnitView,
    admin_person,
    change_view,
    unit_view,
)
from noria.operate.views import Page, PersonView, Ref
from noria.trust.audit import AuditRecord
from noria.trust.history import ChangedKind, History
from noria.trust.people import FOREVER, Acting, Line, Organisation, PeopleStore, Person, Post, Unit
from noria.trust.policy import ROLES, Permission
from noria.trust.signing_in import Accounts, weak_password

_DATE_CHARS = len("2026-03-01")


class PeopleWriter(PeopleStore, Protocol):
    """Where people are kept and changed."""

    async def history(self, tenant: int) -> History:
        """All that is known of people and units, at every instant."""
        ...

    async def put(
        self,
        tenant: int,
        people: Sequence[Person],
        units: Sequence[Unit],
        now_ms: int,
        *,
        valid_from: int | None = None,
        by: str = "",
    ) -> None:
        """Write people and units as they are from an instant on, all or nothing."""
        ...

    async def drop_change(self, tenant: int, kind: ChangedKind, key: str, valid_from: int) -> bool:
        """Forget a change; tells whether there was one."""
        ...


class PersonOrder(msgspec.Struct):
    """A person to add or change; the password is needed for a new one.

    `valid_from` is a date or an instant, "" for at once; the user name always changes at once.
    """

    id: str
    username: str
    name: str
    unit: str = ""
    email: str = ""
    active: bool = True
    roles: list[str] = []
    password: str = ""
    position: str = ""
    posts: list[Post] = []
    lines: list[Line] = []
    valid_from: str = ""


class UnitOrder(msgspec.Struct):
    """A unit to add or change; `valid_from` is a date or an instant, "" for at once."""

    id: str
    name: str
    parent: str = ""
    manager: str = ""
    acting: list[ActingView] = []
    lines: list[Line] = []
    active: bool = True
    valid_from: str = ""


Welcome = Callable[[Caller, Organisation, Iterable[Person]], Awaitable[None]]


class Staff:
    """The use cases about people.

    Args:
        office: where things are.
        people: where people are written.
        accounts: where passwords are.
        welcome: invites who is new.
    """

    def __init__(self, office: Office, people: PeopleWriter, accounts: Accounts, welcome: Welcome) -> None:
        self._office = office
        self._people = people
        self._accounts = accounts
        self.welcome = welcome

    async def search(self, caller: Caller, q: str, limit: int = 20) -> Page[PersonView]:
        """Active colleagues by name or id."""
        organisation = await self._people.organisation(caller.principal.tenant)
        found = [
            person_view(person, organisation)
            for person in sorted(organisation.people.values(), key=lambda person: person.name)
            if person.active and (q.lower() in person.name.lower() or q.lower() in person.id.lower())
        ]
        return Page(found[:limit], len(found), limit, 0)

    async def list_all(self, caller: Caller, at: str = "") -> Page[AdminPerson]:
        """Everybody, as an administrator sees them, now or at an instant.

        Raises:
            ValueError: `at` is no date or instant.
        """
        await self._office.require(caller, Permission.PEOPLE, "person")
        organisation = await self._organisation(caller, at)
        people = [
            admin_person(person, organisation) for person in sorted(organisation.people.values(), key=lambda p: p.id)
        ]
        return Page(people, len(people), len(people), 0)

    async def units(self, caller: Caller, at: str = "") -> Page[UnitView]:
        """All units, now or at an instant.

        Raises:
            ValueError: `at` is no date or instant.
        """
        await self._office.require(caller, Permission.PEOPLE, "unit")
        organisation = await self._organisation(caller, at)
        units = [unit_view(unit, organisation) for unit in sorted(organisation.units.values(), key=lambda u: u.id)]
        return Page(units, len(units), len(units), 0)

    async def _organisation(self, caller: Caller, at: str) -> Organisation:
        tenant = caller.principal.tenant
        return await self._people.organisation(tenant, self.instant(tenant, at) if at else None)

    def instant(self, tenant: int, text: str, *, end: bool = False) -> int:
        """The instant that a date or date-time means in the tenant's time zone, ms.

        Args:
            tenant: whose zone.
            text: ISO 8601.
            end: a date means the end of the day instead of its beginning.

        Raises:
            ValueError: it is neither.
        """
        zone = ZoneInfo(self._office.facts(tenant).zone)
        instant = parse_instant(text, zone)
        if end and len(text.strip()) == _DATE_CHARS:
            return from_datetime(to_datetime(instant, zone) + timedelta(days=1))
        return instant

    async def roles(self, caller: Caller) -> Page[str]:
        """Keys of the roles that allow something."""
        await self._office.require(caller, Permission.PEOPLE, "role")
        return Page(list(ROLES), len(ROLES), len(ROLES), 0)

    async def put_person(self, caller: Caller, order: PersonOrder) -> AdminPerson:
        """Add or change a person, at once or from an instant on.

        Raises:
            DeniedError: the caller may not.
            RefusedError: a field is wrong, two roles exclude each other, or the password is weak.
            ValueError: `valid_from` is no date or instant.
        """
        await self._office.require(caller, Permission.PEOPLE, "person", order.id)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        since = self.instant(tenant, order.valid_from) if order.valid_from else now_ms
        history = await self._people.history(tenant)
        before = history.at(since).people.get(order.id)
        person = _person(order, before)
        self._check_username(person, history, dated=since > now_ms)
        self._check(history.with_members([person], since, now_ms), since, ("person", person.id))
        if order.password or person.id not in history.usernames:
            weakness = weak_password(order.password, person.username)
            if weakness:
                raise RefusedError(Rejected("password.weak", weakness, {"fields": {"password": "password.weak"}}))
        await self._people.put(tenant, [person], [], now_ms, valid_from=since, by=caller.principal.id)
        if order.password:
            await self._accounts.set_password(tenant, person.id, order.password, now_ms, must_change=True)
        await self._record(caller, "person.changed", "person", person.id, before, person, since)
        return admin_person(person, await self._people.organisation(tenant, since))

    @staticmethod
    def _check_username(person: Person, history: History, *, dated: bool) -> None:
        def refuse(code: str, message: str) -> RefusedError:
            return RefusedError(Rejected(code, message, {"fields": {"username": code}}))

        if any(name == person.username and key != person.id for key, name in history.usernames.items()):
            raise refuse("person.username_taken", f"The user name {person.username!r} is taken.")
        if dated and history.usernames.get(person.id, person.username) != person.username:
            raise refuse("person.username_undated", "A user name changes at once, not from a date on.")

    @staticmethod
    def _check(history: History, since: int, *members: tuple[ChangedKind, str]) -> None:
        wrong = history.wrong_from(since, members)
        if wrong is not None:
            raise RefusedError(wrong)

    async def put_unit(self, caller: Caller, order: UnitOrder) -> UnitView:
        """Add or change a unit, at once or from an instant on.

        Raises:
            DeniedError: the caller may not.
            RefusedError: a field is wrong.
            ValueError: `valid_from`, or a period, is no date or instant.
        """
        await self._office.require(caller, Permission.PEOPLE, "unit", order.id)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        since = self.instant(tenant, order.valid_from) if order.valid_from else now_ms
        history = await self._people.history(tenant)
        before = history.at(since).units.get(order.id)
        unit = self._unit(tenant, order, before)
        self._check(history.with_members([unit], since, now_ms), since, ("unit", unit.id))
        await self._people.put(tenant, [], [unit], now_ms, valid_from=since, by=caller.principal.id)
        await self._record(caller, "unit.changed", "unit", unit.id, before, unit, since)
        return unit_view(unit, await self._people.organisation(tenant, since))

    def _unit(self, tenant: int, order: UnitOrder, before: Unit | None) -> Unit:
        acting = tuple(
            Acting(
                item.person,
                self.instant(tenant, item.since) if item.since else 0,
                self.instant(tenant, item.until, end=True) if item.until else FOREVER,
            )
            for item in order.acting
        )
        return Unit(
            order.id,
            order.name,
            order.parent,
            order.manager,
            acting,
            tuple(order.lines),
            order.active,
            before.external_id if before is not None else "",
        )

    async def require(self, caller: Caller) -> None:
        """Raise unless the caller may manage people.

        Raises:
            DeniedError: they may not.
        """
        await self._office.require(caller, Permission.PEOPLE, "person")

    async def provision(self, caller: Caller, people: Sequence[Person], units: Sequence[Unit]) -> None:
        """Write people and units as another system has them, at once and all or nothing.

        Who is new has no password: a letter invites them where that is set up, or an administrator gives one.

        Raises:
            DeniedError: the caller may not.
            RefusedError: a field is wrong, or two roles exclude each other.
        """
        await self.require(caller)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        history = await self._people.history(tenant)
        before = history.at(now_ms)
        for person in people:
            self._check_username(person, history, dated=False)
        members: list[tuple[ChangedKind, str]] = [("unit", unit.id) for unit in units]
        members += [("person", person.id) for person in people]
        self._check(history.with_members([*units, *people], now_ms, now_ms), now_ms, *members)
        await self._people.put(tenant, people, units, now_ms, by=caller.principal.id)
        for unit in units:
            await self._record(caller, "unit.changed", "unit", unit.id, before.units.get(unit.id), unit, now_ms)
        for person in people:
            known = before.people.get(person.id)
            await self._record(caller, "person.changed", "person", person.id, known, person, now_ms)
        await self.welcome(caller, before, people)

    async def changes(self, caller: Caller, kind: ChangedKind, key: str) -> Page[ChangeView]:
        """The history of a person or unit, what is entered ahead included, the earliest first.

        Raises:
            NotFoundError: there is none.
        """
        await self._office.require(caller, Permission.PEOPLE, kind, key)
        tenant = caller.principal.tenant
        history = await self._people.history(tenant)
        known = history.changes.get((kind, key))
        if known is None:
            raise NotFoundError(f"There is no {kind} {key!r}.")
        organisation = await self._people.organisation(tenant)
        now_ms = self._office.clock.now_ms()
        found = [change_view(change, organisation, now_ms) for change in known]
        return Page(found, len(found), len(found), 0)

    async def drop_change(self, caller: Caller, kind: ChangedKind, key: str, valid_from: str) -> None:
        """Take back a change that was entered ahead and is not in force yet.

        Raises:
            NotFoundError: there is none.
            RefusedError: it is in force already, or something else that was entered ahead needs it.
            ValueError: `valid_from` is no instant.
        """
        await self._office.require(caller, Permission.PEOPLE, kind, key)
        tenant = caller.principal.tenant
        since = self.instant(tenant, valid_from)
        history = await self._people.history(tenant)
        change = next((item for item in history.changes.get((kind, key), ()) if item.valid_from == since), None)
        if change is None:
            raise NotFoundError(f"There is no such change of {kind} {key!r}.")
        if since <= self._office.clock.now_ms():
            raise RefusedError(Rejected("change.in_force", "The change is in force; enter another one instead."))
        after = history.without(kind, key, since)
        self._check(after, since, *after.changes)
        await self._people.drop_change(tenant, kind, key, since)
        await self._office.trail.record(
            AuditRecord(
                tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                f"{kind}.change_dropped",
                kind,
                key,
                before=msgspec.json.encode({**change.fields, "valid_from": iso(since)}).decode(),
                origin=origin_json(caller.origin),
            )
        )

    async def set_password(self, caller: Caller, person: str, password: str) -> None:
        """Give somebody a new password, to be changed at the next sign-in."""
        await self._office.require(caller, Permission.PEOPLE, "person", person)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        known = (await self._people.organisation(tenant)).people.get(person)
        if known is None:
            raise NotFoundError(f"There is no person {person!r}.")
        weakness = weak_password(password, known.username)
        if weakness:
            raise RefusedError(Rejected("password.weak", weakness, {"fields": {"password": "password.weak"}}))
        await self._accounts.set_password(tenant, person, password, now_ms, must_change=True)
        await self._record(caller, "password.reset", "person", person, None, None)

    async def _record(
        self,
        caller: Caller,
        action: str,
        object_type: str,
        object_id: str,
        before: msgspec.Struct | None,
        after: msgspec.Struct | None,
        since: int = 0,
    ) -> None:
        old = msgspec.structs.asdict(before) if before is not None else {}
        new = msgspec.structs.asdict(after) if after is not None else {}
        changed = [name for name in new if old.get(name) != new[name]]
        dated = {"valid_from": iso(since)} if since > self._office.clock.now_ms() else {}
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                object_type,
                object_id,
                before=msgspec.json.encode({name: old[name] for name in changed if name in old}).decode(),
                after=msgspec.json.encode({name: new[name] for name in changed} | dated).decode(),
                origin=origin_json(caller.origin),
            )
        )


def person_view(person: Person, organisation: Organisation) -> PersonView:
    """A person for colleagues."""
    unit = organisation.units.get(person.unit)
    return PersonView(person.id, person.name, Ref(unit.id, unit.name) if unit else None, list(person.roles))


def _person(order: PersonOrder, before: Person | None) -> Person:
    return Person(
        order.id,
        order.username,
        order.name,
        order.unit,
        order.email,
        order.active,
        tuple(dict.fromkeys(order.roles)),
        order.position,
        tuple(order.posts),
        tuple(order.lines),
        before.external_id if before is not None else "",
    )
