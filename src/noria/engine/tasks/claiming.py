"""Who holds a task: claim, unclaim, transfer (认领, 退回组内, 转办)."""

from __future__ import annotations

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.state import Task
from noria.engine.tasks import approving, separating
from noria.kernel.errors import Rejected


def open_task(run: Run, token: int, version: int) -> Task | Rejected:
    """The task, if it is open and still in the version that the caller saw (0 for any)."""
    task = run.state.tasks.get(token)
    if task is None:
        return Rejected("task.not_open", f"Task {token} is not open; it was completed, returned or cancelled.")
    if version and version != task.version:
        return Rejected(
            "task.version_stale", f"Task {token} was changed meanwhile; look at it again.", {"version": task.version}
        )
    return task


def held_task(run: Run, token: int, by: str, version: int) -> Task | Rejected:
    """The task, if it is open and nobody else holds it."""
    task = open_task(run, token, version)
    if isinstance(task, Task) and task.assignee and task.assignee != by:
        return Rejected("task.not_yours", f"Task {token} is held by somebody else.", {"assignee": task.assignee})
    return task


def claim(run: Run, command: c.ClaimTask) -> Rejected | None:
    """Take a task that nobody holds. Whether the person is a candidate is the caller's policy to decide."""
    task = open_task(run, command.token, command.version)
    if isinstance(task, Rejected):
        return task
    if task.assignee:
        return Rejected("task.claimed", f"Task {command.token} is held already.", {"assignee": task.assignee})
    rejected = separating.may_not_do(run, task, command.by)
    if rejected is not None:
        return rejected
    run.emit(e.TaskClaimed(command.token, command.by))
    return None


def unclaim(run: Run, command: c.UnclaimTask) -> Rejected | None:
    """Put a task back that was claimed from candidates."""
    task = held_task(run, command.token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    # What was delegated comes back to who claimed it.
    if not task.claimed or task.owner:
        return Rejected("task.not_claimed", f"Task {command.token} was not claimed from a group by its holder.")
    run.emit(e.TaskUnclaimed(command.token, command.by))
    return None


def transfer(run: Run, command: c.TransferTask) -> Rejected | None:
    """Hand a task over; the one who had it stays in the history."""
    task = held_task(run, command.token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    if not command.to or command.to == task.assignee:
        return Rejected("task.transfer_to_self", "Name somebody else to hand the task over to.")
    rejected = separating.separated(task, command.to) or approving.asked_already(run, command.token, command.to)
    if rejected is not None:
        return rejected
    run.emit(e.TaskTransferred(command.token, command.by, task.assignee, command.to, command.reason))
    return None


def delegate(run: Run, command: c.DelegateTask) -> Rejected | None:
    """Have somebody deal with the task; it comes back."""
    task = held_task(run, command.token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    if task.owner:
        return Rejected("task.delegated", "A delegated task cannot be delegated on; give it back first.")
    if not command.to or command.to == command.by:
        return Rejected("task.transfer_to_self", "Name somebody else to delegate the task to.")
    # It comes back to be concluded: who may not do it hands it over for good.
    rejected = separating.may_not_do(run, task, command.by) or separating.separated(task, command.to)
    if rejected is not None:
        return rejected
    if not task.assignee:
        run.emit(e.TaskClaimed(command.token, command.by))
    run.emit(e.TaskDelegated(command.token, command.by, command.to, command.reason))
    return None


def add_approvers(run: Run, command: c.AddApprovers) -> Rejected | None:
    """Have more people asked in an approval."""
    task = held_task(run, command.token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    rejected = separating.separated(task, *command.people)
    if rejected is not None:
        return rejected
    return approving.add(run, task, command)
