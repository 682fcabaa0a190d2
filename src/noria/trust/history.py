"""The history of people and units: what changes from which instant on, entered afterwards, at once or ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from noria.kernel.errors import Rejected
from noria.trust.people import FOREVER, Organisation, Person, Unit
from noria.trust.policy import exclusive_roles
from noria.trust.substitutes import Substitution

ChangedKind = Literal["person", "unit"]
_UNDATED = frozenset({"id", "username"})


class Change(msgspec.Struct, frozen=True):
    """Some fields of a person or unit that have other values from an instant on; the other fields stay as they were.

    Attributes:
        kind: what it changes.
        id: its key.
        valid_from: from when on, ms.
        fields: field → value as JSON; the first change of a person or unit has all fields.
        recorded: when it was entered, ms.
        by: who entered it, "" for nobody in particular.
    """

    kind: ChangedKind
    id: str
    valid_from: int
    fields: dict[str, object]
    recorded: int
    by: str = ""


def fields_of(member: Person | Unit) -> dict[str, object]:
    """The fields that may change by date."""
    values: dict[str, object] = msgspec.to_builtins(member)
    return {name: value for name, value in values.items() if name not in _UNDATED}


class History:
    """All that is known of a tenant's people and units, at every instant.

    Attributes:
        usernames: person id → user name; user names have no history.
        changes: by kind and id, the earliest first.
        substitutions: all of them, those that have ended too.
    """

    def __init__(
        self, usernames: Mapping[str, str], changes: Iterable[Change], substitutions: Iterable[Substitution] = ()
    ) -> None:
        self.usernames = usernames
        self.substitutions = tuple(substitutions)
        self.changes: dict[tuple[ChangedKind, str], list[Change]] = {}
        for change in sorted(changes, key=lambda change: change.valid_from):
            self.changes.setdefault((change.kind, change.id), []).append(change)

    def at(self, at_ms: int) -> Organisation:
        """People and units at an instant; those that began later are not there."""
        people: dict[str, Person] = {}
        units: dict[str, Unit] = {}
        for (kind, key), changes in self.changes.items():
            values: dict[str, object] = {}
            for change in changes:
                if change.valid_from > at_ms:
                    break
                values.update(change.fields)
            if not values:
                continue
            if kind == "person":
                people[key] = msgspec.convert({**values, "id": key, "username": self.usernames[key]}, Person)
            else:
                units[key] = msgspec.convert({**values, "id": key}, Unit)
        return Organisation(people, units, at_ms, self.substitutions)

    def until(self, organisation: Organisation) -> int:
        """Until when an organisation stays as it is, ms: the next change, or begin or end of a period in it."""
        instants = [change.valid_from for changes in self.changes.values() for change in changes]
        for unit in organisation.units.values():
            for acting in unit.acting:
                instants += (acting.since_ms, acting.until_ms)
        for item in self.substitutions:
            instants += (item.since_ms, item.until_ms, item.ended_ms)
        return min((instant for instant in instants if instant > organisation.at_ms), default=FOREVER)

    def with_members(self, members: Iterable[Person | Unit], valid_from: int, recorded: int, by: str = "") -> History:
        """The history after these people and units are as given from an instant on, until a later change."""
        usernames = dict(self.usernames)
        changes = {key: list(listed) for key, listed in self.changes.items()}
        now = self.at(valid_from)
        for member in members:
            kind = kind_of(member)
            if isinstance(member, Person):
                usernames[member.id] = member.username
            known = (now.people if kind == "person" else now.units).get(member.id)
            before = fields_of(known) if known is not None else {}
            fields = {name: v for name, v in fields_of(member).items() if name not in before or before[name] != v}
            if fields:
                listed = changes.setdefault((kind, member.id), [])
                same = next((change for change in listed if change.valid_from == valid_from), None)
                if same is not None:
                    listed.remove(same)
                    fields = {**same.fields, **fields}
                listed.append(Change(kind, member.id, valid_from, fields, recorded, by))
        return History(usernames, (change for listed in changes.values() for change in listed), self.substitutions)

    def without(self, kind: ChangedKind, key: str, valid_from: int) -> History:
        """The history without one change."""
        return History(
            self.usernames,
            (
                change
                for listed in self.changes.values()
                for change in listed
                if (change.kind, change.id, change.valid_from) != (kind, key, valid_from)
            ),
            self.substitutions,
        )

    def new_in(self, later: History) -> list[Change]:
        """The changes of another history that this one does not have."""
        known = {id(change) for listed in self.changes.values() for change in listed}
        return [change for listed in later.changes.values() for change in listed if id(change) not in known]

    def wrong_from(self, valid_from: int, members: Iterable[tuple[ChangedKind, str]]) -> Rejected | None:
        """Why the organisation would not be sound for some people and units, at an instant or any later change.

        Args:
            valid_from: the instant.
            members: whom to look at.
        """
        return next(iter(self.wrong_with(valid_from, members).values()), None)

    def wrong_with(
        self, valid_from: int, members: Iterable[tuple[ChangedKind, str]]
    ) -> dict[tuple[ChangedKind, str], Rejected]:
        """What is wrong with each of some people and units first, from an instant on; sound ones are left out."""
        members = list(members)
        instants = {valid_from}
        instants |= {
            change.valid_from for listed in self.changes.values() for change in listed if change.valid_from > valid_from
        }
        found: dict[tuple[ChangedKind, str], Rejected] = {}
        for instant in sorted(instants):
            organisation = self.at(instant)
            for member in members:
                wrong = None if member in found else wrong_in(organisation, *member)
                if wrong is not None:
                    found[member] = wrong
        return found


def kind_of(member: Person | Unit) -> ChangedKind:
    """Whether it is a person or a unit."""
    return "person" if isinstance(member, Person) else "unit"


def well_formed(key: str) -> bool:
    """Whether a text can be an id: letters, digits, - and _."""
    return bool(key) and key.replace("-", "").replace("_", "").isalnum()


def refuse(code: str, message: str, field: str) -> Rejected:
    """A refusal because of one field."""
    return Rejected(code, message, {"fields": {field: code}})


def wrong_in(organisation: Organisation, kind: ChangedKind, key: str) -> Rejected | None:
    """What is wrong with one person or unit in an organisation, None when nothing is or it is not there."""
    if kind == "person":
        person = organisation.people.get(key)
        return None if person is None else _wrong_person(organisation, person)
    unit = organisation.units.get(key)
    return None if unit is None else _wrong_unit(organisation, unit)


def _wrong_person(organisation: Organisation, person: Person) -> Rejected | None:
    if not well_formed(person.id):
        return refuse("person.bad_id", "An id has letters, digits, - and _ only.", "id")
    if not person.username.strip() or not person.name.strip():
        return refuse("person.incomplete", "User name and name are needed.", "name")
    for field, unit in (("unit", person.unit), *(("posts", post.unit) for post in person.posts)):
        if unit and unit not in organisation.units:
            return refuse("unit.not_found", f"There is no unit {unit!r}.", field)
        if unit and person.active and not organisation.units[unit].active:
            return refuse("unit.inactive", f"The unit {unit!r} does not exist any more; choose another one.", field)
    for line in person.lines:
        if line.manager not in organisation.people:
            return refuse("person.not_found", f"There is no person {line.manager!r}.", "lines")
    # Whatever the posts: roles are held by the person, and what excludes each other does so in all of them.
    pair = exclusive_roles(person.roles)
    if pair is not None:
        return refuse("roles.exclusive", f"Nobody holds {' and '.join(sorted(pair))} together.", "roles")
    return None


def _wrong_unit(organisation: Organisation, unit: Unit) -> Rejected | None:
    if not well_formed(unit.id):
        return refuse("unit.bad_id", "An id has letters, digits, - and _ only.", "id")
    if not unit.name.strip():
        return refuse("unit.incomplete", "A unit needs a name.", "name")
    if unit.parent and unit.parent not in organisation.units:
        return refuse("unit.not_found", f"There is no unit {unit.parent!r}.", "parent")
    if any(above.parent == unit.id for above in organisation.upward(unit.id)):
        return refuse("unit.cycle", f"The unit {unit.id!r} would lie below itself.", "parent")
    named = [("manager", unit.manager)] if unit.manager else []
    named += [("acting", acting.person) for acting in unit.acting] + [("lines", line.manager) for line in unit.lines]
    for field, person in named:
        if person not in organisation.people:
            return refuse("person.not_found", f"There is no person {person!r}.", field)
    for acting in unit.acting:
        if acting.since_ms >= acting.until_ms:
            return refuse("period.empty", "A period ends after it begins.", "acting")
    if not unit.active:
        left = [person for person in organisation.people.values() if person.active]
        held = next((person for person in left if any(post.unit == unit.id for post in person.all_posts)), None)
        if held is not None:
            message = f"{held.name} still has a post in {unit.name}; give everybody another unit first."
            return refuse("unit.in_use", message, "active")
        if any(other.active and other.parent == unit.id for other in organisation.units.values()):
            return refuse("unit.in_use", f"There are still units below {unit.name}.", "active")
    return None
