"""SpiffWorkflow: what is simple in its extensions; its expressions are Python."""

from __future__ import annotations

import re

from noria.design.bpmn.names import BPMN, bpmn
from noria.design.importing.feel import Translation, translate_expression
from noria.design.importing.said import NotTranslatable
from noria.design.importing.vendors import SPIFF
from noria.design.importing.working import Found, Work
from noria.design.xml import Node

_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_ASSIGNMENT = re.compile(r"([^\W\d]\w*)\s*=\s*([^=].*)")
_ONLY = (SPIFF,)


def element(work: Work, node: Node) -> None:
    """Spiff's elements in an element's extensions; what is not named here is reported as unknown."""
    if not _written_for_spiff(work):
        return
    for found in work.take_elements(node, "calledDecisionId", vendors=_ONLY):
        work.set(node, "decision", found.value)
        work.say(found, "import.decision")
    for found in work.take_elements(node, "instructionsForEndUser", vendors=_ONLY):
        documentation = work.new(node, "documentation")
        work.set_text(documentation, found.value)
        documentation.parent = node
        node.children.insert(0, documentation)
        work.say(found, "import.instructions")
    for found in work.take_elements(node, "serviceTaskOperator", vendors=_ONLY):
        _operator(work, node, found)
    for found in work.take_elements(node, "category", "unitTests", vendors=_ONLY):
        work.say(found, "import.no_meaning")
    if node.local == "scriptTask":
        _script(work, node)


def _written_for_spiff(work: Work) -> bool:
    return work.vendors == {SPIFF}


def _python(text: str, *, condition: bool = False) -> Translation:
    """A Python expression that reads like one of JUEL.

    Raises:
        NotTranslatable: it is more than that.
    """
    return translate_expression(text, condition=condition, renamed=_CONSTANTS)


def _operator(work: Work, node: Node, found: Found) -> None:
    topic = found.node.get("id")
    variable = found.node.get("resultVariable")
    if not topic:
        work.say(found, "import.empty")
        return
    work.set(node, "topic", topic)
    if variable:
        work.set(node, "resultVariable", variable)
    for parameter in [item for item in found.node.descendants() if item.local == "parameter"]:
        part = Found(parameter, "spiffworkflow:parameter", parameter.get("value"))
        try:
            source = _python(part.value).text
        except NotTranslatable as reason:
            work.say(part, "import.expression", reason=str(reason))
            continue
        work.add(node, "input", source=f"= {source}", target=parameter.get("id"))
        work.say(part, "import.input_only", name=parameter.get("id"))
    work.say(found, "import.connector", topic=topic)


def _script(work: Work, node: Node) -> None:
    """Assignments, one a line, become the entries of a context."""
    child = node.first(bpmn("script"))
    if child is None or node.get("scriptFormat").lower() == "feel":
        return
    found = Found(node, "bpmn:script", child.text.strip())
    entries = []
    for line in filter(None, (line.split("#")[0].strip() for line in child.text.splitlines())):
        match = _ASSIGNMENT.fullmatch(line)
        try:
            translation = _python(match[2]) if match else None
        except NotTranslatable:
            translation = None
        if match is None or translation is None:
            # Scripts in a language that is not run are reported with all others.
            node.attributes["scriptFormat"] = "python"
            return
        entries.append(f"{match[1]}: {translation.text}")
    work.set_text(child, f"{{{', '.join(entries)}}}")
    node.attributes["scriptFormat"] = "feel"
    work.say(found, "import.script", language="python")


def condition(work: Work, node: Node) -> None:
    """A condition in Python."""
    text = node.text.strip()
    if not text or not _written_for_spiff(work) or node.namespace != BPMN:
        return
    found = Found(node, f"bpmn:{node.local}", text)
    try:
        translation = _python(text, condition=True)
    except NotTranslatable as reason:
        work.say(found, "import.expression", reason=str(reason))
        return
    for note in translation.notes:
        work.say(found, f"import.{note}")
    work.set_text(node, translation.text)
    work.say(found, "import.condition")
