"""People and units for administrators; every change is an audit record with fields before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from noria.kernel.errors import Rejected
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, origin_json
from noria.operate.views import AdminPerson, Page, PersonView, Ref
from noria.trust.audit import AuditRecord
from noria.trust.people import Organisation, PeopleStore, Person, Unit
from noria.trust.policy import ROLES, Permission, exclusive_roles
from noria.trust.signing_in import Accounts, weak_password


class PeopleWriter(PeopleStore, Protocol):
    """Where people are kept and changed."""

    async def put(self, tenant: int, people: Sequence[Person], units: Sequence[Unit], now_ms: int) -> None:
        """Write people and units, all or nothing."""
        ...


class Staff:
    """The use cases about people."""

    def __init__(self, office: Office, people: PeopleWriter, accounts: Accounts) -> None:
        self._office = office
        self._people = people
        self._accounts = accounts

    async def search(self, caller: Caller, q: str, limit: int = 20) -> Page[PersonView]:
        """Active colleagues by name or id."""
        organisation = await self._people.organisation(caller.principal.tenant)
        found = [
            person_view(person, organisation)
            for person in sorted(organisation.people.values(), key=lambda person: person.name)
            if person.active and (q.lower() in person.name.lower() or q.lower() in person.id.lower())
        ]
        return Page(found[:limit], len(found), limit, 0)

    async def list_all(self, caller: Caller) -> Page[AdminPerson]:
        """Everybody, as an administrator sees them."""
        await self._office.require(caller, Permission.PEOPLE, "person")
        organisation = await self._people.organisation(caller.principal.tenant)
        people = [
            _admin_view(person, organisation) for person in sorted(organisation.people.values(), key=lambda p: p.id)
        ]
        return Page(people, len(people), len(people), 0)

    async def units(self, caller: Caller) -> Page[Unit]:
        """All units."""
        await self._office.require(caller, Permission.PEOPLE, "unit")
        organisation = await self._people.organisation(caller.principal.tenant)
        units = sorted(organisation.units.values(), key=lambda unit: unit.id)
        return Page(units, len(units), len(units), 0)

    async def roles(self, caller: Caller) -> Page[str]:
        """Keys of the roles that allow something."""
        await self._office.require(caller, Permission.PEOPLE, "role")
        return Page(list(ROLES), len(ROLES), len(ROLES), 0)

    async def put_person(self, caller: Caller, person: Person, password: str = "") -> AdminPerson:
        """Add or change a person.

        Raises:
            DeniedError: the caller may not.
            RefusedError: a field is wrong, two roles exclude each other, or the password is weak.
        """
        await self._office.require(caller, Permission.PEOPLE, "person", person.id)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        organisation = await self._people.organisation(tenant)
        before = organisation.people.get(person.id)
        self._check(person, organisation)
        if password or before is None:
            weakness = weak_password(password, person.username)
            if weakness:
                raise RefusedError(Rejected("password.weak", weakness, {"fields": {"password": "password.weak"}}))
        await self._people.put(tenant, [person], [], now_ms)
        if password:
            await self._accounts.set_password(tenant, person.id, password, now_ms, must_change=True)
        await self._record(caller, "person.changed", "person", person.id, before, person)
        return _admin_view(person, await self._people.organisation(tenant))

    @staticmethod
    def _check(person: Person, organisation: Organisation) -> None:
        def refuse(code: str, message: str, field: str) -> RefusedError:
            return RefusedError(Rejected(code, message, {"fields": {field: code}}))

        if not person.id or not person.id.replace("-", "").replace("_", "").isalnum():
            raise refuse("person.bad_id", "An id has letters, digits, - and _ only.", "id")
        if not person.username.strip() or not person.name.strip():
            raise refuse("person.incomplete", "User name and name are needed.", "name")
        if any(other.username == person.username and other.id != person.id for other in organisation.people.values()):
            raise refuse("person.username_taken", f"The user name {person.username!r} is taken.", "username")
        if person.unit and person.unit not in organisation.units:
            raise refuse("unit.not_found", f"There is no unit {person.unit!r}.", "unit")
        pair = exclusive_roles(person.roles)
        if pair is not None:
            raise refuse("roles.exclusive", f"Nobody holds {' and '.join(sorted(pair))} together.", "roles")

    async def put_unit(self, caller: Caller, unit: Unit) -> Unit:
        """Add or change a unit.

        Raises:
            DeniedError: the caller may not.
            RefusedError: the unit above or the manager does not exist.
        """
        await self._office.require(caller, Permission.PEOPLE, "unit", unit.id)
        tenant = caller.principal.tenant
        organisation = await self._people.organisation(tenant)
        if unit.parent and (unit.parent not in organisation.units or unit.parent == unit.id):
            raise RefusedError(
                Rejected(
                    "unit.not_found", f"There is no unit {unit.parent!r}.", {"fields": {"parent": "unit.not_found"}}
                )
            )
        if unit.manager and unit.manager not in organisation.people:
            details: dict[str, object] = {"fields": {"manager": "person.not_found"}}
            raise RefusedError(Rejected("person.not_found", f"There is no person {unit.manager!r}.", details))
        before = organisation.units.get(unit.id)
        await self._people.put(tenant, [], [unit], self._office.clock.now_ms())
        await self._record(caller, "unit.changed", "unit", unit.id, before, unit)
        return unit

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
    ) -> None:
        old = msgspec.structs.asdict(before) if before is not None else {}
        new = msgspec.structs.asdict(after) if after is not None else {}
        changed = [name for name in new if old.get(name) != new[name]]
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                object_type,
                object_id,
                before=msgspec.json.encode({name: old[name] for name in changed if name in old}).decode(),
                after=msgspec.json.encode({name: new[name] for name in changed}).decode(),
                origin=origin_json(caller.origin),
            )
        )


def person_view(person: Person, organisation: Organisation) -> PersonView:
    """A person for colleagues."""
    return PersonView(person.id, person.name, _unit(person, organisation), list(person.roles))


def _unit(person: Person, organisation: Organisation) -> Ref | None:
    unit = organisation.units.get(person.unit)
    return Ref(unit.id, unit.name) if unit else None


def _admin_view(person: Person, organisation: Organisation) -> AdminPerson:
    unit = _unit(person, organisation)
    return AdminPerson(person.id, person.username, person.name, unit, person.email, person.active, list(person.roles))
