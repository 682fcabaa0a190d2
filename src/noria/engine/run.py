"""One step of an instance: the moves of tokens that behaviours make, and what is done when they have come to rest.

Every change goes through `emit`, which records the event and applies it by the same table that replay uses, so that
live work and replay cannot differ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import ClassVar

from noria.design.bpmn.graph import GATEWAYS, Element, Kind
from noria.design.feel import EvaluationContext
from noria.engine import choosing, compensation, conditions, joining, looping, triggers
from noria.engine import events as e
from noria.engine.arming import openings
from noria.engine.definition import Definition
from noria.engine.evolve import element_entered, element_followed, element_left
from noria.engine.facts import Facts
from noria.engine.priority import priority_of
from noria.engine.state import Purpose, State, Status
from noria.engine.tasks import copying
from noria.engine.trouble import Trouble
from noria.engine.variables import Variables
from noria.kernel.errors import NoriaError

EVENTS_MAX = 10_000
"""A command that makes more events than this is taken for an endless loop in the model: what ends does not count, and
loops of many instances may make more."""
EVENTS_IN_LOOPS_MAX = 1_000_000
"""However many instances loops have: nobody waits for longer."""


_OPEN = Status.OPEN  # see step.py


class RunawayError(NoriaError):
    """One command made more events than a sound model ever does."""

    code: ClassVar[str] = "process.runaway"


Behaviour = Callable[["Run", int, Element], None]


class Run(Variables):
    """The inside of one `decide`.

    Attributes:
        with_start: whether the start form's values count as the first task's submission (see `HumanWork`).
    """

    # Most steps need none of these: they begin as what the class has, and cost nothing.
    with_start = False
    _check_joins = False
    _events_max = EVENTS_MAX
    _fresh_conditions: frozenset[int] = frozenset()
    _leaving: tuple[tuple[int, Element], ...] = ()
    _left_by_handlers: tuple[int, ...] = ()
    _past_save_point = -1
    _signals: tuple[tuple[str, dict[str, object]], ...] = ()

    def __init__(
        self, definition: Definition, state: State, now_ms: int, facts: Facts, behaviours: Mapping[Kind, Behaviour]
    ) -> None:
        self.definition = definition
        self.state = state
        self.events = []
        self.now_ms = now_ms
        self.facts = facts
        self._behaviours = behaviours
        self._agenda: deque[tuple[int, Element]] = deque()

    # Moving tokens

    def enter(self, index: int, scope: int, via: int = -1) -> int:
        """Let a new token come to an element and put it on the agenda; gives the token."""
        state = self.state
        token = state.next_id
        # As `emit` does it, without a look at its table: tokens that come and go are half of all events.
        event = e.ElementEntered(token, index, scope, via)
        self.events.append(event)
        element_entered(state, event)
        self._agenda.append((token, self.definition.elements[index]))
        return token

    def place(self, index: int, scope: int, via: int = -1) -> int:
        """Let a new token come to an element whose behaviour is not to begin (it has just been triggered)."""
        token = self.state.next_id
        self.emit(e.ElementEntered(token, index, scope, via))
        return token

    def enter_all(self, flows: tuple[int, ...], scope: int) -> None:
        """Let a new token take each of these flows."""
        targets = self.definition.targets
        for flow in flows:
            self.enter(targets[flow], scope, flow)

    def take_up(
        self, events: list[e.AnyEvent], tokens: Iterable[int], context: EvaluationContext | None, *, with_start: bool
    ) -> None:
        """Carry on a command that has come so far, with tokens that are to begin at their elements, in this order."""
        self.events = events
        self.with_start = with_start
        self._context = context
        self._check_joins = bool(self.definition.waiting_joins)
        elements = self.definition.elements
        self._agenda.extend((token, elements[self.state.tokens[token].element]) for token in tokens)

    def expect_events(self, more: int) -> None:
        """A loop of many instances is no endless one: allow the command this many events more."""
        self._events_max = min(self._events_max + more, max(self._events_max, EVENTS_IN_LOOPS_MAX))

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
            signals, self._signals = self._signals, ()
            for name, variables in signals:
                self._take_up_signal(name, variables)
            return True
        if self._leaving:
            leaving, self._leaving = self._leaving, ()
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
            self._fresh_conditions, self._changed = frozenset(), {}
            conditions.look(self, fresh, changed)
            return True
        if self._left_by_handlers:
            *others, asked_by = self._left_by_handlers
            self._left_by_handlers = tuple(others)
            if asked_by in self.state.tokens:
                compensation.go_on(self, asked_by)
            return True
        return False

    def broadcast(self, name: str, variables: dict[str, object]) -> None:
        """Have a signal taken up by this instance's own subscriptions when the step has come to rest.

        By then the branches beside the thrower wait for what they wait for; the thrower leaves after it. Other
        instances are told by the signal's event.
        """
        self._signals = (*self._signals, (name, variables))

    def leave_at_rest(self, token: int, element: Element) -> None:
        """Leave an element when the step has come to rest, if the token is still there."""
        self._leaving = (*self._leaving, (token, element))

    def _take_up_signal(self, name: str, variables: dict[str, object]) -> None:
        waits = self.state.waits
        for key in [key for key, wait in waits.items() if wait.signal and wait.name == name]:
            if key in waits:
                triggers.receive(self, key, variables, "")

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
        if self.state.approvals and self.state.tokens[token].scope in self.state.approvals:
            # What one person of several is asked; all else belongs to the activity as a whole.
            return True
        passed = token == self._past_save_point
        if self.is_instance(token):
            if element.loop is not None and element.loop.save_before and not passed:
                self._set_save_point(token, element, Purpose.SAVE_BEFORE)
                return False
        else:
            if element.start_quantity > 1 and not passed and not self._gathered(token, element):
                return False
            if element.save_before and not passed:
                self._set_save_point(token, element, Purpose.SAVE_BEFORE)
                return False
            if element.keeps and element.loop is None:
                # Its boundary events see what its inputs name.
                self.take_inputs(token, element)
            if element.boundaries and token not in self.state.hosted:
                self.arm(token, element.boundaries)
            if element.loop is not None:
                looping.begin(self, token, element)
                return False
            if element.keeps:
                return True
        self.take_inputs(token, element)
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
        # Asked before anything is recorded, so that trouble leaves the token that comes as it was.
        priority = priority_of(self, element, first) if element.save_before else 0
        if first != token:
            self.emit(e.TokenMerged(token, element.index, first))
        if state.gathered[first] == element.start_quantity:
            self.emit(e.TokensGathered(first, element.index, 0))
            if element.save_before:
                self._wait_at_save_point(first, element, Purpose.SAVE_BEFORE, priority)
            else:
                self.begin_behind_save_point(first, element)
        return False

    def _set_save_point(self, token: int, element: Element, purpose: Purpose) -> None:
        """Have a token wait at a save point of its element.

        Raises:
            Trouble: the priority's expression gives no usable number.
        """
        self._wait_at_save_point(token, element, purpose, priority_of(self, element, token))

    def _wait_at_save_point(self, token: int, element: Element, purpose: Purpose, priority: int) -> None:
        number = self.state.next_id
        self.emit(e.TimerStarted(number, token, element.index, self.now_ms, purpose=purpose, priority=priority))

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
                self.write_outputs(token, element)
            if element.human is not None:
                copying.as_modelled(self, token, element)
            if self.definition.compensates and element.loop is None and token not in self.state.handlers:
                compensation.keep(self, token, element)
            if self.is_instance(token):
                if self.definition.compensates:
                    compensation.keep(self, token, element)
                if element.loop is not None and element.loop.save_after:
                    self._set_save_point(token, element, Purpose.SAVE_AFTER)
                else:
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
            try:
                self._set_save_point(token, element, Purpose.SAVE_AFTER)
            except Trouble as trouble:
                self.raise_incident(token, element, trouble.trouble_code, trouble.message, "leave")
        else:
            self.go_on_behind_save_point(token, element)

    def go_on_behind_save_point(self, token: int, element: Element) -> None:
        """Take the flows that apply, or go on with the loop; no further save point. Trouble becomes an incident."""
        try:
            if self.is_instance(token):
                looping.instance_done(self, token, element)
                return
            flows = self.choose(element, self.variables(token))
        except Trouble as trouble:
            self.raise_incident(token, element, trouble.trouble_code, trouble.message, "leave")
            return
        self.take(token, element, flows * element.completion_quantity)

    def take(self, token: int, element: Element, flows: tuple[int, ...]) -> None:
        """Move a token on by these flows; without any it ends here, and perhaps its scope with it."""
        state, definition = self.state, self.definition
        scope = state.tokens[token].scope
        left = e.ElementLeft(token, element.index, flows)
        self.events.append(left)
        if definition.waiting_joins:
            self._check_joins = True
        if len(flows) == 1:
            # Most moves; as the two events alone would do it.
            flow = flows[0]
            target = definition.targets[flow]
            entered = e.ElementEntered(state.next_id, target, scope, flow)
            self.events.append(entered)
            element_followed(state, left, entered)
            self._agenda.append((entered.token, definition.elements[target]))
        else:
            element_left(state, left)
            for flow in flows:
                self.enter(definition.targets[flow], scope, flow)
            if not flows:
                self.finish_if_empty(scope)
                return
        if definition.has_ad_hoc:
            self._tell_ad_hoc(scope)

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
                triggers.close_when_completing(self, scope)
            return
        if scope == 0:
            self.emit(e.InstanceCompleted())
        else:
            self.leave(scope, self.definition.elements[state.tokens[scope].element])

    def _tell_ad_hoc(self, scope: int) -> bool:
        """Tell an ad-hoc sub-process that something in it has ended; gives whether the scope is one."""
        element = self.definition.elements[self.state.scopes[scope].element]
        if element.ad_hoc is None or scope in self.state.loops:
            return False
        choosing.after_activity(self, scope, element)
        return True

    def cancel(self, token: int, reason: str) -> None:
        """Take a token away with everything inside it, the innermost first."""
        state = self.state
        scope = state.scopes.get(token)
        if scope is not None and scope.live:
            for inner in [key for key, value in state.tokens.items() if value.scope == token]:
                self.cancel(inner, reason)
        # Each token is taken away once, however many there are.
        self._events_max += 1
        if token in state.calls:
            self.emit(e.CallCancelled(token))
        if token in state.handlers:
            self._left_by_handlers = (*self._left_by_handlers, state.handlers[token].asked_by)
        self.emit(e.ElementCancelled(token, state.tokens[token].element, reason))
        self._check_joins = bool(self.definition.waiting_joins)

    def cancel_scope(self, scope: int, reason: str, but: Collection[int] = ()) -> None:
        """Take away every token of a scope, except those of `but`."""
        for token in [key for key, value in self.state.tokens.items() if value.scope == scope and key not in but]:
            self.cancel(token, reason)

    def look_at_joins(self) -> None:
        """Have inclusive and complex joins looked at when the step has come to rest."""
        self._check_joins = True

    def look_at_condition(self, condition: int) -> None:
        """Have a condition looked at when the step has come to rest, whatever has changed."""
        self._fresh_conditions |= {condition}

    def merge_and_split(self, element: Element, tokens: tuple[int, ...]) -> None:
        """Join waiting tokens into the first of them, which goes on."""
        first = tokens[0]
        for token in tokens[1:]:
            self.emit(e.TokenMerged(token, element.index, first))
        self.leave(first, element)

    def is_part(self, token: int) -> bool:
        """Whether a token is one instance of a loop, or one person's task of an approval: it belongs to the whole."""
        return self.state.tokens[token].scope in self.state.approvals or self.is_instance(token)

    # What is waited for

    def arm(self, token: int, elements: Iterable[int]) -> None:
        """Set the timers and subscriptions of event elements; they belong to `token` and end with it.

        Raises:
            Trouble: an expression gives no usable value; then nothing is set.
        """
        for event in openings(self, token, elements):
            self.emit(event)
            if isinstance(event, e.ConditionAwaited):
                self._fresh_conditions |= {event.condition}

    # What goes wrong

    def raise_incident(self, token: int, element: Element, code: str, message: str, phase: str) -> None:
        """Record that a token stands still."""
        self.emit(e.IncidentRaised(self.state.next_id, token, element.index, code, message, phase))
