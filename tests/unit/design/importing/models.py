"""Small models of other vendors, and what an import makes of them."""

from __future__ import annotations

from noria.design.bpmn.names import NORIA, bpmn
from noria.design.importing import Imported, import_bpmn
from noria.design.xml import Node, read_xml
from noria.operate.bundles import read_bundle

NAMESPACES = {
    "": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "camunda": "http://camunda.org/schema/1.0/bpmn",
    "operaton": "http://operaton.org/schema/1.0/bpmn",
    "flowable": "http://flowable.org/bpmn",
    "activiti": "http://activiti.org/bpmn",
    "zeebe": "http://camunda.org/schema/zeebe/1.0",
    "spiffworkflow": "http://spiffworkflow.org/bpmn/schema/1.0/core",
}
ENGINES = "camunda operaton flowable activiti"


class Model:
    """An imported process with the element under test.

    Attributes:
        imported: what `import_bpmn` gave.
        root: the written document, read again.
    """

    def __init__(
        self, body: str, *, outside: str = "", process: str = "", vendors: str = ENGINES, root: str = ""
    ) -> None:
        declared = " ".join(
            f'xmlns{":" + prefix if prefix else ""}="{uri}"'
            for prefix, uri in NAMESPACES.items()
            if prefix in ("", "xsi", *vendors.split())
        )
        text = (
            f'<definitions {declared} {root} targetNamespace="t">{outside}'
            f'<process id="p" isExecutable="true" {process}>{body}</process></definitions>'
        )
        self.imported: Imported = import_bpmn(text.encode(), "model.bpmn")
        assert self.imported.document is not None
        self.root: Node = read_xml(self.imported.document).root

    def __getitem__(self, key: str) -> Node:
        """The element of this id."""
        return next(node for node in self.root.descendants() if node.get("id") == key)

    def noria(self, key: str) -> dict[str, str]:
        """Noria's attributes of an element."""
        start = f"{{{NORIA}}}"
        return {name[len(start) :]: value for name, value in self[key].attributes.items() if name.startswith(start)}

    def mappings(self, key: str) -> list[tuple[str, dict[str, str]]]:
        """Noria's elements in an element's extensions."""
        holder = self[key].first(bpmn("extensionElements"))
        return [] if holder is None else [(child.local, child.attributes) for child in holder.elements()]

    def codes(self, outcome: str = "") -> list[str]:
        """Codes of the report's lines, all or those of an outcome, without those that every model has."""
        return [line.code for line in self.imported.lines if outcome in ("", line.outcome)]

    def errors(self) -> list[str]:
        """Codes of what `noria check` refuses."""
        assert self.imported.document is not None
        findings = read_bundle({"model.bpmn": self.imported.document, **self.imported.forms}).findings
        return [item.code for item in findings if item.severity == "error"]


def around(element: str, extra: str = "") -> str:
    """A process from start to end through one element whose id is x."""
    return (
        f'<startEvent id="s"/>{element}<endEvent id="e"/>{extra}'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="e"/>'
    )
