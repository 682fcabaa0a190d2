"""Completing a task with its form (办结)."""

from __future__ import annotations

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.forms import checked_form
from noria.engine.lifecycle import reserved_names
from noria.engine.run import Run
from noria.engine.tasks import separating
from noria.engine.tasks.claiming import held_task
from noria.kernel.errors import Rejected


def complete(run: Run, command: c.CompleteTask) -> Rejected | None:
    """Check the submission by the task's form, write its values, and go on."""
    token = command.token
    task = held_task(run, token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    rejected = separating.may_not_do(run, task, command.by)
    if rejected is not None:
        return rejected
    values = command.variables
    if values:
        rejected = reserved_names(values)
        if rejected is not None:
            return rejected
    if task.form:
        checked = checked_form(run, task.form, values, run.variables(token))
        if isinstance(checked, Rejected):
            return checked
        values = checked
    if not task.assignee:
        run.emit(e.TaskClaimed(token, command.by))
    element = run.definition.graph.elements[task.element]
    run.emit(e.TaskCompleted(token, task.element, command.by, task.round, command.comment))
    separating.note(run, token, element, command.by)
    if values:
        run.assign(token, element, values)
    run.leave(token, element)
    return None
