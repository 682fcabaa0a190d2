"""How it is shown what a verb would do."""

from __future__ import annotations

import msgspec

from noria.operate.views import Ref


class PreviewTask(msgspec.Struct, kw_only=True):
    """A task that would be opened or cancelled, and whose it is."""

    element: Ref
    assignee: Ref | None
    groups: list[str]
    round: int


class PreviewPassed(msgspec.Struct, kw_only=True):
    """A task that nobody would be asked to do, why, and whose earlier decision counts."""

    element: Ref
    by: Ref | None
    reason: str


class PreviewIncident(msgspec.Struct, kw_only=True):
    """What would stand still until an operator looks, and why."""

    element: Ref
    code: str
    message: str


class Preview(msgspec.Struct, kw_only=True):
    """What a verb would do, were it given now (R9).

    Attributes:
        refused: code of the reason why nothing would happen, "" when it would.
        message: that reason in words.
        details: what the sentence names.
        status: of the request afterwards.
        suspended: whether it would rest afterwards.
        cancelled: tasks that would go away.
        opened: tasks that would open.
        handed: open tasks that would be somebody else's, or anybody's again.
        passed: tasks that nobody would be asked to do.
        stopped: automatic steps, timers and subscriptions that would be given up, by the element they belong to.
        undone: steps whose effect would be undone.
        incidents: where it would stand still.
        notified: who would be told, or have a new task.
        again_at: when it could be done again; None where nothing limits that.
    """

    refused: str = ""
    message: str = ""
    details: dict[str, object] = {}
    status: str = "open"
    suspended: bool = False
    cancelled: list[PreviewTask] = []
    opened: list[PreviewTask] = []
    handed: list[PreviewTask] = []
    passed: list[PreviewPassed] = []
    stopped: list[Ref] = []
    undone: list[Ref] = []
    incidents: list[PreviewIncident] = []
    notified: list[Ref] = []
    again_at: str | None = None
