"""Random graphs without any structure: what people draw, with splits that never join and joins that never fill."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.choosing import Chooser

_KINDS = (
    *("userTask",) * 6,
    "manualTask",
    "exclusiveGateway",
    "exclusiveGateway",
    "parallelGateway",
    "parallelGateway",
    "inclusiveGateway",
    "inclusiveGateway",
    "complexGateway",
    "subProcess",
    "endEvent",
)
_FORKS = ("exclusiveGateway", "inclusiveGateway", "complexGateway")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="urn:noria:bpmn:1" '
    'id="drawn" targetNamespace="urn:noria:drawn">\n'
)


@dataclass
class _Node:
    id: str
    kind: str
    targets: list[str] = field(default_factory=list)
    needs: int = 1
    inside: list[str] = field(default_factory=list)
    boundary: str = ""
    interrupting: bool = True
    terminates: bool = False


def drawn(choose: Chooser) -> bytes:
    """A process as BPMN 2.0 XML: any gateways, flows forward and back, several ends, sub-processes, timers."""
    lines = _Drawing(choose).scope("p", 4 + choose.below(9), deep=False)
    return (
        _HEAD + '<process id="p" isExecutable="true">\n' + "\n".join(lines) + "\n</process>\n</definitions>\n"
    ).encode()


class _Drawing:
    def __init__(self, choose: Chooser) -> None:
        self.choose = choose
        self.flows = 0

    def scope(self, key: str, size: int, *, deep: bool) -> list[str]:
        """The lines of a process or sub-process with so many nodes beside its start and its last end."""
        choose = self.choose
        nodes = [self.node(f"{key}_{number}", deep=deep) for number in range(size)]
        last = _Node(f"{key}_last", "endEvent")
        start = _Node(f"{key}_start", "startEvent", [nodes[0].id])
        # Every node is reached from one before it; what cannot go on goes to the end.
        for place, node in enumerate(nodes[1:], start=1):
            before = [earlier for earlier in nodes[:place] if earlier.kind != "endEvent"]
            (choose.one_of(before) if before else start).targets.append(node.id)
        goals = [*nodes, last]
        for node in nodes:
            if node.kind == "endEvent":
                continue
            for _ in range(choose.below(3) if "Gateway" in node.kind else int(choose.chance(15))):
                goal = choose.one_of(goals)
                if goal.id not in node.targets:
                    node.targets.append(goal.id)
            if not node.targets:
                node.targets.append(last.id)
        lines: list[str] = []
        for node in (start, *nodes, last):
            lines += self.lines(node, [goal.id for goal in goals])
        return lines

    def node(self, key: str, *, deep: bool) -> _Node:
        kind = self.choose.one_of(_KINDS)
        if deep and kind == "subProcess":
            kind = "userTask"
        node = _Node(key, kind)
        if kind == "subProcess":
            node.inside = self.scope(key, 2 + self.choose.below(4), deep=True)
        if kind in ("userTask", "subProcess") and self.choose.chance(20):
            node.boundary = f"{key}_late"
            node.interrupting = self.choose.chance(50)
        node.needs = 1 + self.choose.below(2)
        node.terminates = kind == "endEvent" and self.choose.chance(20)
        return node

    def lines(self, node: _Node, goals: list[str]) -> list[str]:
        attributes, inner = "", "".join(node.inside)
        flows = [f"flow{self.flows + position + 1}" for position in range(len(node.targets))]
        self.flows += len(flows)
        conditions = [""] * len(flows)
        if node.kind in _FORKS and len(flows) > 1:
            attributes += f' default="{flows[-1]}"'
            for position in range(len(flows) - 1):
                bit = f"modulo(floor(x / {1 << position}), 2) = 1"
                conditions[position] = f"x = {position}" if node.kind == "exclusiveGateway" else bit
        if node.kind == "userTask":
            attributes += ' noria:assignee="ann"'
        if node.kind == "complexGateway":
            inner += f"<activationCondition>activationCount &gt;= {node.needs}</activationCondition>"
        if node.terminates:
            inner += "<terminateEventDefinition/>"
        lines = [f'<{node.kind} id="{node.id}"{attributes}>{inner}</{node.kind}>']
        for flow, goal, condition in zip(flows, node.targets, conditions, strict=True):
            lines.append(_flow(flow, node.id, goal, condition))
        if node.boundary:
            cancels = str(node.interrupting).lower()
            timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
            lines.append(
                f'<boundaryEvent id="{node.boundary}" attachedToRef="{node.id}" cancelActivity="{cancels}">{timer}'
                "</boundaryEvent>"
            )
            self.flows += 1
            lines.append(_flow(f"flow{self.flows}", node.boundary, self.choose.one_of(goals)))
        return lines


def _flow(key: str, source: str, goal: str, condition: str = "") -> str:
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{key}" sourceRef="{source}" targetRef="{goal}">{inner}</sequenceFlow>'
