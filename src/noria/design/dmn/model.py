"""Decisions, ready to evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from noria.design.feel import EvaluationContext, Expression, UnaryTests, from_json
from noria.design.feel.runtime import call, gt, lt
from noria.design.feel.values import Function, is_number
from noria.design.feel.builtins_lists import total


class RuleHit(msgspec.Struct, frozen=True):
    """A row that decided.

    Attributes:
        table_id: id of the decision whose table it is.
        rule_index: 0-based position of the row.
        rule_id: id of the row, "" when it has none.
    """

    table_id: str
    rule_index: int
    rule_id: str


class DecisionResult(msgspec.Struct, frozen=True):
    """What a decision gave: its FEEL value and the rows that decided, required decisions' rows first."""

    value: object
    matched: tuple[RuleHit, ...]


class Logic(Protocol):
    """The boxed expression of a decision."""

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """Its FEEL value; rows that decided are added to `hits`."""
        ...


class LiteralLogic(msgspec.Struct):
    """A FEEL expression."""

    expression: Expression

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:  # noqa: ARG002
        """See `Logic`."""
        return self.expression.evaluate(variables, context)


class ContextLogic(msgspec.Struct):
    """A boxed context; an entry without a name is the result."""

    entries: tuple[tuple[str, Logic], ...]

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """See `Logic`."""
        visible = dict(variables)
        values: dict[str, object] = {}
        for name, logic in self.entries:
            value = logic.evaluate(visible, context, hits)
            if not name:
                return value
            values[name] = visible[name] = value
        return values


class ListLogic(msgspec.Struct):
    """A boxed list."""

    items: tuple[Logic, ...]

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """See `Logic`."""
        return [item.evaluate(variables, context, hits) for item in self.items]


class RelationLogic(msgspec.Struct):
    """A boxed relation: rows as contexts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Logic, ...], ...]

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """See `Logic`."""
        return [
            {name: cell.evaluate(variables, context, hits) for name, cell in zip(self.columns, row, strict=True)}
            for row in self.rows
        ]


class FunctionLogic(msgspec.Struct):
    """A boxed function, or the logic of a business knowledge model."""

    parameters: tuple[str, ...]
    body: Logic

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """See `Logic`."""

        def body(*arguments: object) -> object:
            given = dict(zip(self.parameters, arguments, strict=True))
            return self.body.evaluate({**variables, **given}, context, hits)

        return Function(self.parameters, body)


class InvocationLogic(msgspec.Struct):
    """A boxed invocation of a function by named arguments."""

    function: Expression
    bindings: tuple[tuple[str, Logic], ...]

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """See `Logic`."""
        arguments = tuple(logic.evaluate(variables, context, hits) for _, logic in self.bindings)
        function = self.function.evaluate(variables, context)
        return call(context, function, arguments, tuple(name for name, _ in self.bindings))


class Rule(msgspec.Struct):
    """One row of a table: a test per input, an expression per output."""

    id: str
    tests: tuple[UnaryTests, ...]
    outputs: tuple[Expression, ...]


class TableLogic(msgspec.Struct):
    """A decision table.

    Attributes:
        id: id of its decision.
        policy: U, A, P, F, R, O or C.
        aggregation: "", "SUM", "COUNT", "MIN" or "MAX"; for policy C.
        inputs: one expression per column.
        allowed: per input column the values that are allowed, None for any.
        outputs: names of the output columns; one column's name may be "".
        priorities: per output column the allowed values in order of priority.
        defaults: per output column the value when no row matches, None for none.
        rules: its rows.
    """

    id: str
    policy: str
    aggregation: str
    inputs: tuple[Expression, ...]
    allowed: tuple[UnaryTests | None, ...]
    outputs: tuple[str, ...]
    priorities: tuple[tuple[object, ...], ...]
    defaults: tuple[Expression | None, ...]
    rules: tuple[Rule, ...]

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit]) -> object:
        """See `Logic`."""
        values = []
        for expression, allowed in zip(self.inputs, self.allowed, strict=True):
            value = expression.evaluate(variables, context)
            if allowed is not None and value is not None and allowed.matches(value, variables, context) is not True:
                return context.why_null(f"The value of {expression.source} is not among those allowed.")
            values.append(value)
        matched: list[int] = []
        for index, rule in enumerate(self.rules):
            if all(
                test.matches(value, variables, context) is True
                for test, value in zip(rule.tests, values, strict=True)
            ):
                matched.append(index)
                if self.policy == "F":
                    break
        if not matched:
            return self._default(variables, context)
        results = {index: self._outputs(self.rules[index], variables, context) for index in matched}
        return self._by_policy(matched, results, context, hits)

    def _outputs(self, rule: Rule, variables: Mapping[str, object], context: EvaluationContext) -> object:
        values = [expression.evaluate(variables, context) for expression in rule.outputs]
        if len(self.outputs) == 1:
            return values[0]
        return dict(zip(self.outputs, values, strict=True))

    def _default(self, variables: Mapping[str, object], context: EvaluationContext) -> object:
        if all(expression is None for expression in self.defaults):
            if self.policy == "C" and not self.aggregation:
                return []
            if self.aggregation == "COUNT":
                return 0
            return context.why_null(f"No row of {self.id} matches.")
        values = [None if expression is None else expression.evaluate(variables, context) for expression in self.defaults]
        if len(self.outputs) == 1:
            return values[0]
        return dict(zip(self.outputs, values, strict=True))

    def _by_policy(
        self, matched: list[int], results: dict[int, object], context: EvaluationContext, hits: list[RuleHit]
    ) -> object:
        def hit(indexes: list[int]) -> None:
            hits.extend(RuleHit(self.id, index, self.rules[index].id) for index in indexes)

        first = results[matched[0]]
        if self.policy == "U":
            if len(matched) > 1:
                rows = ", ".join(str(index + 1) for index in matched)
                return context.why_null(f"Rows {rows} of {self.id} match, but only one may.")
            hit(matched)
            return first
        if self.policy == "A":
            if any(results[index] != first for index in matched):
                return context.why_null(f"Several rows of {self.id} match and disagree.")
            hit(matched)
            return first
        if self.policy == "F":
            hit(matched)
            return first
        if self.policy in ("P", "O"):
            matched = sorted(matched, key=lambda index: self._rank(results[index]))
            if self.policy == "P":
                hit(matched[:1])
                return results[matched[0]]
            hit(matched)
            return [results[index] for index in matched]
        hit(matched)
        collected = [results[index] for index in matched]
        return self._aggregate(collected, context) if self.aggregation else collected

    def _rank(self, result: object) -> tuple[int, ...]:
        values = [result] if len(self.outputs) == 1 else [result[name] for name in self.outputs]  # type: ignore[index]
        ranks = []
        for value, order in zip(values, self.priorities, strict=True):
            ranks.append(order.index(value) if value in order else len(order))
        return tuple(ranks)

    def _aggregate(self, values: list[object], context: EvaluationContext) -> object:
        if self.aggregation == "COUNT":
            return len(values)
        if self.aggregation == "SUM":
            return total(context, values)
        best = values[0]
        better = lt if self.aggregation == "MIN" else gt
        if not all(is_number(value) or isinstance(value, type(best)) for value in values):
            return context.why_null(f"The values of {self.id} cannot be compared.")
        for value in values[1:]:
            if better(context, value, best):
                best = value
        return best


class Decision(msgspec.Struct):
    """One decision with all that it requires.

    Attributes:
        id: its id.
        name: its name; the variable that others see it by.
        logic: its boxed expression, None for a decision without logic (always null).
        requires: decisions that are made first.
        knowledge: business knowledge models by name, in order of requirement.
        inputs: names of the input data.
    """

    id: str
    name: str
    logic: Logic | None
    requires: list[Decision] = []
    knowledge: list[tuple[str, FunctionLogic]] = []
    inputs: tuple[str, ...] = ()

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext) -> DecisionResult:
        """Make the decision; each required decision is made once.

        Args:
            variables: the input data, JSON or FEEL values by name.
            context: the present, the budget, and where reasons for null go.

        Raises:
            FeelBudgetError: it takes more than it may.
        """
        hits: list[RuleHit] = []
        made: dict[str, object] = {}
        value = self._make({name: from_json(item) for name, item in variables.items()}, context, hits, made)
        return DecisionResult(value, tuple(hits))

    def _make(
        self, variables: Mapping[str, object], context: EvaluationContext, hits: list[RuleHit], made: dict[str, object]
    ) -> object:
        if self.id in made:
            return made[self.id]
        context.step()
        visible = dict(variables)
        for required in self.requires:
            visible[required.name] = required._make(variables, context, hits, made)
        for name, model in self.knowledge:
            visible[name] = model.evaluate(visible, context, hits)
        made[self.id] = None if self.logic is None else self.logic.evaluate(visible, context, hits)
        return made[self.id]


class DecisionModel(msgspec.Struct):
    """One DMN file.

    Attributes:
        name: name of the definitions.
        decisions: by id.
    """

    name: str
    decisions: dict[str, Decision]
