"""Triggers: messages, signals, timers, errors, conditions, and how a process ends."""

from __future__ import annotations

import re

from noria.design.bpmn.names import bpmn
from noria.design.importing import data, people
from noria.design.importing.cron import from_quartz, from_spring
from noria.design.importing.said import quoted
from noria.design.importing.vendors import CAMUNDA, JUEL_VENDORS, OPERATON
from noria.design.importing.working import Found, Work
from noria.design.xml import Node
from noria.kernel.cycles import is_cron
from noria.kernel.instants import parse_duration

_EVERY = re.compile(r"R\d*/(P[^/]+)")
_UNTIL = re.compile(r"R(\d*)/(P[^/]+)(?:/(.+))?")
_BEATS = (
    '{{times: floor({due} / duration({interval})), cycle: if times < 1 then "R1/9999-12-01T00:00:00Z/{plain}" '
    'else "R" + string({count}) + "/{plain}"}}.cycle'
)
"""A cycle of as many beats from now on as fall before its end; one that is due in no time to come when none does."""
_CHANGES = {
    "create": "create",
    "update": "update",
    "create-update": "create,update",
    "update-create": "create,update",
    "all": "create,update",
    "": "create,update",
}


def error(work: Work, node: Node) -> None:
    """Variables of a caught error or escalation."""
    for names, target in (
        (("errorCodeVariable", "escalationCodeVariable", "errorVariableName"), "codeVariable"),
        (("errorMessageVariable",), "messageVariable"),
    ):
        found = work.take(node, *names)
        if found is not None:
            work.set(node, target, found.value)
            work.say(found, "import.caught_variable")
    work.report(node, "import.transient", "errorVariableTransient")
    work.report(node, "import.unsupported", "errorVariableLocalScope")


def escalation_boundary(work: Work, node: Node) -> None:
    """Camunda's escalation boundary event lets the activity go on unless it says that it does not."""
    camunda = work.vendors & {CAMUNDA, OPERATON}
    if camunda and not node.get("cancelActivity") and node.first(bpmn("escalationEventDefinition")) is not None:
        node.attributes["cancelActivity"] = "false"
        work.say(node, "import.escalation_goes_on")


_INTERRUPTING = ("errorEventDefinition", "compensateEventDefinition", "cancelEventDefinition")


def interrupting_boundary(work: Work, node: Node) -> None:
    """The vendors overlook ``cancelActivity="false"`` where an event always interrupts."""
    always = any(node.first(bpmn(local)) is not None for local in _INTERRUPTING)
    if always and node.get("cancelActivity") in ("false", "0"):
        del node.attributes["cancelActivity"]
        work.say(node, "import.always_interrupts")


def error_definition(work: Work, node: Node) -> None:
    """The message of an error, which here each event says that throws it."""
    found = work.take(node, "errorMessage")
    if found is None:
        return
    throwing = [
        definition
        for definition in work.document.root.descendants()
        if definition.tag == bpmn("errorEventDefinition")
        and definition.get("errorRef").rpartition(":")[2] == node.get("id")
        and definition.parent is not None
        and definition.parent.local == "endEvent"
    ]
    if not found.value:
        work.say(found, "import.empty")
        return
    value = work.value(found)
    if value is not None:
        for definition in throwing:
            work.set(definition, "message", value)
        work.say(found, "import.error_message")


def uncaught(work: Work, node: Node) -> None:
    """An error that nothing catches is a plain end to Camunda, that of a called process too."""
    holder = node.first(bpmn("errorEventDefinition")) if node.local == "endEvent" else node
    if holder is not None and work.vendors & {CAMUNDA, OPERATON}:
        work.set(holder, "whenUncaught", "goOn")
        work.say(node, "import.uncaught")


def conditional(work: Work, node: Node) -> None:
    """Which changes wake a conditional event, and that to Camunda each of them may be an occurrence."""
    event = node.parent
    goes_on = event is not None and "false" in (event.get("cancelActivity"), event.get("isInterrupting"))
    if goes_on and work.vendors & {CAMUNDA, OPERATON}:
        work.set(node, "everyChange", "true")
        work.say(node, "import.every_change")
    found = work.take(node, "variableName")
    if found is not None and found.value:
        work.set(node, "variables", found.value)
        work.say(found, "import.condition_variable")
    found = work.take(node, "variableEvents", "variableEvent")
    if found is not None:
        kinds = [part.strip() for part in found.value.split(",")]
        kept = [kind for kind in kinds if kind in ("create", "update")]
        if kept:
            work.set(node, "on", ",".join(kept))
        work.say(found, "import.condition_change" if len(kept) == len(kinds) else "import.condition_delete")


def variable_listener(work: Work, node: Node) -> None:
    """Flowable's variable listener event: a conditional event without a condition, so that every change counts."""
    for found in work.take_elements(node, "variableListenerEventDefinition"):
        name = _of(found.node, "variableName")
        change = _of(found.node, "variableChangeType")
        if change not in _CHANGES or not name:
            work.say(found, "import.unsupported")
            continue
        definition = work.append(node, work.new(node, "conditionalEventDefinition"))
        # BPMN's schema wants the element.
        work.append(definition, work.new(node, "condition"))
        work.set(definition, "variables", name)
        work.set(definition, "on", _CHANGES[change])
        work.say(found, "import.variable_listener", name=name)


def _of(node: Node, name: str) -> str:
    return node.get(name) or node.get(f"{{{node.namespace}}}{name}")


def signal(work: Work, node: Node) -> None:
    """A signal's or message's name as an expression, and the key that a message is found by."""
    if node.parent is not None:
        work.move(work.take(node, "correlationKey"), node.parent, "correlation", "import.correlation")
    for kind, name in (("signal", "signalExpression"), ("message", "messageExpression")):
        found = work.take(node, name)
        if found is None:
            continue
        value = work.value(found)
        if value is None:
            continue
        node.attributes[f"{kind}Ref"] = work.add_root(kind, f"{kind}_{_id(node)}", value)
        work.say(found, "import.name_expression")
    found = work.take(node, "async", "asyncBefore")
    if found is not None:
        work.say(found, "import.delivered_later")


def payload(work: Work, node: Node) -> None:
    """What a thrown signal or message carries, and under which names a caught one's variables are kept."""
    if not node.local.endswith("Event"):
        return
    throws = node.local in ("endEvent", "intermediateThrowEvent")
    definitions = [
        child for child in node.elements() if child.local in ("signalEventDefinition", "messageEventDefinition")
    ]
    carries = False
    for holder in (node, *definitions):
        for found in work.take_elements(holder, "in", "out"):
            if throws and found.node.get("businessKey"):
                key = found._replace(value=found.node.get("businessKey"))
                work.move(key, node, "correlation", "import.signal_key")
                continue
            carries = True
            if found.node.get("variables") == "all":
                work.say(found, "import.pass_all")
            else:
                data.pass_one(work, node, found, "input" if throws else "output")
    signals = any(child.local == "signalEventDefinition" for child in definitions)
    if throws and signals and work.vendors and not carries and not data.has(node, "input"):
        # An input limits what is thrown, and a reserved name is never thrown: the signal carries nothing.
        work.add(node, "input", source="= business_key", target="business_key")
        work.say(node, "import.carries_nothing")


def _id(node: Node) -> str:
    return node.parent.get("id") if node.parent is not None else ""


def named(work: Work, node: Node) -> None:
    """A message or signal whose name is an expression."""
    name = node.get("name")
    if "{" in name and not name.startswith("="):
        found = Found(node, f"bpmn:{node.local}", name)
        value = work.value(found)
        if value is not None and value != name:
            node.attributes["name"] = value
            work.say(found, "import.name_expression")
    scope = work.take(node, "scope")
    if scope is not None:
        within = scope.value == "processInstance"
        if within:
            work.set(node, "withinInstance", "true")
        elsewhere = "import.no_meaning" if scope.value == "global" else "import.signal_scope"
        work.say(scope, "import.signal_within" if within else elsewhere)


def terminate(work: Work, node: Node) -> None:
    """How much an end event ends."""
    found = work.take(node, "terminateAll")
    if found is not None:
        if found.is_true:
            work.set(node, "terminateAll", "true")
        work.say(found, "import.terminate_caller" if found.is_true else "import.terminate_all")
    found = work.take(node, "terminateMultiInstance")
    if found is not None:
        if found.is_true and _in_loop(node):
            work.set(node, "terminateLoop", "true")
            work.say(found, "import.terminate_all")
        else:
            work.say(found, "import.no_meaning")


def _in_loop(node: Node) -> bool:
    around = node.parent
    while around is not None:
        if around.first(bpmn("multiInstanceLoopCharacteristics")) is not None:
            return True
        around = around.parent
    return False


def timer(work: Work, node: Node) -> None:
    """Durations, dates and cycles, cron among them."""
    for retries in work.take_elements(node, "failedJobRetryTimeCycle"):
        work.say(retries, "import.no_meaning")
    people.calendar(work, node, work.take(node, "businessCalendarName"))
    for local in ("timeDate", "timeDuration", "timeCycle"):
        child = node.first(bpmn(local))
        if child is None:
            continue
        end = work.take(child, "endDate")
        text = child.text.strip()
        found = Found(child, f"bpmn:{local}", text)
        if local == "timeCycle" and _until(work, node, found, end):
            continue
        if "{" in text and not text.startswith("="):
            value = work.value(found)
            if value is not None:
                work.set_text(child, value)
                work.say(found, "import.timer_expression")
        elif local == "timeCycle":
            _cycle(work, found)
            _once(work, node, found)
        elif local == "timeDate" and _is_duration(text):
            # The vendors read a duration here as well.
            child.local = "timeDuration"


def _until(work: Work, node: Node, found: Found, end: Found | None) -> bool:
    """A cycle that ends at an instant is counted from now on by the vendors, in ISO 8601 back from its end."""
    cycle = _UNTIL.fullmatch(found.value)
    if not work.vendors & JUEL_VENDORS or (end is None and (cycle is None or not cycle[3])):
        return False
    if cycle is None or not _is_duration(cycle[2]) or re.search("[YM]", cycle[2].partition("T")[0]):
        if end is not None:
            work.say(end, "import.unsupported")
        return False
    times, interval, last = cycle.groups()
    last = end.value if end is not None else last
    if node.parent is not None and node.parent.local == "intermediateCatchEvent":
        work.set_text(found.node, f"R{times}/{interval}")
        _once(work, node, found)
        return True
    text = work.feel(found._replace(value=last))
    if text is None:
        return True
    due = people.DUE.format(text)
    count = f"min(times, {times})" if times else "times"
    work.set_text(found.node, "= " + _BEATS.format(due=due, interval=quoted(interval), plain=interval, count=count))
    work.say(found, "import.cycle_until", end=last)
    return True


def _once(work: Work, node: Node, found: Found) -> None:
    """A cycle on an event in the flow happens once at the vendors; here it would go on."""
    event = node.parent
    if event is None or event.local != "intermediateCatchEvent" or not work.vendors:
        return
    text = found.node.text.strip()
    if match := _EVERY.fullmatch(text):
        found.node.local = "timeDuration"
        work.set_text(found.node, match[1])
        work.say(found, "import.cycle_once", interval=match[1])
    elif is_cron(text) and not text.startswith("R"):
        work.set_text(found.node, f"R1/{text}")
        work.say(found, "import.cron_once", cron=text)


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def _cycle(work: Work, found: Found) -> None:
    text = found.value
    if text.startswith(("R", "=")):
        return
    cron = from_quartz(text) if work.vendors & JUEL_VENDORS or "?" in text else from_spring(text)
    if not cron:
        work.say(found, "import.cron_unsupported")
    elif cron != text:
        work.set_text(found.node, cron)
        work.say(found, "import.cron", cron=cron)
