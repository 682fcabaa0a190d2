"""One step of an instance: the working copy of the state, the events so far, and the moves that behaviours make.

Every change goes through `emit`, which records the event and applies it by the same table that replay uses, so that
live work and replay cannot differ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar
from zoneinfo import ZoneInfo

from noria.design.bpmn.graph import Element, Kind, TriggerKind
from noria.design.feel import EvaluationContext, Expression, to_json
from noria.engine import events as e
from noria.engine.arming import openings
from noria.engine.definition import Definition
from noria.engine.evolve import APPLY
from noria.engine.facts import Facts
from noria.engine.state import Scope, State, Status
from noria.engine.trouble import Trouble
from noria.kernel.errors import NoriaError

EVENTS_MAX = 10_000
"""A command that makes more events than this is taken for an endless loop in the model."""


_OPEN = Status.OPEN  # see step.py


class RunawayError(NoriaError):
    """One command made more events than a sound model ever does."""

    code: ClassVar[str] = "process.runaway"


Behaviour = Callable[["Run", int, Element], None]


class Run:
    """The inside of one `decide`.

    Attributes:
        definition: what is run.
        state: the working copy.
        events: recorded so far.
        now_ms: the instant of the command.
        facts: what the outside says.
        with_start: whether the start form's values count as the first task's submission (see `HumanWork`).
    """

    __slots__ = (
        "_agenda",
        "_behaviours",
        "_check_inclusive",
        "_context",
        "definition",
        "events",
        "facts",
        "now_ms",
        "state",
        "with_start",
    )

    def __init__(
        self, definition: Definition, state: State, now_ms: int, facts: Facts, behaviours: Mapping[Kind, Behaviour]
    ) -> None:
        self.definition = definition
        self.state = state
        self.events: list[e.AnyEvent] = []
        self.now_ms = now_ms
        self.facts = facts
        self._context: EvaluationContext | None = None
        self.with_start = False
        self._behaviours = behaviours
        self._agenda: deque[tuple[int, Element]] = deque()
        self._check_inclusive = False

    @property
    def context(self) -> EvaluationContext:
        """FEEL's evaluation context for this command, with one budget for all its expressions."""
        if self._context is None:
            self._context = EvaluationContext(self.now_ms, self.facts.zone)
        return self._context

    # Recording

    def emit(self, event: e.AnyEvent) -> None:
        """Record an event and apply it."""
        self.events.append(event)
        APPLY[event.__class__](self.state, event)

    # Moving tokens

    def enter(self, index: int, scope: int, via: int = -1) -> int:
        """Let a new token come to an element and put it on the agenda; gives the token."""
        token = self.state.next_id
        self.emit(e.ElementEntered(token, index, scope, via))
        self._agenda.append((token, self.definition.graph.elements[index]))
        return token

    def place(self, index: int, scope: int, via: int = -1) -> int:
        """Let a new token come to an element whose behaviour is not to begin (it has just been triggered)."""
        token = self.state.next_id
        self.emit(e.ElementEntered(token, index, scope, via))
        return token

    def advance(self) -> None:
        """Work the agenda off until every token waits or is gone.

        Raises:
            RunawayError: the command has made too many events.
        """
        agenda, tokens, events, behaviours = self._agenda, self.state.tokens, self.events, self._behaviours
        while True:
            while agenda:
                if len(events) > EVENTS_MAX:
                    text = f"One command made more than {EVENTS_MAX} events; the model probably loops for ever."
                    raise RunawayError(text)
                token, element = agenda.popleft()
                # Something earlier on the agenda may have cancelled this one.
                if token not in tokens:
                    continue
                try:
                    if element.inputs or element.boundaries:
                        self._prepare(token, element)
                    behaviours[element.kind](self, token, element)
                except Trouble as trouble:
                    self.raise_incident(token, element, trouble.trouble_code, trouble.message, "enter")
            if not self._check_inclusive:
                return
            self._check_inclusive = False
            self._pass_inclusive_joins()

    def begin(self, token: int, element: Element) -> None:
        """Have an element's behaviour begin (again) for a token that stands at it."""
        self._agenda.append((token, element))

    def _prepare(self, token: int, element: Element) -> None:
        """Give a token the element's own variables and set its boundary events.

        Raises:
            Trouble: an expression gives no usable value.
        """
        if element.inputs and token not in self.state.scopes:
            values = self.evaluate_mappings(token, element)
            self.open_scope(token, element)
            self.emit(e.VariablesSet(token, values))
        if element.boundaries and token not in self.state.hosted:
            self.arm(token, element.boundaries)

    def leave(self, token: int, element: Element) -> None:
        """Finish an element and go on by the flows that apply. Trouble becomes an incident."""
        try:
            if element.outputs:
                self._write_outputs(token, element)
            flows = self.definition.onward[element.index]
            if flows is None:
                flows = self.choose(token, element)
        except Trouble as trouble:
            self.raise_incident(token, element, trouble.trouble_code, trouble.message, "leave")
            return
        self.take(token, element, flows)

    def take(self, token: int, element: Element, flows: tuple[int, ...]) -> None:
        """Move a token on by these flows; without any it ends here, and perhaps its scope with it."""
        scope = self.state.tokens[token].scope
        self.emit(e.ElementLeft(token, element.index, flows))
        if self.definition.inclusive_joins:
            self._check_inclusive = True
        if flows:
            all_flows = self.definition.graph.flows
            for flow in flows:
                self.enter(all_flows[flow].target, scope, flow)
        else:
            self.finish_if_empty(scope)

    def choose(self, token: int, element: Element) -> tuple[int, ...]:
        """Every flow whose condition holds, or the default flow.

        Raises:
            Trouble: no flow applies, and flows there are.
        """
        variables = self.variables(token)
        all_flows = self.definition.graph.flows
        chosen = tuple(
            flow
            for flow in element.outgoing
            if (condition := all_flows[flow].condition) is None or self.test(condition, variables)
        )
        if chosen:
            return chosen
        if element.default >= 0:
            return (element.default,)
        if not element.outgoing:
            return ()
        raise self.no_flow(element)

    def no_flow(self, element: Element) -> Trouble:
        """The trouble of an element none of whose flows applies."""
        return Trouble(
            "gateway.no_flow",
            f"No outgoing flow of {element.id} applies and it has no default flow; correct a variable and retry.",
        )

    def finish_if_empty(self, scope: int) -> None:
        """End a process or sub-process in which no token is left."""
        state = self.state
        if state.scopes[scope].live or state.status is not _OPEN:
            return
        if scope == 0:
            self.emit(e.InstanceCompleted())
        else:
            self.leave(scope, self.definition.graph.elements[state.tokens[scope].element])

    def cancel(self, token: int, reason: str) -> None:
        """Take a token away with everything inside it, the innermost first."""
        state = self.state
        for inner in [key for key, value in state.tokens.items() if value.scope == token]:
            self.cancel(inner, reason)
        if token in state.calls:
            self.emit(e.CallCancelled(token))
        self.emit(e.ElementCancelled(token, state.tokens[token].element, reason))
        self._check_inclusive = bool(self.definition.inclusive_joins)

    def cancel_scope(self, scope: int, reason: str, but: int = -1) -> None:
        """Take away every token of a scope, except `but`."""
        for token in [key for key, value in self.state.tokens.items() if value.scope == scope and key != but]:
            self.cancel(token, reason)

    def look_at_inclusive_joins(self) -> None:
        """Have the inclusive joins looked at when the step has come to rest."""
        self._check_inclusive = True

    def _pass_inclusive_joins(self) -> None:
        """Let inclusive joins pass that no token can reach any more.

        Source: BPMN 2.0.2, section 13.4.3 (inclusive gateway): it is activated when every incoming flow without a
        token has no token upstream that could still reach it by a path not through the gateway, unless that token
        can also reach a flow that has one.
        """
        waiting: dict[tuple[int, int], list[int]] = {}
        for token, value in self.state.tokens.items():
            if value.element in self.definition.inclusive_joins:
                waiting.setdefault((value.scope, value.element), []).append(token)
        for (scope, index), tokens in waiting.items():
            element = self.definition.graph.elements[index]
            if tokens and not self._may_still_arrive(scope, element, tokens):
                by_flow: dict[int, int] = {}
                for token in tokens:
                    by_flow.setdefault(self.state.tokens[token].via, token)
                self.merge_and_split(element, tuple(by_flow.values()))
                return

    def _may_still_arrive(self, scope: int, element: Element, tokens: list[int]) -> bool:
        state = self.state
        arrived = {state.tokens[token].via for token in tokens}
        to_empty = to_full = 0
        for flow in element.incoming:
            upstream = self.definition.upstream(flow, element.index)
            if flow in arrived:
                to_full |= upstream
            else:
                to_empty |= upstream
        blocking = to_empty & ~to_full
        return any(
            value.scope == scope and value.element != element.index and blocking >> value.element & 1
            for value in state.tokens.values()
        )

    def merge_and_split(self, element: Element, tokens: tuple[int, ...]) -> None:
        """Join waiting tokens into the first of them, which goes on."""
        first = tokens[0]
        for token in tokens[1:]:
            self.emit(e.TokenMerged(token, element.index, first))
        self.leave(first, element)

    # Variables and expressions

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

    def evaluate(self, expression: Expression, variables: Mapping[str, object]) -> object:
        """The JSON value of an expression.

        Raises:
            Trouble: its budget is used up.
        """
        if expression.constant is not None:
            return expression.constant
        try:
            return to_json(expression.evaluate(variables, self.context))
        except NoriaError as error:
            raise Trouble(error.code, f"{expression.source}: {error.message}") from None

    def test(self, expression: Expression, variables: Mapping[str, object]) -> bool:
        """Whether a condition holds; null and anything but true do not.

        Raises:
            Trouble: its budget is used up.
        """
        try:
            return expression.test(variables, self.context)
        except NoriaError as error:
            raise Trouble(error.code, f"{expression.source}: {error.message}") from None

    def evaluate_text(self, expression: Expression, variables: Mapping[str, object], what: str) -> str:
        """The value of an expression that must be a text.

        Raises:
            Trouble: it is not.
        """
        value = self.evaluate(expression, variables)
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
        for mapping in element.inputs:
            values[mapping.target] = variables[mapping.target] = self.evaluate(mapping.source, variables)
        return values

    def open_scope(self, token: int, element: Element) -> None:
        """Give a token variables of its own, unless it has them."""
        if token not in self.state.scopes:
            self.emit(e.ScopeOpened(token, element.index, self.state.tokens[token].scope))

    def assign(self, token: int, element: Element, values: Mapping[str, object]) -> None:
        """Write what an activity brought: into its own variables when outputs map them on, else outwards.

        Outwards means the nearest scope that has a variable of that name already, and the process otherwise.
        """
        if not values:
            return
        if element.outputs:
            self.open_scope(token, element)
            self.emit(e.VariablesSet(token, dict(values)))
            return
        scopes = self.state.scopes
        by_scope: dict[int, dict[str, object]] = {}
        start = self.state.tokens[token].scope if token else 0
        for name, value in values.items():
            key = start
            while key and name not in scopes[key].variables:
                key = scopes[key].parent
            by_scope.setdefault(key, {})[name] = value
        for key, part in by_scope.items():
            self.emit(e.VariablesSet(key, part))

    def _write_outputs(self, token: int, element: Element) -> None:
        variables = dict(self.variables(token))
        values = {mapping.target: self.evaluate(mapping.source, variables) for mapping in element.outputs}
        scope = self.state.tokens[token].scope
        self.emit(e.VariablesSet(scope, values))

    # What is waited for

    def arm(self, token: int, elements: Iterable[int]) -> None:
        """Set the timers and subscriptions of event elements; they belong to `token` and end with it.

        Raises:
            Trouble: an expression gives no usable value; then nothing is set.
        """
        for event in openings(self, token, elements):
            self.emit(event)

    def zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.facts.zone)

    # What goes wrong

    def raise_incident(self, token: int, element: Element, code: str, message: str, phase: str) -> None:
        """Record that a token stands still."""
        self.emit(e.IncidentRaised(self.state.next_id, token, element.index, code, message, phase))

    def throw_error(self, token: int, code: str, message: str, variables: Mapping[str, object] | None = None) -> None:
        """Throw a business error at a token and let the nearest catching event take over.

        Nothing catching it, a called instance fails towards its caller; a top-level one gets an incident.
        """
        graph = self.definition.graph
        state = self.state
        element = graph.elements[state.tokens[token].element]
        catcher, host = self._find_catcher(token, TriggerKind.ERROR, code)
        self.emit(e.ErrorThrown(token, element.index, code, message, catcher.index if catcher else -1))
        if catcher is not None:
            extra = self._caught_variables(catcher, code, message)
            self.trigger(catcher, host, {**(variables or {}), **extra})
        elif state.parent is not None:
            self.cancel_scope(0, "error")
            self.emit(e.InstanceFailed(code, message))
        else:
            self.raise_incident(
                token, element, "error.uncaught", f"Nothing in the model catches the error {code!r}: {message}", "enter"
            )

    def throw_escalation(self, token: int, code: str) -> None:
        """Throw an escalation; without a catching event it has no effect (BPMN 2.0.2, 10.5.7)."""
        element = self.definition.graph.elements[self.state.tokens[token].element]
        catcher, host = self._find_catcher(token, TriggerKind.ESCALATION, code)
        self.emit(e.EscalationThrown(token, element.index, code, catcher.index if catcher else -1))
        if catcher is not None:
            self.trigger(catcher, host, self._caught_variables(catcher, code, ""))

    @staticmethod
    def _caught_variables(catcher: Element, code: str, message: str) -> dict[str, object]:
        trigger = catcher.trigger
        values: dict[str, object] = {}
        if trigger is not None and trigger.code_variable:
            values[trigger.code_variable] = code
        if trigger is not None and trigger.message_variable:
            values[trigger.message_variable] = message
        return values

    def _find_catcher(self, token: int, kind: TriggerKind, code: str) -> tuple[Element | None, int]:
        """The nearest event element that catches a code, and the token or scope it belongs to.

        From the inside out: boundary events of the activity, then event sub-processes of the scope around it, then
        the boundary events of that scope's host, and so on. At one level an exact code goes before "any code".
        """
        elements = self.definition.graph.elements
        state = self.state

        def matching(candidates: Iterable[int]) -> Element | None:
            any_code = None
            for index in candidates:
                trigger = elements[index].trigger
                if trigger is not None and trigger.kind is kind:
                    if trigger.name == code:
                        return elements[index]
                    if not trigger.name and any_code is None:
                        any_code = elements[index]
            return any_code

        while token:
            here = state.tokens[token]
            found = matching(elements[here.element].boundaries)
            if found is not None:
                return found, token
            scope = state.scopes[here.scope]
            found = matching(
                start
                for event_sub_process in elements[scope.element].event_sub_processes
                # An error inside an event sub-process is not caught by itself.
                if event_sub_process != here.element
                for start in elements[event_sub_process].starts
            )
            if found is not None:
                return found, here.scope
            token = here.scope
        return None, 0

    # What happens when an event element is triggered

    def trigger(self, element: Element, host: int, variables: Mapping[str, object]) -> None:
        """Let a caught event take effect.

        Args:
            element: the boundary event, start of an event sub-process, catch event or receive task.
            host: the token (or scope, for an event sub-process) it belonged to.
            variables: what the event brought.
        """
        if element.kind is Kind.BOUNDARY_EVENT:
            self._trigger_boundary(element, host, variables)
        elif element.kind is Kind.START_EVENT:
            self._trigger_event_sub_process(element, host, variables)
        elif self.state.tokens[host].element != element.index:
            self._trigger_behind_gateway(element, host, variables)
        else:
            self.assign(host, element, variables)
            self.leave(host, element)

    def _trigger_boundary(self, element: Element, host: int, variables: Mapping[str, object]) -> None:
        scope = self.state.tokens[host].scope
        if element.interrupting:
            # The new token comes first, so that the scope is never empty in between.
            token = self.place(element.index, scope)
            self.cancel(host, "boundary")
        else:
            token = self.place(element.index, scope)
        self.assign(token, element, variables)
        self.leave(token, element)

    def _trigger_event_sub_process(self, start: Element, scope: int, variables: Mapping[str, object]) -> None:
        graph = self.definition.graph
        sub_process = graph.elements[start.scope]
        token = self.place(sub_process.index, scope)
        if start.interrupting:
            host = graph.elements[self.state.scopes[scope].element]
            starts = {index for inner in host.event_sub_processes for index in graph.elements[inner].starts}
            self._close_waits(scope, starts)
            self.cancel_scope(scope, "event_sub_process", but=token)
        self.open_scope(token, sub_process)
        if variables:
            self.emit(e.VariablesSet(token, dict(variables)))
        inner = self.place(start.index, token)
        try:
            if sub_process.event_sub_processes:
                self.arm_event_sub_processes(token, sub_process)
        except Trouble as trouble:
            self.raise_incident(inner, start, trouble.trouble_code, trouble.message, "leave")
            return
        self.leave(inner, start)

    def arm_event_sub_processes(self, scope: int, host: Element) -> None:
        """Set the triggers of the event sub-processes directly inside a process or sub-process.

        Raises:
            Trouble: an expression gives no usable value.
        """
        elements = self.definition.graph.elements
        self.arm(scope, [start for inner in host.event_sub_processes for start in elements[inner].starts])

    def _trigger_behind_gateway(self, element: Element, gateway_token: int, variables: Mapping[str, object]) -> None:
        graph = self.definition.graph
        here = self.state.tokens[gateway_token]
        flow = next(
            index for index in graph.elements[here.element].outgoing if graph.flows[index].target == element.index
        )
        self.emit(e.ElementLeft(gateway_token, here.element, (flow,)))
        token = self.place(element.index, here.scope, flow)
        self.assign(token, element, variables)
        self.leave(token, element)

    def _close_waits(self, host: int, elements: set[int]) -> None:
        state = self.state
        ids = tuple(
            key for key in state.hosted.get(host, ()) if (state.timers.get(key) or state.waits[key]).element in elements
        )
        if ids:
            self.emit(e.WaitsClosed(host, ids))
