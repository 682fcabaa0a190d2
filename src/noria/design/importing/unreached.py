"""Steps that nothing leads to: the vendors never run them; BPMN would begin them beside the start event."""

from __future__ import annotations

from noria.design.bpmn.names import BPMN, bpmn
from noria.design.bpmn.source import is_event_sub_process
from noria.design.importing.vendors import VENDORS
from noria.design.importing.working import Work
from noria.design.xml import Node

_STEPS = (
    *("task", "userTask", "serviceTask", "scriptTask", "sendTask", "receiveTask", "manualTask", "businessRuleTask"),
    *("callActivity", "subProcess", "transaction", "adHocSubProcess"),
    *("exclusiveGateway", "inclusiveGateway", "parallelGateway", "complexGateway", "eventBasedGateway"),
    *("endEvent", "intermediateThrowEvent", "intermediateCatchEvent"),
)
_REFERENCES = ("sourceRef", "targetRef", "attachedToRef", "bpmnElement")
_LISTS = ("incoming", "outgoing", "flowNodeRef")


def leave_out(work: Work, container: Node) -> None:
    """Take what nothing leads to out of a process or sub-process that has a start event, and what hangs on it.

    In a file without a vendor's word nobody knows what became of such a step: it stays, and is refused by name.
    """
    if not work.vendors or container.first(bpmn("startEvent")) is None:
        return
    while (lost := next((node for node in container.elements() if _is_lost(work, container, node)), None)) is not None:
        work.say(lost, "import.unreached", kind=lost.local)
        _take_out(work, lost)


def _is_lost(work: Work, container: Node, node: Node) -> bool:
    if node.namespace != BPMN or node.local not in _STEPS or any(map(work.is_one_of_several, node.descendants())):
        return False
    if is_event_sub_process(node) or node.get("isForCompensation") in ("true", "1"):
        return False
    if any(node.first(bpmn(name)) is not None for name in ("linkEventDefinition", "eventDefinitionRef")):
        # A link is led to by its name; what a shared definition is may be one.
        return False
    pointing = [*container.elements(bpmn("sequenceFlow")), *container.elements(bpmn("association"))]
    if any(pointer.get("targetRef") == node.get("id") for pointer in pointing):
        return False
    # A parallel join waits for the flow from there, for ever: nothing that may be left out.
    return not any(
        target.get("id") == flow.get("targetRef")
        for flow in container.elements(bpmn("sequenceFlow"))
        if flow.get("sourceRef") == node.get("id")
        for target in container.elements(bpmn("parallelGateway"))
    )


def _take_out(work: Work, lost: Node) -> None:
    """An element with all that refers to it: flows, boundary events, shapes, mentions in lanes."""
    gone: set[str] = set()
    leaving = [lost]
    while leaving:
        for node in leaving:
            gone |= {inside.get("id") for inside in node.descendants() if inside.get("id")}
            work.sweep(node, "import.no_meaning")
            node.detach()
        leaving = [node for node in work.document.root.descendants() if _refers(node, gone)]


def _refers(node: Node, gone: set[str]) -> bool:
    if node.namespace in VENDORS:
        # What a vendor says has rules of its own.
        return False
    if any(node.get(name) in gone for name in _REFERENCES if node.get(name)):
        return True
    return node.local in _LISTS and node.text.strip() in gone
