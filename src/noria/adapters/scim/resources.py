"""People as SCIM users and units as SCIM groups, and back.

| SCIM | Noria |
| --- | --- |
| User: userName, displayName or name, active, title | user name, name, active, position |
| User: emails (the primary one), roles, externalId | e-mail, roles, external id |
| User: enterprise department | unit of the main post, by id or name |
| User: groups, enterprise manager (read only) | units of all posts; the nearest manager |
| Group: displayName, externalId | name, external id of a unit |
| Group: members that are users; that are groups | who has a post in the unit; the units directly below it |
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from pydantic import ValidationError
from scim2_models import (
    Email,
    EnterpriseUser,
    Group,
    GroupMember,
    GroupMembership,
    InvalidValueException,
    Manager,
    Meta,
    Name,
    Reference,
    Role,
    User,
)

from noria.trust.history import ChangedKind, History, well_formed
from noria.trust.people import Organisation, Person, Post, Unit

Account = User[EnterpriseUser]
ROLES_OF_NEW = ("employee",)
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]+")


class Sight:
    """The organisation of now, as it is shown."""

    def __init__(self, organisation: Organisation, history: History, base: str) -> None:
        self.organisation = organisation
        self._history = history
        self._base = base

    # Users

    def account(self, person: Person) -> Account:
        """A person as a user."""
        units = {post.unit: self.organisation.units[post.unit] for post in person.all_posts if post.unit}
        main = units.get(person.unit)
        manager = self.organisation.manager_of(person)
        account = Account(
            id=person.id,
            external_id=person.external_id or None,
            user_name=person.username,
            name=Name(formatted=person.name),
            display_name=person.name,
            active=person.active,
            title=person.position or None,
            emails=_emails(person.email),
            roles=[Role(value=role) for role in person.roles] or None,
            groups=[self._membership(unit) for unit in units.values()] or None,
            meta=self._meta("person", person, "User"),
        )
        if main is not None or manager:
            boss = None
            if manager:
                boss = Manager(
                    value=manager,
                    ref=Reference(f"{self._base}/Users/{manager}"),
                    display_name=self.organisation.name_of(manager),
                )
            account[EnterpriseUser] = EnterpriseUser(department=main.name if main else None, manager=boss)
        return account

    def person(self, account: Account, before: Person | None, *, replaces: bool) -> Person:
        """What a user says of a person.

        Args:
            account: the user as it is to be.
            before: the person as it is, None for a new one.
            replaces: what it does not say stays as it was: who sends a whole user need not know everything of it.

        Raises:
            InvalidValueException: the department is not known, or there is no name.
        """
        known = before or Person(self._person_id(account.user_name or ""), "", "", roles=ROLES_OF_NEW)
        changes: dict[str, object] = {"username": (account.user_name or known.username).strip()}
        changes["name"] = _name(account, known.name) or str(changes["username"])
        if account.active is not None:
            changes["active"] = account.active
        if account.title is not None or not replaces:
            changes["position"] = account.title or ""
        if account.external_id is not None or not replaces:
            changes["external_id"] = account.external_id or ""
        if account.emails is not None or not replaces:
            mails = account.emails or []
            changes["email"] = next((mail.value for mail in mails if mail.primary), mails[0].value if mails else "")
        if account.roles is not None or not replaces:
            changes["roles"] = tuple(dict.fromkeys(role.value for role in account.roles or [] if role.value))
        extra = account[EnterpriseUser]
        department = extra.department if extra is not None else None
        if department is not None or not replaces:
            changes["unit"] = self._unit(department, known.unit) if department else ""
        return msgspec.structs.replace(known, **changes)

    def _unit(self, department: str, known: str) -> str:
        units = self.organisation.units
        if known in units and department in (known, units[known].name):
            return known
        found = [unit.id for unit in units.values() if unit.active and department in (unit.id, unit.name)]
        if len(found) != 1:
            raise InvalidValueException(detail=f"There are {len(found)} departments {department!r}; one is needed.")
        return found[0]

    def _person_id(self, username: str) -> str:
        return _free(username.partition("@")[0], self._history, "person", "person")

    # Groups

    def group(self, unit: Unit) -> Group:
        """A unit as a group."""
        members = [
            GroupMember(value=person.id, display=person.name, type="User", ref=self._ref("Users", person.id))
            for person in sorted(self.organisation.people.values(), key=lambda person: person.id)
            if any(post.unit == unit.id for post in person.all_posts)
        ]
        members += [
            GroupMember(value=other.id, display=other.name, type="Group", ref=self._ref("Groups", other.id))
            for other in sorted(self.organisation.units.values(), key=lambda other: other.id)
            if other.active and other.parent == unit.id
        ]
        return Group(
            id=unit.id,
            external_id=unit.external_id or None,
            display_name=unit.name,
            members=members or None,
            meta=self._meta("unit", unit, "Group"),
        )

    def _membership(self, unit: Unit) -> GroupMembership:
        return GroupMembership(value=unit.id, display=unit.name, type="direct", ref=self._ref("Groups", unit.id))

    def _ref(self, kind: str, key: str) -> Reference[Any]:
        return Reference(f"{self._base}/{kind}/{key}")

    def unit(self, group: Group, before: Unit | None, *, replaces: bool) -> Unit:
        """What a group says of a unit itself; `replaces` as for people."""
        name = (group.display_name or "").strip()
        known = before or Unit(_free(name, self._history, "unit", "unit"), name)
        external_id = group.external_id or (known.external_id if replaces else "")
        return msgspec.structs.replace(known, name=name, external_id=external_id, active=True)

    def with_members(self, unit: Unit, members: Iterable[GroupMember]) -> tuple[list[Person], list[Unit]]:
        """The people and units that change so that a unit has just these members.

        Raises:
            InvalidValueException: one of them does not exist.
        """
        people, units = self.organisation.people, self.organisation.units
        wanted_people: set[str] = set()
        wanted_units: set[str] = set()
        for member in members:
            key = member.value or ""
            is_group = member.type == "Group" or (member.type is None and key not in people)
            if key not in (units if is_group else people):
                raise InvalidValueException(detail=f"There is no member {key!r}.")
            (wanted_units if is_group else wanted_people).add(key)
        changed_people = []
        for person in people.values():
            has = any(post.unit == unit.id for post in person.all_posts)
            if has != (person.id in wanted_people):
                changed_people.append(_leaves(person, unit.id) if has else _joins(person, unit.id))
        changed_units = []
        for other in units.values():
            has = other.parent == unit.id and other.active
            if has != (other.id in wanted_units):
                changed_units.append(msgspec.structs.replace(other, parent=unit.parent if has else unit.id))
        return changed_people, changed_units

    # Both

    def _meta(self, kind: ChangedKind, member: Person | Unit, resource: str) -> Meta:
        changes = self._history.changes[kind, member.id]
        return Meta(
            resource_type=resource,
            created=_instant(changes[0].recorded),
            last_modified=_instant(max(change.recorded for change in changes)),
            location=f"{self._base}/{resource}s/{member.id}",
        )


def version_of(body: str) -> str:
    """The weak entity tag of what is sent of a resource."""
    return f'W/"{sha256(body.encode()).hexdigest()[:16]}"'


def is_deleted(person: Person) -> bool:
    """Whether nothing is left of somebody but the record: who is only not active any more still has roles or posts."""
    return not person.active and not person.roles and not person.all_posts


def deleted(person: Person) -> Person:
    """A person of whom nothing is left but the record."""
    return msgspec.structs.replace(person, active=False, roles=(), unit="", position="", posts=(), external_id="")


def _joins(person: Person, unit: str) -> Person:
    if not person.unit:
        return msgspec.structs.replace(person, unit=unit)
    return msgspec.structs.replace(person, posts=(*person.posts, Post(unit)))


def _leaves(person: Person, unit: str) -> Person:
    others = tuple(post for post in person.posts if post.unit != unit)
    if person.unit != unit:
        return msgspec.structs.replace(person, posts=others)
    # The next of their posts becomes the main one.
    main = others[0] if others else Post("")
    return msgspec.structs.replace(person, unit=main.unit, position=main.position, posts=others[1:])


def _name(account: Account, known: str) -> str:
    """The name that is said now: of several ways to say it the one that differs from what is known."""
    given = account.name
    ways = [account.display_name, given.formatted if given else None]
    if given and (given.family_name or given.given_name):
        family, first = given.family_name or "", given.given_name or ""
        ascii_name = (family + first).isascii()
        ways.append(f"{first} {family}".strip() if ascii_name else family + first)
    said = [way.strip() for way in ways if way and way.strip()]
    return next((way for way in said if way != known), said[0] if said else known)


def _emails(email: str) -> list[Email] | None:
    try:
        return [Email(value=email, type=Email.Type("work"), primary=True)] if email else None
    except ValidationError:
        # Noria takes what people write; what is no address by the RFC is not told.
        return None


def _free(wish: str, history: History, kind: ChangedKind, otherwise: str) -> str:
    """An id that nobody has had yet: readable where it can be."""
    stem = _NOT_IN_IDS.sub("-", wish).strip("-").lower() or otherwise
    stem = stem if well_formed(stem) else otherwise
    key, number = stem, 1
    while (kind, key) in history.changes:
        number += 1
        key = f"{stem}-{number}"
    return key


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
