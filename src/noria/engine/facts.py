"""What the engine may know of the outside, handed in by its caller."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.engine.definition import Definition
from noria.kernel.calendar import WorkCalendar


class Facts(msgspec.Struct, frozen=True):
    """Outside facts of one command.

    Attributes:
        calendars: working calendars by id, in the version that is in force.
        target: the definition that an instance is to go on by, when it is migrated or restored.
        zone: IANA name of the tenant's time zone, for wall-clock durations and FEEL.
        unit_calendars: every unit, by key and by name → id of the calendar that it works by.
        person_calendars: every person in a unit → likewise.
    """

    calendars: Mapping[str, WorkCalendar] = {}
    zone: str = "UTC"
    target: Definition | None = None
    unit_calendars: Mapping[str, str] = {}
    person_calendars: Mapping[str, str] = {}


NO_FACTS = Facts()
