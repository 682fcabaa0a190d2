"""The executable graph: a process compiled to integer-indexed tables that the engine walks.

Everything is resolved at compile time: references to indexes, text to compiled FEEL, event definitions to triggers.
The engine never looks at XML.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from noria.design.feel import Expression


class Kind(IntEnum):
    """What an element does when a token reaches it. The engine has one behaviour per kind."""

    PROCESS = 0
    START_EVENT = 1
    END_EVENT = 2
    INTERMEDIATE_CATCH_EVENT = 3
    INTERMEDIATE_THROW_EVENT = 4
    BOUNDARY_EVENT = 5
    USER_TASK = 6
    SERVICE_TASK = 7
    SCRIPT_TASK = 8
    BUSINESS_RULE_TASK = 9
    MANUAL_TASK = 10
    SEND_TASK = 11
    RECEIVE_TASK = 12
    TASK = 13
    EXCLUSIVE_GATEWAY = 14
    PARALLEL_GATEWAY = 15
    INCLUSIVE_GATEWAY = 16
    EVENT_BASED_GATEWAY = 17
    SUB_PROCESS = 18
    EVENT_SUB_PROCESS = 19
    CALL_ACTIVITY = 20
    COMPLEX_GATEWAY = 21
    AD_HOC_SUB_PROCESS = 22


ACTIVITIES = frozenset(
    {
        Kind.USER_TASK,
        Kind.SERVICE_TASK,
        Kind.SCRIPT_TASK,
        Kind.BUSINESS_RULE_TASK,
        Kind.MANUAL_TASK,
        Kind.SEND_TASK,
        Kind.RECEIVE_TASK,
        Kind.TASK,
        Kind.SUB_PROCESS,
        Kind.EVENT_SUB_PROCESS,
        Kind.CALL_ACTIVITY,
        Kind.AD_HOC_SUB_PROCESS,
    }
)
GATEWAYS = frozenset(
    {
        Kind.EXCLUSIVE_GATEWAY,
        Kind.PARALLEL_GATEWAY,
        Kind.INCLUSIVE_GATEWAY,
        Kind.EVENT_BASED_GATEWAY,
        Kind.COMPLEX_GATEWAY,
    }
)
JOB_PRIORITY_MAX = 1_000_000
SUB_PROCESSES = frozenset({Kind.SUB_PROCESS, Kind.EVENT_SUB_PROCESS, Kind.AD_HOC_SUB_PROCESS})


class TriggerKind(IntEnum):
    """The BPMN event definition of an event element."""

    NONE = 0
    MESSAGE = 1
    TIMER = 2
    ERROR = 3
    ESCALATION = 4
    SIGNAL = 5
    LINK = 6
    TERMINATE = 7
    CONDITIONAL = 8
    COMPENSATION = 9
    CANCEL = 10


class TimerKind(IntEnum):
    """Which of BPMN's three timer expressions is given."""

    DATE = 0
    DURATION = 1
    CYCLE = 2


class Trigger(msgspec.Struct):
    """One event definition of an event element (or the message of a send or receive task), compiled.

    Attributes:
        kind: which event definition.
        name: message or signal name, error or escalation code, link name. "" on a catching error or escalation
            event catches every code.
        name_expression: message or signal name, or the code of what is thrown, as FEEL (written ``= ...``) when it is
            not a constant, else None.
        correlation: FEEL for the correlation key of a message; None means the business key of the instance. For the
            business key of what a thrown signal starts; None means that it has none.
        timer: which timer expression; meaningful only for TIMER.
        timer_expression: FEEL that gives the ISO 8601 text (a constant text is compiled as a string literal), or a
            FEEL date-time or duration; only for TIMER.
        calendar: id of the working calendar in which a duration or cycle counts, "" for clock time.
        code_variable: variable that receives the caught error or escalation code, "" for none.
        message_variable: variable that receives the caught error's message, "" for none.
        message: FEEL for a thrown error's message; None for the event's name.
        goes_on: a thrown error that nothing catches counts as a plain end.
        condition: FEEL of a conditional event; None when every change of what is watched is one.
        watched: the variables whose change has a condition looked at again; empty means all that it names.
        every_change: each change of what is watched while the condition holds is an occurrence, and empty `watched`
            means all variables.
        changes: only these changes of a watched variable count: "create", "update"; empty means both.
        activity: element index of the activity that a compensation event names, -1 for all of the scope.
        waits: whether a throwing compensation event waits until everything is compensated.
        whole_instance: a terminate event ends the instance and not only its sub-process.
        whole_loop: a terminate event ends all instances of the loop around it and not only its own.
        within: a signal that is thrown reaches only the instance itself, its callers and those they have called.
    """

    kind: TriggerKind
    name: str = ""
    name_expression: Expression | None = None
    correlation: Expression | None = None
    timer: TimerKind = TimerKind.DURATION
    timer_expression: Expression | None = None
    calendar: str = ""
    code_variable: str = ""
    message_variable: str = ""
    message: Expression | None = None
    goes_on: bool = False
    condition: Expression | None = None
    watched: frozenset[str] = frozenset()
    every_change: bool = False
    changes: frozenset[str] = frozenset()
    activity: int = -1
    waits: bool = True
    whole_instance: bool = False
    whole_loop: bool = False
    within: bool = False


class Flow(msgspec.Struct):
    """One sequence flow.

    Attributes:
        index: position in `Graph.flows`.
        id: the BPMN id.
        name: the BPMN name, "" when it has none.
        source: element index.
        target: element index.
        condition: compiled FEEL, None for an unconditional flow.
    """

    index: int
    id: str
    name: str
    source: int
    target: int
    condition: Expression | None = None


class Mapping(msgspec.Struct):
    """One input or output mapping: evaluate `source`, assign to `target` (a variable name)."""

    source: Expression
    target: str


class ApprovalRule(msgspec.Struct):
    """How several people decide a user task (会签, 或签, 依次审批, 票签).

    Attributes:
        mode: "allOf", "anyOf", "inTurn" or "vote".
        approvers: FEEL that gives who is asked: a person id, or a list of ids or of contexts with `person`, and for a
            vote `weight` and `veto`. None: the assignee.
        share: FEEL for the share of the weights that a vote needs, 0..1.
        count: FEEL for the sum of weights that a vote needs.
        refuses_at_once: one refusal ends "all of"; else when everybody has decided.
        goes_on: a refused task is left like an approved one, and the model says what follows; else the request ends.
        when_starter: "ask" an approver who has started the request, "skip" them as approving, or ask the "manager".
        repeats: "ask" an approver who has approved the request before, "skip" them as approving, or "skipConsecutive"
            only where that was the decision before this one.
    """

    mode: str
    approvers: Expression | None = None
    share: Expression | None = None
    count: Expression | None = None
    refuses_at_once: bool = True
    goes_on: bool = False
    when_starter: str = "ask"
    repeats: str = "ask"


class HumanWork(msgspec.Struct):
    """What a user task asks of people (Noria's extension attributes, lanes as the fallback for groups).

    Attributes:
        assignee: FEEL that gives a person id, None when candidates decide.
        candidate_groups: FEEL that gives one role or unit key or a list of them; None means the lane.
        candidate_users: FEEL that gives one person id or a list of them.
        lane_groups: keys of the lanes around the task, innermost first; used when neither assignee nor candidates are
            given.
        form: name of the form resource of the same deployment, "" for none.
        hidden_fields: variables of the form that this step neither shows nor takes.
        writable_fields: variables of the form that this step lets be written, all others are read-only; None for all.
        in_bulk: it may be agreed to together with other tasks, without being opened.
        due_in: FEEL that gives an ISO 8601 duration until the task is overdue; None for no limit.
        calendar: id of the working calendar in which `due_in` counts, "" for clock time.
        remind_shares: shares of the limit at which assignee and manager are reminded, ascending, e.g. (0.8, 1.0).
        priority: FEEL that gives 0..100, None means 50.
        completed_by_start: the start form counts as this task's submission in the first round (the applicant's node).
        approval: when it is decided by approving or refusing.
        when_nobody: what is done when nobody is found: it goes to the process "owner", an "administrator" or a
            "person"; an approval may also be "approve"d or "refuse"d.
        nobody_to: FEEL for that person.
        when_overdue: what is done when the limit has passed besides reminding: "approve", "refuse", "transfer" or
            "escalate"; "" for nothing.
        overdue_to: FEEL for whom it is transferred to then.
        remind_every: ISO 8601 duration between further reminders behind the limit.
        remind_times: how many of them.
        copy_to: FEEL that gives who is let know when it is done.
        title: FEEL for what the task is called; None means the name of its element.
        groups: who may take it when the model names nobody but one group, that of its lane perhaps; derived.
        is_constant: nothing of it depends on variables; derived.
        is_plain: it asks one known person or group, and sets no limit; derived.
    """

    assignee: Expression | None = None
    candidate_groups: Expression | None = None
    candidate_users: Expression | None = None
    lane_groups: tuple[str, ...] = ()
    form: str = ""
    due_in: Expression | None = None
    calendar: str = ""
    remind_shares: tuple[float, ...] = ()
    priority: Expression | None = None
    completed_by_start: bool = False
    approval: ApprovalRule | None = None
    when_nobody: str = "owner"
    nobody_to: Expression | None = None
    when_overdue: str = ""
    overdue_to: Expression | None = None
    remind_every: str = ""
    remind_times: int = 0
    copy_to: Expression | None = None
    title: Expression | None = None
    hidden_fields: tuple[str, ...] = ()
    writable_fields: tuple[str, ...] | None = None
    in_bulk: bool = False
    groups: tuple[str, ...] = ()
    is_constant: bool = False
    is_plain: bool = False

    def __post_init__(self) -> None:
        """Find out whether any variable can matter."""
        candidates, people = self.candidate_groups, self.candidate_users
        told = (candidates, people, self.due_in, self.priority, self.title)
        fixed = self.assignee is None or self.assignee.constant is not None
        self.is_constant = fixed and all(expression is None for expression in told)
        if self.assignee is None and people is None:
            asked = (candidates.constant,) if candidates is not None and candidates.constant else ()
            self.groups = asked if candidates is not None else self.lane_groups[:1]
        named = candidates is None and self.assignee is not None and bool(self.assignee.constant)
        limited = self.due_in is not None or self.priority is not None or self.title is not None
        decided = self.approval is not None or self.completed_by_start
        self.is_plain = (named or bool(self.groups)) and people is None and not limited and not decided


class JobWork(msgspec.Struct):
    """What a service or send task asks of a worker.

    Attributes:
        topic: FEEL that gives the topic workers fetch by (a constant is compiled as a string literal).
        retries: how often it is tried before an incident is raised, 1 or more.
        retry_wait_ms: wait before each further try; the last value repeats.
        headers: constants handed to the worker.
    """

    topic: Expression
    retries: int = 3
    retry_wait_ms: tuple[int, ...] = (10_000, 60_000, 300_000)
    headers: dict[str, str] = {}


class LoopKind(IntEnum):
    """How an activity is repeated."""

    STANDARD = 0
    SEQUENTIAL = 1
    PARALLEL = 2


class Loop(msgspec.Struct):
    """The loop characteristics of an activity.

    Attributes:
        kind: a standard loop, or instances one after the other or at once.
        condition: of a standard loop: goes on while it holds; of instances: when it holds after one of them, the
            others are cancelled. None means for ever, or never.
        test_before: a standard loop looks at its condition before the first time already.
        maximum: FEEL for the most rounds of a standard loop, None for no limit.
        cardinality: FEEL for the number of instances, None when a collection says it.
        collection: FEEL for the list whose items the instances get.
        item: variable that holds an instance's item, "" for none.
        output_collection: variable that receives the list of the instances' results, "" for none.
        output_item: FEEL for an instance's result, evaluated when it completes.
        first_event: thrown when the first instance completes (behavior One).
        each_event: thrown when any instance completes (behavior None).
        events: (condition, event) pairs of the behavior Complex.
        save_before: a save point stands before each instance.
        save_after: likewise behind each.
    """

    kind: LoopKind
    condition: Expression | None = None
    test_before: bool = False
    maximum: Expression | None = None
    cardinality: Expression | None = None
    collection: Expression | None = None
    item: str = ""
    output_collection: str = ""
    output_item: Expression | None = None
    first_event: Trigger | None = None
    each_event: Trigger | None = None
    events: tuple[tuple[Expression, Trigger], ...] = ()
    save_before: bool = False
    save_after: bool = False

    def gathered(self, *, of_path: bool = False) -> str:
        """The variable whose values are the results, "" when they are computed from more than one or from none.

        With `of_path` the one, too, whose property they are.
        """
        result = self.output_item
        if result is None or len(result.names) != 1:
            return ""
        name, source = next(iter(result.names)), result.source.strip()
        path = of_path and source.startswith(f"{name}.") and source.replace(".", "").isidentifier()
        return name if path or source == name else ""


class AdHoc(msgspec.Struct):
    """How the activities of an ad-hoc sub-process are chosen.

    Attributes:
        sequential: one activity at a time.
        condition: when it holds after an activity, the sub-process is complete; None means when nothing is left.
        cancels_rest: what is still open then is cancelled; otherwise it is waited for.
        activities: FEEL for the ids of the activities that start by themselves; None means all without incoming flow.
    """

    sequential: bool = False
    condition: Expression | None = None
    cancels_rest: bool = True
    activities: Expression | None = None


class Call(msgspec.Struct):
    """What a call activity calls.

    Attributes:
        process: FEEL that gives the called process's key.
        binding: "latest" version, the one of the same "deployment", or "version:N".
        propagate_in: all variables of the caller become the child's.
        propagate_out: all variables of the finished child become the caller's.
        business_key: FEEL for the child's business key, None for that of the caller.
        goes_on: an error that the child ended with and that nothing catches counts as a plain end.
    """

    process: Expression
    binding: str = "latest"
    propagate_in: bool = True
    propagate_out: bool = True
    business_key: Expression | None = None
    goes_on: bool = False


class Element(msgspec.Struct):
    """One flow node, or the process itself at index 0.

    Attributes:
        index: position in `Graph.elements`.
        id: the BPMN id.
        name: the BPMN name, "" when it has none.
        kind: which behaviour.
        line: 1-based line in the file.
        scope: index of the enclosing process, sub-process or event sub-process (0 for the process's own children;
            -1 for the process).
        outgoing: flow indexes in document order, the default flow excluded.
        default: flow index of the default flow, -1 for none.
        incoming: flow indexes.
        boundaries: element indexes of the boundary events attached to this activity.
        host: element index that a boundary event is attached to, -1 otherwise.
        interrupting: for boundary events and start events of event sub-processes.
        trigger: the event definition of an event element, or the message of a send or receive task.
        more_triggers: the further event definitions of a multiple event.
        needs_all_triggers: a parallel multiple event happens when all of them have; an instance that a parallel
            event-based gateway began waits for all events behind it.
        starts: for the process and sub-processes: element indexes of its start events (without any, of its elements
            without incoming flow). For the process also what else begins an instance: instantiating receive tasks and
            the events behind an instantiating gateway.
        event_sub_processes: for the process and sub-processes: element indexes of the event sub-processes directly
            inside.
        human: set on user tasks.
        separate_from: on user tasks: element indexes of the user tasks, and start events, whose doers may not do it.
        job: set on service tasks, and on send and script tasks and throwing events that are done by a worker.
        call: set on call activities.
        script: FEEL of a script task.
        decision: id of the decision a business rule task evaluates, "" otherwise.
        result_variable: variable that receives the result of a script, decision or job; "" means none for jobs (each
            result variable is merged) and for a decision that the result's own entries are merged.
        inputs: evaluated on entry into the element's own variables; empty means the element sees its scope's variables.
        outputs: evaluated on completion, a later one seeing the earlier ones, and assigned in the enclosing scope.
        passes_on: what it brings goes outwards beside its outputs, except what its inputs name; each to the nearest
            scope that has such a variable, or else to the process.
        keeps: of what passes on: with outputs it keeps what else it brings to itself.
        data_inputs: data input associations: evaluated on entry like inputs, beside what the element sees anyway.
        data_outputs: data output associations: evaluated on completion and assigned to the data objects.
        own: names of the variables that each run of a sub-process has for itself, null at first: its data objects and
            properties, and what a loop gathers from it; of any other activity that keeps, what a loop gathers.
        link_target: for a throwing link event the element index of the matching catching link event, else -1.
        loop: the loop characteristics of an activity.
        ad_hoc: set on ad-hoc sub-processes.
        activation: FEEL of a complex gateway's activation condition, None for the first token.
        for_compensation: it runs only when something is compensated.
        compensated_by: element index of the activity or event sub-process that compensates this one, -1 for none.
        transaction: a sub-process whose cancel end event compensates everything inside.
        start_quantity: how many tokens it takes to begin.
        completion_quantity: how many tokens go on.
        instantiates: a start event of the process, or another element whose trigger begins an instance.
        save_before: a save point stands before it, and what follows is a step of its own.
        save_after: likewise behind it.
        job_priority: of its job, timers and save points, 0..1,000,000, or FEEL that gives it; that of the process when
            it says nothing.
        documentation: text for people, "" when there is none.
    """

    index: int
    id: str
    name: str
    kind: Kind
    line: int = 0
    scope: int = 0
    outgoing: tuple[int, ...] = ()
    default: int = -1
    incoming: tuple[int, ...] = ()
    boundaries: tuple[int, ...] = ()
    host: int = -1
    interrupting: bool = True
    trigger: Trigger | None = None
    starts: tuple[int, ...] = ()
    event_sub_processes: tuple[int, ...] = ()
    human: HumanWork | None = None
    separate_from: tuple[int, ...] = ()
    job: JobWork | None = None
    call: Call | None = None
    script: Expression | None = None
    decision: str = ""
    result_variable: str = ""
    inputs: tuple[Mapping, ...] = ()
    outputs: tuple[Mapping, ...] = ()
    passes_on: bool = False
    keeps: bool = False
    data_inputs: tuple[Mapping, ...] = ()
    data_outputs: tuple[Mapping, ...] = ()
    own: tuple[str, ...] = ()
    link_target: int = -1
    documentation: str = ""
    more_triggers: tuple[Trigger, ...] = ()
    needs_all_triggers: bool = False
    loop: Loop | None = None
    ad_hoc: AdHoc | None = None
    activation: Expression | None = None
    for_compensation: bool = False
    compensated_by: int = -1
    transaction: bool = False
    start_quantity: int = 1
    completion_quantity: int = 1
    instantiates: bool = False
    save_before: bool = False
    save_after: bool = False
    job_priority: int | Expression = 0

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """All event definitions, in document order."""
        return () if self.trigger is None else (self.trigger, *self.more_triggers)


class Graph(msgspec.Struct):
    """One executable process.

    Attributes:
        key: id of the BPMN process.
        name: name of the BPMN process, the key when it has none.
        elements: index 0 is the process itself.
        flows: all sequence flows.
        element_of: element id → index.
        start_form: name of the form resource of the none start event, "" for none.
        serial: pattern of the business key drawn at start, e.g. ``CG-{year}-{number:06d}``; "" for none.
        starter_groups: role or unit keys that may start it; empty means every signed-in person of the tenant.
        title: FEEL for the line that names an instance in lists; None means process name and business key.
        amount: what substitutes are limited by; None for the variable ``amount``.
        summary: variable names shown on a task's card, in order.
        withdrawable: "before_first_decision" (default), "always" or "never".
    """

    key: str
    name: str
    elements: tuple[Element, ...]
    flows: tuple[Flow, ...]
    element_of: dict[str, int]
    start_form: str = ""
    serial: str = ""
    starter_groups: tuple[str, ...] = ()
    title: Expression | None = None
    amount: Expression | None = None
    summary: tuple[str, ...] = ()
    withdrawable: str = "before_first_decision"
