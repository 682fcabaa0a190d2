"""What is written in BPMN's and Noria's namespaces is a word of theirs: a slip of the pen must not pass for nothing."""

from __future__ import annotations

import re

from noria.design.bpmn.names import ATTRIBUTES, BPMN, EVERY_NODE, NORIA, bpmn
from noria.design.bpmn.schema import ELEMENTS, NAMED, ONCE, ONLY_IN, REQUIRED, URIS, VALUES
from noria.design.bpmn.source import FLOW_NODES, BpmnFile, Findings
from noria.design.bpmn.vocabulary import EXTENSION_ELEMENTS
from noria.design.xml import Node

_IN_NO_URI = re.compile(r"""[<>"{}|\\^`]|%(?![0-9A-Fa-f]{2})""")
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+( *;.*)?")


def check_spelling(read: BpmnFile, findings: Findings) -> None:
    """Report attributes, elements and values that do not exist, or not where they stand.

    Some tools write their own extensions in BPMN's namespace: inside `extensionElements` everything is theirs.
    """
    _check_values(read.document.root, findings)
    _check_words(read.document.root, findings)
    for node in read.document.root.descendants():
        if node.namespace == NORIA:
            _check_element(node, findings)
            continue
        known: tuple[str, ...] = ()
        if node.namespace == BPMN:
            known = (*ATTRIBUTES.get(node.local, ()), *(EVERY_NODE if node.local in FLOW_NODES else ()))
        for key in node.attributes:
            uri, _, name = key[1:].partition("}") if key.startswith("{") else ("", "", "")
            if uri == NORIA and name not in known:
                message = f"A {node.local} has no attribute noria:{name}."
                findings.error("bpmn.unknown_attribute", message, node, attribute=name)


def _check_words(node: Node, findings: Findings) -> None:
    seen: set[str] = set()
    for child in node.elements():
        if child.namespace != BPMN:
            continue
        if child.local in ONCE and child.local in seen:
            findings.error("bpmn.once", f"A {node.local} has one {child.local}, not several.", child)
        seen.add(child.local)
        if child.local == "extensionElements":
            continue
        if child.local not in ELEMENTS:
            findings.error("bpmn.unknown_element", f"BPMN has no element {child.local}.", child, name=child.local)
        elif node.local not in ONLY_IN.get(child.local, {node.local}):
            findings.error("bpmn.place", f"A {node.local} has no {child.local}.", child)
        if child.local in NAMED and not child.get("id"):
            findings.error("bpmn.no_id", f"A {child.local} has no id.", child)
        _check_values(child, findings)
        for name in REQUIRED.get(child.local, ()):
            if child.first(bpmn(name)) is None:
                message = f"A {child.local} has no {name}, and needs one."
                findings.error("bpmn.no_reference", message, child)
        _check_words(child, findings)


def _check_values(node: Node, findings: Findings) -> None:
    for name, value in node.attributes.items():
        message = ""
        if name in VALUES and value not in VALUES[name]:
            message = f"{name} is {', '.join(sorted(VALUES[name]))}, not {value[:80]!r}."
        elif name in URIS and _IN_NO_URI.search(value):
            message = f"{name} is a URI, not {value[:80]!r}."
        elif name == "textFormat" and not _MIME_TYPE.fullmatch(value):
            message = f"textFormat is a MIME type such as text/plain, not {value[:80]!r}."
        if message:
            findings.error("bpmn.value", message, node, attribute=name)


def _check_element(node: Node, findings: Findings) -> None:
    known = EXTENSION_ELEMENTS.get(node.local)
    around = node.parent
    if known is None or around is None or around.tag != bpmn("extensionElements"):
        message = f"There is no element noria:{node.local} here; extensionElements may hold {_listed()}."
        findings.error("bpmn.unknown_extension", message, node, name=node.local)
        return
    for key in node.attributes:
        if key not in known.attributes:
            name = key.rpartition("}")[2]
            message = f"noria:{node.local} has no attribute {name}."
            findings.error("bpmn.unknown_attribute", message, node, attribute=name)


def _listed() -> str:
    return ", ".join(f"noria:{name}" for name in EXTENSION_ELEMENTS)
