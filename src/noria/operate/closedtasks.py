"""What became of a task that is not open any more: who closed it, when, and with which values. From the journal."""

from __future__ import annotations

import msgspec

from noria.engine import events as e
from noria.engine.evolve import APPLY
from noria.engine.state import State
from noria.operate.changes import Held
from noria.operate.office import Office
from noria.operate.reading import TaskFields


class ClosedTask(msgspec.Struct):
    """A task that was completed, returned or cancelled.

    Attributes:
        fields: its columns, as lists show them; the assignee is who closed it.
        users: people who were candidates, or had it assigned.
        form: id of its form, "" for none.
        variables: as they were when it was closed.
        cancelled: nobody did it; it went away with what was around it.
    """

    fields: TaskFields
    users: tuple[str, ...]
    form: str
    variables: dict[str, object]
    cancelled: bool


async def closed_task(office: Office, held: Held, token: int) -> ClosedTask | None:
    """The closed task of a token; None when the token never had a task, or has it still."""
    row = held.row
    state = State()
    opened: e.TaskOpened | None = None
    by, closed_ms, cancelled, claimed_ms, proxy = "", 0, False, 0, ""
    variables: dict[str, object] = {}
    asked: set[str] = set()
    for entry in await office.store.journal_of(row.iid):
        for event in e.decode_events(entry.ev):
            APPLY[event.__class__](state, event)
            if isinstance(event, e.TaskOpened) and event.token == token:
                opened, by, closed_ms, cancelled, claimed_ms, proxy = event, "", 0, False, 0, ""
                asked = {*event.users, event.assignee} - {""}
            elif isinstance(event, e.TakenBack) and token in event.state.tasks:
                by, closed_ms, cancelled = "", 0, False
            elif isinstance(event, e.TaskTransferred | e.TaskDelegated) and event.token == token:
                asked.add(event.to)
            elif isinstance(event, e.TaskClaimed) and event.token == token:
                claimed_ms = entry.ts
            elif isinstance(event, e.TaskCompleted | e.TaskReturned) and event.token == token:
                by, closed_ms = event.by, entry.ts
                proxy = entry.actor if entry.actor != by else ""
            elif isinstance(event, e.ElementCancelled) and event.token == token and not closed_ms:
                by, closed_ms, cancelled = entry.actor, entry.ts, True
            if opened is not None and 0 in state.scopes:
                own = state.scopes[token].variables if token in state.scopes else {}
                variables = {**state.scopes[0].variables, **own}
        if opened is not None and closed_ms:
            break
    if opened is None or not closed_ms:
        return None
    fields = TaskFields(
        iid=row.iid,
        tok=token,
        definition=row.definition,
        element=opened.element,
        assignee=by,
        created=opened.opened_ms,
        due=opened.due_ms,
        prio=opened.priority,
        round=opened.round,
        version=0,
        claimed=claimed_ms,
        closed=closed_ms,
        bkey=row.bkey,
        title=row.title,
        summary=row.summary,
        starter=row.starter,
        groups=list(opened.groups),
        name=opened.name,
        proxy=proxy,
    )
    return ClosedTask(fields, tuple(sorted(asked)), opened.form, variables, cancelled)
