"""Compiling one flow node: what it asks of people and workers, its trigger, its mappings."""

from __future__ import annotations

from noria.design.bpmn.expressions import Expressions
from noria.design.bpmn.graph import (
    Call,
    Element,
    HumanWork,
    JobWork,
    Kind,
    Mapping,
    TimerKind,
    Trigger,
    TriggerKind,
)
from noria.design.bpmn.names import (
    ALLOWED,
    ATTRIBUTES,
    BPMN,
    NORIA,
    TRIGGERS,
    UNSUPPORTED_TRIGGERS,
    XSI_TYPE,
    bpmn,
    noria,
)
from noria.design.bpmn.reading import BpmnFile, Findings, child_text, is_event_sub_process, referred
from noria.design.feel import Expression, literal_expression
from noria.design.xml import Node
from noria.kernel.instants import DAY_MS

_TIMERS = {"timeDate": TimerKind.DATE, "timeDuration": TimerKind.DURATION, "timeCycle": TimerKind.CYCLE}
_MARKERS = ("standardLoopCharacteristics", "multiInstanceLoopCharacteristics")
_EVENTS = (
    Kind.START_EVENT,
    Kind.END_EVENT,
    Kind.INTERMEDIATE_CATCH_EVENT,
    Kind.INTERMEDIATE_THROW_EVENT,
    Kind.BOUNDARY_EVENT,
)


class ElementCompiler:
    """Compiles the flow nodes of one process."""

    def __init__(
        self, read: BpmnFile, findings: Findings, expressions: Expressions, lanes: dict[str, tuple[str, ...]]
    ) -> None:
        self.read = read
        self.findings = findings
        self.expressions = expressions
        self.lanes = lanes

    def element(self, index: int, node: Node, scope: int, kind: Kind) -> Element:
        """The element, not yet connected."""
        self._report_unsupported(node)
        self._report_foreign(node)
        inputs, outputs = self._mappings(node)
        element = Element(
            index=index,
            id=node.get("id"),
            name=node.get("name"),
            kind=kind,
            line=node.line,
            scope=scope,
            inputs=inputs,
            outputs=outputs,
            documentation=child_text(node, "documentation"),
            result_variable=node.get(noria("resultVariable")),
        )
        if kind in _EVENTS:
            element.trigger = self._trigger(node)
            element.interrupting = node.get("cancelActivity", "true") != "false" and (
                node.get("isInterrupting", "true") != "false"
            )
            self._check_position(node, element)
        self._work(node, element)
        return element

    def _work(self, node: Node, element: Element) -> None:
        kind = element.kind
        if kind is Kind.USER_TASK:
            element.human = self._human(node)
        elif kind is Kind.SERVICE_TASK:
            element.job = self._job(node)
            if element.job is None:
                self.findings.error("bpmn.no_topic", "Nobody would do this work: give noria:topic.", node)
        elif kind in (Kind.SEND_TASK, Kind.RECEIVE_TASK):
            element.job = self._job(node) if kind is Kind.SEND_TASK else None
            if element.job is None:
                element.trigger = self._message(node, node)
        elif kind in (Kind.INTERMEDIATE_THROW_EVENT, Kind.END_EVENT):
            element.job = self._job(node)
        elif kind is Kind.SCRIPT_TASK:
            element.script = self._script(node)
        elif kind is Kind.BUSINESS_RULE_TASK:
            element.decision = node.get(noria("decision"))
            if not element.decision:
                self.findings.error("bpmn.no_decision", "No decision is named: give noria:decision.", node)
        elif kind is Kind.CALL_ACTIVITY:
            element.call = self._call(node)

    # What is refused, and what is only pointed out

    def _unsupported(self, node: Node, what: str) -> None:
        self.findings.error(
            "bpmn.unsupported", f"{what[0].upper()}{what[1:]} is not executed by this version.", node, what=what
        )

    def _report_unsupported(self, node: Node) -> None:
        for marker in _MARKERS:
            if node.first(bpmn(marker)) is not None:
                self._unsupported(node, f"a {marker}")
        if node.get("isForCompensation") in ("true", "1"):
            self._unsupported(node, "a compensation activity")
        for attribute in ("startQuantity", "completionQuantity"):
            if node.get(attribute, "1") not in ("1", ""):
                self._unsupported(node, f"a {attribute} other than 1")
        if node.get("instantiate") in ("true", "1"):
            self._unsupported(node, f"an instantiating {node.local}")
        if node.get("parallelMultiple") in ("true", "1"):
            self._unsupported(node, "a parallel multiple event")
        for child in node.elements():
            computes = child.first(bpmn("assignment")) is not None or child.first(bpmn("transformation")) is not None
            if child.tag in (bpmn("dataInputAssociation"), bpmn("dataOutputAssociation")) and computes:
                self._unsupported(child, "a data association with assignment or transformation")

    def _report_foreign(self, node: Node) -> None:
        known = ATTRIBUTES.get(node.local, ())
        for key in node.attributes:
            if not key.startswith("{") or key == XSI_TYPE:
                continue
            uri, _, name = key[1:].partition("}")
            if uri == NORIA and name not in known:
                message = f"A {node.local} has no attribute noria:{name}."
                self.findings.error("bpmn.unknown_attribute", message, node, attribute=name)
            elif uri not in (NORIA, BPMN):
                message = f"The attribute {name} of {uri} is kept but has no effect."
                self.findings.warn("bpmn.foreign_extension", message, node, namespace=uri, attribute=name)

    # People, workers, calls, scripts

    def _human(self, node: Node) -> HumanWork:
        read = self.expressions
        due_in = read.optional(node, "dueIn")
        read.check_constant_duration(due_in, node)
        shares: tuple[float, ...] = (0.8, 1.0) if due_in is not None else ()
        written = node.get(noria("remindAt"))
        if written:
            try:
                shares = tuple(sorted(float(part) for part in written.split(",")))
            except ValueError:
                shares = ()
            if not shares or not all(0 < share <= 1 for share in shares):
                self.findings.error("bpmn.remind_at", "remindAt lists shares of the limit such as 0.8,1.0.", node)
        if node.first(bpmn("humanPerformer")) is not None or node.first(bpmn("potentialOwner")) is not None:
            self.findings.warn(
                "bpmn.resource_role", "Resource roles are kept but have no effect; give noria:assignee.", node
            )
        return HumanWork(
            assignee=read.optional(node, "assignee"),
            candidate_groups=read.names(node, "candidateGroups"),
            candidate_users=read.names(node, "candidateUsers"),
            lane_groups=self.lanes.get(node.get("id"), ()),
            form=node.get(noria("form")),
            due_in=due_in,
            calendar=node.get(noria("calendar")),
            remind_shares=shares,
            priority=read.optional(node, "priority"),
            completed_by_start=node.get(noria("completedByStart")) == "true",
        )

    def _job(self, node: Node) -> JobWork | None:
        topic = self.expressions.optional(node, "topic")
        if topic is None:
            return None
        retries = node.get(noria("retries"), "3")
        if not retries.isdecimal() or not 1 <= int(retries) <= 100:
            self.findings.error("bpmn.retries", f"retries is a number from 1 to 100, not {retries!r}.", node)
            retries = "3"
        waits = []
        for part in node.get(noria("retryWait"), "PT10S,PT1M,PT5M").split(","):
            duration = self.expressions.duration(part, node)
            if duration is not None:
                waits.append(duration.days * DAY_MS + duration.milliseconds)
        headers = {
            header.get("name"): header.get("value")
            for header in self._extensions(node)
            if header.tag == noria("header")
        }
        return JobWork(topic, int(retries), tuple(waits), headers)

    def _call(self, node: Node) -> Call:
        called = node.get("calledElement")
        if not called:
            self.findings.error("bpmn.no_called_element", "No process is called: give calledElement.", node)
        binding = node.get(noria("binding"), "latest")
        if binding not in ("latest", "deployment"):
            self.findings.error("bpmn.binding", f"binding is latest or deployment, not {binding!r}.", node)
        process = self.expressions.value(called, node) if called.startswith("=") else literal_expression(called)
        return Call(
            process,
            binding,
            node.get(noria("propagateIn"), "true") != "false",
            node.get(noria("propagateOut"), "true") != "false",
        )

    def _script(self, node: Node) -> Expression | None:
        script = child_text(node, "script")
        if not script:
            self.findings.error("bpmn.no_script", "The script task has no script.", node)
            return None
        language = node.get("scriptFormat") or "unspecified"
        return self.expressions.feel(script, node, language)

    def _extensions(self, node: Node) -> list[Node]:
        holder = node.first(bpmn("extensionElements"))
        return list(holder.elements()) if holder is not None else []

    def _mappings(self, node: Node) -> tuple[tuple[Mapping, ...], tuple[Mapping, ...]]:
        found: dict[str, list[Mapping]] = {noria("input"): [], noria("output"): []}
        for child in self._extensions(node):
            if child.tag not in found:
                continue
            target = child.get("target").strip()
            if not target:
                self.findings.error("bpmn.mapping", f"The {child.local} mapping has no target variable.", node)
                continue
            found[child.tag].append(Mapping(self.expressions.value(child.get("source"), child), target))
        return tuple(found[noria("input")]), tuple(found[noria("output")])

    # Triggers

    def _trigger(self, node: Node) -> Trigger | None:
        definitions = [
            child for child in node.elements() if child.namespace == BPMN and child.local.endswith("EventDefinition")
        ]
        for reference in node.elements(bpmn("eventDefinitionRef")):
            target = referred(self.read, reference.text)
            if target is None:
                self.findings.error("bpmn.unresolved", f"{reference.text!r} does not exist.", node)
            elif target.parent is not self.read.document.root:
                message = (
                    f"{reference.text.strip()!r} belongs to another event; a shared one stands beside the process."
                )
                self.findings.error("bpmn.wrong_reference", message, node)
            else:
                definitions.append(target)
        if not definitions:
            return None
        if len(definitions) > 1:
            self._unsupported(node, "an event with several event definitions")
            return None
        definition = definitions[0]
        if definition.local in UNSUPPORTED_TRIGGERS:
            self._unsupported(node, f"a {definition.local}")
            return None
        kind = TRIGGERS.get(definition.local)
        if kind is None:
            self.findings.error("bpmn.unknown_trigger", f"There is no event definition {definition.local}.", node)
            return None
        if kind is TriggerKind.MESSAGE:
            return self._message(node, definition)
        if kind is TriggerKind.TIMER:
            return self._timer(node, definition)
        return self._named(node, definition, kind)

    def _check_position(self, node: Node, element: Element) -> None:
        position = node.local
        parent = node.parent
        if position == "startEvent" and parent is not None and parent.local == "subProcess":
            position = "event sub-process startEvent" if is_event_sub_process(parent) else "sub-process startEvent"
        kind = element.trigger.kind if element.trigger is not None else TriggerKind.NONE
        refused = any(item.element == element.id and item.code == "bpmn.unsupported" for item in self.findings.items)
        if kind not in ALLOWED[position] and not refused:
            named = "no event definition" if kind is TriggerKind.NONE else f"a {kind.name.lower()} event definition"
            self.findings.error("bpmn.trigger_position", f"A {position} with {named} is not allowed.", node)
        if kind is TriggerKind.ERROR and not element.interrupting:
            self.findings.error("bpmn.error_interrupts", "An error always interrupts.", node)

    def _message(self, node: Node, holder: Node) -> Trigger | None:
        message = referred(self.read, holder.get("messageRef")) if holder.get("messageRef") else None
        if message is None:
            if not holder.get("messageRef"):
                self.findings.error("bpmn.no_message", "No message is named: give messageRef.", node)
            return None
        name = message.get("name") or message.get("id")
        text = node.get(noria("correlation")) or message.get(noria("correlation"))
        correlation = self.expressions.value(text, node) if text else None
        trigger = Trigger(TriggerKind.MESSAGE, name, correlation=correlation)
        if name.startswith("="):
            trigger.name_expression = self.expressions.feel(name, message)
        return trigger

    def _named(self, node: Node, definition: Node, kind: TriggerKind) -> Trigger:
        if kind is TriggerKind.TERMINATE:
            return Trigger(kind)
        if kind is TriggerKind.LINK:
            name = definition.get("name")
            if not name:
                self.findings.error("bpmn.link", "The link event has no name.", node)
            return Trigger(kind, name)
        trigger = Trigger(
            kind,
            code_variable=definition.get(noria("codeVariable")),
            message_variable=definition.get(noria("messageVariable")),
        )
        reference = {TriggerKind.ERROR: "errorRef", TriggerKind.ESCALATION: "escalationRef"}.get(kind, "signalRef")
        target = referred(self.read, definition.get(reference)) if definition.get(reference) else None
        throws = node.local in ("endEvent", "intermediateThrowEvent")
        if target is None:
            if (throws or kind is TriggerKind.SIGNAL) and not definition.get(reference):
                self.findings.error("bpmn.no_code", f"Nothing is named: give {reference}.", node)
            return trigger
        if kind is TriggerKind.SIGNAL:
            trigger.name = target.get("name") or target.get("id")
            if trigger.name.startswith("="):
                trigger.name_expression = self.expressions.feel(trigger.name, target)
        else:
            code = "errorCode" if kind is TriggerKind.ERROR else "escalationCode"
            # Without a code, thrower and catcher mean each other by naming the same element.
            trigger.name = target.get(code) or target.get("id")
        return trigger

    def _timer(self, node: Node, definition: Node) -> Trigger:
        given = [child for child in definition.elements() if child.namespace == BPMN and child.local in _TIMERS]
        if len(given) != 1 or not given[0].text.strip():
            self.findings.error("bpmn.timer", "A timer has exactly one of timeDate, timeDuration and timeCycle.", node)
            return Trigger(TriggerKind.TIMER)
        text = given[0].text.strip()
        kind = _TIMERS[given[0].local]
        expression = self.expressions.value(text, node)
        if kind is TimerKind.DURATION:
            self.expressions.check_constant_duration(expression, node)
        return Trigger(
            TriggerKind.TIMER,
            timer=kind,
            timer_expression=expression,
            calendar=definition.get(noria("calendar")),
        )
