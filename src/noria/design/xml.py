"""The one guarded door through which every XML file enters.

expat with our own nodes: a DOCTYPE is refused (no entities, no external references), and depth, bytes, nodes,
attributes and text are limited before memory or time is spent on them. Nothing is ever fetched. Prefixes, comments,
processing instructions, white space and line numbers are kept, so that a document can be written back without loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import msgspec

from noria.kernel.errors import NoriaError

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class XmlRefusedError(NoriaError):
    """The XML is malformed, hostile or larger than the limits; nothing of it was used."""

    code: ClassVar[str] = "xml.refused"

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message, details={"line": line})
        self.line = line


class XmlLimits(msgspec.Struct, frozen=True):
    """How much of a document is read before it is refused."""

    bytes_max: int = 20_000_000
    depth_max: int = 200
    nodes_max: int = 500_000
    attributes_max: int = 256
    text_chars_max: int = 1_000_000


class Node:
    """One element of a document.

    Attributes:
        namespace: URI, "" when the element is in none.
        local: local name without prefix.
        prefix: as written, "" for the default namespace.
        attributes: in document order, keyed by "local" for attributes without prefix and by "{uri}local" for others.
        attribute_prefixes: prefix as written for each "{uri}local" key.
        declarations: namespace declarations written on this element, prefix → URI.
        children: elements, text (str), comments and processing instructions in document order.
        line: 1-based line of the start tag.
        parent: the element around it, None for the root.
    """

    __slots__ = (
        "attribute_prefixes",
        "attributes",
        "children",
        "declarations",
        "line",
        "local",
        "namespace",
        "parent",
        "prefix",
    )

    def __init__(self, namespace: str, local: str, prefix: str = "", line: int = 0) -> None:
        self.namespace = namespace
        self.local = local
        self.prefix = prefix
        self.attributes: dict[str, str] = {}
        self.attribute_prefixes: dict[str, str] = {}
        self.declarations: dict[str, str] = {}
        self.children: list[Node | str | Comment | Instruction] = []
        self.line = line
        self.parent: Node | None = None

    @property
    def tag(self) -> str:
        """``{namespace}local``, or just ``local`` outside any namespace."""
        return f"{{{self.namespace}}}{self.local}" if self.namespace else self.local

    def get(self, name: str, default: str = "") -> str:
        """The attribute's value; `name` is "local" or "{uri}local"."""
        return self.attributes.get(name, default)

    def elements(self, tag: str | None = None) -> Iterator[Node]:
        """Child elements, all or those with this tag (``{namespace}local``)."""
        for child in self.children:
            if isinstance(child, Node) and (tag is None or child.tag == tag):
                yield child

    def first(self, tag: str) -> Node | None:
        """The first child element with this tag."""
        return next(self.elements(tag), None)

    def detach(self) -> None:
        """Take this element out of the one around it, with the white space before it; `parent` stays, for reports."""
        if self.parent is None:
            return
        siblings = self.parent.children
        index = next(place for place, child in enumerate(siblings) if child is self)
        del siblings[index]
        if index:
            before = siblings[index - 1]
            if isinstance(before, str) and not before.strip():
                del siblings[index - 1]

    def descendants(self) -> Iterator[Node]:
        """This element and all below it, in document order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed([child for child in node.children if isinstance(child, Node)]))

    @property
    def text(self) -> str:
        """The text directly inside this element, without that of its child elements."""
        return "".join(child for child in self.children if isinstance(child, str))


class Comment(msgspec.Struct, frozen=True):
    """An XML comment, kept for writing back."""

    text: str


class Instruction(msgspec.Struct, frozen=True):
    """A processing instruction, kept for writing back and never acted on."""

    target: str
    data: str


class Document(msgspec.Struct):
    """A whole file: the root element, and what stood before and after it."""

    root: Node
    before: list[Comment | Instruction] = []
    after: list[Comment | Instruction] = []


class _Reader:
    """expat's callbacks: builds the nodes and refuses what passes a limit."""

    def __init__(self, limits: XmlLimits) -> None:
        self.limits = limits
        self.root: Node | None = None
        self.before: list[Comment | Instruction] = []
        self.after: list[Comment | Instruction] = []
        self._stack: list[Node] = []
        self._prefixes: list[dict[str, str]] = [{"xml": XML_NAMESPACE, "": ""}]
        self._nodes = 0
        self._text_chars = 0
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.buffer_text = True
        self._parser.buffer_size = 65_536
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.CommentHandler = lambda text: self._aside(Comment(text))
        self._parser.ProcessingInstructionHandler = lambda target, data: self._aside(Instruction(target, data))

    def read(self, data: bytes) -> Document:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise XmlRefusedError(
                f"Line {error.lineno}, column {error.offset + 1}: not well-formed XML: {reason}.", line=error.lineno
            ) from None
        except (LookupError, UnicodeError, ValueError) as error:
            raise self._refused(f"the text cannot be decoded: {error}") from None
        if self.root is None:
            raise self._refused("the file holds no element")
        return Document(self.root, self.before, self.after)

    def _refused(self, reason: str) -> XmlRefusedError:
        line = self._parser.CurrentLineNumber
        return XmlRefusedError(f"Line {line}: {reason}.", line=line)

    def _doctype(self, *_: object) -> None:
        raise self._refused("a DOCTYPE is not allowed; remove it, models need none")

    def _start(self, name: str, flat: list[str]) -> None:
        limits = self.limits
        if len(self._stack) >= limits.depth_max:
            raise self._refused(f"elements are nested deeper than {limits.depth_max}")
        if len(flat) // 2 > limits.attributes_max:
            raise self._refused(f"element {name[:80]} has more than {limits.attributes_max} attributes")
        self._nodes += 1 + len(flat) // 2
        if self._nodes > limits.nodes_max:
            raise self._refused(f"the file holds more than {limits.nodes_max} elements and attributes")
        for qualified in (name, *flat[::2]):
            # expat reads names without a look at what a colon means (Namespaces in XML 1.0, section 4).
            if ":" in qualified and (qualified.count(":") > 1 or qualified[0] == ":" or qualified[-1] == ":"):
                raise self._refused(f"the name {qualified[:80]!r} is no prefix with a name behind it")
        scope = self._prefixes[-1]
        declared: dict[str, str] = {}
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if key == "xmlns":
                declared[""] = value
            elif key.startswith("xmlns:"):
                declared[key[6:]] = value
            if len(value) > limits.text_chars_max:
                raise self._refused(f"attribute {key[:80]} is longer than {limits.text_chars_max} characters")
        if declared:
            scope = scope | declared
        self._prefixes.append(scope)
        prefix, _, local = name.rpartition(":")
        node = Node(self._namespace(scope, prefix), local, prefix, self._parser.CurrentLineNumber)
        node.declarations = declared
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if key == "xmlns" or key.startswith("xmlns:"):
                continue
            attribute_prefix, _, attribute_local = key.rpartition(":")
            if attribute_prefix:
                full = f"{{{self._namespace(scope, attribute_prefix)}}}{attribute_local}"
                node.attribute_prefixes[full] = attribute_prefix
            else:
                full = attribute_local
            if full in node.attributes:
                raise self._refused(f"attribute {key} is given twice")
            node.attributes[full] = value
        if self._stack:
            node.parent = self._stack[-1]
            self._stack[-1].children.append(node)
        else:
            self.root = node
        self._stack.append(node)
        self._text_chars = 0

    def _namespace(self, scope: dict[str, str], prefix: str) -> str:
        try:
            return scope[prefix]
        except KeyError:
            raise self._refused(f"the prefix {prefix!r} is not declared") from None

    def _end(self, _name: str) -> None:
        self._stack.pop()
        self._prefixes.pop()
        self._text_chars = 0

    def _characters(self, data: str) -> None:
        self._text_chars += len(data)
        if self._text_chars > self.limits.text_chars_max:
            raise self._refused(f"a text is longer than {self.limits.text_chars_max} characters")
        if self._stack:
            self._stack[-1].children.append(data)

    def _aside(self, item: Comment | Instruction) -> None:
        self._nodes += 1
        if self._nodes > self.limits.nodes_max:
            raise self._refused(f"the file holds more than {self.limits.nodes_max} nodes")
        if self._stack:
            self._stack[-1].children.append(item)
        elif self.root is None:
            self.before.append(item)
        else:
            self.after.append(item)


class _Checker(_Reader):
    """Looks at everything and keeps nothing but what is still open."""

    def _end(self, name: str) -> None:
        super()._end(name)
        if self._stack:
            self._stack[-1].children.clear()


def check_xml(data: bytes, limits: XmlLimits | None = None) -> None:
    """Let a document through the guarded door that a library is to read afterwards; memory by its depth only.

    Args:
        data: the whole file.
        limits: how much is read before it is refused.

    Raises:
        XmlRefusedError: as for `read_xml`.
    """
    limits = limits or XmlLimits()
    if len(data) > limits.bytes_max:
        raise XmlRefusedError(f"The file has {len(data)} bytes; at most {limits.bytes_max} are read.")
    _Checker(limits).read(data)


def read_xml(data: bytes, limits: XmlLimits | None = None) -> Document:
    """Read a document through the guarded door.

    Args:
        data: the whole file; UTF-8 unless its XML declaration says otherwise.
        limits: how much is read before it is refused; the defaults suit models.

    Raises:
        XmlRefusedError: not well-formed, has a DOCTYPE, or passes a limit. It says the line.
    """
    limits = limits or XmlLimits()
    if len(data) > limits.bytes_max:
        raise XmlRefusedError(f"The file has {len(data)} bytes; at most {limits.bytes_max} are read.")
    return _Reader(limits).read(data)


def write_xml(document: Document) -> bytes:
    """Write a document as UTF-8, with prefixes, order, comments and white space as they were read."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    for item in document.before:
        _write_aside(item, parts)
        parts.append("\n")
    _write_node(document.root, parts)
    parts.append("\n")
    for item in document.after:
        _write_aside(item, parts)
        parts.append("\n")
    return "".join(parts).encode()


def _write_node(root: Node, parts: list[str]) -> None:
    # A stack instead of recursion: depth_max is a caller's choice and must not meet Python's own limit.
    stack: list[Node | str | Comment | Instruction | tuple[str]] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            parts.append(item[0])
        elif isinstance(item, str):
            parts.append(escape(item, {"\r": "&#13;"}))
        elif isinstance(item, Node):
            name = f"{item.prefix}:{item.local}" if item.prefix else item.local
            parts.append(f"<{name}")
            for prefix, uri in item.declarations.items():
                parts.append(f" xmlns{':' + prefix if prefix else ''}={quoteattr(uri)}")
            for key, value in item.attributes.items():
                local = key.rpartition("}")[2]
                prefix = item.attribute_prefixes.get(key, "")
                parts.append(f" {prefix + ':' if prefix else ''}{local}={quoteattr(value)}")
            if item.children:
                parts.append(">")
                stack.append((f"</{name}>",))
                stack.extend(reversed(item.children))
            else:
                parts.append("/>")
        else:
            _write_aside(item, parts)


def _write_aside(item: Comment | Instruction, parts: list[str]) -> None:
    if isinstance(item, Comment):
        parts.append(f"<!--{item.text}-->")
    else:
        parts.append(f"<?{item.target} {item.data}?>" if item.data else f"<?{item.target}?>")
