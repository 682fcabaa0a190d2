"""Events: what happened to one instance. Past tense, recorded once, never changed.

Encoded as msgpack arrays led by a number. A number keeps its meaning for ever: events may be added and fields may be
appended with a default, nothing may be edited (`tests/unit/engine/test_golden_events.py` holds the encodings).
"""

from __future__ import annotations

import msgspec

from noria.engine.state import Approval, Parent, Purpose, State


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all events."""


class InstanceStarted(Event, frozen=True, tag=1):
    """The instance began (发起); `variables` are those of the process, `starter` among them."""

    process: str
    definition_version: int
    business_key: str
    starter: str
    variables: dict[str, object]
    parent: Parent | None = None


class ElementEntered(Event, frozen=True, tag=2):
    """A token came to an element; `via` is the flow it took, -1 for none."""

    token: int
    element: int
    scope: int
    via: int = -1


class ElementLeft(Event, frozen=True, tag=3):
    """A token finished its element and went on by these flows."""

    token: int
    element: int
    flows: tuple[int, ...] = ()


class ElementCancelled(Event, frozen=True, tag=4):
    """A token was taken away before it finished, with all that belonged to it."""

    token: int
    element: int
    reason: str


class TokenMerged(Event, frozen=True, tag=5):
    """A token that waited at a join went up in another one."""

    token: int
    element: int
    into: int


class ScopeOpened(Event, frozen=True, tag=6):
    """A token got variables of its own; a sub-process also gets tokens of its own."""

    scope: int
    element: int
    parent: int
    variables: dict[str, object] = {}


class VariablesSet(Event, frozen=True, tag=7):
    """Variables of a scope were written."""

    scope: int
    values: dict[str, object]


class TaskOpened(Event, frozen=True, tag=8):
    """A person's work item appeared (待办); `name` is "" unless the model computes one."""

    token: int
    element: int
    round: int
    assignee: str
    groups: tuple[str, ...]
    users: tuple[str, ...]
    opened_ms: int
    due_ms: int
    form: str
    priority: int
    name: str = ""


class TaskClaimed(Event, frozen=True, tag=9):
    """A candidate took the task (认领)."""

    token: int
    by: str


class TaskUnclaimed(Event, frozen=True, tag=10):
    """The task went back to its candidates."""

    token: int
    by: str


class TaskCompleted(Event, frozen=True, tag=11):
    """A person finished the task (办结).

    Attributes:
        with_start: the start form was its submission.
        outcome: of an approval: "approve", "refuse" or "abstain".
    """

    token: int
    element: int
    by: str
    round: int
    comment: str = ""
    with_start: bool = False
    outcome: str = ""


class TaskReturned(Event, frozen=True, tag=12):
    """The request was sent back to an earlier user task (退回).

    Attributes:
        straight: it comes straight back from there (R3), if who resubmits it says nothing else.
        valid: element indexes of the tasks in between whose completion may still count then; None in old journals.
    """

    token: int
    element: int
    to: int
    by: str
    reason: str
    straight: bool = False
    valid: tuple[int, ...] | None = None


class TaskTransferred(Event, frozen=True, tag=13):
    """The task was handed over (转办); `held_by` had it before, "" for a group."""

    token: int
    by: str
    held_by: str
    to: str
    reason: str = ""


class TaskReminded(Event, frozen=True, tag=14):
    """A share of the task's time limit passed; 1.0 means it is overdue from now on."""

    token: int
    element: int
    share: float
    due_ms: int


class TaskUrged(Event, frozen=True, tag=15):
    """Somebody asked the holder to hurry (催办)."""

    token: int
    by: str
    at_ms: int
    text: str = ""


class Commented(Event, frozen=True, tag=16):
    """Somebody said something about the request, and mentioned people (@)."""

    by: str
    text: str
    token: int = 0
    mentions: tuple[str, ...] = ()


class JobCreated(Event, frozen=True, tag=17):
    """Work for a worker appeared."""

    token: int
    element: int
    topic: str
    retries: int
    due_ms: int
    priority: int = 0


class JobCompleted(Event, frozen=True, tag=18):
    """A worker finished the job."""

    token: int
    by: str


class JobFailed(Event, frozen=True, tag=19):
    """A try of the job failed; the next is not before `due_ms`."""

    token: int
    by: str
    message: str
    retries: int
    due_ms: int


class TimerStarted(Event, frozen=True, tag=20):
    """A timer was set; the fields are those of `Timer`."""

    timer: int
    token: int
    element: int
    due_ms: int
    remaining: int = 0
    interval: str = ""
    share: float = 0.0
    purpose: Purpose = Purpose.EVENT
    priority: int = 0


class TimerFired(Event, frozen=True, tag=21):
    """A timer did its work and is gone."""

    timer: int
    element: int


class WaitOpened(Event, frozen=True, tag=22):
    """The instance waits for a message or signal; the fields are those of `Wait`."""

    wait: int
    token: int
    element: int
    signal: bool
    name: str
    key: str = ""


class MessageReceived(Event, frozen=True, tag=23):
    """A message or signal arrived at a subscription; the subscription stays for further ones when `open`."""

    wait: int
    element: int
    name: str
    message_id: str = ""
    open: bool = False


class WaitsClosed(Event, frozen=True, tag=24):
    """Timers and subscriptions of a token or scope were given up while it goes on."""

    token: int
    ids: tuple[int, ...]


class MessageThrown(Event, frozen=True, tag=25):
    """The instance published a message."""

    token: int
    element: int
    name: str
    key: str
    variables: dict[str, object]


class SignalThrown(Event, frozen=True, tag=26):
    """The instance broadcast a signal, or threw one for itself and those it called or was called by (`within`).

    Attributes:
        business_key: that of what it starts, "" for none.
    """

    token: int
    element: int
    name: str
    variables: dict[str, object]
    business_key: str = ""
    within: bool = False


class ErrorThrown(Event, frozen=True, tag=27):
    """A business error was thrown; `caught_by` is the catching event element, -1 when nothing caught it."""

    token: int
    element: int
    code: str
    message: str
    caught_by: int


class EscalationThrown(Event, frozen=True, tag=28):
    """An escalation was thrown; `caught_by` is the catching event element, -1 when nothing caught it."""

    token: int
    element: int
    code: str
    caught_by: int


class IncidentRaised(Event, frozen=True, tag=29):
    """Something stands still until an operator looks (异常)."""

    incident: int
    token: int
    element: int
    code: str
    message: str
    phase: str


class IncidentResolved(Event, frozen=True, tag=30):
    """An operator had it tried again."""

    incident: int
    by: str


class DecisionEvaluated(Event, frozen=True, tag=31):
    """A decision was made; `rules` says which rows decided: (table, rule, 1-based row)."""

    token: int
    element: int
    decision: str
    rules: tuple[tuple[str, str, int], ...]
    result: object


class CallRequested(Event, frozen=True, tag=32):
    """A call activity asked for an instance of another process, with this business key; "" for none."""

    token: int
    element: int
    process: str
    binding: str
    variables: dict[str, object]
    business_key: str = ""


class CallCompleted(Event, frozen=True, tag=33):
    """The called instance answered."""

    token: int
    error: str = ""


class CallCancelled(Event, frozen=True, tag=34):
    """The called instance is no longer wanted."""

    token: int


class JobRetried(Event, frozen=True, tag=35):
    """A job got new tries."""

    token: int
    retries: int
    due_ms: int


class InstanceCompleted(Event, frozen=True, tag=36):
    """All tokens reached an end."""


class InstanceWithdrawn(Event, frozen=True, tag=37):
    """The starter took the request back (撤回)."""

    by: str
    reason: str


class InstanceTerminated(Event, frozen=True, tag=38):
    """An operator ended it (终止)."""

    by: str
    reason: str


class InstanceFailed(Event, frozen=True, tag=39):
    """A called instance ended by an error that its caller must catch."""

    code: str
    message: str


class VariablesCorrected(Event, frozen=True, tag=40):
    """An operator corrected variables of the process; a `VariablesSet` follows."""

    by: str
    reason: str


class LoopStarted(Event, frozen=True, tag=41):
    """The loop of an activity began; the fields are those of `LoopState`."""

    token: int
    element: int
    round: int
    total: int
    items: tuple[object, ...] | None = None


class LoopInstanceEnded(Event, frozen=True, tag=42):
    """An instance of a loop completed; `token` is the activity's own, `instance` was that of the instance."""

    token: int
    instance: int
    result: object = None


class LoopCutShort(Event, frozen=True, tag=43):
    """A loop ends early, by its completion condition or a terminate event: its open instances were cancelled."""

    token: int
    terminated: int


class ConditionAwaited(Event, frozen=True, tag=44):
    """A conditional event is waited for; the fields are those of `Condition`."""

    condition: int
    token: int
    element: int
    which: int = 0


class ConditionChanged(Event, frozen=True, tag=45):
    """An awaited condition began to hold, or ceased to."""

    condition: int
    met: bool


class ActivityKept(Event, frozen=True, tag=46):
    """An activity completed that can be compensated; the fields are those of `Done`."""

    token: int
    element: int
    scope: int
    variables: dict[str, object] = {}


class CompensationThrown(Event, frozen=True, tag=47):
    """Compensation was asked for, of these completed activities, the last completed first."""

    token: int
    element: int
    done: tuple[int, ...]
    waits: bool = True


class CompensationStarted(Event, frozen=True, tag=48):
    """A token began to compensate a completed activity."""

    token: int
    element: int
    asked_by: int
    done: int


class GatewayActivated(Event, frozen=True, tag=49):
    """A complex gateway went on; its token stays until nothing more can come by the other flows."""

    token: int
    element: int
    used: tuple[int, ...]
    flows: tuple[int, ...]


class ActivitiesChosen(Event, frozen=True, tag=51):
    """What is still to be begun in an ad-hoc sub-process; `scope` is its scope."""

    scope: int
    element: int
    activities: tuple[int, ...]


class TokensGathered(Event, frozen=True, tag=50):
    """A token waits until as many have come as its activity takes to begin; 0 when it begins."""

    token: int
    element: int
    count: int


class InstanceModified(Event, frozen=True, tag=52):
    """An operator put the instance elsewhere; what was started and cancelled follows."""

    by: str
    reason: str


class InstanceMigrated(Event, frozen=True, tag=53):
    """The instance goes on by another version.

    Attributes:
        before: id of the definition that it ran on.
        after: id of the definition that it runs on from now on.
        elements: element index there → here, of every element that the state may name; others are forgotten.
        flows: likewise for sequence flows.
    """

    by: str
    reason: str
    before: int
    after: int
    definition_version: int
    elements: dict[int, int]
    flows: dict[int, int]


class InstanceRestored(Event, frozen=True, tag=54):
    """An operator's change was taken back: the state is what it was before it, but for its version and unused ids."""

    by: str
    reason: str
    before: int
    after: int
    state: State


class InstanceSuspended(Event, frozen=True, tag=55):
    """An operator put the instance to rest (挂起)."""

    by: str
    reason: str


class InstanceResumed(Event, frozen=True, tag=56):
    """An operator had it go on (恢复)."""

    by: str
    reason: str


class ApprovalOpened(Event, frozen=True, tag=57):
    """Several people are to decide (会签, 或签, 依次审批, 票签)."""

    token: int
    approval: Approval


class SeatOpened(Event, frozen=True, tag=58):
    """It is a person's turn; `task` is the token of the task that opens for it."""

    token: int
    seat: int
    task: int


class SeatDecided(Event, frozen=True, tag=59):
    """A person in an approval has decided."""

    token: int
    seat: int
    outcome: str
    by: str


class ApproversAdded(Event, frozen=True, tag=60):
    """Somebody who is asked has more people asked (加签): "before", "after" or "parallel" to the seat."""

    token: int
    seat: int
    where: str
    people: tuple[str, ...]
    mode: str
    by: str
    reason: str


class ApproverRemoved(Event, frozen=True, tag=61):
    """Somebody took back the asking of a person (减签)."""

    token: int
    seat: int
    person: str
    by: str


class ApprovalDecided(Event, frozen=True, tag=62):
    """An approval is decided: "approve" or "refuse"."""

    token: int
    element: int
    outcome: str


class InstanceRefused(Event, frozen=True, tag=63):
    """The request was refused (驳回)."""

    element: int
    by: str


class TaskDelegated(Event, frozen=True, tag=64):
    """Somebody is to deal with the task and give it back (委派)."""

    token: int
    by: str
    to: str
    reason: str


class TaskHandedBack(Event, frozen=True, tag=65):
    """A delegate has dealt with the task; who delegated it concludes it."""

    token: int
    by: str
    to: str
    outcome: str = ""
    comment: str = ""


class TaskPassed(Event, frozen=True, tag=66):
    """Nobody is asked.

    Attributes:
        token: of the activity.
        element: the user task.
        by: whose earlier decision counts, "" for nobody's.
        reason: "unchanged" since that decision (R3), "repeated" (自动去重), "starter", or "nobody" was found.
        outcome: what the approval comes to, "" where the earlier one stays.
    """

    token: int
    element: int
    by: str
    reason: str
    outcome: str = ""


class Resubmitted(Event, frozen=True, tag=67):
    """A returned request goes on, straight back or step by step."""

    token: int
    element: int
    straight: bool


class TakenBack(Event, frozen=True, tag=68):
    """A person took back what he had done: the instance is as it was before that."""

    element: int
    by: str
    state: State


class CopiesSent(Event, frozen=True, tag=69):
    """People were let know of the request (抄送)."""

    element: int
    by: str
    people: tuple[str, ...]
    text: str = ""


class NobodyFound(Event, frozen=True, tag=70):
    """The model found nobody for a task; it goes to whom the rule says (R8)."""

    token: int
    element: int
    rule: str


class TaskOverdue(Event, frozen=True, tag=71):
    """The time limit has passed, and the rule acts (超时动作): "approve", "refuse", "transfer" or "escalate"."""

    token: int
    element: int
    action: str
    to: str = ""


class ConsultationOpened(Event, frozen=True, tag=72):
    """Somebody is asked for an opinion (沟通)."""

    consultation: int
    token: int
    element: int
    person: str
    by: str
    text: str
    at_ms: int


class ConsultationAnswered(Event, frozen=True, tag=73):
    """Somebody gave the opinion that was asked for."""

    consultation: int
    element: int
    by: str
    text: str
    asked_by: str


class InstanceVoided(Event, frozen=True, tag=74):
    """A completed request was declared void (作废)."""

    by: str
    reason: str


class InstanceRestarted(Event, frozen=True, tag=75):
    """A request that had ended is as it was before that (重启)."""

    by: str
    reason: str
    state: State


class DoersNoted(Event, frozen=True, tag=80):
    """These people, too, did a user task that others are to be separate from; a substitute is among them."""

    token: int
    element: int
    people: tuple[str, ...]


class TaskSeparated(Event, frozen=True, tag=81):
    """These people, too, may not do an open task, because they did one that it is to be separate from."""

    token: int
    people: tuple[str, ...]


class DeadlineSet(Event, frozen=True, tag=100):
    """A due date was counted in working time; `key` is the task's token or the timer, the rest as in `Deadline`."""

    key: int
    calendar: str
    version: int
    start_ms: int
    duration: str
    provisional: bool = False


class DeadlineMoved(Event, frozen=True, tag=101):
    """A newer version of the calendar gave another due date for a task or timer; version 0 for a reminder of one."""

    key: int
    due_ms: int
    version: int = 0
    provisional: bool = False


class FactsRead(Event, frozen=True, tag=102):
    """What the command used of the outside to decide; the last event of the command.

    Attributes:
        values: of the name ``facts``: the parts that were named.
        calendar: id of the calendar that the day was looked up in.
        calendar_version: of it.
        versions: name in the environment → version of what was said.
    """

    values: dict[str, object]
    calendar: str
    calendar_version: int
    versions: dict[str, int] = {}


class TakeBackBegun(Event, frozen=True, tag=120):
    """A person takes back what had effects that can be compensated; when that is done, `TakenBack` follows.

    Attributes:
        token: stands at the element of the task that is taken back, and waits for the compensation.
        state: what the instance is then to be.
    """

    token: int
    element: int
    by: str
    state: State


AnyEvent = (
    InstanceStarted
    | ElementEntered
    | ElementLeft
    | ElementCancelled
    | TokenMerged
    | ScopeOpened
    | VariablesSet
    | TaskOpened
    | TaskClaimed
    | TaskUnclaimed
    | TaskCompleted
    | TaskReturned
    | TaskTransferred
    | TaskReminded
    | TaskUrged
    | Commented
    | JobCreated
    | JobCompleted
    | JobFailed
    | TimerStarted
    | TimerFired
    | WaitOpened
    | MessageReceived
    | WaitsClosed
    | MessageThrown
    | SignalThrown
    | ErrorThrown
    | EscalationThrown
    | IncidentRaised
    | IncidentResolved
    | DecisionEvaluated
    | CallRequested
    | CallCompleted
    | CallCancelled
    | JobRetried
    | InstanceCompleted
    | InstanceWithdrawn
    | InstanceTerminated
    | InstanceFailed
    | VariablesCorrected
    | LoopStarted
    | LoopInstanceEnded
    | LoopCutShort
    | ConditionAwaited
    | ConditionChanged
    | ActivityKept
    | CompensationThrown
    | CompensationStarted
    | GatewayActivated
    | TokensGathered
    | ActivitiesChosen
    | InstanceModified
    | InstanceMigrated
    | InstanceRestored
    | InstanceSuspended
    | InstanceResumed
    | ApprovalOpened
    | SeatOpened
    | SeatDecided
    | ApproversAdded
    | ApproverRemoved
    | ApprovalDecided
    | InstanceRefused
    | TaskDelegated
    | TaskHandedBack
    | TaskPassed
    | Resubmitted
    | TakenBack
    | CopiesSent
    | NobodyFound
    | TaskOverdue
    | InstanceVoided
    | InstanceRestarted
    | ConsultationOpened
    | ConsultationAnswered
    | DoersNoted
    | TaskSeparated
    | DeadlineSet
    | DeadlineMoved
    | FactsRead
    | TakeBackBegun
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[AnyEvent, ...])


def encode_events(events: tuple[AnyEvent, ...] | list[AnyEvent]) -> bytes:
    """All events of one command as one value for the journal."""
    return _encoder.encode(events)


def decode_events(data: bytes) -> tuple[AnyEvent, ...]:
    """The events of one journal row."""
    return _decoder.decode(data)
