"""What people and programs are shown: the types of the REST interface, and of the command line."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from noria.design.dmn import DecisionExplanation
from noria.design.findings import Finding

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """A part of a list. `total` counts all that fit the filter."""

    items: list[T]
    total: int
    limit: int
    offset: int


class Ref(msgspec.Struct, frozen=True):
    """Id and name of a person, unit or element."""

    id: str
    name: str


class PersonView(msgspec.Struct):
    """A person."""

    id: str
    name: str
    unit: Ref | None
    roles: list[str]


class ProcessRef(msgspec.Struct, frozen=True):
    """A version of a process."""

    key: str
    name: str
    version: int


class SummaryItem(msgspec.Struct, frozen=True):
    """A fact on a card: variable, the label its form gives it, its value."""

    name: str
    label: str
    value: object


class Returned(msgspec.Struct, frozen=True):
    """The last return of a request."""

    by: Ref
    at: str
    reason: str
    element: Ref = msgspec.field(name="from")


class Returnable(msgspec.Struct, frozen=True):
    """A step that a task may be returned to, and who did it last."""

    element: Ref
    last_actor: Ref | None


class TaskView(msgspec.Struct, kw_only=True):
    """A work item in a list.

    `in_bulk` tells whether it may be agreed to together with others; `proxy` did a closed one for its assignee;
    `on_behalf_of` is whom the reader does it for, or did.
    """

    id: str
    instance_id: str
    business_key: str
    process: ProcessRef
    element: Ref
    title: str
    summary: list[SummaryItem]
    assignee: Ref | None
    candidate_groups: list[str]
    starter: Ref
    created_at: str
    due_at: str | None
    due_provisional: bool
    overdue: bool
    priority: int
    round: int
    claimed_at: str | None
    status: str
    done_at: str | None
    version: int
    is_approval: bool
    opinion: bool = False
    in_bulk: bool = False
    proxy: Ref | None = None
    on_behalf_of: Ref | None = None


class Change(msgspec.Struct, frozen=True):
    """A field before and after; `label` is what forms call it, "" when none does."""

    name: str
    label: str
    before: object
    after: object


class SeatView(msgspec.Struct, kw_only=True):
    """One person in an approval.

    Attributes:
        person: None where nobody was found and a group is asked.
        outcome: "approve", "refuse", "abstain", or "" before.
        open: whether it is this person's turn now.
        panel: number of the panel that the person is in; those with one number decide by one rule.
        mode: that rule.
        added_by: who had this person asked, None for the model.
    """

    person: Ref | None
    outcome: str
    open: bool
    panel: int
    mode: str
    weight: float
    veto: bool
    added_by: Ref | None


class ApprovalView(msgspec.Struct, kw_only=True):
    """How an approval stands: its rule, what a vote needs of the weights, and everybody who is asked, in order."""

    element: Ref
    mode: str
    share: float
    count: float
    seats: list[SeatView]


class ConsultationView(msgspec.Struct, kw_only=True):
    """Somebody is asked for an opinion, by whom, when, and what."""

    id: str
    person: Ref
    by: Ref
    at: str
    text: str


class Comeback(msgspec.Struct, kw_only=True):
    """A request that was returned and has not come back: to whom, how, and what has changed since."""

    by: Ref
    element: Ref
    straight: bool
    resubmits: bool
    changes: list[Change]


class TaskDetail(TaskView, kw_only=True):
    """A work item with all that is needed to do it; `instance_visible` tells whether the instance may be opened too."""

    form: dict[str, object] | None
    data: dict[str, object]
    returnable: list[Returnable]
    allowed: list[str]
    last_return: Returned | None
    instance_visible: bool
    owner: Ref | None = None
    approval: ApprovalView | None = None
    comeback: Comeback | None = None
    consultations: list[ConsultationView] = []


class Counts(msgspec.Struct):
    """The numbers beside the menu."""

    mine: int
    group: int
    done: int
    started: int
    notices: int
    queue: int


class Holder(msgspec.Struct, frozen=True):
    """Who holds a request now, since when, and until when."""

    element: Ref
    assignee: Ref | None
    groups: list[str]
    since: str
    due_at: str | None
    due_provisional: bool = False


class InstanceBrief(msgspec.Struct, kw_only=True):
    """An instance in a list."""

    id: str
    business_key: str
    title: str
    process: ProcessRef
    starter: Ref
    status: str
    started_at: str
    ended_at: str | None
    holders: list[Holder]
    incidents: int
    round: int


class IncidentView(msgspec.Struct, frozen=True):
    """Something that stands still."""

    id: str
    element: Ref
    code: str
    message: str
    at: str
    retries_left: int


class TokenView(msgspec.Struct, frozen=True):
    """A token on the diagram; state is "active", "waiting" or "incident"."""

    token: int
    element: Ref
    since: str
    state: str


class ElementCount(msgspec.Struct, frozen=True):
    """How often an element was visited."""

    element_id: str
    count: int


class FlowCount(msgspec.Struct, frozen=True):
    """How often a flow was taken."""

    flow_id: str
    count: int


class TakingBackView(msgspec.Struct):
    """Somebody takes back what was done at an element; what followed is being undone."""

    element: Ref
    by: Ref


class InstanceDetail(InstanceBrief, kw_only=True):
    """An instance with all that its page shows."""

    variables: dict[str, object]
    tokens: list[TokenView]
    open_tasks: list[TaskView]
    visited: list[ElementCount]
    taken_flows: list[FlowCount]
    incidents_list: list[IncidentView]
    allowed: list[str]
    version: int
    suspended: bool = False
    taking_back: TakingBackView | None = None


class TimelineItem(msgspec.Struct, kw_only=True):
    """One thing that happened to an instance.

    `via` is who is between a substitute's substitute and whom they acted for, from that one's side.
    """

    seq: int
    at: str
    kind: str
    actor: Ref | None
    on_behalf_of: Ref | None = None
    via: list[Ref] = []
    element: Ref | None
    text_key: str
    params: dict[str, object]
    comment: str | None = None
    round: int = 1
    changes: list[Change] = []
    definition_version: int
    instance_id: str = ""
    business_key: str = ""


class Timeline(msgspec.Struct):
    """What happened to an instance, oldest first."""

    items: list[TimelineItem]


class StateAt(msgspec.Struct):
    """An instance as it was at an instant."""

    at: str
    version: int
    status: str
    variables: dict[str, object]
    tokens: list[TokenView]


class AuditEntry(msgspec.Struct, kw_only=True):
    """One record of the audit trail."""

    stream: str
    seq: int
    at: str
    actor: Ref | None
    on_behalf_of: Ref | None = None
    via: list[Ref] = []
    action: str
    subject: dict[str, str] = msgspec.field(name="object")
    outcome: str
    address: str
    device: str
    before: dict[str, object]
    after: dict[str, object]
    reason: str
    hash: str
    prev: str


class AuditList(msgspec.Struct):
    """The audit records of one instance."""

    items: list[AuditEntry]


class ElementInfo(msgspec.Struct, frozen=True):
    """An element of a model."""

    id: str
    name: str
    kind: str


class ProcessView(msgspec.Struct, kw_only=True):
    """A process in a list."""

    key: str
    name: str
    version: int
    versions: int
    startable: bool
    has_start_form: bool
    open_instances: int
    open_tasks: int
    overdue_tasks: int
    incidents: int
    deployed_at: str
    deployed_by: Ref | None
    documentation: str


class ProcessDetail(ProcessView, kw_only=True):
    """A process with its elements and what its check found."""

    elements: list[ElementInfo]
    findings: list[Finding]


class PlainModel(msgspec.Struct):
    """A version of a process as plain BPMN 2.0, and what is said differently now (info) or lost (warning)."""

    xml: str
    findings: list[Finding]


class VersionView(msgspec.Struct):
    """A version of a process."""

    version: int
    deployed_at: str
    deployed_by: Ref | None
    open_instances: int


class NamedDecision(msgspec.Struct, frozen=True):
    """A decision of a deployment."""

    id: str
    name: str


class DeploymentView(msgspec.Struct):
    """What a deployment made."""

    id: str
    deployed_at: str
    processes: list[ProcessRef]
    decisions: list[NamedDecision]
    forms: list[str]
    findings: list[Finding]


class StartForm(msgspec.Struct):
    """The form that starts a process."""

    form: dict[str, object] | None


class NoticeView(msgspec.Struct):
    """A notice."""

    id: str
    at: str
    kind: str
    instance_id: str
    task_id: str | None
    title: str
    params: dict[str, object]
    read_at: str | None


class InstanceAnswer(msgspec.Struct):
    """The instance after a command on one of its tasks."""

    instance: InstanceBrief


class JobView(msgspec.Struct):
    """Work for a worker.

    `lease_token` must be shown on completion; `idempotency_key` stays the same however often the job is tried.
    """

    id: str
    topic: str
    instance_id: str
    business_key: str
    element_id: str
    process: dict[str, object]
    variables: dict[str, object]
    headers: dict[str, str]
    retries: int
    lease_until: str
    idempotency_key: str
    lease_token: str
    priority: int = 0


class JobList(msgspec.Struct):
    """Jobs that were leased."""

    items: list[JobView]


class Attachment(msgspec.Struct):
    """An uploaded file; equal contents have equal hashes and are stored once."""

    hash: str
    name: str
    size: int
    media_type: str


class MessageAnswer(msgspec.Struct):
    """A message that was taken: "correlated" (somebody has it), "waiting" (kept until it expires) or "expired"."""

    id: str
    status: str


class DecisionAnswer(msgspec.Struct):
    """What a decision gave, the rows that decided, why something is null, and the explanation if it was asked for."""

    value: object
    matched: list[dict[str, object]]
    diagnostics: list[str]
    explanation: DecisionExplanation | None = None


class DecisionMade(msgspec.Struct, kw_only=True):
    """A decision on an instance's record.

    `explanation` is for who may read models. It is made by evaluating again what is deployed now on the variables of
    then; `same` says whether that gives the value on record.
    """

    seq: int
    at: str
    element: Ref
    decision: str
    value: object
    matched: list[dict[str, object]]
    explanation: DecisionExplanation | None
    same: bool | None


class DecisionsMade(msgspec.Struct):
    """The decisions of an instance, oldest first."""

    items: list[DecisionMade]


class PlanProblem(msgspec.Struct):
    """Why a plan is impossible for some instances; `examples` are ids of a few of them."""

    code: str
    element: str
    message: str
    count: int
    examples: list[str]


class PlanView(msgspec.Struct):
    """What a plan would do to the live instances of a process.

    Attributes:
        process: its key.
        total: live instances that it is about.
        clean: it can be done as it is.
        mapped: it can be done by the given mapping.
        impossible: it cannot be done; `problems` say why.
        problems: the most frequent first.
    """

    process: str
    total: int
    clean: int
    mapped: int
    impossible: int
    problems: list[PlanProblem]


class BatchView(msgspec.Struct, kw_only=True):
    """A batch with its progress: numbers of instances by what has become of them."""

    id: str
    kind: str
    process: str
    plan: dict[str, object]
    by: Ref
    reason: str
    created_at: str
    ended_at: str | None
    undone: bool
    total: int
    waiting: int
    done: int
    refused: int
    taken_back: int
    kept: int


class BatchItemView(msgspec.Struct):
    """One instance of a batch."""

    instance_id: str
    state: str
    code: str
    message: str


class PathStep(msgspec.Struct, kw_only=True):
    """A task that is open, or is expected to open.

    Attributes:
        open: whether it is open now.
        from_at: when it opens or has opened; None where nobody knows.
        until_at: when it is done, if it takes as long as usual; None where nobody knows.
    """

    element: Ref
    assignee: Ref | None
    groups: list[str]
    open: bool
    round: int
    from_at: str | None
    until_at: str | None


class PathView(msgspec.Struct, kw_only=True):
    """The tasks that are expected of a request, as the engine sees them from where it stands, if all decide as hoped.

    Attributes:
        complete: whether it comes to its end that way; else it cannot be told what follows.
        ends_at: when; None where nobody knows.
        refused: code of the reason why it could not even start, "" when it could.
    """

    steps: list[PathStep] = []
    complete: bool = False
    ends_at: str | None = None
    refused: str = ""
