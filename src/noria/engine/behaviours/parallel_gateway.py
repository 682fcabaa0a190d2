"""Parallel gateway: waits for one token on each incoming flow, then takes every outgoing flow."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Join when the last flow has its token; further tokens on a flow wait for the next round."""
    if len(element.incoming) < 2:
        run.leave(token, element)
        return
    state, index = run.state, element.index
    scope, hosted = state.tokens[token].scope, state.hosted
    first_by_flow: dict[int, int] = {}
    for key, other in state.tokens.items():
        # Who stands at a save point has a timer, and is not there yet.
        if other.element == index and other.scope == scope and (key not in hosted or run.at_save_point(key) is None):
            first_by_flow.setdefault(other.via, key)
    if len(first_by_flow) == len(element.incoming):
        run.merge_and_split(element, tuple(first_by_flow.values()))
