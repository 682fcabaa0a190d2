"""What a step can look at and write: variables in their scopes, and the expressions over them."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from noria.design.bpmn.graph import Element
from noria.design.feel import EvaluationContext, Expression, to_json
from noria.engine import conditions
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.evolve import APPLY
from noria.engine.facts import Facts
from noria.engine.state import FACTS, Scope, State
from noria.engine.surroundings import Surroundings, surroundings_of
from noria.engine.trouble import Trouble
from noria.kernel.errors import NoriaError


class Variables:
    """The variables of an instance during one step, and the events recorded so far.

    Attributes:
        definition: what is run.
        state: the working copy.
        events: recorded so far.
        now_ms: the instant of the command.
        facts: what the outside says.
    """

    _context: EvaluationContext | None = None
    _surroundings: Surroundings | None = None
    # Scope and name of a variable → how it has changed since conditions were last looked at.
    _changed: Mapping[tuple[int, str], frozenset[str]] = {}

    def __init__(self, definition: Definition, state: State, now_ms: int, facts: Facts) -> None:
        self.definition = definition
        self.state = state
        self.events: list[e.AnyEvent] = []
        self.now_ms = now_ms
        self.facts = facts

    @property
    def context(self) -> EvaluationContext:
        """FEEL's evaluation context for this command, with one budget for all its expressions."""
        if self._context is None:
            self._context = self.facts.context(self.now_ms)
        return self._context

    def zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.facts.zone)

    def emit(self, event: e.AnyEvent) -> None:
        """Record an event and apply it."""
        self.events.append(event)
        APPLY[event.__class__](self.state, event)

    def variables(self, token: int) -> Mapping[str, object]:
        """What an expression at this token sees: its own variables before those of the scopes around it."""
        scopes = self.state.scopes
        scope = scopes.get(token)
        if scope is None:
            scope = scopes[self.state.tokens[token].scope] if token else scopes[0]
        return self.visible(scope)

    def visible(self, scope: Scope) -> Mapping[str, object]:
        """The variables of a scope and of those around it."""
        if scope.parent < 0:
            return scope.variables
        return {**self.visible(self.state.scopes[scope.parent]), **scope.variables}

    def sees(self, token: int, scope: int) -> bool:
        """Whether a token, or what stands at a scope, sees the variables of a scope: it or one around it."""
        scopes = self.state.scopes
        here = token if token in scopes else self.state.tokens[token].scope
        while here > 0 and here != scope:
            here = scopes[here].parent
        return here == scope

    def with_facts(self, variables: Mapping[str, object], source: str) -> Mapping[str, object]:
        """Variables with the name ``facts``, for an expression or decision of this text that asks for it."""
        if self._surroundings is None:
            self._surroundings = surroundings_of(self)
        self._surroundings.used_by(source, variables)
        return {**variables, FACTS: self._surroundings.value}

    def note_facts(self) -> None:
        """Record what the command has used of the outside, if anything."""
        if self._surroundings is not None:
            self.emit(self._surroundings.event())

    def evaluate(self, expression: Expression, variables: Mapping[str, object]) -> object:
        """The JSON value of an expression.

        Raises:
            Trouble: its budget is used up.
        """
        if expression.constant is not None:
            return expression.constant
        if FACTS in expression.names:
            variables = self.with_facts(variables, expression.source)
        try:
            return to_json(expression.evaluate(variables, self.context))
        except NoriaError as error:
            raise Trouble(error.code, f"{expression.source}: {error.message}") from None

    def test(self, expression: Expression, variables: Mapping[str, object]) -> bool:
        """Whether a condition holds; null and anything but true do not.

        Raises:
            Trouble: its budget is used up.
        """
        if FACTS in expression.names:
            variables = self.with_facts(variables, expression.source)
        try:
            return expression.test(variables, self.context)
        except NoriaError as error:
            raise Trouble(error.code, f"{expression.source}: {error.message}") from None

    def evaluate_text(
        self, expression: Expression, variables: Mapping[str, object], what: str, *, may_be_empty: bool = False
    ) -> str:
        """The value of an expression that must be a text.

        Args:
            expression: of an element.
            variables: what it sees.
            what: what it gives, for the trouble's sentence.
            may_be_empty: whether null and "" will do as well; both give "".

        Raises:
            Trouble: it is not.
        """
        value = self.evaluate(expression, variables)
        if may_be_empty and (value is None or value == ""):
            return ""
        if not isinstance(value, str) or not value:
            raise Trouble("expression.not_text", f"{what} ({expression.source}) gives {value!r}, but a text is needed.")
        return value

    def evaluate_names(
        self, expression: Expression | None, variables: Mapping[str, object], what: str, element: Element
    ) -> tuple[str, ...]:
        """The value of an expression that must be one text or a list of them; empty for None and null.

        Args:
            expression: of the element.
            variables: what it sees.
            what: what it names, for the trouble's sentence.
            element: whose it is, likewise.

        Raises:
            Trouble: it is something else.
        """
        if expression is None:
            return ()
        if expression.constant is not None:
            return (expression.constant,) if expression.constant else ()
        value = self.evaluate(expression, variables)
        if value is None:
            return ()
        listed: list[object] = value if isinstance(value, list) else [value]
        names = tuple(name for name in listed if isinstance(name, str))
        if len(names) < len(listed):
            raise Trouble(
                "expression.not_text",
                f"The {what} of {element.id} ({expression.source}) must be names, but the value is {value!r}.",
            )
        return tuple(name for name in names if name)

    def evaluate_mappings(self, token: int, element: Element) -> dict[str, object]:
        """The values of an element's input mappings; a later one sees the earlier ones."""
        variables = dict(self.variables(token))
        values: dict[str, object] = {}
        for mapping in (*element.data_inputs, *element.inputs):
            values[mapping.target] = variables[mapping.target] = self.evaluate(mapping.source, variables)
        return values

    def take_inputs(self, token: int, element: Element) -> None:
        """Give a token what its element's input mappings name, if there are any.

        Raises:
            Trouble: an expression uses up its budget.
        """
        if element.inputs or element.data_inputs:
            values = self.evaluate_mappings(token, element)
            self.open_scope(token, element)
            self.write(token, values)

    def open_scope(self, token: int, element: Element) -> None:
        """Give a token variables of its own, unless it has them."""
        if token not in self.state.scopes:
            own = dict.fromkeys(element.own)
            self.emit(e.ScopeOpened(token, element.index, self.state.tokens[token].scope, own))

    def write(self, scope: int, values: Mapping[str, object]) -> None:
        """Set variables of a scope."""
        if self.state.conditions:
            known = self.state.scopes[scope].variables
            changed = dict(self._changed)
            for name in values:
                how = conditions.UPDATE if name in known else conditions.CREATE
                changed[scope, name] = changed.get((scope, name), frozenset()) | {how}
            self._changed = changed
        self.emit(e.VariablesSet(scope, dict(values)))

    def assign(self, token: int, element: Element, values: Mapping[str, object]) -> None:
        """Write what an activity brought: into its own variables when something maps them on, else outwards.

        One that passes on keeps to itself only what its own variables name, or with outputs, if these are all that
        it passes on, everything.
        """
        if not values:
            return
        maps_on = bool(element.outputs or (element.loop is not None and element.loop.output_item is not None))
        if maps_on:
            self.open_scope(token, element)
        kept = values if maps_on else {}
        if element.passes_on and token in self.state.scopes and not (element.keeps and element.outputs):
            own = self.state.scopes[token].variables
            kept = {name: value for name, value in values.items() if name in own}
        if kept:
            self.write(token, kept)
        if len(kept) < len(values):
            self.assign_outward(token, {name: value for name, value in values.items() if name not in kept})

    def assign_outward(self, token: int, values: Mapping[str, object], *, own: bool = False) -> None:
        """Write into the nearest scope around that has a variable of that name already, or else into the process.

        With `own` the token's own variables come first.
        """
        scopes = self.state.scopes
        by_scope: dict[int, dict[str, object]] = {}
        start = self.state.tokens[token].scope if token else 0
        if own and token in scopes:
            start = token
        for name, value in values.items():
            key = start
            while key and name not in scopes[key].variables:
                key = scopes[key].parent
            by_scope.setdefault(key, {})[name] = value
        for key, part in by_scope.items():
            self.write(key, part)

    def outputs(self, token: int, element: Element, values: Mapping[str, object]) -> dict[str, object]:
        """What an element's output mappings give. They see these values first, and each sees the results before it.

        Raises:
            Trouble: an expression uses up its budget.
        """
        variables = {**self.variables(token), **values} if element.outputs else {}
        found: dict[str, object] = {}
        for mapping in element.outputs:
            found[mapping.target] = variables[mapping.target] = self.evaluate(mapping.source, variables)
        return found

    def hand_out(self, token: int, element: Element, values: Mapping[str, object]) -> None:
        """Write an element's outputs: those of a loop's instance where the loop's would go, past its own variables."""
        scope = self.state.tokens[token].scope
        if element.passes_on:
            # What a loop gathers of an instance is the instance's own, and an output may say what that is.
            self.assign_outward(token, values, own=element.keeps and scope in self.state.loops)
            return
        self.write(self.state.tokens[scope].scope if scope in self.state.loops else scope, values)

    def write_outputs(self, token: int, element: Element) -> None:
        """Write what an element's output mappings and data associations give.

        Raises:
            Trouble: an expression uses up its budget.
        """
        variables = dict(self.variables(token))
        if element.outputs:
            self.hand_out(token, element, self.outputs(token, element, {}))
        # A data association copies what there is; many drawings have them for their readers only.
        held = {
            mapping.target: self.evaluate(mapping.source, variables)
            for mapping in element.data_outputs
            if not mapping.source.names or any(name in variables for name in mapping.source.names)
        }
        if held:
            self.assign_outward(token, held)
