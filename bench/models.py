"""The three processes of the measurements, one source for every engine.

A peer names conditions, people and workers in its own dialect; everything else is the same text. The element counts are
those of flow elements that complete (start, tasks, gateways, end), as every engine must report them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple


class Dialect(NamedTuple):
    """How an engine writes what BPMN leaves to it.

    Attributes:
        namespaces: further ones of the root element.
        user: attributes of a user task.
        service: attributes of a service task.
        condition: of the approval's gateway.
        duration: of the timer.
    """

    namespaces: str = ""
    user: str = ""
    service: str = ""
    condition: str = "amount &gt; 1000"
    duration: str = '"PT1H"'


NORIA = Dialect(
    ' xmlns:noria="urn:noria:bpmn:1"', ' noria:assignee="li"', ' noria:topic="step"', "amount &gt; 1000", "PT1H"
)
PLAIN = Dialect()
CAMUNDA = Dialect(
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn"', ' camunda:assignee="li"', condition="${amount &gt; 1000}"
)
FLOWABLE = Dialect(
    ' xmlns:flowable="http://flowable.org/bpmn"', ' flowable:assignee="li"', condition="${amount &gt; 1000}"
)


class Workload(NamedTuple):
    """One process: its id, how many elements complete, and how many commands of a client drive it to its end."""

    name: str
    elements: int
    commands: int


APPROVAL = Workload("approval", 6, 4)
LINE = Workload("line", 12, 1)
FORKJOIN = Workload("forkjoin", 8, 2)
STEPS = Workload("steps", 12, 11)
"""The line with ten service tasks, each done by a worker outside of the engine."""
LOOP = Workload("loop", 0, 0)
"""A task that comes again and again."""
MULTI = Workload("multi", 0, 0)
"""A task for each of some items, all at once."""
PAUSE = Workload("pause", 3, 1)
"""A timer of a second."""
WORKLOADS = (APPROVAL, LINE, FORKJOIN)
VARIABLES: dict[str, object] = {"amount": 5000}


def bpmn(workload: Workload, dialect: Dialect) -> bytes:
    """The BPMN file of a workload, as an engine reads it."""
    body = _BODIES[workload.name](dialect)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{dialect.namespaces} targetNamespace="urn:bench">'
        f'<process id="{workload.name}" isExecutable="true">{body}</process></definitions>'
    ).encode()


def _user(name: str, dialect: Dialect) -> str:
    return f'<userTask id="{name}"{dialect.user}/>'


def _flows(*pairs: str) -> str:
    parts = []
    for number, pair in enumerate(pairs):
        source, target = pair.split(">")
        parts.append(f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>')
    return "".join(parts)


def _approval(dialect: Dialect) -> str:
    return (
        '<startEvent id="start"/>'
        + _user("review", dialect)
        + '<exclusiveGateway id="split" default="small"/>'
        + _user("approve", dialect)
        + _user("book", dialect)
        + '<endEvent id="end"/>'
        + _flows("start>review", "review>split", "approve>book", "book>end")
        + '<sequenceFlow id="large" sourceRef="split" targetRef="approve">'
        + f'<conditionExpression xsi:type="tFormalExpression">{dialect.condition}</conditionExpression></sequenceFlow>'
        + '<sequenceFlow id="small" sourceRef="split" targetRef="book"/>'
    )


def _chain(tasks: str) -> str:
    names = ["start", *(f"t{number}" for number in range(10)), "end"]
    return f'<startEvent id="start"/>{tasks}<endEvent id="end"/>' + _flows(*(f"{a}>{b}" for a, b in pairwise(names)))


def _line(_dialect: Dialect) -> str:
    return _chain("".join(f'<task id="t{number}"/>' for number in range(10)))


def _steps(dialect: Dialect) -> str:
    return _chain("".join(f'<serviceTask id="t{number}"{dialect.service}/>' for number in range(10)))


def _forkjoin(dialect: Dialect) -> str:
    return (
        '<startEvent id="start"/><parallelGateway id="fork"/><task id="a"/><task id="b"/><task id="c"/>'
        + _user("work", dialect)
        + '<boundaryEvent id="late" attachedToRef="work" cancelActivity="false"><timerEventDefinition>'
        + '<timeDuration xsi:type="tFormalExpression">'
        + dialect.duration
        + "</timeDuration></timerEventDefinition></boundaryEvent>"
        + '<task id="escalate"/><endEvent id="escalated"/><parallelGateway id="join"/><endEvent id="end"/>'
        + _flows(
            "start>fork",
            *(f"fork>{name}" for name in ("a", "b", "c", "work")),
            *(f"{name}>join" for name in ("a", "b", "c", "work")),
            "join>end",
            "late>escalate",
            "escalate>escalated",
        )
    )


def _loop(dialect: Dialect) -> str:
    again = '<startEvent id="start"/><exclusiveGateway id="again"/>'
    return again + _user("work", dialect) + _flows("start>again", "again>work", "work>again")


def _multi(dialect: Dialect) -> str:
    return (
        f'<startEvent id="start"/><userTask id="work"{dialect.user}>'
        '<multiInstanceLoopCharacteristics noria:collection="= items" noria:item="item"/></userTask>'
        '<endEvent id="end"/>' + _flows("start>work", "work>end")
    )


def _pause(_dialect: Dialect) -> str:
    return (
        '<startEvent id="start"/><intermediateCatchEvent id="pause"><timerEventDefinition>'
        '<timeDuration xsi:type="tFormalExpression">PT1S</timeDuration></timerEventDefinition></intermediateCatchEvent>'
        '<endEvent id="end"/>' + _flows("start>pause", "pause>end")
    )


_BODIES: dict[str, Callable[[Dialect], str]] = {
    "approval": _approval,
    "line": _line,
    "forkjoin": _forkjoin,
    "steps": _steps,
    "loop": _loop,
    "multi": _multi,
    "pause": _pause,
}
