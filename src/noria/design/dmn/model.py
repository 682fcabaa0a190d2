"""Decisions that can be evaluated: a graph of requirements, and what an evaluation found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.types import FeelType, coerce, note_misfit
from noria.design.feel.values import Function
from noria.kernel.errors import NoriaError

if TYPE_CHECKING:
    from noria.design.dmn.tables import Table, WrittenTable
    from noria.design.feel.expression import Expression

Logic = Callable[[dict[str, Any], "Run"], Any]
"""Compiled decision logic: variables in scope and the run, to a FEEL value."""


class Watcher(Protocol):
    """Stands between a run and what it evaluates, to explain it. Each method gives the value of what it is given."""

    def decided(self, name: str, decide: Callable[[], Any]) -> Any:
        """The value of a decision."""
        ...

    def evaluated(self, expression: Expression, variables: dict[str, Any], run: Run) -> Any:
        """The value of a literal expression."""
        ...

    def table(self, table: Table, variables: dict[str, Any], run: Run) -> Any:
        """The result of a decision table."""
        ...


class UnknownDecisionError(NoriaError):
    """The model holds no decision or decision service of this id or name."""

    code: ClassVar[str] = "dmn.unknown_decision"


class RuleHit(msgspec.Struct, frozen=True):
    """One rule of a decision table that matched.

    Attributes:
        table_id: id of the table, or of what is around it when the table has none.
        rule_index: position of the rule from 0.
        rule_id: id of the rule, "" when it has none.
        inputs: the tested values, one per input column.
        outputs: the rule's outputs by name ("" for an unnamed single output).
    """

    table_id: str
    rule_index: int
    rule_id: str
    inputs: tuple[Any, ...]
    outputs: dict[str, Any]


class DecisionResult(msgspec.Struct, frozen=True):
    """What an evaluation gave.

    Attributes:
        value: a FEEL value; `noria.design.feel.to_json` makes JSON of it.
        matched: rules that matched, of this decision and of those it requires, in order of evaluation.
    """

    value: Any
    matched: tuple[RuleHit, ...]


class Item(msgspec.Struct):
    """What is common to the elements of a requirement graph: id, name and declared type (None for any)."""

    id: str
    name: str
    type: FeelType | None = None

    def seen_under(self) -> tuple[str, ...]:
        """Names of contexts in which expressions find it; "" where they call it by its own name alone."""
        return ("",)


class InputData(Item):
    """A value that the caller gives."""


class Knowledge(Item):
    """A business knowledge model: a function of its parameters.

    Attributes:
        params: names and types of the parameters.
        logic: the body, None when the model leaves it open.
        requires: ids of further knowledge models and services.
    """

    params: tuple[tuple[str, FeelType | None], ...] = ()
    logic: Logic | None = None
    requires: tuple[str, ...] = ()


class Service(Item):
    """A decision service: a function of its inputs that gives its output decisions.

    Attributes:
        inputs: ids of input data, then of input decisions, in order.
        outputs: ids of the output decisions.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Decision(Item):
    """One decision.

    Attributes:
        requires: ids of required input data and decisions, knowledge models and services.
        logic: compiled logic, None when the model leaves it open (the value is then null).
        line: 1-based line in the file.
        model: the model it belongs to; set by the reader.
    """

    requires: tuple[str, ...] = ()
    logic: Logic | None = None
    line: int = 0
    model: DecisionModel | None = None

    def within(self) -> DecisionModel:
        """The model that it belongs to."""
        if self.model is None:
            raise AssertionError("A decision is evaluated within its model.")
        return self.model

    def evaluate(
        self, variables: Mapping[str, object], context: EvaluationContext, watcher: Watcher | None = None
    ) -> DecisionResult:
        """Evaluate it after the decisions it requires, each once.

        Args:
            variables: values of the input data by name; a missing one is null.
            context: instant, zone and budgets; receives diagnostics.
            watcher: looks on; see `noria.design.dmn.explaining`.

        Raises:
            FeelBudgetError: a budget of the context is used up.
        """
        run = Run(self.within(), variables, context, watcher)
        return DecisionResult(run.value_of(self.id), tuple(run.hits))


class Imported(Item):
    """An element of another model that one of this model requires; expressions see it as `prefix.name`.

    Attributes:
        prefixes: the names of the imports of its model, most often one.
        model: the other model.
        target: id there.
    """

    prefixes: tuple[str, ...] = ()
    model: DecisionModel | None = None
    target: str = ""

    def seen_under(self) -> tuple[str, ...]:
        """The names of the imports."""
        return self.prefixes


class DecisionModel(msgspec.Struct):
    """A file of decisions.

    Attributes:
        namespace: the model's target namespace.
        name: the model's name.
        items: everything in the requirement graph by id; imported elements by namespace, "#" and id.
        decisions: the decisions by id.
        types: item definitions and simple types by name; imported ones with the import's name and a dot before theirs.
        tables: the decision tables in the file, in its order.
        inputs: names of all input data, those of imported models too.
        source: all texts of the file and of those that it imports.
        fields: names of several words that expressions may use, those of imported models too.
    """

    namespace: str
    name: str
    items: dict[str, Item]
    decisions: dict[str, Decision]
    types: dict[str, FeelType] = {}
    tables: list[WrittenTable] = []
    inputs: frozenset[str] = frozenset()
    source: str = ""
    fields: frozenset[str] = frozenset()

    def find(self, id_or_name: str) -> Decision:
        """The decision of this id, or else of this name.

        Raises:
            UnknownDecisionError: there is none.
        """
        found = self.decisions.get(id_or_name)
        for decision in self.decisions.values():
            if found is None and decision.name == id_or_name:
                found = decision
        if found is None:
            known = ", ".join(sorted(self.decisions)) or "none"
            raise UnknownDecisionError(f"There is no decision {id_or_name!r}; the model holds: {known}.")
        return found

    def call(self, name: str, arguments: Mapping[str, object], context: EvaluationContext) -> DecisionResult:
        """Call a decision service or knowledge model by name with named arguments.

        Raises:
            UnknownDecisionError: there is none of this name.
            FeelBudgetError: a budget of the context is used up.
        """
        for item in self.items.values():
            if isinstance(item, (Service, Knowledge)) and name in {item.name, item.id}:
                run = Run(self, arguments, context)
                function = run.value_of(item.id)
                given = [arguments.get(param) for param in function.params]
                return DecisionResult(function.body(*given), tuple(run.hits))
        raise UnknownDecisionError(f"There is no decision service or knowledge model {name!r}.")


class Run:
    """One evaluation: every element of the graph is evaluated at most once.

    Attributes:
        context: instant, zone, budgets and diagnostics.
        hits: rules that matched so far.
        watcher: looks on, most often nobody.
    """

    __slots__ = ("_imported", "_inputs", "_model", "_values", "context", "hits", "watcher")

    def __init__(
        self,
        model: DecisionModel,
        inputs: Mapping[str, object],
        context: EvaluationContext,
        watcher: Watcher | None = None,
    ) -> None:
        self._model = model
        self._inputs = inputs
        self._values: dict[str, Any] = {}
        self._imported: dict[str, Run] = {}
        self.context = context
        self.watcher = watcher
        self.hits: list[RuleHit] = []

    def value_of(self, item_id: str) -> Any:
        """The value of an input or decision; a function for a knowledge model or service."""
        if item_id in self._values:
            return self._values[item_id]
        item = self._model.items[item_id]
        if isinstance(item, InputData):
            value = self.typed(self._inputs.get(item.name), item.type, item.name)
        elif isinstance(item, Decision):
            value = None
            if self.watcher is not None:
                value = self.watcher.decided(item.name, partial(self._decided, item))
            elif item.logic is not None:
                value = self.typed(item.logic(self.scope(item.requires), self), item.type, item.name)
        elif isinstance(item, Knowledge):
            value = self._knowledge(item)
        elif isinstance(item, Imported):
            value = self._within(item).value_of(item.target)
        else:
            value = self._service(item)
        self._values[item_id] = value
        return value

    def _decided(self, item: Decision) -> Any:
        if item.logic is None:
            return None
        return self.typed(item.logic(self.scope(item.requires), self), item.type, item.name)

    def scope(self, requires: tuple[str, ...]) -> dict[str, Any]:
        """The names that required elements give."""
        names: dict[str, Any] = {}
        for item_id in requires:
            item = self._model.items[item_id]
            for prefix in item.seen_under():
                around = names.setdefault(prefix, {}) if prefix else names
                around[item.name] = self.value_of(item_id)
        return names

    def preset(self, item: Item, value: Any) -> None:
        """Have an element give this value instead of its own."""
        self._values[item.id] = value = self.typed(value, item.type, item.name)
        if isinstance(item, Imported) and item.model is not None:
            self._within(item).preset(item.model.items[item.target], value)

    def _within(self, item: Imported) -> Run:
        """The run of an imported model; it has the same inputs, and before them those given under the import's name."""
        if item.model is None:
            raise AssertionError("An imported element belongs to a model.")
        found = self._imported.get(item.model.namespace)
        if found is None:
            inputs = dict(self._inputs)
            for prefix in item.prefixes:
                own = self._inputs.get(prefix)
                inputs.update(own if isinstance(own, dict) else {})
            found = self._imported[item.model.namespace] = Run(item.model, inputs, self.context, self.watcher)
            found.hits = self.hits
        return found

    def typed(self, value: Any, wanted: FeelType | None, name: str) -> Any:
        """The value converted to a declared type; null with a diagnostic when it does not fit."""
        fits, converted = coerce(value, wanted)
        if not fits:
            note_misfit(self.context, "dmn.type_mismatch", name or "The result", value, wanted)
        return converted

    def _knowledge(self, item: Knowledge) -> Function:
        def body(*arguments: Any) -> Any:
            if item.logic is None:
                return None
            names = [name for name, _ in item.params]
            scope = self.scope(tuple(need for need in item.requires if need != item.id))
            scope[item.name] = function
            scope.update(zip(names, arguments, strict=True))
            return self.typed(item.logic(scope, self), item.type, item.name)

        function = Function(tuple(name for name, _ in item.params), tuple(wanted for _, wanted in item.params), body)
        return function

    def _service(self, item: Any) -> Function:
        items = [self._model.items[item_id] for item_id in item.inputs]

        def body(*arguments: Any) -> Any:
            run = Run(self._model, {}, self.context, self.watcher)
            run.hits = self.hits
            for entry, value in zip(items, arguments, strict=True):
                run.preset(entry, value)
            values = {self._model.items[output].name: run.value_of(output) for output in item.outputs}
            return self.typed(next(iter(values.values())) if len(values) == 1 else values, item.type, item.name)

        return Function(tuple(entry.name for entry in items), tuple(entry.type for entry in items), body)
