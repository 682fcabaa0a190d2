"""Compiling one flow node: what it asks of people and workers, its trigger, its mappings."""

from __future__ import annotations

from noria.design.bpmn.data import Data
from noria.design.bpmn.expressions import Expressions
from noria.design.bpmn.graph import (
    ACTIVITIES,
    SUB_PROCESSES,
    Call,
    Element,
    JobWork,
    Kind,
    Mapping,
    TimerKind,
    Trigger,
    TriggerKind,
)
from noria.design.bpmn.loops import Loops
from noria.design.bpmn.names import (
    ALLOWED,
    BPMN,
    GLOBAL_TASKS,
    NORIA,
    TRIGGERS,
    XSI_TYPE,
    bpmn,
    noria,
)
from noria.design.bpmn.people import People
from noria.design.bpmn.source import (
    BpmnFile,
    Findings,
    child_text,
    event_definitions,
    executable_processes,
    is_event_sub_process,
    local_id,
    referred,
)
from noria.design.feel import Expression, literal_expression
from noria.design.xml import Node
from noria.kernel.instants import DAY_MS
from noria.kernel.numbers import whole_number

_QUANTITY_MAX = 1_000
_TIMERS = {"timeDate": TimerKind.DATE, "timeDuration": TimerKind.DURATION, "timeCycle": TimerKind.CYCLE}
_INTERRUPTS = (TriggerKind.ERROR, TriggerKind.COMPENSATION, TriggerKind.CANCEL)
_EVENTS = (
    Kind.START_EVENT,
    Kind.END_EVENT,
    Kind.INTERMEDIATE_CATCH_EVENT,
    Kind.INTERMEDIATE_THROW_EVENT,
    Kind.BOUNDARY_EVENT,
)


def _happens_once(trigger: Trigger) -> bool:
    """Whether a trigger is waited for, and over when it has happened."""
    if trigger.kind is TriggerKind.TIMER:
        return trigger.timer is not TimerKind.CYCLE
    return trigger.kind in (TriggerKind.MESSAGE, TriggerKind.SIGNAL, TriggerKind.CONDITIONAL)


class ElementCompiler:
    """Compiles the flow nodes of one process."""

    def __init__(
        self,
        read: BpmnFile,
        process: Node,
        findings: Findings,
        expressions: Expressions,
        lanes: dict[str, tuple[str, ...]],
        element_of: dict[str, int],
    ) -> None:
        self.read = read
        self.process = process
        self.findings = findings
        self.expressions = expressions
        self.lanes = lanes
        self.people = People(read, expressions)
        self.element_of = element_of
        self.data = Data(read, findings, expressions)
        self.job_priority = expressions.job_priority(process)
        self.loops = Loops(read, findings, expressions, self.data, self._definition)

    def element(self, index: int, node: Node, scope: int, kind: Kind) -> Element:
        """The element, not yet connected."""
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
            passes_on=node.get(noria("passOn")) in ("true", "outputs"),
            keeps=node.get(noria("passOn")) == "outputs",
            data_inputs=self.data.associations(node, "dataInputAssociation"),
            data_outputs=self.data.associations(node, "dataOutputAssociation"),
            documentation=child_text(node, "documentation"),
            result_variable=node.get(noria("resultVariable")),
            save_before=node.get(noria("saveBefore")) == "true",
            save_after=node.get(noria("saveAfter")) == "true",
            job_priority=self.expressions.job_priority(node, self.job_priority),
        )
        if kind in _EVENTS:
            element.trigger, *more = self._triggers(node) or (None,)
            element.more_triggers = tuple(more)
            element.needs_all_triggers = node.get("parallelMultiple") in ("true", "1")
            element.interrupting = node.get("cancelActivity", "true") != "false" and (
                node.get("isInterrupting", "true") != "false"
            )
            self._check_position(node, element)
        elif kind in ACTIVITIES:
            self._markers(node, element)
        gathered = element.loop.gathered(of_path=element.keeps) if element.loop is not None else ""
        if kind in SUB_PROCESSES or element.keeps:
            own = self.data.own(node) if kind in SUB_PROCESSES else ()
            element.own = (*own, *((gathered,) if gathered else ()))
        self._work(self._called_task(node, element) or node, element)
        return element

    def _markers(self, node: Node, element: Element) -> None:
        element.loop = self.loops.loop(node)
        element.for_compensation = node.get("isForCompensation") in ("true", "1") and not is_event_sub_process(node)
        element.transaction = node.local == "transaction"
        element.start_quantity = self._quantity(node, "startQuantity")
        element.completion_quantity = self._quantity(node, "completionQuantity")
        if element.kind is Kind.AD_HOC_SUB_PROCESS:
            element.ad_hoc = self.loops.ad_hoc(node)

    def _quantity(self, node: Node, attribute: str) -> int:
        written = node.get(attribute) or "1"
        quantity = whole_number(written.strip(), _QUANTITY_MAX)
        if not quantity:
            message = f"{attribute} is a number from 1 to {_QUANTITY_MAX}, not {written[:80]!r}."
            self.findings.error("bpmn.quantity", message, node)
        return quantity or 1

    def _called_task(self, node: Node, element: Element) -> Node | None:
        """The global task that a call activity calls; the call does its work."""
        called = node.get("calledElement") if element.kind is Kind.CALL_ACTIVITY else ""
        task = referred(self.read, called) if called and not called.startswith("=") else None
        if task is None or task.local not in GLOBAL_TASKS:
            return None
        element.kind = GLOBAL_TASKS[task.local]
        self._report_foreign(task)
        return task

    def _work(self, node: Node, element: Element) -> None:
        kind = element.kind
        if kind is Kind.USER_TASK:
            element.human = self.people.work(node, self.lanes.get(node.get("id"), ()))
        elif kind is Kind.SERVICE_TASK:
            element.job = self._job(node)
            if element.job is None:
                message = "Nobody would do this work: give noria:topic or an operation."
                self.findings.error("bpmn.no_topic", message, node)
        elif kind in (Kind.SEND_TASK, Kind.RECEIVE_TASK):
            element.job = self._job(node) if kind is Kind.SEND_TASK else None
            if element.job is None:
                element.trigger = self._message(node, node)
        elif kind in (Kind.INTERMEDIATE_THROW_EVENT, Kind.END_EVENT):
            element.job = self._job(node)
        elif kind is Kind.SCRIPT_TASK:
            element.job = self._job(node)
            if element.job is None:
                element.script = self._script(node)
        elif kind is Kind.BUSINESS_RULE_TASK:
            element.decision = node.get(noria("decision"))
            if not element.decision:
                self.findings.error("bpmn.no_decision", "No decision is named: give noria:decision.", node)
        elif kind is Kind.CALL_ACTIVITY:
            element.call = self._call(node)
        elif kind is Kind.EVENT_BASED_GATEWAY:
            element.needs_all_triggers = node.get("eventGatewayType") == "Parallel"
            if element.needs_all_triggers and node.get("instantiate") not in ("true", "1"):
                message = "A parallel event-based gateway begins an instance: give instantiate."
                self.findings.error("bpmn.instantiate", message, node)
        elif kind is Kind.COMPLEX_GATEWAY:
            condition = child_text(node, "activationCondition")
            element.activation = self.expressions.condition(condition, node) if condition else None

    # What is only pointed out

    def _report_foreign(self, node: Node) -> None:
        for key in node.attributes:
            if not key.startswith("{") or key == XSI_TYPE:
                continue
            uri, _, name = key[1:].partition("}")
            if uri not in (NORIA, BPMN):
                message = f"The attribute {name} of {uri} is kept but has no effect."
                self.findings.warn("bpmn.foreign_extension", message, node, namespace=uri, attribute=name)

    # Workers, calls, scripts

    def _job(self, node: Node) -> JobWork | None:
        topic = self.expressions.optional(node, "topic")
        if topic is None and node.local == "serviceTask" and node.get("operationRef"):
            operation = referred(self.read, node.get("operationRef"))
            if operation is not None:
                topic = literal_expression(operation.get("name") or operation.get("id"))
        if topic is None:
            return None
        written = node.get(noria("retries"), "3")
        retries = whole_number(written, 100) or 0
        if not retries:
            self.findings.error("bpmn.retries", f"retries is a number from 1 to 100, not {written[:80]!r}.", node)
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
        if node.first(bpmn("script")) is not None:
            headers |= {"script": child_text(node, "script"), "scriptFormat": node.get("scriptFormat")}
        return JobWork(topic, retries, tuple(waits), headers)

    def _call(self, node: Node) -> Call:
        called = node.get("calledElement")
        if not called:
            self.findings.error("bpmn.no_called_element", "No process is called: give calledElement.", node)
        here = referred(self.read, called) if not called.startswith("=") else None
        if here is not None and here.local == "process" and here not in executable_processes(self.read):
            message = "This file's process of that id is not executable: the call needs one that is deployed apart."
            self.findings.warn("bpmn.call_not_executable", message, node)
        binding = node.get(noria("binding"), "latest")
        if binding == "version" and whole_number(node.get(noria("version"))) is not None:
            binding = f"version:{node.get(noria('version'))}"
        elif binding not in ("latest", "deployment"):
            message = f"binding is latest, deployment, or version with noria:version, not {binding!r}."
            self.findings.error("bpmn.binding", message, node)
        process = (
            self.expressions.value(called, node) if called.startswith("=") else literal_expression(local_id(called))
        )
        return Call(
            process,
            binding,
            node.get(noria("propagateIn"), "true") != "false",
            node.get(noria("propagateOut"), "true") != "false",
            self.expressions.optional(node, "businessKey"),
            self._goes_on(node, node),
        )

    def _goes_on(self, node: Node, holder: Node) -> bool:
        """Whether an error that nothing catches counts as a plain end."""
        word = holder.get(noria("whenUncaught"))
        if word not in ("", "incident", "goOn"):
            message = f"whenUncaught is goOn, incident, not {word[:80]!r}."
            self.findings.error("bpmn.value", message, node, attribute="whenUncaught")
        return word == "goOn"

    def _script(self, node: Node) -> Expression | None:
        script = child_text(node, "script")
        if not script:
            self.findings.error("bpmn.no_script", "The script task has no script.", node)
            return None
        # A global script task calls the same thing scriptLanguage.
        language = node.get("scriptFormat") or node.get("scriptLanguage") or "unspecified"
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

    def _triggers(self, node: Node) -> tuple[Trigger, ...]:
        """What the event definitions of an event say, in document order."""
        for reference in node.elements(bpmn("eventDefinitionRef")):
            target = referred(self.read, reference.text)
            if target is None:
                self.findings.error("bpmn.unresolved", f"{reference.text!r} does not exist.", node)
            elif target.parent is not self.read.document.root:
                message = (
                    f"{reference.text.strip()!r} belongs to another event; a shared one stands beside the process."
                )
                self.findings.error("bpmn.wrong_reference", message, node)
        definitions = event_definitions(self.read, node)
        return tuple(
            trigger for definition in definitions if (trigger := self._definition(node, definition)) is not None
        )

    def _definition(self, node: Node, definition: Node) -> Trigger | None:
        kind = TRIGGERS.get(definition.local)
        if kind is None:
            self.findings.error("bpmn.unknown_trigger", f"There is no event definition {definition.local}.", node)
            return None
        if kind is TriggerKind.MESSAGE:
            return self._message(node, definition)
        if kind is TriggerKind.TIMER:
            return self._timer(node, definition)
        if kind is TriggerKind.CONDITIONAL:
            return self._conditional(node, definition)
        if kind is TriggerKind.COMPENSATION:
            return self._compensation(node, definition)
        return self._named(node, definition, kind)

    def _conditional(self, node: Node, definition: Node) -> Trigger:
        condition = definition.first(bpmn("condition"))
        said = condition is not None and bool(condition.text.strip())
        watched = frozenset(name.strip() for name in definition.get(noria("variables")).split(",") if name.strip())
        if not said and not watched:
            self.findings.error("bpmn.no_condition_event", "The conditional event has no condition.", node)
        return Trigger(
            TriggerKind.CONDITIONAL,
            condition=self.expressions.condition(condition.text, node, condition.get("language"))
            if condition is not None and said
            else None,
            watched=watched,
            every_change=definition.get(noria("everyChange")) == "true",
            changes=frozenset(part.strip() for part in definition.get(noria("on")).split(",") if part.strip()),
        )

    def _compensation(self, node: Node, definition: Node) -> Trigger:
        trigger = Trigger(
            TriggerKind.COMPENSATION, waits=definition.get("waitForCompletion", "true") not in ("false", "0")
        )
        reference = definition.get("activityRef")
        if reference:
            trigger.activity = self.element_of.get(reference.rpartition(":")[2], -1)
            if trigger.activity < 0:
                message = f"activityRef names {reference!r}, which is no activity of this process."
                self.findings.error("bpmn.unresolved", message, node)
        return trigger

    def _check_position(self, node: Node, element: Element) -> None:
        position = node.local
        parent = node.parent
        if position == "startEvent" and parent is not None and parent.local != "process":
            position = "event sub-process startEvent" if is_event_sub_process(parent) else "sub-process startEvent"
        for kind in [trigger.kind for trigger in element.triggers] or [TriggerKind.NONE]:
            if kind is TriggerKind.CONDITIONAL and position == "startEvent":
                if any(trigger.condition is None for trigger in element.triggers if trigger.kind is kind):
                    message = "A conditional event that starts a process has a condition."
                    self.findings.error("bpmn.no_condition_event", message, node)
            elif kind not in ALLOWED[position]:
                named = "no event definition" if kind is TriggerKind.NONE else f"a {kind.name.lower()} event definition"
                self.findings.error("bpmn.trigger_position", f"A {position} with {named} is not allowed.", node)
            if kind in _INTERRUPTS and not element.interrupting:
                message = "Errors, compensation and cancellation always interrupt."
                self.findings.error("bpmn.error_interrupts", message, node)
        alone = (TriggerKind.LINK, TriggerKind.COMPENSATION, TriggerKind.CANCEL, TriggerKind.TERMINATE)
        if len(element.triggers) > 1 and any(trigger.kind in alone for trigger in element.triggers):
            message = "A link, compensation, cancel or terminate event has no second event definition."
            self.findings.error("bpmn.multiple", message, node)
        if element.needs_all_triggers and (len(element.triggers) < 2 or position == "startEvent"):
            message = "A parallel multiple event has two or more event definitions and does not start a process."
            self.findings.error("bpmn.multiple", message, node)
        if element.needs_all_triggers and not all(map(_happens_once, element.triggers)):
            message = (
                "All of a parallel multiple event are waited for: messages, signals, conditions, dates and durations, "
                "but no errors, escalations or cycles."
            )
            self.findings.error("bpmn.multiple", message, node)

    def _message(self, node: Node, holder: Node) -> Trigger | None:
        reference = holder.get("messageRef") or self._message_of_operation(holder)
        message = referred(self.read, reference) if reference else None
        if message is None:
            if not reference:
                self.findings.error("bpmn.no_message", "No message is named: give messageRef.", node)
            self._report_imported(reference, node)
            return None
        name = message.get("name") or message.get("id")
        text = node.get(noria("correlation")) or message.get(noria("correlation"))
        if text:
            correlation: Expression | None = self.expressions.value(text, node)
        elif node.local in ("endEvent", "intermediateThrowEvent", "sendTask"):
            correlation = self.data.thrown_key(message)
        else:
            correlation = self.data.awaited_key(self.process, message)
        trigger = Trigger(TriggerKind.MESSAGE, name, correlation=correlation)
        if name.startswith("="):
            trigger.name_expression = self.expressions.feel(name, message)
        return trigger

    def _report_imported(self, reference: str, node: Node) -> None:
        """What is in no file at hand has been reported; what an imported file may have is not run either."""
        if ":" in reference and any(self.read.document.root.elements(bpmn("import"))):
            message = f"{reference!r} is of an imported file; what is run names what is in its own."
            self.findings.error("bpmn.imported", message, node)

    def _message_of_operation(self, holder: Node) -> str:
        """The message that an operation takes, for a task that names only the operation; "" without one.

        An event of an executable process names its message itself (table 10.94).
        """
        reference = holder.get("operationRef")
        operation = referred(self.read, reference) if reference else None
        return child_text(operation, "inMessageRef") if operation is not None else ""

    def _named(self, node: Node, definition: Node, kind: TriggerKind) -> Trigger:
        if kind is TriggerKind.TERMINATE:
            return Trigger(
                kind,
                whole_instance=definition.get(noria("terminateAll")) == "true",
                whole_loop=definition.get(noria("terminateLoop")) == "true",
            )
        if kind is TriggerKind.CANCEL:
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
            message=self.expressions.optional(definition, "message"),
            goes_on=self._goes_on(node, definition),
        )
        reference = {TriggerKind.ERROR: "errorRef", TriggerKind.ESCALATION: "escalationRef"}.get(kind, "signalRef")
        target = referred(self.read, definition.get(reference)) if definition.get(reference) else None
        throws = node.local in ("endEvent", "intermediateThrowEvent")
        if target is None:
            if (throws or kind is TriggerKind.SIGNAL) and not definition.get(reference):
                self.findings.error("bpmn.no_code", f"Nothing is named: give {reference}.", node)
            self._report_imported(definition.get(reference), node)
            return trigger
        if kind is TriggerKind.SIGNAL:
            trigger.name = target.get("name") or target.get("id")
            if trigger.name.startswith("="):
                trigger.name_expression = self.expressions.feel(trigger.name, target)
            if throws:
                trigger.correlation = self.expressions.optional(node, "correlation")
            trigger.within = target.get(noria("withinInstance")) == "true"
        else:
            code = "errorCode" if kind is TriggerKind.ERROR else "escalationCode"
            if throws and not target.get(code):
                self.findings.error("bpmn.no_code", f"What is thrown has no {code}.", node)
            # A catcher without a code means who names the same element.
            trigger.name = target.get(code) or target.get("id")
            if trigger.name.startswith("=") and throws:
                trigger.name_expression = self.expressions.feel(trigger.name, target)
            elif trigger.name.startswith("="):
                message = f"Only what is thrown may have a computed {code}, not what is caught: {trigger.name[:80]!r}."
                self.findings.error("bpmn.value", message, node, attribute=code)
        return trigger

    def _timer(self, node: Node, definition: Node) -> Trigger:
        given = [child for child in definition.elements() if child.namespace == BPMN and child.local in _TIMERS]
        if len(given) != 1 or not given[0].text.strip():
            self.findings.error("bpmn.timer", "A timer has exactly one of timeDate, timeDuration and timeCycle.", node)
            return Trigger(TriggerKind.TIMER)
        text = given[0].text.strip()
        kind = _TIMERS[given[0].local]
        expression = self.expressions.value(text, node)
        self.expressions.check_constant_time(expression, node, kind)
        return Trigger(
            TriggerKind.TIMER,
            timer=kind,
            timer_expression=expression,
            calendar=definition.get(noria("calendar")),
        )
