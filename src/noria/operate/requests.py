"""What is asked of the runtime, what it answers, and what it tells of."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.kernel.errors import NoriaError, Rejected
from noria.operate.rows import InstanceRow, JournalRow


class OverloadedError(NoriaError):
    """Too many commands are waiting; nothing was done. Try again in a moment."""

    code: ClassVar[str] = "runtime.overloaded"


class BrokenError(NoriaError):
    """A defect of Noria showed at one command; the log has the trace. Other instances are not touched."""

    code: ClassVar[str] = "runtime.broken"


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False, cache_hash=True):
    """Where a command came from, for the audit trail.

    Attributes:
        method: "ui", "api", "timer", "batch", "worker", "engine", "cli" or "demo".
        address: network address, "" when there is none.
        device: what the client says it is, "" when there is none.
        session: first characters of the session's hash, "" when there is none.
        via: where a substitute of a substitute acts, who is in between, from the side of who they act for.
    """

    method: str = "engine"
    address: str = ""
    device: str = ""
    session: str = ""
    via: tuple[str, ...] = ()


MACHINES = frozenset({"timer", "batch"})
"""Methods of commands for which nobody waits, and which may come in hundreds of thousands."""


class SerialDraw(msgspec.Struct, frozen=True):
    """A number to draw at the start of an instance: counted per name and period, printed by the pattern."""

    name: str
    period: str
    pattern: str
    year: int


class Request(msgspec.Struct, gc=False):
    """One command on its way.

    Attributes:
        command: what is asked.
        actor: who asks: person id or technical actor.
        iid: the instance, 0 for a start.
        tenant: whose it is; an instance of another tenant is as good as absent.
        definition: id of the definition to start.
        target: id of the definition that an instance is to go on by, when it is migrated or restored.
        unit: unit id of the starter, for a start.
        key: idempotency key; a repetition gets the first answer.
        origin: where it came from.
        consumes: outbox row (shard, n) that this command delivers; forgotten in the same commit.
        serial: (name, period, pattern values) when a business key is to be drawn.
    """

    command: c.AnyCommand
    actor: str
    iid: int = 0
    tenant: int = 1
    definition: int = 0
    unit: str = ""
    key: str = ""
    origin: Origin = Origin()
    consumes: tuple[int, int] | None = None
    serial: SerialDraw | None = None
    target: int = 0


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The answer to an accepted command.

    Attributes:
        iid: the instance.
        version: its version after the command.
        events: what happened; empty for a repetition.
        repeated: whether this key had been used before, so that nothing happened now.
    """

    iid: int
    version: int
    events: tuple[e.AnyEvent, ...] = ()
    repeated: bool = False


Answer = Accepted | Rejected


class Committed(msgspec.Struct, gc=False):
    """What listeners are told after a commit, one per command.

    Attributes:
        row: the journal row.
        instance: the instance row after it.
        definition: what it runs on.
        events: what happened.
    """

    row: JournalRow
    instance: InstanceRow
    definition: Definition
    events: tuple[e.AnyEvent, ...]
