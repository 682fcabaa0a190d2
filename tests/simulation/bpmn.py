"""Writes a model as BPMN 2.0 XML, which then takes the same way as a file that somebody drew."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.models import (
    Block,
    Boundary,
    Call,
    Catch,
    EventGateway,
    EventSubProcess,
    Gateway,
    Model,
    Process,
    ScriptTask,
    Sequence,
    ServiceTask,
    Stop,
    SubProcess,
    Throw,
    Trigger,
    UserTask,
)

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="urn:noria:bpmn:1" '
    'id="simulated" targetNamespace="urn:noria:simulated">\n'
)


def to_bpmn(model: Model) -> bytes:
    """The whole model as one file."""
    writer = _Writer()
    for process in model.processes:
        writer.process(process)
    roots = [f'<message id="{name}" name="{name}"/>' for name in sorted(writer.messages)]
    roots += [f'<signal id="{name}" name="{name}"/>' for name in sorted(writer.signals)]
    roots += [f'<error id="{code}" errorCode="{code}"/>' for code in sorted(writer.errors)]
    return (_HEAD + "\n".join([*roots, *writer.lines]) + "\n</definitions>\n").encode()


class _Writer:
    """Each method writes a block, its incoming flow from `before`, and gives the element that comes last.

    "" stands for a way that does not go on.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.messages: set[str] = set()
        self.signals: set[str] = set()
        self.errors: set[str] = set()
        self._flows = 0
        # Of the next flow to be written: every block begins with the flow that leads to it.
        self._condition = ""

    def process(self, process: Process) -> None:
        self.lines.append(f'<process id="{process.key}" isExecutable="true">')
        self._scope(process.key, process.body, process.handlers)
        self.lines.append("</process>")

    def _scope(self, key: str, body: Block, handlers: Iterable[EventSubProcess]) -> None:
        self.lines.append(f'<startEvent id="{key}_start"/>')
        self._end(self.block(body, f"{key}_start"), f"{key}_end")
        for handler in handlers:
            self.lines.append(f'<subProcess id="{handler.id}" triggeredByEvent="true">')
            interrupting = str(handler.interrupting).lower()
            self.lines.append(
                f'<startEvent id="{handler.id}_start" isInterrupting="{interrupting}">'
                f"{self._definition(handler.trigger)}</startEvent>"
            )
            self._end(self.block(handler.body, f"{handler.id}_start"), f"{handler.id}_end")
            self.lines.append("</subProcess>")

    def _end(self, before: str, key: str) -> None:
        if before:
            self.lines.append(f'<endEvent id="{key}"/>')
            self._flow(before, key)

    def _flow(self, source: str, target: str) -> None:
        self._flows += 1
        condition, self._condition = self._condition, ""
        inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        self.lines.append(
            f'<sequenceFlow id="flow{self._flows}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
        )

    def _definition(self, trigger: Trigger) -> str:
        if trigger.kind == "timer":
            if trigger.times > 1:
                given = f"<timeCycle>R{trigger.times}/{trigger.value}</timeCycle>"
            else:
                given = f"<timeDuration>{trigger.value}</timeDuration>"
            return f"<timerEventDefinition>{given}</timerEventDefinition>"
        if trigger.kind == "message":
            self.messages.add(trigger.value)
            return f'<messageEventDefinition messageRef="{trigger.value}"/>'
        if trigger.kind == "signal":
            self.signals.add(trigger.value)
            return f'<signalEventDefinition signalRef="{trigger.value}"/>'
        if not trigger.value:
            return "<errorEventDefinition/>"
        self.errors.add(trigger.value)
        return f'<errorEventDefinition errorRef="{trigger.value}"/>'

    # Blocks

    def block(self, block: Block, before: str) -> str:
        if isinstance(block, Sequence):
            for inner in block.blocks:
                before = self.block(inner, before)
            return before
        if isinstance(block, Gateway):
            return self._gateway(block, before)
        if isinstance(block, EventGateway):
            return self._event_gateway(block, before)
        if isinstance(block, Stop):
            return self._stop(block, before)
        self._flow(before, block.id)
        if isinstance(block, ScriptTask):
            self.lines.append(
                f'<scriptTask id="{block.id}" scriptFormat="feel" noria:resultVariable="{block.sets}">'
                f"<script>modulo(request + {block.add}, 3)</script></scriptTask>"
            )
            return block.id
        if isinstance(block, Throw):
            self.messages.add(block.name)
            self.lines.append(
                f'<intermediateThrowEvent id="{block.id}"><messageEventDefinition messageRef="{block.name}"/>'
                "</intermediateThrowEvent>"
            )
            return block.id
        if isinstance(block, UserTask):
            who = 'noria:candidateGroups="clerks"' if block.group else 'noria:assignee="ann"'
            limit = f' noria:dueIn="{block.limit}"' if block.limit else ""
            self.lines.append(f'<userTask id="{block.id}" {who}{limit}/>')
        elif isinstance(block, ServiceTask):
            self.lines.append(
                f'<serviceTask id="{block.id}" noria:topic="work" noria:retries="2" noria:retryWait="PT10S"/>'
            )
        elif isinstance(block, Catch):
            self._catch(block)
        elif isinstance(block, SubProcess):
            self.lines.append(f'<subProcess id="{block.id}">')
            self._scope(block.id, block.body, block.handlers)
            self.lines.append("</subProcess>")
        elif isinstance(block, Call):
            self.lines.append(f'<callActivity id="{block.id}" calledElement="{block.process}"/>')
        return self._boundaries(block.id, block.boundaries)

    def _catch(self, block: Catch) -> None:
        if block.activity:
            self.messages.add(block.trigger.value)
            self.lines.append(f'<receiveTask id="{block.id}" messageRef="{block.trigger.value}"/>')
        else:
            self.lines.append(
                f'<intermediateCatchEvent id="{block.id}">{self._definition(block.trigger)}</intermediateCatchEvent>'
            )

    def _boundaries(self, host: str, boundaries: Iterable[Boundary]) -> str:
        last = host
        for boundary in boundaries:
            cancels = str(boundary.interrupting).lower()
            self.lines.append(
                f'<boundaryEvent id="{boundary.id}" attachedToRef="{host}" cancelActivity="{cancels}">'
                f"{self._definition(boundary.trigger)}</boundaryEvent>"
            )
            end = self.block(boundary.then, boundary.id)
            if not boundary.interrupting:
                self._end(end, f"{boundary.id}_end")
                continue
            if last == host:
                last = f"{host}_join"
                self.lines.append(f'<exclusiveGateway id="{last}"/>')
                self._flow(host, last)
            self._flow(end, last)
        return last

    def _gateway(self, block: Gateway, before: str) -> str:
        self._flow(before, block.id)
        join = f"{block.id}_join"
        ends = []
        default = ""
        last = len(block.branches) - 1
        for index, branch in enumerate(block.branches):
            if block.kind != "parallel" and index == last:
                default = f' default="flow{self._flows + 1}"'
            elif block.kind == "exclusive":
                self._condition = f"{block.variable} = {index}"
            elif block.kind == "inclusive":
                self._condition = f"modulo(floor({block.variable} / {1 << index}), 2) = 1"
            ends.append(self.block(branch, block.id))
        self.lines.append(f'<{block.kind}Gateway id="{block.id}"{default}/>')
        return self._join(f"{block.kind}Gateway", join, ends)

    def _join(self, kind: str, join: str, ends: list[str]) -> str:
        if not any(ends):
            return ""
        self.lines.append(f'<{kind} id="{join}"/>')
        for end in ends:
            if end:
                self._flow(end, join)
        return join

    def _event_gateway(self, block: EventGateway, before: str) -> str:
        self._flow(before, block.id)
        self.lines.append(f'<eventBasedGateway id="{block.id}"/>')
        ends = []
        for arm, then in block.arms:
            self._flow(block.id, arm.id)
            self._catch(arm)
            ends.append(self.block(then, arm.id))
        return self._join("exclusiveGateway", f"{block.id}_join", ends)

    def _stop(self, block: Stop, before: str) -> str:
        task = self.block(block.task, before)
        self._flow(task, block.id)
        if block.code == "terminate":
            definition = "<terminateEventDefinition/>"
        else:
            definition = self._definition(Trigger("error", block.code))
        self.lines.append(f'<endEvent id="{block.id}">{definition}</endEvent>')
        return ""
