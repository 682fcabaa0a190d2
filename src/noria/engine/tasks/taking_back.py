"""Taking back what one has just done (取回, rule R5)."""

from __future__ import annotations

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.run import Run
from noria.kernel.errors import Rejected

DONE = (
    *(c.CompleteTask, c.ReturnTask, c.TransferTask, c.DelegateTask, c.AddApprovers, c.RemoveApprover),
    *(c.ClaimTask, c.UnclaimTask),
)
"""Commands that can be taken back."""
WITHOUT_EFFECT = (c.ClaimTask, c.UnclaimTask, c.Comment, c.UrgeTask, c.SendCopy, c.FireTimer, c.Consult)
"""Commands that others may have given since; a timer only as long as it has reminded and nothing else."""
_EFFECTS = (
    *(e.JobCompleted, e.MessageThrown, e.SignalThrown, e.CallRequested, e.CallCompleted, e.CompensationStarted),
    *(e.InstanceCompleted, e.InstanceRefused, e.InstanceFailed, e.EscalationThrown, e.MessageReceived),
)
_REMINDING = (e.TimerFired, e.TaskReminded, e.TimerStarted)


def effect_in(events: tuple[e.AnyEvent, ...]) -> str:
    """The first thing among events that cannot be taken back, by its class's name; "" for nothing."""
    return next((type(event).__name__ for event in events if isinstance(event, _EFFECTS)), "")


def only_reminds(events: tuple[e.AnyEvent, ...]) -> bool:
    """Whether a timer has done nothing but remind."""
    return all(isinstance(event, _REMINDING) for event in events)


def take_back(run: Run, command: c.TakeBack) -> Rejected | None:
    """Put the instance back to what it was, if nothing has happened since the caller looked."""
    if run.state.version != command.version:
        return Rejected("task.taken_back_late", "The request has gone on meanwhile; look at it again.")
    element = run.definition.graph.element_of[command.element]
    run.emit(e.TakenBack(element, command.by, command.state))
    return None
