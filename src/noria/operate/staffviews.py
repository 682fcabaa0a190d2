"""How people, units and their history are shown to administrators."""

from __future__ import annotations

import msgspec

from noria.operate.office import iso, person_or_none, person_ref
from noria.operate.views import Ref
from noria.trust.history import Change
from noria.trust.people import FOREVER, Organisation, Person, Unit


class PostView(msgspec.Struct, frozen=True):
    """A further post of a person."""

    unit: Ref
    position: str


class LineView(msgspec.Struct, frozen=True):
    """A second manager, for a purpose."""

    purpose: str
    manager: Ref


class AdminPerson(msgspec.Struct):
    """A person as an administrator sees them; `managers` is their line of managers, the nearest first."""

    id: str
    username: str
    name: str
    unit: Ref | None
    email: str
    active: bool
    roles: list[str]
    position: str
    posts: list[PostView]
    lines: list[LineView]
    managers: list[Ref]


class ActingView(msgspec.Struct, frozen=True):
    """Who manages a unit for a while; dates or instants, "" for no beginning or no end.

    A date in `until` is the last day.
    """

    person: str
    since: str = ""
    until: str = ""


class UnitView(msgspec.Struct):
    """A unit as an administrator sees it; `head` is who manages it now: the acting manager, or else the manager."""

    id: str
    name: str
    parent: str
    manager: str
    acting: list[ActingView]
    lines: list[LineView]
    active: bool
    head: Ref | None


class ChangeView(msgspec.Struct):
    """Some fields of a person or unit that have these values from an instant on; `ahead` while that is to come."""

    valid_from: str
    ahead: bool
    fields: dict[str, object]
    recorded_at: str
    by: Ref | None


def admin_person(person: Person, organisation: Organisation) -> AdminPerson:
    """A person for administrators."""
    return AdminPerson(
        person.id,
        person.username,
        person.name,
        _unit_ref(person.unit, organisation) if person.unit else None,
        person.email,
        person.active,
        list(person.roles),
        person.position,
        [PostView(_unit_ref(post.unit, organisation), post.position) for post in person.posts],
        [LineView(line.purpose, person_ref(organisation, line.manager)) for line in person.lines],
        [person_ref(organisation, manager) for manager in organisation.managers(person.id)],
    )


def _unit_ref(unit: str, organisation: Organisation) -> Ref:
    known = organisation.units.get(unit)
    return Ref(unit, known.name if known is not None else unit)


def unit_view(unit: Unit, organisation: Organisation) -> UnitView:
    """A unit for administrators."""
    return UnitView(
        unit.id,
        unit.name,
        unit.parent,
        unit.manager,
        [
            ActingView(
                acting.person,
                iso(acting.since_ms) if acting.since_ms else "",
                iso(acting.until_ms) if acting.until_ms < FOREVER else "",
            )
            for acting in unit.acting
        ],
        [LineView(line.purpose, person_ref(organisation, line.manager)) for line in unit.lines],
        unit.active,
        person_or_none(organisation, organisation.head_of(unit)),
    )


def change_view(change: Change, organisation: Organisation, now_ms: int) -> ChangeView:
    """A change for administrators."""
    by = person_or_none(organisation, change.by)
    return ChangeView(iso(change.valid_from), change.valid_from > now_ms, change.fields, iso(change.recorded), by)
