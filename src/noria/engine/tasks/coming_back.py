"""A returned request on its way back to who returned it (退回后直达 or 逐级, rule R3)."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.state import RESERVED_VARIABLES, Comeback
from noria.kernel.errors import Rejected

STEP, STRAIGHT = "step", "straight"


def resubmit(run: Run, command: c.CompleteTask) -> Rejected | None:
    """Note how a returned request goes on, as who resubmits it wants."""
    comeback = run.state.comeback
    here = run.state.tokens[command.token].element
    if comeback is None or comeback.to != here or command.resubmit not in (STEP, STRAIGHT):
        return Rejected("task.resubmit", "A returned request goes on straight or step by step, when it is resubmitted.")
    run.emit(e.Resubmitted(command.token, here, command.resubmit == STRAIGHT))
    return None


def passes(run: Run, token: int, element: Element) -> bool:
    """Whether nobody is asked on the straight way back: the task was done before, and what it saw is as it was."""
    comeback = run.state.comeback
    if comeback is None or not comeback.straight or element.index not in comeback.valid:
        return False
    if changed_for(run, comeback, token, element):
        return False
    run.emit(e.TaskPassed(token, element.index, run.state.actors[element.index], "unchanged"))
    run.leave(token, element)
    return True


def changed_for(run: Run, comeback: Comeback, token: int, element: Element) -> list[str]:
    """What a task sees and is not as it was when the request was returned: the fields of its form, without one all."""
    now = run.variables(token)
    form = run.definition.form_at(element.index, element.human.form) if element.human is not None else None
    seen = form.names if form is not None else sorted({*now, *comeback.before} - RESERVED_VARIABLES)
    return [name for name in seen if now.get(name) != comeback.before.get(name)]
