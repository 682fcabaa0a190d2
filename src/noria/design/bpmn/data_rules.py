"""What BPMN 2.0.2 demands of data: what is in which set, what an association may join, and whose types must agree.

Sections 10.4 (items and data), 8.4.3 (interfaces and operations) and 10.3 (activities) of the specification. Types are
compared only where both sides name one: many good models declare none.
"""

from __future__ import annotations

from collections.abc import Iterable

from noria.design.bpmn.names import bpmn
from noria.design.bpmn.source import BpmnFile, Findings, child_text, event_definitions, referred
from noria.design.xml import Node

_THROWING = frozenset({"endEvent", "intermediateThrowEvent"})
_PAYLOADS = {
    "messageEventDefinition": ("messageRef", "itemRef"),
    "signalEventDefinition": ("signalRef", "structureRef"),
    "errorEventDefinition": ("errorRef", "structureRef"),
    "escalationEventDefinition": ("escalationRef", "structureRef"),
}


def check_data(read: BpmnFile, findings: Findings) -> None:
    """Report what contradicts the specification about data."""
    rules = _DataRules(read, findings)
    for node in read.document.root.descendants():
        if node.namespace != read.document.root.namespace or node.parent is None:
            continue
        if node.local == "ioSpecification":
            rules.sets(node)
        elif node.local in ("dataObject", "dataInput", "dataOutput"):
            rules.collection(node)
        elif node.local in ("dataInputAssociation", "dataOutputAssociation"):
            rules.association(node)
        elif node.local == "multiInstanceLoopCharacteristics":
            rules.items(node)
            rules.loop_data(node)
        elif node.local in ("serviceTask", "sendTask", "receiveTask"):
            rules.operation(node)
        elif node.local == "messageEventDefinition":
            rules.event_operation(node)
        elif node.local == "callActivity":
            rules.call(node)
        elif node.first(bpmn("supportedInterfaceRef")) is not None:
            rules.bindings(node)
        if node.local.endswith("Event"):
            rules.sets(node)
            rules.payloads(node)


def _referred_by(node: Node, local: str) -> set[str]:
    return {child.text.strip() for child in node.elements(bpmn(local))}


def _around(node: Node) -> Iterable[Node]:
    """What an element is in, from the inside out."""
    around = node.parent
    while around is not None:
        yield around
        around = around.parent


def _within_reach(data: Node, owner: Node) -> bool:
    """10.4.1: data is reached from what it is declared in, and from everything inside that."""
    if data.local in ("dataStore", "inputDataItem", "outputDataItem"):
        return True
    holder = data.parent
    if holder is not None and holder.local == "ioSpecification":
        holder = holder.parent
    return holder is owner or any(around is holder for around in _around(owner))


def _is_of_process(data: Node) -> bool:
    """Whether an input or output is one of a whole process."""
    declared = data.parent
    around = declared.parent if declared is not None and declared.local == "ioSpecification" else None
    return around is not None and around.local == "process"


class _DataRules:
    def __init__(self, read: BpmnFile, findings: Findings) -> None:
        self.read = read
        self.findings = findings

    def named(self, reference: str) -> Node | None:
        return referred(self.read, reference) if reference.strip() else None

    def type_of(self, node: Node | None) -> Node | None:
        """The item definition of a data element, message, signal, error or escalation."""
        if node is None:
            return None
        if node.local == "dataObjectReference":
            return self.type_of(self.named(node.get("dataObjectRef")))
        if node.local == "dataStoreReference":
            return self.type_of(self.named(node.get("dataStoreRef")))
        for attribute in ("itemSubjectRef", "itemRef", "structureRef"):
            if node.get(attribute):
                found = self.named(node.get(attribute))
                return found if found is not None and found.local == "itemDefinition" else None
        return None

    def differ(self, one: Node | None, other: Node | None) -> bool:
        """Whether two item definitions are known to be unlike: neither the same nor of the same structure."""
        if one is None or other is None or one is other:
            return False
        structures = one.get("structureRef"), other.get("structureRef")
        return structures[0] != structures[1] or not structures[0]

    def collection(self, node: Node) -> None:
        """10.4.1: a data element is a collection if and only if its item definition is one."""
        item = self.type_of(node)
        if item is None or not node.get("isCollection"):
            return
        if (node.get("isCollection") in ("true", "1")) is not (item.get("isCollection") in ("true", "1")):
            self.findings.error("bpmn.data_type", "The data and its item definition disagree about isCollection.", node)

    def sets(self, node: Node) -> None:
        """10.4.2: there are sets of inputs and of outputs, each input and output is in one, and none in part only.

        Events have their inputs or outputs themselves, and need no set of them.
        """
        for kind in ("Input", "Output"):
            groups = list(node.elements(bpmn(f"{kind.lower()}Set")))
            if not groups and node.local == "ioSpecification":
                self.findings.error("bpmn.data_sets", f"There is no {kind.lower()}Set.", node)
            listed: set[str] = set()
            own = {item.get("id") for item in node.elements(bpmn(f"data{kind}"))}
            for group in groups:
                whole = _referred_by(group, f"data{kind}Refs")
                listed |= whole
                for reference in whole:
                    named = self.named(reference)
                    if named is not None and named.local == f"data{kind}" and named.get("id") not in own:
                        message = f"{reference!r} is no data{kind} of this element."
                        self.findings.error("bpmn.data_sets", message, group)
                for part in (f"optional{kind}Refs", f"whileExecuting{kind}Refs"):
                    if not _referred_by(group, part) <= whole:
                        message = f"What {part} names is among the set's data{kind}Refs, too."
                        self.findings.error("bpmn.data_sets", message, group)
            for item in node.elements(bpmn(f"data{kind}")):
                if groups and item.get("id") not in listed:
                    self.findings.error("bpmn.data_sets", f"The data{kind} is in no {kind.lower()}Set.", item)
        self.pairs_of_sets(node)

    def pairs_of_sets(self, node: Node) -> None:
        """10.4.2: which outputs a set of inputs brings about is said by both sets."""
        for ours, theirs in (("input", "output"), ("output", "input")):
            for group in node.elements(bpmn(f"{ours}Set")):
                for reference in _referred_by(group, f"{theirs}SetRefs"):
                    other = self.named(reference)
                    if other is None or other.local != f"{theirs}Set":
                        continue
                    if group.get("id") not in _referred_by(other, f"{ours}SetRefs"):
                        message = f"This set names {reference!r}, and that does not name this one."
                        self.findings.error("bpmn.data_sets", message, group)

    def association(self, node: Node) -> None:
        """10.4.1: from what holds data into what takes it; several sources need a transformation."""
        owner = node.parent
        sources = [self.named(source.text) for source in node.elements(bpmn("sourceRef"))]
        target = self.named(child_text(node, "targetRef"))
        incoming = node.local == "dataInputAssociation"
        if incoming and target is not None and target.local not in ("dataInput", "property"):
            message = "A data input association leads to a data input."
            self.findings.error("bpmn.data_association", message, node)
        elif incoming and any(end is not None and end.local == "dataOutput" for end in sources):
            message = "A data input association begins at what holds data, not at a data output."
            self.findings.error("bpmn.data_association", message, node)
        elif not incoming and target is not None and target.local == "dataInput":
            message = "A data output association leads to what holds data, not to a data input."
            self.findings.error("bpmn.data_association", message, node)
        elif not incoming and any(end is not None and end.local not in ("dataOutput", "property") for end in sources):
            self.findings.error("bpmn.data_association", "A data output association begins at a data output.", node)
        for end in (*sources, target):
            if end is not None and owner is not None and not _within_reach(end, owner):
                message = f"{end.get('id')!r} cannot be reached from here: it belongs to something else."
                self.findings.error("bpmn.data_association", message, node)
        if not incoming and any(end is not None and _is_of_process(end) for end in sources):
            message = "An output of the process is no source of a data association."
            self.findings.error("bpmn.data_association", message, node)
        inside = ("ioSpecification", owner.local if owner is not None else "")
        if incoming and target is not None and target.local == "dataInput" and owner is not None:
            around = target.parent
            held = around.parent if around is not None and around.local == "ioSpecification" else around
            if held is not owner and around is not None and around.local in inside:
                message = "A data input association leads to an input of its own element."
                self.findings.error("bpmn.data_association", message, node)
        computed = node.first(bpmn("transformation")) is not None
        if len(sources) > 1 and not computed:
            message = "Several sources need a transformation."
            self.findings.error("bpmn.data_association", message, node)
        copies = not computed and node.first(bpmn("assignment")) is None and len(sources) == 1
        if copies and self.differ(self.type_of(sources[0]), self.type_of(target)):
            self.findings.error("bpmn.data_type", "The two ends of the association are of different types.", node)

    def loop_data(self, node: Node) -> None:
        """10.3.8: what a loop goes through is a collection; of a task that declares its data, one of its inputs."""
        declared = node.parent.first(bpmn("ioSpecification")) if node.parent is not None else None
        for name, local in (("loopDataInputRef", "dataInput"), ("loopDataOutputRef", "dataOutput")):
            data = self.named(child_text(node, name))
            if data is None:
                continue
            if data.local in ("dataInput", "dataOutput") and (data.local != local or data.parent is not declared):
                message = f"{name} names {data.get('id')!r}, which is no {local} of this activity."
                self.findings.error("bpmn.loop", message, node)
            elif data.get("isCollection") in ("false", "0"):
                message = f"{name} names {data.get('id')!r}, which is no collection."
                self.findings.error("bpmn.loop", message, node)

    def items(self, node: Node) -> None:
        """10.3.8: the item of a collection is of the collection's type and is no collection itself."""
        for loop, item_name in (("loopDataInputRef", "inputDataItem"), ("loopDataOutputRef", "outputDataItem")):
            whole, item = self.type_of(self.named(child_text(node, loop))), node.first(bpmn(item_name))
            part = self.type_of(item)
            if whole is None or part is None or item is None:
                continue
            if whole.get("structureRef") != part.get("structureRef"):
                self.findings.error("bpmn.data_type", f"The {item_name} is not of the collection's type.", item)
            elif part.get("isCollection") in ("true", "1"):
                self.findings.error("bpmn.data_type", f"The {item_name} is a collection itself.", item)

    def operation(self, node: Node) -> None:
        """10.3.3: what a task hands to an operation, or gets by a message, is one item of the message's type."""
        operation = self.named(node.get("operationRef"))
        message_in = self.named(node.get("messageRef"))
        message_out = None
        if operation is not None and node.local == "serviceTask":
            message_in = self.named(child_text(operation, "inMessageRef"))
            message_out = self.named(child_text(operation, "outMessageRef"))
        elif operation is not None and message_in is not None:
            self.same_message(operation, message_in, node)
        specification = node.first(bpmn("ioSpecification"))
        if specification is None:
            if node.local == "serviceTask" and self.type_of(message_in) is not None:
                message = "A service task that calls an operation declares its data input."
                self.findings.error("bpmn.operation_data", message, node)
            return
        if node.local == "receiveTask":
            self._one(specification, "dataOutput", "outputSet", self.type_of(message_in), node)
        else:
            self._one(specification, "dataInput", "inputSet", self.type_of(message_in), node)
        if message_out is not None:
            self._one(specification, "dataOutput", "outputSet", self.type_of(message_out), node)

    def event_operation(self, node: Node) -> None:
        """10.5.5: the operation of a message event is one of its message."""
        operation, message = self.named(child_text(node, "operationRef")), self.named(node.get("messageRef"))
        if operation is not None and message is not None:
            self.same_message(operation, message, node)

    def same_message(self, operation: Node, sent: Node, node: Node) -> None:
        """Who names a message and an operation means a message of that operation."""
        carried = {self.named(child_text(operation, role)) is sent for role in ("inMessageRef", "outMessageRef")}
        if carried == {False}:
            message = f"{sent.get('id')!r} is no message of the operation {operation.get('id')!r}."
            self.findings.error("bpmn.operation_data", message, node)

    def _one(self, specification: Node, local: str, group: str, expected: Node | None, node: Node) -> None:
        if expected is None:
            return
        declared = list(specification.elements(bpmn(local)))
        if len(declared) != 1 or len(list(specification.elements(bpmn(group)))) != 1:
            message = f"One {local} and one {group} carry the message."
            self.findings.error("bpmn.operation_data", message, node)
        elif declared[0].get("itemSubjectRef") == "" or self.differ(self.type_of(declared[0]), expected):
            self.findings.error("bpmn.data_type", f"The {local} is not of the message's type.", node)

    def bindings(self, node: Node) -> None:
        """What offers an interface binds each of its operations to its own inputs and outputs."""
        bound = {binding.get("operationRef"): binding for binding in node.elements(bpmn("ioBinding"))}
        for reference in node.elements(bpmn("supportedInterfaceRef")):
            interface = self.named(reference.text)
            for operation in interface.elements(bpmn("operation")) if interface is not None else ():
                binding = bound.get(operation.get("id"))
                if binding is None:
                    name = operation.get("name") or operation.get("id")
                    message = f"No ioBinding says which data the operation {name!r} takes."
                    self.findings.error("bpmn.operation_data", message, node)
                    continue
                for attribute, role in (("inputDataRef", "inMessageRef"), ("outputDataRef", "outMessageRef")):
                    ours = self.type_of(self.named(binding.get(attribute)))
                    if self.differ(ours, self.type_of(self.named(child_text(operation, role)))):
                        message = f"The {attribute} is not of the type of the operation's message."
                        self.findings.error("bpmn.data_type", message, binding)

    def call(self, node: Node) -> None:
        """10.3.6: a call activity's inputs and outputs are those of what it calls."""
        called = self.named(node.get("calledElement"))
        ours, theirs = (one.first(bpmn("ioSpecification")) if one is not None else None for one in (node, called))
        if ours is None or theirs is None:
            return
        for local in ("dataInput", "dataOutput"):
            here, there = ([self.type_of(item) for item in one.elements(bpmn(local))] for one in (ours, theirs))
            if len(here) != len(there) or any(self.differ(*pair) for pair in zip(here, there, strict=True)):
                message = f"The call's {local}s are not those of what is called."
                self.findings.error("bpmn.data_type", message, node)

    def payloads(self, node: Node) -> None:
        """10.5.1: an event that declares data declares it for each of its definitions, in their order."""
        local = "dataInput" if node.local in _THROWING else "dataOutput"
        declared = [self.type_of(item) for item in node.elements(bpmn(local))]
        carried = list(self._carried(node))
        if not declared or not carried:
            return
        if len(declared) < len(carried):
            message = f"The event has fewer {local}s than definitions that carry data."
            self.findings.error("bpmn.event_data", message, node)
        elif any(self.differ(*pair) for pair in zip(declared, carried, strict=False)):
            message = f"A {local} is not of the type that its event definition carries."
            self.findings.error("bpmn.data_type", message, node)

    def _carried(self, node: Node) -> Iterable[Node]:
        for definition in event_definitions(self.read, node):
            if definition.local in _PAYLOADS:
                reference, _ = _PAYLOADS[definition.local]
                item = self.type_of(self.named(definition.get(reference)))
                if item is not None:
                    yield item
