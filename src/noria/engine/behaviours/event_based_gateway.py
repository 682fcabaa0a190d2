"""Event-based gateway: waits for the first of the events behind it."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Set the triggers of all events behind it; the first one takes the token and ends the others.

    Raises:
        Trouble: a timer or message expression gives no usable value.
    """
    flows = run.definition.graph.flows
    run.arm(token, [flows[flow].target for flow in element.outgoing])
