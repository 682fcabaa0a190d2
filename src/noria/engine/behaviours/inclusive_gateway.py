"""Inclusive gateway: takes every flow whose condition holds; as a join it waits for what can still arrive."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Split at once; a join waits until the step has come to rest and is looked at then."""
    if len(element.incoming) < 2:
        run.leave(token, element)
    else:
        run.look_at_joins()
