"""The document at work: taking Noria's words out, writing the standard's in, and reporting each."""

from __future__ import annotations

from noria.design.bpmn.names import BPMN, NORIA, bpmn, noria
from noria.design.bpmn.vocabulary import EXTENSION_ELEMENTS, VOCABULARY
from noria.design.exporting.sentences import SENTENCES
from noria.design.findings import Finding
from noria.design.xml import Document, Node

_VALUE_MAX = 200
_HEAD = frozenset(
    {"documentation", "extensionElements", "auditing", "monitoring", "categoryValueRef", "incoming", "outgoing"}
)
_ROLES = frozenset({"resourceRole", "performer", "humanPerformer", "potentialOwner"})
_BEFORE: dict[str, frozenset[str]] = {
    "documentation": frozenset({"documentation"}),
    "ioSpecification": _HEAD,
    "humanPerformer": _HEAD | _ROLES | {"ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation"},
}
_BEFORE["potentialOwner"] = _BEFORE["humanPerformer"]
_BEFORE["multiInstanceLoopCharacteristics"] = _BEFORE["humanPerformer"]
"""What may stand before an element in an activity (BPMN 2.0.2, the schema's sequence)."""


class Writing:
    """One file being exported.

    Attributes:
        document: changed in place.
        file: its name, for the report.
        findings: the report so far.
    """

    def __init__(self, document: Document, file: str) -> None:
        self.document = document
        self.file = file
        self.findings: list[Finding] = []
        self._ids = {node.get("id") for node in document.root.descendants() if node.get("id")}
        self._described: dict[int, tuple[Node, list[str]]] = {}

    # Reporting

    def say(self, node: Node, code: str, **details: str) -> None:
        """Add a finding about an element."""
        shown = {name: text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}…" for name, text in details.items()}
        text = SENTENCES[code]
        around: Node | None = node
        while around is not None and not (around.namespace == BPMN and around.get("id")):
            around = around.parent
        element = around.get("id") if around is not None else ""
        filled = text.en.format(**shown)
        self.findings.append(Finding(text.severity, code, filled, self.file, node.line, element, shown))

    # Taking

    def take(self, node: Node, name: str) -> str:
        """Take one of Noria's attributes off an element; "" when it is not there, or says nothing."""
        node.attribute_prefixes.pop(noria(name), None)
        return node.attributes.pop(noria(name), "").strip()

    def describe(self, node: Node, name: str, code: str = "export.described") -> None:
        """Take an attribute into the documentation."""
        value = self.take(node, name)
        if value:
            # A word that does not exist is for the check of the model to report; here nothing is lost.
            known = VOCABULARY.get(name)
            self.note(node, f"noria:{name}", value, known.meaning if known is not None else "", code)

    def note(self, node: Node, name: str, value: str, meaning: str, code: str) -> None:
        """Write into an element's documentation what was said there, and report it."""
        self.remark(node, name, value, meaning)
        self.say(node, code, attribute=name, value=value)

    def remark(self, node: Node, name: str, value: str, meaning: str) -> None:
        """Write into an element's documentation what was said there; a finding says it otherwise."""
        self._described.setdefault(id(node), (node, []))[1].append(f"{name} = {value}\n    {meaning}".rstrip())

    def describe_element(self, holder: Node, element: Node) -> None:
        """Take one of Noria's extension elements into the documentation."""
        said = " ".join(f'{key}="{value}"' for key, value in element.attributes.items())
        known = EXTENSION_ELEMENTS.get(element.local)
        said = f"{said} {element.text.strip()}".strip()
        code = "export.technical" if element.local == "header" else "export.described"
        self.note(holder, f"noria:{element.local}", said, known.meaning if known is not None else "", code)

    def finish(self) -> None:
        """Write the notes into the documentation of their elements."""
        for node, notes in self._described.values():
            made = self.new(node, "documentation")
            made.attributes = {"textFormat": "text/plain"}
            made.children = ["\n".join(notes)]
            self.insert(node, made)

    # Writing

    @staticmethod
    def new(like: Node, local: str, text: str = "") -> Node:
        """A BPMN element with the prefix and the line of another one, not yet anywhere."""
        around: Node | None = like
        while around is not None and around.namespace != BPMN:
            around = around.parent
        made = Node(BPMN, local, around.prefix if around is not None else "", like.line)
        if text:
            made.children = [text]
        return made

    def nested(self, like: Node, *path: str, text: str) -> Node:
        """Elements one in another, the last with a text."""
        made = self.new(like, path[0], text if len(path) == 1 else "")
        if len(path) > 1:
            self.append(made, self.nested(like, *path[1:], text=text))
        return made

    @staticmethod
    def append(parent: Node, child: Node) -> Node:
        """Put an element last into a new one."""
        child.parent = parent
        parent.children.append(child)
        return child

    @staticmethod
    def insert(parent: Node, child: Node) -> None:
        """Put an element where the schema wants it, with the white space of its neighbours."""
        before = _BEFORE.get(child.local, frozenset())
        place = 0
        for position, other in enumerate(parent.children):
            if isinstance(other, Node):
                if other.local not in before:
                    break
                place = position + 1
        first = next((at for at, other in enumerate(parent.children) if isinstance(other, Node)), 0)
        indent = parent.children[first - 1] if first else ""
        child.parent = parent
        parent.children[place:place] = [indent, child] if isinstance(indent, str) and not indent.strip() else [child]

    def add_root(self, child: Node) -> None:
        """Put an element beside the processes, before the first."""
        root = self.document.root
        places = (
            at for at, other in enumerate(root.children) if isinstance(other, Node) and other.tag == bpmn("process")
        )
        child.parent = root
        place = next(places, len(root.children))
        indent = root.children[place - 1] if place else ""
        root.children[place:place] = [child, indent] if isinstance(indent, str) and not indent.strip() else [child]

    def unique(self, wish: str) -> str:
        """An id that nothing has yet."""
        found, count = wish, 1
        while found in self._ids:
            count += 1
            found = f"{wish}_{count}"
        self._ids.add(found)
        return found


def words_of(node: Node) -> list[str]:
    """The attributes of Noria's namespace that are left on an element."""
    return [key.rpartition("}")[2] for key in node.attributes if key.startswith(f"{{{NORIA}}}")]
