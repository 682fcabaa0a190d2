"""Camunda 8 (Zeebe): FEEL already, in elements of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from noria.design.bpmn.names import bpmn, noria
from noria.design.feel import FeelSyntaxError, compile_expression
from noria.design.importing import data, people
from noria.design.importing.jobs import JOBS, bring_into_range
from noria.design.importing.said import quoted
from noria.design.importing.vendors import ZEEBE
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_EMBEDDED = re.compile(r"camunda-forms:bpmn:(.+)")
_CAMUNDA_ONLY = re.compile(r"\b(assert|fromAi|from json|random number|uuid)\s*\(")
"""Functions that Camunda adds to FEEL and that do not exist here; for the others see `feel.builtins_camunda`."""


def element(work: Work, node: Node) -> None:
    """Every Zeebe element in an element's extensions."""
    holder = node.first(bpmn("extensionElements"))
    if holder is None:
        return
    for child in [child for child in holder.elements() if child.namespace == ZEEBE]:
        rule = _RULES.get(child.local)
        if rule is not None:
            found = Found(child, f"zeebe:{child.local}", child.text.strip())
            work.remove(child)
            before = len(work.lines)
            rule(work, node, found)
            if len(work.lines) == before:
                work.say(found, "import.empty")


def _part(found: Found, name: str) -> Found | None:
    """An attribute of a Zeebe element, None when it says nothing."""
    value = found.node.get(name).strip()
    return found._replace(name=f"{found.name}/{name}", value=value) if value else None


def _checked(work: Work, part: Found) -> bool:
    """Whether an expression is FEEL as Noria knows it; a line says why not."""
    if not part.value.startswith("="):
        return True
    unknown = _CAMUNDA_ONLY.search(part.value)
    if unknown is not None:
        work.say(part, "import.feel_function", name=unknown[1])
        return False
    try:
        compile_expression(part.value[1:])
    except FeelSyntaxError as error:
        work.say(part, "import.expression", reason=error.message)
        return False
    return True


def _move(work: Work, node: Node, found: Found, source: str, target: str, code: str) -> bool:
    """Move an attribute of a Zeebe element to one of Noria's."""
    part = _part(found, source)
    if part is None or not _checked(work, part):
        return False
    work.set(node, target, part.value)
    work.say(part, code)
    return True


def _task_definition(work: Work, node: Node, found: Found) -> None:
    if node.local in ("scriptTask", "businessRuleTask", "task"):
        # A worker does it.
        node.local = "serviceTask"
    if node.local not in JOBS:
        work.say(found, "import.unsupported")
        return
    work.say(found, "import.topic")
    connector = found.node.get("type").startswith("io.camunda")
    if _move(work, node, found, "type", "topic", "import.topic") and connector:
        # Camunda's own runtime did it.
        work.say(found, "import.connector", topic=found.node.get("type"))
    retries = _part(found, "retries")
    if retries is not None and retries.value.isdecimal():
        work.set(node, "retries", str(max(1, min(100, int(retries.value)))))
        work.say(retries, "import.retries")
    elif retries is not None:
        work.say(retries, "import.expression", reason="the number of tries is a constant")


def _headers(work: Work, node: Node, found: Found) -> None:
    for header in found.node.elements():
        work.add(node, "header", name=header.get("key"), value=header.get("value"))
    work.say(found, "import.header")


def _mapping(work: Work, node: Node, found: Found) -> None:
    """Inputs and outputs; several with ``a.b`` and ``a.c`` as targets are one context ``a``."""
    work.say(found, "import.parameters")
    nested: dict[tuple[str, str], dict[str, object]] = {}
    for child in found.node.elements():
        part = Found(child, f"zeebe:{child.local}", child.get("source").strip())
        target, *path = child.get("target").strip().split(".")
        if child.local not in ("input", "output") or not target or not all(path):
            work.say(part, "import.unsupported")
            continue
        if not _checked(work, part):
            continue
        if path:
            entries = nested.setdefault((child.local, target), {})
            for name in path[:-1]:
                inner = entries.setdefault(name, {})
                entries = inner if isinstance(inner, dict) else {}
            entries[path[-1]] = part.value[1:].strip() if part.value.startswith("=") else quoted(part.value)
        else:
            work.add(node, child.local, source=part.value, target=target)
        code = data.input_code(node) if child.local == "input" else "import.output_parameter"
        work.say(part, code, name=child.get("target"))
    for (local, target), entries in nested.items():
        made = _context(entries)
        # What comes out joins what the variable holds already.
        merged = f"if {target} = null then {made} else context merge([{target}, {made}])"
        work.add(node, local, source=f"= {made if local == 'input' else merged}", target=target)


def _context(entries: dict[str, object]) -> str:
    """FEEL for a context of contexts."""
    parts = [
        f"{quoted(name)}: {_context(value) if isinstance(value, dict) else value}" for name, value in entries.items()
    ]
    return f"{{{', '.join(parts)}}}"


def _subscription(work: Work, node: Node, found: Found) -> None:
    _move(work, node, found, "correlationKey", "correlation", "import.correlation")


def _called_element(work: Work, node: Node, found: Found) -> None:
    for name in ("processIdExpression", "processId"):
        part = _part(found, name)
        if part is not None and _checked(work, part):
            expression = name == "processIdExpression" and not part.value.startswith("=")
            node.attributes["calledElement"] = f"= {part.value}" if expression else part.value
            work.say(part, "import.called")
    for name, target in (
        ("propagateAllParentVariables", "propagateIn"),
        ("propagateAllChildVariables", "propagateOut"),
    ):
        part = _part(found, name)
        if part is not None:
            if part.value == "false":
                work.set(node, target, "false")
            work.say(part, "import.pass_all")
    _move(work, node, found, "businessId", "businessKey", "import.business_key")
    _binding(work, node, found, attribute="binding")


def _binding(work: Work, node: Node, found: Found, attribute: str = "") -> None:
    binding = _part(found, "bindingType")
    if binding is not None:
        if attribute and binding.value in ("latest", "deployment"):
            work.set(node, attribute, binding.value)
        work.say(binding, "import.binding" if binding.value == "versionTag" else "import.binding_mapped")
    tag = _part(found, "versionTag")
    if tag is not None:
        work.say(tag, "import.binding")


def _decision(work: Work, node: Node, found: Found) -> None:
    part = _part(found, "decisionId")
    if part is not None and part.value.startswith("="):
        work.say(part, "import.expression", reason="a decision is named by a constant")
    else:
        _move(work, node, found, "decisionId", "decision", "import.decision")
    _move(work, node, found, "resultVariable", "resultVariable", "import.result_variable")
    _binding(work, node, found)


def _loop(work: Work, node: Node, found: Found) -> None:
    _move(work, node, found, "inputCollection", "collection", "import.collection")
    _move(work, node, found, "inputElement", "item", "import.item")
    _move(work, node, found, "outputCollection", "outputCollection", "import.aggregation_mapped")
    _move(work, node, found, "outputElement", "outputItem", "import.aggregation_mapped")


def _assignment(work: Work, node: Node, found: Found) -> None:
    for name in ("assignee", "candidateGroups", "candidateUsers"):
        code = "import.assignee" if name == "assignee" else "import.candidates"
        _move(work, node, found, name, name, code)


def _schedule(work: Work, node: Node, found: Found) -> None:
    due = _part(found, "dueDate")
    if due is not None and _checked(work, due):
        constant = not due.value.startswith("=")
        people.set_due(work, node, due, due.value.removeprefix("=").strip(), constant=constant)
    follow_up = _part(found, "followUpDate")
    if follow_up is not None:
        work.say(follow_up, "import.follow_up")


def _priority(work: Work, node: Node, found: Found) -> None:
    _move(work, node, found, "priority", "priority", "import.priority")


def _form(work: Work, node: Node, found: Found) -> None:
    key = _part(found, "formKey")
    form = _part(found, "formId")
    if form is not None:
        work.set(node, "form", form.value)
        work.say(form, "import.form_reference", name=form.value)
    elif key is not None and (match := _EMBEDDED.fullmatch(key.value)):
        work.set(node, "form", _form_name(match[1]))
        work.say(key, "import.form_embedded")
    elif key is not None:
        work.say(key, "import.form_key")
    reference = _part(found, "externalReference")
    if reference is not None:
        work.say(reference, "import.form_key")
    _binding(work, node, found)


def _form_name(key: str) -> str:
    """A form's id as a file's name: nothing in it leads out of a folder."""
    return re.sub(r"\W+", "_", key) or "form"


def _embedded_form(work: Work, _node: Node, found: Found) -> None:
    try:
        schema = json.loads(found.value)
    except (ValueError, RecursionError) as error:
        work.say(found, "import.form_json", reason=str(error))
        return
    if not isinstance(schema, dict):
        work.say(found, "import.form_json", reason="it is no object")
        return
    name = _form_name(found.node.get("id"))
    work.forms[name] = {**schema, "id": name}
    work.say(found, "import.form_embedded")


def _script(work: Work, node: Node, found: Found) -> None:
    part = _part(found, "expression")
    if part is not None and _checked(work, part):
        node.attributes["scriptFormat"] = "feel"
        text = part.value.removeprefix("=").strip() if part.value.startswith("=") else quoted(part.value)
        work.set_text(work.append(node, work.new(node, "script")), text)
        work.say(part, "import.script_feel")
    _move(work, node, found, "resultVariable", "resultVariable", "import.result_variable")


def _filter(work: Work, node: Node, found: Found) -> None:
    names = _part(found, "variableNames")
    if names is not None:
        work.set(node, "variables", ",".join(name.strip() for name in names.value.split(",")))
        work.say(names, "import.condition_variable")
    changes = _part(found, "variableEvents")
    if changes is not None:
        kept = [kind.strip() for kind in changes.value.split(",") if kind.strip() in ("create", "update")]
        if kept:
            work.set(node, "on", ",".join(kept))
        work.say(changes, "import.condition_change")


def _properties(work: Work, node: Node, found: Found) -> None:
    for child in found.node.elements():
        if node.get(noria("topic")):
            work.add(node, "header", name=child.get("name"), value=child.get("value"))
    work.say(found, "import.header" if node.get(noria("topic")) else "import.only_informs")


def _listeners(work: Work, _node: Node, found: Found) -> None:
    for child in found.node.elements():
        event, what = child.get("eventType"), child.get("type")
        work.say(Found(child, f"zeebe:{child.local}", ""), "import.listener", event=event, what=what)


def _ad_hoc(work: Work, node: Node, found: Found) -> None:
    _move(work, node, found, "activeElementsCollection", "activities", "import.activities")
    for name in ("outputCollection", "outputElement"):
        part = _part(found, name)
        if part is not None:
            work.say(part, "import.unsupported")


def _no_meaning(work: Work, _node: Node, found: Found) -> None:
    work.say(found, "import.no_meaning")


def _version_tag(work: Work, _node: Node, found: Found) -> None:
    work.say(found._replace(value=found.node.get("value")), "import.version_tag")


def _job_priority(work: Work, node: Node, found: Found) -> None:
    part = _part(found, "priority")
    if part is not None and _move(work, node, found, "priority", "jobPriority", "import.job_priority"):
        bring_into_range(work, node, part)


def _unsupported(work: Work, _node: Node, found: Found) -> None:
    work.say(found, "import.unsupported")


_RULES: dict[str, Callable[[Work, Node, Found], None]] = {
    "adHoc": _ad_hoc,
    "agentDefinition": _unsupported,
    "assignmentDefinition": _assignment,
    "calledDecision": _decision,
    "calledElement": _called_element,
    "conditionalFilter": _filter,
    "executionListeners": _listeners,
    "formDefinition": _form,
    "ioMapping": _mapping,
    "jobPriorityDefinition": _job_priority,
    "linkedResources": _unsupported,
    "loopCharacteristics": _loop,
    "priorityDefinition": _priority,
    "properties": _properties,
    "script": _script,
    "subscription": _subscription,
    "taskDefinition": _task_definition,
    "taskHeaders": _headers,
    "taskListeners": _listeners,
    "taskSchedule": _schedule,
    "userTask": _no_meaning,
    "userTaskForm": _embedded_form,
    "versionTag": _version_tag,
}


def code(work: Work, node: Node) -> None:
    """An error or escalation code that is an expression."""
    for name in ("errorCode", "escalationCode"):
        text = node.get(name)
        if text.startswith("="):
            work.say(Found(node, f"bpmn:{name}", text), "import.code_expression")
