"""A BPMN file as it was read, what was found wrong with it, and how its elements are found."""

from __future__ import annotations

import msgspec

from noria.design.bpmn.names import BPMN, KINDS, UNSUPPORTED_NODES, bpmn
from noria.design.findings import Finding, Severity
from noria.design.xml import Document, Node

CONTAINERS = frozenset({"process", "subProcess", "transaction", "adHocSubProcess"})
FLOW_NODES = frozenset(KINDS) | UNSUPPORTED_NODES


class BpmnFile(msgspec.Struct):
    """A BPMN file as read.

    Attributes:
        file: name for findings.
        document: the whole tree, for writing back without loss.
        by_id: every element of the BPMN namespace that has an id.
    """

    file: str
    document: Document
    by_id: dict[str, Node]

    def processes(self) -> list[Node]:
        """The processes, in document order."""
        return list(self.document.root.elements(bpmn("process")))


class Findings:
    """Collects findings about one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.items: list[Finding] = []

    def add(self, severity: Severity, code: str, message: str, node: Node, **details: str) -> None:
        """One finding about one element."""
        self.items.append(Finding(severity, code, message, self.file, node.line, node.get("id"), details))

    def error(self, code: str, message: str, node: Node, **details: str) -> None:
        """A finding that refuses deployment."""
        self.add("error", code, message, node, **details)

    def warn(self, code: str, message: str, node: Node, **details: str) -> None:
        """A finding that does not."""
        self.add("warning", code, message, node, **details)


def local_id(reference: str) -> str:
    """The id of a reference that may carry a namespace prefix."""
    return reference.rpartition(":")[2]


def referred(read: BpmnFile, reference: str) -> Node | None:
    """The element that a reference names."""
    reference = reference.strip()
    return read.by_id.get(reference) or read.by_id.get(local_id(reference))


def executable_processes(read: BpmnFile) -> list[Node]:
    """The processes that say ``isExecutable``; the only one of a file counts as executable when it does not say."""
    processes = read.processes()
    executable = [node for node in processes if node.get("isExecutable") in ("true", "1")]
    if not executable and len(processes) == 1 and not processes[0].get("isExecutable"):
        return processes
    return executable


def event_definitions(read: BpmnFile, event: Node) -> list[Node]:
    """What an event is triggered by or throws: its own event definitions, then those that it shares."""
    own = [child for child in event.elements() if child.namespace == BPMN and child.local.endswith("EventDefinition")]
    shared = [referred(read, reference.text) for reference in event.elements(bpmn("eventDefinitionRef"))]
    # One that belongs to another event is refused, and so is what is not there.
    return own + [node for node in shared if node is not None and node.parent is read.document.root]


def child_text(node: Node, local: str) -> str:
    """Stripped text of a child element in the BPMN namespace, "" when there is none."""
    child = node.first(bpmn(local))
    return child.text.strip() if child is not None else ""


def flow_nodes(container: Node) -> list[Node]:
    """The flow nodes directly inside a process or sub-process."""
    return [node for node in container.elements() if node.namespace == BPMN and node.local in FLOW_NODES]


def sequence_flows(container: Node) -> list[Node]:
    """The sequence flows directly inside a process or sub-process."""
    return list(container.elements(bpmn("sequenceFlow")))


def is_event_sub_process(node: Node) -> bool:
    """Whether a sub-process is triggered by an event."""
    return node.get("triggeredByEvent") in ("true", "1")
