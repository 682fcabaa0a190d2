"""Namespaces and local names of BPMN, and which of them have execution meaning that is not executed yet."""

from __future__ import annotations

from noria.design.bpmn.graph import Kind, TriggerKind

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
NORIA = "urn:noria:bpmn:1"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

KINDS: dict[str, Kind] = {
    "startEvent": Kind.START_EVENT,
    "endEvent": Kind.END_EVENT,
    "intermediateCatchEvent": Kind.INTERMEDIATE_CATCH_EVENT,
    "intermediateThrowEvent": Kind.INTERMEDIATE_THROW_EVENT,
    "boundaryEvent": Kind.BOUNDARY_EVENT,
    "userTask": Kind.USER_TASK,
    "serviceTask": Kind.SERVICE_TASK,
    "scriptTask": Kind.SCRIPT_TASK,
    "businessRuleTask": Kind.BUSINESS_RULE_TASK,
    "manualTask": Kind.MANUAL_TASK,
    "sendTask": Kind.SEND_TASK,
    "receiveTask": Kind.RECEIVE_TASK,
    "task": Kind.TASK,
    "exclusiveGateway": Kind.EXCLUSIVE_GATEWAY,
    "parallelGateway": Kind.PARALLEL_GATEWAY,
    "inclusiveGateway": Kind.INCLUSIVE_GATEWAY,
    "eventBasedGateway": Kind.EVENT_BASED_GATEWAY,
    "subProcess": Kind.SUB_PROCESS,
    "callActivity": Kind.CALL_ACTIVITY,
    "complexGateway": Kind.COMPLEX_GATEWAY,
    "transaction": Kind.SUB_PROCESS,
    "adHocSubProcess": Kind.AD_HOC_SUB_PROCESS,
}
UNSUPPORTED_NODES = frozenset({"choreographyTask", "subChoreography", "callChoreography", "implicitThrowEvent"})
GLOBAL_TASKS: dict[str, Kind] = {
    "globalTask": Kind.TASK,
    "globalUserTask": Kind.USER_TASK,
    "globalManualTask": Kind.MANUAL_TASK,
    "globalScriptTask": Kind.SCRIPT_TASK,
    "globalBusinessRuleTask": Kind.BUSINESS_RULE_TASK,
}
"""A call activity that calls one of these does its work itself."""
TRIGGERS: dict[str, TriggerKind] = {
    "messageEventDefinition": TriggerKind.MESSAGE,
    "timerEventDefinition": TriggerKind.TIMER,
    "errorEventDefinition": TriggerKind.ERROR,
    "escalationEventDefinition": TriggerKind.ESCALATION,
    "signalEventDefinition": TriggerKind.SIGNAL,
    "linkEventDefinition": TriggerKind.LINK,
    "terminateEventDefinition": TriggerKind.TERMINATE,
    "conditionalEventDefinition": TriggerKind.CONDITIONAL,
    "compensateEventDefinition": TriggerKind.COMPENSATION,
    "cancelEventDefinition": TriggerKind.CANCEL,
}

_ALL_STARTS = {TriggerKind.NONE, TriggerKind.MESSAGE, TriggerKind.TIMER, TriggerKind.SIGNAL, TriggerKind.CONDITIONAL}
ALLOWED: dict[str, set[TriggerKind]] = {
    "startEvent": _ALL_STARTS,
    "sub-process startEvent": {TriggerKind.NONE},
    "event sub-process startEvent": {
        TriggerKind.MESSAGE,
        TriggerKind.TIMER,
        TriggerKind.SIGNAL,
        TriggerKind.ERROR,
        TriggerKind.ESCALATION,
        TriggerKind.CONDITIONAL,
        TriggerKind.COMPENSATION,
    },
    "endEvent": {
        TriggerKind.NONE,
        TriggerKind.MESSAGE,
        TriggerKind.ERROR,
        TriggerKind.ESCALATION,
        TriggerKind.SIGNAL,
        TriggerKind.TERMINATE,
        TriggerKind.COMPENSATION,
        TriggerKind.CANCEL,
    },
    "intermediateCatchEvent": {
        TriggerKind.MESSAGE,
        TriggerKind.TIMER,
        TriggerKind.SIGNAL,
        TriggerKind.LINK,
        TriggerKind.CONDITIONAL,
    },
    "intermediateThrowEvent": {
        TriggerKind.NONE,
        TriggerKind.MESSAGE,
        TriggerKind.ESCALATION,
        TriggerKind.SIGNAL,
        TriggerKind.LINK,
        TriggerKind.COMPENSATION,
    },
    "boundaryEvent": {
        TriggerKind.MESSAGE,
        TriggerKind.TIMER,
        TriggerKind.ERROR,
        TriggerKind.ESCALATION,
        TriggerKind.SIGNAL,
        TriggerKind.CONDITIONAL,
        TriggerKind.COMPENSATION,
        TriggerKind.CANCEL,
    },
}
"""Position → triggers that BPMN 2.0.2, table 10.93 allows there."""

FEEL_LANGUAGES = (
    "feel",
    "http://www.omg.org/spec/feel/",
    "https://www.omg.org/spec/dmn/",
    "http://www.omg.org/spec/dmn/",
)
XPATH = frozenset({"http://www.w3.org/1999/XPath", "http://www.w3.org/TR/XPath"})

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "userTask": (
        "assignee",
        "candidateGroups",
        "candidateUsers",
        "form",
        "hiddenFields",
        "writableFields",
        "dueIn",
        "calendar",
        "remindAt",
        "priority",
        "completedByStart",
        "approval",
        "approvers",
        "passShare",
        "passCount",
        "refusal",
        "whenRefused",
        "resultVariable",
        "title",
        "whenStarter",
        "repeats",
        "whenNobody",
        "nobodyTo",
        "whenOverdue",
        "overdueTo",
        "remindEvery",
        "remindTimes",
        "copyTo",
        "separateFrom",
        "bulkApproval",
    ),
    "serviceTask": ("topic", "retries", "retryWait", "resultVariable"),
    "sendTask": ("topic", "retries", "retryWait", "resultVariable", "correlation"),
    "scriptTask": ("topic", "retries", "retryWait", "resultVariable"),
    "businessRuleTask": ("decision", "resultVariable"),
    "receiveTask": ("correlation",),
    "callActivity": ("binding", "version", "propagateIn", "propagateOut", "businessKey", "whenUncaught"),
    "adHocSubProcess": ("activities",),
    "multiInstanceLoopCharacteristics": (
        "collection",
        "item",
        "outputCollection",
        "outputItem",
        "saveBefore",
        "saveAfter",
    ),
    "standardLoopCharacteristics": ("saveBefore", "saveAfter"),
    "conditionalEventDefinition": ("variables", "on", "everyChange"),
    "terminateEventDefinition": ("terminateAll", "terminateLoop"),
    "process": ("serial", "starterGroups", "title", "summary", "amount", "withdrawable", "jobPriority"),
    "startEvent": ("form", "correlation"),
    "endEvent": ("topic", "retries", "retryWait", "correlation"),
    "intermediateThrowEvent": ("topic", "retries", "retryWait", "correlation"),
    "intermediateCatchEvent": ("correlation",),
    "boundaryEvent": ("correlation",),
    "timerEventDefinition": ("calendar",),
    "message": ("correlation",),
    "signal": ("withinInstance",),
    "errorEventDefinition": ("codeVariable", "messageVariable", "message", "whenUncaught"),
    "escalationEventDefinition": ("codeVariable",),
    "lane": ("group",),
}
EVERY_NODE = ("saveBefore", "saveAfter", "jobPriority", "passOn")
"""Attributes that every flow node may have."""
ATTRIBUTES |= {
    "globalUserTask": ATTRIBUTES["userTask"],
    "globalScriptTask": ATTRIBUTES["scriptTask"],
    "globalBusinessRuleTask": ATTRIBUTES["businessRuleTask"],
}
"""Noria's extension attributes by BPMN element; anything else in its namespace is an error."""


def bpmn(local: str) -> str:
    """Tag of a BPMN element."""
    return f"{{{BPMN}}}{local}"


def noria(local: str) -> str:
    """Key of a Noria attribute, or tag of a Noria element."""
    return f"{{{NORIA}}}{local}"
