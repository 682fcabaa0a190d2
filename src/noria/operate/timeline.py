"""The timeline of an instance: its journal in the words of people, and its state at any instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from noria.design.bpmn.graph import Graph, Kind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.evolve import APPLY
from noria.engine.state import RESERVED_VARIABLES, State
from noria.engine.voting import ABSTAIN, APPROVE, REFUSE
from noria.operate.changes import Held
from noria.operate.office import Office, element_ref, iso, person_or_none, person_ref
from noria.operate.redefining import definitions_of
from noria.operate.requests import Origin
from noria.operate.rows import JournalRow
from noria.operate.taskviews import labels_of
from noria.operate.views import Change, Ref, TimelineItem, TokenView
from noria.trust.people import Organisation

KIND_OF: dict[type, str] = {
    e.InstanceStarted: "instance.started",
    e.TaskOpened: "task.opened",
    e.TaskClaimed: "task.claimed",
    e.TaskUnclaimed: "task.unclaimed",
    e.TaskCompleted: "task.completed",
    e.TaskReturned: "task.returned",
    e.TaskTransferred: "task.transferred",
    e.TaskDelegated: "task.delegated",
    e.TaskHandedBack: "task.handed_back",
    e.TaskReminded: "task.reminded",
    e.TaskUrged: "task.urged",
    e.Commented: "comment.added",
    e.JobCreated: "job.created",
    e.JobCompleted: "job.completed",
    e.JobFailed: "job.failed",
    e.JobRetried: "job.retried",
    e.TimerFired: "timer.fired",
    e.MessageReceived: "message.received",
    e.MessageThrown: "message.thrown",
    e.SignalThrown: "signal.thrown",
    e.ErrorThrown: "error.thrown",
    e.EscalationThrown: "escalation.thrown",
    e.CompensationThrown: "compensation.thrown",
    e.CompensationStarted: "compensation.started",
    e.ConditionChanged: "condition.met",
    e.LoopStarted: "loop.started",
    e.LoopCutShort: "loop.cut_short",
    e.IncidentRaised: "incident.raised",
    e.IncidentResolved: "incident.resolved",
    e.DecisionEvaluated: "decision.evaluated",
    e.CallRequested: "call.requested",
    e.CallCompleted: "call.completed",
    e.VariablesCorrected: "variables.corrected",
    e.InstanceModified: "instance.modified",
    e.InstanceMigrated: "instance.migrated",
    e.InstanceRestored: "instance.restored",
    e.InstanceSuspended: "instance.suspended",
    e.InstanceResumed: "instance.resumed",
    e.DeadlineMoved: "deadline.moved",
    e.InstanceCompleted: "instance.completed",
    e.InstanceWithdrawn: "instance.withdrawn",
    e.InstanceTerminated: "instance.terminated",
    e.InstanceFailed: "instance.failed",
    e.InstanceRefused: "instance.refused",
    e.InstanceVoided: "instance.voided",
    e.InstanceRestarted: "instance.restarted",
    e.ApproversAdded: "approvers.added",
    e.ApproverRemoved: "approver.removed",
    e.ApprovalDecided: "approval.decided",
    e.TaskPassed: "task.passed",
    e.Resubmitted: "task.resubmitted",
    e.TakeBackBegun: "task.taking_back",
    e.TakenBack: "task.taken_back",
    e.CopiesSent: "copies.sent",
    e.ConsultationOpened: "opinion.asked",
    e.ConsultationAnswered: "opinion.given",
    e.NobodyFound: "task.nobody",
    e.TaskOverdue: "task.overdue_action",
}
"""Events that people are shown, and under which name."""

_TAKE_BACK = c.ACTIONS[c.TakeBack]
KIND_OF_OUTCOME = {APPROVE: "task.approved", REFUSE: "task.refused", ABSTAIN: "task.abstained"}
"""How a task's completion is called where it is an approval."""

_WORDS = e.Commented | e.TaskUrged | e.CopiesSent | e.ConsultationOpened | e.ConsultationAnswered
"""Events with words of a person."""
_WITH_REASON = (
    e.TaskReturned,
    e.TaskDelegated,
    e.ApproversAdded,
    e.InstanceWithdrawn,
    e.InstanceVoided,
    e.InstanceRestarted,
    e.InstanceTerminated,
    e.VariablesCorrected,
    e.InstanceModified,
    e.InstanceMigrated,
    e.InstanceRestored,
    e.InstanceSuspended,
    e.InstanceResumed,
)
_origin = msgspec.msgpack.Decoder(Origin)
Told = TypeVar("Told", bound=e.Event)
_EMPTY: tuple[object, ...] = (None, "", [])
_OMITTED = {
    *("token", "element", "by", "comment", "variables", "parent", "starter", "process", "definition_version"),
    *("elements", "flows", "state", "before", "after", "items", "result", "approval", "valid"),
}


def _params(event: e.AnyEvent, organisation: Organisation, graph: Graph) -> dict[str, object]:
    params: dict[str, object] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in _OMITTED:
            params[name] = value
        if name.endswith("_ms"):
            params[name.removesuffix("_ms") + "_at"] = iso(value) if value else None
            params.pop(name)
    if isinstance(event, e.TaskReturned):
        params["to"] = element_ref(graph.elements[event.to]).name
    elif isinstance(event, e.TaskTransferred):
        params["to"] = organisation.name_of(event.to)
        params["held_by"] = organisation.name_of(event.held_by) if event.held_by else None
    elif isinstance(event, e.TaskDelegated | e.TaskHandedBack):
        params["to"] = organisation.name_of(event.to)
    elif isinstance(event, e.ApproversAdded | e.CopiesSent):
        params["people"] = [organisation.name_of(person) for person in event.people]
    elif isinstance(event, e.ApproverRemoved | e.ConsultationOpened):
        params["person"] = organisation.name_of(event.person)
    elif isinstance(event, e.TaskOpened):
        params["assignee"] = organisation.name_of(event.assignee) if event.assignee else None
        params.pop("name")
    elif isinstance(event, e.ErrorThrown | e.EscalationThrown):
        params["caught_by"] = element_ref(graph.elements[event.caught_by]).name if event.caught_by >= 0 else None
    return msgspec.to_builtins(params)  # type: ignore[no-any-return]


def _differ(before: object, after: object) -> bool:
    # A field that stays empty has not changed, though forms write one kind of empty for another.
    return before != after and not (before in _EMPTY and after in _EMPTY)


async def history_of(office: Office, held: Held, organisation: Organisation, until: int | None = None) -> History:
    """The history of an instance, up to one of its versions or whole; every entry knows what it happened in."""
    rows = await office.store.journal_of(held.row.iid)
    numbers = definitions_of(rows, held.row.definition)[:until]
    rows = rows[:until]
    known = {number: await office.catalogue.get(number) for number in set(numbers)}
    return History(rows, [known[number] for number in numbers], organisation)


class History:
    """Folds an instance's journal and tells the story on the way.

    Attributes:
        graph: of the version that the entry folded last happened in.
    """

    def __init__(
        self, rows: Sequence[JournalRow], definitions: Sequence[Definition], organisation: Organisation
    ) -> None:
        self.rows = rows
        self.definitions = definitions
        self.graph = definitions[0].graph
        self.version = definitions[0].version
        self.labels = labels_of(definitions[0].own_forms)
        self.organisation = organisation
        self.state = State()
        self.entered: dict[int, int] = {}
        self.visited: dict[str, int] = {}
        self.taken: dict[str, int] = {}
        self.raised: dict[int, int] = {}

    def items(self, iid: int = 0) -> list[TimelineItem]:
        """The timeline, oldest first."""
        told: list[TimelineItem] = []
        for row, definition in zip(self.rows, self.definitions, strict=True):
            self._turn_to(definition)
            for event in e.decode_events(row.ev):
                item = self._item(row, event, iid)
                if item is not None:
                    told.append(item)
                elif isinstance(event, e.VariablesSet) and told:
                    changes = self._changes(event)
                    told[-1].changes = [*told[-1].changes, *changes]
                self._apply(row, event)
            self.state.version += 1
        for item in told:
            item.business_key = self.state.business_key
        return told

    def fold(self, until_ms: int | None = None) -> State:
        """The state, as it was at an instant or as it is."""
        for row, definition in zip(self.rows, self.definitions, strict=True):
            if until_ms is not None and row.ts > until_ms:
                break
            self._turn_to(definition)
            for event in e.decode_events(row.ev):
                self._apply(row, event)
            self.state.version += 1
        return self.state

    def _turn_to(self, definition: Definition) -> None:
        if definition.graph is not self.graph:
            self.graph, self.version, self.labels = (
                definition.graph,
                definition.version,
                labels_of(definition.own_forms),
            )

    def before(self, kind: type[Told]) -> Iterator[tuple[JournalRow, Definition, Told]]:
        """Events of a kind with what they happened in; while one is looked at, the state is as it was before it."""
        for row, definition in zip(self.rows, self.definitions, strict=True):
            self._turn_to(definition)
            for event in e.decode_events(row.ev):
                if isinstance(event, kind):
                    yield row, definition, event
                self._apply(row, event)
            self.state.version += 1

    def _apply(self, row: JournalRow, event: e.AnyEvent) -> None:
        if isinstance(event, e.ElementEntered):
            self.entered[event.token] = row.ts
            key = self.graph.elements[event.element].id
            self.visited[key] = self.visited.get(key, 0) + 1
        elif isinstance(event, e.LoopStarted | e.ApprovalOpened):
            # The instances are the visits; the activity's own token only waits for them.
            self.visited[self.graph.elements[self.state.tokens[event.token].element].id] -= 1
        elif isinstance(event, e.ElementLeft | e.GatewayActivated):
            for flow in event.flows:
                key = self.graph.flows[flow].id
                self.taken[key] = self.taken.get(key, 0) + 1
        elif isinstance(event, e.IncidentRaised):
            self.raised[event.incident] = row.ts
        APPLY[event.__class__](self.state, event)

    def _changes(self, event: e.VariablesSet) -> list[Change]:
        scope = self.state.scopes.get(event.scope)
        before = scope.variables if scope is not None else {}
        return [
            Change(name, self.labels.get(name, ""), before.get(name), value)
            for name, value in event.values.items()
            # An empty field that stays empty is no change, though forms write one kind of empty for another.
            if name not in RESERVED_VARIABLES
            and before.get(name) != value
            and not (before.get(name) in _EMPTY and value in _EMPTY)
        ]

    def _element(self, event: e.AnyEvent) -> Ref | None:
        index = getattr(event, "element", None)
        token = getattr(event, "token", None)
        if isinstance(event, e.DeadlineMoved):
            timer = self.state.timers.get(event.key)
            index, token = (timer.element, None) if timer is not None else (None, event.key)
        if index is None and token in self.state.tokens:
            index = self.state.tokens[token].element
        if index is None or self.graph.elements[index].kind is Kind.PROCESS:
            return None
        # What is told of a task calls it as people know it.
        task = self.state.tasks.get(token or 0)
        name = event.name if isinstance(event, e.TaskOpened) else task.name if task is not None else ""
        return element_ref(self.graph.elements[index], name)

    def _item(self, row: JournalRow, event: e.AnyEvent, iid: int) -> TimelineItem | None:
        kind = KIND_OF.get(type(event))
        if kind is None:
            return None
        if isinstance(event, e.TaskCompleted) and event.outcome:
            kind = KIND_OF_OUTCOME[event.outcome]
        if isinstance(event, e.TimerFired):
            timer = self.state.timers.get(event.timer)
            if timer is not None and (timer.share or timer.purpose):
                return None  # told as a reminder, or a save point, which is nothing to tell
        if isinstance(event, e.ConditionChanged) and not event.met:
            return None
        if isinstance(event, e.DeadlineMoved) and not event.version:
            return None  # a reminder follows its task
        task = self.state.tasks.get(getattr(event, "token", 0))
        comment = getattr(event, "comment", None) or (event.text if isinstance(event, _WORDS) else None)
        if isinstance(event, _WITH_REASON):
            comment = event.reason
        owner = owner_of(event, row, self.organisation)
        return TimelineItem(
            seq=row.ver,
            at=iso(row.ts),
            kind=kind,
            actor=person_or_none(self.organisation, row.actor if owner else getattr(event, "by", "") or row.actor),
            on_behalf_of=person_or_none(self.organisation, owner),
            via=between(row, self.organisation) if owner else [],
            element=self._element(event),
            text_key=f"timeline.{kind}",
            params=_params(event, self.organisation, self.graph),
            comment=comment or None,
            round=getattr(event, "round", None) or (task.round if task else 1),
            definition_version=self.version,
            instance_id=str(iid) if iid else "",
        )


def owner_of(event: e.AnyEvent, row: JournalRow, organisation: Organisation) -> str:
    """Person id of whom the actor of a row did something for, as a substitute; "" for nobody."""
    by, actor = getattr(event, "by", ""), row.actor
    if isinstance(event, e.TakenBack) and row.action != _TAKE_BACK:
        return ""  # somebody has finished the compensation that it waited for
    return by if by != actor and by in organisation.people and actor in organisation.people else ""


def between(row: JournalRow, organisation: Organisation) -> list[Ref]:
    """Who is between the substitute who gave a row's command and whom it was given for, from that one's side."""
    return [person_ref(organisation, person) for person in _origin.decode(row.origin).via]


def tokens_of(state: State, graph: Graph, entered: dict[int, int]) -> list[TokenView]:
    """The tokens of a state, for the diagram."""
    stuck = {incident.token for incident in state.incidents.values()}
    busy = {*state.tasks, *state.jobs, *state.calls}
    return [
        TokenView(
            key,
            element_ref(graph.elements[token.element]),
            iso(entered.get(key, 0)),
            "incident" if key in stuck else "active" if key in busy or key in state.scopes else "waiting",
        )
        for key, token in state.tokens.items()
        if key not in state.loops and key not in state.approvals
    ]


def visible_variables(variables: dict[str, object]) -> dict[str, object]:
    """Variables without those that the engine itself sets."""
    return {name: value for name, value in variables.items() if name not in RESERVED_VARIABLES}
