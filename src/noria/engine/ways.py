"""Ways: how a token goes on from an element when nothing can happen but what is drawn, found out once for a version.

`plain` decides commands along them; whatever may take more is `run`'s.
"""

from __future__ import annotations

from collections.abc import Container

import msgspec

from noria.design.bpmn.graph import Element, Graph, Kind
from noria.design.feel import Expression
from noria.engine.state import FACTS

OTHER, PASSED, CHOOSING, TASK, JOB, END = range(6)
"""What comes of a token at an element: what takes a look at more than the model; or it goes on at once, goes on by one
flow of several, waits for a person, waits for a worker, or ends."""

_PASSED_AT_ONCE = frozenset({Kind.TASK, Kind.MANUAL_TASK})


class Way(msgspec.Struct, frozen=True, gc=False):
    """What comes of a token at one element.

    Attributes:
        kind: of the above.
        flows: by which it goes on; one, none at an end. Unused for a choice.
        target: index of the element that this flow leads to.
        choices: in order: the condition, None for none; the flows, of which there is one; its target.
        assignee: of a user task, "" for its group's.
        groups: of a user task.
        form: of a user task.
        topic: of a job.
        retries: of a job.
        priority: of a job.
    """

    kind: int
    flows: tuple[int, ...] = ()
    target: int = -1
    choices: tuple[tuple[Expression | None, tuple[int, ...], int], ...] = ()
    assignee: str = ""
    groups: tuple[str, ...] = ()
    form: str = ""
    topic: str = ""
    retries: int = 0
    priority: int = 0


_OTHER = Way(OTHER)


class Ways:
    """The plain elements of a process. Those of its sub-processes are told of, too, and nobody asks.

    Args:
        graph: of the process.
        prepared: see `Definition`.
        onward: see `Definition`.
        keeping_apart: elements of whose doers something is remembered.

    Attributes:
        at: for each element what comes of a token there.
        behind: for each element the way on from it, once what it waited for has happened; None where more is to be
            done than to go on by one flow.
        start: index of the start event of an instance that is started by key, 0 where it does not begin plainly.
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
        self.at = tuple(self._way(element) or _OTHER for element in graph.elements)
        self.behind = tuple(None if element.index in keeping_apart else self._on(element) for element in graph.elements)
        first = none_start(graph)
        plain = first >= 0 and graph.elements[first].kind is Kind.START_EVENT and not prepared[first]
        self.start = first if plain and not graph.elements[0].event_sub_processes else 0

    def _way(self, element: Element) -> Way | None:
        if self._prepared[element.index]:
            return None
        if element.kind is Kind.END_EVENT:
            return Way(END) if element.trigger is None and element.scope == 0 else None
        if element.kind is Kind.USER_TASK:
            return self._task(element)
        if element.kind is Kind.SERVICE_TASK:
            return self._job(element)
        if element.kind is Kind.EXCLUSIVE_GATEWAY:
            return self._choice(element)
        return self._on(element) if element.kind in _PASSED_AT_ONCE else None

    def _on(self, element: Element) -> Way | None:
        flows = self._onward[element.index]
        return Way(PASSED, flows, self._graph.flows[flows[0]].target) if flows is not None and len(flows) == 1 else None

    def _choice(self, element: Element) -> Way | None:
        flows = self._graph.flows
        choices = [(flows[flow].condition, (flow,), flows[flow].target) for flow in element.outgoing]
        if any(condition is not None and FACTS in condition.names for condition, _, _ in choices):
            return None
        if element.default >= 0:
            choices.append((None, (element.default,), flows[element.default].target))
        if len(choices) == 1 and choices[0][0] is None:
            _, taken, target = choices[0]
            return Way(PASSED, taken, target)
        return Way(CHOOSING, choices=tuple(choices))

    @staticmethod
    def _task(element: Element) -> Way | None:
        work = element.human
        if work is None or not work.is_plain or element.separate_from:
            return None
        if work.assignee is None:
            return Way(TASK, groups=work.groups, form=work.form)
        return Way(TASK, assignee=work.assignee.constant or "", form=work.form)

    @staticmethod
    def _job(element: Element) -> Way | None:
        job, priority = element.job, element.job_priority
        if job is None or not job.topic.constant or not isinstance(priority, int):
            return None
        return Way(JOB, topic=job.topic.constant, retries=job.retries, priority=priority)


def none_start(graph: Graph) -> int:
    """Index of the element at which a process begins that is started by its key, -1 when it is not said."""
    starts = graph.elements[0].starts
    for index in starts:
        if not (graph.elements[index].instantiates and graph.elements[index].triggers):
            return index
    # Asked for by key, a process begins where it can only begin.
    return starts[0] if len(starts) == 1 else -1
