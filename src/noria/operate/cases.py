"""Instances for people: starting them, and looking at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from noria.design.bpmn.graph import Graph
from noria.engine import commands as c
from noria.engine.lifecycle import RESTARTABLE, decided_on
from noria.engine.state import State, Status
from noria.kernel.errors import Rejected
from noria.kernel.instants import parse_instant, to_datetime
from noria.operate.changes import Held
from noria.operate.deciding import decisions_made
from noria.operate.deploying import DefinitionRow
from noria.operate.files import files_in
from noria.operate.finding import EVERYTHING, Wanted, search_for
from noria.operate.office import (
    Caller,
    NotFoundError,
    Office,
    RefusedError,
    element_ref,
    iso,
    iso_or_none,
    person_or_none,
    person_ref,
    process_ref,
)
from noria.operate.reading import InstanceBox, InstanceFields, InstanceStatus, TaskFields
from noria.operate.reason_views import Why
from noria.operate.reasons import reasons_of
from noria.operate.requests import Request, SerialDraw
from noria.operate.rows import InstanceRow, JournalRow
from noria.operate.sight import hidden_from, without
from noria.operate.takingback import last_act
from noria.operate.taskviews import open_opinion, open_task_facts, open_tasks, task_facts, task_view
from noria.operate.timeline import history_of, tokens_of, visible_variables
from noria.operate.views import (
    DecisionsMade,
    ElementCount,
    FlowCount,
    Holder,
    IncidentView,
    InstanceBrief,
    InstanceDetail,
    Page,
    StateAt,
    TakingBackView,
    Timeline,
)
from noria.trust.people import Organisation
from noria.trust.policy import InstanceFacts, Permission, Principal, Verdict, may_see, may_start

STATUS_NAMES: Mapping[int, str] = {
    Status.OPEN: "open",
    Status.COMPLETED: "completed",
    Status.WITHDRAWN: "withdrawn",
    Status.TERMINATED: "terminated",
    Status.FAILED: "failed",
    Status.REFUSED: "refused",
    Status.VOIDED: "voided",
}

_DID = frozenset({c.ACTIONS[c.CompleteTask], c.ACTIONS[c.ReturnTask]})
"""What makes somebody one who worked on a request."""


def _may_take_back(caller: Caller, state: State, rows: Sequence[JournalRow]) -> bool:
    """Whether what this person did last may still be taken back: what it has effected is kept to be compensated."""
    act = last_act(caller.principal.id, rows)
    return not isinstance(act, Rejected) and act.effects.keys() <= state.done.keys()


def _taking_back(state: State, graph: Graph, organisation: Organisation) -> TakingBackView | None:
    """What is being taken back, None for nothing."""
    if state.taking_back is None:
        return None
    element = element_ref(graph.elements[state.taking_back.element])
    return TakingBackView(element, person_ref(organisation, state.taking_back.by))


def _holders(organisation: Organisation, graph: Graph, tasks: Iterable[TaskFields]) -> list[Holder]:
    """Who holds an instance, as lists have its open tasks."""
    return [
        Holder(
            element_ref(graph.elements[task.element], task.name),
            person_or_none(organisation, task.assignee),
            task.groups,
            iso(task.created),
            iso_or_none(task.due),
            bool(task.provisional),
        )
        for task in tasks
    ]


def _holders_now(held: Held, organisation: Organisation) -> list[Holder]:
    """The same of an instance in memory."""
    elements, deadlines = held.definition.graph.elements, held.state.deadlines
    return [
        Holder(
            element_ref(elements[task.element], task.name),
            person_or_none(organisation, task.assignee),
            sorted(set(task.groups)),
            iso(task.opened_ms),
            iso_or_none(task.due_ms),
            token in deadlines and deadlines[token].provisional,
        )
        for token, task in sorted(held.state.tasks.items())
    ]


def may_restart(caller: Caller, state: State) -> bool:
    """Whether the end may be taken back by this person: a withdrawal by its starter, anything by an operator."""
    own = state.status is Status.WITHDRAWN and caller.principal.id == state.starter
    return own or Permission.OPERATE in caller.principal.permissions


class Cases:
    """The use cases about instances."""

    def __init__(self, office: Office) -> None:
        self._office = office

    # Starting

    async def start(
        self, caller: Caller, process: str, variables: dict[str, object], business_key: str = ""
    ) -> InstanceBrief:
        """Start an instance of the newest version.

        Raises:
            NotFoundError: there is no such process.
            DeniedError: the caller may not start it.
            RefusedError: a field is wrong, or the process has no plain start.
        """
        office = self._office
        tenant = caller.principal.tenant
        request = self.start_at_hand(caller, process, variables, business_key)
        if request is None:
            row = await self.startable(caller, process)
            graph = await office.graph(row.id)
            await self.check_files(tenant, variables)
            organisation = await office.people.organisation(tenant)
            request = self._to_start(caller, organisation, row, graph, variables, business_key)
        answer = await office.run(request)
        return await self.brief(tenant, answer.iid)

    def start_at_hand(
        self, caller: Caller, process: str, variables: dict[str, object], business_key: str = ""
    ) -> Request | None:
        """What a start comes to, where memory has all that this takes and nothing stands against it.

        None for any other: `start` asks for what is missing, and tells what is wrong.
        """
        office, principal = self._office, caller.principal
        row = office.catalogue.find(principal.tenant, process)
        definition = office.catalogue.compiled(row.id) if row is not None else None
        organisation = office.people.known(principal.tenant)
        if row is None or definition is None or organisation is None or files_in(variables):
            return None
        graph = definition.graph
        if not may_start(principal, graph.starter_groups).allowed:
            return None
        return self._to_start(caller, organisation, row, graph, variables, business_key)

    def _to_start(
        self,
        caller: Caller,
        organisation: Organisation,
        row: DefinitionRow,
        graph: Graph,
        variables: dict[str, object],
        business_key: str,
    ) -> Request:
        return Request(
            c.StartInstance(caller.person.id, organisation.snapshot(caller.person), variables, business_key),
            caller.person.id,
            tenant=caller.principal.tenant,
            definition=row.id,
            unit=caller.person.unit,
            key=idempotency_key(caller),
            origin=caller.origin,
            serial=self._serial(row, graph.serial),
        )

    async def startable(self, caller: Caller, process: str) -> DefinitionRow:
        """The newest version of a process that the caller may start.

        Raises:
            NotFoundError: there is none.
            DeniedError: the caller may not.
        """
        office = self._office
        row = office.catalogue.find(caller.principal.tenant, process)
        if row is None:
            raise NotFoundError(f"There is no process {process!r}.")
        verdict = may_start(caller.principal, (await office.graph(row.id)).starter_groups)
        if not verdict.allowed:
            raise await office.deny(caller, "instances.start", "process", process, verdict)
        return row

    def _serial(self, row: DefinitionRow, pattern: str) -> SerialDraw | None:
        if not pattern:
            return None
        facts = self._office.facts(row.tenant)
        zone = facts.calendars["default"].zone if "default" in facts.calendars else facts.zone
        year = to_datetime(self._office.clock.now_ms(), ZoneInfo(zone)).year
        return SerialDraw(row.key, str(year), pattern, year)

    async def check_files(self, tenant: int, values: object) -> None:
        """Raise unless every file that a submission names has been uploaded.

        Raises:
            NotFoundError: one has not.
        """
        hashes = files_in(values)
        if hashes:
            missing = hashes - await self._office.blobs.exist(tenant, hashes)
            if missing:
                raise NotFoundError("A file that the form names has not been uploaded; upload it again.")

    async def file(self, caller: Caller, hashed: str) -> tuple[str, str, bytes]:
        """Name, media type and content of a file that the caller uploaded, or that an instance they may see names.

        Raises:
            NotFoundError: there is none.
            DeniedError: the caller may see nothing that names it.
        """
        office = self._office
        tenant = caller.principal.tenant
        found = await office.blobs.get(tenant, hashed)
        if found is None:
            raise NotFoundError("There is no such file.")
        uploaders, instances = await office.blobs.uses(tenant, hashed)
        if caller.principal.id in uploaders:
            return found
        for iid in instances:
            facts = await office.lists.instance_facts(iid)
            if (
                facts is not None
                and may_see(caller.principal, facts).allowed
                and await self._shows(caller, iid, hashed)
            ):
                return found
        verdict = Verdict(False, "You have no part in a request with this file.")
        raise await office.deny(caller, "attachments.read", "attachment", hashed, verdict)

    async def _shows(self, caller: Caller, iid: int, hashed: str) -> bool:
        """Whether an instance names a file in what the caller may see of it."""
        held = await self._office.runtime.instance(iid)
        if held is None:
            return False
        hidden = await hidden_from(self._office, caller.principal, held)
        scopes = held.state.scopes.values()
        return not hidden or not any(
            hashed in files_in({name: scope.variables.get(name) for name in hidden}) for scope in scopes
        )

    # Looking

    async def seen(self, caller: Caller, iid: int) -> Held:
        """The instance, if the caller may see it.

        Raises:
            NotFoundError: there is none in the caller's tenant.
            DeniedError: the caller has no part in it.
        """
        office = self._office
        held = await office.runtime.instance(iid)
        if held is None or held.row.tenant != caller.principal.tenant:
            raise NotFoundError("There is no such instance.")
        verdict = await self._may_see(caller.principal, held)
        if not verdict.allowed:
            raise await office.deny(caller, "instances.read", "instance", str(iid), verdict)
        return held

    async def may_see(self, caller: Caller, held: Held) -> bool:
        """Whether the caller may see an instance of his tenant; nothing is recorded."""
        return (await self._may_see(caller.principal, held)).allowed

    async def _may_see(self, principal: Principal, held: Held) -> Verdict:
        row, state = held.row, held.state
        tasks = [open_task_facts(held, token) for token in state.tasks]
        tasks += [task_facts(open_opinion(held, number)) for number in state.consultations]
        facts = InstanceFacts(
            row.tenant, row.starter, row.unit, tuple(tasks), frozenset(state.actors.values()), frozenset(state.copied)
        )
        verdict = may_see(principal, facts)
        if verdict.allowed:
            return verdict
        # Only the projection knows everybody who ever worked on it; it may lag behind what has just been done.
        stored = await self._office.lists.instance_facts(row.iid)
        if stored is None:
            raise NotFoundError("There is no such instance.")
        verdict = may_see(principal, msgspec.structs.replace(facts, actors=stored.actors | facts.actors))
        if verdict.allowed:
            return verdict
        # One of several who approve, or a substitute, has just done something: the state names another for the step.
        rows = await self._office.store.journal_of(row.iid)
        did = frozenset(entry.actor for entry in rows if entry.action in _DID)
        return may_see(principal, msgspec.structs.replace(facts, actors=did))

    async def find(
        self,
        caller: Caller,
        box: InstanceBox,
        *,
        process: str = "",
        status: InstanceStatus = InstanceStatus.ALL,
        wanted: Wanted = EVERYTHING,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[InstanceBrief]:
        """Instances that the caller may see.

        Raises:
            RefusedError: what is looked for names a person or field that is not known, or cannot be read.
            SearchBehindError: the search index is still being built.
        """
        office = self._office
        tenant = caller.principal.tenant
        definitions = [row.id for row in office.catalogue.rows(tenant) if row.key == process] if process else None
        search = await search_for(office, caller.principal, wanted, process)
        rows, total = await office.lists.instances(
            caller.principal, box, definitions=definitions, status=status, search=search, limit=limit, offset=offset
        )
        return Page(await self._briefs(tenant, rows), total, limit, offset)

    async def brief(self, tenant: int, iid: int) -> InstanceBrief:
        """One instance for a list."""
        at_hand = self.brief_at_hand(tenant, iid)
        if at_hand is not None:
            return at_hand
        held = await self._office.runtime.instance(iid)
        if held is None:
            raise NotFoundError("There is no such instance.")
        organisation = await self._office.people.organisation(tenant)
        return self._brief(organisation, held.row, _holders_now(held, organisation))

    def brief_at_hand(self, tenant: int, iid: int) -> InstanceBrief | None:
        """The same where memory has it, as it does behind a command; None elsewhere."""
        held, organisation = self._office.runtime.remembered(iid), self._office.people.known(tenant)
        if held is None or organisation is None:
            return None
        return self._brief(organisation, held.row, _holders_now(held, organisation))

    async def _briefs(self, tenant: int, rows: Sequence[InstanceFields]) -> list[InstanceBrief]:
        office = self._office
        organisation = await office.people.organisation(tenant)
        tasks = await office.lists.open_tasks([row.iid for row in rows if row.status == int(Status.OPEN)])
        by_instance: defaultdict[int, list[TaskFields]] = defaultdict(list)
        for task in tasks:
            by_instance[task.iid].append(task)
        return [
            self._brief(
                organisation, row, _holders(organisation, await office.graph(row.definition), by_instance[row.iid])
            )
            for row in rows
        ]

    def _brief(
        self,
        organisation: Organisation,
        row: InstanceFields | InstanceRow,
        holders: list[Holder],
    ) -> InstanceBrief:
        return InstanceBrief(
            id=str(row.iid),
            business_key=row.bkey,
            title=row.title,
            process=process_ref(self._office.catalogue.row(row.definition)),
            starter=person_ref(organisation, row.starter),
            status=STATUS_NAMES[row.status],
            started_at=iso(row.started),
            ended_at=iso_or_none(row.ended),
            holders=holders,
            incidents=row.incidents,
            round=row.round,
        )

    async def detail(self, caller: Caller, iid: int) -> InstanceDetail:
        """One instance for its page."""
        office = self._office
        held = await self.seen(caller, iid)
        organisation = await office.people.organisation(caller.principal.tenant)
        history = await history_of(office, held, organisation)
        history.fold()
        hidden = await hidden_from(office, caller.principal, held)
        brief = await self.brief(caller.principal.tenant, iid)
        state, graph = held.state, held.definition.graph
        now_ms = office.clock.now_ms()
        tasks = [await task_view(office, task, organisation, now_ms, caller.principal) for task in open_tasks(held)]
        incidents = [
            IncidentView(
                str(key),
                element_ref(graph.elements[incident.element]),
                incident.code,
                incident.message,
                iso(history.raised.get(key, 0)),
                state.jobs[incident.token].retries if incident.token in state.jobs else 0,
            )
            for key, incident in state.incidents.items()
        ]
        return InstanceDetail(
            **{name: getattr(brief, name) for name in brief.__struct_fields__},
            variables=without(visible_variables(state.scopes[0].variables), hidden),
            tokens=tokens_of(state, graph, history.entered),
            open_tasks=tasks,
            visited=[ElementCount(key, count) for key, count in history.visited.items()],
            taken_flows=[FlowCount(key, count) for key, count in history.taken.items()],
            incidents_list=incidents,
            allowed=self._allowed(caller, held, history.rows),
            version=state.version,
            suspended=state.suspended and state.status is Status.OPEN,
            taking_back=_taking_back(state, graph, organisation),
        )

    @staticmethod
    def _allowed(caller: Caller, held: Held, rows: Sequence[JournalRow]) -> list[str]:
        allowed = ["comment", "copy"]
        state = held.state
        operates = Permission.OPERATE in caller.principal.permissions
        if state.status is not Status.OPEN:
            if state.status is Status.COMPLETED and operates:
                allowed.append("void")
            if state.status in RESTARTABLE and state.parent is None and may_restart(caller, state):
                allowed.append("restart")
            return allowed
        rule = held.definition.graph.withdrawable
        is_starter = caller.principal.id == state.starter
        is_whole = state.parent is None
        if _may_take_back(caller, state, rows):
            allowed.append("take_back")
        if (
            is_starter
            and is_whole
            and (rule == "always" or (rule == "before_first_decision" and not decided_on(state)))
        ):
            allowed.append("withdraw")
        if (is_starter or operates) and state.tasks:
            allowed.append("urge")
        if operates:
            allowed += ["cancel", "retry", "modify", "correct", "resume" if state.suspended else "suspend"]
        return allowed

    async def timeline(self, caller: Caller, iid: int) -> Timeline:
        """What happened to an instance, oldest first."""
        held = await self.seen(caller, iid)
        organisation = await self._office.people.organisation(caller.principal.tenant)
        items = (await history_of(self._office, held, organisation)).items()
        hidden = await hidden_from(self._office, caller.principal, held)
        for item in items:
            item.changes = [change for change in item.changes if change.name not in hidden]
        return Timeline(items)

    async def reasons(self, caller: Caller, iid: int) -> Page[Why]:
        """Why an instance went the way it went: forks, decisions and choices of people, oldest first."""
        held = await self.seen(caller, iid)
        organisation = await self._office.people.organisation(caller.principal.tenant)
        history = await history_of(self._office, held, organisation)
        found = reasons_of(history, organisation, with_models=Permission.MODELS_READ in caller.principal.permissions)
        return Page(found, len(found), len(found), 0)

    async def decisions(self, caller: Caller, iid: int) -> DecisionsMade:
        """The decisions of an instance, oldest first; why each came out so for who may read models."""
        held = await self.seen(caller, iid)
        tenant = caller.principal.tenant
        history = await history_of(self._office, held, await self._office.people.organisation(tenant))
        hidden = await hidden_from(self._office, caller.principal, held)
        # An explanation shows all input of a decision.
        explained = Permission.MODELS_READ in caller.principal.permissions and not hidden
        now = self._office.facts(tenant)
        then = {
            row.ts: msgspec.structs.replace(now, people=await self._office.people.organisation(tenant, row.ts))
            for row in history.rows
        }
        return DecisionsMade(decisions_made(history, then, explained=explained))

    async def state_at(self, caller: Caller, iid: int, at: str) -> StateAt:
        """The state of an instance at an instant of its past.

        Raises:
            ValueError: `at` is no ISO 8601 instant.
        """
        held = await self.seen(caller, iid)
        organisation = await self._office.people.organisation(caller.principal.tenant)
        instant = parse_instant(at)
        if instant < held.row.started:
            raise NotFoundError("The instance did not exist at that time.")
        history = await history_of(self._office, held, organisation)
        state = history.fold(instant)
        hidden = await hidden_from(self._office, caller.principal, held)
        return StateAt(
            iso(instant),
            state.version,
            STATUS_NAMES[state.status],
            without(visible_variables(state.scopes[0].variables), hidden),
            tokens_of(state, history.graph, history.entered),
        )

    # For those who act

    async def answered(self, caller: Caller) -> InstanceBrief | None:
        """The request as it is now when the caller's key was used before: nothing is to be done again, nor refused.

        What was done may have taken the task away, or the right to do it.
        """
        key = idempotency_key(caller)
        known = await self._office.store.answers([key]) if key else {}
        return await self.brief(caller.principal.tenant, known[key][0]) if key in known else None

    async def mentioned(self, held: Held, mentions: Sequence[str]) -> tuple[str, ...]:
        """The people whom a remark mentions, each once.

        Raises:
            RefusedError: one of them does not exist, or may not see the request: being told of it would show it.
        """
        organisation = await self._office.people.organisation(held.row.tenant)
        for key in mentions:
            person = organisation.people.get(key)
            if person is None or not person.active:
                details: dict[str, object] = {"fields": {"mentions": "person.not_found"}}
                raise RefusedError(Rejected("person.not_found", f"There is no active person {key!r}.", details))
            if not (await self._may_see(await self._office.principal(held.row.tenant, person), held)).allowed:
                message = f"{person.name} may not see this request, and so cannot be mentioned in it."
                raise RefusedError(Rejected("comment.mention_unseen", message, {"person": key}))
        return tuple(dict.fromkeys(mentions))


def idempotency_key(caller: Caller) -> str:
    """Two people may use the same key without knowing of each other."""
    return f"{caller.principal.tenant}:{caller.principal.id}:{caller.key}" if caller.key else ""
