"""Intermediate catch events and receive tasks: wait for a message, signal or timer."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, TriggerKind
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Set the trigger; a link's target is just passed.

    Raises:
        Trouble: a timer or message expression gives no usable value.
    """
    if element.trigger is None or element.trigger.kind in (TriggerKind.NONE, TriggerKind.LINK):
        run.leave(token, element)
    else:
        run.arm(token, (element.index,))
