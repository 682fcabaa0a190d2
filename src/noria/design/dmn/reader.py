"""DMN XML to a model of compiled decisions. What cannot be executed is an error that names element and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from noria.design.dmn.boxed import Boxes, child, children, expression_of, text_in
from noria.design.dmn.model import Decision, DecisionModel, Imported, InputData, Item, Knowledge, Service
from noria.design.feel.calls import invoke
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.expression import UnaryTests, compile_unary_tests
from noria.design.feel.scanner import FeelSyntaxError, words
from noria.design.feel.types import SIMPLE, FeelType, Limit
from noria.design.findings import Finding, has_errors
from noria.design.xml import Node, XmlRefusedError, read_xml

NAMESPACES = frozenset(
    {
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    }
)
_NAMED = frozenset(
    {
        *("decision", "inputData", "businessKnowledgeModel", "decisionService"),
        *("variable", "formalParameter", "column", "output"),
    }
)
"""What may be a name with spaces beside the components of a type."""
_EVALUATED = frozenset({"dmn.circular_type", "dmn.duplicate_entry"})
"""Errors with which a model can be evaluated."""
IGNORED = frozenset(
    {
        "association",
        "businessContextElement",
        "description",
        "elementCollection",
        "extensionElements",
        "group",
        "knowledgeSource",
        "organizationUnit",
        "performanceIndicator",
        "textAnnotation",
    }
)


def read_dmn(
    data: bytes, file: str, beside: Mapping[str, bytes] | None = None
) -> tuple[DecisionModel | None, list[Finding]]:
    """Read a DMN 1.2 to 1.5 file.

    Args:
        data: its content.
        file: its name, for findings.
        beside: content by name of the DMN files that it may import; the file itself may be among them.

    Returns:
        The model, None when it cannot be evaluated; and the findings. With errors that only refuse deployment there
        is a model: files in which nobody looked for them may have been deployed.
    """
    try:
        root = read_xml(data).root
    except XmlRefusedError as error:
        return None, [Finding("error", "xml.refused", error.message, file, error.line)]
    return _Reader(root, file, _Shelf(beside or {}), ()).read()


class _Shelf:
    """The files that may be imported. A refused one is as good as absent: it is reported as a file of its own."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._roots: dict[str, tuple[Node, str]] | None = None

    def find(self, namespace: str) -> tuple[Node, str] | None:
        """The root of the file with this namespace, and its name."""
        if self._roots is None:
            self._roots = {}
            for name, data in self._files.items():
                try:
                    root = read_xml(data).root
                except XmlRefusedError:
                    continue
                self._roots[root.get("namespace")] = root, name
        return self._roots.get(namespace)


def _texts(node: Node) -> Iterator[str]:
    for part in node.children:
        if isinstance(part, Node):
            yield from _texts(part)
        elif isinstance(part, str) and part.strip():
            yield part.strip()


class _Reader:
    """Reads one file: types first, then the graph, then the logic, which needs the names of the graph."""

    def __init__(self, root: Node, file: str, shelf: _Shelf, importers: tuple[str, ...]) -> None:
        self._root = root
        self._file = file
        self._shelf = shelf
        self._importers = (*importers, root.get("namespace"))
        self._imports: dict[str, tuple[list[str], DecisionModel]] = {}
        self._findings: list[Finding] = []
        self._types: dict[str, FeelType] = {name: FeelType(kind) for name, kind in SIMPLE.items()}
        self._items: dict[str, Item] = {}
        self._nodes: dict[str, Node] = {}
        self._unread: dict[str, Node] = {}
        self._components: list[tuple[FeelType, Node]] = []
        self._boxes = Boxes(self._types, (), self._report, root.get("expressionLanguage"))

    def read(self) -> tuple[DecisionModel | None, list[Finding]]:
        root = self._root
        if root.local != "definitions" or root.namespace not in NAMESPACES:
            self._report(root, "dmn.not_dmn", "The root is not the definitions element of DMN 1.2 to 1.5.")
            return None, self._findings
        for node in children(root, "import"):
            self._import(node)
        self._read_types()
        for node in root.elements():
            if node.namespace == root.namespace:
                self._declare(node)
        for item in list(self._items.values()):
            self._link(item)
        self._refuse_cycles()
        if has_errors([finding for finding in self._findings if finding.code not in _EVALUATED]):
            return None, self._findings
        decisions = {key: item for key, item in self._items.items() if isinstance(item, Decision)}
        imported = [other for _, other in self._imports.values()]
        model = DecisionModel(
            root.get("namespace"),
            root.get("name"),
            self._items,
            decisions,
            self._types,
            self._boxes.tables,
            frozenset(item.name for item in self._items.values() if isinstance(item, InputData)).union(
                *(other.inputs for other in imported)
            ),
            "\n".join([*_texts(root), *(other.source for other in imported)]),
            self._boxes.fields,
        )
        for decision in decisions.values():
            decision.model = model
        return model, self._findings

    def _report(self, node: Node, code: str, message: str) -> None:
        owner: Node | None = node
        while owner is not None and not owner.get("id"):
            owner = owner.parent
        element = "" if owner is None else owner.get("id")
        self._findings.append(Finding("error", code, message, self._file, node.line, element))

    # --- models that are imported

    def _import(self, node: Node) -> None:
        namespace, prefix, kind = node.get("namespace"), node.get("name"), node.get("importType")
        if kind not in NAMESPACES:
            self._report(node, "dmn.unsupported_import", f"Only DMN models can be imported, not {kind!r}.")
            return
        if namespace in self._importers:
            self._report(node, "dmn.import_cycle", f"The model {namespace!r} imports itself.")
            return
        if namespace not in self._imports:
            model = self._imported(namespace, node)
            if model is None:
                return
            self._imports[namespace] = [], model
        # A model may be imported under several names; it is one model all the same.
        prefixes, model = self._imports[namespace]
        prefixes.append(prefix)
        # Without a name of the import its elements are called as if they were this model's own.
        before = f"{prefix}." if prefix else ""
        self._types.update((f"{before}{name}", wanted) for name, wanted in model.types.items() if name not in SIMPLE)

    def _imported(self, namespace: str, node: Node) -> DecisionModel | None:
        found = self._shelf.find(namespace)
        if found is None:
            self._report(
                node, "dmn.unknown_import", f"No file beside this one is the model {namespace!r}; give them together."
            )
            return None
        root, file = found
        model, findings = _Reader(root, file, self._shelf, self._importers).read()
        if model is None:
            self._report(node, "dmn.broken_import", f"The imported file {file} has an error: {findings[0].message}")
        return model

    # --- item definitions

    def _read_types(self) -> None:
        self._unread = {node.get("name"): node for node in children(self._root, "itemDefinition")}
        self._types.update((name, FeelType("Any")) for name in self._unread)
        while self._unread or self._components:
            if self._components:
                self._complete(*self._components.pop())
            else:
                name, node = self._unread.popitem()
                self._complete(self._types[name], node)
        fields = {
            one.get("name")
            for one in self._root.descendants()
            if one.local == "itemComponent"
            # Elsewhere a sign between two words may as well be arithmetic.
            or (one.local in _NAMED and all(word.isalnum() for word in words(one.get("name"))))
        }
        for _, model in self._imports.values():
            fields |= model.fields | {item.name for item in model.items.values()}
        self._boxes.fields = frozenset(name for name in fields if len(words(name)) > 1)

    def _complete(self, wanted: FeelType, node: Node) -> None:
        """Complete a type in place, after those it is derived from: definitions may refer to each other in any order.

        Components come later, so that a type may stand inside itself: by then what it is a copy of is complete.
        """
        derived = [(wanted, node)]
        while (base := self._unread.pop(_base_name(derived[-1][1]), None)) is not None:
            derived.append((self._types[base.get("name")], base))
        last = derived[-1][1]
        if any(self._types.get(_base_name(last)) is one for one, _ in derived):
            names = ", ".join(dict.fromkeys(one.get("name") for _, one in derived))
            self._report(
                last, "dmn.circular_type", f"The types {names} are derived from each other; say what one of them is."
            )
            return
        for one, definition in reversed(derived):
            self._limit(one, definition, self._shape(definition))

    def _shape(self, node: Node) -> FeelType:
        """What a definition or component says of its values apart from limits."""
        components = children(node, "itemComponent")
        function = child(node, "functionItem")
        if components:
            fields = {component.get("name"): FeelType("Any") for component in components}
            self._components += [(fields[component.get("name")], component) for component in components]
            return FeelType("context", fields=fields)
        if function is not None:
            params = tuple(self._named(one.get("typeRef"), one) for one in children(function, "parameters"))
            return FeelType("function", self._named(function.get("outputTypeRef"), function), params=params)
        return self._named(_base_name(node), node)

    def _named(self, reference: str, node: Node) -> FeelType:
        return self._boxes.type_of(reference, node) or FeelType("Any")

    def _limit(self, wanted: FeelType, node: Node, element: FeelType) -> None:
        values = self._tests_of(child(node, "allowedValues"))
        constraint = self._tests_of(child(node, "typeConstraint"))
        limits = tuple(_limit_of(tests) for tests in (values, constraint) if tests is not None)
        if node.get("isCollection") == "true":
            on_items = () if values is None else limits[:1]
            wanted.kind, wanted.item = "list", _copy(element, on_items)
            wanted.limits = limits[len(on_items) :]
            return
        source = _copy(element, limits)
        for name in source.__struct_fields__:
            setattr(wanted, name, getattr(source, name))

    def _tests_of(self, node: Node | None) -> UnaryTests | None:
        text = text_in(node)
        if node is None or not text or not self._boxes.is_feel(node):
            return None
        try:
            return compile_unary_tests(text)
        except FeelSyntaxError as error:
            self._report(node, "feel.syntax", error.message)
            return None

    # --- the requirement graph

    def _declare(self, node: Node) -> None:
        if node.local in IGNORED or node.local in {"itemDefinition", "import"}:
            return
        makers: dict[str, type[Item]] = {
            "inputData": InputData,
            "decision": Decision,
            "businessKnowledgeModel": Knowledge,
            "decisionService": Service,
        }
        maker = makers.get(node.local)
        if maker is None:
            if node.local not in {"DMNDI", "artifact"}:
                self._report(node, "dmn.unsupported_element", f"The element {node.local} is not supported.")
            return
        item_id = node.get("id")
        if not item_id or item_id in self._items:
            self._report(node, "dmn.id", f"The {node.local} {node.get('name')!r} needs an id of its own.")
            return
        variable = child(node, "variable")
        reference = "" if variable is None else variable.get("typeRef")
        # A knowledge model's variable types the function in some tools and its result in others.
        name = node.get("name")
        self._items[item_id] = maker(item_id, name, self._boxes.type_of(reference, node))
        self._nodes[item_id] = node

    def _references(self, node: Node, requirement: str, *kinds: str) -> tuple[str, ...]:
        found: list[str] = []
        for box in children(node, requirement) if requirement else [node]:
            for kind in kinds:
                for reference in children(box, kind):
                    target = self._target(reference)
                    if target:
                        found.append(target)
        return tuple(found)

    def _target(self, reference: Node) -> str:
        href = reference.get("href")
        namespace, _, target = href.rpartition("#")
        if target in self._items and namespace in {"", self._root.get("namespace")}:
            return target
        prefixes, model = self._imports.get(namespace, ([], None))
        if model is not None and target in model.items:
            there = model.items[target]
            self._items[href] = Imported(href, there.name, there.type, tuple(prefixes), model, target)
            return href
        self._report(reference, "dmn.unknown_reference", f"Nothing here or imported has the id {href!r}.")
        return ""

    def _link(self, item: Item) -> None:
        node = self._nodes[item.id]
        knowledge = self._references(node, "knowledgeRequirement", "requiredKnowledge")
        if isinstance(item, Decision):
            needs = self._references(node, "informationRequirement", "requiredInput", "requiredDecision")
            item.requires = needs + knowledge
            item.line = node.line
            self._boxes.inputs = {self._items[need].name: self._items[need].type for need in needs}
            inner = expression_of(node)
            item.logic = None if inner is None else self._boxes.logic(inner, self._names(item.requires))
        elif isinstance(item, Knowledge):
            self._link_knowledge(item, node, knowledge)
        elif isinstance(item, Service):
            item.inputs = self._references(node, "", "inputData", "inputDecision")
            item.outputs = self._references(node, "", "outputDecision")
            if not item.outputs:
                self._report(node, "dmn.service", "A decision service needs an output decision.")

    def _link_knowledge(self, item: Knowledge, node: Node, knowledge: tuple[str, ...]) -> None:
        item.requires = knowledge
        if item.type is not None and item.type.kind == "function":
            item.type = item.type.item
        logic = child(node, "encapsulatedLogic")
        if logic is None:
            return
        params, types = self._boxes.parameters(logic)
        item.params = tuple(zip(params, types, strict=True))
        self._boxes.inputs = dict(item.params)
        inner = expression_of(logic)
        if logic.get("kind") not in {"", "FEEL"}:
            function = self._boxes.external(logic, frozenset(), params, types)
            item.logic = lambda variables, run: invoke(
                run.context, function(variables, run), tuple(variables[param] for param in params)
            )
        elif inner is not None:
            item.logic = self._boxes.logic(inner, self._names(knowledge) | set(params) | {item.name})

    def _names(self, requires: tuple[str, ...]) -> frozenset[str]:
        items = [self._items[item_id] for item_id in requires]
        return frozenset(prefix or item.name for item in items for prefix in item.seen_under())

    def _refuse_cycles(self) -> None:
        done: set[str] = set()
        for start in self._items:
            path: list[tuple[str, int]] = [(start, 0)]
            open_ids = {start}
            while path:
                item_id, position = path.pop()
                item: Any = self._items[item_id]
                needs = [need for need in getattr(item, "requires", ()) if not isinstance(self._items[need], Knowledge)]
                if item_id in done or position >= len(needs):
                    done.add(item_id)
                    open_ids.discard(item_id)
                    continue
                path.append((item_id, position + 1))
                need = needs[position]
                if need in open_ids:
                    self._report(self._nodes[item_id], "dmn.cycle", f"The decision {item.name!r} requires itself.")
                    return
                if need not in done:
                    path.append((need, 0))
                    open_ids.add(need)


def _base_name(node: Node) -> str:
    """The type that an item definition or component refers to, "" when it says by itself what it is."""
    reference = child(node, "typeRef")
    if reference is None or child(node, "itemComponent") is not None or child(node, "functionItem") is not None:
        return ""
    return reference.text.strip().removeprefix("feel:")


def _copy(wanted: FeelType, further: tuple[Limit, ...]) -> FeelType:
    """A type with further limits; its components stay the same, as they may not be known yet."""
    return FeelType(wanted.kind, wanted.item, wanted.fields, wanted.params, (*wanted.limits, *further))


def _limit_of(tests: UnaryTests) -> Limit:
    return Limit(tests.source, lambda value: tests.matches(value, {}, EvaluationContext(0)) is True)
