"""Reading DMN 1.2 to 1.5 files through the guarded door."""

from __future__ import annotations

from noria.design.dmn.model import (
    ContextLogic,
    Decision,
    DecisionModel,
    FunctionLogic,
    InvocationLogic,
    ListLogic,
    LiteralLogic,
    Logic,
    RelationLogic,
    Rule,
    TableLogic,
)
from noria.design.feel import (
    EvaluationContext,
    Expression,
    FeelSyntaxError,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)
from noria.design.findings import Finding, has_errors
from noria.design.xml import Document, Node, XmlRefusedError, read_xml

NAMESPACES = (
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
)
POLICIES = {
    "UNIQUE": "U",
    "ANY": "A",
    "PRIORITY": "P",
    "FIRST": "F",
    "RULE ORDER": "R",
    "OUTPUT ORDER": "O",
    "COLLECT": "C",
}
UNSUPPORTED = ("conditional", "filter", "for", "some", "every")


def read_dmn(data: bytes, file: str) -> tuple[DecisionModel | None, list[Finding]]:
    """Read a file of decisions.

    Args:
        data: DMN XML.
        file: name for findings.

    Returns:
        The model, None when a finding is an error, and the findings. What has meaning and is not supported is an
        error that names the element and its line.
    """
    try:
        document = read_xml(data)
    except XmlRefusedError as error:
        return None, [Finding("error", error.code, error.message, file, error.line)]
    reader = _Reader(document, file)
    model = reader.read()
    return (None if has_errors(reader.findings) else model), reader.findings


class _Reader:
    def __init__(self, document: Document, file: str) -> None:
        self.root = document.root
        self.file = file
        self.findings: list[Finding] = []
        self.namespace = self.root.namespace
        self.nodes: dict[str, Node] = {}
        self.decisions: dict[str, Decision] = {}
        self.models: dict[str, tuple[str, FunctionLogic]] = {}
        self._open: list[str] = []

    def _error(self, code: str, message: str, node: Node) -> None:
        self.findings.append(Finding("error", code, message, self.file, node.line, node.get("id")))

    def _tag(self, local: str) -> str:
        return f"{{{self.namespace}}}{local}"

    def _child(self, node: Node, local: str) -> Node | None:
        return node.first(self._tag(local))

    def _children(self, node: Node, local: str) -> list[Node]:
        return list(node.elements(self._tag(local)))

    def _text(self, node: Node | None) -> str:
        text = self._child(node, "text") if node is not None else None
        return text.text.strip() if text is not None else ""

    def read(self) -> DecisionModel:
        root = self.root
        if root.local != "definitions" or self.namespace not in NAMESPACES:
            self._error("dmn.not_dmn", "This is not a DMN 1.2 to 1.5 file.", root)
            return DecisionModel("", {})
        for node in root.elements():
            if node.namespace == self.namespace and node.get("id"):
                self.nodes[node.get("id")] = node
            if node.namespace == self.namespace and node.local in ("import", "decisionService"):
                self._error("dmn.unsupported", f"{node.local} is not supported yet.", node)
        for node in self._children(root, "decision"):
            self._decision(node)
        return DecisionModel(root.get("name"), self.decisions)

    # Requirements

    def _required(self, node: Node, requirement: str, role: str) -> list[Node]:
        found = []
        for item in self._children(node, requirement):
            reference = self._child(item, role)
            if reference is None:
                continue
            href = reference.get("href")
            target = self.nodes.get(href.rpartition("#")[2])
            if target is None:
                self._error("dmn.unresolved", f"The requirement {href!r} is not in this file.", item)
            else:
                found.append(target)
        return found

    def _decision(self, node: Node) -> Decision | None:
        key = node.get("id")
        if key in self.decisions:
            return self.decisions[key]
        if key in self._open:
            self._error("dmn.cycle", f"Decision {node.get('name')!r} requires itself.", node)
            return None
        self._open.append(key)
        requires = [
            decision
            for target in self._required(node, "informationRequirement", "requiredDecision")
            if (decision := self._decision(target)) is not None
        ]
        inputs = [target.get("name") for target in self._required(node, "informationRequirement", "requiredInput")]
        knowledge = self._knowledge(node)
        names = [*(decision.name for decision in requires), *inputs, *(name for name, _ in knowledge)]
        logic = self._logic_of(node, names, node.get("id"))
        decision = Decision(key, node.get("name") or key, logic, requires, knowledge, tuple(inputs))
        self._open.pop()
        self.decisions[key] = decision
        return decision

    def _knowledge(self, node: Node) -> list[tuple[str, FunctionLogic]]:
        found: list[tuple[str, FunctionLogic]] = []
        for target in self._required(node, "knowledgeRequirement", "requiredKnowledge"):
            key = target.get("id")
            if key not in self.models:
                if key in self._open:
                    self._error("dmn.cycle", f"Business knowledge model {target.get('name')!r} requires itself.", target)
                    continue
                self._open.append(key)
                inner = self._knowledge(target)
                body = self._child(target, "encapsulatedLogic")
                logic = self._function(body, [name for name, _ in inner], key) if body is not None else None
                self._open.pop()
                if logic is None:
                    continue
                self.models[key] = (target.get("name"), logic)
                found.extend(pair for pair in inner if pair not in found)
            found.append(self.models[key])
        return found

    # Boxed expressions

    def _logic_of(self, node: Node, names: list[str], table_id: str) -> Logic | None:
        for child in node.elements():
            if child.namespace == self.namespace:
                logic = self._logic(child, names, table_id)
                if logic is not None:
                    return logic
        return None

    def _logic(self, node: Node, names: list[str], table_id: str) -> Logic | None:
        local = node.local
        if local == "literalExpression":
            return LiteralLogic(self._expression(node, names))
        if local == "decisionTable":
            return self._table(node, names, table_id)
        if local == "context":
            return self._context(node, names, table_id)
        if local == "list":
            items = [self._logic(child, names, table_id) for child in node.elements() if child.local != "description"]
            return ListLogic(tuple(item for item in items if item is not None))
        if local == "relation":
            columns = tuple(column.get("name") for column in self._children(node, "column"))
            rows = [
                tuple(cell for child in row.elements() if (cell := self._logic(child, names, table_id)) is not None)
                for row in self._children(node, "row")
            ]
            if any(len(row) != len(columns) for row in rows):
                self._error("dmn.relation", "A row has not as many cells as there are columns.", node)
                return None
            return RelationLogic(columns, tuple(rows))
        if local == "functionDefinition":
            return self._function(node, names, table_id)
        if local == "invocation":
            return self._invocation(node, names, table_id)
        if local in UNSUPPORTED:
            self._error("dmn.unsupported", f"A boxed {local} is not supported yet.", node)
        return None

    def _expression(self, node: Node | None, names: list[str]) -> Expression:
        text = self._text(node)
        if node is not None:
            language = node.get("expressionLanguage")
            if language and "feel" not in language.lower():
                self._error("dmn.expression_language", f"Only FEEL is understood, not {language}.", node)
                return compile_expression("null")
        try:
            return compile_expression(text or "null", names)
        except FeelSyntaxError as error:
            self._error(error.code, error.message, node or self.root)
            return compile_expression("null")

    def _tests(self, node: Node | None, names: list[str]) -> UnaryTests:
        try:
            return compile_unary_tests(self._text(node), names)
        except FeelSyntaxError as error:
            self._error(error.code, error.message, node or self.root)
            return compile_unary_tests("-")

    def _context(self, node: Node, names: list[str], table_id: str) -> ContextLogic:
        visible = list(names)
        entries: list[tuple[str, Logic]] = []
        for entry in self._children(node, "contextEntry"):
            variable = self._child(entry, "variable")
            name = variable.get("name") if variable is not None else ""
            logic = self._logic_of(entry, visible, table_id)
            if logic is not None:
                entries.append((name, logic))
                visible.append(name)
        return ContextLogic(tuple(entries))

    def _function(self, node: Node, names: list[str], table_id: str) -> FunctionLogic | None:
        if node.get("kind", "FEEL") not in ("", "FEEL"):
            self._error("dmn.external_function", "External functions are not run; write the body in FEEL.", node)
            return None
        parameters = tuple(item.get("name") for item in self._children(node, "formalParameter"))
        body = self._logic_of(node, [*names, *parameters], table_id)
        return FunctionLogic(parameters, body) if body is not None else None

    def _invocation(self, node: Node, names: list[str], table_id: str) -> InvocationLogic | None:
        called = self._child(node, "literalExpression")
        bindings: list[tuple[str, Logic]] = []
        for binding in self._children(node, "binding"):
            parameter = self._child(binding, "parameter")
            logic = self._logic_of(binding, names, table_id)
            if parameter is not None and logic is not None:
                bindings.append((parameter.get("name"), logic))
        return InvocationLogic(self._expression(called, names), tuple(bindings))

    # Decision tables

    def _table(self, node: Node, names: list[str], table_id: str) -> TableLogic:
        policy = POLICIES.get(node.get("hitPolicy", "UNIQUE") or "UNIQUE")
        if policy is None:
            self._error("dmn.hit_policy", f"There is no hit policy {node.get('hitPolicy')!r}.", node)
            policy = "U"
        inputs = self._children(node, "input")
        outputs = self._children(node, "output")
        if not outputs:
            self._error("dmn.no_output", "The table has no output.", node)
        allowed = [self._child(item, "inputValues") for item in inputs]
        aggregation = node.get("aggregation") if policy == "C" else ""
        if aggregation and len(outputs) > 1:
            self._error("dmn.aggregation", "Only a single output can be aggregated.", node)
        return TableLogic(
            id=table_id,
            policy=policy,
            aggregation=aggregation,
            inputs=tuple(self._expression(self._child(item, "inputExpression"), names) for item in inputs),
            allowed=tuple(None if item is None else self._tests(item, names) for item in allowed),
            outputs=tuple(item.get("name") for item in outputs),
            priorities=tuple(self._priorities(item) for item in outputs),
            defaults=tuple(
                None if (entry := self._child(item, "defaultOutputEntry")) is None else self._expression(entry, names)
                for item in outputs
            ),
            rules=tuple(self._rule(item, names, len(inputs), len(outputs)) for item in self._children(node, "rule")),
        )

    def _rule(self, node: Node, names: list[str], inputs: int, outputs: int) -> Rule:
        tests = self._children(node, "inputEntry")
        results = self._children(node, "outputEntry")
        if len(tests) != inputs or len(results) != outputs:
            message = f"The row has {len(tests)} tests and {len(results)} results; {inputs} and {outputs} are needed."
            self._error("dmn.rule_width", message, node)
        return Rule(
            node.get("id"),
            tuple(self._tests(item, names) for item in tests),
            tuple(self._expression(item, names) for item in results),
        )

    def _priorities(self, output: Node) -> tuple[object, ...]:
        values = self._child(output, "outputValues")
        if values is None:
            return ()
        try:
            listed = compile_expression(f"[{self._text(values)}]").evaluate({}, EvaluationContext(0))
        except FeelSyntaxError as error:
            self._error(error.code, error.message, values)
            return ()
        return tuple(listed) if isinstance(listed, list) else ()
