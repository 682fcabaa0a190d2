"""Taking back what one has just done (取回, rule R5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from noria.engine import commands as c
from noria.engine import compensation
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.state import State
from noria.kernel.errors import Rejected

DONE = (
    *(c.CompleteTask, c.ReturnTask, c.TransferTask, c.DelegateTask, c.AddApprovers, c.RemoveApprover),
    *(c.ClaimTask, c.UnclaimTask),
)
"""Commands that can be taken back."""
WITHOUT_EFFECT = (c.ClaimTask, c.UnclaimTask, c.Comment, c.UrgeTask, c.SendCopy, c.FireTimer, c.Consult)
"""Commands that others may have given since; a timer only as long as it has reminded and nothing else."""
OF_WORKERS = (c.CompleteJob, c.FailJob, c.CompleteCall)
"""Commands that may have carried out what can be compensated."""
_COMPENSABLE = (e.JobCompleted, e.MessageThrown, e.SignalThrown, e.CallRequested)
"""Effects of an activity, which can be undone when the model says how."""
_EFFECTS = (
    *_COMPENSABLE,
    *(e.CompensationStarted, e.InstanceCompleted, e.InstanceRefused, e.InstanceFailed, e.EscalationThrown),
    *(e.MessageReceived, e.TakenBack),
)
_REMINDING = (e.TimerFired, e.TaskReminded, e.TimerStarted)


def effects_in(events: Iterable[e.AnyEvent]) -> tuple[tuple[int, ...], str]:
    """What among events has had an effect outside.

    Returns:
        Tokens of the activities that may be compensated, and the first effect that is no activity's, by its class's
        name; "" for none.
    """
    tokens: dict[int, None] = {}
    for event in events:
        if isinstance(event, _COMPENSABLE):
            tokens[event.token] = None
        elif isinstance(event, _EFFECTS):
            return tuple(tokens), type(event).__name__
    return tuple(tokens), ""


def only_reminds(events: tuple[e.AnyEvent, ...]) -> bool:
    """Whether a timer has done nothing but remind."""
    return all(isinstance(event, _REMINDING) for event in events)


def while_taken_back(run: Run) -> Rejected | None:
    """Refuse a change that would be lost when the instance is put back to what it was."""
    if run.state.taking_back is None:
        return None
    text = "Something is being taken back; wait until that is done, or end the request."
    return Rejected("instance.taking_back", text)


def take_back(run: Run, command: c.TakeBack) -> Rejected | None:
    """Put the instance back to what it was, if nothing has happened since the caller looked.

    Where something has had effects, what was completed since is compensated first, in the reverse order of completion.
    """
    if run.state.version != command.version:
        return Rejected("task.taken_back_late", "The request has gone on meanwhile; look at it again.")
    element = run.definition.graph.element_of[command.element]
    if not command.effects:
        run.emit(e.TakenBack(element, command.by, command.state))
        return None
    state, before = run.state, command.state
    lasting = _lasting(state, before, command.effects)
    if lasting:
        effect = run.definition.graph.elements[lasting]
        text = f"What was done at {effect.name or effect.id} cannot be compensated; it cannot be taken back any more."
        return Rejected("task.taken_back_late", text, {"effect": effect.id})
    undone = tuple(
        key
        for key, value in reversed(list(state.done.items()))
        if key not in before.done and value.scope in state.scopes
    )
    scopes = _around(state, [state.done[key].scope for key in undone])
    if not _alone(run, before, undone, scopes):
        text = "Something else of the request is under way beside it; it cannot be taken back now."
        return Rejected("task.taken_back_late", text, {"effect": ""})
    token = run.place(element, scopes[-1])
    run.emit(e.TakeBackBegun(token, element, command.by, before))
    _stop(run, scopes, token)
    run.emit(e.CompensationThrown(token, element, undone))
    compensation.advance(run, token)
    return None


def _lasting(state: State, before: State, effects: Mapping[int, int]) -> int:
    """The element whose effect cannot be compensated, or not without what was done before; 0 when all can be."""
    for token, element in effects.items():
        if token not in state.done or token in before.done:
            return element
    for key, value in state.done.items():
        # The sub-process around it has completed since, and is compensated as a whole.
        if key in before.done and value.scope not in state.scopes and before.done[key].scope in before.scopes:
            return value.element
    return 0


def _around(state: State, scopes: Iterable[int]) -> list[int]:
    """The innermost of some scopes with all that are around it, the process first."""
    longest: list[int] = [0]
    for scope in scopes:
        chain = [scope]
        while chain[-1]:
            chain.append(state.scopes[chain[-1]].parent)
        longest = max(longest, chain[::-1], key=len)
    return longest


def _alone(run: Run, before: State, undone: Iterable[int], scopes: list[int]) -> bool:
    """Whether nothing that was open before is still under way, and all that is undone stands in one line of scopes.

    What goes on beside it could not be told from what is taken back. An ad-hoc sub-process would choose anew whenever
    something in it ends.
    """
    state, elements = run.state, run.definition.graph.elements
    return (
        all(state.done[key].scope in scopes for key in undone)
        and before.tokens.keys() & state.tokens.keys() <= set(scopes)
        and not any(elements[state.scopes[scope].element].ad_hoc for scope in scopes)
    )


def _stop(run: Run, scopes: list[int], but: int) -> None:
    """Take everything away that is under way or waited for, but for the scopes themselves and one token."""
    for scope, inner in zip(scopes, [*scopes[1:], but], strict=True):
        run.cancel_scope(scope, "taken_back", but=(inner,))
    for scope in scopes:
        if scope in run.state.hosted:
            run.emit(e.WaitsClosed(scope, run.state.hosted[scope]))
