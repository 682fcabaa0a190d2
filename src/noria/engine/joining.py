"""Joins that must know what can still arrive: inclusive and complex gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.design.bpmn.graph import Element, Kind
from noria.engine import events as e
from noria.engine.state import Purpose
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.run import Run


def pass_joins(run: Run) -> None:
    """Let one inclusive or complex join go on that nothing more can reach.

    Source: BPMN 2.0.2, section 13.4.3 (inclusive gateway): it is activated when every incoming flow without a token
    has no token upstream that could still reach it by a path not through the gateway, unless that token can also
    reach a flow that has one. A complex gateway resets by the same rule (13.4.5).
    """
    waiting: dict[tuple[int, int], list[int]] = {}
    for token, value in run.state.tokens.items():
        if value.element in run.definition.waiting_joins and run.at_save_point(token) is None:
            waiting.setdefault((value.scope, value.element), []).append(token)
    for (scope, index), tokens in waiting.items():
        element = run.definition.graph.elements[index]
        if element.kind is Kind.COMPLEX_GATEWAY:
            if _reset(run, scope, element, tokens):
                return
        elif not _may_still_arrive(run, scope, element, {run.state.tokens[token].via for token in tokens}):
            run.merge_and_split(element, tuple(first_by_flow(run, tokens).values()))
            return


def first_by_flow(run: Run, tokens: list[int]) -> dict[int, int]:
    """For each flow the first of the tokens that came by it, and all that came by none: an operator put them there.

    Each of these stands for a flow that has no other, by a number below 0 that no other token has.
    """
    found: dict[int, int] = {}
    for token in tokens:
        via = run.state.tokens[token].via
        found.setdefault(via if via >= 0 else -token, token)
    return found


def pass_parallel(run: Run, scope: int, element: Element) -> bool:
    """Let a parallel join go on when each flow has its token; gives whether it does.

    Further tokens on a flow wait for the next round.
    """
    state, index, hosted = run.state, element.index, run.state.hosted
    # Who stands at a save point has a timer, and is not there yet.
    by_flow = first_by_flow(
        run,
        [
            key
            for key, value in state.tokens.items()
            if value.element == index and value.scope == scope and (key not in hosted or run.at_save_point(key) is None)
        ],
    )
    if not by_flow or len(by_flow) < len(element.incoming):
        return False
    run.merge_and_split(element, tuple(by_flow.values()))
    return True


def _may_still_arrive(run: Run, scope: int, element: Element, arrived: set[int]) -> bool:
    to_empty = to_full = 0
    for flow in element.incoming:
        upstream = run.definition.upstream(flow, element.index)
        if flow in arrived:
            to_full |= upstream
        else:
            to_empty |= upstream
    blocking = to_empty & ~to_full
    return any(
        blocking >> value.element & 1
        if value.element != element.index
        else value.via not in arrived and run.at_save_point(token) is Purpose.SAVE_BEFORE
        for token, value in run.state.flowing(scope)
    )


def arrive(run: Run, token: int, element: Element) -> None:
    """A token came to a complex gateway that joins: go on when the activation condition holds.

    Source: BPMN 2.0.2, section 13.4.5. Without a condition the first token activates it.

    Raises:
        Trouble: the condition uses up its budget, or no flow applies.
    """
    state = run.state
    scope = state.tokens[token].scope
    here = [
        key
        for key, value in state.tokens.items()
        if value.element == element.index and value.scope == scope and run.at_save_point(key) is None
    ]
    run.look_at_joins()
    if any(key in state.activated for key in here):
        return
    variables = {**run.variables(token), "activationCount": len(here), "waitingForStart": True}
    if element.activation is not None and not run.test(element.activation, variables):
        return
    flows = run.choose(element, variables)
    by_flow = first_by_flow(run, here)
    marker, *others = by_flow.values()
    for other in others:
        run.emit(e.TokenMerged(other, element.index, marker))
    run.emit(e.GatewayActivated(marker, element.index, tuple(by_flow), flows))
    run.enter_all(flows, scope)


def _reset(run: Run, scope: int, element: Element, tokens: list[int]) -> bool:
    """Have an activated complex gateway start anew, once its other flows have brought what they can bring."""
    marker = next((token for token in tokens if token in run.state.activated), None)
    if marker is None:
        return False
    used = run.state.activated[marker]
    others = first_by_flow(run, [token for token in tokens if token != marker])
    late = {flow: token for flow, token in others.items() if flow not in used}
    if _may_still_arrive(run, scope, element, {*used, *late}):
        return False
    variables = {**run.variables(marker), "activationCount": len(late), "waitingForStart": False}
    all_flows = run.definition.graph.flows
    try:
        # A flow without a condition is taken once, on activation.
        flows = tuple(
            flow
            for flow in element.outgoing
            if (condition := all_flows[flow].condition) is not None and run.test(condition, variables)
        )
    except Trouble as trouble:
        run.raise_incident(marker, element, trouble.trouble_code, trouble.message, "join")
        return True
    for token in late.values():
        run.emit(e.TokenMerged(token, element.index, marker))
    run.take(marker, element, flows)
    # Further tokens on flows that were used begin the next round.
    for token in others.values():
        if token in run.state.tokens:
            run.begin(token, element)
            break
    return True
