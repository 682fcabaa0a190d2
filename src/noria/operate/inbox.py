"""Tasks for people: the inbox, and looking at a task."""

from __future__ import annotations

import msgspec

from noria.engine import events as e
from noria.engine.state import Status
from noria.engine.tasks.returning import returnable
from noria.engine.voting import in_vote, seat_of
from noria.kernel.errors import NoriaError
from noria.kernel.numbers import whole_number
from noria.operate.approvalviews import approval_view, comeback_view
from noria.operate.cases import Cases
from noria.operate.changes import Held
from noria.operate.closedtasks import ClosedTask, closed_task
from noria.operate.finding import EVERYTHING, Wanted, search_for
from noria.operate.ids import parse_task_id
from noria.operate.office import (
    Caller,
    NotFoundError,
    Office,
    element_ref,
    iso,
    person_or_none,
    person_ref,
)
from noria.operate.reading import NoticeFields, TaskBox, TaskSort
from noria.operate.sight import hidden_at, hidden_from
from noria.operate.taskviews import (
    consultation_view,
    consultation_views,
    open_opinion,
    open_task,
    open_task_facts,
    task_facts,
    task_view,
)
from noria.operate.views import (
    Counts,
    InstanceBrief,
    NoticeView,
    Page,
    Returnable,
    Returned,
    TaskDetail,
    TaskView,
)
from noria.trust.policy import Permission, TaskFacts, Verdict, is_candidate, may_reassign, may_work_on


class UnknownPersonError(NoriaError):
    """There is no such active person."""

    code = "person.not_found"


class Inbox:
    """The use cases about tasks."""

    def __init__(self, office: Office, cases: Cases) -> None:
        self._office = office
        self._cases = cases

    async def find(
        self,
        caller: Caller,
        box: TaskBox,
        *,
        process: str = "",
        wanted: Wanted = EVERYTHING,
        sort: TaskSort = TaskSort.DUE,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[TaskView]:
        """The caller's tasks.

        Raises:
            RefusedError: what is looked for names a person or field that is not known, or cannot be read.
            SearchBehindError: the search index is still being built.
        """
        office = self._office
        tenant = caller.principal.tenant
        definitions = [row.id for row in office.catalogue.rows(tenant) if row.key == process] if process else None
        search = await search_for(office, caller.principal, wanted, process)
        rows, total = await office.lists.tasks(
            caller.principal, box, definitions=definitions, search=search, sort=sort, limit=limit, offset=offset
        )
        organisation = await office.people.organisation(tenant)
        now_ms = office.clock.now_ms()
        views = [await task_view(office, row, organisation, now_ms, caller.principal) for row in rows]
        return Page(views, total, limit, offset)

    async def counts(self, caller: Caller) -> Counts:
        """The numbers beside the menu."""
        return Counts(*await self._office.lists.counts(caller.principal))

    async def open(self, caller: Caller, task_id: str) -> tuple[int, int, Held]:
        """An open task that the caller may see.

        Raises:
            NotFoundError: it is not open, or there is none.
            DeniedError: the caller has no part in its instance.
        """
        parsed = parse_task_id(task_id)
        if parsed is None:
            raise NotFoundError(f"{task_id!r} is not the id of a task.")
        iid, token = parsed
        held, closed = await self._seen(caller, iid, token)
        if closed is not None:
            raise await self._gone(caller, task_id, held, closed)
        if token not in held.state.tasks:
            raise NotFoundError(f"There is no task {task_id!r}.")
        return iid, token, held

    async def _seen(self, caller: Caller, iid: int, token: int) -> tuple[Held, ClosedTask | None]:
        """The instance of a task, and the task itself when it is closed.

        Who might have done a task may learn who was faster, though the instance is none of his business any more.
        """
        held = await self._office.runtime.instance(iid)
        closed = None
        if held is not None and held.row.tenant == caller.principal.tenant and token not in held.state.tasks:
            closed = await closed_task(self._office, held, token)
            if closed is not None:
                facts = TaskFacts("", tuple(closed.fields.groups), closed.users)
                if is_candidate(caller.principal, facts):
                    return held, closed
        return await self._cases.seen(caller, iid), closed

    async def _gone(self, caller: Caller, task_id: str, held: Held, closed: ClosedTask) -> NoriaError:
        """The error that says who was faster, or that the request was withdrawn."""
        organisation = await self._office.people.organisation(caller.principal.tenant)
        by, at = person_ref(organisation, closed.fields.assignee), iso(closed.fields.closed)
        details = {"by": msgspec.to_builtins(by), "at": at}
        if closed.cancelled and held.state.status is Status.WITHDRAWN:
            return WithdrawnError(f"The request was withdrawn by {by.name} at {at}; nothing was done.", details=details)
        what = "cancelled" if closed.cancelled else "closed"
        return TaskGoneError(f"Task {task_id} is not open; it was {what} by {by.name} at {at}.", details=details)

    async def open_for(
        self, caller: Caller, task_id: str, action: str, *, hands_on: bool = False
    ) -> tuple[int, Held, Verdict]:
        """Token, instance in memory and what the policy says of a task that the caller may work on, or hand on.

        Args:
            caller: who wants to.
            task_id: the task.
            action: how a denial is called on record.
            hands_on: whether it is to be handed on, which an administrator may do with some.

        Raises:
            NotFoundError: it is not open, or there is none.
            DeniedError: it is for others.
        """
        iid, token = parse_task_id(task_id) or (0, 0)
        known = await self._office.runtime.instance(iid) if iid else None
        verdict = self.workable(caller, known, token)
        if known is not None and verdict is not None:
            return token, known, verdict
        _, token, held = await self.open(caller, task_id)
        verdict = self._verdict(caller, held, token, hands_on=hands_on)
        if not verdict.allowed:
            raise await self._office.deny(caller, action, "task", task_id, verdict)
        return token, held, verdict

    @staticmethod
    def workable(caller: Caller, held: Held | None, token: int) -> Verdict | None:
        """What allows the caller to work on a task of an instance in memory; None when nothing does, or it is not open.

        Whoever may work on a task may see its instance; most commands are given by one who may.
        """
        if held is None or held.row.tenant != caller.principal.tenant or token not in held.state.tasks:
            return None
        verdict = may_work_on(caller.principal, open_task_facts(held, token))
        return verdict if verdict.allowed else None

    @staticmethod
    def _verdict(caller: Caller, held: Held, token: int, *, hands_on: bool) -> Verdict:
        """Whether the caller may act on an open task, and for whom; an administrator may hand some on."""
        facts = open_task_facts(held, token)
        verdict = may_work_on(caller.principal, facts)
        if not verdict.allowed and hands_on:
            handed_on = may_reassign(caller.principal, facts)
            return handed_on if handed_on.allowed else verdict
        return verdict

    async def repeated(self, caller: Caller, task_id: str) -> InstanceBrief | None:
        """The request as it is now when this very command was given before, and the task has gone or is others' since.

        Where the task is still the caller's, the runtime itself sees to a key that was used: most commands ask nothing.
        """
        parsed = parse_task_id(task_id)
        if not caller.key or parsed is None:
            return None
        held = await self._office.runtime.instance(parsed[0])
        if self.workable(caller, held, parsed[1]) is not None:
            return None
        return await self._cases.answered(caller)

    # One task

    async def one(self, caller: Caller, task_id: str) -> TaskView:
        """An open task as in a list, for who may see it or has just put it back.

        Raises:
            NotFoundError: it is not open, or there is none.
            DeniedError: the caller has no part in its instance.
        """
        iid, token = parse_task_id(task_id) or (0, 0)
        held = await self._office.runtime.instance(iid)
        known = held is not None and held.row.tenant == caller.principal.tenant and token in held.state.tasks
        if held is None or not known or not await self._shown(caller, held, token):
            _, token, held = await self.open(caller, task_id)
        organisation = await self._office.people.organisation(caller.principal.tenant)
        now_ms = self._office.clock.now_ms()
        return await task_view(self._office, open_task(held, token), organisation, now_ms, caller.principal)

    async def _shown(self, caller: Caller, held: Held, token: int) -> bool:
        """Whether a task may be shown: to who had it by transfer and put it back it is nobody's business any more."""
        if await self._cases.may_see(caller, held):
            return True
        last = (await self._office.store.journal_of(held.row.iid))[-1]
        return last.actor == caller.principal.id and any(
            isinstance(event, e.TaskUnclaimed) and event.token == token for event in e.decode_events(last.ev)
        )

    async def detail(self, caller: Caller, task_id: str) -> TaskDetail:
        """A task with its form, its data, and what the caller may do with it; a closed one as it was when it closed."""
        office = self._office
        parsed = parse_task_id(task_id)
        if parsed is not None:
            opinion = await self._opinion_detail(caller, *parsed)
            if opinion is not None:
                return opinion
            held, closed = await self._seen(caller, *parsed)
            if closed is not None:
                return await self._closed_detail(caller, held, closed)
        iid, token, held = await self.open(caller, task_id)
        organisation = await office.people.organisation(caller.principal.tenant)
        fields = open_task(held, token)
        view = await task_view(office, fields, organisation, office.clock.now_ms(), caller.principal)
        state, definition = held.state, held.definition
        task = state.tasks[token]
        form = definition.form_at(task.element, task.form) if task.form else None
        hidden = await hidden_from(office, caller.principal, held)
        names = set(form.names if form else ()) - {*hidden_at(definition, task.element), *hidden}
        variables = {**state.scopes[0].variables, **(state.scopes[token].variables if token in state.scopes else {})}
        works = may_work_on(caller.principal, task_facts(fields)).allowed
        targets = returnable(definition, state, token) if works else ()
        elements = definition.graph.elements
        approval = state.approvals.get(state.tokens[token].scope)
        return TaskDetail(
            **{name: getattr(view, name) for name in view.__struct_fields__},
            form=form.schema if form is not None else None,
            data={name: value for name, value in variables.items() if name in names},
            returnable=[
                Returnable(element_ref(elements[index]), person_or_none(organisation, state.actors.get(index, "")))
                for index in targets
            ],
            allowed=self._allowed(caller, held, token, works, bool(targets))
            + (["transfer"] if not works and may_reassign(caller.principal, task_facts(fields)).allowed else []),
            last_return=await self._last_return(iid, held, caller),
            instance_visible=True,
            owner=person_or_none(organisation, task.owner),
            approval=approval_view(approval, definition.graph, organisation) if approval is not None else None,
            comeback=comeback_view(held, token, organisation, hidden),
            consultations=consultation_views(held, token, organisation),
        )

    async def _opinion_detail(self, caller: Caller, iid: int, number: int) -> TaskDetail | None:
        """What somebody is asked for an opinion on: the task's form, to look at; None when it is no such thing."""
        office = self._office
        held = await office.runtime.instance(iid)
        if held is None or number not in held.state.consultations:
            return None
        held = await self._cases.seen(caller, iid)
        asked = held.state.consultations[number]
        organisation = await office.people.organisation(caller.principal.tenant)
        fields = open_opinion(held, number)
        view = await task_view(office, fields, organisation, office.clock.now_ms(), caller.principal)
        task = held.state.tasks[asked.token]
        form = held.definition.form_at(task.element, task.form) if task.form else None
        hidden = await hidden_from(office, caller.principal, held)
        names = set(form.names if form else ()) - {*hidden_at(held.definition, task.element), *hidden}
        return TaskDetail(
            **{name: getattr(view, name) for name in view.__struct_fields__},
            form=form.schema if form is not None else None,
            data={name: value for name, value in held.state.scopes[0].variables.items() if name in names},
            returnable=[],
            allowed=["answer"] if self.answers(caller, held, number).allowed else [],
            last_return=None,
            instance_visible=True,
            consultations=[consultation_view(held, number, organisation)],
        )

    @staticmethod
    def answers(caller: Caller, held: Held, number: int) -> Verdict:
        """Whether the caller may give an opinion that somebody is asked for, and for whom."""
        if held.state.consultations[number].person == caller.principal.id:
            return Verdict(True, "asked", owner=caller.principal.id)
        return may_work_on(caller.principal, task_facts(open_opinion(held, number)))

    async def _closed_detail(self, caller: Caller, held: Held, closed: ClosedTask) -> TaskDetail:
        office = self._office
        organisation = await office.people.organisation(caller.principal.tenant)
        view = await task_view(office, closed.fields, organisation, office.clock.now_ms(), caller.principal)
        form = held.definition.form_at(closed.fields.element, closed.form) if closed.form else None
        hidden = await hidden_from(office, caller.principal, held)
        names = set(form.names if form else ()) - {*hidden_at(held.definition, closed.fields.element), *hidden}
        values = closed.variables
        view.status = "cancelled" if closed.cancelled else view.status
        return TaskDetail(
            **{name: getattr(view, name) for name in view.__struct_fields__},
            form=form.schema if form is not None else None,
            data={name: value for name, value in values.items() if name in names},
            returnable=[],
            allowed=[],
            last_return=None,
            instance_visible=await self._cases.may_see(caller, held),
        )

    @staticmethod
    def _allowed(caller: Caller, held: Held, token: int, works: bool, can_return: bool) -> list[str]:
        task = held.state.tasks[token]
        allowed = ["comment"]
        # Whoever holds what an earlier step keeps them from may hand it on, and nothing else.
        barred = caller.principal.id in task.excluded
        if works:
            approval = held.state.approvals.get(held.state.tokens[token].scope)
            allowed.append("transfer")
            if not barred and approval is None:
                allowed.append("complete")
            elif not barred and approval is not None:
                allowed += ["approve", "refuse", "add"]
                if in_vote(approval, seat_of(approval, token)):
                    allowed.append("abstain")
            if not task.owner and not barred:
                allowed.append("delegate")
            allowed.append("consult")
            if not task.assignee:
                allowed.append("claim")
            elif task.claimed and not task.owner:
                allowed.append("unclaim")
            if can_return and not barred:
                allowed.append("return")
        if caller.principal.id == held.state.starter or Permission.OPERATE in caller.principal.permissions:
            allowed.append("urge")
        return allowed

    async def _last_return(self, iid: int, held: Held, caller: Caller) -> Returned | None:
        if not held.state.returned:
            return None
        organisation = await self._office.people.organisation(caller.principal.tenant)
        for row in reversed(await self._office.store.journal_of(iid)):
            for event in e.decode_events(row.ev):
                if isinstance(event, e.TaskReturned):
                    element = element_ref(held.definition.graph.elements[event.element])
                    return Returned(person_ref(organisation, event.by), iso(row.ts), event.reason, element)
        return None

    # Notices

    async def notices(self, caller: Caller, *, unread: bool, limit: int, offset: int) -> Page[NoticeView]:
        """The caller's notices, newest first."""
        rows, total = await self._office.lists.notices(caller.principal, unread=unread, limit=limit, offset=offset)
        return Page([_notice(row) for row in rows], total, limit, offset)

    async def read_notices(self, caller: Caller, notice: str = "") -> None:
        """Mark one notice, or all, as read.

        Raises:
            NotFoundError: the id is not one of a notice.
        """
        place = None
        if notice:
            parts = [number for part in notice.split("-") if (number := whole_number(part)) is not None]
            if len(parts) != notice.count("-") + 1 or len(parts) != 3:
                raise NotFoundError(f"{notice[:80]!r} is not the id of a notice.")
            place = (parts[0], parts[1], parts[2])
        await self._office.lists.read_notices(caller.principal, place, self._office.clock.now_ms())


class TaskGoneError(NoriaError):
    """The task is not open any more; nothing was done."""

    code = "task.not_open"


class WithdrawnError(TaskGoneError):
    """The applicant has withdrawn the request meanwhile; nothing was done."""

    code = "task.withdrawn"


def token_of(task_id: str) -> int:
    """The token in a task's id.

    Raises:
        NotFoundError: it is no id of a task.
    """
    parsed = parse_task_id(task_id)
    if parsed is None:
        raise NotFoundError(f"{task_id!r} is not the id of a task.")
    return parsed[1]


def _notice(row: NoticeFields) -> NoticeView:
    params = msgspec.json.decode(row.params)
    return NoticeView(
        f"{row.shard}-{row.seq}-{row.n}",
        iso(row.at),
        row.kind,
        str(row.iid),
        f"{row.iid}-{row.tok}" if row.tok else None,
        str(params.get("title", "")),
        params,
        iso(row.read) if row.read else None,
    )
