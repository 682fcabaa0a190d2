"""The three processes of the measurements, one source for every engine.

A peer names conditions, people and workers in its own dialect; everything else is the same text. The element counts are
those of flow elements that complete (start, tasks, gateways, end), as every engine must report them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:noria="urn:noria:bpmn:1" targetNamespace="urn:bench">'
)


class Workload(NamedTuple):
    """One process: its id, how many elements complete, and how many commands of a client drive it to its end."""

    name: str
    elements: int
    commands: int


APPROVAL = Workload("approval", 6, 4)
LINE = Workload("line", 12, 1)
FORKJOIN = Workload("forkjoin", 8, 2)
WORKLOADS = (APPROVAL, LINE, FORKJOIN)
VARIABLES: dict[str, object] = {"amount": 5000}


def bpmn(workload: Workload, *, for_noria: bool) -> bytes:
    """The BPMN file of a workload.

    Args:
        workload: which.
        for_noria: with Noria's extension attributes; without them as plain BPMN.
    """
    body = {"approval": _approval, "line": _line, "forkjoin": _forkjoin}[workload.name](for_noria)
    return f'{_HEAD}<process id="{workload.name}" isExecutable="true">{body}</process></definitions>'.encode()


def _user(name: str, for_noria: bool) -> str:
    return f'<userTask id="{name}"{" noria:assignee=" + chr(34) + "li" + chr(34) if for_noria else ""}/>'


def _flows(*pairs: str) -> str:
    parts = []
    for number, pair in enumerate(pairs):
        source, target = pair.split(">")
        parts.append(f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>')
    return "".join(parts)


def _approval(for_noria: bool) -> str:
    condition = "amount &gt; 1000"
    return (
        '<startEvent id="start"/>'
        + _user("review", for_noria)
        + '<exclusiveGateway id="split" default="small"/>'
        + _user("approve", for_noria)
        + _user("book", for_noria)
        + '<endEvent id="end"/>'
        + _flows("start>review", "review>split", "approve>book", "book>end")
        + '<sequenceFlow id="large" sourceRef="split" targetRef="approve">'
        + f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression></sequenceFlow>'
        + '<sequenceFlow id="small" sourceRef="split" targetRef="book"/>'
    )


def _line(_for_noria: bool) -> str:
    names = [f"t{number}" for number in range(10)]
    chain = ["start", *names, "end"]
    return (
        '<startEvent id="start"/>'
        + "".join(f'<task id="{name}"/>' for name in names)
        + '<endEvent id="end"/>'
        + _flows(*(f"{a}>{b}" for a, b in pairwise(chain)))
    )


def _forkjoin(for_noria: bool) -> str:
    return (
        '<startEvent id="start"/><parallelGateway id="fork"/><task id="a"/><task id="b"/><task id="c"/>'
        + _user("work", for_noria)
        + '<boundaryEvent id="late" attachedToRef="work" cancelActivity="false"><timerEventDefinition>'
        + '<timeDuration xsi:type="tFormalExpression">'
        + ("PT1H" if for_noria else '"PT1H"')
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
