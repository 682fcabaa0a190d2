"""The outside suites, each as a function from its folder to the verdict on every case."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from noria.design.bpmn import read_bpmn, write_bpmn
from noria.design.findings import has_errors
from noria.design.xml import Node
from noria.operate.bundles import read_bundle
from tests.conformance.betsy import betsy
from tests.conformance.verdicts import Verdict


def tree(node: Node) -> tuple[object, ...]:
    """Everything of a node and below it: names, prefixes, attributes in their order, texts, comments."""
    return (
        node.tag,
        node.prefix,
        tuple(node.attributes.items()),
        tuple(tree(child) if isinstance(child, Node) else child for child in node.children),
    )


def files_of_other_tools(folder: Path) -> Iterator[Verdict]:
    """Each BPMN file is read and written back without loss: diagrams, foreign extensions, comments and order."""
    for path in sorted(folder.rglob("*.bpmn")):
        case = str(path.relative_to(folder))
        original, findings = read_bpmn(path.read_bytes(), path.name)
        if original is None:
            yield Verdict(case, False, str(findings[0]))
            continue
        again, findings = read_bpmn(write_bpmn(original), path.name)
        same = again is not None and tree(again.document.root) == tree(original.document.root)
        yield Verdict(case, same, "" if same else "not the same after writing")


def faulty_models(folder: Path) -> Iterator[Verdict]:
    """Each model, which has one planted fault, is refused."""
    for path in sorted(folder.rglob("*.bpmn")):
        refused = has_errors(read_bundle({path.name: path.read_bytes()}).findings)
        yield Verdict(str(path.relative_to(folder)), refused, "" if refused else "not refused")


def hostile_xml(folder: Path) -> Iterator[Verdict]:
    """Each file is refused or accepted as the suite expects, with its place and reason, within the budget."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for name, wanted in sorted(expected["files"].items()):
        begun = time.process_time()
        findings = read_bundle({name: (folder / name).read_bytes()}).findings
        spent = time.process_time() - begun
        accepted = not has_errors(findings)
        comment = ""
        if accepted != wanted["expect"].startswith("accept"):
            comment = f"{wanted['why']}: {[str(item) for item in findings]}"
        elif spent >= expected["budget"]["seconds_each"]:
            comment = f"took {spent:.1f} s"
        elif not accepted and not all(
            str(item).startswith(f"{name}:") and item.line and item.message for item in findings
        ):
            comment = "a finding has no place or no reason"
        yield Verdict(name, not comment, comment)


SUITES: dict[str, Callable[[Path], Iterator[Verdict]]] = {
    "bpmn-betsy": betsy,
    "bpmn-constraints": faulty_models,
    "bpmn-miwg": files_of_other_tools,
    "xml-attacks": hostile_xml,
}
"""By the name of the folder. The DMN TCK, which has levels and a format of results of its own, is in `dmn_tck`."""
