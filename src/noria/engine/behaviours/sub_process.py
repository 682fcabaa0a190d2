"""Embedded sub-process: a scope of its own; it ends when no token is left inside."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import triggers
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Open the scope, set its event sub-processes' triggers, and start inside.

    Raises:
        Trouble: an event sub-process's timer or message expression gives no usable value.
    """
    run.open_scope(token, element)
    triggers.arm_event_sub_processes(run, token, element)
    for start in element.starts:
        run.enter(start, token)
    run.finish_if_empty(token)
