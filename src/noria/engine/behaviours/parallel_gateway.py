"""Parallel gateway: waits for one token on each incoming flow, then takes every outgoing flow."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import joining
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Split at once; a join goes on when the last flow has its token."""
    if len(element.incoming) < 2:
        run.leave(token, element)
    else:
        joining.pass_parallel(run, run.state.tokens[token].scope, element)
