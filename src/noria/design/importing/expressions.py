"""Conditions, scripts and whatever else holds ``${…}`` in BPMN's own elements."""

from __future__ import annotations

import re

from noria.design.bpmn.names import BPMN, XPATH, bpmn, noria
from noria.design.importing import scripts
from noria.design.importing.feel import Translation
from noria.design.importing.juel import has_expression
from noria.design.importing.said import NAME, NotTranslatable
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

CONDITIONS = frozenset(
    {"conditionExpression", "completionCondition", "condition", "loopCondition", "activationCondition"}
)
_JUEL = frozenset({"", "juel", "uel", *map(str.lower, XPATH), "feel"})
_COUNT = "if {0} instance of string then number({0}) else {0}"
"""The vendors take a text of digits for how many instances there are."""
_IN_TURN = {"nrOfActiveInstances": "1"}
"""The vendors count the instance that has just completed as active still, where one runs after another."""
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
        translation = script(work, found, language, condition=node.local in CONDITIONS)
        if translation is None:
            return
        work.set_text(node, translation.text)
        node.attributes.pop("language", None)
        work.say(found, "import.script", language=language)
        return
    if "juel" in language.lower():
        del node.attributes["language"]
    if has_expression(text):
        renamed = _IN_TURN if node.local == "completionCondition" and _in_turn(node) else None
        translated = work.translate(found, condition=node.local in CONDITIONS, renamed=renamed)
        if translated is not None:
            counts = node.local == "loopCardinality" and NAME.fullmatch(translated.text)
            work.set_text(node, _COUNT.format(translated.text) if counts else translated.text)
            work.say(found, "import.condition")


def _in_turn(node: Node) -> bool:
    """Whether a completion condition is that of a loop whose instances run one after another."""
    return node.parent is not None and node.parent.get("isSequential") in ("true", "1")


def script(work: Work, found: Found, language: str, *, condition: bool = False) -> Translation | None:
    """A script that amounts to one expression; a line says why when it does not."""
    if language.lower() in ("juel", "uel"):
        return work.translate(found)
    try:
        translation = scripts.read_script(found.value, language).expression(condition=condition)
    except NotTranslatable:
        work.say(found, "import.script_language", language=language)
        return None
    for note in translation.notes:
        work.say(found, f"import.{note}")
    return translation


def script_task(work: Work, node: Node) -> None:
    """A script task: one FEEL expression, or reported."""
    variable = work.take(node, "resultVariable", "resultVariableName")
    if variable is not None:
        work.set(node, "resultVariable", variable.value)
        work.say(variable, "import.result_variable")
    resource = work.take(node, "resource")
    if resource is not None:
        work.say(resource, "import.resource")
        return
    child = node.first(bpmn("script"))
    language = node.get("scriptFormat")
    if child is None or language.lower() == "feel" or not child.text.strip():
        return
    found = Found(node, "bpmn:script", child.text.strip())
    if scripts.prints(found.value):
        # Nothing but a line on the console: no variable and no way depends on it.
        work.set_text(child, "null")
        node.attributes["scriptFormat"] = "feel"
        work.say(found, "import.script_prints")
        return
    thrown = scripts.throws(found.value)
    if thrown:
        _throw(work, node, found, thrown)
        return
    translation = _sets(work, node, found, language) or script(work, found, language or "juel")
    if translation is not None:
        work.set_text(child, translation.text)
        node.attributes["scriptFormat"] = "feel"
        work.say(found, "import.script", language=language or "juel")


def _sets(work: Work, node: Node, found: Found, language: str) -> Translation | None:
    """A script that sets variables is a context of them; None for one that does not, or does more."""
    variable = node.get(noria("resultVariable"))
    try:
        read = scripts.read_script(found.value, language)
        if not read.variables:
            return None
        translation = read.context(variable)
    except NotTranslatable:
        return None
    for note in translation.notes:
        work.say(found, f"import.{note}")
    if variable:
        # It is one of the context's entries now.
        del node.attributes[noria("resultVariable")]
    return translation


def _throw(work: Work, node: Node, found: Found, error: str) -> None:
    """A script task that only throws a business error: a sub-process with an error end event."""
    for child in list(node.elements(bpmn("script"))):
        work.remove(child)
    for name in ("scriptFormat", "script", noria("resultVariable")):
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
    work.by_id(key).attributes["errorCode"] = code
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
