"""A model as plain BPMN 2.0: no namespace but the standard's own, and a finding for whatever that costs."""

from __future__ import annotations

from collections import Counter

import msgspec

from noria.design.bpmn.names import BPMN, NORIA, XSI_TYPE, bpmn, noria
from noria.design.bpmn.reading import read_bpmn
from noria.design.exporting import tasks
from noria.design.exporting.sentences import SENTENCES
from noria.design.exporting.writing import Writing, words_of
from noria.design.findings import Finding, has_errors
from noria.design.xml import XML_NAMESPACE, Node, write_xml

FEEL = "https://www.omg.org/spec/DMN/20191111/FEEL/"
STANDARD = frozenset(
    {
        "",
        BPMN,
        "http://www.omg.org/spec/BPMN/20100524/DI",
        "http://www.omg.org/spec/DD/20100524/DI",
        "http://www.omg.org/spec/DD/20100524/DC",
        XSI_TYPE[1:].partition("}")[0],
        "http://www.w3.org/2001/XMLSchema",
        XML_NAMESPACE,
    }
)
"""Namespaces that plain BPMN 2.0 and its drawings use."""
_TECHNICAL = frozenset({"retries", "retryWait", "saveBefore", "saveAfter", "jobPriority"})
"""Attributes that change nothing of what happens in which order and by whom."""


class Plain(msgspec.Struct, frozen=True):
    """What became of a file.

    Attributes:
        document: the XML; None when the file cannot be read.
        findings: what is said differently now or lost, by element, in the order of the file; what is wrong with a
            file that cannot be read.
    """

    document: bytes | None
    findings: list[Finding]


def sentence(finding: Finding, language: str = "en") -> str:
    """The sentence of a finding in English ("en") or Chinese ("zh")."""
    text = SENTENCES.get(finding.code)
    return text.zh.format(**finding.details) if text is not None and language == "zh" else finding.message


def export_plain(content: bytes, file: str) -> Plain:
    """Write a model without any namespace but the standard's own.

    Elements and flows stay as they are. What the standard has a word for is said by it; what it has none for goes into
    the documentation of its element, and a finding says so.

    Args:
        content: the XML of a BPMN file.
        file: its name, for the findings.
    """
    read, findings = read_bpmn(content, file)
    if read is None or has_errors(findings):
        return Plain(None, findings)
    writing = Writing(read.document, file)
    nodes = [node for node in read.document.root.descendants() if node.namespace == BPMN]
    speaks_noria = any(NORIA in node.declarations.values() for node in read.document.root.descendants())
    operations: dict[str, str] = {}
    lanes = _groups(nodes)
    for node in nodes:
        if node.local in ("userTask", "globalUserTask"):
            tasks.user_task(writing, node, lanes.get(node.get("id"), ""))
        elif node.local in ("serviceTask", "sendTask"):
            tasks.job(writing, node, operations)
        elif node.local == "multiInstanceLoopCharacteristics":
            tasks.instances(writing, node)
        elif node.local == "lane":
            _lane(writing, node)
        elif node.local == "callActivity" and node.get("calledElement").strip().startswith("="):
            called = node.attributes.pop("calledElement").strip()
            writing.note(node, "calledElement", called, "Which process is called, computed.", "export.computed")
        _rest(writing, node)
    if speaks_noria and not read.document.root.get("expressionLanguage"):
        read.document.root.attributes["expressionLanguage"] = FEEL
        writing.say(read.document.root, "export.language")
    writing.finish()
    _foreign(writing)
    findings = sorted(writing.findings, key=lambda finding: finding.line)
    return Plain(write_xml(read.document), findings)


def _groups(nodes: list[Node]) -> dict[str, str]:
    """Whose task it is that names nobody: the group of the innermost lane around it, by the id of the task."""
    # Lanes stand in document order, so that an inner one comes later than what is around it.
    return {
        reference.text.strip(): lane.get(noria("group"))
        for lane in nodes
        if lane.local == "lane" and (lane.get(noria("group")) or lane.get("name"))
        for reference in lane.elements(bpmn("flowNodeRef"))
    }


def _lane(writing: Writing, node: Node) -> None:
    """Who works in a lane is its name, unless that says something else already."""
    if node.get("name") and node.get("name") != node.get(noria("group")):
        return
    group = writing.take(node, "group")
    if group:
        node.attributes["name"] = group
        writing.say(node, "export.lane", attribute="noria:group", value=group)


def _rest(writing: Writing, node: Node) -> None:
    """What the standard has no word for goes into the documentation."""
    for name in words_of(node):
        writing.describe(node, name, "export.technical" if name in _TECHNICAL else "export.described")
    holder = node.first(bpmn("extensionElements"))
    for child in list(holder.elements()) if holder is not None else []:
        if child.namespace == NORIA:
            writing.describe_element(node, child)
            child.detach()


def _foreign(writing: Writing) -> None:
    """Leave out what is in other namespaces: each in the model with a finding, those of the drawing counted."""
    root = writing.document.root
    drawing: Counter[str] = Counter()
    for node in list(root.descendants()):
        if node.namespace not in STANDARD:
            around = node.parent
            if around is None or around.namespace not in STANDARD:
                continue
            if around.namespace == BPMN:
                name = f"{node.prefix}:{node.local}" if node.prefix else node.local
                writing.say(around, "export.foreign", attribute=name, namespace=node.namespace)
            else:
                drawing[node.namespace] += 1
            node.detach()
            continue
        for key in [key for key in node.attributes if key.startswith("{")]:
            uri, _, local = key[1:].partition("}")
            if uri in STANDARD:
                continue
            prefix = node.attribute_prefixes.pop(key, "")
            del node.attributes[key]
            if node.namespace == BPMN:
                writing.say(node, "export.foreign", attribute=f"{prefix}:{local}", namespace=uri)
            else:
                drawing[uri] += 1
    for uri, count in sorted(drawing.items()):
        writing.say(root, "export.drawing", count=str(count), namespace=uri)
    _empty(root)
    _undeclare(root)


def _empty(root: Node) -> None:
    """Holders of extensions that hold nothing any more."""
    for node in list(root.descendants()):
        holds = node.namespace in STANDARD and node.local in ("extensionElements", "extension")
        if holds and not any(node.elements()) and not node.get("definition"):
            node.detach()


def _undeclare(root: Node) -> None:
    """Drop the declarations of foreign namespaces whose prefix is in no value, such as a type's name."""
    values = [value for node in root.descendants() for value in node.attributes.values()]
    for node in root.descendants():
        node.declarations = {
            prefix: uri
            for prefix, uri in node.declarations.items()
            if uri in STANDARD or (uri != NORIA and any(value.startswith(f"{prefix}:") for value in values))
        }
