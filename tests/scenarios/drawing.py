"""From a few readable lines to a BPMN file, so that a scenario shows its model at a glance.

A node is a line ``localName id key=value …``; what belongs into a sub-process is indented below it. A line with an
arrow draws flows: ``a -> b``, ``a -[amount > 100]-> b``, ``a -default-> b``. Keys that BPMN knows become what BPMN
makes of them (``on`` attaches a boundary event; ``timer``, ``message``, ``error`` … make event definitions); every
other key is one of Noria's attributes. ``raw`` is XML as it stands, and ``beside`` XML beside the process. The text
goes through the real reader; nothing is built behind its back.
"""

from __future__ import annotations

import re
import shlex
from xml.sax.saxutils import escape, quoteattr

_ARROW = re.compile(r"\s-(?:\[(?P<condition>.*?)\]-|(?P<default>default)-)?>\s")
_PLAIN = {
    "name": "name",
    "on": "attachedToRef",
    "cancel": "cancelActivity",
    "interrupting": "isInterrupting",
    "called": "calledElement",
    "direction": "gatewayDirection",
    **{key: key for key in ("parallelMultiple", "startQuantity", "completionQuantity", "isForCompensation")},
    **{key: key for key in ("instantiate", "eventGatewayType", "ordering", "cancelRemainingInstances")},
}
_TIMERS = {"timer": "timeDuration", "date": "timeDate", "cycle": "timeCycle"}
_ROOTS = {
    "message": ("message", "name", "messageRef"),
    "signal": ("signal", "name", "signalRef"),
    "error": ("error", "errorCode", "errorRef"),
    "escalation": ("escalation", "escalationCode", "escalationRef"),
}
_BY_TASK = ("sendTask", "receiveTask")
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:noria="urn:noria:bpmn:1" '
    'targetNamespace="urn:test">\n'
)

_OF_CODES = {
    "codeVariable": "codeVariable",
    "messageVariable": "messageVariable",
    "saying": "message",
    "whenUncaught": "whenUncaught",
}
"""What stands at the definition of an error or escalation, by the word for it here."""


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


class _Drawing:
    def __init__(self) -> None:
        self.roots: dict[tuple[str, str], str] = {}
        self.defaults: dict[str, str] = {}
        self.flows = 0
        self.beside: list[str] = []

    def block(self, lines: list[str]) -> list[str]:
        """The XML of lines of one indentation and of everything indented below them."""
        out: list[str] = []
        depth = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        at = 0
        while at < len(lines):
            line = lines[at].strip()
            end = at + 1
            while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > depth:
                end += 1
            if _ARROW.search(line):
                out += self.flow(line)
            else:
                out += self.node(line, lines[at + 1 : end])
            at = end
        return out

    def flow(self, line: str) -> list[str]:
        parts = _ARROW.split(line)
        out = []
        for source, condition, default, target in zip(parts[::3], parts[1::3], parts[2::3], parts[3::3], strict=False):
            self.flows += 1
            name = f"flow_{self.flows}"
            if default:
                self.defaults[source.strip()] = name
            inside = (
                f'<conditionExpression xsi:type="tFormalExpression">{escape(condition)}</conditionExpression>'
                if condition
                else ""
            )
            out.append(
                f'<sequenceFlow id="{name}" sourceRef="{source.strip()}" targetRef="{target.strip()}">{inside}'
                "</sequenceFlow>"
            )
        return out

    def root(self, kind: str, value: str) -> str:
        tag = f"{kind}_{len(self.roots)}"
        return self.roots.setdefault((kind, value), tag)

    def node(self, line: str, below: list[str]) -> list[str]:
        words = shlex.split(line)
        local, name, *rest = words
        given = dict(word.split("=", 1) if "=" in word else (word, "") for word in rest)
        attributes = {"id": name}
        if local == "eventSubProcess":
            local, attributes["triggeredByEvent"] = "subProcess", "true"
        if local == "raw":
            return [line.removeprefix("raw ").strip()]
        if local == "beside":
            self.beside.append(line.removeprefix("beside ").strip())
            return []
        inside: list[str] = []
        mappings = [
            item for item in below if item.split()[0] in ("input", "output") and _depth(item) == _depth(below[0])
        ]
        extensions = [self.mapping(item) for item in mappings]
        for key, value in given.items():
            if key in _PLAIN:
                attributes[_PLAIN[key]] = value
            elif key in _TIMERS:
                calendar = f" noria:calendar={quoteattr(given['calendar'])}" if "calendar" in given else ""
                inside.append(f"<timerEventDefinition{calendar}><{_TIMERS[key]}>{escape(value)}</{_TIMERS[key]}>")
                inside.append("</timerEventDefinition>")
            elif key in _ROOTS:
                kind, _, reference = _ROOTS[key]
                root = f' {reference}="{self.root(key, value)}"' if value else ""
                if local in _BY_TASK:
                    attributes[reference] = self.root(key, value)
                else:
                    inside.append(f"<{kind}EventDefinition{root}{self.variables(given)}/>")
            elif key == "link":
                inside.append(f'<linkEventDefinition name="{value}"/>')
            elif key == "terminate":
                inside.append("<terminateEventDefinition/>")
            elif key == "script":
                attributes["scriptFormat"] = "feel"
                inside.append(f"<script>{escape(value)}</script>")
            elif not (key in _OF_CODES and given.keys() & {"error", "escalation"}) and not (
                key == "calendar" and given.keys() & _TIMERS.keys()
            ):
                attributes[f"noria:{key}"] = value
        if extensions:
            inside.insert(0, f"<extensionElements>{''.join(extensions)}</extensionElements>")
        inner = [item for item in below if item not in mappings]
        inside += self.block(inner) if inner else []
        return [("<", local, attributes, inside)]  # type: ignore[list-item]

    @staticmethod
    def variables(given: dict[str, str]) -> str:
        return "".join(f" noria:{_OF_CODES[key]}={quoteattr(given[key])}" for key in _OF_CODES if key in given)

    @staticmethod
    def mapping(line: str) -> str:
        kind, target, source = shlex.split(line)
        return f"<noria:{kind} target={quoteattr(target)} source={quoteattr(source)}/>"

    def written(self, item: object) -> str:
        """The XML text of a node; only now every default flow is known."""
        if isinstance(item, str):
            return item
        _, local, attributes, inside = item  # type: ignore[misc]
        if attributes["id"] in self.defaults:
            attributes["default"] = self.defaults[attributes["id"]]
        written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        return f"<{local}{written}>{''.join(self.written(child) for child in inside)}</{local}>\n"


def draw(lines: list[str], key: str = "model", **process: str) -> bytes:
    """A BPMN file with one process.

    Args:
        lines: the drawing, see above.
        key: id of the process.
        process: Noria's attributes of the process.
    """
    drawing = _Drawing()
    body = "".join(drawing.written(item) for item in drawing.block([line for line in lines if line.strip()]))
    roots = "".join(
        f'<{kind} id="{tag}" {_ROOTS[kind][1]}={quoteattr(value)}/>\n' for (kind, value), tag in drawing.roots.items()
    )
    attributes = "".join(f" noria:{name}={quoteattr(value)}" for name, value in process.items())
    process_tag = f'<process id="{key}" isExecutable="true"{attributes}>'
    roots += "".join(f"{text}\n" for text in drawing.beside)
    return f"{HEAD}{roots}{process_tag}\n{body}</process>\n</definitions>\n".encode()
