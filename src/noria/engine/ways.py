"""Ways: how a token goes on from an element when nothing can happen but what is drawn, found out once for a version.

`plain` decides commands along them; whatever may take more is `run`'s.
"""

from __future__ import annotations

from collections.abc import Container

import msgspec

from noria.design.bpmn.graph import Element, Graph, Kind, TimerKind, Trigger, TriggerKind
from noria.design.feel import Expression
from noria.engine.state import FACTS, Token
from noria.kernel.instants import parse_duration

OTHER, CHOOSING, TASK, JOB, END, FORK, JOIN = range(7)
"""What comes of a token where it stops: what takes a look at more than the model; or it goes on by one flow of several,
waits for a person, waits for a worker, ends, goes on by all flows, or waits for one on each flow and then does."""

_PASSED_AT_ONCE = frozenset({Kind.TASK, Kind.MANUAL_TASK})


class Stop(msgspec.Struct, frozen=True, gc=False):
    """An element at which a token does more than go on at once.

    Attributes:
        kind: of the above.
        assignee: of a user task, "" for its group's.
        groups: of a user task.
        form: of a user task.
        topic: of a job.
        retries: of a job.
        priority: of a job.
        timers: at the boundary of a user task or job: index of the event, milliseconds until it is due, priority.
        flows: by which tokens leave a parallel gateway.
        needed: tokens that a parallel gateway waits for, each by another flow.
    """

    kind: int
    assignee: str = ""
    groups: tuple[str, ...] = ()
    form: str = ""
    topic: str = ""
    retries: int = 0
    priority: int = 0
    timers: tuple[tuple[int, int, int], ...] = ()
    flows: tuple[int, ...] = ()
    needed: int = 0


_OTHER = Stop(OTHER)

Move = tuple[int, tuple[int, ...], int, int]
"""Along a flow: index of the element that is left, the flows by which (this one), index of the element that is come to,
index of the flow."""
_MOVES_MAX = 100
"""Of one way. `run` goes on behind them, and sees where a token goes round for ever."""


class Way(msgspec.Struct, frozen=True, gc=False):
    """How a token goes on by one flow, past elements at which there is nothing to do, to where it stops.

    Attributes:
        moves: in order, at least one.
        token: as it stands at the last element.
        stop: what the last element is.
    """

    moves: tuple[Move, ...]
    token: Token
    stop: Stop


class Ways:
    """The plain elements of a process. Those of its sub-processes are told of, too, and nobody asks.

    Args:
        graph: of the process.
        prepared: see `Definition`.
        onward: see `Definition`.
        keeping_apart: elements of whose doers something is remembered.

    Attributes:
        behind: for each element the way on from it, once what it waited for has happened; None where more is to be
            done than to go on by one flow.
        choices: for each element at which a flow is chosen, in order: the condition, None for none; the way.
        start: index of the start event of an instance that is started by key, 0 where it does not begin plainly.
        passed: for each element the flow by which a token goes on at once that comes to it, None where it stops.
        stops: for each element what comes of a token that stops at it.
        arrivals: for each flow the token as it stands at its end.
    """

    def __init__(
        self,
        graph: Graph,
        prepared: tuple[bool, ...],
        onward: tuple[tuple[int, ...] | None, ...],
        keeping_apart: Container[int],
    ) -> None:
        self._graph = graph
        self._prepared = prepared
        self._onward = onward
        self.passed = tuple(self._pass(element) for element in graph.elements)
        self.stops = tuple(self._stop(element) or _OTHER for element in graph.elements)
        self.arrivals = tuple(Token(flow.target, 0, index) for index, flow in enumerate(graph.flows))
        self._moves: tuple[Move, ...] = tuple(
            (flow.source, (index,), flow.target, index) for index, flow in enumerate(graph.flows)
        )
        self.choices = {
            element.index: tuple((condition, self._way(flow)) for condition, flow in self._choices(element))
            for element in graph.elements
            if self.stops[element.index].kind == CHOOSING
        }
        self.behind = tuple(
            None if element.index in keeping_apart else self._behind(element) for element in graph.elements
        )
        first = none_start(graph)
        plain = first >= 0 and graph.elements[first].kind is Kind.START_EVENT and not prepared[first]
        self.start = first if plain and not graph.elements[0].event_sub_processes else 0

    def _way(self, flow: int) -> Way:
        moves: list[Move] = []
        while True:
            moves.append(self._moves[flow])
            index = self._graph.flows[flow].target
            onward = self.passed[index]
            if onward is None or len(moves) == _MOVES_MAX:
                return Way(tuple(moves), self.arrivals[flow], self.stops[index])
            flow = onward

    def _behind(self, element: Element) -> Way | None:
        flow = self._only(element)
        # Where a token never waits nobody asks for the way on.
        return None if flow is None or element.kind in _PASSED_AT_ONCE else self._way(flow)

    def _pass(self, element: Element) -> int | None:
        """The flow by which a token goes on at once that comes to an element, None where there is something to do."""
        if self._prepared[element.index]:
            return None
        if element.kind is Kind.EXCLUSIVE_GATEWAY:
            choices = self._choices(element)
            return choices[0][1] if len(choices) == 1 and choices[0][0] is None else None
        return self._only(element) if element.kind in _PASSED_AT_ONCE else None

    def _only(self, element: Element) -> int | None:
        """The flow by which a token goes on from an element that it is done with."""
        flows = self._onward[element.index]
        return flows[0] if flows is not None and len(flows) == 1 else None

    def _choices(self, element: Element) -> list[tuple[Expression | None, int]]:
        """The flows of an exclusive gateway with their conditions, in the order in which they are looked at."""
        choices = [(self._graph.flows[flow].condition, flow) for flow in element.outgoing]
        return [*choices, (None, element.default)] if element.default >= 0 else choices

    def _stop(self, element: Element) -> Stop | None:
        timers = self._timers(element) if self._prepared[element.index] else ()
        if timers is None:
            return None
        if element.kind is Kind.END_EVENT:
            return Stop(END) if element.trigger is None and element.scope == 0 else None
        if element.kind is Kind.USER_TASK:
            return self._task(element, timers)
        if element.kind is Kind.SERVICE_TASK:
            return self._job(element, timers)
        if element.kind is Kind.PARALLEL_GATEWAY:
            flows, incoming = self._onward[element.index], len(element.incoming)
            if not flows:
                return None
            return Stop(JOIN, flows=flows, needed=incoming) if incoming > 1 else Stop(FORK, flows=flows)
        if element.kind is Kind.EXCLUSIVE_GATEWAY:
            asks_outside = any(
                condition is not None and FACTS in condition.names for condition, _ in self._choices(element)
            )
            return None if asks_outside else Stop(CHOOSING)
        return None

    def _timers(self, element: Element) -> tuple[tuple[int, int, int], ...] | None:
        """What is set when a token comes to a task, where that is known from the model; None where it is not."""
        if element.kind not in (Kind.USER_TASK, Kind.SERVICE_TASK) or (
            element.inputs
            or element.data_inputs
            or element.loop is not None
            or element.save_before
            or element.start_quantity > 1
        ):
            return None
        timers: list[tuple[int, int, int]] = []
        for index in element.boundaries:
            event = self._graph.elements[index]
            for trigger in event.triggers:
                if trigger.kind in (TriggerKind.ERROR, TriggerKind.ESCALATION):
                    continue  # looked up when it is thrown
                wait = _constant_ms(trigger)
                if wait is None or not isinstance(event.job_priority, int):
                    return None
                timers.append((index, wait, event.job_priority))
        return tuple(timers)

    @staticmethod
    def _task(element: Element, timers: tuple[tuple[int, int, int], ...]) -> Stop | None:
        work = element.human
        if work is None or not work.is_plain or element.separate_from:
            return None
        if work.assignee is None:
            return Stop(TASK, groups=work.groups, form=work.form, timers=timers)
        return Stop(TASK, assignee=work.assignee.constant or "", form=work.form, timers=timers)

    @staticmethod
    def _job(element: Element, timers: tuple[tuple[int, int, int], ...]) -> Stop | None:
        job, priority = element.job, element.job_priority
        if job is None or not job.topic.constant or not isinstance(priority, int):
            return None
        return Stop(JOB, topic=job.topic.constant, retries=job.retries, priority=priority, timers=timers)


def _constant_ms(trigger: Trigger) -> int | None:
    """How long a timer waits by the clock, if the model says so; days are as long as the zone has them."""
    expression = trigger.timer_expression
    if trigger.timer is not TimerKind.DURATION or expression is None or not expression.constant or trigger.calendar:
        return None
    try:
        duration = parse_duration(expression.constant)
    except ValueError:
        return None
    return None if duration.months or duration.days else duration.milliseconds


def none_start(graph: Graph) -> int:
    """Index of the element at which a process begins that is started by its key, -1 when it is not said."""
    starts = graph.elements[0].starts
    for index in starts:
        if not (graph.elements[index].instantiates and graph.elements[index].triggers):
            return index
    # Asked for by key, a process begins where it can only begin.
    return starts[0] if len(starts) == 1 else -1
