"""What the engine may know of the outside, handed in by its caller."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.design.feel import EvaluationContext
from noria.engine.definition import Definition
from noria.engine.people import People, people_context
from noria.kernel.calendar import WorkCalendar


class Facts(msgspec.Struct, frozen=True):
    """Outside facts of one command.

    Attributes:
        calendars: working calendars by id, in the version that is in force.
        target: the definition that an instance is to go on by, when it is migrated or restored.
        zone: IANA name of the tenant's time zone, for wall-clock durations and FEEL.
        actor: who gives the command as a substitute of who it says, "" when it is that one.
        people: the organisation at the instant of the command, None where there is none.
    """

    calendars: Mapping[str, WorkCalendar] = {}
    zone: str = "UTC"
    target: Definition | None = None
    people: People | None = None
    actor: str = ""

    def context(self, now_ms: int) -> EvaluationContext:
        """What FEEL may know at an instant beside its variables, with a fresh budget."""
        if self.people is None:
            return EvaluationContext(now_ms, self.zone)
        return EvaluationContext(now_ms, self.zone, outside=people_context(self.people))


NO_FACTS = Facts()
