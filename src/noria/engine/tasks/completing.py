"""Completing a task with its form (办结)."""

from __future__ import annotations

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import voting
from noria.engine.forms import checked_form
from noria.engine.lifecycle import reserved_names
from noria.engine.run import Run
from noria.engine.state import Approval
from noria.engine.tasks import approving, coming_back, separating
from noria.engine.tasks.claiming import held_task
from noria.kernel.errors import Rejected


def complete(run: Run, command: c.CompleteTask) -> Rejected | None:
    """Check the submission by the task's form, write its values, and go on."""
    token = command.token
    state = run.state
    task = state.tasks.get(token)
    if task is None or task.assignee != command.by or command.version:
        held = held_task(run, token, command.by, command.version)
        if isinstance(held, Rejected):
            return held
        task = held
    if task.excluded:
        rejected = separating.may_not_do(run, task, command.by)
        if rejected is not None:
            return rejected
    approval = run.state.approvals.get(run.state.tokens[token].scope) if run.state.approvals else None
    if approval is not None or command.outcome:
        rejected = _unfit_outcome(approval, token, command.outcome)
        if rejected is not None:
            return rejected
    if command.resubmit:
        rejected = coming_back.resubmit(run, command)
        if rejected is not None:
            return rejected
    values = command.variables
    if values:
        rejected = reserved_names(values)
        if rejected is not None:
            return rejected
    if task.form:
        current = run.variables(token)
        checked = checked_form(run.definition, run.context, task.form, values, current, task.element)
        if isinstance(checked, Rejected):
            return checked
        values = checked
    if not task.assignee:
        run.emit(e.TaskClaimed(token, command.by))
    element = run.definition.graph.elements[task.element]
    if task.owner:
        run.emit(e.TaskHandedBack(token, command.by, task.owner, command.outcome, command.comment))
        separating.note(run, token, element, command.by)
        if values:
            run.assign(run.state.tokens[token].scope if approval else token, element, values)
        return None
    run.emit(e.TaskCompleted(token, task.element, command.by, task.round, command.comment, outcome=command.outcome))
    if run.definition.keeping_apart:
        separating.note(run, token, element, command.by)
    if approval is not None:
        scope = run.state.tokens[token].scope
        if values:
            run.assign(scope, element, values)
        approving.decided(run, scope, element, token, command.outcome, command.by)
        return None
    if values:
        run.assign(token, element, values)
    run.leave(token, element)
    return None


def _unfit_outcome(approval: Approval | None, token: int, outcome: str) -> Rejected | None:
    if approval is None:
        return Rejected("task.no_approval", "This task is not an approval; complete it without an outcome.")
    allowed = [voting.APPROVE, voting.REFUSE]
    if voting.in_vote(approval, voting.seat_of(approval, token)):
        allowed.append(voting.ABSTAIN)
    if outcome in allowed:
        return None
    said = "Say whether you approve." if not outcome else f"{outcome!r} is no outcome of this task."
    return Rejected("task.outcome", said, {"fields": {"outcome": "task.outcome"}, "allowed": allowed})
