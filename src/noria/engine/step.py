"""`decide`: from a command to events. Pure; the same call always gives the same events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noria.engine import commands as c
from noria.engine import deadlines, lifecycle, migrating, modifying, plain
from noria.engine import events as e
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.definition import Definition
from noria.engine.facts import NO_FACTS, Facts
from noria.engine.outcome import Outcome
from noria.engine.run import Run, RunawayError
from noria.engine.state import State, Status
from noria.engine.tasks import approving, claiming, completing, copying, returning, taking_back, talking
from noria.kernel.errors import NoriaError, Rejected

Handler = Callable[[Run, Any], Rejected | None]

HANDLERS: dict[type, Handler] = {
    c.StartInstance: lifecycle.start,
    c.ClaimTask: claiming.claim,
    c.UnclaimTask: claiming.unclaim,
    c.TransferTask: claiming.transfer,
    c.DelegateTask: claiming.delegate,
    c.AddApprovers: claiming.add_approvers,
    c.RemoveApprover: approving.remove,
    c.TakeBack: taking_back.take_back,
    c.SendCopy: copying.send,
    c.VoidInstance: lifecycle.void,
    c.RestartInstance: lifecycle.restart,
    c.Consult: talking.consult,
    c.AnswerConsultation: talking.answer,
    c.CompleteTask: completing.complete,
    c.ReturnTask: returning.return_task,
    c.UrgeTask: talking.urge,
    c.Comment: talking.comment,
    c.WithdrawInstance: lifecycle.withdraw,
    c.CancelInstance: lifecycle.cancel,
    c.CompleteJob: lifecycle.complete_job,
    c.FailJob: lifecycle.fail_job,
    c.ThrowJobError: lifecycle.throw_job_error,
    c.FireTimer: lifecycle.fire_timer,
    c.Correlate: lifecycle.correlate,
    c.CompleteCall: lifecycle.complete_call,
    c.EscalateCall: lifecycle.escalate_call,
    c.RetryIncident: lifecycle.retry_incident,
    c.SetVariables: lifecycle.set_variables,
    c.ModifyInstance: modifying.modify,
    c.MigrateInstance: migrating.migrate,
    c.RestoreInstance: migrating.restore,
    c.SuspendInstance: lifecycle.suspend,
    c.ResumeInstance: lifecycle.resume,
    c.DeriveDeadlines: deadlines.derive,
}
"""Command type → what it does."""

_FROM_PEOPLE = (
    c.StartInstance,
    c.ClaimTask,
    c.UnclaimTask,
    c.TransferTask,
    c.DelegateTask,
    c.AddApprovers,
    c.RemoveApprover,
    c.TakeBack,
    c.SendCopy,
    c.VoidInstance,
    c.RestartInstance,
    c.Consult,
    c.AnswerConsultation,
    c.CompleteTask,
    c.ReturnTask,
    c.UrgeTask,
    c.Comment,
    c.WithdrawInstance,
    c.CancelInstance,
    c.RetryIncident,
    c.SetVariables,
    c.ModifyInstance,
    c.MigrateInstance,
    c.RestoreInstance,
    c.SuspendInstance,
    c.ResumeInstance,
    c.DeriveDeadlines,
)
_WHILE_SUSPENDED = (
    c.Comment,
    c.CancelInstance,
    c.SetVariables,
    c.ModifyInstance,
    c.MigrateInstance,
    c.RestoreInstance,
    c.SuspendInstance,
    c.ResumeInstance,
    c.DeriveDeadlines,
)
_AFTER_THE_END = (c.Comment, c.SendCopy, c.VoidInstance, c.RestartInstance)
_OPEN = Status.OPEN  # before Python 3.12 a look at an enum's member costs a function call


def step(
    definition: Definition, state: State, command: c.AnyCommand, now_ms: int, facts: Facts = NO_FACTS
) -> Outcome | Rejected:
    """Decide a command and fold its events: `decide` and `evolve` in one pass over one working copy.

    Args:
        definition: the version the instance runs on.
        state: left as it was.
        command: what is asked.
        now_ms: the instant of the command, ms since the epoch.
        facts: what the outside says.

    Returns:
        The events and the state after them, or the reason why nothing happened.
    """
    plainly = plain.BEGIN.get(command.__class__)
    if plainly is not None and (
        # Before it has started there is nothing to look at.
        not state.version
        or (
            state.status is _OPEN
            and not state.suspended
            # What a move may concern beside its token; loops and approvals have scopes of their own.
            and len(state.scopes) < 2
            and not state.returned
            and not state.conditions
            and not state.consultations
            and not state.handlers
            and (not definition.waiting_joins or len(state.tokens) < 2)
        )
    ):
        try:
            outcome = plainly(definition, state, command, now_ms, facts)
        except NoriaError:
            # An expression's budget is used up; that is an incident, or refused.
            outcome = None
        if outcome is not None:
            return outcome
    return carefully(definition, state, command, now_ms, facts)


def carefully(
    definition: Definition, state: State, command: c.AnyCommand, now_ms: int, facts: Facts
) -> Outcome | Rejected:
    """`step` for any command and model; `plain` is quicker for most."""
    if state.status is not _OPEN or state.suspended or (0 in state.scopes) is isinstance(command, c.StartInstance):
        rejected = _refused_at_once(state, command)
        if rejected is not None:
            return rejected
    run = Run(definition, state.copy(), now_ms, facts, BEHAVIOURS)
    try:
        rejected = HANDLERS[command.__class__](run, command)
        if rejected is not None:
            return rejected
        run.advance()
        run.note_facts()
    except RunawayError as error:
        return park(definition, state, command, now_ms, facts, error)
    run.state.version = state.version + 1
    return Outcome(tuple(run.events), run.state)


def decide(
    definition: Definition, state: State, command: c.AnyCommand, now_ms: int, facts: Facts = NO_FACTS
) -> tuple[e.AnyEvent, ...] | Rejected:
    """The events of a command, or the reason why nothing happens. See `step`."""
    outcome = step(definition, state, command, now_ms, facts)
    return outcome if isinstance(outcome, Rejected) else outcome.events


def _refused_at_once(state: State, command: c.AnyCommand) -> Rejected | None:
    if (0 in state.scopes) is isinstance(command, c.StartInstance):
        if state.scopes:
            return Rejected("instance.started", "The instance has been started already.")
        return Rejected("instance.not_found", "There is no such instance.")
    if state.status is not Status.OPEN and not isinstance(command, _AFTER_THE_END):
        return Rejected("instance.ended", f"The instance has ended ({state.status.name.lower()}); nothing was done.")
    # What was terminated while it rested has nothing to rest any more; restarted it rests again.
    if state.suspended and state.status is Status.OPEN and not isinstance(command, _WHILE_SUSPENDED):
        return Rejected("instance.suspended", "The instance is suspended; nothing happens to it until it is resumed.")
    return None


def park(
    definition: Definition, state: State, command: c.AnyCommand, now_ms: int, facts: Facts, error: NoriaError
) -> Outcome | Rejected:
    """Put an instance to rest that a command would break: a runaway model, or a broken invariant of the engine.

    A machine's command is used up and an incident says why, so that it does not come again for ever. A person's
    command is refused, and nothing is recorded.

    Args:
        definition: the version the instance runs on.
        state: left as it was.
        command: what was asked.
        now_ms: the instant of the command.
        facts: what the outside says.
        error: what went wrong.
    """
    if isinstance(command, _FROM_PEOPLE):
        return Rejected(error.code, error.message)
    run = Run(definition, state.copy(), now_ms, facts, BEHAVIOURS)
    rejected = lifecycle.park(run, command, error.code, error.message)
    if rejected is not None:
        return rejected
    run.state.version = state.version + 1
    return Outcome(tuple(run.events), run.state)
