"""What models may ask of the organisation: the context ``people`` of FEEL.

The organisation is a fact of the command: the same command gives the same answers. Who is not active is never given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.library import Overload
from noria.design.feel.values import BuiltinFunction, integer_of

NAME = "people"
"""Under which expressions find it; a variable of this name hides it."""


class People(Protocol):
    """The organisation at one instant; every answer holds active people only, and is the same each time."""

    def __hash__(self) -> int:
        """By identity: another one may answer otherwise."""
        ...

    def knows(self, person_id: str) -> bool:
        """Whether a task can go to a person: somebody active; anybody where no people are kept at all."""
        ...

    def person(self, person_id: str) -> dict[str, object] | None:
        """What models see of a person: id, name, unit, unit_name, manager, roles, position, posts; None for nobody."""
        ...

    def managers(self, person_id: str, unit_id: str = "") -> tuple[str, ...]:
        """The line of managers of a person, the nearest first; of the main post, or that in a unit."""
        ...

    def second_manager(self, person_id: str, purpose: str) -> str:
        """The manager for a purpose, "" for none."""
        ...

    def unit_manager(self, unit_id: str) -> str:
        """Who manages a unit now, "" for nobody."""
        ...

    def has_role(self, person_id: str, role: str) -> bool:
        """Whether a person holds a role."""
        ...

    def with_role(self, role: str, unit_id: str = "") -> tuple[str, ...]:
        """Holders of a role: everybody, or those of a unit or the nearest unit above that has any."""
        ...

    def with_position(self, position: str, unit_id: str = "") -> tuple[str, ...]:
        """People in a position: everybody, or those of a unit or the nearest unit above that has any."""
        ...

    def members(self, unit_id: str) -> tuple[str, ...]:
        """People with a post in a unit or below it."""
        ...


@lru_cache(maxsize=8)
def people_context(people: People) -> dict[str, Any]:
    """The names that expressions find behind their variables, for one organisation."""
    return {NAME: {name: _function(name, people, parts) for name, parts in FUNCTIONS.items()}}


Body = Callable[..., Any]


def _function(name: str, people: People, overloads: tuple[tuple[str, Body], ...]) -> BuiltinFunction:
    function = BuiltinFunction(name)
    function.overloads = [Overload(signature, _bound(people, body)) for signature, body in overloads]
    return function


def _bound(people: People, body: Body) -> Body:
    def call(c: EvaluationContext, *arguments: Any) -> Any:
        if any(argument is None for argument in arguments):
            return None
        value = body(people, *arguments)
        if isinstance(value, tuple):
            c.check_list(len(value))
            return list(value)
        return value

    return call


def _levels(line: tuple[str, ...], levels: object) -> tuple[str, ...] | None:
    count = integer_of(levels)
    return None if count is None or count < 0 else line[:count]


def _up_to_role(people: People, person: str, role: str, unit: str = "") -> tuple[str, ...]:
    line = people.managers(person, unit)
    for place, manager in enumerate(line):
        if people.has_role(manager, role):
            return line[: place + 1]
    return line


FUNCTIONS: dict[str, tuple[tuple[str, Body], ...]] = {
    "person": (("person:string?", lambda people, person: people.person(person)),),
    "manager": (
        ("person:string?", lambda people, person: next(iter(people.managers(person)), None)),
        (
            "person:string?;purpose:string?",
            lambda people, person, purpose: people.second_manager(person, purpose) or None,
        ),
    ),
    "managers": (
        ("person:string?", lambda people, person: people.managers(person)),
        ("person:string?;levels:number?", lambda people, person, levels: _levels(people.managers(person), levels)),
        (
            "person:string?;levels:number?;unit:string?",
            lambda people, person, levels, unit: _levels(people.managers(person, unit), levels),
        ),
        ("person:string?;role:string?", _up_to_role),
        ("person:string?;role:string?;unit:string?", _up_to_role),
    ),
    "unit_manager": (("unit:string?", lambda people, unit: people.unit_manager(unit) or None),),
    "with_role": (
        ("role:string?", lambda people, role: people.with_role(role)),
        ("role:string?;unit:string?", lambda people, role, unit: people.with_role(role, unit) if unit else ()),
    ),
    "with_position": (
        ("position:string?", lambda people, position: people.with_position(position)),
        (
            "position:string?;unit:string?",
            lambda people, position, unit: people.with_position(position, unit) if unit else (),
        ),
    ),
    "members": (("unit:string?", lambda people, unit: people.members(unit)),),
}
"""Name → its ways to be called. Null for any argument gives null; what is not known gives an empty list or null."""
