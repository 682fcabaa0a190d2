"""People, units, posts and lines of managers (人员, 部门, 岗位, 汇报线): who is who at one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import msgspec

from noria.trust.substitutes import Substitution, Way, ways

FOREVER = 2**62
"""Stands for the end of a period that has none, ms."""


class Acting(msgspec.Struct, frozen=True):
    """Somebody who manages a unit for a while (代管).

    Attributes:
        person: who.
        since_ms: from when on.
        until_ms: not any more from this instant on.
    """

    person: str
    since_ms: int = 0
    until_ms: int = FOREVER


class Line(msgspec.Struct, frozen=True):
    """A second manager, for a purpose such as ``project`` or ``quality`` (矩阵汇报)."""

    purpose: str
    manager: str


class Post(msgspec.Struct, frozen=True):
    """A further post of a person, beside the main one (兼岗); the position may be "" when only the unit counts."""

    unit: str
    position: str = ""


class Unit(msgspec.Struct, frozen=True):
    """A department (部门).

    Attributes:
        id: its key, also usable as a candidate group.
        name: what people call it.
        parent: id of the unit above, "" for the top.
        manager: person id of its manager, "" for none.
        acting: who manages it for a while instead; of several whose periods overlap the first counts.
        lines: second managers of its people, unless they have their own.
        active: whether it still exists; one that does not has no people any more.
        external_id: its key in the system that keeps it up to date, "" for none.
    """

    id: str
    name: str
    parent: str = ""
    manager: str = ""
    acting: tuple[Acting, ...] = ()
    lines: tuple[Line, ...] = ()
    active: bool = True
    external_id: str = ""


class Person(msgspec.Struct, frozen=True):
    """A member of the company (人员).

    Attributes:
        id: its key; never given to another person.
        username: for signing in.
        name: what people call them.
        unit: id of the unit of their main post, "" for none.
        email: "" for none.
        active: whether they may sign in and get tasks.
        roles: keys of their roles.
        position: of the main post, e.g. ``buyer``; "" for none.
        posts: further posts.
        lines: second managers by purpose.
        external_id: their key in the system that keeps them up to date, "" for none.
    """

    id: str
    username: str
    name: str
    unit: str = ""
    email: str = ""
    active: bool = True
    roles: tuple[str, ...] = ()
    position: str = ""
    posts: tuple[Post, ...] = ()
    lines: tuple[Line, ...] = ()
    external_id: str = ""

    @property
    def all_posts(self) -> tuple[Post, ...]:
        """The main post and the others."""
        return (Post(self.unit, self.position), *self.posts) if self.unit or self.position else self.posts


class Organisation:
    """All people and units of a tenant, as they are at one instant.

    Attributes:
        people: by id, those who are not active any more among them.
        units: likewise.
        at_ms: the instant.
        substitutions: those that are in force, and those that were taken back but for some tasks.
    """

    def __init__(
        self,
        people: Mapping[str, Person],
        units: Mapping[str, Unit],
        at_ms: int = 0,
        substitutions: Iterable[Substitution] = (),
    ) -> None:
        self.people = people
        self.units = units
        self.at_ms = at_ms
        self.substitutions = tuple(
            item
            for item in substitutions
            if (item.holds(at_ms) or item.kept) and self.is_active(item.principal) and self.is_active(item.substitute)
        )

    # One unit

    def is_active(self, person_id: str) -> bool:
        """Whether there is such a person, who may get tasks."""
        person = self.people.get(person_id)
        return person is not None and person.active

    def knows(self, person_id: str) -> bool:
        """Whether a task can go to a person: somebody active; anybody where no people are kept at all."""
        return self.is_active(person_id) or not self.people

    def acting_for(self, unit: Unit) -> str:
        """Person id of who manages a unit for a while now, "" for nobody."""
        for acting in unit.acting:
            if acting.since_ms <= self.at_ms < acting.until_ms and self.is_active(acting.person):
                return acting.person
        return ""

    def head_of(self, unit: Unit) -> str:
        """Person id of who manages a unit now: the acting manager, or else the manager; "" when nobody active does."""
        return self.acting_for(unit) or (unit.manager if self.is_active(unit.manager) else "")

    def upward(self, unit_id: str) -> Iterator[Unit]:
        """A unit and those above it, the nearest first."""
        seen: set[str] = set()
        while unit_id in self.units and unit_id not in seen:
            seen.add(unit_id)
            unit = self.units[unit_id]
            yield unit
            unit_id = unit.parent

    # Lines of managers

    def managers(self, person_id: str, unit_id: str = "") -> tuple[str, ...]:
        """Person ids of the managers of somebody, the nearest first: of the unit, and of each unit above it.

        A unit that they manage themselves is passed over, also while somebody acts for them: nobody's manager is who
        works for them. Who manages several of these units counts once; who is not active does not count.

        Args:
            person_id: whose managers.
            unit_id: of which of their posts; "" for the main one.
        """
        person = self.people.get(person_id)
        if person is None:
            return ()
        found: dict[str, None] = {}
        for unit in self.upward(unit_id or person.unit):
            head = self.head_of(unit)
            if head and person_id not in (head, unit.manager):
                found.setdefault(head)
        return tuple(found)

    def manager_of(self, person: Person) -> str:
        """Person id of the nearest manager, "" when there is none."""
        return next(iter(self.managers(person.id)), "")

    def second_manager(self, person_id: str, purpose: str) -> str:
        """Person id of the manager for a purpose: the person's own, or that of the nearest unit with one; else ""."""
        person = self.people.get(person_id)
        if person is None:
            return ""
        lines: Iterable[tuple[Line, ...]] = (person.lines, *(unit.lines for unit in self.upward(person.unit)))
        for line in (line for several in lines for line in several):
            if line.purpose == purpose and line.manager != person_id and self.is_active(line.manager):
                return line.manager
        return ""

    # Who has what

    @cached_property
    def _active(self) -> tuple[Person, ...]:
        return tuple(person for _, person in sorted(self.people.items()) if person.active)

    def with_role(self, role: str, unit_id: str = "") -> tuple[str, ...]:
        """Ids of the active people who hold a role; those of a unit, or of the nearest unit above that has any."""
        holders = [person for person in self._active if role in person.roles]
        return self._nearest(holders, unit_id, lambda post, unit: post.unit == unit)

    def with_position(self, position: str, unit_id: str = "") -> tuple[str, ...]:
        """Ids of the active people in a position; those in a unit, or in the nearest unit above that has any."""
        holders = [
            person for person in self._active if any(position == post.position != "" for post in person.all_posts)
        ]
        return self._nearest(holders, unit_id, lambda post, unit: post.unit == unit and post.position == position)

    def _nearest(self, people: list[Person], unit_id: str, fits: Callable[[Post, str], bool]) -> tuple[str, ...]:
        if not unit_id:
            return tuple(person.id for person in people)
        for unit in self.upward(unit_id):
            found = tuple(person.id for person in people if any(fits(post, unit.id) for post in person.all_posts))
            if found:
                return found
        return ()

    def members(self, unit_id: str) -> tuple[str, ...]:
        """Ids of the active people who have a post in a unit or below it."""
        within = self.below((unit_id,))
        return tuple(person.id for person in self._active if any(post.unit in within for post in person.all_posts))

    def below(self, unit_ids: Iterable[str]) -> set[str]:
        """These units and all below them, as far as they exist."""
        found = {key for key in unit_ids if key in self.units}
        waiting = list(found)
        while waiting:
            new = self._children.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    @cached_property
    def _children(self) -> dict[str, set[str]]:
        children: dict[str, set[str]] = {}
        for unit in self.units.values():
            children.setdefault(unit.parent, set()).add(unit.id)
        return children

    def has_role(self, person_id: str, role: str) -> bool:
        """Whether there is such a person who holds a role."""
        person = self.people.get(person_id)
        return person is not None and role in person.roles

    def unit_manager(self, unit_id: str) -> str:
        """Person id of who manages a unit now, "" for nobody or when there is no such unit."""
        unit = self.units.get(unit_id)
        return self.head_of(unit) if unit is not None else ""

    # Substitutes

    @cached_property
    def _ways(self) -> tuple[Way, ...]:
        return tuple(ways(self.substitutions, self.at_ms))

    @cached_property
    def _ways_by_substitute(self) -> dict[str, list[Way]]:
        found: dict[str, list[Way]] = {}
        for way in self._ways:
            found.setdefault(way.substitute, []).append(way)
        return found

    @cached_property
    def _ways_by_principal(self) -> dict[str, list[Way]]:
        found: dict[str, list[Way]] = {}
        for way in self._ways:
            if all(link.holds(self.at_ms) for link in way.links):
                found.setdefault(way.principal, []).append(way)
        return found

    def ways_of(self, person_id: str) -> Sequence[Way]:
        """Every way in which a person may act for somebody else now, the shortest first."""
        return self._ways_by_substitute.get(person_id, ())

    def substitutes_of(self, person_id: str, process: str, amount: float | None) -> tuple[Way, ...]:
        """Who may act for somebody now, in a process and with an amount, each by the shortest way."""
        found: dict[str, Way] = {}
        for way in self._ways_by_principal.get(person_id, ()):
            if way.about(process) and way.within(amount):
                found.setdefault(way.substitute, way)
        return tuple(found.values())

    # For the policy and for models

    def groups_of(self, person: Person) -> tuple[str, ...]:
        """Every key under which a person is a candidate.

        Roles, positions, and the units of all posts with those above them, by key and by name.
        """
        groups = list(person.roles)
        for post in person.all_posts:
            if post.position:
                groups.append(post.position)
            for unit in self.upward(post.unit):
                groups += [unit.id, unit.name]
        return tuple(dict.fromkeys(groups))

    def managed_units(self, person_id: str) -> tuple[str, ...]:
        """Units that a person manages, by right or acting, those below included."""
        return tuple(
            sorted(
                self.below(
                    unit.id for unit in self.units.values() if person_id in (unit.manager, self.acting_for(unit))
                )
            )
        )

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
            "position": person.position,
        }

    def person(self, person_id: str) -> dict[str, object] | None:
        """What models see of an active person: the snapshot, and all posts; None when there is none."""
        person = self.people.get(person_id)
        if person is None or not person.active:
            return None
        posts = [{"unit": post.unit, "position": post.position} for post in person.all_posts]
        return {**self.snapshot(person), "posts": posts}

    def name_of(self, person_id: str) -> str:
        """A person's name, the id itself for a technical actor."""
        person = self.people.get(person_id)
        return person.name if person else person_id


class PeopleStore(Protocol):
    """Where people are kept."""

    async def organisation(self, tenant: int, at_ms: int | None = None) -> Organisation:
        """All people and units, as they are now or at another instant."""
        ...

    def known(self, tenant: int) -> Organisation | None:
        """The organisation of now, if it is at hand without asking the database."""
        ...
