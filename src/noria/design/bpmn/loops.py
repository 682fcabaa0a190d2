"""Loop characteristics and ad-hoc choices of an activity, compiled."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from noria.design.bpmn.data import Data
from noria.design.bpmn.expressions import Expressions
from noria.design.bpmn.graph import AdHoc, Loop, LoopKind, Trigger, TriggerKind
from noria.design.bpmn.names import bpmn, noria
from noria.design.bpmn.source import BpmnFile, Findings, child_text, flow_nodes, referred
from noria.design.feel import Expression
from noria.design.feel.expression import parse_expression
from noria.design.feel.nodes import Literal, Negation
from noria.design.xml import Node

ReadTrigger = Callable[[Node, Node], Trigger | None]


_THROWN = (
    TriggerKind.MESSAGE,
    TriggerKind.SIGNAL,
    TriggerKind.ESCALATION,
    TriggerKind.ERROR,
    TriggerKind.COMPENSATION,
)
"""What an instance of a loop may throw, for a boundary event to catch it."""


def _is_whole(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value == int(value)


class Loops:
    """Compiles the markers of activities.

    Attributes:
        trigger: reads one event definition: (element, definition) → trigger.
    """

    def __init__(
        self, read: BpmnFile, findings: Findings, expressions: Expressions, data: Data, trigger: ReadTrigger
    ) -> None:
        self.read = read
        self.findings = findings
        self.expressions = expressions
        self.data = data
        self.trigger = trigger

    def loop(self, node: Node) -> Loop | None:
        """The loop of an activity, None when it runs once."""
        standard = node.first(bpmn("standardLoopCharacteristics"))
        instances = node.first(bpmn("multiInstanceLoopCharacteristics"))
        if standard is not None and instances is not None:
            self.findings.error("bpmn.loop", "An activity has one kind of loop, not two.", node)
        if standard is not None:
            return self._standard(node, standard)
        return self._instances(node, instances) if instances is not None else None

    def _condition(self, holder: Node, local: str) -> Expression | None:
        child = holder.first(bpmn(local))
        if child is None or not child.text.strip():
            return None
        return self.expressions.condition(child.text, holder, child.get("language"))

    def _standard(self, node: Node, marker: Node) -> Loop:
        condition = self._condition(marker, "loopCondition")
        written = marker.get("loopMaximum") or child_text(marker, "loopMaximum")
        maximum = self._count(self.expressions.feel(written, marker), "loopMaximum", marker) if written else None
        if condition is None and maximum is None:
            message = "The loop would never end: give a loopCondition or a loopMaximum."
            self.findings.error("bpmn.loop", message, node)
        before = marker.get("testBefore") in ("true", "1")
        loop = Loop(LoopKind.STANDARD, condition, before, maximum)
        self._save_points(marker, loop)
        return loop

    @staticmethod
    def _save_points(marker: Node, loop: Loop) -> None:
        loop.save_before = marker.get(noria("saveBefore")) == "true"
        loop.save_after = marker.get(noria("saveAfter")) == "true"

    def _instances(self, node: Node, marker: Node) -> Loop:
        sequential = marker.get("isSequential") in ("true", "1")
        loop = Loop(
            LoopKind.SEQUENTIAL if sequential else LoopKind.PARALLEL,
            condition=self._condition(marker, "completionCondition"),
            cardinality=self._cardinality(marker),
            collection=self.expressions.optional(marker, "collection"),
            item=marker.get(noria("item")) or self._item(marker, "inputDataItem"),
            output_collection=marker.get(noria("outputCollection")),
            output_item=self.expressions.optional(marker, "outputItem"),
        )
        if loop.collection is None:
            loop.collection = self._collected(node, marker, "loopDataInputRef")
        if not loop.output_collection and child_text(marker, "loopDataOutputRef"):
            loop.output_collection = self.data.collection(node, child_text(marker, "loopDataOutputRef"))
        item = self._item(marker, "outputDataItem")
        if loop.output_item is None and item:
            loop.output_item = self.expressions.variable(item, marker)
        if loop.cardinality is None and loop.collection is None:
            message = "Nothing says how many instances there are: give loopCardinality or a collection."
            self.findings.error("bpmn.loop", message, node)
        if loop.cardinality is not None and child_text(marker, "loopDataInputRef"):
            message = "Either loopCardinality or loopDataInputRef says how many instances there are, not both."
            self.findings.error("bpmn.loop", message, node)
        for item, whole in (("inputDataItem", "loopDataInputRef"), ("outputDataItem", "loopDataOutputRef")):
            if marker.first(bpmn(item)) is not None and not child_text(marker, whole) and not loop.collection:
                self.findings.error("bpmn.loop", f"The {item} is of no collection: give {whole}.", node)
        if bool(loop.output_collection) is (loop.output_item is None):
            message = "An output collection and an output item are given together, or neither."
            self.findings.error("bpmn.loop", message, node)
        self._save_points(marker, loop)
        self._behavior(node, marker, loop)
        return loop

    def _cardinality(self, marker: Node) -> Expression | None:
        child = marker.first(bpmn("loopCardinality"))
        if child is None or not child.text.strip():
            return None
        return self._count(self.expressions.feel(child.text, marker, child.get("language")), "loopCardinality", marker)

    def _count(self, expression: Expression, name: str, marker: Node) -> Expression:
        """BPMN 2.0.2, 10.3.8: how often is a whole number. A constant that is none is refused."""
        tree = parse_expression(expression.source)
        if isinstance(tree, Negation):
            tree = tree.operand
            self.findings.error("bpmn.loop", f"The {name} {expression.source} is below nought.", marker)
        # What is no FEEL at all has been reported, and is null.
        if isinstance(tree, Literal) and tree.value is not None and not _is_whole(tree.value):
            message = f"The {name} is a whole number, not {expression.source[:80]}."
            self.findings.error("bpmn.loop", message, marker)
        return expression

    def _item(self, marker: Node, local: str) -> str:
        item = marker.first(bpmn(local))
        return (item.get("name") or item.get("id")) if item is not None else ""

    def _collected(self, node: Node, marker: Node, local: str) -> Expression | None:
        reference = child_text(marker, local)
        if not reference:
            return None
        name = self.data.collection(node, reference)
        if not name:
            self.findings.error("bpmn.unresolved", f"{local} names {reference!r}, which is no data element.", node)
            return None
        return self.expressions.variable(name, marker)

    def _behavior(self, node: Node, marker: Node, loop: Loop) -> None:
        behavior = marker.get("behavior") or "All"
        # They are looked at with every behavior, though only one throws them.
        events = tuple(
            (condition, event)
            for definition in marker.elements(bpmn("complexBehaviorDefinition"))
            if (condition := self._condition(definition, "condition")) is not None
            and (event := self._implicit_event(node, definition)) is not None
        )
        one, none = (
            self._event(node, marker.get(name)) if behavior == wanted or marker.get(name) else None
            for name, wanted in (("oneBehaviorEventRef", "One"), ("noneBehaviorEventRef", "None"))
        )
        if behavior == "One":
            loop.first_event = one
        elif behavior == "None":
            loop.each_event = none
        elif behavior == "Complex":
            loop.events = events
            if marker.first(bpmn("complexBehaviorDefinition")) is None:
                message = "The behavior Complex throws events: give complexBehaviorDefinition."
                self.findings.error("bpmn.loop", message, node)

    def _event(self, node: Node, reference: str) -> Trigger | None:
        """The event that an instance throws; None when none is named, which is reported."""
        if not reference:
            self.findings.error("bpmn.loop", "The behavior of the loop throws an event, and none is named.", node)
            return None
        definition = referred(self.read, reference)
        if definition is None or not definition.local.endswith("EventDefinition"):
            self.findings.error("bpmn.unresolved", f"{reference!r} is no event definition.", node)
            return None
        return self._thrown(node, definition)

    def _thrown(self, node: Node, definition: Node) -> Trigger | None:
        trigger = self.trigger(node, definition)
        if trigger is not None and trigger.kind not in _THROWN:
            message = f"The instances of a loop cannot throw a {trigger.kind.name.lower()} event."
            self.findings.error("bpmn.loop", message, node)
        return trigger

    def _implicit_event(self, node: Node, definition: Node) -> Trigger | None:
        event = definition.first(bpmn("event"))
        if event is None:
            return None
        reference = event.first(bpmn("eventDefinitionRef"))
        if reference is not None:
            return self._event(node, reference.text.strip())
        held = next((child for child in event.elements() if child.local.endswith("EventDefinition")), None)
        return self._thrown(node, held) if held is not None else None

    def ad_hoc(self, node: Node) -> AdHoc:
        """How the activities of an ad-hoc sub-process are chosen."""
        if any(child.local in ("startEvent", "endEvent") for child in flow_nodes(node)):
            message = "An ad-hoc sub-process has no start and end events: its activities are chosen."
            self.findings.error("bpmn.ad_hoc", message, node)
        ordering = node.get("ordering") or "Parallel"
        return AdHoc(
            ordering == "Sequential",
            self._condition(node, "completionCondition"),
            node.get("cancelRemainingInstances", "true") not in ("false", "0"),
            self.expressions.optional(node, "activities"),
        )
