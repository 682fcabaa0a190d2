"""What a person keeps for their own work: drafts of forms that are not sent yet (暂存), and phrases (常用语)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from noria.kernel.errors import NoriaError, Rejected
from noria.kernel.instants import DAY_MS
from noria.operate.closedtasks import closed_task
from noria.operate.ids import parse_task_id
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, origin_json
from noria.operate.taskviews import open_task, task_facts
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission, TaskFacts, may_start, may_work_on

DRAFT_BYTES_MAX = 256 * 1024
DRAFT_KEPT_MS = 180 * DAY_MS
PHRASES_MAX = 50
PHRASE_CHARS_MAX = 200
_START = "start."


class DraftTooLargeError(NoriaError):
    """A draft is larger than what is kept."""

    code: ClassVar[str] = "draft.too_large"


class DeskStore(Protocol):
    """Where drafts and phrases are kept."""

    async def draft(self, tenant: int, person: str, what: str) -> tuple[bytes, int] | None:
        """A draft as JSON and when it was kept; None when there is none."""
        ...

    async def put_draft(self, tenant: int, person: str, what: str, value: bytes, now_ms: int, since_ms: int) -> None:
        """Keep a draft in place of the one before; those of the person from before `since_ms` are forgotten."""
        ...

    async def drop_draft(self, tenant: int, person: str, what: str) -> None:
        """Forget a draft."""
        ...

    async def phrases(self, tenant: int, person: str) -> list[str]:
        """A person's phrases, or for "" those of everybody, in their order."""
        ...

    async def put_phrases(self, tenant: int, person: str, texts: Sequence[str]) -> None:
        """Keep phrases in place of those before."""
        ...


class DraftView(msgspec.Struct):
    """A form that is not sent yet; None in both when nothing is kept."""

    at: str | None
    data: dict[str, object] | None


class Phrases(msgspec.Struct):
    """Phrases for opinions: the person's own, and everybody's."""

    mine: list[str]
    shared: list[str]


class Desk:
    """The use cases."""

    def __init__(self, office: Office, store: DeskStore) -> None:
        self._office = office
        self._store = store

    # Drafts

    async def draft(self, caller: Caller, what: str) -> DraftView:
        """What the caller has kept for a task, or for starting a process.

        Args:
            caller: only their own drafts are theirs to read.
            what: id of a task, or ``start.`` and the key of a process.
        """
        if not await self._check(caller, what):
            return DraftView(None, None)
        found = await self._store.draft(caller.principal.tenant, caller.principal.id, what)
        return DraftView(iso(found[1]), msgspec.json.decode(found[0])) if found is not None else DraftView(None, None)

    async def put_draft(self, caller: Caller, what: str, data: dict[str, object]) -> DraftView:
        """Keep a form that is not sent yet; it may be incomplete. Gives what is kept: nothing of a task that was done.

        Raises:
            DeniedError: the caller could not send it either.
            DraftTooLargeError: it is larger than what is kept.
        """
        if not await self._check(caller, what):
            return DraftView(None, None)  # a page that has just sent the form may still be about to keep it
        value = msgspec.json.encode(data)
        if len(value) > DRAFT_BYTES_MAX:
            raise DraftTooLargeError(f"A draft has {DRAFT_BYTES_MAX // 1024} KiB at most, not {len(value) // 1024}.")
        now_ms = self._office.clock.now_ms()
        tenant, person = caller.principal.tenant, caller.principal.id
        await self._store.put_draft(tenant, person, what, value, now_ms, now_ms - DRAFT_KEPT_MS)
        return DraftView(iso(now_ms), data)

    async def drop_draft(self, caller: Caller, what: str) -> None:
        """Forget what the caller has kept; there need not be anything any more."""
        await self._store.drop_draft(caller.principal.tenant, caller.principal.id, what)

    async def _check(self, caller: Caller, what: str) -> bool:
        """Whether the caller may keep a draft of it, False for a task that was done.

        What somebody has written for a task that went away under their hands (the request was withdrawn) stays theirs.

        Raises:
            NotFoundError: there is no such process or task.
            DeniedError: the caller could not send it either.
        """
        office, principal = self._office, caller.principal
        if what.startswith(_START):
            row = office.catalogue.find(principal.tenant, what.removeprefix(_START))
            if row is None:
                raise NotFoundError(f"There is no process {what.removeprefix(_START)!r}.")
            verdict = may_start(principal, (await office.graph(row.id)).starter_groups)
        else:
            parsed = parse_task_id(what)
            held = await office.runtime.instance(parsed[0]) if parsed is not None else None
            if held is None or parsed is None or held.row.tenant != principal.tenant:
                raise NotFoundError(f"There is no task {what!r}.")
            if parsed[1] not in held.state.tasks:
                closed = await closed_task(office, held, parsed[1])
                if closed is None or not closed.cancelled:
                    return False
                facts = TaskFacts("", tuple(closed.fields.groups), closed.users)
            else:
                facts = task_facts(open_task(held, parsed[1]))
            verdict = may_work_on(principal, facts)
        if not verdict.allowed:
            raise await office.deny(caller, "drafts.keep", "draft", what, verdict)
        return True

    # Phrases

    async def phrases(self, caller: Caller) -> Phrases:
        """The caller's phrases, and everybody's."""
        tenant = caller.principal.tenant
        return Phrases(await self._store.phrases(tenant, caller.principal.id), await self._store.phrases(tenant, ""))

    async def put_phrases(self, caller: Caller, texts: Sequence[str]) -> Phrases:
        """Keep the caller's phrases in place of those before.

        Raises:
            RefusedError: there are too many, or one is empty or too long.
        """
        await self._store.put_phrases(caller.principal.tenant, caller.principal.id, _checked(texts))
        return await self.phrases(caller)

    async def put_shared(self, caller: Caller, texts: Sequence[str]) -> Phrases:
        """Keep everybody's phrases in place of those before.

        Raises:
            DeniedError: the caller may not.
            RefusedError: there are too many, or one is empty or too long.
        """
        await self._office.require(caller, Permission.PHRASES, "phrases")
        tenant = caller.principal.tenant
        before, after = await self._store.phrases(tenant, ""), _checked(texts)
        await self._store.put_phrases(tenant, "", after)
        await self._office.trail.record(
            AuditRecord(
                tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                "phrases.changed",
                "phrases",
                "",
                before=msgspec.json.encode({"texts": before}).decode(),
                after=msgspec.json.encode({"texts": after}).decode(),
                origin=origin_json(caller.origin),
            )
        )
        return await self.phrases(caller)


def _checked(texts: Sequence[str]) -> list[str]:
    """Phrases without blanks around them, each once.

    Raises:
        RefusedError: there are too many, or one is empty or too long.
    """
    found = list(dict.fromkeys(text.strip() for text in texts))
    if len(found) > PHRASES_MAX or any(not 1 <= len(text) <= PHRASE_CHARS_MAX for text in found):
        message = f"Up to {PHRASES_MAX} phrases of 1 to {PHRASE_CHARS_MAX} characters are kept."
        raise RefusedError(Rejected("phrases.invalid", message, {"fields": {"texts": "phrases.invalid"}}))
    return found
