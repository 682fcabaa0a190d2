"""Files of other vendors: what of them an import recognises, and which need no work afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from noria.design.importing import Imported, import_bpmn
from noria.design.importing.vendors import VENDORS
from noria.design.xml import Node, read_xml
from tests.conformance.vendor_scenarios import VENDORS as SUITES
from tests.conformance.verdicts import Verdict

PACKS = tuple(SUITES)
_JAVA = ("class", "delegateExpression", "formHandlerClass", "variableMappingClass", "variableMappingDelegateExpression")
_UNKNOWN = ("import.unknown_attribute", "import.unknown_element")


def paths(folder: Path) -> list[Path]:
    """The models of a pack."""
    return sorted([*folder.rglob("*.bpmn"), *folder.rglob("*.xml")])


def imported(path: Path) -> tuple[Node, Imported]:
    """A file's root as it was, and what an import makes of it."""
    content = path.read_bytes()
    return read_xml(content).root, import_bpmn(content, path.name)


def spoken(root: Node) -> Iterator[tuple[Node, str]]:
    """Each attribute and element of a vendor, as a report names it; what is inside a vendor's element is its own."""
    for node in root.descendants():
        if node.namespace in VENDORS and node.parent is not None and node.parent.namespace not in VENDORS:
            yield node, f"{VENDORS[node.namespace]}:{node.local}"
        for key in node.attributes:
            uri, _, name = key[1:].partition("}") if key.startswith("{") else ("", "", "")
            if uri in VENDORS and node.namespace not in VENDORS:
                yield node, f"{VENDORS[uri]}:{name}"


def attributes(folder: Path) -> Iterator[Verdict]:
    """Each attribute and element of a vendor is mapped or reported by a line that knows it, at its own place."""
    for path in paths(folder):
        root, result = imported(path)
        for node, name in spoken(root):
            last = max(inner.line for inner in node.descendants())
            lines = [
                line
                for line in result.lines
                if node.line <= line.line <= last
                and (line.attribute.startswith(name) or (node.namespace in VENDORS and line.line > node.line))
            ]
            good = bool(lines) and not any(line.code in _UNKNOWN for line in lines)
            comment = "" if good else f"line {node.line}: {[line.code for line in lines]}"
            yield Verdict(f"{path.relative_to(folder)}:{node.line}:{name}", good, comment)


def files(folder: Path) -> Iterator[Verdict]:
    """Each file that names no Java class is imported, and nothing of it needs work."""
    for path in paths(folder):
        root, result = imported(path)
        if any(key.rpartition("}")[2] in _JAVA for node in root.descendants() for key in node.attributes):
            continue
        work = [f"{line.line} {line.code}" for line in result.lines if line.outcome == "needs_work"]
        yield Verdict(str(path.relative_to(folder)), result.document is not None and not work, ", ".join(work))
