"""Approving several tasks at once (批量审批): agreeing only, where the process owner allows it.

Each task is a command of its own, with its own event and audit record. One that is left out is named with the reason,
and not touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from noria.design.forms import Field, Form
from noria.design.forms.values import signs
from noria.engine import commands as c
from noria.kernel.errors import NoriaError, Rejected
from noria.operate.cases import Cases
from noria.operate.changes import Held
from noria.operate.inbox import Inbox
from noria.operate.office import Caller, RefusedError
from noria.operate.preview_views import Preview
from noria.operate.taskviews import labels_of
from noria.operate.verbs import Verbs
from noria.operate.views import InstanceBrief
from noria.operate.wishes import Wish

TASKS_MAX = 200
_ACTION = c.ACTIONS[c.CompleteTask]
_AT_ONCE = 20
"""How many are on their way together: enough to share commits, few enough to leave others their turn."""


class SeenTask(msgspec.Struct, frozen=True):
    """A task, in the version that the caller saw."""

    id: str
    version: Annotated[int, msgspec.Meta(ge=1)]


class BulkResult(msgspec.Struct):
    """What became of one task, or what would become of it.

    Attributes:
        task: its id.
        approved: whether it was, or would be, agreed to.
        instance: its request afterwards; None when nothing was done.
        preview: of a dry run, what would happen; None when it would be left out.
        refused: code of the reason why it is left out, "" when it is not.
        message: the reason as a sentence.
        details: what the sentence names.
    """

    task: str
    approved: bool
    instance: InstanceBrief | None = None
    preview: Preview | None = None
    refused: str = ""
    message: str = ""
    details: dict[str, object] = {}


class BulkAnswer(msgspec.Struct):
    """One result per task, in their order; nothing was done when it was a dry run."""

    results: list[BulkResult]
    dry_run: bool


class Bulk:
    """The use case."""

    def __init__(self, cases: Cases, inbox: Inbox, verbs: Verbs) -> None:
        self._cases = cases
        self._inbox = inbox
        self._verbs = verbs

    async def approve(self, caller: Caller, seen: Sequence[SeenTask], opinion: str, *, dry_run: bool) -> BulkAnswer:
        """Agree to tasks with one opinion; with `dry_run` say only which of them would be left out, and why.

        Args:
            caller: with an idempotency key a repetition does nothing twice.
            seen: each task counts once.
            opinion: is that of each decision.
            dry_run: nothing is done.

        Returns:
            One result per task, in their order.

        Raises:
            RefusedError: there are none, or too many.
        """
        tasks = list({task.id: task for task in seen}.values())
        if not 1 <= len(tasks) <= TASKS_MAX:
            text = f"1 to {TASKS_MAX} tasks are approved at once, not {len(tasks)}."
            raise RefusedError(Rejected("task.bulk_size", text, {"max": TASKS_MAX}))
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(task: SeenTask) -> BulkResult:
            async with turn:
                try:
                    return await self._one(caller, task, opinion, dry_run=dry_run)
                except RefusedError as error:
                    rejected = error.rejected
                    return _left_out(task, rejected.code, rejected.message, rejected.details)
                except NoriaError as error:
                    return _left_out(task, error.code, error.message, error.details)

        return BulkAnswer(list(await asyncio.gather(*(one(task) for task in tasks))), dry_run)

    async def _one(self, caller: Caller, seen: SeenTask, opinion: str, *, dry_run: bool) -> BulkResult:
        """Agree to one task, or look whether that could be.

        Raises:
            NoriaError: it is left out.
        """
        caller = msgspec.structs.replace(caller, key=f"{caller.key}.{seen.id}" if caller.key else "")
        done = await self._cases.answered(caller)
        if done is not None:
            return BulkResult(seen.id, True, done)
        token, held, _ = await self._inbox.open_for(caller, seen.id, f"task.{_ACTION}")
        element = held.definition.graph.elements[held.state.tasks[token].element]
        if element.human is None or not element.human.in_bulk:
            text = "The process owner does not let this step be approved together with others; open it."
            raise RefusedError(Rejected("task.bulk_not_allowed", text))
        verb = "approve" if element.human.approval is not None else "complete"
        wish = Wish(verb=verb, reason=opinion, version=seen.version)
        if dry_run:
            preview = await self._verbs.preview_task(caller, seen.id, wish)
            if preview.refused:
                rejected = Rejected(preview.refused, preview.message, preview.details)
                raise RefusedError(_named(rejected, held, token))
            return BulkResult(seen.id, True, preview=preview)
        try:
            return BulkResult(seen.id, True, await self._verbs.on_task(caller, seen.id, wish))
        except RefusedError as error:
            raise RefusedError(_named(error.rejected, held, token)) from error


def _left_out(task: SeenTask, code: str, message: str, details: dict[str, object]) -> BulkResult:
    return BulkResult(task.id, False, refused=code, message=message, details=details)


def _named(rejected: Rejected, held: Held, token: int) -> Rejected:
    """A refusal in the words of who approves many: what their form wants of them, by its labels."""
    fields = rejected.details.get("fields")
    if rejected.code != "form.invalid" or not isinstance(fields, dict):
        return rejected
    task = held.state.tasks[token]
    form = held.definition.form_at(task.element, task.form)
    labels = labels_of({task.form: form} if form is not None else {})
    names = [path.partition("[")[0] for path in fields]
    said = list(dict.fromkeys(labels.get(name, name) for name in names))
    listed = ", ".join(said)
    if form is not None and signatures(form).issuperset(names):
        return Rejected("task.bulk_signature", f"It is to be signed ({listed}); open it.", {"labels": said})
    return Rejected("task.bulk_form", f"Its form needs an answer ({listed}); open it.", {"labels": said})


def signatures(form: Form) -> set[str]:
    """The fields of a form that are signed by hand."""

    def inside(fields: Sequence[Field]) -> Iterator[str]:
        for field in fields:
            if signs(field):
                yield field.key
            if field.type == "group":
                yield from inside(field.fields)

    return set(inside(form.fields))
