"""Everything that people do with a task or request: who may, what it comes to, doing it, and looking before (R9).

A verb is resolved in one place (`_on_task`, `_on_instance`), whether it is given or only looked at: the rights, the
people that it names and the commands of the engine are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.state import Status
from noria.kernel.errors import Rejected
from noria.operate.cases import Cases, idempotency_key, may_restart
from noria.operate.changes import Held
from noria.operate.dry_runs import preview_of, tried
from noria.operate.files import files_in
from noria.operate.ids import parse_task_id
from noria.operate.inbox import Inbox, TaskGoneError, UnknownPersonError, token_of
from noria.operate.office import Caller, NotFoundError, Office, RefusedError
from noria.operate.preview_views import Preview
from noria.operate.requests import Request
from noria.operate.takingback import last_act
from noria.operate.timeline import history_of
from noria.operate.views import InstanceBrief
from noria.operate.wishes import BY_OPERATORS, ON_TASKS, Wish
from noria.trust.policy import DENIED, Permission, TaskFacts, Verdict, may_work_on

_AFTER_AN_END = tuple(c.ACTIONS[kind] for kind in (c.Comment, c.SendCopy))


class Intent(msgspec.Struct, frozen=True):
    """What a wish comes to: who may not give it, or names somebody who is not there, has none.

    Attributes:
        caller: who gives it, with who is in between on record.
        held: the instance as it is.
        commands: what is added to the idempotency key → command. One that is refused does not keep the others from
            being given; the wish is refused when all of them are.
    """

    caller: Caller
    held: Held
    commands: dict[str, c.AnyCommand]


def _by_way_of(caller: Caller, verdict: Verdict) -> Caller:
    """A caller who acts as a substitute of a substitute, with who is in between on record."""
    return msgspec.structs.replace(caller, origin=msgspec.structs.replace(caller.origin, via=verdict.via))


def _on_behalf(caller: Caller, verdict: Verdict, command: c.AnyCommand) -> tuple[Caller, c.AnyCommand]:
    """A command on a task, and its caller, as they are when a substitute acts.

    What is done is the principal's then, and the request's actor says who did it.
    """
    if verdict.owner == caller.principal.id:
        return caller, command
    return _by_way_of(caller, verdict), msgspec.structs.replace(command, by=verdict.owner)


def _named(wish: Wish) -> tuple[str, ...]:
    """The people whom a wish on a task names, who must be active."""
    return (wish.to,) if wish.verb in ("transfer", "delegate") else wish.people


def _request(caller: Caller, command: c.AnyCommand, iid: int) -> Request:
    """A command on an instance as the runtime is asked for it."""
    principal = caller.principal
    return Request(
        command, principal.id, iid=iid, tenant=principal.tenant, key=idempotency_key(caller), origin=caller.origin
    )


class Verbs:
    """The use cases of the verbs."""

    def __init__(self, office: Office, cases: Cases, inbox: Inbox) -> None:
        self._office = office
        self._cases = cases
        self._inbox = inbox

    async def on_task(self, caller: Caller, task_id: str, wish: Wish) -> InstanceBrief:
        """Do something with a task, or answer what somebody is asked.

        Raises:
            NotFoundError: there is no such task or verb, or a file that the form names is missing.
            DeniedError: the caller may not.
            UnknownPersonError: somebody who is named is no active person.
            RefusedError: a rule stands against it; nothing was done.
        """
        request = self.at_hand(caller, task_id, wish)
        if request is not None:
            await self._office.run(request)
            return await self._cases.brief(request.tenant, request.iid)
        if caller.key and (done := await self._inbox.repeated(caller, task_id)) is not None:
            return done
        return await self._give(await self._on_task(caller, task_id, wish))

    def at_hand(self, caller: Caller, task_id: str, wish: Wish) -> Request | None:
        """What a wish on a task comes to, where memory has all that this takes and nothing stands against it.

        Most commands are such. None for any other: `on_task` asks for what is missing, and tells what is wrong.
        """
        make, place = ON_TASKS.get(wish.verb), parse_task_id(task_id)
        if make is None or place is None:
            return None
        iid, token = place
        verdict = self._inbox.workable(caller, self._office.runtime.remembered(iid), token)
        if verdict is None or (wish.variables and files_in(wish.variables)):
            return None
        if named := _named(wish):
            organisation = self._office.people.known(caller.principal.tenant)
            if organisation is None or not all(map(organisation.is_active, named)):
                return None
        return _request(*_on_behalf(caller, verdict, make(token, caller.principal.id, wish)), iid)

    async def on_instance(self, caller: Caller, iid: int, wish: Wish) -> InstanceBrief:
        """Do something with a request; raises as `on_task` does."""
        done = await self._cases.answered(caller)
        if done is not None:
            return done
        intent = await self._on_instance(caller, iid, wish)
        if isinstance(intent, Rejected):
            raise RefusedError(intent)
        return await self._give(intent)

    async def preview_task(self, caller: Caller, task_id: str, wish: Wish) -> Preview:
        """What a verb on a task would do, from the live state, through the engine itself; raises as `on_task` does.

        A task that somebody else was faster with is a refusal: whoever looks has it open, and is told.
        """
        intent: Intent | Rejected
        try:
            intent = await self._on_task(caller, task_id, wish, "task.preview")
        except TaskGoneError as gone:
            intent = Rejected(gone.code, gone.message, gone.details)
        return await self._preview(intent)

    async def preview_instance(self, caller: Caller, iid: int, wish: Wish) -> Preview:
        """What a verb on a request would do; raises as `on_task` does."""
        return await self._preview(await self._on_instance(caller, iid, wish))

    async def _give(self, intent: Intent) -> InstanceBrief:
        caller, iid = intent.caller, intent.held.row.iid
        refused: list[RefusedError] = []
        for suffix, command in intent.commands.items():
            # One key stands for one command.
            keyed = msgspec.structs.replace(caller, key=f"{caller.key}{suffix}") if caller.key and suffix else caller
            try:
                await self._office.run(_request(keyed, command, iid))
            except RefusedError as error:
                refused.append(error)
        if len(refused) == len(intent.commands):
            raise refused[-1]
        return await self._cases.brief(caller.principal.tenant, iid)

    async def _preview(self, intent: Intent | Rejected) -> Preview:
        if isinstance(intent, Rejected):
            return Preview(refused=intent.code, message=intent.message, details=intent.details)
        office, held = self._office, intent.held
        tenant, now_ms = held.row.tenant, office.clock.now_ms()
        outcome = tried(held, intent.commands.values(), intent.caller.principal.id, now_ms, office.facts(tenant))
        return preview_of(held, outcome, now_ms, await office.people.organisation(tenant))

    # Tasks

    async def _on_task(self, caller: Caller, task_id: str, wish: Wish, action: str = "") -> Intent:
        """What a wish on a task comes to.

        Args:
            caller: who wishes it.
            task_id: the task, or what somebody is asked.
            wish: the verb.
            action: how a denial is called on record, "" for the name of the command.
        """
        if wish.verb == "answer":
            return await self._answer(caller, task_id, wish)
        if wish.verb == "comment":
            _, token, held = await self._inbox.open(caller, task_id)
            return Intent(caller, held, {"": await self._comment(caller, held, wish, token)})
        if wish.verb == "urge":
            _, token, held = await self._inbox.open(caller, task_id)
            if caller.principal.id != held.state.starter:
                await self._office.require(caller, Permission.OPERATE, "task", task_id)
            return Intent(caller, held, {"": c.UrgeTask(token, caller.principal.id, wish.text)})
        make = ON_TASKS.get(wish.verb)
        if make is None:
            raise NotFoundError(f"{wish.verb!r} is no verb on a task.")
        command = make(token_of(task_id), caller.principal.id, wish)
        action = action or f"task.{c.ACTIONS[type(command)]}"
        _, held, verdict = await self._inbox.open_for(caller, task_id, action, hands_on=wish.verb == "transfer")
        caller, command = _on_behalf(caller, verdict, command)
        if wish.variables:
            await self._cases.check_files(caller.principal.tenant, wish.variables)
        if named := _named(wish):
            await self._active(caller, named)
        return Intent(caller, held, {"": command})

    async def _answer(self, caller: Caller, task_id: str, wish: Wish) -> Intent:
        """The opinion that the caller, or whom the caller stands in for, was asked for."""
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
        return Intent(caller, held, {"": c.AnswerConsultation(number, by, wish.text)})

    async def _comment(self, caller: Caller, held: Held, wish: Wish, token: int = 0) -> c.Comment:
        named = await self._cases.mentioned(held, wish.mentions)
        return c.Comment(caller.principal.id, wish.text, token, named)

    async def _active(self, caller: Caller, people: Sequence[str]) -> None:
        organisation = await self._office.people.organisation(caller.principal.tenant)
        for person in people:
            if not organisation.is_active(person):
                raise UnknownPersonError(f"There is no active person {person!r}.")

    # Requests

    async def _on_instance(self, caller: Caller, iid: int, wish: Wish) -> Intent | Rejected:
        """What a wish on a request comes to, or why there is nothing that it could be."""
        held = await self._cases.seen(caller, iid)
        by = caller.principal.id
        command: c.AnyCommand
        if wish.verb in BY_OPERATORS:
            await self._office.require(caller, Permission.OPERATE, "instance", str(iid))
            command = BY_OPERATORS[wish.verb](by, wish)
            if wish.variables:
                await self._cases.check_files(caller.principal.tenant, wish.variables)
        elif wish.verb == "take_back":
            found = await self._to_take_back(caller, held)
            if isinstance(found, Rejected):
                return found
            command, verdict = found
            caller = _by_way_of(caller, verdict)
        elif wish.verb == "restart":
            command = await self._to_restart(caller, held, wish)
        elif wish.verb == "urge":
            return await self._to_urge(caller, held, wish)
        elif wish.verb == "withdraw":
            command = c.WithdrawInstance(by, wish.reason)
        elif wish.verb == "copy":
            await self._active(caller, wish.people)
            command = c.SendCopy(by, wish.people, wish.text)
        elif wish.verb == "remove":
            command = self._to_remove(by, held, wish.to)
        elif wish.verb == "comment":
            command = await self._comment(caller, held, wish)
        else:
            raise NotFoundError(f"{wish.verb!r} is no verb on a request.")
        return Intent(caller, held, {"": command})

    async def _to_urge(self, caller: Caller, held: Held, wish: Wish) -> Intent:
        """The holders of all open tasks are asked to hurry, by the starter or an operator."""
        if caller.principal.id != held.state.starter:
            await self._office.require(caller, Permission.OPERATE, "instance", str(held.row.iid))
        if not held.state.tasks:
            raise NotFoundError("Nobody holds this request now.")
        by = caller.principal.id
        return Intent(caller, held, {f".{token}": c.UrgeTask(token, by, wish.text) for token in held.state.tasks})

    @staticmethod
    def _to_remove(by: str, held: Held, person: str) -> c.RemoveApprover:
        """A person is no longer asked whom the caller had asked."""
        approvals = held.state.approvals
        token = next(
            (
                key
                for key, approval in approvals.items()
                if any(seat.person == person and seat.by == by for seat in approval.seats.values())
            ),
            next(iter(approvals), 0),
        )
        return c.RemoveApprover(token, by, person)

    async def _to_restart(self, caller: Caller, held: Held, wish: Wish) -> c.RestartInstance:
        """A request that has ended is as it was before: a withdrawn one by its starter, else by an operator."""
        if not may_restart(caller, held.state):
            await self._office.require(caller, Permission.OPERATE, "instance", str(held.row.iid))
        before = held.state
        if before.status is not Status.OPEN:
            rows = await self._office.store.journal_of(held.row.iid)
            # What ended it is the last thing that is more than words.
            ended = next(at for at in range(len(rows) - 1, -1, -1) if rows[at].action not in _AFTER_AN_END)
            organisation = await self._office.people.organisation(caller.principal.tenant)
            before = (await history_of(self._office, held, organisation, ended)).fold()
        return c.RestartInstance(caller.principal.id, wish.reason, before, held.state.version)

    async def _to_take_back(self, caller: Caller, held: Held) -> tuple[c.TakeBack, Verdict] | Rejected:
        """What the caller has done last is taken back, as long as its effects can be compensated (R5)."""
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
