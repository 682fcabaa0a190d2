"""Two of the four kinds of "it did not work": a refusal is a value, a failure of the outside is an exception.

The other two are the event `IncidentRaised` (an operator must look) and a broken invariant, which is a bug.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Rejected(msgspec.Struct, frozen=True):
    """A command or request that was refused. Nothing was recorded and no trace is left.

    Attributes:
        code: stable, dotted, lower case, e.g. ``task.not_open``; user interfaces translate by it.
        message: one English sentence that says what, where and what to do.
        details: machine-readable particulars, e.g. ``{"fields": {"amount": "must be at least 0"}}``.
    """

    code: str
    message: str
    details: dict[str, object] = msgspec.field(default_factory=dict)


REASON_REQUIRED = Rejected("reason.required", "Say why; the reason goes to the audit trail.")
"""Whoever changes what others rely on says why."""


class NoriaError(Exception):
    """Base of every exception that Noria raises on purpose.

    Attributes:
        code: stable, dotted, lower case.
        message: one English sentence that says what, where and what to do.
        details: machine-readable particulars.
    """

    code: ClassVar[str] = "noria.error"

    def __init__(self, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = details or {}
