"""What must hold in any graph, however it is drawn: tokens are conserved, and joins wait for what can still come.

The ledger is kept from the recorded events alone. Whether something can still reach a join is found out by walking
the graph forwards, path by path; the engine asks tables that it has built backwards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from noria.design.bpmn.graph import Element, Kind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.evolve import replay
from noria.engine.outcome import Outcome
from noria.engine.state import State, Status, decode_state, encode_state
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.kernel.instants import HOUR_MS
from noria.operate.bundles import read_bundle
from tests.simulation.choosing import Chooser
from tests.simulation.graphs import drawn
from tests.simulation.history import ViolationError

COMMANDS_MAX = 40
"""What is drawn may go round for ever."""

TOKENS_MAX = 60
"""What is drawn may multiply its tokens with each round."""

START_MS = 1_790_000_000_000


@dataclass
class Standing:
    """A token of the ledger."""

    element: int
    scope: int
    via: int


class Ledger:
    """Tokens as the events tell of them.

    Attributes:
        live: token → where it stands.
        entered, left, merged, cancelled: how many.
        joins: kind of gateway → how often one joined.
        activated: complex gateways' tokens that have gone on → flows that they have used.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.live: dict[int, Standing] = {}
        self.entered = self.left = self.merged = self.cancelled = 0
        self.activated: dict[int, set[int]] = {}
        self.joins = Counter[str]()
        self._gone_into: dict[int, list[Standing]] = {}

    # Taking in what a command did

    def add(self, events: tuple[e.AnyEvent, ...]) -> None:
        """Take in one command's events.

        Raises:
            ViolationError: a rule is broken.
        """
        sent: Counter[tuple[int, int]] = Counter()
        come: Counter[tuple[int, int]] = Counter()
        for event in events:
            if isinstance(event, e.ElementEntered):
                self._enter(event)
                if event.via >= 0:
                    come[event.via, event.scope] += 1
            elif isinstance(event, e.ElementLeft):
                gone = self._gone(event.token, event.element)
                self.left += 1
                self._check_left(event, gone)
                for flow in event.flows:
                    sent[flow, gone.scope] += 1
            elif isinstance(event, e.GatewayActivated):
                self._activate(event)
                for flow in event.flows:
                    sent[flow, self.live[event.token].scope] += 1
            elif isinstance(event, e.TokenMerged):
                self._merge(event)
            elif isinstance(event, e.ElementCancelled):
                self._gone(event.token, event.element)
                self.cancelled += 1
        if sent != come:
            raise ViolationError(
                "I3", f"flows taken and not arrived {sent - come}, arrived and not taken {come - sent}"
            )

    def _element(self, index: int) -> Element:
        return self.definition.graph.elements[index]

    def _enter(self, event: e.ElementEntered) -> None:
        if event.token in self.live:
            raise ViolationError("I4", f"token {event.token} is there already")
        if event.scope and event.scope not in self.live:
            raise ViolationError("I3", f"token {event.token} enters scope {event.scope}, which is gone")
        if event.via >= 0 and self.definition.graph.flows[event.via].target != event.element:
            raise ViolationError("I3", f"token {event.token} came by flow {event.via} to another element")
        self.live[event.token] = Standing(event.element, event.scope, event.via)
        self.entered += 1

    def _gone(self, token: int, element: int) -> Standing:
        here = self.live.pop(token, None)
        if here is None or here.element != element:
            raise ViolationError("I3", f"token {token} leaves {self._element(element).id} without being there")
        if any(other.scope == token for other in self.live.values()):
            raise ViolationError("I3", f"token {token} leaves its scope with tokens inside")
        self.activated.pop(token, None)
        return here

    def _merge(self, event: e.TokenMerged) -> None:
        here = self._gone(event.token, event.element)
        into = self.live.get(event.into)
        if into is None or (into.element, into.scope) != (here.element, here.scope):
            raise ViolationError("I3", f"token {event.token} is merged into {event.into}, which is elsewhere")
        self.merged += 1
        self._gone_into.setdefault(event.into, []).append(here)

    def _activate(self, event: e.GatewayActivated) -> None:
        here = self.live[event.token]
        if any(
            (self.live[token].element, self.live[token].scope) == (here.element, here.scope) for token in self.activated
        ):
            raise ViolationError("I3", f"{self._element(event.element).id} goes on a second time before it is reset")
        merged = self._gone_into.pop(event.token, [])
        used = {standing.via for standing in (here, *merged)}
        if used != set(event.used) or len(merged) + 1 != len(used):
            raise ViolationError("I3", f"{self._element(event.element).id} used {event.used}, but took in {used}")
        self.activated[event.token] = used
        self.joins["complex"] += 1

    def _check_left(self, event: e.ElementLeft, here: Standing) -> None:
        """What a gateway may do when a token leaves it."""
        element = self._element(event.element)
        merged = self._gone_into.pop(event.token, [])
        came = [standing.via for standing in (here, *merged)]
        if element.kind is Kind.EXCLUSIVE_GATEWAY and len(event.flows) != 1:
            raise ViolationError("I3", f"{element.id} takes {len(event.flows)} flows")
        if element.kind in (Kind.PARALLEL_GATEWAY, Kind.USER_TASK) and event.flows != element.outgoing:
            raise ViolationError("I3", f"{element.id} does not take all of its flows")
        if element.kind is Kind.PARALLEL_GATEWAY and len(element.incoming) > 1:
            self.joins["parallel"] += 1
            if sorted(came) != sorted(element.incoming):
                raise ViolationError("I3", f"{element.id} joins flows {came}, not {element.incoming}")
        if element.kind is Kind.INCLUSIVE_GATEWAY and len(element.incoming) > 1:
            self.joins["inclusive"] += 1
            if len(set(came)) != len(came):
                raise ViolationError("I3", f"{element.id} joins several tokens of one flow: {came}")
            if blocking := self.who_may_come(element, here.scope, set(came)):
                raise ViolationError("I3", f"{element.id} goes on though tokens {blocking} can still come")

    # At rest

    def who_may_come(self, element: Element, scope: int, full: set[int]) -> list[int]:
        """Tokens that can come by a flow that has none, and by no flow that has one (BPMN 2.0.2, 13.4.3)."""
        empty = set(element.incoming) - full
        found = []
        for token, standing in self.live.items():
            if standing.scope != scope or standing.element == element.index:
                continue
            reached = self._reached(standing.element, element.index)
            if reached & empty and not reached & full:
                found.append(token)
        return found

    def _reached(self, start: int, gateway: int) -> set[int]:
        """The gateway's incoming flows that a token at `start` can come by, without passing the gateway before."""
        graph = self.definition.graph
        seen: set[int] = set()
        reached: set[int] = set()
        todo = [start]
        while todo:
            index = todo.pop()
            if index in seen:
                continue
            seen.add(index)
            element = graph.elements[index]
            for flow in (*element.outgoing, *((element.default,) if element.default >= 0 else ())):
                target = graph.flows[flow].target
                if target == gateway:
                    reached.add(flow)
                else:
                    todo.append(target)
            todo.extend(element.boundaries)
        return reached

    def check(self, state: State) -> None:
        """What must hold when nothing moves.

        Raises:
            ViolationError: a rule is broken.
        """
        if self.entered != self.left + self.merged + self.cancelled + len(self.live):
            raise ViolationError("I3", "tokens do not add up")
        told = {token: (value.element, value.scope, value.via) for token, value in self.live.items()}
        held = {token: (value.element, value.scope, value.via) for token, value in state.tokens.items()}
        if told != held:
            raise ViolationError("I2", f"the state's tokens are {held}, those of the events {told}")
        inside = Counter(standing.scope for standing in self.live.values())
        if {key: scope.live for key, scope in state.scopes.items() if key in self.live or key == 0} != {
            key: inside[key] for key in state.scopes
        }:
            raise ViolationError("I3", f"scopes hold {dict(inside)}, but they count {state.scopes}")
        if (state.status is Status.OPEN) is not bool(self.live):
            raise ViolationError("I3", f"the instance is {state.status.name} with {len(self.live)} tokens")
        for rows in (state.tasks, state.jobs, state.calls):
            if rows.keys() - self.live.keys():
                raise ViolationError("I8", f"work of tokens that are gone: {rows.keys() - self.live.keys()}")
        for row in (*state.timers.values(), *state.waits.values()):
            if row.token and row.token not in self.live:
                raise ViolationError("I8", f"{row} belongs to a token that is gone")
        for token, standing in self.live.items():
            element = self._element(standing.element)
            if element.kind is Kind.USER_TASK and token not in state.tasks:
                raise ViolationError("I8", f"token {token} stands at {element.id} without a task")
        self._check_joins()

    def _check_joins(self) -> None:
        """No join waits that need not."""
        waiting: dict[tuple[int, int], dict[int, list[int]]] = {}
        for token, standing in self.live.items():
            if self._element(standing.element).kind in (
                Kind.PARALLEL_GATEWAY,
                Kind.INCLUSIVE_GATEWAY,
                Kind.COMPLEX_GATEWAY,
                Kind.EXCLUSIVE_GATEWAY,
            ):
                by_flow = waiting.setdefault((standing.element, standing.scope), {})
                by_flow.setdefault(standing.via, []).append(token)
        for (index, scope), by_flow in waiting.items():
            element = self._element(index)
            tokens = [token for here in by_flow.values() for token in here]
            marker = next((token for token in tokens if token in self.activated), None)
            if element.kind is Kind.PARALLEL_GATEWAY:
                stuck = by_flow.keys() >= set(element.incoming)
            elif element.kind is Kind.INCLUSIVE_GATEWAY:
                stuck = not self.who_may_come(element, scope, set(by_flow))
            elif element.kind is Kind.COMPLEX_GATEWAY and marker is not None:
                stuck = not self.who_may_come(element, scope, self.activated[marker] | set(by_flow))
            else:
                stuck = element.kind is Kind.EXCLUSIVE_GATEWAY
            if stuck:
                raise ViolationError("I3", f"{element.id} waits with tokens on {by_flow}, though nothing can come")


def run(choose: Chooser) -> Ledger:
    """Draw a graph, carry it out with any answers, and check after each command.

    Raises:
        ViolationError: a rule is broken.
    """
    definition = compiled(drawn(choose))
    ledger = Ledger(definition)
    state = State()
    now_ms = START_MS
    histories: list[tuple[e.AnyEvent, ...]] = []
    command: c.AnyCommand | None = c.StartInstance("ann", {"id": "ann"}, {"x": choose.below(4)})
    for _ in range(COMMANDS_MAX):
        if command is None or state.status is not Status.OPEN or len(state.tokens) > TOKENS_MAX:
            break
        outcome = step(definition, state, command, now_ms)
        if isinstance(outcome, Rejected):
            if outcome.code != "process.runaway":
                raise ViolationError("I3", f"{command} is refused: {outcome.message}")
            # A loop without a task in it; the instance is as it was.
            break
        if any(isinstance(event, e.IncidentRaised) and event.code == "process.runaway" for event in outcome.events):
            break
        _check_step(definition, state, command, now_ms, outcome)
        histories.append(outcome.events)
        state = outcome.state
        ledger.add(outcome.events)
        ledger.check(state)
        now_ms += HOUR_MS
        command = _next(choose, state)
    # What a runaway has parked is not among the histories: the state is the one before.
    if encode_state(replay(histories)) != encode_state(state):
        raise ViolationError("I2", "replay does not give the state")
    return ledger


def compiled(xml: bytes) -> Definition:
    """The only process of a drawing.

    Raises:
        ViolationError: it does not compile.
    """
    bundle = read_bundle({"drawn.bpmn": xml})
    errors = [str(finding) for finding in bundle.findings if finding.severity == "error"]
    if errors:
        raise ViolationError("model", "; ".join(errors))
    return Definition(bundle.graphs[0][1])


def _check_step(definition: Definition, state: State, command: c.AnyCommand, now_ms: int, outcome: Outcome) -> None:
    again = step(definition, decode_state(encode_state(state)), command, now_ms)
    if not isinstance(again, Outcome) or e.encode_events(again.events) != e.encode_events(outcome.events):
        raise ViolationError("I2", f"{command} does not do the same on what was stored")
    for event in outcome.events:
        if isinstance(event, e.IncidentRaised):
            raise ViolationError("I3", f"it stands still: {event.message}")


def _next(choose: Chooser, state: State) -> c.AnyCommand | None:
    """Something that a person or the clock does."""
    timers, tasks = list(state.timers), list(state.tasks)
    if timers and (not tasks or choose.chance(15)):
        return c.FireTimer(choose.one_of(timers))
    if tasks:
        return c.CompleteTask(choose.one_of(tasks), "ann", {"x": choose.below(4)})
    return None
