"""People, units and roles (人员, 部门, 角色)."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A department (部门).

    Attributes:
        id: its key, also usable as a candidate group.
        name: what people call it.
        parent: id of the unit above, "" for the top.
        manager: person id of its manager, "" for none.
    """

    id: str
    name: str
    parent: str = ""
    manager: str = ""


class Person(msgspec.Struct, frozen=True):
    """A member of the company (人员).

    Attributes:
        id: its key; never given to another person.
        username: for signing in.
        name: what people call them.
        unit: id of their unit, "" for none.
        email: "" for none.
        active: whether they may sign in and get tasks.
        roles: keys of their roles.
    """

    id: str
    username: str
    name: str
    unit: str = ""
    email: str = ""
    active: bool = True
    roles: tuple[str, ...] = ()


class Organisation(msgspec.Struct):
    """All people and units of a tenant, as they are now."""

    people: dict[str, Person]
    units: dict[str, Unit]

    def manager_of(self, person: Person) -> str:
        """Person id of the manager: that of the unit, or of the unit above for a manager; "" when there is none."""
        seen: set[str] = set()
        key = person.unit
        while key and key not in seen and key in self.units:
            seen.add(key)
            unit = self.units[key]
            if unit.manager and unit.manager != person.id:
                return unit.manager
            key = unit.parent
        return ""

    def groups_of(self, person: Person) -> tuple[str, ...]:
        """Every key under which a person is a candidate: roles, and the unit with those above it, by key and by name."""
        groups = list(person.roles)
        seen: set[str] = set()
        key = person.unit
        while key and key not in seen and key in self.units:
            seen.add(key)
            groups += [key, self.units[key].name]
            key = self.units[key].parent
        return tuple(dict.fromkeys(groups))

    def managed_units(self, person_id: str) -> tuple[str, ...]:
        """Units that a person manages, those below included."""
        managed = {unit.id for unit in self.units.values() if unit.manager == person_id}
        grown = True
        while grown:
            below = {unit.id for unit in self.units.values() if unit.parent in managed} - managed
            managed |= below
            grown = bool(below)
        return tuple(sorted(managed))

    def snapshot(self, person: Person) -> dict[str, object]:
        """What models see as ``starter``: fixed at the start, whatever changes later."""
        unit = self.units.get(person.unit)
        return {
            "id": person.id,
            "name": person.name,
            "unit": person.unit,
            "unit_name": unit.name if unit else "",
            "manager": self.manager_of(person) or None,
            "roles": list(person.roles),
        }

    def name_of(self, person_id: str) -> str:
        """A person's name, the id itself for a technical actor."""
        person = self.people.get(person_id)
        return person.name if person else person_id


class PeopleStore(Protocol):
    """Where people are kept."""

    async def organisation(self, tenant: int) -> Organisation:
        """All people and units."""
        ...
