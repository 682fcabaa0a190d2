"""What vendors leave unsaid and Noria wants said: ids, executability, conditions, names of messages."""

from __future__ import annotations

import re

from noria.design.bpmn.names import BPMN, bpmn, noria
from noria.design.bpmn.source import FLOW_NODES
from noria.design.importing.juel import has_expression
from noria.design.importing.vendors import CAMUNDA, JUEL_VENDORS, OPERATON
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_NEEDS_ID = FLOW_NODES | {"sequenceFlow", "process", "lane"}
_NEEDS_MESSAGE = frozenset({"messageEventDefinition", "receiveTask"})
_NEEDS_SIGNAL = frozenset({"signalEventDefinition"})
_DI = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC = "http://www.omg.org/spec/DD/20100524/DC"
_SHAPE = f"{{{_DI}}}BPMNShape"
_REFERRED = {
    "errorRef": ("error", "errorCode"),
    "escalationRef": ("escalation", "escalationCode"),
    "messageRef": ("message", ""),
    "signalRef": ("signal", ""),
}
"""Reference → the element beside the processes that it names, and the attribute that holds a code."""


def give_ids(work: Work, node: Node) -> None:
    """Give an id to an element that has none; Noria names its findings and its history by it."""
    if node.local not in _NEEDS_ID or node.get("id"):
        return
    wish = node.local
    if node.local == "sequenceFlow":
        wish = f"flow_{node.get('sourceRef')}_{node.get('targetRef')}"
    attributes = node.attributes
    node.attributes = {"id": work.unique(wish), **attributes}
    work.say(node, "import.id", kind=node.local)


def is_run(node: Node) -> bool:
    """Whether an element is not part of a process that says it is only drawn."""
    around: Node | None = node
    while around is not None and around.local != "process":
        around = around.parent
    return around is None or around.get("isExecutable") not in ("false", "0")


def process(work: Work, node: Node) -> None:
    """Say that a process is executable when nothing is said: the vendors take it for so. What is run is private."""
    if not node.get("isExecutable"):
        node.attributes["isExecutable"] = "true"
        work.say(node, "import.executable")
    if is_run(node) and node.get("processType") == "Public":
        node.attributes["processType"] = "Private"
        work.say(node, "import.private")


def immediate(work: Work, node: Node) -> None:
    """Some tools write of every flow that steps may be left out behind it; of what is run that cannot be said."""
    if node.get("isImmediate") in ("false", "0"):
        del node.attributes["isImmediate"]
        work.say(node, "import.immediate")


def _leaving(node: Node) -> list[Node]:
    """The flows that leave an element."""
    around = node.parent
    flows = around.elements(bpmn("sequenceFlow")) if around is not None else ()
    return [flow for flow in flows if flow.get("sourceRef") == node.get("id")]


def dead_end(work: Work, node: Node) -> None:
    """A token ends at an event behind which nothing stands; BPMN wants an end event there."""
    if node.parent is None or work.is_one_of_several(node) or _leaving(node):
        return
    if any(node.first(bpmn(f"{kind}EventDefinition")) is not None for kind in ("compensate", "link")):
        return
    end = work.append(node.parent, work.new(node, "endEvent"))
    end.attributes = {"id": work.unique(f"end_{node.get('id')}")}
    _draw(work, node.get("id"), end.get("id"), connect(work, node, end))
    work.say(node, "import.dead_end", name=end.get("id"))


_BEFORE_LISTED = frozenset({"documentation", "extensionElements", "auditing", "monitoring", "categoryValueRef"})


def list_at_both_ends(work: Work) -> list[Node]:
    """Have both ends of a flow list it where only one does; gives the flows."""
    flows = [node for node in work.document.root.descendants() if node.tag == bpmn("sequenceFlow") and node.get("id")]
    ends = {(id(end.parent), end.get("id")): end for end in work.document.root.descendants() if end.local in FLOW_NODES}
    listing = {
        (id(end), listed, child.text.strip().rpartition(":")[2])
        for end in ends.values()
        for listed in ("incoming", "outgoing")
        for child in end.elements(bpmn(listed))
    }
    mended = []
    for flow in flows:
        places = [
            (ends.get((id(flow.parent), flow.get(role))), listed)
            for role, listed in (("sourceRef", "outgoing"), ("targetRef", "incoming"))
        ]
        silent = [
            (end, listed)
            for end, listed in places
            if end is not None and (id(end), listed, flow.get("id")) not in listing
        ]
        if len(silent) == 1 and all(end is not None for end, _ in places):
            end, listed = silent[0]
            before = _BEFORE_LISTED | {"incoming", listed}
            child = work.new(flow, listed)
            work.set_text(child, flow.get("id"))
            work.insert(end, child, sum(other.namespace == BPMN and other.local in before for other in end.elements()))
            mended.append(flow)
    return mended


def without_conditions(work: Work, node: Node) -> None:
    """The vendors do not look at conditions behind a parallel or event-based gateway; BPMN allows none there."""
    for flow in _leaving(node):
        condition = flow.first(bpmn("conditionExpression"))
        if condition is not None:
            work.remove(condition)
            work.say(flow, "import.never_looked_at")


def only_condition(work: Work, node: Node) -> None:
    """The only flow out of an activity or event may have a condition there; BPMN wants a gateway for that."""
    leaving = _leaving(node)
    if node.parent is None or len(leaving) != 1 or leaving[0].first(bpmn("conditionExpression")) is None:
        return
    _gateway_behind(work, node, "exclusiveGateway", leaving)
    node.attributes.pop("default", None)


def _gateway_behind(work: Work, node: Node, local: str, leaving: list[Node]) -> None:
    """Put a gateway between an element and the flows that leave it."""
    assert node.parent is not None  # noqa: S101 - what has flows is in a process
    gateway = work.append(node.parent, work.new(node, local))
    gateway.attributes = {"id": work.unique(f"split_{node.get('id')}")}
    for flow in leaving:
        flow.attributes["sourceRef"] = gateway.get("id")
    for listed in list(node.elements(bpmn("outgoing"))):
        work.remove(listed)
    _draw(work, node.get("id"), gateway.get("id"), connect(work, node, gateway))
    work.say(node, "import.conditions", name=gateway.get("id"))


def definitions(_work: Work, node: Node) -> None:
    """The file's expression language is FEEL from now on."""
    language = node.get("expressionLanguage")
    if language and "feel" not in language.lower():
        del node.attributes["expressionLanguage"]


def exclusive_gateway(work: Work, node: Node) -> None:
    """A flow without a condition is always taken by the vendors' exclusive gateway, in the order of the file."""
    outgoing = _leaving(node)
    if len(outgoing) < 2:
        return
    bare = [
        flow
        for flow in outgoing
        if flow.first(bpmn("conditionExpression")) is None and flow.get("id") != node.get("default")
    ]
    for flow in bare:
        if flow is outgoing[-1] and not node.get("default"):
            node.attributes["default"] = flow.get("id")
            work.say(flow, "import.default_flow")
        else:
            condition = work.append(flow, work.new(flow, "conditionExpression"))
            work.set_text(condition, "true")
            work.say(flow, "import.always")


def event_gateway(work: Work, node: Node) -> None:
    """An event-based gateway with one event behind it has nothing to choose."""
    if len(_leaving(node)) == 1:
        node.local = "exclusiveGateway"
        for name in ("eventGatewayType", "instantiate"):
            node.attributes.pop(name, None)
        work.say(node, "import.one_event")


def event_conditions(work: Work, node: Node) -> None:
    """The vendors look at conditions behind an event; BPMN wants a gateway for that."""
    leaving = _leaving(node)
    if any(flow.first(bpmn("conditionExpression")) for flow in leaving):
        _gateway_behind(work, node, "inclusiveGateway", leaving)


def connect(work: Work, source: Node, target: Node) -> str:
    """A new flow between two elements of one process or sub-process; gives its id."""
    if source.parent is None:
        raise ValueError("only what is in a process can be connected")
    flow = work.append(source.parent, work.new(source, "sequenceFlow"))
    flow.attributes = {
        "id": work.unique(f"flow_{source.get('id')}_{target.get('id')}"),
        "sourceRef": source.get("id"),
        "targetRef": target.get("id"),
    }
    return flow.get("id")


def _draw(work: Work, beside: str, added: str, flow: str) -> None:
    """Shape of what was put behind a drawn element, to the right of it, and the edge between them."""
    shape = next(
        (node for node in work.document.root.descendants() if node.tag == _SHAPE and node.get("bpmnElement") == beside),
        None,
    )
    bounds = shape.first(f"{{{_DC}}}Bounds") if shape is not None else None
    if shape is None or bounds is None or shape.parent is None:
        return
    try:
        left, top, width, height = (float(bounds.get(name)) for name in ("x", "y", "width", "height"))
    except ValueError:
        return
    middle, right = top + height / 2, left + width
    drawn = Node(_DI, "BPMNShape", shape.prefix, shape.line)
    drawn.attributes = {"id": work.unique(f"{added}_di"), "bpmnElement": added}
    box = Node(_DC, "Bounds", bounds.prefix, shape.line)
    box.attributes = {"x": f"{right + 15:g}", "y": f"{middle - 15:g}", "width": "30", "height": "30"}
    work.append(drawn, box)
    work.append(shape.parent, drawn)
    point = next((node for node in work.document.root.descendants() if node.local == "waypoint"), None)
    if point is None:
        return
    edge = Node(_DI, "BPMNEdge", shape.prefix, shape.line)
    edge.attributes = {"id": work.unique(f"{flow}_di"), "bpmnElement": flow}
    for x in (right, right + 15):
        waypoint = Node(point.namespace, "waypoint", point.prefix, shape.line)
        waypoint.attributes = {"x": f"{x:g}", "y": f"{middle:g}"}
        work.append(edge, waypoint)
    work.append(shape.parent, edge)


def references(work: Work, node: Node) -> None:
    """The vendors take a reference to nothing for the code or the name itself."""
    for attribute, (local, code) in _REFERRED.items():
        reference = node.get(attribute).strip()
        if not reference or work.declared(local, reference):
            continue
        name = reference
        if has_expression(reference) and not code:
            name = work.value(Found(node, f"bpmn:{attribute}", reference)) or reference
        key = work.add_root(local, re.sub(r"\W", "_", reference), name)
        if code:
            work.by_id(key).attributes[code] = reference
        node.attributes[attribute] = key
        work.say(node, "import.declared", name=reference, kind=local)


def any_code(work: Work, node: Node) -> None:
    """To Camunda what catches an error or escalation without a code catches each; in BPMN it means that element."""
    attribute = "errorRef" if node.local == "errorEventDefinition" else "escalationRef"
    local, code = _REFERRED[attribute]
    reference = node.get(attribute).rpartition(":")[2]
    catches = node.parent is not None and node.parent.local in ("startEvent", "boundaryEvent")
    if not catches or not work.vendors & {CAMUNDA, OPERATON} or not work.declared(local, reference):
        return
    if not work.by_id(reference).get(code):
        del node.attributes[attribute]
        work.say(node, "import.any_code", name=reference)


def event_sub_process_host(work: Work, node: Node) -> None:
    """Flowable attaches boundary events to an event sub-process, BPMN does not."""
    if node.get("triggeredByEvent") not in ("true", "1") or node.parent is None:
        return
    for event in node.parent.elements(bpmn("boundaryEvent")):
        if event.get("attachedToRef") == node.get("id"):
            work.say(event, "import.boundary_host")


def message(work: Work, node: Node) -> None:
    """A message or signal that is awaited or sent gets a name when none is given: the element's id."""
    kind = "message" if node.local in _NEEDS_MESSAGE else "signal" if node.local in _NEEDS_SIGNAL else ""
    event = node if node.local == "receiveTask" else node.parent
    if not kind or event is None or event.namespace != BPMN:
        return
    if event is not node and not event.local.endswith("Event"):
        return
    if node.get(f"{kind}Ref"):
        _correlated(work, event, node.get(f"{kind}Ref"))
        return
    name = event.get("id")
    node.attributes[f"{kind}Ref"] = work.add_root(kind, f"{kind}_{name}", name)
    # What a worker sends is no message of Noria's; only the drawing wants one.
    if not event.get(noria("topic")):
        work.say(event, f"import.named_{kind}", name=name)


def _correlated(work: Work, event: Node, reference: str) -> None:
    """Say by which key a message that is awaited is found; the vendors' programs name the instance themselves."""
    waits = event.local in ("receiveTask", "intermediateCatchEvent", "boundaryEvent") or (
        event.local == "startEvent" and event.parent is not None and event.parent.local != "process"
    )
    keyed = bool(event.get(noria("correlation")))
    if waits and not keyed and work.vendors & JUEL_VENDORS and work.declared("message", reference):
        message_name = work.by_id(reference.rpartition(":")[2]).get("name") or reference
        work.say(event, "import.correlated", name=message_name)
