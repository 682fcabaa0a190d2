"""Which definition an entry of the journal belongs to: element indexes mean something only in one version."""

from __future__ import annotations

from collections.abc import Sequence

from noria.engine import commands as c
from noria.engine import events as e
from noria.operate.rows import JournalRow

REDEFINING = (c.ACTIONS[c.MigrateInstance], c.ACTIONS[c.RestoreInstance])
"""Actions by which an instance goes on by another definition."""


def definition_before(events: Sequence[e.AnyEvent]) -> int:
    """The definition that an instance ran on before a command of `REDEFINING`, by the command's events."""
    return next(event.before for event in events if isinstance(event, e.InstanceMigrated | e.InstanceRestored))


def definitions_of(rows: Sequence[JournalRow], current: int) -> list[int]:
    """For each entry of one instance's whole journal the definition in which its indexes mean something.

    Args:
        rows: oldest first.
        current: what the instance runs on now.
    """
    found: list[int] = []
    for row in reversed(rows):
        found.append(current)
        if row.action in REDEFINING:
            current = definition_before(e.decode_events(row.ev))
    return found[::-1]
