"""Work for programs: topics, delegates, expressions, connectors, retries, save points."""

from __future__ import annotations

import re

from noria.design.bpmn.graph import JOB_PRIORITY_MAX
from noria.design.bpmn.names import bpmn, noria
from noria.design.importing import data
from noria.design.importing.feel import translate
from noria.design.importing.juel import Invoke, JuelError, Literal, Name, Tree, has_expression, parse_template
from noria.design.importing.said import NotTranslatable, quoted
from noria.design.importing.working import Found, Work
from noria.design.xml import Node
from noria.kernel.instants import parse_duration
from noria.kernel.numbers import whole_number

JOBS = frozenset({"serviceTask", "sendTask", "endEvent", "intermediateThrowEvent"})
_RETRY = re.compile(r"R(\d+)/(P.+)")
_CONNECTED = frozenset({"http", "mail"})
RETRIES_MAX = 100
"""Of a number that the vendors can hold."""
_EACH_INSTANCE = ("flowable:async", "activiti:async")


def service(work: Work, node: Node) -> None:
    """A service, send or business rule task: one topic, or an expression computed here."""
    holder = node
    if node.local in ("endEvent", "intermediateThrowEvent"):
        definition = node.first(bpmn("messageEventDefinition"))
        if definition is None:
            return
        holder = definition
    variable = work.take(holder, "resultVariable", "resultVariableName")
    if variable is not None:
        work.set(node, "resultVariable", variable.value)
        work.say(variable, "import.result_variable")
    decides = node.local == "businessRuleTask" and _decision(work, node)
    if not decides:
        _topic(work, holder, node)
    _limits(work, node, holder)
    _fields(work, holder, node)


def _topic(work: Work, holder: Node, node: Node) -> None:
    kind = work.take(holder, "type")
    topic = work.take(holder, "topic")
    for element in work.take_elements(holder, "topic"):
        topic = topic or element
    if kind is not None and kind.value not in ("external", "external-worker"):
        _typed(work, node, kind)
        return
    if kind is not None:
        work.say(kind, "import.external")
    if topic is not None:
        _become_job(node)
        work.move(topic, node, "topic", "import.topic")
        for name, local in (("externalWorkerInParameter", "input"), ("externalWorkerOutParameter", "output")):
            for parameter in work.take_elements(holder, name):
                data.pass_one(work, node, parameter, local)
    for connector in work.take_elements(holder, "connector"):
        _connector(work, node, connector)
    for name in ("class", "delegateExpression", "expression"):
        found = work.take(holder, name)
        if found is None:
            continue
        if node.get(noria("topic")):
            work.say(found, "import.twice", other="topic")
        elif name == "expression":
            _expression(work, node, found)
        else:
            _delegate(work, node, found)


def _typed(work: Work, node: Node, kind: Found) -> None:
    """Flowable's built-in service tasks."""
    if kind.value == "dmn":
        _decision_by_fields(work, node, kind)
        return
    if kind.value in ("case", "send-event", "event-registry"):
        work.say(kind, "import.unsupported")
        return
    _become_job(node)
    work.set(node, "topic", kind.value)
    work.say(kind, "import.connector" if kind.value in _CONNECTED else "import.delegate", topic=kind.value)


def _decision_by_fields(work: Work, node: Node, kind: Found) -> None:
    """Flowable's decision task names its decision in a field."""
    for found in work.take_elements(node, "field"):
        name, value = data.field(found)
        if name == "decisionTableReferenceKey" and value and not has_expression(value):
            node.local = "businessRuleTask"
            work.set(node, "decision", value)
            work.say(found._replace(value=value), "import.decision")
        else:
            work.say(found._replace(value=value), "import.field_unused", name=name)
    work.say(kind, "import.decision_list" if node.get(noria("decision")) else "import.unsupported")


def _become_job(node: Node) -> None:
    if node.local == "businessRuleTask":
        node.local = "serviceTask"


def _delegate(work: Work, node: Node, found: Found) -> None:
    """Java code: a worker takes its place; the topic is the class or the bean."""
    topic = found.value
    if has_expression(topic):
        topic = _bean_of(topic) or "_".join(re.findall(r"\w+", topic))
    if not topic:
        work.say(found, "import.empty")
        return
    _become_job(node)
    work.set(node, "topic", topic)
    work.say(found, "import.delegate", topic=topic)


def _bean_of(text: str) -> str:
    """``bean`` of ``${bean}``, ``bean.method`` of ``${bean.method(…)}``; "" for anything else."""
    try:
        parts = parse_template(text)
    except JuelError:
        return ""
    tree = parts[0] if len(parts) == 1 else ""
    if isinstance(tree, Name):
        return tree.name
    return f"{tree.base.name}.{tree.method}" if isinstance(tree, Invoke) and isinstance(tree.base, Name) else ""


def _expression(work: Work, node: Node, found: Found) -> None:
    """An expression: computed here when it is FEEL, a variable when it sets one, a worker's job otherwise."""
    variable = node.get(noria("resultVariable"))
    if node.local not in ("serviceTask", "sendTask", "businessRuleTask"):
        _delegate(work, node, found)
        return
    assigned = _assignment(found.value)
    if assigned is not None:
        name, value = assigned
        found = found._replace(value=value)
        variable = name
    try:
        translation = translate(found.value)
    except NotTranslatable:
        _delegate(work, node, found)
        return
    for note in translation.notes:
        work.say(found, f"import.{note}")
    if not variable:
        # Its value goes nowhere, so that nothing is left to do.
        node.local = "task"
        work.say(found, "import.expression_unused")
        return
    node.local = "scriptTask"
    node.attributes["scriptFormat"] = "feel"
    work.set(node, "resultVariable", variable)
    text = quoted(translation.text) if translation.constant else translation.text
    work.set_text(work.append(node, work.new(node, "script")), text)
    work.say(found, "import.expression_script", variable=variable)


def _assignment(text: str) -> tuple[str, str] | None:
    """Name and value of ``${execution.setVariable('name', value)}``."""
    try:
        parts = parse_template(text)
    except JuelError:
        return None
    tree: Tree | str = parts[0] if len(parts) == 1 else ""
    if (
        isinstance(tree, Invoke)
        and tree.base == Name("execution")
        and tree.method == "setVariable"
        and len(tree.arguments) == 2
        and isinstance(tree.arguments[0], Literal)
        and isinstance(tree.arguments[0].value, str)
    ):
        match = re.fullmatch(r"\s*[$#]\{\s*execution\.setVariable\(\s*(['\"]).*?\1\s*,(.*)\)\s*\}\s*", text, re.DOTALL)
        return (tree.arguments[0].value, f"${{{match[2]}}}") if match else None
    return None


def _connector(work: Work, node: Node, found: Found) -> None:
    """A connector: a worker serves its topic; its inputs and outputs are the element's."""
    topic = next((child.text.strip() for child in found.node.elements() if child.local == "connectorId"), "")
    if not topic:
        work.say(found, "import.empty")
        return
    work.set(node, "topic", topic)
    for child in found.node.elements():
        if child.local == "inputOutput":
            data.parameters(work, node, child)
    work.say(found, "import.connector", topic=topic)


def _decision(work: Work, node: Node) -> bool:
    """A decision of DMN; whether one is named."""
    found = work.take(node, "decisionRef")
    if found is None:
        work.report(node, "import.unsupported", "ruleVariablesInput", "rules", "exclude")
        return False
    if has_expression(found.value):
        work.say(found, "import.expression", reason="a decision is named by a constant")
        return True
    work.set(node, "decision", found.value)
    work.say(found, "import.decision")
    binding = work.take(node, "decisionRefBinding")
    if binding is not None:
        work.say(binding, "import.no_meaning" if binding.value in ("latest", "deployment") else "import.binding")
    work.report(node, "import.binding", "decisionRefVersion", "decisionRefVersionTag", "decisionRefTenantId")
    mapping = work.take(node, "mapDecisionResult")
    if mapping is not None:
        work.say(mapping, "import.decision_result" if mapping.value == "singleEntry" else "import.decision_list")
    elif node.get(noria("resultVariable")):
        work.say(found._replace(name=found.name), "import.decision_list")
    return True


def _limits(work: Work, node: Node, holder: Node) -> None:
    """What Noria has no place for on a task of a program."""
    for name in ("triggerable", "useLocalScopeForResultVariable"):
        found = work.take(holder, name)
        if found is not None:
            work.say(found, "import.no_meaning" if found.value.lower() == "false" else "import.unsupported")
    work.report(holder, "import.transient", "storeResultVariableAsTransient")
    priority(work, node, work.take(holder, "taskPriority"))
    for found in work.take_elements(node, "mapException", "errorEventDefinition"):
        work.say(found, "import.error_mapping", error=found.node.get("errorCode") or found.node.get("errorRef"))
    for found in work.take_elements(
        node, "eventType", "triggerEventType", "sendSynchronously", "eventInParameter", "eventOutParameter"
    ):
        work.say(found, "import.unsupported")


def _fields(work: Work, holder: Node, node: Node) -> None:
    """Fields injected into a delegate: constants are headers of the job, expressions its inputs."""
    places = [holder] if holder is node else [holder, node]
    for place in places:
        for found in work.take_elements(place, "field"):
            name, value = data.field(found)
            if not has_expression(value):
                work.add(node, "header", name=name, value=value)
                work.say(found, "import.header")
                continue
            source = work.value(found._replace(value=value))
            if source is not None:
                work.add(node, "input", source=source, target=name)
                work.say(found, "import.field_input", name=name)


def properties(work: Work, node: Node) -> None:
    """Properties that a tool put on an element: headers of a job, nothing elsewhere."""
    for found in work.take_elements(node, "properties"):
        for child in found.node.elements():
            if node.get(noria("topic")):
                work.add(node, "header", name=child.get("name"), value=child.get("value"))
        work.say(found, "import.header" if node.get(noria("topic")) else "import.only_informs")


def save_points(work: Work, node: Node) -> None:
    """Asynchronous continuations, and how a failed one is tried again."""
    before = work.take(node, "asyncBefore", "async")
    after = work.take(node, "asyncAfter", "asyncLeave", "completeAsync")
    for found, attribute in ((before, "saveBefore"), (after, "saveAfter")):
        if found is not None:
            marker = node.first(bpmn("multiInstanceLoopCharacteristics"))
            # Flowable makes a job for each instance, Camunda one for all.
            holder = marker if marker is not None and found.name in _EACH_INSTANCE else node
            if found.is_true:
                work.set(holder, attribute, "true")
            work.say(found, "import.save_point")
    for found in work.take_elements(node, "failedJobRetryTimeCycle"):
        _retries(work, node, found)
    for found in work.take_elements(node, "jobCategory"):
        work.say(found, "import.job_category")
    priority(work, node, work.take(node, "jobPriority"))


def priority(work: Work, node: Node, found: Found | None) -> None:
    """Which work goes first: here one priority holds for an element's job, its timers and its save points."""
    if found is None:
        return
    if node.get(noria("jobPriority")):
        work.say(found, "import.twice", other="noria:jobPriority")
    elif work.move(found, node, "jobPriority", "import.job_priority"):
        bring_into_range(work, node, found)


def bring_into_range(work: Work, node: Node, found: Found) -> None:
    """Keep a constant priority of a job between 0 and the highest."""
    within = brought_into_range(found.value, JOB_PRIORITY_MAX)
    if within != found.value:
        work.set(node, "jobPriority", within)
        work.say(found, "import.job_priority_range")


def brought_into_range(written: str, most: int) -> str:
    """A constant that is less than 0 or more than `most` as the nearest that is not; anything else as it is written."""
    digits = written.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or whole_number(written, most) is not None:
        return written
    return str(most) if digits == written else "0"


def _retries(work: Work, node: Node, found: Found) -> None:
    waits = [part.strip() for part in found.value.split(",")]
    tries = 0
    if match := _RETRY.fullmatch(found.value):
        tries, waits = int(match[1]), [match[2]]
    else:
        tries = len(waits) + 1
    try:
        for wait in waits:
            parse_duration(wait)
    except ValueError:
        work.say(found, "import.expression", reason=f"{found.value} is no ISO 8601 cycle")
        return
    if not node.get(noria("topic")):
        work.say(found, "import.retry_elsewhere")
        return
    work.set(node, "retries", str(max(1, min(RETRIES_MAX, tries))))
    work.set(node, "retryWait", ",".join(waits))
    work.say(found, "import.retries")


def listeners(work: Work, node: Node) -> None:
    """Code that runs beside the model, at the beginning or the end of an element: there are no such hooks here."""
    for found in work.take_elements(node, "executionListener", "taskListener", "eventListener"):
        what = next(
            (
                found.node.get(name)
                for name in ("class", "delegateExpression", "expression", "type", "throwEvent")
                if found.node.get(name)
            ),
            "script",
        )
        work.say(found, "import.listener", event=found.node.get("event"), what=what)
