"""Importing a file: every element through the rules of its concern, then a look at what is left."""

from __future__ import annotations

import json
from collections.abc import Callable

from noria.design.bpmn.names import BPMN, bpmn
from noria.design.bpmn.source import FLOW_NODES
from noria.design.importing import (
    data,
    events,
    expressions,
    forms,
    jobs,
    lifecycle,
    loops,
    people,
    skipping,
    spiff,
    splitting,
    structure,
    unreached,
    zeebe,
)
from noria.design.importing.report import Imported, report_line
from noria.design.importing.working import Work
from noria.design.xml import Node, XmlRefusedError, read_xml, write_xml

Rule = Callable[[Work, Node], None]


_SERVICE: tuple[Rule, ...] = (jobs.service,)
_RULES: dict[str, tuple[Rule, ...]] = {
    "definitions": (structure.definitions,),
    "process": (
        structure.process,
        people.process,
        lifecycle.process,
        spiff.element,
        zeebe.element,
        jobs.listeners,
        jobs.properties,
    ),
    "collaboration": (zeebe.element, jobs.properties),
    "participant": (zeebe.element, jobs.properties),
    "lane": (zeebe.element, jobs.properties),
    "startEvent": (people.start_event, forms.forms, events.variable_listener, zeebe.start_event),
    "boundaryEvent": (events.variable_listener, events.escalation_boundary, events.interrupting_boundary),
    "intermediateCatchEvent": (events.variable_listener,),
    "endEvent": (*_SERVICE, events.uncaught),
    "intermediateThrowEvent": _SERVICE,
    "userTask": (people.user_task, forms.forms),
    "serviceTask": _SERVICE,
    "sendTask": _SERVICE,
    "businessRuleTask": _SERVICE,
    "scriptTask": (expressions.script_task,),
    "callActivity": (data.call_activity, events.uncaught),
    "dataObject": (data.data_object,),
    "sequenceFlow": (jobs.listeners, zeebe.element, jobs.properties),
    "multiInstanceLoopCharacteristics": (loops.multi_instance, zeebe.element),
    "errorEventDefinition": (events.error,),
    "escalationEventDefinition": (events.error,),
    "error": (events.error_definition, zeebe.code, zeebe.element),
    "escalation": (zeebe.code, zeebe.element),
    "conditionalEventDefinition": (events.conditional, zeebe.element, zeebe.conditional),
    "adHocSubProcess": (zeebe.ad_hoc_sub_process,),
    "signalEventDefinition": (events.signal,),
    "messageEventDefinition": (events.signal,),
    "terminateEventDefinition": (events.terminate,),
    "timerEventDefinition": (events.timer,),
    "message": (events.named, zeebe.named, zeebe.element),
    "signal": (events.named, zeebe.named, zeebe.element),
    "conditionExpression": (spiff.condition, expressions.expression, zeebe.expression),
    "completionCondition": (expressions.expression, zeebe.expression),
    "loopCardinality": (expressions.expression,),
    "loopCondition": (expressions.expression,),
    "activationCondition": (expressions.expression,),
    "condition": (expressions.expression, zeebe.expression),
    **dict.fromkeys(("timeDate", "timeDuration", "timeCycle"), (zeebe.expression,)),
}
"""Rules by element, in order; flow nodes have those of `_BEFORE` and `_AFTER` around them."""
_BEFORE: tuple[Rule, ...] = (spiff.element, zeebe.element)
_AFTER: tuple[Rule, ...] = (events.payload, data.parameters_of, jobs.properties, jobs.save_points, jobs.listeners)
_ACTIVITIES = (
    *("task", "manualTask", "scriptTask", "serviceTask", "businessRuleTask", "sendTask"),
    *("callActivity", "transaction", "adHocSubProcess"),
)
_EVENTS_IN_THE_FLOW = ("boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent")
_LATER: dict[str, tuple[Rule, ...]] = {
    "sequenceFlow": (skipping.flow, structure.immediate),
    "exclusiveGateway": (structure.exclusive_gateway,),
    "parallelGateway": (structure.without_conditions,),
    "eventBasedGateway": (structure.without_conditions, structure.event_gateway),
    "startEvent": (structure.event_conditions, structure.dead_end),
    **dict.fromkeys(_EVENTS_IN_THE_FLOW, (structure.only_condition, structure.event_conditions, structure.dead_end)),
    **dict.fromkeys(_ACTIVITIES, (structure.only_condition,)),
    "subProcess": (structure.only_condition, structure.event_sub_process_host),
    "errorEventDefinition": (structure.references, structure.any_code),
    "escalationEventDefinition": (structure.references, structure.any_code),
    "messageEventDefinition": (structure.references, structure.message),
    "signalEventDefinition": (structure.references, structure.message),
    "receiveTask": (structure.only_condition, structure.references, structure.message),
    "userTask": (structure.only_condition, people.nobody),
}
"""Rules that look at what the first round has written."""


def import_bpmn(content: bytes, file: str) -> Imported:
    """Turn a BPMN file of another vendor into one of Noria's.

    Args:
        content: the XML.
        file: its name, for the report.

    Returns:
        The clean file with a line for everything that was said in a vendor's words. It is never refused for what it
        says: what has no counterpart is left out and reported.
    """
    try:
        document = read_xml(content)
    except XmlRefusedError as error:
        line = report_line("import.unreadable", file, error.line, "", "", {"reason": error.message})
        return Imported(None, (line,), {})
    root = document.root
    if root.tag != bpmn("definitions"):
        line = report_line("import.not_bpmn", file, root.line, "", "", {"reason": root.local})
        return Imported(None, (line,), {})
    work = Work(document, file)
    _apply(work)
    lines = tuple(sorted(work.lines, key=lambda line: line.line))
    made = {
        f"{name}.form": json.dumps(schema, ensure_ascii=False, indent=2).encode() for name, schema in work.forms.items()
    }
    return Imported(write_xml(document), lines, made)


def _apply(work: Work) -> None:
    nodes = [node for node in work.document.root.descendants() if node.namespace == BPMN]
    for node in nodes:
        structure.give_ids(work, node)
    for flow in structure.list_at_both_ends(work):
        work.say(flow, "import.listed")
    for node in nodes:
        if node.local in ("process", "subProcess", "transaction") and structure.is_run(node):
            unreached.leave_out(work, node)
    nodes = [node for node in work.document.root.descendants() if node.namespace == BPMN]
    for node in nodes:
        local = node.local
        flow_node = local in FLOW_NODES
        for rule in (*(_BEFORE if flow_node else ()), *_RULES.get(local, ()), *(_AFTER if flow_node else ())):
            rule(work, node)
    for node in nodes:
        if structure.is_run(node):
            for rule in _LATER.get(node.local, ()):
                rule(work, node)
        if node.local in FLOW_NODES:
            skipping.activity(work, node)
    for node in work.document.root.descendants():
        if node.namespace == BPMN:
            expressions.left_over(work, node)
            data.reserved(work, node)
    for node in nodes:
        if node.local == "subProcess":
            splitting.event_sub_process(work, node)
    structure.list_at_both_ends(work)
    work.clean()
