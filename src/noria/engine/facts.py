"""What the engine may know of the outside, handed in by its caller."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.design.feel import EvaluationContext
from noria.engine.definition import Definition
from noria.engine.people import People, people_context
from noria.kernel.calendar import WorkCalendar


class Observation(msgspec.Struct, frozen=True):
    """What somebody outside has said of the world: one version of one name.

    Attributes:
        version: counts what was said under this name.
        value: a JSON value.
        from_ms: from when it holds.
        until_ms: until when, 0 for until something else is said.
    """

    version: int
    value: object
    from_ms: int = 0
    until_ms: int = 0


class Facts(msgspec.Struct, frozen=True):
    """Outside facts of one command.

    Attributes:
        calendars: working calendars by id, in the version that is in force.
        target: the definition that an instance is to go on by, when it is migrated or restored.
        zone: IANA name of the tenant's time zone, for wall-clock durations and FEEL.
        actor: who gives the command as a substitute of who it says, "" when it is that one.
        people: the organisation at the instant of the command, None where there is none.
        unit_calendars: every unit, by key and by name → id of the calendar that it works by.
        person_calendars: every person in a unit → likewise.
        environment: name → what has been said under it.
        load_people: person → number of open tasks.
        load_groups: role or unit → number of open tasks that nobody has taken.
    """

    calendars: Mapping[str, WorkCalendar] = {}
    zone: str = "UTC"
    target: Definition | None = None
    people: People | None = None
    actor: str = ""
    unit_calendars: Mapping[str, str] = {}
    person_calendars: Mapping[str, str] = {}
    environment: Mapping[str, tuple[Observation, ...]] = {}
    load_people: Mapping[str, int] = {}
    load_groups: Mapping[str, int] = {}

    def context(self, now_ms: int) -> EvaluationContext:
        """What FEEL may know at an instant beside its variables, with a fresh budget."""
        if self.people is None:
            return EvaluationContext(now_ms, self.zone)
        return EvaluationContext(now_ms, self.zone, outside=people_context(self.people))


NO_FACTS = Facts()
