"""Start and boundary events, manual and undefined tasks: nothing to wait for (BPMN 2.0.2, 13.3.3: the engine passes on)."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Go on at once."""
    run.leave(token, element)
