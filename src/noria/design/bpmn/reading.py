"""Reading BPMN 2.0 XML, and checking what can be checked without compiling: words, ids, references, structure."""

from __future__ import annotations

from noria.design.bpmn.names import BPMN, bpmn
from noria.design.bpmn.references import check_references
from noria.design.bpmn.source import (
    CONTAINERS,
    BpmnFile,
    Findings,
    event_definitions,
    flow_nodes,
    is_event_sub_process,
    local_id,
    referred,
    sequence_flows,
)
from noria.design.bpmn.spelling import check_spelling
from noria.design.findings import Finding
from noria.design.xml import Node, XmlRefusedError, read_xml, write_xml


def read_bpmn(data: bytes, file: str) -> tuple[BpmnFile | None, list[Finding]]:
    """Read a BPMN 2.0 file.

    Args:
        data: the XML.
        file: name for findings.

    Returns:
        The file, None when it is no BPMN at all, and what was found wrong with words, ids, references and structure.
    """
    try:
        document = read_xml(data)
    except XmlRefusedError as error:
        return None, [Finding("error", error.code, error.message, file, error.line)]
    root = document.root
    findings = Findings(file)
    if root.tag != bpmn("definitions"):
        findings.error("bpmn.not_bpmn", f"The root element is {root.tag}, not BPMN 2.0 definitions.", root)
        return None, findings.items
    by_id: dict[str, Node] = {}
    for node in root.descendants():
        key = node.get("id")
        if key and node.namespace == BPMN:
            if key in by_id:
                findings.error("bpmn.duplicate_id", f"The id {key!r} is used in line {by_id[key].line} already.", node)
            else:
                by_id[key] = node
    read = BpmnFile(file, document, by_id)
    for node in root.descendants():
        if node.tag == bpmn("participantMultiplicity"):
            _check_multiplicity(node, findings)
    if not root.get("targetNamespace"):
        findings.error("bpmn.no_namespace", "The definitions have no targetNamespace.", root)
    for node in root.elements(bpmn("import")):
        if not (node.get("location") and node.get("namespace") and node.get("importType")):
            findings.error("bpmn.no_reference", "An import says importType, namespace and location.", node)
    check_spelling(read, findings)
    check_references(read, findings)
    _check_message_flows(read, findings)
    for process in read.processes():
        if process.get("isExecutable") in ("true", "1"):
            _check_executable(process, findings)
        _check_container(read, process, findings)
    return read, findings.items


def write_bpmn(read: BpmnFile) -> bytes:
    """The file as XML: diagrams, foreign extensions, comments and order kept."""
    return write_xml(read.document)


def _check_multiplicity(node: Node, findings: Findings) -> None:
    """BPMN 2.0.2, 9.3.1: so many participants there are at least, and at most."""
    try:
        least, most = int(node.get("minimum", "0")), int(node.get("maximum", "1"))
    except ValueError:
        least, most = -1, -1
    if not 0 <= least <= most or most < 1:
        message = "Of participants there are a minimum of 0 or more, and a maximum of 1 or more that is not less."
        findings.error("bpmn.value", message, node)


_SENDS = frozenset({"endEvent", "intermediateThrowEvent"})
_RECEIVES = frozenset({"startEvent", "intermediateCatchEvent", "boundaryEvent"})


def _check_message_flows(read: BpmnFile, findings: Findings) -> None:
    """A message goes from one pool to another, out of what sends and into what receives (BPMN 2.0.2, 7.6.2)."""
    process_of = {
        participant.get("id"): local_id(participant.get("processRef")) or participant.get("id")
        for collaboration in read.document.root.elements(bpmn("collaboration"))
        for participant in collaboration.elements(bpmn("participant"))
    }

    def pool(node: Node) -> str:
        around: Node | None = node
        while around is not None and around.local not in ("process", "participant"):
            around = around.parent
        key = "" if around is None else around.get("id")
        return process_of.get(key, key)

    for flow in read.document.root.descendants():
        if flow.tag != bpmn("messageFlow"):
            continue
        source, target = referred(read, flow.get("sourceRef")), referred(read, flow.get("targetRef"))
        if source is None or target is None:
            continue
        if pool(source) and pool(source) == pool(target):
            findings.error("bpmn.message_flow", "A message flow connects two pools; this one stays in one.", flow)
        for end, others, verb in ((source, _RECEIVES, "leaves"), (target, _SENDS, "leads to")):
            if end.local in others or end.local.endswith("Gateway"):
                findings.error("bpmn.message_flow", f"A message flow {verb} the {end.local} {end.get('id')!r}.", flow)
            elif end.local in _SENDS | _RECEIVES and not _has(read, end, "messageEventDefinition"):
                message = f"A message flow {verb} {end.get('id')!r}, which has no message event definition."
                findings.error("bpmn.message_flow", message, flow)


def _has(read: BpmnFile, event: Node, definition: str) -> bool:
    """Whether an event has such a definition, its own or a shared one."""
    return any(node.local == definition for node in event_definitions(read, event))


def _check_container(read: BpmnFile, container: Node, findings: Findings) -> None:
    nodes = flow_nodes(container)
    inside = {node.get("id"): node for node in nodes}
    incoming: dict[str, int] = dict.fromkeys(inside, 0)
    outgoing: dict[str, int] = dict.fromkeys(inside, 0)
    flows = {flow.get("id"): flow for flow in sequence_flows(container)}
    for flow in sequence_flows(container):
        if not flow.get("id"):
            findings.error("bpmn.no_id", "A sequence flow has no id.", flow)
        ends = []
        for role, counted in (("sourceRef", outgoing), ("targetRef", incoming)):
            reference = flow.get(role)
            if reference in inside:
                counted[reference] += 1
                ends.append(inside[reference])
            elif reference in read.by_id:
                findings.error(
                    "bpmn.flow_crosses", f"{role} {reference!r} is not in the same process or sub-process.", flow
                )
            else:
                findings.error("bpmn.unresolved", f"{role} names {reference!r}, which does not exist.", flow)
        _check_flow_ends(flow, ends, findings)
        _check_both_list(flow, ends, findings)
    for lane_set in container.elements(bpmn("laneSet")):
        _check_lanes(read, container, lane_set, findings)
    for node in nodes:
        key = node.get("id")
        if not key:
            findings.error("bpmn.no_id", f"A {node.local} has no id.", node)
        _check_default(node, flows, findings)
        _check_listed_flows(node, flows, findings)
        _check_degree(read, node, incoming.get(key, 0), outgoing.get(key, 0), findings)
        if outgoing.get(key, 0) == 1 and not node.local.endswith("Gateway"):
            _check_only_flow(node, flows, findings)
        if node.local == "boundaryEvent":
            _check_attachment(node, inside, findings)
        if node.local in CONTAINERS:
            _check_container(read, node, findings)


def _check_executable(process: Node, findings: Findings) -> None:
    """What contradicts that a process is run (BPMN 2.0.2, 10.2.1 and 8.4.13)."""
    if process.get("processType") == "Public":
        message = "This is a public view of a process, and yet executable: say Private, or leave processType out."
        findings.error("bpmn.public_process", message, process)
    for node in process.descendants():
        if node.tag == bpmn("sequenceFlow") and node.get("isImmediate") in ("false", "0"):
            message = "isImmediate=false: steps between these two may be left out. In what is run leave it out."
            findings.error("bpmn.not_immediate", message, node)


_CHOOSES_NOTHING = frozenset({"parallelGateway", "eventBasedGateway"})


def _check_lanes(read: BpmnFile, container: Node, lane_set: Node, findings: Findings) -> None:
    """BPMN 2.0.2, 10.8: lanes divide what is in their process; nothing is in two lanes that stand side by side."""
    lane_of: dict[str, Node] = {}
    for lane in lane_set.elements(bpmn("lane")):
        for reference in [node for node in lane.descendants() if node.tag == bpmn("flowNodeRef")]:
            node = referred(read, reference.text)
            around = node
            while around is not None and around is not container:
                around = around.parent
            if node is not None and around is None:
                message = f"{node.get('id')!r} is not in the process that the lane is of."
                findings.error("bpmn.lane", message, reference)
            elif node is not None and lane_of.setdefault(node.get("id"), lane) is not lane:
                findings.error("bpmn.lane", f"{node.get('id')!r} is in another lane beside this one, too.", reference)
        for inner in lane.elements(bpmn("childLaneSet")):
            _check_lanes(read, container, inner, findings)


def _check_flow_ends(flow: Node, ends: list[Node], findings: Findings) -> None:
    if len(ends) != 2:
        return
    source, target = ends
    if source.local == "endEvent":
        findings.error("bpmn.flow_from_end", f"A flow leaves the end event {source.get('id')!r}.", flow)
    if target.local in ("startEvent", "boundaryEvent"):
        findings.error("bpmn.flow_to_start", f"A flow leads to the {target.local} {target.get('id')!r}.", flow)
    for end in ends:
        if end.local == "subProcess" and is_event_sub_process(end):
            findings.error("bpmn.flow_event_sub_process", "An event sub-process has no sequence flows.", flow)
    conditional = flow.first(bpmn("conditionExpression")) is not None
    if conditional and (source.local in _CHOOSES_NOTHING or source.local.endswith("Event")):
        findings.error("bpmn.condition_not_allowed", f"A flow that leaves a {source.local} has no condition.", flow)


def _check_default(node: Node, flows: dict[str, Node], findings: Findings) -> None:
    default = node.get("default")
    if not default:
        return
    flow = flows.get(default)
    if node.local in _CHOOSES_NOTHING or node.local.endswith("Event"):
        findings.error("bpmn.default_flow", f"A {node.local} has no default flow: it chooses nothing.", node)
    elif flow is None or flow.get("sourceRef") != node.get("id"):
        findings.error("bpmn.default_flow", f"The default flow {default!r} does not leave this element.", node)


def _check_only_flow(node: Node, flows: dict[str, Node], findings: Findings) -> None:
    """BPMN 2.0.2, 8.4.13: beside a conditional flow out of an activity there is another one."""
    for flow in flows.values():
        if flow.get("sourceRef") == node.get("id") and flow.first(bpmn("conditionExpression")) is not None:
            message = "The only flow that leaves an activity has no condition: nothing would follow where it is false."
            findings.error("bpmn.condition_not_allowed", message, flow)


def _check_both_list(flow: Node, ends: list[Node], findings: Findings) -> None:
    """A flow that one of its ends lists is listed by the other, too."""
    if len(ends) != 2:
        return
    lists = [
        any(local_id(child.text.strip()) == flow.get("id") for child in end.elements(bpmn(listed)))
        for end, listed in zip(ends, ("outgoing", "incoming"), strict=True)
    ]
    if lists[0] != lists[1]:
        silent, other = ends if lists[1] else reversed(ends)
        message = f"{other.get('id')!r} lists the flow {flow.get('id')!r}, and this end of it does not."
        findings.error("bpmn.listed_flow", message, silent)


def _check_listed_flows(node: Node, flows: dict[str, Node], findings: Findings) -> None:
    """The flows that an element lists are its own. Many tools list none; the flows themselves are what counts."""
    for listed, role in (("incoming", "targetRef"), ("outgoing", "sourceRef")):
        for child in node.elements(bpmn(listed)):
            flow = flows.get(local_id(child.text.strip()))
            if flow is None or flow.get(role) != node.get("id"):
                findings.error(
                    "bpmn.listed_flow",
                    f"{child.text.strip()!r} is listed as {listed} but is no flow of that kind.",
                    node,
                )


def _check_degree(read: BpmnFile, node: Node, incoming: int, outgoing: int, findings: Findings) -> None:
    local = node.local
    if local.endswith("Gateway"):
        if incoming + outgoing == 0:
            findings.warn("bpmn.unconnected", "The gateway is not connected.", node)
        direction = node.get("gatewayDirection")
        if direction == "Converging" and (outgoing > 1 or incoming < 2):
            message = "A converging gateway has two or more incoming flows and not more than one outgoing."
            findings.error("bpmn.gateway_direction", message, node)
        if direction == "Diverging" and (incoming > 1 or outgoing < 2):
            message = "A diverging gateway has two or more outgoing flows and not more than one incoming."
            findings.error("bpmn.gateway_direction", message, node)
        if direction == "Mixed" and (incoming < 2 or outgoing < 2):
            message = "A mixed gateway has two or more incoming flows and two or more outgoing."
            findings.error("bpmn.gateway_direction", message, node)
        if local == "eventBasedGateway" and outgoing < 2:
            findings.error("bpmn.event_gateway", "An event-based gateway needs two or more events behind it.", node)
    elif local == "boundaryEvent":
        if incoming:
            findings.error("bpmn.flow_to_boundary", "No flow leads to a boundary event.", node)
        if not outgoing and not _has(read, node, "compensateEventDefinition"):
            findings.error("bpmn.dead_boundary", "No flow leaves the boundary event.", node)
    elif local in ("intermediateCatchEvent", "intermediateThrowEvent"):
        _check_intermediate(read, node, incoming, outgoing, findings)
    elif local == "startEvent" and not outgoing:
        findings.error("bpmn.dead_start", "Nothing follows the start event.", node)


def _check_intermediate(read: BpmnFile, node: Node, incoming: int, outgoing: int, findings: Findings) -> None:
    """BPMN 2.0.2, 10.5.4: flows lead to and from an intermediate event, but for a link, which has one of them."""
    link = _has(read, node, "linkEventDefinition")
    catches = node.local == "intermediateCatchEvent"
    if link and catches and incoming:
        findings.error("bpmn.link", "No flow leads to a catching link event; its throwing events do.", node)
    elif not incoming and not (link and catches):
        findings.error("bpmn.dead_event", "No flow leads to the intermediate event.", node)
    if link and not catches and outgoing:
        findings.error("bpmn.link", "No flow leaves a throwing link event; its catching event goes on.", node)
    elif not outgoing and (catches or not link):
        findings.error("bpmn.dead_event", "No flow leaves the intermediate event.", node)


def _check_attachment(node: Node, inside: dict[str, Node], findings: Findings) -> None:
    host = inside.get(node.get("attachedToRef"))
    if host is None:
        findings.error(
            "bpmn.unresolved", f"attachedToRef names {node.get('attachedToRef')!r}, which is not here.", node
        )
    elif host.local.endswith(("Event", "Gateway")) or (host.local == "subProcess" and is_event_sub_process(host)):
        findings.error("bpmn.boundary_host", f"A boundary event cannot be attached to a {host.local}.", node)
