"""The document at work: taking vendors' attributes and elements out, writing Noria's in, and reporting each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from noria.design.bpmn.names import BPMN, NORIA, bpmn, noria
from noria.design.importing.feel import Translation, translate
from noria.design.importing.report import ReportLine, report_line
from noria.design.importing.said import NotTranslatable, quoted
from noria.design.importing.vendors import (
    CAMUNDA_8,
    JUEL_VENDORS,
    PLATFORM,
    UNSUPPORTED,
    UNSUPPORTED_ELEMENTS,
    VENDORS,
    WITHOUT_MEANING,
    WITHOUT_MEANING_ELEMENTS,
    ZEEBE,
)
from noria.design.xml import Document, Node

_TEXT_MAX = 120


class Found(NamedTuple):
    """Something a vendor's attribute or element said.

    Attributes:
        node: the XML element it stood at (or was).
        name: as the report writes it, e.g. ``camunda:assignee``.
        value: its value, stripped.
    """

    node: Node
    name: str
    value: str

    @property
    def is_true(self) -> bool:
        """Whether it says true."""
        return self.value.lower() == "true"


class Work:
    """One file being imported.

    Attributes:
        document: changed in place.
        file: its name, for the report.
        lines: the report so far.
        forms: generated forms: name without ending → schema.
        vendors: URIs of the vendors whose namespaces the file declares, and whose it therefore is.
    """

    def __init__(self, document: Document, file: str) -> None:
        self.document = document
        self.file = file
        self.lines: list[ReportLine] = []
        self.forms: dict[str, dict[str, object]] = {}
        declared = {uri: prefix for prefix, uri in document.root.declarations.items()}
        self._prefix = declared.get(NORIA, "noria")
        self.vendors = _vendors(document.root)
        found = Counter(node.get("id") for node in document.root.descendants())
        self._ids = {key for key in found if key}
        self._shared = {key for key in self._ids if found[key] > 1}

    # Reporting

    def say(self, about: Found | Node, code: str, **details: str) -> None:
        """Add a line about something found, or about an element."""
        node = about.node if isinstance(about, Found) else about
        name, value = (about.name, about.value) if isinstance(about, Found) else ("", "")
        around: Node | None = node
        while around is not None and not (around.namespace == BPMN and around.get("id")):
            around = around.parent
        element = around.get("id") if around is not None else ""
        shown = {key: text[:_TEXT_MAX] for key, text in {"value": value, **details}.items()}
        self.lines.append(report_line(code, self.file, node.line, element, name, shown))

    # Taking

    def take(self, node: Node, *names: str, vendors: Iterable[str] = JUEL_VENDORS) -> Found | None:
        """Take a vendor's attribute off an element: the first that is there; its synonyms go with it."""
        found = None
        for name in names:
            for uri in vendors:
                key = f"{{{uri}}}{name}"
                if key not in node.attributes:
                    continue
                value = node.attributes.pop(key).strip()
                node.attribute_prefixes.pop(key, None)
                taken = Found(node, f"{VENDORS[uri]}:{name}", value)
                if found is None:
                    found = taken
                else:
                    self.say(taken, "import.twice", other=found.name)
        return found

    def report(self, node: Node, code: str, *names: str) -> None:
        """Take attributes that have no counterpart, each with a line of this code."""
        for name in names:
            found = self.take(node, name)
            if found is not None:
                self.say(found, code)

    def take_elements(self, node: Node, *names: str, vendors: Iterable[str] = JUEL_VENDORS) -> list[Found]:
        """Take a vendor's elements with these names out of an element's extensions (or from inside a vendor's own)."""
        holder = node if node.namespace in VENDORS else node.first(bpmn("extensionElements"))
        if holder is None:
            return []
        taken = []
        for child in list(holder.elements()):
            if child.namespace in vendors and child.local in names:
                taken.append(Found(child, f"{VENDORS[child.namespace]}:{child.local}", child.text.strip()))
                if holder is not node:
                    self.remove(child)
        return taken

    def remove(self, node: Node) -> None:
        """Take an element out of the document, with the white space before it; `parent` stays, for the report."""
        parent = node.parent
        if parent is None:
            return
        if node.namespace == BPMN:
            self.sweep(node)
        node.detach()
        if parent.tag == bpmn("extensionElements") and not any(parent.elements()) and parent.parent is not None:
            self.remove(parent)

    def sweep(self, root: Node, code: str = "") -> None:
        """Report what of a vendor is left on and in an element, by this code or by what is known of it; take it out."""
        for node in list(root.descendants()):
            if node.namespace in VENDORS:
                if node.parent is not None and node.parent.namespace not in VENDORS:
                    found = Found(node, f"{VENDORS[node.namespace]}:{node.local}", node.text.strip())
                    told = code or _code(node.local, WITHOUT_MEANING_ELEMENTS, UNSUPPORTED_ELEMENTS, "element")
                    self.say(found, told)
                    self.remove(node)
                continue
            for key in list(node.attributes):
                uri, _, name = key[1:].partition("}") if key.startswith("{") else ("", "", "")
                if uri in VENDORS:
                    found = Found(node, f"{VENDORS[uri]}:{name}", node.attributes.pop(key))
                    node.attribute_prefixes.pop(key, None)
                    self.say(found, code or _code(name, WITHOUT_MEANING, UNSUPPORTED, "attribute"))

    def clean(self) -> None:
        """Sweep the whole file, and drop the declarations that nothing needs any more."""
        self.sweep(self.document.root)
        for node in self.document.root.descendants():
            node.declarations = {prefix: uri for prefix, uri in node.declarations.items() if uri not in VENDORS}

    # Writing

    def set(self, node: Node, name: str, value: str) -> None:
        """Set one of Noria's attributes."""
        key = noria(name)
        node.attributes[key] = value
        node.attribute_prefixes[key] = self._prefix
        self.document.root.declarations.setdefault(self._prefix, NORIA)

    def add(self, node: Node, local: str, **attributes: str) -> None:
        """Add one of Noria's elements to an element's extensions."""
        holder = node.first(bpmn("extensionElements"))
        if holder is None:
            holder = self.new(node, "extensionElements")
            # The schema wants documentation first, extensions second.
            place = sum(1 for child in node.elements(bpmn("documentation")))
            self.insert(node, holder, place)
        child = Node(NORIA, local, self._prefix, node.line)
        child.attributes = attributes
        child.parent = holder
        holder.children.append(child)
        self.document.root.declarations.setdefault(self._prefix, NORIA)

    @staticmethod
    def insert(node: Node, child: Node, place: int) -> None:
        """Insert as the n-th child element."""
        index = 0
        for position, other in enumerate(node.children):
            if isinstance(other, Node):
                if place == 0:
                    index = position
                    break
                place -= 1
            index = position + 1
        child.parent = node
        node.children.insert(index, child)

    @staticmethod
    def new(like: Node, local: str) -> Node:
        """A BPMN element with the prefix and the line of another one, not yet anywhere."""
        return Node(BPMN, local, like.prefix, like.line)

    def append(self, parent: Node, child: Node) -> Node:
        """Put an element last into another one."""
        child.parent = parent
        parent.children.append(child)
        return child

    def add_root(self, local: str, wish: str, name: str) -> str:
        """Add a message or the like beside the processes; gives its id."""
        root = self.document.root
        node = self.new(root, local)
        node.attributes = {"id": self.unique(wish), "name": name}
        first = next((place for place, child in enumerate(root.elements()) if child.tag == bpmn("process")), 0)
        self.insert(root, node, first)
        return node.get("id")

    def declared(self, local: str, reference: str) -> bool:
        """Whether a message, error or the like of this id stands beside the processes; a prefix does not count."""
        key = reference.rpartition(":")[2]
        return any(node.get("id") in (key, reference) for node in self.document.root.elements(bpmn(local)))

    def by_id(self, key: str) -> Node:
        """The element of this id."""
        return next(node for node in self.document.root.descendants() if node.get("id") == key)

    def is_one_of_several(self, node: Node) -> bool:
        """Whether others have the same id; then nobody can say which of them a flow means."""
        return node.get("id") in self._shared

    def unique(self, wish: str) -> str:
        """An id that nothing has yet."""
        found, count = wish, 1
        while found in self._ids:
            count += 1
            found = f"{wish}_{count}"
        self._ids.add(found)
        return found

    @staticmethod
    def set_text(node: Node, text: str) -> None:
        """Replace an element's text; elements inside it stay."""
        node.children = [text, *(child for child in node.children if isinstance(child, Node))]

    # Expressions

    def translate(
        self, found: Found, *, condition: bool = False, renamed: Mapping[str, str] | None = None
    ) -> Translation | None:
        """Translate the value; a line says what differs, or what has no FEEL (then None)."""
        try:
            translation = translate(found.value, condition=condition, renamed=renamed)
        except NotTranslatable as reason:
            self.say(found, "import.expression", reason=str(reason))
            return None
        for note in translation.notes:
            self.say(found, f"import.{note}")
        return translation

    def value(self, found: Found) -> str | None:
        """The value as an attribute of Noria's: FEEL behind ``=``, or the constant."""
        translation = self.translate(found)
        if translation is None:
            return None
        if not translation.constant:
            return f"= {translation.text}"
        # A constant that begins as FEEL does would be taken for it.
        return f"= {quoted(translation.text)}" if translation.text.startswith("=") else translation.text

    def feel(self, found: Found) -> str | None:
        """The value as FEEL, a constant as a string literal."""
        translation = self.translate(found)
        if translation is None:
            return None
        return quoted(translation.text) if translation.constant else translation.text

    def move(self, found: Found | None, node: Node, attribute: str, code: str) -> bool:
        """Translate a value into one of Noria's attributes and report it; whether it was done."""
        if found is None or not found.value:
            if found is not None:
                self.say(found, "import.empty")
            return False
        value = self.value(found)
        if value is None:
            return False
        self.set(node, attribute, value)
        self.say(found, code)
        return True


def _vendors(root: Node) -> frozenset[str]:
    """The vendors whose file it is.

    A file of Camunda 8 that was made of one of Camunda 7 declares the other's namespace still; then it counts only
    where something is said in it. Which of the two a file is for, Camunda's modeller writes down.
    """
    nodes = list(root.descendants())
    declared = frozenset(uri for node in nodes for uri in node.declarations.values() if uri in VENDORS)
    said = {node.namespace for node in nodes}
    said |= {key[1:].partition("}")[0] for node in nodes for key in node.attributes if key.startswith("{")}
    platform = root.get(PLATFORM)
    if platform == CAMUNDA_8 or (not platform and ZEEBE in declared & said):
        return (declared - JUEL_VENDORS) | (declared & said) | {ZEEBE}
    if platform:
        return declared - ({ZEEBE} - said)
    return declared


def _code(name: str, without_meaning: frozenset[str], unsupported: frozenset[str], what: str) -> str:
    if name in without_meaning:
        return "import.no_meaning"
    return "import.unsupported" if name in unsupported else f"import.unknown_{what}"
