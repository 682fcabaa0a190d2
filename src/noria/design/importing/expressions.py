"""Conditions, scripts and whatever else holds ``${…}`` in BPMN's own elements."""

from __future__ import annotations

import re

from noria.design.bpmn.names import BPMN, XPATH, bpmn
from noria.design.importing.feel import NotTranslatable, Translation, translate_expression
from noria.design.importing.juel import has_expression
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

CONDITIONS = frozenset(
    {"conditionExpression", "completionCondition", "condition", "loopCondition", "activationCondition"}
)
_SKIP_ENABLED = "_FLOWABLE_SKIP_EXPRESSION_ENABLED", "_ACTIVITI_SKIP_EXPRESSION_ENABLED"
_JUEL = frozenset({"", "juel", "uel", XPATH.lower(), "feel"})
_SCRIPTS = frozenset({"groovy", "javascript", "js", "ecmascript", "juel", "uel", "graal.js", "secure-javascript"})
_RETURN = re.compile(r"(?:return\s+)?(.+?);?")
_SAFE_SCRIPT = re.compile(r"[\w\s.+*/()<>='\"&|!?:,-]*")
_PRINTS = re.compile(
    r"\s*(?:(?:System\.out\.)?println?|console\.log|print)\s*\(?\s*(?:'[^']*'|\"[^\"]*\")\s*\)?\s*;?\s*"
)
_THROWS = re.compile(
    r"(?:import\s+[\w.]+;?\s*|var\s+BpmnError\s*=\s*[\w.]+;\s*)*throw\s+new\s+(?:[\w.]+\.)?BpmnError\(\s*['\"]([^'\"]+)['\"]"
    r"\s*\)\s*;?"
)
_COMMENT = re.compile(r"//[^\n]*")
_IGNORED_ATTRIBUTES = frozenset({"id", "name", "documentation"})


def expression(work: Work, node: Node) -> None:
    """A condition, a cardinality: FEEL from now on."""
    language = node.get("language")
    resource = work.take(node, "resource")
    if resource is not None:
        work.say(resource, "import.resource")
        # It stays a condition that is refused: without one the flow would always be taken.
        work.set_text(node, resource.value)
        node.attributes.setdefault("language", "script")
        return
    text = node.text.strip()
    if not text:
        return
    found = Found(node, f"bpmn:{node.local}", text)
    if language.lower() not in _JUEL and not language.lower().startswith("http"):
        translation = script(work, found, language)
        if translation is None:
            return
        work.set_text(node, translation.text)
        node.attributes.pop("language", None)
        work.say(found, "import.script", language=language)
        return
    if "juel" in language.lower():
        del node.attributes["language"]
    if has_expression(text):
        translated = work.translate(found, condition=node.local in CONDITIONS)
        if translated is not None:
            work.set_text(node, translated.text)
            work.say(found, "import.condition")


def skip_expression(work: Work, flow: Node) -> None:
    """Flowable's skip expression of a flow: it stands in for the condition when a variable of the instance says so."""
    found = work.take(flow, "skipExpression")
    if found is None:
        return
    translated = work.translate(found, condition=True)
    if translated is None:
        return
    condition = flow.first(bpmn("conditionExpression"))
    if condition is None:
        condition = work.append(flow, work.new(flow, "conditionExpression"))
        before = "true"
    else:
        before = condition.text.strip()
    enabled = " or ".join(f"{name} = true" for name in _SKIP_ENABLED)
    work.set_text(condition, f"if {enabled} then {translated.text} else {before}")
    work.say(found, "import.skip_flow")


def script(work: Work, found: Found, language: str) -> Translation | None:
    """A script that is one expression without side effects; a line says why when it is not."""
    match = _RETURN.fullmatch(found.value.strip())
    if language.lower() in ("juel", "uel") and has_expression(found.value):
        return work.translate(found)
    one_line = match is not None and "\n" not in match[1] and ";" not in match[1]
    if match is None or not one_line or language.lower() not in _SCRIPTS or not _SAFE_SCRIPT.fullmatch(match[1]):
        work.say(found, "import.script_language", language=language)
        return None
    try:
        translation = translate_expression(match[1])
    except NotTranslatable:
        translation = None
    # In scripts "+" joins texts, "/" may divide whole numbers, and methods have side effects.
    if translation is None or {"null_arithmetic", "modulo_sign", "method"} & set(translation.notes):
        work.say(found, "import.script_language", language=language)
        return None
    return translation


def script_task(work: Work, node: Node) -> None:
    """A script task: one FEEL expression, or reported."""
    variable = work.take(node, "resultVariable", "resultVariableName")
    if variable is not None:
        work.set(node, "resultVariable", variable.value)
        work.say(variable, "import.result_variable")
    skip = work.take(node, "skipExpression")
    if skip is not None:
        work.say(skip, "import.skip")
    resource = work.take(node, "resource")
    if resource is not None:
        work.say(resource, "import.resource")
        return
    child = node.first(bpmn("script"))
    language = node.get("scriptFormat")
    if child is None or language.lower() == "feel" or not child.text.strip():
        return
    found = Found(node, "bpmn:script", child.text.strip())
    if _PRINTS.fullmatch(found.value):
        # Nothing but a line on the console: no variable and no way depends on it.
        work.set_text(child, "null")
        node.attributes["scriptFormat"] = "feel"
        work.say(found, "import.script_prints")
        return
    thrown = _THROWS.fullmatch(_COMMENT.sub("", found.value).strip())
    if thrown is not None:
        _throw(work, node, found, thrown[1])
        return
    translation = script(work, found, language or "juel")
    if translation is not None:
        work.set_text(child, translation.text)
        node.attributes["scriptFormat"] = "feel"
        work.say(found, "import.script", language=language or "juel")


def _throw(work: Work, node: Node, found: Found, error: str) -> None:
    """A script task that only throws a business error: a sub-process with an error end event."""
    for child in list(node.elements(bpmn("script"))):
        work.remove(child)
    for name in ("scriptFormat", "script"):
        node.attributes.pop(name, None)
    node.local = "subProcess"
    key = node.get("id")
    start = work.append(node, work.new(node, "startEvent"))
    start.attributes["id"] = work.unique(f"{key}_start")
    end = work.append(node, work.new(node, "endEvent"))
    end.attributes["id"] = work.unique(f"{key}_error")
    definition = work.append(end, work.new(node, "errorEventDefinition"))
    definition.attributes["errorRef"] = error_of(work, error)
    flow = work.append(node, work.new(node, "sequenceFlow"))
    flow.attributes = {
        "id": work.unique(f"{key}_flow"),
        "sourceRef": start.get("id"),
        "targetRef": end.get("id"),
    }
    work.say(found, "import.script_throws", error=error)


def error_of(work: Work, code: str) -> str:
    """Id of the error with this code; one is declared when there is none."""
    for error in work.document.root.elements(bpmn("error")):
        if code == (error.get("errorCode") or error.get("id")):
            return error.get("id")
    key = work.add_root("error", re.sub(r"\W", "_", code), code)
    work.root_of(key).attributes["errorCode"] = code
    return key


def left_over(work: Work, node: Node) -> None:
    """An expression that nobody translated is reported: what is shown to people is only text here."""
    for key, value in node.attributes.items():
        if key.startswith("{") or not has_expression(value):
            continue
        found = Found(node, f"bpmn:{key}", value)
        work.say(found, "import.name_computed" if key in _IGNORED_ATTRIBUTES else "import.expression_left")
    if node.namespace == BPMN and node.local != "documentation" and has_expression(node.text):
        already = any(line.line == node.line and line.outcome == "needs_work" for line in work.lines)
        if not already:
            work.say(Found(node, f"bpmn:{node.local}", node.text.strip()), "import.expression_left")
