"""One step of an instance: the working copy of the state, the events so far, and the moves that behaviours make.

Every change goes through `emit`, which records the event and applies it by the same table that replay uses, so that
live work and replay cannot differ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar
from zoneinfo import ZoneInfo

from noria.design.bpmn.graph import GATEWAYS, Element, Kind, Trigger, TriggerKind
from noria.design.feel import EvaluationContext, Expression, to_json
from noria.engine import choosing, compensation, conditions, joining, looping
from noria.engine import events as e
from noria.engine.arming import openings
from noria.engine.definition import Definition
from noria.engine.evolve import APPLY
from noria.engine.facts import Facts
from noria.engine.state import Purpose, Scope, State, Status
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
        "_changed",
        "_check_joins",
        "_context",
        "_events_max",
        "_fresh_conditions",
        "_leaving",
        "_left_by_handlers",
        "_past_save_point",
        "_signals",
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
        self._check_joins = False
        self._events_max = EVENTS_MAX
        self._changed: dict[str, set[str]] = {}
        self._fresh_conditions: set[int] = set()
        self._left_by_handlers: list[int] = []
        self._past_save_point = -1
        self._signals: list[tuple[str, dict[str, object]]] = []
        self._leaving: list[tuple[int, Element]] = []

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

    def enter_all(self, flows: tuple[int, ...], scope: int) -> None:
        """Let a new token take each of these flows."""
        all_flows = self.definition.graph.flows
        for flow in flows:
            self.enter(all_flows[flow].target, scope, flow)

    def expect_events(self, more: int) -> None:
        """A loop of many instances is no endless one: allow the command this many events more."""
        self._events_max += more

    def advance(self) -> None:
        """Work the agenda off until every token waits or is gone.

        Raises:
            RunawayError: the command has made too many events.
        """
        agenda, tokens, events, behaviours = self._agenda, self.state.tokens, self.events, self._behaviours
        prepared = self.definition.prepared
        while True:
            while agenda:
                if len(events) > self._events_max:
                    text = f"One command made more than {self._events_max} events; the model probably loops for ever."
                    raise RunawayError(text)
                token, element = agenda.popleft()
                # Something earlier on the agenda may have cancelled this one.
                if token not in tokens:
                    continue
                try:
                    if prepared[element.index] and not self._prepare(token, element):
                        continue
                    behaviours[element.kind](self, token, element)
                except Trouble as trouble:
                    self.raise_incident(token, element, trouble.trouble_code, trouble.message, "enter")
            if not self._comes_to_rest():
                return

    def _comes_to_rest(self) -> bool:
        """Do what waits for the agenda to be empty; gives whether there is something to do again."""
        if self._signals:
            signals, self._signals = self._signals, []
            for name, variables in signals:
                self._take_up_signal(name, variables)
            return True
        if self._leaving:
            leaving, self._leaving = self._leaving, []
            for token, element in leaving:
                if token in self.state.tokens:
                    self.leave(token, element)
            return True
        if self._check_joins:
            self._check_joins = False
            joining.pass_joins(self)
            return True
        if self._fresh_conditions or self._changed:
            fresh, changed = self._fresh_conditions, self._changed
            self._fresh_conditions, self._changed = set(), {}
            conditions.look(self, fresh, changed)
            return True
        if self._left_by_handlers:
            asked_by = self._left_by_handlers.pop()
            if asked_by in self.state.tokens:
                compensation.go_on(self, asked_by)
            return True
        return False

    def broadcast(self, name: str, variables: dict[str, object]) -> None:
        """Have a signal taken up by this instance's own subscriptions when the step has come to rest.

        By then the branches beside the thrower wait for what they wait for; the thrower leaves after it. Other
        instances are told by the signal's event.
        """
        self._signals.append((name, variables))

    def leave_at_rest(self, token: int, element: Element) -> None:
        """Leave an element when the step has come to rest, if the token is still there."""
        self._leaving.append((token, element))

    def _take_up_signal(self, name: str, variables: dict[str, object]) -> None:
        waits = self.state.waits
        for key in [key for key, wait in waits.items() if wait.signal and wait.name == name]:
            if key in waits:
                self.receive(key, variables, "")

    def receive(self, wait: int, variables: Mapping[str, object], message_id: str) -> None:
        """Let a message or signal take effect at one open subscription."""
        waiting = self.state.waits[wait]
        element = self.definition.graph.elements[waiting.element]
        stays = (
            not element.interrupting
            and not element.needs_all_triggers
            and element.kind in (Kind.BOUNDARY_EVENT, Kind.START_EVENT)
        )
        self.emit(e.MessageReceived(wait, waiting.element, waiting.name, message_id, stays))
        self.trigger(element, waiting.token, variables)

    def begin(self, token: int, element: Element) -> None:
        """Have an element's behaviour begin (again) for a token that stands at it."""
        self._agenda.append((token, element))

    def begin_behind_save_point(self, token: int, element: Element) -> None:
        """Have an element's behaviour begin for a token whose save point has been passed."""
        self._past_save_point = token
        self._agenda.append((token, element))

    def is_instance(self, token: int) -> bool:
        """Whether a token is one instance of a loop."""
        return self.state.tokens[token].scope in self.state.loops

    def _prepare(self, token: int, element: Element) -> bool:
        """What comes before the behaviour: gathering, save point, loop, boundary events, the element's own variables.

        Returns:
            Whether the behaviour is to begin now.

        Raises:
            Trouble: an expression gives no usable value.
        """
        if not self.is_instance(token):
            passed = token == self._past_save_point
            if element.start_quantity > 1 and not passed and not self._gathered(token, element):
                return False
            if element.save_before and not passed:
                self._set_save_point(token, element, Purpose.SAVE_BEFORE)
                return False
            if element.boundaries and token not in self.state.hosted:
                self.arm(token, element.boundaries)
            if element.loop is not None:
                looping.begin(self, token, element)
                return False
        if element.inputs or element.data_inputs:
            values = self.evaluate_mappings(token, element)
            self.open_scope(token, element)
            self.write(token, values)
        return True

    def _gathered(self, token: int, element: Element) -> bool:
        """Whether as many tokens have come as the activity takes to begin; those before the last went up in one."""
        state = self.state
        scope = state.tokens[token].scope
        first = next(
            (
                key
                for key in state.gathered
                if state.tokens[key].element == element.index and state.tokens[key].scope == scope
            ),
            None,
        )
        if first is None:
            self.emit(e.TokensGathered(token, element.index, 1))
            return False
        if first != token:
            self.emit(e.TokenMerged(token, element.index, first))
        if state.gathered[first] == element.start_quantity:
            self.emit(e.TokensGathered(first, element.index, 0))
            self.begin_gathered(first, element)
        return False

    def begin_gathered(self, token: int, element: Element) -> None:
        """Have an activity begin for which enough tokens have come."""
        if element.save_before:
            self._set_save_point(token, element, Purpose.SAVE_BEFORE)
        else:
            self.begin_behind_save_point(token, element)

    def _set_save_point(self, token: int, element: Element, purpose: Purpose) -> None:
        self.emit(e.TimerStarted(self.state.next_id, token, element.index, self.now_ms, purpose=purpose))

    def at_save_point(self, token: int) -> Purpose | None:
        """Which save point a token stands at, None for none: its element has not begun yet, or is done with."""
        for timer in self.state.timers.values():
            if timer.token == token and timer.purpose is not Purpose.EVENT:
                return timer.purpose
        return None

    def leave(self, token: int, element: Element) -> None:
        """Finish an element and go on by the flows that apply. Trouble becomes an incident."""
        flows = self.definition.onward[element.index]
        if flows is None:
            self._leave_with_care(token, element)
        else:
            self.take(token, element, flows)

    def _leave_with_care(self, token: int, element: Element) -> None:
        try:
            if element.outputs or element.data_outputs:
                self._write_outputs(token, element)
            if self.definition.compensates and element.loop is None and token not in self.state.handlers:
                compensation.keep(self, token, element)
            if self.is_instance(token):
                if self.definition.compensates:
                    compensation.keep(self, token, element)
                looping.instance_done(self, token, element)
                return
        except Trouble as trouble:
            self.raise_incident(token, element, trouble.trouble_code, trouble.message, "leave")
            return
        self.go_on(token, element)

    def go_on(self, token: int, element: Element) -> None:
        """Leave an element whose work is done and whose results are written. Trouble becomes an incident."""
        if token in self.state.handlers:
            compensation.handler_done(self, token, element)
        elif element.save_after:
            self._set_save_point(token, element, Purpose.SAVE_AFTER)
        else:
            self.go_on_behind_save_point(token, element)

    def go_on_behind_save_point(self, token: int, element: Element) -> None:
        """Take the flows that apply, without a further save point. Trouble becomes an incident."""
        try:
            flows = self.choose(element, self.variables(token))
        except Trouble as trouble:
            self.raise_incident(token, element, trouble.trouble_code, trouble.message, "leave")
            return
        self.take(token, element, flows * element.completion_quantity)

    def take(self, token: int, element: Element, flows: tuple[int, ...]) -> None:
        """Move a token on by these flows; without any it ends here, and perhaps its scope with it."""
        scope = self.state.tokens[token].scope
        self.emit(e.ElementLeft(token, element.index, flows))
        if self.definition.waiting_joins:
            self._check_joins = True
        if flows:
            all_flows = self.definition.graph.flows
            for flow in flows:
                self.enter(all_flows[flow].target, scope, flow)
            if self.definition.has_ad_hoc:
                self._tell_ad_hoc(scope)
        else:
            self.finish_if_empty(scope)

    def choose(self, element: Element, variables: Mapping[str, object]) -> tuple[int, ...]:
        """Every flow without a condition or whose condition holds, and the default flow when no condition holds.

        Source: BPMN 2.0.2, 13.3.1. Behind a gateway a flow without a condition counts as one whose condition holds.

        Raises:
            Trouble: no flow applies, and flows there are.
        """
        all_flows = self.definition.graph.flows
        chosen: list[int] = []
        holds = False
        for flow in element.outgoing:
            condition = all_flows[flow].condition
            if condition is None or self.test(condition, variables):
                chosen.append(flow)
                holds = holds or condition is not None or element.kind in GATEWAYS
        if element.default >= 0 and not holds:
            chosen.append(element.default)
        if chosen:
            return tuple(chosen)
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
        if self.definition.has_ad_hoc and self._tell_ad_hoc(scope):
            return
        if state.status is not _OPEN:
            return
        if state.scopes[scope].live:
            if scope in state.hosted:
                self._close_when_completing(scope)
            return
        if scope == 0:
            self.emit(e.InstanceCompleted())
        else:
            self.leave(scope, self.definition.graph.elements[state.tokens[scope].element])

    def _close_when_completing(self, scope: int) -> None:
        """Begin no further event sub-processes once only such ones are still running (BPMN 2.0.2, 13.3.4)."""
        elements = self.definition.graph.elements
        own = elements[self.state.scopes[scope].element].event_sub_processes
        if all(value.element in own for value in self.state.tokens.values() if value.scope == scope):
            self._close_waits(scope, {start for inner in own for start in elements[inner].starts})

    def _tell_ad_hoc(self, scope: int) -> bool:
        """Tell an ad-hoc sub-process that something in it has ended; gives whether the scope is one."""
        element = self.definition.graph.elements[self.state.scopes[scope].element]
        if element.ad_hoc is None or scope in self.state.loops:
            return False
        choosing.after_activity(self, scope, element)
        return True

    def cancel(self, token: int, reason: str) -> None:
        """Take a token away with everything inside it, the innermost first."""
        state = self.state
        for inner in [key for key, value in state.tokens.items() if value.scope == token]:
            self.cancel(inner, reason)
        if token in state.calls:
            self.emit(e.CallCancelled(token))
        if token in state.handlers:
            self._left_by_handlers.append(state.handlers[token].asked_by)
        self.emit(e.ElementCancelled(token, state.tokens[token].element, reason))
        self._check_joins = bool(self.definition.waiting_joins)

    def cancel_scope(self, scope: int, reason: str, but: int = -1) -> None:
        """Take away every token of a scope, except `but`."""
        for token in [key for key, value in self.state.tokens.items() if value.scope == scope and key != but]:
            self.cancel(token, reason)

    def look_at_joins(self) -> None:
        """Have inclusive and complex joins looked at when the step has come to rest."""
        self._check_joins = True

    def look_at_condition(self, condition: int) -> None:
        """Have a condition looked at when the step has come to rest, whatever has changed."""
        self._fresh_conditions.add(condition)

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
        for mapping in (*element.data_inputs, *element.inputs):
            values[mapping.target] = variables[mapping.target] = self.evaluate(mapping.source, variables)
        return values

    def open_scope(self, token: int, element: Element) -> None:
        """Give a token variables of its own, unless it has them."""
        if token not in self.state.scopes:
            self.emit(e.ScopeOpened(token, element.index, self.state.tokens[token].scope))

    def write(self, scope: int, values: Mapping[str, object]) -> None:
        """Set variables of a scope."""
        if self.state.conditions:
            known = self.state.scopes[scope].variables
            for name in values:
                how = conditions.UPDATE if name in known else conditions.CREATE
                self._changed.setdefault(name, set()).add(how)
        self.emit(e.VariablesSet(scope, dict(values)))

    def assign(self, token: int, element: Element, values: Mapping[str, object]) -> None:
        """Write what an activity brought: into its own variables when something maps them on, else outwards."""
        if not values:
            return
        if element.outputs or (element.loop is not None and element.loop.output_item is not None):
            self.open_scope(token, element)
            self.write(token, values)
        else:
            self.assign_outward(token, values)

    def assign_outward(self, token: int, values: Mapping[str, object]) -> None:
        """Write into the nearest scope around that has a variable of that name already, or else into the process."""
        scopes = self.state.scopes
        by_scope: dict[int, dict[str, object]] = {}
        start = self.state.tokens[token].scope if token else 0
        for name, value in values.items():
            key = start
            while key and name not in scopes[key].variables:
                key = scopes[key].parent
            by_scope.setdefault(key, {})[name] = value
        for key, part in by_scope.items():
            self.write(key, part)

    def _write_outputs(self, token: int, element: Element) -> None:
        variables = dict(self.variables(token))
        if element.outputs:
            values = {mapping.target: self.evaluate(mapping.source, variables) for mapping in element.outputs}
            scope = self.state.tokens[token].scope
            # An instance's results go where the loop's would, past the loop's own variables.
            self.write(self.state.tokens[scope].scope if scope in self.state.loops else scope, values)
        # A data association copies what there is; many drawings have them for their readers only.
        held = {
            mapping.target: self.evaluate(mapping.source, variables)
            for mapping in element.data_outputs
            if not mapping.source.names or any(name in variables for name in mapping.source.names)
        }
        if held:
            self.assign_outward(token, held)

    # What is waited for

    def arm(self, token: int, elements: Iterable[int]) -> None:
        """Set the timers and subscriptions of event elements; they belong to `token` and end with it.

        Raises:
            Trouble: an expression gives no usable value; then nothing is set.
        """
        for event in openings(self, token, elements):
            self.emit(event)
            if isinstance(event, e.ConditionAwaited):
                self._fresh_conditions.add(event.condition)

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
        found = self._find_catcher(token, TriggerKind.ERROR, code)
        self.emit(e.ErrorThrown(token, element.index, code, message, found[0].index if found else -1))
        if found is not None:
            catcher, trigger, host = found
            self.trigger(catcher, host, {**(variables or {}), **self._caught_variables(trigger, code, message)})
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
        found = self._find_catcher(token, TriggerKind.ESCALATION, code)
        self.emit(e.EscalationThrown(token, element.index, code, found[0].index if found else -1))
        if found is not None:
            catcher, trigger, host = found
            self.trigger(catcher, host, self._caught_variables(trigger, code, ""))

    @staticmethod
    def _caught_variables(trigger: Trigger, code: str, message: str) -> dict[str, object]:
        values: dict[str, object] = {}
        if trigger.code_variable:
            values[trigger.code_variable] = code
        if trigger.message_variable:
            values[trigger.message_variable] = message or None
        return values

    def _find_catcher(self, token: int, kind: TriggerKind, code: str) -> tuple[Element, Trigger, int] | None:
        """The nearest event element that catches a code, by which definition, and the token or scope it belongs to.

        From the inside out: boundary events of the activity, then event sub-processes of the scope around it, then
        the boundary events of that scope's host, and so on. At one level an exact code goes before "any code".
        """
        elements = self.definition.graph.elements
        state = self.state

        def matching(candidates: Iterable[int]) -> tuple[Element, Trigger] | None:
            any_code = None
            for index in candidates:
                for trigger in elements[index].triggers:
                    if trigger.kind is kind:
                        if trigger.name == code:
                            return elements[index], trigger
                        if not trigger.name and any_code is None:
                            any_code = elements[index], trigger
            return any_code

        while token:
            here = state.tokens[token]
            # The boundary events of a loop belong to the loop, and its instances' scopes have the sub-processes.
            if here.scope not in state.loops:
                found = matching(elements[here.element].boundaries)
                if found is not None:
                    return *found, token
                scope = state.scopes[here.scope]
                found = matching(
                    start
                    for event_sub_process in elements[scope.element].event_sub_processes
                    # An error inside an event sub-process is not caught by itself.
                    if event_sub_process != here.element
                    for start in elements[event_sub_process].starts
                )
                if found is not None:
                    return *found, here.scope
            token = here.scope
        return None

    # What happens when an event element is triggered

    def trigger(self, element: Element, host: int, variables: Mapping[str, object]) -> None:
        """Let a caught event take effect.

        Args:
            element: the boundary event, start of an event sub-process, catch event or receive task.
            host: the token (or scope, for an event sub-process) it belonged to.
            variables: what the event brought.
        """
        if element.needs_all_triggers and self._waits_for_more(element, host, variables):
            return
        if element.kind is Kind.BOUNDARY_EVENT:
            self._trigger_boundary(element, host, variables)
        elif element.kind is Kind.START_EVENT:
            self._trigger_event_sub_process(element, host, variables)
        elif self.state.tokens[host].element != element.index:
            self._trigger_behind_gateway(element, host, variables)
        else:
            self.assign(host, element, variables)
            self.leave(host, element)

    def _waits_for_more(self, element: Element, host: int, variables: Mapping[str, object]) -> bool:
        """Whether a parallel multiple event has not had all its triggers yet; one that interrupts nothing is set anew.

        What has arrived is no longer waited for, so that what is still waited for is what is missing.
        """
        state = self.state
        for key in state.hosted.get(host, ()):
            if (state.timers.get(key) or state.waits.get(key) or state.conditions[key]).element == element.index:
                self.assign_outward(host, variables)
                return True
        if not element.interrupting and element.kind is not Kind.INTERMEDIATE_CATCH_EVENT:
            self.arm(host, (element.index,))
        return False

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
            self.write(token, variables)
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
            key
            for key in state.hosted.get(host, ())
            if (state.timers.get(key) or state.waits.get(key) or state.conditions[key]).element in elements
        )
        if ids:
            self.emit(e.WaitsClosed(host, ids))
