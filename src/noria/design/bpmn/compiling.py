"""From a file that was read to executable graphs. What has execution meaning and is not executed refuses deployment."""

from __future__ import annotations

from noria.design.bpmn.data_rules import check_data
from noria.design.bpmn.elements import ElementCompiler
from noria.design.bpmn.expressions import Expressions
from noria.design.bpmn.graph import Element, Flow, Graph, Kind, TriggerKind
from noria.design.bpmn.names import KINDS, UNSUPPORTED_NODES, bpmn, noria
from noria.design.bpmn.source import (
    CONTAINERS,
    BpmnFile,
    Findings,
    child_text,
    executable_processes,
    flow_nodes,
    is_event_sub_process,
    sequence_flows,
)
from noria.design.bpmn.structure import check_structure
from noria.design.findings import Finding
from noria.design.xml import Node

ELEMENTS_MAX = 5_000


def compile_bpmn(read: BpmnFile) -> tuple[tuple[Graph, ...], list[Finding]]:
    """Compile the executable processes of a file.

    Returns:
        One graph per executable process, and the findings. With an error among them the graphs must not be run.
    """
    findings = Findings(read.file)
    executable = executable_processes(read)
    check_data(read, findings)
    if not executable:
        findings.error("bpmn.not_executable", 'No process says isExecutable="true".', read.document.root)
    graphs = tuple(
        graph for node in executable if (graph := _ProcessCompiler(read, node, findings).compile()) is not None
    )
    return graphs, findings.items


class _ProcessCompiler:
    def __init__(self, read: BpmnFile, process: Node, findings: Findings) -> None:
        self.read = read
        self.process = process
        self.findings = findings
        self.expressions = Expressions(findings, read.document.root.get("expressionLanguage"))
        self.nodes: list[Node] = [process]
        self.scopes: list[int] = [-1]
        self.element_of: dict[str, int] = {}
        self.flow_nodes: list[Node] = []
        self.lanes: dict[str, tuple[str, ...]] = {}

    def compile(self) -> Graph | None:
        """The graph; None when it is too large or has no id."""
        process = self.process
        if not process.get("id"):
            self.findings.error("bpmn.no_id", "The process has no id.", process)
            return None
        self.element_of[process.get("id")] = 0
        self._collect(process, 0)
        if len(self.nodes) > ELEMENTS_MAX:
            self.findings.error("bpmn.too_large", f"The process has more than {ELEMENTS_MAX} elements.", process)
            return None
        self._collect_lanes(process, ())
        flows = self._flows()
        compiler = ElementCompiler(self.read, process, self.findings, self.expressions, self.lanes, self.element_of)
        root = Element(index=0, id=process.get("id"), name=process.get("name"), kind=Kind.PROCESS, line=process.line)
        root.scope = -1
        root.documentation = child_text(process, "documentation")
        elements = [root]
        for index, node in enumerate(self.nodes[1:], start=1):
            elements.append(compiler.element(index, node, self.scopes[index], self._kind(node)))
        self._connect(elements, flows)
        self._separations(elements)
        graph = Graph(
            process.get("id"), process.get("name") or process.get("id"), tuple(elements), flows, self.element_of
        )
        self._process_attributes(graph)
        check_structure(graph, self.nodes, self.findings)
        return graph

    @staticmethod
    def _kind(node: Node) -> Kind:
        if node.local == "subProcess" and is_event_sub_process(node):
            return Kind.EVENT_SUB_PROCESS
        return KINDS[node.local]

    def _collect(self, container: Node, scope: int) -> None:
        self.flow_nodes.extend(sequence_flows(container))
        for node in flow_nodes(container):
            if node.local in UNSUPPORTED_NODES:
                self._unsupported(node, f"a {node.local}")
                continue
            index = len(self.nodes)
            self.nodes.append(node)
            self.scopes.append(scope)
            self.element_of[node.get("id")] = index
            if node.local in CONTAINERS:
                self._collect(node, index)

    def _unsupported(self, node: Node, what: str) -> None:
        self.findings.error(
            "bpmn.unsupported", f"{what[0].upper()}{what[1:]} is not executed by this version.", node, what=what
        )

    def _collect_lanes(self, container: Node, around: tuple[str, ...]) -> None:
        for lane_set in [*container.elements(bpmn("laneSet")), *container.elements(bpmn("childLaneSet"))]:
            for lane in lane_set.elements(bpmn("lane")):
                key = lane.get(noria("group")) or lane.get("name")
                groups = (key, *around) if key else around
                for reference in lane.elements(bpmn("flowNodeRef")):
                    known = self.lanes.get(reference.text.strip(), ())
                    # The innermost lane has the longest way out.
                    if len(groups) > len(known):
                        self.lanes[reference.text.strip()] = groups
                self._collect_lanes(lane, groups)

    def _flows(self) -> tuple[Flow, ...]:
        flows: list[Flow] = []
        for node in self.flow_nodes:
            source, target = self.element_of.get(node.get("sourceRef")), self.element_of.get(node.get("targetRef"))
            if source is None or target is None:
                continue  # reported while reading, or the end is an unsupported element
            condition = node.first(bpmn("conditionExpression"))
            expression = None
            if condition is not None and condition.text.strip():
                expression = self.expressions.condition(condition.text, condition, condition.get("language"))
            flows.append(Flow(len(flows), node.get("id"), node.get("name"), source, target, expression))
        return tuple(flows)

    def _connect(self, elements: list[Element], flows: tuple[Flow, ...]) -> None:
        default_ids = {
            self.element_of[node.get("id")]: node.get("default") for node in self.nodes if node.get("default")
        }
        for flow in flows:
            source = elements[flow.source]
            if default_ids.get(source.index) == flow.id:
                source.default = flow.index
            else:
                source.outgoing += (flow.index,)
            elements[flow.target].incoming += (flow.index,)
        for element in elements[1:]:
            node = self.nodes[element.index]
            if element.kind is Kind.BOUNDARY_EVENT:
                element.host = self.element_of.get(node.get("attachedToRef"), -1)
                if element.host >= 0:
                    elements[element.host].boundaries += (element.index,)
            elif element.kind is Kind.EVENT_SUB_PROCESS:
                elements[element.scope].event_sub_processes += (element.index,)
            elif element.kind is Kind.START_EVENT:
                elements[element.scope].starts += (element.index,)
                element.instantiates = element.scope == 0
        self._implicit_starts(elements)
        self._instantiating(elements, flows)
        self._links(elements)
        self._compensations(elements)

    @staticmethod
    def _implicit_starts(elements: list[Element]) -> None:
        """BPMN 2.0.2, 10.5.2: without a start event, what has no incoming flow starts."""
        for host in elements:
            if host.kind in (Kind.PROCESS, Kind.SUB_PROCESS, Kind.AD_HOC_SUB_PROCESS) and not host.starts:
                host.starts = tuple(
                    element.index
                    for element in elements[1:]
                    if element.scope == host.index
                    and not element.incoming
                    and element.kind not in (Kind.BOUNDARY_EVENT, Kind.EVENT_SUB_PROCESS)
                    and not element.for_compensation
                    and not (
                        element.kind is Kind.INTERMEDIATE_CATCH_EVENT
                        and element.trigger
                        and element.trigger.kind is TriggerKind.LINK
                    )
                )

    def _instantiating(self, elements: list[Element], flows: tuple[Flow, ...]) -> None:
        """BPMN 2.0.2, 10.6.6 and 13.2: a receive task or event-based gateway with instantiate begins an instance, too.

        A gateway may stand behind a start event without a trigger, which then starts nothing by itself.
        """
        root = elements[0]
        for element in elements[1:]:
            if self.nodes[element.index].get("instantiate") not in ("true", "1"):
                continue
            before = [elements[flows[flow].source] for flow in element.incoming]
            gateway = element.kind is Kind.EVENT_BASED_GATEWAY
            if element.scope or not all(gateway and _starts_only(source) for source in before):
                message = (
                    "What begins an instance stands in the process itself, and no flow leads to it but, to a gateway, "
                    "from a start event without a trigger."
                )
                self.findings.error("bpmn.instantiate", message, self.nodes[element.index])
                continue
            begun = tuple(flows[flow].target for flow in element.outgoing) if gateway else (element.index,)
            for source in before:
                source.instantiates = False
            for index in begun:
                elements[index].instantiates = True
            replaced = {element.index, *begun, *(source.index for source in before)}
            root.starts = tuple(index for index in root.starts if index not in replaced) + begun

    def _compensations(self, elements: list[Element]) -> None:
        """Who compensates whom: by the association of a boundary event, or by an event sub-process inside."""
        joined: dict[str, list[str]] = {}
        for node in self.read.document.root.descendants():
            if node.tag == bpmn("association"):
                joined.setdefault(node.get("sourceRef"), []).append(node.get("targetRef"))
                joined.setdefault(node.get("targetRef"), []).append(node.get("sourceRef"))
        for element in elements[1:]:
            if element.trigger is None or element.trigger.kind is not TriggerKind.COMPENSATION:
                continue
            node = self.nodes[element.index]
            if element.kind is Kind.BOUNDARY_EVENT and element.host >= 0:
                handlers = [
                    index
                    for other in joined.get(element.id, ())
                    if (index := self.element_of.get(other)) is not None and elements[index].for_compensation
                ]
                if len(handlers) != 1:
                    message = "A compensation boundary event is associated with one activity that is for compensation."
                    self.findings.error("bpmn.compensation", message, node)
                else:
                    elements[element.host].compensated_by = handlers[0]
            elif element.kind is Kind.START_EVENT:
                inside = elements[elements[element.scope].scope]
                if inside.compensated_by < 0:
                    inside.compensated_by = element.scope
                else:
                    message = "Something else compensates what is around this event sub-process already."
                    self.findings.error("bpmn.compensation", message, node)

    def _separations(self, elements: list[Element]) -> None:
        """Whose doers may not do which user tasks (four eyes)."""
        doable = (Kind.USER_TASK, Kind.START_EVENT)
        for element in elements[1:]:
            node = self.nodes[element.index]
            named = _listed(node.get(noria("separateFrom"))) if element.kind is Kind.USER_TASK else ()
            found = [self.element_of.get(name, 0) for name in named]
            wrong = [name for name, index in zip(named, found, strict=True) if elements[index].kind not in doable]
            if wrong:
                message = f"separateFrom names user tasks and start events, not {', '.join(map(repr, wrong))}."
                self.findings.error("bpmn.separate_from", message, node, names=", ".join(wrong))
            else:
                element.separate_from = tuple(dict.fromkeys(found))

    def _links(self, elements: list[Element]) -> None:
        targets: dict[tuple[int, str], int] = {}
        for element in elements:
            if (
                element.kind is Kind.INTERMEDIATE_CATCH_EVENT
                and element.trigger
                and element.trigger.kind is TriggerKind.LINK
            ):
                key = (element.scope, element.trigger.name)
                if key in targets:
                    message = f"There is another catching link event named {element.trigger.name!r} here."
                    self.findings.error("bpmn.link", message, self.nodes[element.index])
                targets[key] = element.index
        thrown: set[int] = set()
        for element in elements:
            if (
                element.kind is Kind.INTERMEDIATE_THROW_EVENT
                and element.trigger
                and element.trigger.kind is TriggerKind.LINK
            ):
                element.link_target = targets.get((element.scope, element.trigger.name), -1)
                if element.link_target < 0:
                    name = element.trigger.name
                    self.findings.error(
                        "bpmn.link", f"No catching link event is named {name!r} here.", self.nodes[element.index]
                    )
                thrown.add(element.link_target)
        for (_, name), index in targets.items():
            if index not in thrown:
                message = f"No throwing link event is named {name!r} here: nothing ever leads to this one."
                self.findings.error("bpmn.link", message, self.nodes[index])

    def _process_attributes(self, graph: Graph) -> None:
        process = self.process
        graph.serial = process.get(noria("serial"))
        if graph.serial:
            try:
                graph.serial.format(year=2026, number=1)
            except (KeyError, ValueError, IndexError, AttributeError):
                message = "The serial pattern may hold {year} and {number:06d} only."
                self.findings.error("bpmn.serial", message, process)
        graph.title = self.expressions.optional(process, "title")
        amount = process.get(noria("amount"))
        graph.amount = self.expressions.feel(amount, process) if amount.strip() else None
        graph.summary = _listed(process.get(noria("summary")))
        graph.starter_groups = _listed(process.get(noria("starterGroups")))
        graph.withdrawable = process.get(noria("withdrawable")) or "before_first_decision"
        if graph.withdrawable not in ("before_first_decision", "always", "never"):
            self.findings.error("bpmn.withdrawable", "withdrawable is before_first_decision, always or never.", process)
        for index in graph.elements[0].starts:
            if graph.elements[index].kind is Kind.START_EVENT:
                graph.start_form = graph.start_form or self.nodes[index].get(noria("form"))


def _starts_only(element: Element) -> bool:
    """Whether an element is a start event without a trigger, with one flow that leaves it."""
    plain = element.trigger is None or element.trigger.kind is TriggerKind.NONE
    return element.kind is Kind.START_EVENT and plain and len(element.outgoing) == 1


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
