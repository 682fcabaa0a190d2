"""Every reference of the BPMN 2.0 schema names an element that is there, and of the kind that belongs there.

Some are looked at where they take effect: the ends of sequence flows and what lists them, default flows, hosts of
boundary events, called elements, shared event definitions.
"""

from __future__ import annotations

from noria.design.bpmn.names import BPMN, bpmn
from noria.design.bpmn.source import FLOW_NODES, BpmnFile, Findings, referred
from noria.design.xml import Node

_CONVERSATIONS = frozenset({"conversation", "subConversation", "callConversation"})
_GROUPS: dict[str, frozenset[str]] = {
    "flow node": FLOW_NODES,
    "data element": frozenset(
        {
            *("dataObject", "dataObjectReference", "dataStore", "dataStoreReference", "property"),
            *("dataInput", "dataOutput", "inputDataItem", "outputDataItem"),
        }
    ),
    "collaboration": frozenset({"collaboration", "choreography", "globalConversation"}),
    "conversation": _CONVERSATIONS,
    "conversation or participant": _CONVERSATIONS | {"participant"},
    "sender or receiver": FLOW_NODES | _CONVERSATIONS | {"participant"},
    "set of inputs": frozenset({"inputSet", "dataInput"}),
    "set of outputs": frozenset({"outputSet", "dataOutput"}),
}
"""Kinds of elements by a name for all of them; any other name is that of one kind."""
_ANYTHING = ""
_ROLES = frozenset({"resourceRole", "performer", "humanPerformer", "potentialOwner"})

_ATTRIBUTES = {
    "messageRef": "message",
    "errorRef": "error",
    "escalationRef": "escalation",
    "signalRef": "signal",
    "operationRef": "operation",
    "dataObjectRef": "dataObject",
    "dataStoreRef": "dataStore",
    "processRef": "process",
    "parameterRef": "resourceParameter",
    "correlationPropertyRef": "correlationProperty",
    "correlationKeyRef": "correlationKey",
    "categoryValueRef": "categoryValue",
    "initiatingParticipantRef": "participant",
    "partitionElementRef": _ANYTHING,
    "definitionalCollaborationRef": "collaboration",
    "calledCollaborationRef": "collaboration",
    "inputDataRef": "set of inputs",
    "outputDataRef": "set of outputs",
    "itemSubjectRef": "itemDefinition",
    "itemRef": "itemDefinition",
    "evaluatesToTypeRef": "itemDefinition",
    "innerMessageFlowRef": "messageFlow",
    "outerMessageFlowRef": "messageFlow",
    "innerConversationNodeRef": "conversation",
    "outerConversationNodeRef": "conversation",
}
_CHILDREN = {
    "flowNodeRef": "flow node",
    "categoryValueRef": "categoryValue",
    "inMessageRef": "message",
    "outMessageRef": "message",
    "errorRef": "error",
    "operationRef": "operation",
    "resourceRef": "resource",
    "interfaceRef": "interface",
    "supportedInterfaceRef": "interface",
    "endPointRef": "endPoint",
    "supports": "process",
    "participantRef": "participant",
    "innerParticipantRef": "participant",
    "outerParticipantRef": "participant",
    "messageFlowRef": "messageFlow",
    "choreographyRef": "collaboration",
    "correlationPropertyRef": "correlationProperty",
    "dataInputRefs": "dataInput",
    "optionalInputRefs": "dataInput",
    "whileExecutingInputRefs": "dataInput",
    "dataOutputRefs": "dataOutput",
    "optionalOutputRefs": "dataOutput",
    "whileExecutingOutputRefs": "dataOutput",
    "inputSetRefs": "inputSet",
    "outputSetRefs": "outputSet",
    "loopDataInputRef": "data element",
    "loopDataOutputRef": "data element",
}
_OF_ELEMENTS = {
    "messageFlow": {"sourceRef": "sender or receiver", "targetRef": "sender or receiver"},
    "association": {"sourceRef": _ANYTHING, "targetRef": _ANYTHING},
    "conversationLink": {"sourceRef": "conversation or participant", "targetRef": "conversation or participant"},
    "signal": {"structureRef": "itemDefinition"},
    "error": {"structureRef": "itemDefinition"},
    "escalation": {"structureRef": "itemDefinition"},
    "dataInputAssociation": {"sourceRef": "data element", "targetRef": "data element"},
    "dataOutputAssociation": {"sourceRef": "data element", "targetRef": "data element"},
    "linkEventDefinition": {"source": "linkEventDefinition", "target": "linkEventDefinition"},
    "resourceParameter": {"type": "itemDefinition"},
}
"""By element, what its attributes and children name that stand for something else in others."""
_REQUIRED = {
    "messageFlow": ("sourceRef", "targetRef"),
    "association": ("sourceRef", "targetRef"),
    "dataObjectReference": ("dataObjectRef",),
    "correlationSubscription": ("correlationKeyRef",),
    "correlationPropertyRetrievalExpression": ("messageRef",),
    "correlationPropertyBinding": ("correlationPropertyRef",),
    "resourceParameterBinding": ("parameterRef",),
    "ioBinding": ("operationRef", "inputDataRef", "outputDataRef"),
    "conversationLink": ("sourceRef", "targetRef"),
    "messageFlowAssociation": ("innerMessageFlowRef", "outerMessageFlowRef"),
    "conversationAssociation": ("innerConversationNodeRef", "outerConversationNodeRef"),
}
_MAY_BE_NAMES = frozenset({"structureRef", "loopDataInputRef", "loopDataOutputRef"})
"""Tools write types and variables here that no element of the file declares."""
_MAY_BE_TYPES = frozenset({"itemSubjectRef", "itemRef", "evaluatesToTypeRef", "type"})
"""Here a type of another namespace, such as `xsd:string`, needs no item definition."""


def check_references(read: BpmnFile, findings: Findings) -> None:
    """Report references to what does not exist, or is of the wrong kind.

    Where a file imports others, a name with a prefix may be of one of them.
    """
    imports = any(read.document.root.elements(bpmn("import")))

    root = read.document.root
    foreign = {prefix for prefix, uri in root.declarations.items() if prefix and uri != root.get("targetNamespace")}

    def look(node: Node, name: str, reference: str, expected: str) -> None:
        reference = reference.strip()
        target = referred(read, reference)
        if target is None:
            prefix = reference.rpartition(":")[0]
            typed = name in _MAY_BE_TYPES and prefix and (prefix in foreign or prefix not in root.declarations)
            if not typed and name not in _MAY_BE_NAMES and not (imports and prefix):
                findings.error("bpmn.unresolved", f"{name} names {reference!r}, which does not exist.", node)
        elif expected and target.local not in _GROUPS.get(expected, (expected,)):
            message = f"{name} names a {target.local}, not a {expected}."
            findings.error("bpmn.wrong_reference", message, node)

    for node in read.document.root.descendants():
        if node.namespace != BPMN:
            continue
        own = _OF_ELEMENTS.get(node.local, {})
        for name, value in node.attributes.items():
            expected = own.get(name, _ATTRIBUTES.get(name))
            if expected is not None and value.strip():
                look(node, name, value, expected)
        for child in node.elements():
            expected = own.get(child.local, _CHILDREN.get(child.local)) if child.namespace == BPMN else None
            if expected is not None:
                look(node, child.local, child.text, expected)
        if node.local in _ROLES:
            _check_role(read, node, findings)
        elif node.local == "correlationSubscription":
            _check_subscription(read, node, findings)
        for name in _REQUIRED.get(node.local, ()):
            if not node.get(name).strip():
                findings.error("bpmn.no_reference", f"{name} is missing.", node)


def _check_role(read: BpmnFile, role: Node, findings: Findings) -> None:
    """BPMN 2.0.2, 10.2.1: a resource with values for its own parameters, or an expression that finds somebody."""

    def report(message: str) -> None:
        findings.error("bpmn.resource_role", message, role)

    resource = role.first(bpmn("resourceRef"))
    assignment = role.first(bpmn("resourceAssignmentExpression"))
    bindings = list(role.elements(bpmn("resourceParameterBinding")))
    if resource is not None and assignment is not None:
        report(f"A {role.local} names a resource or an assignment expression, not both.")
    if bindings and resource is None:
        report("Parameters are bound of a resource, and none is named: give resourceRef.")
    for holder in [*bindings, *([assignment] if assignment is not None else ())]:
        if all(holder.first(bpmn(name)) is None for name in ("formalExpression", "expression")):
            report(f"A {holder.local} has no expression, and needs one.")
    named = referred(read, resource.text) if resource is not None else None
    for binding in bindings if named is not None else ():
        parameter = referred(read, binding.get("parameterRef"))
        if parameter is not None and parameter.parent is not named:
            report(f"{binding.get('parameterRef')!r} is no parameter of the resource that is named.")


def _check_subscription(read: BpmnFile, subscription: Node, findings: Findings) -> None:
    """BPMN 2.0.2, 8.3.2: what a subscription binds are properties of its key."""
    key = referred(read, subscription.get("correlationKeyRef"))
    if key is None:
        return
    properties = {part.text.strip().rpartition(":")[2] for part in key.elements(bpmn("correlationPropertyRef"))}
    for binding in subscription.elements(bpmn("correlationPropertyBinding")):
        reference = binding.get("correlationPropertyRef")
        if reference and reference.rpartition(":")[2] not in properties:
            message = f"{reference!r} is no property of the key that is subscribed to."
            findings.error("bpmn.wrong_reference", message, binding)
