"""Camunda 8 (Zeebe): FEEL already, in elements of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from noria.design.bpmn.names import bpmn, noria
from noria.design.feel import FeelSyntaxError, compile_expression
from noria.design.importing import data, dialect, people
from noria.design.importing.jobs import JOBS, RETRIES_MAX, bring_into_range, brought_into_range
from noria.design.importing.said import quoted
from noria.design.importing.vendors import ZEEBE
from noria.design.importing.working import Found, Work
from noria.design.xml import Node
from noria.kernel.cycles import is_cron

_EMBEDDED = re.compile(r"camunda-forms:bpmn:(.+)")


_COMPUTED_BY_CONNECTORS = ("resultVariable", "resultExpression", "errorExpression")


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
    value = dialect.plain(found.node.get(name).strip())
    return found._replace(name=f"{found.name}/{name}", value=value) if value else None


def _checked(work: Work, part: Found) -> bool:
    """Whether a constant, or an expression that is FEEL as Noria knows it; a line says why not."""
    return not part.value.startswith("=") or dialect.checked(work, part)


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
        given = retries.value.lstrip("0") or "0"
        tries = "1" if given == "0" else brought_into_range(given, RETRIES_MAX)
        work.set(node, "retries", tries)
        work.say(retries, "import.retries" if tries == given else "import.retries_range")
    elif retries is not None:
        work.say(retries, "import.expression", reason="the number of tries is a constant")


def _is_job(node: Node) -> bool:
    """Whether a worker does it; what says so may not have been looked at yet."""
    holder = node.first(bpmn("extensionElements"))
    defined = holder is not None and any(child.local == "taskDefinition" for child in holder.elements())
    return bool(node.get(noria("topic"))) or (defined and node.local != "adHocSubProcess")


def _headers(work: Work, node: Node, found: Found) -> None:
    if not _is_job(node):
        work.say(found, "import.only_informs")
        return
    for header in found.node.elements():
        work.add(node, "header", name=header.get("key"), value=header.get("value"))
    work.say(found, "import.header")
    computed = [header.get("key") for header in found.node.elements() if header.get("key") in _COMPUTED_BY_CONNECTORS]
    if computed:
        work.say(found, "import.connector_result", names=", ".join(computed))


def _mapping(work: Work, node: Node, found: Found) -> None:
    """Inputs and outputs in their order; several with ``a.b`` and ``a.c`` as targets side by side are one context."""
    work.say(found, "import.parameters")
    targets: list[_Target] = []
    begun = set()
    for child in found.node.elements():
        part = Found(child, f"zeebe:{child.local}", dialect.plain(child.get("source").strip()))
        name, *path = child.get("target").strip().split(".")
        if child.local not in ("input", "output") or not name or not all(path):
            work.say(part, "import.unsupported")
            continue
        if not _checked(work, part):
            continue
        if not (path and targets and targets[-1][:2] == (child.local, name) and targets[-1].entries):
            # What an output says of a part leaves the other parts as they are; an input begins anew.
            merges = child.local == "output" or (child.local, name) in begun
            targets.append(_Target(child.local, name, part.value if not path else "", {}, merges))
        if path:
            _put(targets[-1].entries, path, _feel(part.value))
            begun.add((child.local, name))
        work.say(part, f"import.{child.local}_parameter", name=child.get("target"))
    for target in targets:
        if target.entries:
            source = _context(target.entries, target.name if target.merges else "")
            work.add(node, target.local, source=f"= {source}", target=target.name)
        else:
            # Camunda makes null of what is not given.
            work.add(node, target.local, source=target.source or "= null", target=target.name)
    if targets:
        pass_on(work, node)


class _Target(NamedTuple):
    """What a mapping gives a variable: a source as it stands, or the parts of a context."""

    local: str
    name: str
    source: str
    entries: dict[str, object]
    merges: bool


def _feel(value: str) -> str:
    """FEEL for a source: an expression, a text, or null when there is none."""
    if not value:
        return "null"
    return value[1:].strip() if value.startswith("=") else quoted(value)


def _put(entries: dict[str, object], path: list[str], feel: str) -> None:
    for name in path[:-1]:
        inner = entries.get(name)
        if not isinstance(inner, dict):
            inner = entries[name] = {}
        entries = inner
    entries[path[-1]] = feel


def _context(entries: dict[str, object], merged: str) -> str:
    """FEEL for a context of contexts, each merged with what stands at its path, unless that is "" and nothing does."""
    parts = []
    for name, value in entries.items():
        inner = _context(value, f"{merged}.{name}" if merged else "") if isinstance(value, dict) else value
        parts.append(f"{quoted(name)}: {inner}")
    made = f"{{{', '.join(parts)}}}"
    return f"if {merged} = null then {made} else context merge([{merged}, {made}])" if merged else made


def pass_on(work: Work, node: Node) -> None:
    """What comes out goes to the nearest scope that has such a variable, from the element's own on, as there."""
    work.set(node, "passOn", "outputs")


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


def _kept(work: Work, node: Node, found: Found) -> None:
    """Which version of a form or decision is used: Noria keeps the one that it finds at deployment."""
    if found.node.get("bindingType") in ("", "latest"):
        work.say(found, "import.binding_kept")
    else:
        _binding(work, node, found)


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
    _kept(work, node, found)


def _loop(work: Work, node: Node, found: Found) -> None:
    _move(work, node, found, "inputCollection", "collection", "import.collection")
    _move(work, node, found, "inputElement", "item", "import.item")
    _move(work, node, found, "outputCollection", "outputCollection", "import.aggregation_mapped")
    _move(work, node, found, "outputElement", "outputItem", "import.aggregation_mapped")
    if node.parent is not None:
        pass_on(work, node.parent)


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
    if form is not None:
        _kept(work, node, found)
    else:
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
    inbound = next((child for child in found.node.elements() if child.get("name") == "inbound.type"), None)
    if inbound is not None:
        work.say(found._replace(value=inbound.get("value")), "import.connector_inbound")
        return
    if not _is_job(node):
        work.say(found, "import.only_informs")
        return
    for child in found.node.elements():
        work.add(node, "header", name=child.get("name"), value=child.get("value"))
    work.say(found, "import.header")


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
    """An error or escalation code that is an expression: one may be thrown, none is caught."""
    name = f"{node.local}Code"
    found = Found(node, f"bpmn:{name}", dialect.plain(node.get(name).strip()))
    if not found.value.startswith("="):
        return
    events = [
        definition.parent
        for definition in work.document.root.descendants()
        if definition.get(f"{node.local}Ref").rpartition(":")[2] == node.get("id")
    ]
    if any(event is not None and event.local in ("boundaryEvent", "startEvent") for event in events):
        work.say(found, "import.code_expression")
    elif dialect.checked(work, found):
        node.attributes[name] = found.value
        work.say(found, "import.code_computed")


def speaks(work: Work) -> bool:
    """Whether a file is Camunda 8's."""
    return ZEEBE in work.vendors


def expression(work: Work, node: Node) -> None:
    """A condition or timer behind ``=``, in the words that are known here."""
    text = node.text.strip()
    if not speaks(work):
        return
    if not text.startswith("="):
        if node.local == "timeCycle" and (bare := dialect.without_zones(text)) != text:
            work.set_text(node, bare)
            work.say(Found(node, f"bpmn:{node.local}", text), "import.zone_left")
        elif node.local == "timeCycle" and is_cron(text):
            work.say(Found(node, f"bpmn:{node.local}", text), "import.cron_zone")
        return
    found = Found(node, f"bpmn:{node.local}", dialect.plain(text))
    if node.local == "timeCycle" and (cycle := dialect.cycle(found.value[1:])):
        found = found._replace(value=f"= {cycle}")
        work.say(found, "import.timer_expression")
    if not dialect.checked(work, found):
        if not node.local.startswith("time"):
            # It stays a condition that is refused: it would count as one that does not hold.
            node.attributes["language"] = "camunda"
    elif found.value != text:
        work.set_text(node, found.value)


def named(work: Work, node: Node) -> None:
    """The name of a message or signal as an expression."""
    name = node.get("name").strip()
    if speaks(work) and name.startswith("="):
        found = Found(node, f"bpmn:{node.local}", dialect.plain(name))
        if dialect.checked(work, found):
            node.attributes["name"] = found.value


def start_event(work: Work, node: Node) -> None:
    """Where the variables go that something starts with."""
    definition = next((child for child in node.elements() if child.local.endswith("EventDefinition")), None)
    if not speaks(work) or definition is None or node.parent is None:
        return
    if node.parent.local != "process":
        # That of an event sub-process gives them to the process; so it does what it maps them to.
        pass_on(work, node)
        return
    if data.has(node, "output"):
        work.say(node, "import.start_output")
    if definition.local == "messageEventDefinition":
        work.say(node, "import.message_start")


def conditional(work: Work, node: Node) -> None:
    """A conditional event that interrupts nothing occurs at each change of what it names while it holds."""
    event, condition = node.parent, node.first(bpmn("condition"))
    goes_on = event is not None and "false" in (event.get("cancelActivity"), event.get("isInterrupting"))
    if not speaks(work) or not goes_on or condition is None:
        return
    try:
        names = compile_expression(dialect.plain(condition.text.strip()).removeprefix("=")).names
    except FeelSyntaxError:
        return  # what it is refused for anyway
    if names and not node.get(noria("variables")):
        work.set(node, "variables", ",".join(sorted(names)))
    work.set(node, "everyChange", "true")
    work.say(node, "import.every_change")


def ad_hoc_sub_process(work: Work, node: Node) -> None:
    """Nothing begins by itself that is not named."""
    if not speaks(work):
        return
    if not node.get(noria("activities")):
        work.set(node, "activities", "= []")
        work.say(node, "import.activities_none")
    work.say(node, "import.activities_bring")
