"""Commands: what is asked of one instance. Imperative; refused as a value, or answered by events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from noria.engine.state import NOTHING, Parent, State


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Command(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag=_snake):
    """Base of all commands. On the wire ``type`` is the class name in snake case."""


class StartInstance(Command, frozen=True):
    """Start an instance (发起).

    Attributes:
        by: person id of the starter, or a technical actor such as ``timer``.
        starter: snapshot of the starter, visible in FEEL as ``starter``: id, name, unit, manager …
        variables: submitted with the start; checked by the start form when there is one.
        business_key: the number people know it by, unique per process.
        start_element: id of the start event; "" for the none start event.
        parent: set when a call activity asked for it.
    """

    by: str
    starter: dict[str, object]
    variables: dict[str, object] = {}
    business_key: str = ""
    start_element: str = ""
    parent: Parent | None = None


class ClaimTask(Command, frozen=True):
    """Take a task from its candidates (认领)."""

    token: int
    by: str
    version: int = 0


class UnclaimTask(Command, frozen=True):
    """Put a claimed task back to its candidates."""

    token: int
    by: str
    version: int = 0


class CompleteTask(Command, frozen=True):
    """Finish a task with its form's values (办结). An unclaimed task is claimed by it.

    Attributes:
        outcome: "approve" or "refuse", in a vote also "abstain", where the task is an approval; else "".
        resubmit: how a request that was returned to this task goes on: "step" by step, "straight" back to who returned
            it (R3), "" for as that person has said.
    """

    token: int
    by: str
    variables: Mapping[str, object] = NOTHING
    comment: str = ""
    version: int = 0
    outcome: str = ""
    resubmit: str = ""


class ReturnTask(Command, frozen=True):
    """Send the request back to an earlier user task with a reason (退回, rules R1 and R2).

    Attributes:
        straight: from there it comes straight back (R3), if who resubmits it says nothing else.
    """

    token: int
    by: str
    to: str
    reason: str
    version: int = 0
    straight: bool = False


class TakeBack(Command, frozen=True):
    """Take back what one has just done to a request (取回, R5): it stands as before.

    Attributes:
        state: as it was before; the version counts on.
        version: the version that the instance has if nothing has happened since.
        element: id of the element whose task it was done at.
        effects: token → element index of the activities that have had effects outside since; they are compensated
            first.
    """

    by: str
    state: State
    version: int
    element: str
    effects: dict[int, int] = {}


class SendCopy(Command, frozen=True):
    """Let people know of the request (抄送); who has a copy gets no second one."""

    by: str
    people: tuple[str, ...]
    text: str = ""


class TransferTask(Command, frozen=True):
    """Hand a task over to somebody else (转办)."""

    token: int
    by: str
    to: str
    reason: str = ""
    version: int = 0


class DelegateTask(Command, frozen=True):
    """Have somebody deal with a task and give it back (委派); whoever delegates it concludes it."""

    token: int
    by: str
    to: str
    reason: str = ""
    version: int = 0


class AddApprovers(Command, frozen=True):
    """Have more people asked in an approval (加签).

    Attributes:
        token: the task of who adds them.
        where: "before": the task waits for them; "after": they follow it; "parallel": they join it.
        people: person ids.
        mode: the rule among them: "allOf", "anyOf" or "inTurn".
    """

    token: int
    by: str
    where: str
    people: tuple[str, ...]
    mode: str = "allOf"
    reason: str = ""
    version: int = 0


class RemoveApprover(Command, frozen=True):
    """Take back that a person is asked (减签); only who had the person asked can, and only until a decision.

    Attributes:
        approval: token of the approval.
        person: who is no longer to be asked.
    """

    approval: int
    by: str
    person: str


class VoidInstance(Command, frozen=True):
    """Declare a completed request void (作废), by authority and with a reason; what it has done stays done."""

    by: str
    reason: str


class RestartInstance(Command, frozen=True):
    """Have a request go on that was refused, withdrawn or terminated, or count again that was voided (重启).

    Attributes:
        state: as it was before that; the version counts on.
        version: the version that the instance has if nothing has happened since.
    """

    by: str
    reason: str
    state: State
    version: int


class Consult(Command, frozen=True):
    """Ask people for their opinion on a task, which stays mine (沟通)."""

    token: int
    by: str
    people: tuple[str, ...]
    text: str
    version: int = 0


class AnswerConsultation(Command, frozen=True):
    """Say what one was asked for; it is filed with the request."""

    consultation: int
    by: str
    text: str


class UrgeTask(Command, frozen=True):
    """Ask the holder of a task to hurry (催办); refused when it was urged within the last 30 minutes."""

    token: int
    by: str
    text: str = ""


class Comment(Command, frozen=True):
    """Say something about the request; `token` is the task it was said at, 0 for none; `mentions` are persons' ids."""

    by: str
    text: str
    token: int = 0
    mentions: tuple[str, ...] = ()


class WithdrawInstance(Command, frozen=True):
    """Take the request back as its starter (撤回)."""

    by: str
    reason: str = ""


class CancelInstance(Command, frozen=True):
    """End the instance as an operator (终止)."""

    by: str
    reason: str


class CompleteJob(Command, frozen=True):
    """A worker finished a job."""

    token: int
    by: str
    variables: dict[str, object] = {}


class FailJob(Command, frozen=True):
    """A worker could not do a job now.

    Attributes:
        retries: tries left as the worker says, -1 to count down by one.
        retry_in_ms: wait before the next try, -1 for the model's own back-off.
    """

    token: int
    by: str
    message: str
    retries: int = -1
    retry_in_ms: int = -1


class ThrowJobError(Command, frozen=True):
    """A worker found a business error that the model catches by its code."""

    token: int
    by: str
    code: str
    message: str = ""
    variables: dict[str, object] = {}


class FireTimer(Command, frozen=True):
    """A timer fell due."""

    timer: int


class Correlate(Command, frozen=True):
    """A message or signal arrived at one subscription."""

    wait: int
    variables: dict[str, object] = {}
    message_id: str = ""


class CompleteCall(Command, frozen=True):
    """A called instance ended; `error` is its uncaught error code, "" when it completed.

    Attributes:
        token: the call.
        variables: what the instance ended with.
        error: the code.
        message: of the error.
        begun: there was an instance; else the error says why it could not be started.
    """

    token: int
    variables: dict[str, object] = {}
    error: str = ""
    message: str = ""
    begun: bool = True


class EscalateCall(Command, frozen=True):
    """A called instance, with these variables, threw an escalation that nothing inside it catches; it goes on."""

    token: int
    code: str
    variables: dict[str, object] = {}


class RetryIncident(Command, frozen=True):
    """Try again what stands still, after an operator looked."""

    incident: int
    by: str
    retries: int = 1


class SetVariables(Command, frozen=True):
    """Correct variables of the process as an operator; a reason is required."""

    by: str
    variables: dict[str, object]
    reason: str


class Move(msgspec.Struct, frozen=True, gc=False):
    """One change of where an instance is.

    Attributes:
        kind: "start_before" or "start_after" an element, "cancel" what is at it, or "move" from it to another one.
        element: its id.
        to: for a move, the id of the element before which it goes on.
        token: for a cancel or move, only this one of several tokens; 0 for all.
        scope: for a start or move, in which of several running sub-processes; 0 when there is only one.
        variables: written into the scope where something starts.
    """

    kind: Literal["start_before", "start_after", "cancel", "move"]
    element: str
    to: str = ""
    token: int = 0
    scope: int = 0
    variables: dict[str, object] = {}


class ModifyInstance(Command, frozen=True):
    """Put an instance elsewhere in its process, as an operator; a reason is required."""

    by: str
    reason: str
    moves: tuple[Move, ...]


class MigrateInstance(Command, frozen=True):
    """Have an instance go on by another version of its process, as an operator; a reason is required.

    Attributes:
        before: id of the definition that it runs on.
        after: id of the definition that it is to run on; the facts of the step hold it.
        elements: where an element has another id in that version, source id → target id.
    """

    by: str
    reason: str
    before: int
    after: int
    elements: dict[str, str] = {}


class RestoreInstance(Command, frozen=True):
    """Take back what an operator did to an instance, before it has moved on.

    Attributes:
        state: as it was before; the version counts on.
        before: id of the definition that it runs on.
        after: id of the definition that it ran on then.
        version: the version that the instance has if nothing has happened since.
    """

    by: str
    reason: str
    state: State
    before: int
    after: int
    version: int


class SuspendInstance(Command, frozen=True):
    """Put an instance to rest as an operator (挂起), until it is resumed; a reason is required."""

    by: str
    reason: str


class ResumeInstance(Command, frozen=True):
    """Have a suspended instance go on (恢复)."""

    by: str
    reason: str = ""


class DeriveDeadlines(Command, frozen=True):
    """Count the provisional due dates of a calendar anew, since a newer version of it is in force.

    Attributes:
        by: who published it.
        calendar: id of the calendar.
        version: of the calendar, or a later one.
    """

    by: str
    calendar: str
    version: int


AnyCommand = (
    StartInstance
    | ClaimTask
    | UnclaimTask
    | CompleteTask
    | ReturnTask
    | TransferTask
    | DelegateTask
    | AddApprovers
    | RemoveApprover
    | TakeBack
    | SendCopy
    | VoidInstance
    | RestartInstance
    | Consult
    | AnswerConsultation
    | UrgeTask
    | Comment
    | WithdrawInstance
    | CancelInstance
    | CompleteJob
    | FailJob
    | ThrowJobError
    | FireTimer
    | Correlate
    | CompleteCall
    | EscalateCall
    | RetryIncident
    | SetVariables
    | ModifyInstance
    | MigrateInstance
    | RestoreInstance
    | SuspendInstance
    | ResumeInstance
    | DeriveDeadlines
)

ACTIONS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(AnyCommand)}
"""Command type → its name in snake case, as journal and audit trail have it."""
