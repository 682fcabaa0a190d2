"""Checks of a compiled graph as a whole: starts and ends, gateways, reachability, people."""

from __future__ import annotations

from collections.abc import Sequence

from noria.design.bpmn.graph import ACTIVITIES, GATEWAYS, SUB_PROCESSES, Element, Graph, Kind, TriggerKind
from noria.design.bpmn.source import Findings
from noria.design.xml import Node

_BEHIND_EVENT_GATEWAY = (Kind.INTERMEDIATE_CATCH_EVENT, Kind.RECEIVE_TASK)
_WAITS_BEHIND_EVENT_GATEWAY = (TriggerKind.MESSAGE, TriggerKind.TIMER, TriggerKind.SIGNAL, TriggerKind.CONDITIONAL)
_NEEDS_INCOMING = (ACTIVITIES | GATEWAYS) - {Kind.EVENT_SUB_PROCESS}
_CONDITIONAL_SPLITS = (Kind.EXCLUSIVE_GATEWAY, Kind.INCLUSIVE_GATEWAY, Kind.COMPLEX_GATEWAY)


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
        if element.kind is Kind.PROCESS or element.kind in SUB_PROCESSES:
            _check_starts(graph, element, node, findings)
            _check_ends(graph, element, node, findings)
        if element.kind is not Kind.PROCESS and element.index not in reachable:
            lost = not element.incoming and element.kind in _NEEDS_INCOMING
            add = findings.error if lost else findings.warn
            add("bpmn.unreachable", "No way leads here.", node)
        _check_compensation(graph, element, node, findings)
        if element.kind in _CONDITIONAL_SPLITS:
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


def _check_ends(graph: Graph, container: Element, node: Node, findings: Findings) -> None:
    """BPMN 2.0.2, 10.5.2 and 10.5.3: a level has start and end events, or neither."""
    inside = [element for element in graph.elements if element.scope == container.index]
    starts = any(element.kind is Kind.START_EVENT or element.instantiates for element in inside)
    ends = any(element.kind is Kind.END_EVENT for element in inside)
    if ends and not starts:
        findings.error("bpmn.no_start", "There is an end event here and no start event.", node)
    if starts and not ends:
        findings.warn("bpmn.no_end", "There is a start event here and no end event.", node)


def _check_compensation(graph: Graph, element: Element, node: Node, findings: Findings) -> None:
    if element.for_compensation and (element.incoming or element.outgoing or element.default >= 0):
        message = "An activity for compensation has no sequence flows; it runs when its activity is compensated."
        findings.error("bpmn.compensation", message, node)
    if element.trigger is None:
        return
    kind = element.trigger.kind
    if element.trigger.activity >= 0:
        _check_compensated(element, graph.elements[element.trigger.activity], node, findings)
    if kind is TriggerKind.COMPENSATION and element.kind is Kind.BOUNDARY_EVENT and element.outgoing:
        message = "No flow leaves a compensation boundary event; an association leads to what compensates."
        findings.error("bpmn.compensation", message, node)
    if kind is TriggerKind.CANCEL:
        around = element.host if element.kind is Kind.BOUNDARY_EVENT else element.scope
        if around < 0 or not graph.elements[around].transaction:
            message = "A cancel event stands at the boundary of a transaction or ends something directly inside one."
            findings.error("bpmn.cancel", message, node)
        elif element.kind is Kind.END_EVENT and not _is_left_cancelled(graph, graph.elements[around]):
            # Without it the flow would go on as if all had gone well.
            message = "The transaction has no cancel boundary event, by which it is left when it is cancelled."
            findings.error("bpmn.cancel", message, node)


def _is_left_cancelled(graph: Graph, transaction: Element) -> bool:
    boundaries = [graph.elements[index] for index in transaction.boundaries]
    return any(trigger.kind is TriggerKind.CANCEL for boundary in boundaries for trigger in boundary.triggers)


def _check_compensated(event: Element, activity: Element, node: Node, findings: Findings) -> None:
    """BPMN 2.0.2, table 10.85: a throwing event names an activity for which something is there that compensates it."""
    if event.kind not in (Kind.END_EVENT, Kind.INTERMEDIATE_THROW_EVENT):
        message = "What catches compensation names no activity: it is that of its own activity."
        findings.error("bpmn.compensation", message, node)
    elif activity.kind not in ACTIVITIES or activity.for_compensation:
        findings.error("bpmn.compensation", f"{activity.id!r} is no activity that can be compensated.", node)
    elif activity.compensated_by < 0 and activity.kind not in (*SUB_PROCESSES, Kind.CALL_ACTIVITY):
        message = f"Nothing compensates {activity.id!r}: it has no compensation boundary event."
        findings.error("bpmn.compensation", message, node)


def _reachable(graph: Graph) -> set[int]:
    stack = [0]
    seen: set[int] = set()
    starts = frozenset(graph.elements[0].starts)
    while stack:
        index = stack.pop()
        if index in seen:
            continue
        seen.add(index)
        element = graph.elements[index]
        stack.extend(graph.flows[flow].target for flow in (*element.outgoing, element.default) if flow >= 0)
        stack.extend((*element.boundaries, *element.starts, *element.event_sub_processes))
        stack.extend(other for other in (element.link_target, element.compensated_by) if other >= 0)
        begins = index in starts or any(graph.flows[flow].target in starts for flow in element.outgoing)
        stack.extend(graph.flows[flow].source for flow in element.incoming if begins)
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
    behind = [graph.elements[graph.flows[flow].target] for flow in element.outgoing]
    by_message = [
        target for target in behind if any(trigger.kind is TriggerKind.MESSAGE for trigger in target.triggers)
    ]
    if len({target.kind for target in by_message}) > 1:
        message = "Behind an event-based gateway stand receive tasks or message events, not both."
        findings.error("bpmn.event_gateway_target", message, node)
    if element.needs_all_triggers and len(by_message) < len(behind):
        message = "A parallel event-based gateway waits for messages only."
        findings.error("bpmn.event_gateway_target", message, node)
    for flow in element.outgoing:
        target = graph.elements[graph.flows[flow].target]
        good = target.kind in _BEHIND_EVENT_GATEWAY and all(
            trigger.kind in _WAITS_BEHIND_EVENT_GATEWAY for trigger in target.triggers
        )
        if not good:
            findings.error(
                "bpmn.event_gateway_target",
                f"{target.id!r} cannot stand behind an event-based gateway; catching events and receive tasks can.",
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
    if work.approval is not None and work.approval.approvers is not None:
        return
    findings.error(
        "bpmn.nobody", "Nobody would get this task: give noria:assignee or candidates, or put it into a lane.", node
    )
