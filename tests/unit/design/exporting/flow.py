"""What a model's control flow is: what a plain file must have in common with the one that it was made of."""

from __future__ import annotations

from noria.design.bpmn.names import BPMN, bpmn
from noria.design.bpmn.source import FLOW_NODES
from noria.design.xml import Node, read_xml

FLOW = (
    "id",
    "sourceRef",
    "targetRef",
    "default",
    "attachedToRef",
    "cancelActivity",
    "isInterrupting",
    "triggeredByEvent",
    "gatewayDirection",
    "isForCompensation",
)


def control_flow(content: bytes) -> list[tuple[object, ...]]:
    """Elements, flows and triggers in the order of the file: what they are, where, between what, on which condition."""
    found: list[tuple[object, ...]] = []
    for node in read_xml(content).root.descendants():
        if node.namespace != BPMN:
            continue
        if node.local in FLOW_NODES or node.local in ("sequenceFlow", "process", "lane"):
            around = node.parent.get("id") if node.parent is not None else ""
            found.append((node.local, around, *(node.get(name) for name in FLOW), _condition(node)))
        elif node.local.endswith("EventDefinition"):
            found.append((node.local, node.parent.get("id") if node.parent is not None else ""))
    return found


def _condition(node: Node) -> str:
    condition = node.first(bpmn("conditionExpression"))
    return condition.text if condition is not None else ""


def namespaces(content: bytes) -> set[str]:
    """Every namespace that something in a file is in. A declaration alone may name a type in a value."""
    found: set[str] = set()
    for node in read_xml(content).root.descendants():
        found.add(node.namespace)
        found |= {key[1:].partition("}")[0] for key in node.attributes if key.startswith("{")}
    return found - {""}
