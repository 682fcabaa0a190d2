"""Audit records of what is not a command of the engine: sign-ins, denials, deployments, people; and their proof.

Commands of the engine are their own audit record: the journal row with actor, origin, events and hash.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

import msgspec

GENESIS = bytes(32)


class AuditRecord(msgspec.Struct, frozen=True):
    """One record.

    Attributes:
        tenant: whose.
        ts: when, ms.
        actor: person id, "" for somebody unknown.
        action: dotted name, e.g. ``session.signed_in``.
        object_type: kind of the object, e.g. ``person``.
        object_id: its id.
        outcome: "ok", "refused" or "failed".
        reason: why, "" when there is nothing to say.
        before: JSON object of the changed fields before.
        after: JSON object of the changed fields after.
        origin: JSON object: method, address, device, session.
    """

    tenant: int
    ts: int
    actor: str
    action: str
    object_type: str
    object_id: str
    outcome: str = "ok"
    reason: str = ""
    before: str = "{}"
    after: str = "{}"
    origin: str = "{}"


def chained_record(head: bytes, seq: int, record: AuditRecord) -> bytes:
    """The head of the chain after a record: blake2b-256 over the head before it, its number and every field."""
    content = msgspec.msgpack.encode((seq, *msgspec.structs.astuple(record)))
    return blake2b(head + content, digest_size=32).digest()


class AuditTrail(Protocol):
    """Where records are kept."""

    async def record(self, record: AuditRecord) -> None:
        """Append a record to the chain, in a transaction of its own."""
        ...
