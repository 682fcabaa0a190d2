"""Checks of a compiled graph as a whole: starts and ends, gateways, reachability, people."""

from __future__ import annotations

from collections.abc import Sequence

from noria.design.bpmn.graph import Element, Graph, Kind, TriggerKind
from noria.design.bpmn.reading import Findings
from noria.design.xml import Node

_BEHIND_EVENT_GATEWAY = (Kind.INTERMEDIATE_CATCH_EVENT, Kind.RECEIVE_TASK)
_CONTAINERS = (Kind.PROCESS, Kind.SUB_PROCESS, Kind.EVENT_SUB_PROCESS)


def check_structure(graph: Graph, nodes: Sequence[Node], findings: Findings) -> None:
    """Report what is wrong or doubtful in a graph.

    Args:
        graph: connected.
        nodes: the XML element of each of the graph's elements.
        findings: where to report.
    """
    reachable = _reachable(graph)
    for element in graph.elements:
        node = nodes[element.index]
        if element.kind in _CONTAINERS:
            _check_starts(graph, element, node, findings)
        elif element.index not in reachable:
            findings.warn("bpmn.unreachable", "No way leads here.", node)
        if element.kind is Kind.EXCLUSIVE_GATEWAY or element.kind is Kind.INCLUSIVE_GATEWAY:
            _check_conditions(graph, element, node, findings)
        elif element.kind is Kind.EVENT_BASED_GATEWAY:
            _check_event_gateway(graph, element, node, findings)
        elif element.kind is Kind.USER_TASK:
            _check_people(element, node, findings)


def _check_starts(graph: Graph, element: Element, node: Node, findings: Findings) -> None:
    starts = [graph.elements[index] for index in element.starts]
    if element.kind is Kind.EVENT_SUB_PROCESS:
        if len(starts) != 1:
            findings.error("bpmn.event_sub_process_start", "An event sub-process has exactly one start event.", node)
        return
    if not starts:
        findings.error("bpmn.no_start", "Nothing starts here: there is no start event.", node)
    plain = [
        start
        for start in starts
        if start.kind is Kind.START_EVENT and (start.trigger is None or start.trigger.kind is TriggerKind.NONE)
    ]
    if len(plain) > 1:
        findings.error("bpmn.many_starts", "There is more than one start event without a trigger.", node)


def _reachable(graph: Graph) -> set[int]:
    stack = [0]
    seen: set[int] = set()
    while stack:
        index = stack.pop()
        if index in seen:
            continue
        seen.add(index)
        element = graph.elements[index]
        stack.extend(graph.flows[flow].target for flow in (*element.outgoing, element.default) if flow >= 0)
        stack.extend((*element.boundaries, *element.starts, *element.event_sub_processes))
        if element.link_target >= 0:
            stack.append(element.link_target)
    return seen


def _check_conditions(graph: Graph, element: Element, node: Node, findings: Findings) -> None:
    outgoing = [graph.flows[flow] for flow in element.outgoing]
    if element.kind is Kind.EXCLUSIVE_GATEWAY and len(outgoing) + (element.default >= 0) > 1:
        for flow in outgoing:
            if flow.condition is None:
                findings.error(
                    "bpmn.no_condition",
                    f"Flow {flow.id!r} of an exclusive gateway has no condition and is not the default flow.",
                    node,
                    flow=flow.id,
                )
    if len(outgoing) > 1 and element.default < 0 and all(flow.condition is not None for flow in outgoing):
        findings.warn("bpmn.no_default", "No default flow: when no condition holds, the request stands still.", node)


def _check_event_gateway(graph: Graph, element: Element, node: Node, findings: Findings) -> None:
    for flow in element.outgoing:
        target = graph.elements[graph.flows[flow].target]
        good = target.kind in _BEHIND_EVENT_GATEWAY and (
            target.trigger is None
            or target.trigger.kind in (TriggerKind.MESSAGE, TriggerKind.TIMER, TriggerKind.SIGNAL)
        )
        if not good:
            findings.error(
                "bpmn.event_gateway_target",
                f"{target.id!r} cannot stand behind an event-based gateway; only catching events and receive tasks can.",
                node,
            )
        elif len(target.incoming) > 1:
            findings.error(
                "bpmn.event_gateway_target", f"{target.id!r} has a second incoming flow beside the gateway's.", node
            )
        elif target.boundaries:
            findings.error("bpmn.event_gateway_target", f"{target.id!r} has a boundary event behind the gateway.", node)


def _check_people(element: Element, node: Node, findings: Findings) -> None:
    work = element.human
    if work is None or work.assignee or work.candidate_groups or work.candidate_users or work.lane_groups:
        return
    findings.error(
        "bpmn.nobody", "Nobody would get this task: give noria:assignee or candidates, or put it into a lane.", node
    )
