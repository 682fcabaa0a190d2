"""Why a decision gave what it gave: inputs and cells of each table, and where each null came from.

Made by evaluating once more beside the evaluation, only when it is asked for; see `explain`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import msgspec

from noria.design.dmn.model import Decision, DecisionResult, Run, Watcher
from noria.design.dmn.tables import POLICY_NAMES, Rule, Table
from noria.design.feel.evaluation import Diagnostic, EvaluationContext
from noria.design.feel.expression import Expression
from noria.design.feel.values import to_json


class NoteSeen(msgspec.Struct, frozen=True):
    """Why something became null, and where.

    Attributes:
        code: stable, e.g. ``feel.unknown_name``.
        message: one English sentence.
        decision: name of the decision, "" outside of any.
        table: id of the table, "" outside of any.
        row: 1-based rule of the table, 0 outside of any.
        column: expression of the input column or name of the output column.
        expression: the FEEL text.
    """

    code: str
    message: str
    decision: str
    table: str = ""
    row: int = 0
    column: str = ""
    expression: str = ""


class InputSeen(msgspec.Struct):
    """An input column: its expression and the value that was tested, as JSON."""

    expression: str
    value: Any


class CellSeen(msgspec.Struct):
    """A cell that was looked at: the column's expression, the test as written, and what it said."""

    column: str
    test: str
    outcome: Literal["passed", "failed", "null"]


class RuleSeen(msgspec.Struct):
    """A rule: 1-based row, id, and its cells from the left up to the first that did not pass; "-" is left out."""

    row: int
    id: str
    matched: bool
    cells: list[CellSeen]


class TableSeen(msgspec.Struct):
    """One evaluation of a table.

    Attributes:
        decision: name of the decision it was evaluated for.
        table: id of the table.
        hit_policy: as in the file, e.g. ``UNIQUE``.
        inputs: values of the input columns.
        rules: every rule; empty when an input is not an allowed value.
        result: what the hit policy made of the rules that matched, as JSON.
    """

    decision: str
    table: str
    hit_policy: str
    inputs: list[InputSeen]
    rules: list[RuleSeen]
    result: Any = None


class DecisionExplanation(msgspec.Struct):
    """Why a decision gave what it gave: tables in the order in which they were decided, and what became null."""

    tables: list[TableSeen]
    notes: list[NoteSeen]


def explain(
    decision: Decision, variables: Mapping[str, object], context: EvaluationContext
) -> tuple[DecisionResult, DecisionExplanation]:
    """Evaluate a decision and say why. Arguments and errors as for `Decision.evaluate`, which gives the same result."""
    observer = _Observer(context)
    result = decision.evaluate(variables, context, observer)
    return result, observer.explanation()


class _Place(NamedTuple):
    decision: str = ""
    table: str = ""
    row: int = 0
    column: str = ""
    expression: str = ""


class _Observer(Watcher):
    def __init__(self, context: EvaluationContext) -> None:
        self._context = context
        self._tables: list[TableSeen] = []
        self._notes: list[NoteSeen] = []
        self._told: set[tuple[str, Diagnostic]] = set()
        self._seen = len(context.diagnostics)
        self._place = _Place()
        self._aside = False

    def explanation(self) -> DecisionExplanation:
        self._take_notes()
        return DecisionExplanation(self._tables, self._notes)

    # --- called while a decision is evaluated

    def decided(self, name: str, decide: Callable[[], Any]) -> Any:
        with self._at(_Place(name)):
            return decide()

    def evaluated(self, expression: Expression, variables: dict[str, Any], run: Run) -> Any:
        with self._at(_Place(self._place.decision, expression=expression.source)):
            return expression.evaluate(variables, run.context)

    def table(self, table: Table, variables: dict[str, Any], run: Run) -> Any:
        if self._aside:
            return table.decide(table.values(variables, run.context), variables, run)
        here = _Place(self._place.decision, table.id)
        with self._at(here):
            values: list[Any] = []
            for expression in table.inputs:
                with self._at(here._replace(column=expression.source, expression=expression.source)):
                    values.append(expression.evaluate(variables, run.context))
            inputs = [
                InputSeen(expression.source, to_json(value))
                for expression, value in zip(table.inputs, values, strict=True)
            ]
            rules: list[RuleSeen] = []
            with self._beside(run):
                if table.allows(values, variables, _fresh(run)):
                    rules = [self._rule(table, at, values, variables, run) for at in range(len(table.rules))]
            seen = TableSeen(here.decision, table.id, POLICY_NAMES[table.policy], inputs, rules)
            self._tables.append(seen)
            result = table.decide(tuple(values), variables, run)
            seen.result = to_json(result)
            return result

    def _rule(self, table: Table, at: int, values: list[Any], variables: dict[str, Any], run: Run) -> RuleSeen:
        rule = table.rules[at]
        seen = RuleSeen(at + 1, rule.id, True, [])
        for position, tests in rule.tests:
            column = table.inputs[position].source
            context = _fresh(run)
            outcome = tests.matches(values[position], variables, context)
            seen.cells.append(
                CellSeen(column, tests.source, "null" if outcome is None else "passed" if outcome else "failed")
            )
            self._add(context.diagnostics, self._place._replace(row=at + 1, column=column, expression=tests.source))
            if outcome is not True:
                seen.matched = False
                return seen
        self._outputs(table, rule, at, variables, run)
        return seen

    def _outputs(self, table: Table, rule: Rule, at: int, variables: dict[str, Any], run: Run) -> None:
        for entry, output in zip(rule.outputs, table.outputs, strict=True):
            if entry is not None:
                context = _fresh(run)
                entry.evaluate(variables, context)
                place = self._place._replace(row=at + 1, column=output.name, expression=entry.source)
                self._add(context.diagnostics, place)

    # --- notes

    @contextmanager
    def _at(self, place: _Place) -> Iterator[None]:
        """What is noted meanwhile belongs to this place, unless it belongs to one inside."""
        self._take_notes()
        around, self._place = self._place, place
        try:
            yield
            self._take_notes()
        finally:
            self._place = around

    @contextmanager
    def _beside(self, run: Run) -> Iterator[None]:
        """What is evaluated meanwhile leaves no trace in the evaluation: no notes, hits or spent budget."""
        self._take_notes()
        context, notes, hits, steps = run.context, self._seen, len(run.hits), run.context.steps_left
        self._aside = True
        try:
            yield
        finally:
            self._aside = False
            context.steps_left = steps
            del context.diagnostics[notes:], run.hits[hits:]

    def _take_notes(self) -> None:
        if self._aside:
            return
        self._add(self._context.diagnostics[self._seen :], self._place)
        self._seen = len(self._context.diagnostics)

    def _add(self, diagnostics: list[Diagnostic], place: _Place) -> None:
        for one in diagnostics:
            # Cells are evaluated once for the explanation and once for the decision; the first time knows the cell.
            inside = place.table and not place.row and not place.column
            if not (inside and (place.table, one) in self._told):
                self._notes.append(NoteSeen(one.code, one.message, *place))
            self._told.add((place.table, one))


def lines(explanation: DecisionExplanation) -> Iterator[str]:
    """The explanation as text, one line for each input, rule and note."""
    for table in explanation.tables:
        yield f"{table.decision}: table {table.table}, {table.hit_policy}"
        yield from (f"  {one.expression} = {_json(one.value)}" for one in table.inputs)
        values = {one.expression: one.value for one in table.inputs}
        yield from (f"  row {rule.row}: {_verdict(rule, values)}" for rule in table.rules)
        yield f"  gives {_json(table.result)}"
    for note in explanation.notes:
        place = ", ".join(
            part
            for part in (
                note.decision,
                note.table and f"table {note.table}",
                f"row {note.row}" if note.row else "",
                note.column and f"column {note.column}",
                note.expression and f"in {note.expression}",
            )
            if part
        )
        yield f"null because: {note.code}: {note.message} ({place})"


def _verdict(rule: RuleSeen, values: Mapping[str, Any]) -> str:
    if rule.matched:
        return "matches"
    cell = rule.cells[-1]
    what = "is not" if cell.outcome == "failed" else "cannot be compared with"
    passed = len(rule.cells) - 1
    before = f", after {passed} that passed" if passed else ""
    return f"no, {cell.column} = {_json(values[cell.column])} {what} {cell.test}{before}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _fresh(run: Run) -> EvaluationContext:
    """A context of its own, which knows what the evaluation's knows."""
    return EvaluationContext(run.context.now_ms, run.context.zone, outside=run.context.outside)
