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
from noria.design.feel.types import SIMPLE, FeelType
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
        The model, None when a finding is an error; and the findings.
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
        self._imports: dict[str, tuple[str, DecisionModel]] = {}
        self._findings: list[Finding] = []
        self._types: dict[str, FeelType] = {name: FeelType(kind) for name, kind in SIMPLE.items()}
        self._items: dict[str, Item] = {}
        self._nodes: dict[str, Node] = {}
        self._filling: set[str] = set()
        self._boxes = Boxes(self._types, (), self._report)

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
        if has_errors(self._findings):
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
        found = self._shelf.find(namespace)
        if found is None:
            self._report(
                node, "dmn.unknown_import", f"No file beside this one is the model {namespace!r}; give them together."
            )
            return
        root, file = found
        model, findings = _Reader(root, file, self._shelf, self._importers).read()
        if model is None:
            self._report(node, "dmn.broken_import", f"The imported file {file} has an error: {findings[0].message}")
            return
        self._imports[namespace] = prefix, model
        # Without a name of the import its elements are called as if they were this model's own.
        before = f"{prefix}." if prefix else ""
        self._types.update((f"{before}{name}", wanted) for name, wanted in model.types.items() if name not in SIMPLE)

    # --- item definitions

    def _read_types(self) -> None:
        definitions = children(self._root, "itemDefinition")
        for node in definitions:
            self._types[node.get("name")] = FeelType("Any")
        for node in definitions:
            self._fill_once(self._types[node.get("name")], node)
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

    def _fill(self, wanted: FeelType, node: Node) -> None:
        """Complete a type in place, because definitions may refer to each other in any order."""
        components = children(node, "itemComponent")
        function = child(node, "functionItem")
        reference = child(node, "typeRef")
        if components:
            element = FeelType("context", fields={})
            for component in components:
                inner = FeelType("Any")
                self._fill(inner, component)
                if element.fields is not None:
                    element.fields[component.get("name")] = inner
        elif function is not None:
            params = tuple(self._resolved(one.get("typeRef"), one) for one in children(function, "parameters"))
            element = FeelType("function", self._resolved(function.get("outputTypeRef"), function), params=params)
        else:
            element = self._resolved("" if reference is None else reference.text, node)
        self._limit(wanted, node, element)

    def _resolved(self, reference: str, node: Node) -> FeelType:
        name = reference.strip().removeprefix("feel:")
        if name in {"", "Any"}:
            return FeelType("Any")
        found = self._types.get(name)
        if found is None:
            self._report(node, "dmn.unknown_type", f"There is no type {name!r}; define it or correct the reference.")
            return FeelType("Any")
        definition = next((one for one in children(self._root, "itemDefinition") if one.get("name") == name), None)
        if definition is not None and found.kind == "Any" and found.item is None:
            self._fill_once(found, definition)
        return found

    def _fill_once(self, wanted: FeelType, node: Node) -> None:
        if node.get("name") in self._filling:
            return
        self._filling.add(node.get("name"))
        self._fill(wanted, node)
        self._filling.discard(node.get("name"))

    def _limit(self, wanted: FeelType, node: Node, element: FeelType) -> None:
        values = self._tests_of(child(node, "allowedValues"))
        constraint = self._tests_of(child(node, "typeConstraint"))
        if node.get("isCollection") == "true":
            item = _copy(element)
            if values is not None:
                _constrain(item, values)
            wanted.kind, wanted.item = "list", item
            if constraint is not None:
                _constrain(wanted, constraint)
            return
        source = _copy(element)
        for name in ("kind", "item", "fields", "params", "allowed", "allowed_text"):
            setattr(wanted, name, getattr(source, name))
        for tests in (values, constraint):
            if tests is not None:
                _constrain(wanted, tests)

    def _tests_of(self, node: Node | None) -> UnaryTests | None:
        text = text_in(node)
        if node is None or not text:
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
        prefix, model = self._imports.get(namespace, ("", None))
        if model is not None and target in model.items:
            there = model.items[target]
            self._items[href] = Imported(href, there.name, there.type, prefix, model, target)
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
        return frozenset((item.prefix if isinstance(item, Imported) else "") or item.name for item in items)

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


def _copy(wanted: FeelType) -> FeelType:
    return FeelType(wanted.kind, wanted.item, wanted.fields, wanted.params, wanted.allowed, wanted.allowed_text)


def _constrain(wanted: FeelType, tests: UnaryTests) -> None:
    before = wanted.allowed

    def allowed(value: Any) -> bool:
        if before is not None and not before(value):
            return False
        return tests.matches(value, {}, EvaluationContext(0)) is True

    wanted.allowed = allowed
    wanted.allowed_text = tests.source
