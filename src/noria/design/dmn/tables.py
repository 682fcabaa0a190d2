"""Decision tables: which rules match, and what the hit policy makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import msgspec

from noria.design.dmn.model import RuleHit, Run
from noria.design.feel.calls import invoke
from noria.design.feel.comparison import equal
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.expression import Expression, UnaryTests
from noria.design.feel.library import LIBRARY
from noria.design.feel.types import FeelType
from noria.design.feel.values import to_json

POLICY_NAMES = {
    "U": "UNIQUE",
    "A": "ANY",
    "P": "PRIORITY",
    "F": "FIRST",
    "R": "RULE ORDER",
    "O": "OUTPUT ORDER",
    "C": "COLLECT",
}


class Output(msgspec.Struct):
    """One output column.

    Attributes:
        name: "" for the only output of a table.
        type: declared type, None for any.
        priorities: list of allowed output values, most important first; None when there is no such order.
        default: value when no rule matches, None for null.
    """

    name: str
    type: FeelType | None
    priorities: Expression | None
    default: Expression | None


class Rule(msgspec.Struct):
    """One rule: tests by input column (columns that accept anything are left out), and one output per column."""

    id: str
    tests: tuple[tuple[int, UnaryTests], ...]
    outputs: tuple[Expression | None, ...]


class _Column(msgspec.Struct):
    """One input column the other way round: which rules each of its tests stands in. Sets of rules are bit sets.

    Attributes:
        position: of the column.
        open: rules that accept anything here.
        tests: each different test, with the rules it stands in.
    """

    position: int
    open: int
    tests: dict[UnaryTests, int]


class Table(msgspec.Struct, dict=True):
    """A decision table.

    Attributes:
        id: id of the table.
        policy: U, A, P, F, R, O or C.
        aggregation: "", SUM, MIN, MAX or COUNT; only with C.
        inputs: expressions of the input columns.
        allowed: tests that an input value must pass, by column; None allows all.
    """

    id: str
    policy: str
    aggregation: str
    inputs: tuple[Expression, ...]
    allowed: tuple[UnaryTests | None, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]

    def evaluate(self, variables: dict[str, Any], run: Run) -> Any:
        """The result of the hit policy; a context when there are several outputs."""
        if run.watcher is not None:
            return run.watcher.table(self, variables, run)
        return self.decide(self.values(variables, run.context), variables, run)

    def values(self, variables: dict[str, Any], context: EvaluationContext) -> tuple[Any, ...]:
        """The input values."""
        return tuple(expression.evaluate(variables, context) for expression in self.inputs)

    def allows(self, values: Sequence[Any], variables: dict[str, Any], context: EvaluationContext) -> bool:
        """Whether each input value is an allowed one; noted when one is not."""
        for position, tests in enumerate(self.allowed):
            if tests is not None and tests.matches(values[position], variables, context) is not True:
                context.note("dmn.input_not_allowed", f"Table {self.id}: input {position + 1} is not an allowed value.")
                return False
        return True

    def decide(self, values: tuple[Any, ...], variables: dict[str, Any], run: Run) -> Any:
        """The result for input values."""
        if not self.allows(values, variables, run.context):
            return None
        results: list[tuple[Any, ...]] = []
        for index in self._matching(values, variables, run):
            rule = self.rules[index]
            outputs = self._outputs(rule, variables, run)
            named = {output.name: to_json(value) for output, value in zip(self.outputs, outputs, strict=True)}
            run.hits.append(RuleHit(self.id, index, rule.id, tuple(to_json(value) for value in values), named))
            results.append(outputs)
            if self.policy == "F":
                break
        if not results:
            return self._default(variables, run)
        return _POLICIES[self.policy](self, results, variables, run)

    @cached_property
    def _columns(self) -> list[_Column]:
        """The columns, those with the fewest different tests first: they leave the fewest rules for the others."""
        everything = (1 << len(self.rules)) - 1
        columns = [_Column(position, everything, {}) for position in range(len(self.inputs))]
        for index, rule in enumerate(self.rules):
            for position, tests in rule.tests:
                column = columns[position]
                column.open &= ~(1 << index)
                column.tests[tests] = column.tests.get(tests, 0) | 1 << index
        return sorted(columns, key=lambda column: len(column.tests))

    def _matching(self, values: tuple[Any, ...], variables: dict[str, Any], run: Run) -> Iterator[int]:
        """Indexes of the rules that match, in order. A test that stands in many rules is made once."""
        left = (1 << len(self.rules)) - 1
        for column in self._columns:
            value, passing = values[column.position], column.open
            for tests, rules in column.tests.items():
                if rules & left and tests.matches(value, variables, run.context) is True:
                    passing |= rules
            left &= passing
        while left:
            lowest = left & -left
            yield lowest.bit_length() - 1
            left ^= lowest

    def _outputs(self, rule: Rule, variables: dict[str, Any], run: Run) -> tuple[Any, ...]:
        return tuple(
            None if entry is None else run.typed(entry.evaluate(variables, run.context), output.type, output.name)
            for entry, output in zip(rule.outputs, self.outputs, strict=True)
        )

    def _default(self, variables: dict[str, Any], run: Run) -> Any:
        if all(output.default is None for output in self.outputs):
            return None
        return self.shaped(
            tuple(
                None
                if output.default is None
                else run.typed(output.default.evaluate(variables, run.context), output.type, output.name)
                for output in self.outputs
            )
        )

    def shaped(self, outputs: tuple[Any, ...]) -> Any:
        """One output as its value, several as a context."""
        if len(self.outputs) == 1:
            return outputs[0]
        return {output.name: value for output, value in zip(self.outputs, outputs, strict=True)}

    def by_priority(self, results: list[tuple[Any, ...]], variables: dict[str, Any], run: Run) -> list[tuple[Any, ...]]:
        """The results, most important first."""
        ranks = self.ranks(results, variables, run)
        return [results[at] for at in sorted(range(len(results)), key=ranks.__getitem__)]

    def ranks(self, results: list[tuple[Any, ...]], variables: dict[str, Any], run: Run) -> list[tuple[int, ...]]:
        """How important each result is, small numbers first: by the order of allowed output values, left to right."""
        orders: list[list[Any]] = [
            [] if output.priorities is None else output.priorities.evaluate(variables, run.context)
            for output in self.outputs
        ]

        def rank(outputs: tuple[Any, ...]) -> tuple[int, ...]:
            return tuple(
                next((at for at, one in enumerate(known) if equal(run.context, one, value) is True), len(known))
                for known, value in zip(orders, outputs, strict=True)
            )

        return [rank(outputs) for outputs in results]


class WrittenTable(msgspec.Struct):
    """A table as it stands in a file.

    Attributes:
        table: what is evaluated.
        types: declared type of each input, None for any.
        line: 1-based line of the table.
        rule_lines: 1-based line of each rule.
    """

    table: Table
    types: tuple[FeelType | None, ...]
    line: int
    rule_lines: tuple[int, ...]


def _unique(table: Table, results: list[tuple[Any, ...]], _variables: dict[str, Any], run: Run) -> Any:
    if len(results) > 1:
        run.context.note("dmn.not_unique", f"Table {table.id}: {len(results)} rules match, but only one may.")
        return None
    return table.shaped(results[0])


def _any(table: Table, results: list[tuple[Any, ...]], _variables: dict[str, Any], run: Run) -> Any:
    if any(equal(run.context, list(results[0]), list(other)) is not True for other in results[1:]):
        run.context.note("dmn.not_equal", f"Table {table.id}: the rules that match disagree.")
        return None
    return table.shaped(results[0])


def _first(table: Table, results: list[tuple[Any, ...]], _variables: dict[str, Any], _run: Run) -> Any:
    return table.shaped(results[0])


def _priority(table: Table, results: list[tuple[Any, ...]], variables: dict[str, Any], run: Run) -> Any:
    return table.shaped(table.by_priority(results, variables, run)[0])


def _rule_order(table: Table, results: list[tuple[Any, ...]], _variables: dict[str, Any], _run: Run) -> Any:
    return [table.shaped(outputs) for outputs in results]


def _output_order(table: Table, results: list[tuple[Any, ...]], variables: dict[str, Any], run: Run) -> Any:
    return [table.shaped(outputs) for outputs in table.by_priority(results, variables, run)]


def _collect(table: Table, results: list[tuple[Any, ...]], _variables: dict[str, Any], run: Run) -> Any:
    if table.aggregation == "":
        return [table.shaped(outputs) for outputs in results]
    aggregated = tuple(_aggregated(table.aggregation, list(column), run) for column in zip(*results, strict=True))
    return table.shaped(aggregated)


def _aggregated(aggregation: str, values: list[Any], run: Run) -> Any:
    return invoke(run.context, LIBRARY[aggregation.lower()], (values,))


_POLICIES: dict[str, Callable[[Table, list[tuple[Any, ...]], dict[str, Any], Run], Any]] = {
    "U": _unique,
    "A": _any,
    "F": _first,
    "P": _priority,
    "R": _rule_order,
    "O": _output_order,
    "C": _collect,
}
