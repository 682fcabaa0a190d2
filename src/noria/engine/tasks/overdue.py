"""What is done when a task's limit has passed (超时动作): remind again, approve, refuse, transfer, escalate."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import events as e
from noria.engine import triggers
from noria.engine.deadlines import reckon
from noria.engine.run import Run
from noria.engine.state import Timer
from noria.engine.tasks import approving, finding
from noria.engine.trouble import Trouble

BY = "timer"
"""Who decides then."""
ESCALATION = "overdue"
"""Code of the escalation that is thrown."""


def act(run: Run, timer: Timer, element: Element) -> None:
    """Do what the model says, once; and remind as often as it says.

    Args:
        run: the step.
        timer: of the reminder at the limit or behind it, which has just fired.
        element: the user task.
    """
    work = element.human
    if work is None:
        return
    token = timer.token
    try:
        if timer.remaining:
            deadline = run.state.deadlines.get(token)
            calendar = deadline.calendar if deadline is not None else ""
            due_ms, _ = reckon(run, run.now_ms, work.remind_every, calendar)
            run.emit(
                e.TimerStarted(
                    run.state.next_id,
                    token,
                    element.index,
                    due_ms,
                    timer.remaining - 1,
                    work.remind_every if timer.remaining > 1 else "",
                    1.0,
                )
            )
        if work.when_overdue and timer.remaining == work.remind_times:
            _do(run, token, element, work.when_overdue)
    except Trouble as trouble:
        # The task stays with who has it; only what should have been done besides could not be.
        run.raise_incident(token, element, trouble.trouble_code, trouble.message, "overdue")


def again(run: Run, token: int, element: Element) -> None:
    """Do it after an operator looked at why it could not be done."""
    if token in run.state.tasks and element.human is not None:
        try:
            _do(run, token, element, element.human.when_overdue)
        except Trouble as trouble:
            run.raise_incident(token, element, trouble.trouble_code, trouble.message, "overdue")


def _do(run: Run, token: int, element: Element, action: str) -> None:
    task = run.state.tasks[token]
    if action == "transfer":
        work = element.human
        assert work is not None  # noqa: S101 - act() has looked
        names = run.evaluate_names(work.overdue_to, run.variables(token), "overdueTo", element)
        if names and not finding.reachable(run, names[0]):
            raise Trouble("task.unknown_person", f"{names[0]}, to whom {element.id} would go, is nobody active.")
        if names and names[0] in task.excluded:
            text = f"{names[0]} may not do {element.id}, to whom it would go; four eyes are needed."
            raise Trouble("task.separated", text)
        if names and names[0] != task.assignee:
            run.emit(e.TaskOverdue(token, element.index, action, names[0]))
            run.emit(e.TaskTransferred(token, BY, task.assignee, names[0], ""))
    elif action == "escalate":
        run.emit(e.TaskOverdue(token, element.index, action))
        triggers.throw_escalation(run, token, ESCALATION)
    else:
        scope = run.state.tokens[token].scope
        run.emit(e.TaskOverdue(token, element.index, action))
        run.emit(e.TaskCompleted(token, element.index, BY, task.round, outcome=action))
        approving.decided(run, scope, element, token, action, BY)
