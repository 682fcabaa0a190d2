"""Parallel gateway: waits for one token on each incoming flow, then takes every outgoing flow."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Join when the last flow has its token; further tokens on a flow wait for the next round."""
    if len(element.incoming) < 2:
        run.leave(token, element)
        return
    here = run.state.tokens[token]
    first_by_flow: dict[int, int] = {}
    for key, other in run.state.tokens.items():
        if other.element == element.index and other.scope == here.scope and run.at_save_point(key) is None:
            first_by_flow.setdefault(other.via, key)
    if len(first_by_flow) == len(element.incoming):
        run.merge_and_split(element, tuple(first_by_flow.values()))
