"""The approval verbs beyond completing and returning: delegate, add and remove approvers, copy, take back; previews."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.operate.approvalviews import preview_of
from noria.operate.cases import STATUS_NAMES, Cases
from noria.operate.changes import Held
from noria.operate.ids import parse_task_id
from noria.operate.inbox import Inbox, UnknownPersonError, token_of
from noria.operate.notices import Holding, Members, notices_of
from noria.operate.office import Caller, NotFoundError, Office, RefusedError
from noria.operate.takingback import last_act
from noria.operate.timeline import history_of
from noria.operate.views import InstanceBrief, Preview
from noria.trust.policy import DENIED, TaskFacts, Verdict, may_work_on


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A verb and what it takes; which fields count depends on it.

    Attributes:
        verb: "complete", "approve", "refuse", "abstain", "return", "transfer", "delegate", "add", "withdraw" or
            "take_back".
        to: a person, or for a return the id of the element.
        people: who is added.
        where: "before", "after" or "parallel".
        mode: for a return "step" or "straight", else the rule among those who are added.
        resubmit: how a returned request goes on.
    """

    verb: str
    variables: dict[str, object] = {}
    to: str = ""
    people: tuple[str, ...] = ()
    where: str = ""
    mode: str = ""
    reason: str = ""
    resubmit: str = ""
    version: int = 0


class _Row(msgspec.Struct, frozen=True):
    shard: int
    seq: int
    iid: int
    ts: int
    tenant: int
    events: tuple[e.AnyEvent, ...]


def _by_way_of(caller: Caller, verdict: Verdict) -> Caller:
    """A caller who acts as a substitute of a substitute, with who is in between on record."""
    return msgspec.structs.replace(caller, origin=msgspec.structs.replace(caller.origin, via=verdict.via))


class Verbs:
    """The use cases of the verbs."""

    def __init__(self, office: Office, cases: Cases, inbox: Inbox) -> None:
        self._office = office
        self._cases = cases
        self._inbox = inbox

    async def delegate(self, caller: Caller, task_id: str, to: str, reason: str, version: int = 0) -> InstanceBrief:
        """Have an active person deal with a task; it comes back.

        Raises:
            UnknownPersonError: there is no such person.
        """
        await self._active(caller, [to])
        command = c.DelegateTask(token_of(task_id), caller.principal.id, to, reason, version)
        return await self._inbox.act(caller, task_id, command)

    async def add(self, caller: Caller, task_id: str, wish: Wish) -> InstanceBrief:
        """Have more active people asked in an approval.

        Raises:
            UnknownPersonError: one of them is nobody.
        """
        await self._active(caller, wish.people)
        return await self._inbox.act(caller, task_id, self._command(caller.principal.id, token_of(task_id), wish))

    async def consult(
        self, caller: Caller, task_id: str, people: Sequence[str], text: str, version: int = 0
    ) -> InstanceBrief:
        """Ask active people for their opinion on a task, which stays the caller's.

        Raises:
            UnknownPersonError: one of them is nobody.
        """
        await self._active(caller, people)
        command = c.Consult(token_of(task_id), caller.principal.id, tuple(people), text, version)
        return await self._inbox.act(caller, task_id, command)

    async def answer(self, caller: Caller, task_id: str, text: str) -> InstanceBrief:
        """Give the opinion that the caller, or whom the caller stands in for, was asked for.

        Raises:
            RefusedError: somebody else is asked, or the caller may not stand in for that one here.
        """
        parsed = parse_task_id(task_id)
        if parsed is None:
            raise NotFoundError(f"{task_id!r} is not the id of a task.")
        iid, number = parsed
        held = await self._cases.seen(caller, iid)
        by = caller.principal.id
        if number in held.state.consultations:
            verdict = self._inbox.answers(caller, held, number)
            if verdict.allowed:
                by, caller = verdict.owner, _by_way_of(caller, verdict)
            elif verdict.code != DENIED:
                raise await self._office.deny(caller, "task.answer_consultation", "task", task_id, verdict)
        return await self._cases.act(caller, iid, c.AnswerConsultation(number, by, text))

    async def remove(self, caller: Caller, iid: int, person: str) -> InstanceBrief:
        """Take back that a person is asked whom the caller had asked."""
        held = await self._cases.seen(caller, iid)
        by = caller.principal.id
        approvals = held.state.approvals
        token = next(
            (
                key
                for key, approval in approvals.items()
                if any(seat.person == person and seat.by == by for seat in approval.seats.values())
            ),
            next(iter(approvals), 0),
        )
        return await self._cases.act(caller, iid, c.RemoveApprover(token, by, person))

    async def copy(self, caller: Caller, iid: int, people: Sequence[str], text: str) -> InstanceBrief:
        """Let active people know of a request that the caller may see.

        Raises:
            UnknownPersonError: one of them is nobody.
        """
        await self._cases.seen(caller, iid)
        await self._active(caller, people)
        return await self._cases.act(caller, iid, c.SendCopy(caller.principal.id, tuple(people), text))

    async def _active(self, caller: Caller, people: Sequence[str]) -> None:
        organisation = await self._office.people.organisation(caller.principal.tenant)
        for person in people:
            known = organisation.people.get(person)
            if known is None or not known.active:
                raise UnknownPersonError(f"There is no active person {person!r}.")

    # Taking back

    async def take_back(self, caller: Caller, iid: int) -> InstanceBrief:
        """Take back what the caller has done to a request last, as long as its effects can be compensated (R5)."""
        done = await self._cases.answered(caller)
        if done is not None:
            return done
        held = await self._cases.seen(caller, iid)
        found = await self._to_take_back(caller, held)
        if isinstance(found, Rejected):
            raise RefusedError(found)
        command, verdict = found
        return await self._cases.act(_by_way_of(caller, verdict), iid, command)

    async def _to_take_back(self, caller: Caller, held: Held) -> tuple[c.TakeBack, Verdict] | Rejected:
        rows = await self._office.store.journal_of(held.row.iid)
        found = last_act(caller.principal.id, rows)
        if isinstance(found, Rejected):
            return found
        organisation = await self._office.people.organisation(caller.principal.tenant)
        history = await history_of(self._office, held, organisation, found.at)
        state = history.fold()
        touched = [getattr(event, "token", 0) for event in e.decode_events(rows[found.at].ev)]
        token = next((token for token in touched if token in state.tasks), 0)
        if not token:
            return Rejected("task.nothing_to_take_back", "There is nothing of yours that can be taken back.")
        task, row = state.tasks[token], held.row
        # Whoever did it as a substitute may take it back only while they are one.
        facts = TaskFacts(
            *(task.assignee, task.groups, task.users, task.excluded),
            *(row.starter, row.definition, row.amount, (row.iid, token)),
        )
        verdict = may_work_on(caller.principal, facts)
        if not verdict.allowed:
            return Rejected("task.nothing_to_take_back", f"It cannot be taken back by you: {verdict.reason}")
        element = history.graph.elements[task.element].id
        return c.TakeBack(verdict.owner, state, held.state.version, element, found.effects), verdict

    # Previews

    async def preview_task(self, caller: Caller, task_id: str, wish: Wish) -> Preview:
        """What a verb on a task would do, from the live state, through the engine itself (R9)."""
        _, token, held, owner = await self._inbox.open_for(caller, task_id, wish.verb)
        return await self._preview(held, self._command(owner, token, wish), caller.principal.id)

    async def preview_instance(self, caller: Caller, iid: int, wish: Wish) -> Preview:
        """What withdrawing a request, or taking something back, would do."""
        held = await self._cases.seen(caller, iid)
        command: c.AnyCommand | Rejected
        if wish.verb == "withdraw":
            command = c.WithdrawInstance(caller.principal.id, wish.reason)
        elif wish.verb == "take_back":
            found = await self._to_take_back(caller, held)
            command = found if isinstance(found, Rejected) else found[0]
        else:
            raise NotFoundError(f"{wish.verb!r} is no verb on a request.")
        if isinstance(command, Rejected):
            return Preview(refused=command.code, message=command.message, details=command.details)
        return await self._preview(held, command, caller.principal.id)

    @staticmethod
    def _command(by: str, token: int, wish: Wish) -> c.AnyCommand:
        version = wish.version
        if wish.verb in ("complete", "approve", "refuse", "abstain"):
            outcome = "" if wish.verb == "complete" else wish.verb
            return c.CompleteTask(token, by, wish.variables, wish.reason, version, outcome, wish.resubmit)
        if wish.verb == "return":
            return c.ReturnTask(token, by, wish.to, wish.reason, version, wish.mode == "straight")
        if wish.verb == "transfer":
            return c.TransferTask(token, by, wish.to, wish.reason, version)
        if wish.verb == "delegate":
            return c.DelegateTask(token, by, wish.to, wish.reason, version)
        if wish.verb == "add":
            return c.AddApprovers(token, by, wish.where, wish.people, wish.mode or "allOf", wish.reason, version)
        raise NotFoundError(f"{wish.verb!r} is no verb on a task.")

    async def _preview(self, held: Held, command: c.AnyCommand, actor: str) -> Preview:
        office = self._office
        now_ms = office.clock.now_ms()
        facts = msgspec.structs.replace(office.facts(held.row.tenant), actor=actor)
        outcome = step(held.definition, held.state, command, now_ms, facts)
        if isinstance(outcome, Rejected):
            return Preview(refused=outcome.code, message=outcome.message, details=outcome.details)
        organisation = await office.people.organisation(held.row.tenant)
        holders = {
            key: Holding(task.assignee, task.groups, task.name, task.users, task.excluded)
            for state in (held.state, outcome.state)
            for key, task in state.tasks.items()
        }
        row = _Row(held.row.shard, 0, held.row.iid, now_ms, held.row.tenant, outcome.events)
        graph, members = held.definition.graph, Members(organisation)
        starter, title = held.row.starter, held.row.title
        notices = notices_of(row, starter, title, graph, members, holders, held.row.amount)
        return preview_of(
            held,
            outcome.state,
            outcome.events,
            STATUS_NAMES[outcome.state.status],
            [notice.person for notice in notices],
            organisation,
        )
