"""Ad-hoc sub-process: a scope whose activities begin in no fixed order."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import choosing, triggers
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Open the scope, set its event sub-processes' triggers, and begin its activities.

    Raises:
        Trouble: an expression gives no usable value.
    """
    run.open_scope(token, element)
    triggers.arm_event_sub_processes(run, token, element)
    choosing.begin(run, token, element)
