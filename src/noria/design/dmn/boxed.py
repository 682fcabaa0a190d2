"""Boxed expressions of DMN, compiled to functions of the variables in scope and the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from noria.design.dmn.model import Logic, Run
from noria.design.dmn.tables import POLICY_NAMES, Output, Rule, Table, WrittenTable
from noria.design.feel import calls, iteration, runtime
from noria.design.feel.expression import Expression, UnaryTests, compile_expression, compile_unary_tests
from noria.design.feel.externals import external_function
from noria.design.feel.scanner import FeelSyntaxError
from noria.design.feel.types import FeelType
from noria.design.feel.values import Function
from noria.design.xml import Node

POLICIES = {name: policy for policy, name in POLICY_NAMES.items()}
EXPRESSIONS = frozenset(
    {
        "literalExpression",
        "decisionTable",
        "context",
        "invocation",
        "functionDefinition",
        "list",
        "relation",
        "conditional",
        "filter",
        "for",
        "some",
        "every",
    }
)

Report = Callable[[Node, str, str], None]
Names = frozenset[str]


def child(node: Node, local: str) -> Node | None:
    """The first child element of this local name in the same namespace."""
    return next((one for one in node.elements() if one.local == local and one.namespace == node.namespace), None)


def children(node: Node, local: str) -> list[Node]:
    """Child elements of this local name in the same namespace."""
    return [one for one in node.elements() if one.local == local and one.namespace == node.namespace]


def expression_of(node: Node) -> Node | None:
    """The boxed expression directly inside an element."""
    return next((one for one in node.elements() if one.local in EXPRESSIONS and one.namespace == node.namespace), None)


def text_in(node: Node | None) -> str:
    """The content of the child element ``text``, "" when there is none."""
    found = None if node is None else child(node, "text")
    return "" if found is None else found.text.strip()


class Boxes:
    """Compiles boxed expressions of one model; what cannot be compiled is reported and gives null.

    Attributes:
        types: item definitions by name.
        fields: component names with spaces, which the parser must know.
        inputs: declared types of the names that the element being compiled has from outside.
        tables: the decision tables that were compiled.
    """

    def __init__(
        self, types: Mapping[str, FeelType], fields: Iterable[str], report: Report, language: str = ""
    ) -> None:
        self.types = types
        self.fields = frozenset(fields)
        self.inputs: dict[str, FeelType | None] = {}
        self.tables: list[WrittenTable] = []
        self._report = report
        # Of the whole file; FEEL when it says nothing.
        self._language = language
        self._in_filter = False
        self._compilers: dict[str, Callable[[Node, Names], Logic]] = {
            "literalExpression": self._literal,
            "decisionTable": self._table,
            "context": self._context,
            "invocation": self._invocation,
            "functionDefinition": self._function,
            "list": self._list,
            "relation": self._relation,
            "conditional": self._conditional,
            "filter": self._filter,
            "for": self._for,
            "some": self._quantified,
            "every": self._quantified,
        }

    def type_of(self, name: str, node: Node) -> FeelType | None:
        """A declared type by its reference; unknown ones are reported."""
        name = name.strip().removeprefix("feel:")
        if name in {"", "Any"}:
            return None
        found = self.types.get(name)
        if found is None:
            self._report(node, "dmn.unknown_type", f"There is no type {name!r}; define it or correct the reference.")
        return found

    def logic(self, node: Node, names: Names) -> Logic:
        """Compile any boxed expression; a declared type of its own converts the result."""
        compiled = self._compilers[node.local](node, names)
        wanted = self.type_of(node.get("typeRef"), node) if node.local not in {"decisionTable", "invocation"} else None
        if wanted is None or node.local == "functionDefinition":
            return compiled
        name = node.get("label") or node.get("id")
        return lambda variables, run: run.typed(compiled(variables, run), wanted, name)

    def inside(self, node: Node, local: str, names: Names) -> Logic:
        """Compile the expression inside a named child element, e.g. ``if``."""
        box = child(node, local)
        inner = None if box is None else expression_of(box)
        if inner is None:
            self._report(node, "dmn.missing_expression", f"The {node.local} has no expression in its {local!r}.")
            return _null
        return self.logic(inner, names)

    def is_feel(self, node: Node) -> bool:
        """Whether an element's text is FEEL; any other language is reported."""
        language = node.get("expressionLanguage") or self._language
        if language and "feel" not in language.lower():
            self._report(node, "dmn.unsupported_language", f"Expressions in {language!r} are not run; write FEEL.")
            return False
        return True

    def expression(self, text: str, node: Node, names: Names) -> Expression | None:
        """Compile FEEL text, reporting what is wrong with it."""
        if not self.is_feel(node):
            return None
        try:
            return compile_expression(text, names | self.fields, self.types, in_filter=self._in_filter)
        except FeelSyntaxError as error:
            self._report(node, "feel.syntax", error.message)
            return None

    def tests(self, text: str, node: Node, names: Names) -> UnaryTests | None:
        """Compile unary tests, reporting what is wrong with them."""
        if not self.is_feel(node):
            return None
        try:
            return compile_unary_tests(text, names | self.fields, self.types, in_filter=self._in_filter)
        except FeelSyntaxError as error:
            self._report(node, "feel.syntax", error.message)
            return None

    def _literal(self, node: Node, names: Names) -> Logic:
        text = text_in(node)
        if not text:
            if child(node, "importedValues") is not None:
                self._report(node, "dmn.unsupported_element", "importedValues is not supported; write the expression.")
            return _null
        expression = self.expression(text, node, names)
        if expression is None:
            return _null
        return lambda variables, run: (
            expression.evaluate(variables, run.context)
            if run.watcher is None
            else run.watcher.evaluated(expression, variables, run)
        )

    def _context(self, node: Node, names: Names) -> Logic:
        entries: list[tuple[str, FeelType | None, Logic]] = []
        result: Logic | None = None
        known = names
        for entry in children(node, "contextEntry"):
            variable = child(entry, "variable")
            inner = expression_of(entry)
            name = "" if variable is None else variable.get("name")
            recursive = known | {name} if inner is not None and inner.local == "functionDefinition" else known
            logic = _null if inner is None else self.logic(inner, recursive)
            if variable is None:
                result = logic
                continue
            known = known | {name}
            entries.append((name, self.type_of(variable.get("typeRef"), variable), logic))
        keys = [name for name, _, _ in entries]
        twice = runtime.repeated(keys)
        if twice is not None:
            self._report(node, "dmn.duplicate_entry", f"Two entries of a context are called {twice!r}; rename one.")
            return lambda _variables, run: runtime.note_repeated(run.context, keys)

        def evaluate(variables: dict[str, Any], run: Run) -> Any:
            scope = dict(variables)
            made: dict[str, Any] = {}
            for name, wanted, logic in entries:
                made[name] = scope[name] = run.typed(logic(scope, run), wanted, name)
            return made if result is None else result(scope, run)

        return evaluate

    def _invocation(self, node: Node, names: Names) -> Logic:
        inner = expression_of(node)
        called = _null if inner is None else self.logic(inner, names)
        bindings: list[tuple[str, Logic]] = []
        for binding in children(node, "binding"):
            parameter, bound = child(binding, "parameter"), expression_of(binding)
            if parameter is not None:
                bindings.append((parameter.get("name"), _null if bound is None else self.logic(bound, names)))
        parameters = tuple(name for name, _ in bindings)

        def evaluate(variables: dict[str, Any], run: Run) -> Any:
            function = called(variables, run)
            arguments = tuple(logic(variables, run) for _, logic in bindings)
            if not arguments:
                return calls.invoke(run.context, function, ())
            return calls.invoke_named(run.context, function, parameters, arguments)

        return evaluate

    def _function(self, node: Node, names: Names) -> Logic:
        params, wanted = self.parameters(node)
        inner = expression_of(node)
        if node.get("kind") not in {"", "FEEL"}:
            return self.external(node, names, params, wanted)
        body = _null if inner is None else self.logic(inner, names | set(params))

        def evaluate(variables: dict[str, Any], run: Run) -> Function:
            return Function(
                params,
                wanted,
                lambda *arguments: body({**variables, **dict(zip(params, arguments, strict=True))}, run),
            )

        return evaluate

    def external(self, node: Node, names: Names, params: tuple[str, ...], types: tuple[FeelType | None, ...]) -> Logic:
        """The function that a definition of kind Java (or PMML, which gives null) names."""
        inner = expression_of(node)
        named = _null if inner is None else self.logic(inner, names)
        language = node.get("kind").lower()
        return lambda variables, run: external_function(run.context, params, types, {language: named(variables, run)})

    def parameters(self, node: Node) -> tuple[tuple[str, ...], tuple[FeelType | None, ...]]:
        """Names and types of the formal parameters of a function definition."""
        found = children(node, "formalParameter")
        return tuple(one.get("name") for one in found), tuple(self.type_of(one.get("typeRef"), one) for one in found)

    def _list(self, node: Node, names: Names) -> Logic:
        items = [self.logic(one, names) for one in node.elements() if one.local in EXPRESSIONS]
        return lambda variables, run: [item(variables, run) for item in items]

    def _relation(self, node: Node, names: Names) -> Logic:
        columns = [(one.get("name"), self.type_of(one.get("typeRef"), one)) for one in children(node, "column")]
        rows = [
            [self.logic(cell, names) for cell in row.elements() if cell.local in EXPRESSIONS]
            for row in children(node, "row")
        ]
        if any(len(row) != len(columns) for row in rows):
            self._report(node, "dmn.relation", "Every row of a relation has one cell per column.")
            return _null
        return lambda variables, run: [
            {
                name: run.typed(cell(variables, run), wanted, name)
                for (name, wanted), cell in zip(columns, row, strict=True)
            }
            for row in rows
        ]

    def _conditional(self, node: Node, names: Names) -> Logic:
        condition = self.inside(node, "if", names)
        then, otherwise = self.inside(node, "then", names), self.inside(node, "else", names)
        return lambda variables, run: (
            then(variables, run) if condition(variables, run) is True else otherwise(variables, run)
        )

    def _filter(self, node: Node, names: Names) -> Logic:
        source = self.inside(node, "in", names)
        around, self._in_filter = self._in_filter, True
        match = self.inside(node, "match", names | {"item"})
        self._in_filter = around

        def evaluate(variables: dict[str, Any], run: Run) -> Any:
            def condition(item: Any) -> Any:
                return match({**variables, "item": item, **runtime.fields(item)}, run)

            return iteration.filter_list(run.context, source(variables, run), condition)

        return evaluate

    def _for(self, node: Node, names: Names) -> Logic:
        name = node.get("iteratorVariable")
        source, body = self.inside(node, "in", names), self.inside(node, "return", names | {name, "partial"})

        def evaluate(variables: dict[str, Any], run: Run) -> Any:
            return iteration.loop(
                run.context,
                source(variables, run),
                (),
                lambda partial, item: body({**variables, name: item, "partial": partial}, run),
                partial_used=True,
            )

        return evaluate

    def _quantified(self, node: Node, names: Names) -> Logic:
        name = node.get("iteratorVariable")
        quantifier = iteration.every if node.local == "every" else iteration.some
        source, condition = self.inside(node, "in", names), self.inside(node, "satisfies", names | {name})
        return lambda variables, run: quantifier(
            run.context,
            source(variables, run),
            (),
            lambda item: condition({**variables, name: item}, run),
        )

    def _table(self, node: Node, names: Names) -> Logic:
        policy = POLICIES.get(node.get("hitPolicy", "UNIQUE"))
        if policy is None:
            self._report(node, "dmn.hit_policy", f"{node.get('hitPolicy')!r} is not a hit policy.")
            return _null
        inputs: list[Expression] = []
        allowed: list[UnaryTests | None] = []
        for clause in children(node, "input"):
            box = child(clause, "inputExpression")
            expression = self.expression(text_in(box) or "null", box or clause, names)
            if expression is not None:
                inputs.append(expression)
            limits = child(clause, "inputValues")
            allowed.append(self.tests(text_in(limits), limits, names) if limits and text_in(limits) else None)
        outputs = [self._output(clause, node, names) for clause in children(node, "output")]
        rules = [self._rule(rule, len(allowed), len(outputs), names) for rule in children(node, "rule")]
        if len(inputs) != len(allowed) or not outputs or None in rules:
            if not outputs:
                self._report(node, "dmn.table", "A decision table needs an output.")
            return _null
        owner: Node | None = node
        while owner is not None and not owner.get("id"):
            owner = owner.parent
        kept = tuple(rule for rule in rules if rule is not None)
        table_id = "" if owner is None else owner.get("id")
        table = Table(table_id, policy, node.get("aggregation"), tuple(inputs), tuple(allowed), tuple(outputs), kept)
        types = tuple(self._input_type(clause) for clause in children(node, "input"))
        lines = tuple(rule.line for rule in children(node, "rule"))
        self.tables.append(WrittenTable(table, types, node.line, lines))
        return table.evaluate

    def _input_type(self, clause: Node) -> FeelType | None:
        """The type of an input column: its own, or that of the input it names. The evaluation does not ask for it."""
        box = child(clause, "inputExpression")
        named = "" if box is None else box.get("typeRef").strip().removeprefix("feel:")
        return self.types.get(named) if named else self.inputs.get(text_in(box))

    def _output(self, clause: Node, table: Node, names: Names) -> Output:
        wanted = self.type_of(clause.get("typeRef"), clause)
        text = text_in(child(clause, "outputValues"))
        if not text and wanted is None and len(children(table, "output")) == 1 and table.parent is not None:
            variable = child(table.parent, "variable")
            wanted = self.type_of(variable.get("typeRef"), variable) if variable is not None else None
            wanted = wanted.item if wanted is not None and wanted.kind == "list" else wanted
        limits = wanted.limits if wanted is not None else ()
        priorities = self._listed(text or (limits[-1].text if limits else ""), names)
        default = child(clause, "defaultOutputEntry")
        declared = self.type_of(clause.get("typeRef"), clause)
        compiled = self.expression(text_in(default), default, names) if default and text_in(default) else None
        return Output(clause.get("name"), declared, priorities, compiled)

    def _listed(self, text: str, names: Names) -> Expression | None:
        """Allowed output values as one list; None when they are no plain values and so have no order."""
        try:
            return compile_expression(f"[{text}]", names | self.fields, self.types)
        except FeelSyntaxError:
            return None

    def _rule(self, rule: Node, inputs: int, outputs: int, names: Names) -> Rule | None:
        tests: list[tuple[int, UnaryTests]] = []
        entries = children(rule, "inputEntry")
        results = children(rule, "outputEntry")
        if len(entries) != inputs or len(results) != outputs:
            self._report(rule, "dmn.rule", f"A rule here has {inputs} inputs and {outputs} outputs.")
            return None
        for column, entry in enumerate(entries):
            text = text_in(entry)
            if text in {"", "-"}:
                continue
            compiled = self.tests(text, entry, names)
            if compiled is not None:
                tests.append((column, compiled))
        values = tuple(self.expression(text_in(one), one, names) if text_in(one) else None for one in results)
        return Rule(rule.get("id"), tuple(tests), values)


def _null(_variables: dict[str, Any], _run: Run) -> None:
    """Logic that is left open: null."""
