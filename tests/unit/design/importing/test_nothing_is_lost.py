"""Every attribute and element that the vendors document is known: mapped, or reported by name, never dropped."""

from __future__ import annotations

from string import Formatter

import pytest
from tests.unit.design.importing.models import NAMESPACES, Model

from noria.design.importing import import_bpmn
from noria.design.importing.sentences import SENTENCES
from noria.design.importing.vendors import VENDORS
from noria.design.xml import read_xml

SERVICE = (
    "class delegateExpression expression resultVariable type topic taskPriority jobPriority async asyncBefore "
    "asyncAfter "
    "exclusive modelerTemplate modelerTemplateVersion"
)
CAMUNDA = {
    "process": (
        "candidateStarterGroups candidateStarterUsers historyTimeToLive isStartableInTasklist jobPriority taskPriority "
        "versionTag"
    ),
    "startEvent": (
        "async asyncBefore asyncAfter exclusive formHandlerClass formKey formRef formRefBinding formRefVersion "
        "initiator "
        "jobPriority"
    ),
    "userTask": (
        "assignee candidateGroups candidateUsers dueDate followUpDate formHandlerClass formKey formRef formRefBinding "
        "formRefVersion priority asyncBefore asyncAfter exclusive jobPriority"
    ),
    "serviceTask": SERVICE,
    "sendTask": SERVICE,
    "businessRuleTask": SERVICE
    + " decisionRef decisionRefBinding decisionRefTenantId decisionRefVersion decisionRefVersionTag mapDecisionResult",
    "scriptTask": "resource resultVariable asyncBefore jobPriority",
    "callActivity": (
        "calledElementBinding calledElementTenantId calledElementVersion calledElementVersionTag caseBinding caseRef "
        "caseTenantId caseVersion variableMappingClass variableMappingDelegateExpression"
    ),
    "exclusiveGateway": "asyncBefore asyncAfter exclusive jobPriority",
}
FLOWABLE = {
    "process": "candidateStarterGroups candidateStarterUsers history isEagerExecutionFetching",
    "startEvent": "initiator formKey formFieldValidation sameDeployment",
    "userTask": (
        "assignee owner candidateGroups candidateUsers dueDate businessCalendarName category priority formKey "
        "formFieldValidation skipExpression taskIdVariableName activeTaskIdVariableName async asyncLeave "
        "exclusive sameDeployment "
        "extensionId taskCompleterVariableName"
    ),
    "serviceTask": (
        "class delegateExpression expression extensionId resultVariable resultVariableName skipExpression triggerable "
        "type topic useLocalScopeForResultVariable storeResultVariableAsTransient async asyncLeaveExclusive exclusive "
        "parallelInSameTransaction caseDefinitionKey caseInstanceName businessKey inheritBusinessKey idVariableName"
    ),
    "sendTask": "class expression type skipExpression",
    "businessRuleTask": "ruleVariablesInput rules exclude resultVariable class",
    "scriptTask": "autoStoreVariables resultVariable resultVariableName skipExpression doNotIncludeVariables",
    "callActivity": (
        "businessKey inheritBusinessKey sameDeployment fallbackToDefaultTenant idVariableName calledElementType "
        "processInstanceName processInstanceIdVariableName inheritVariables useLocalScopeForOutParameters "
        "completeAsync async"
    ),
    "boundaryEvent": "asyncLeave exclusive",
    "subProcess": "async exclusive",
}
INSIDE = {
    "camunda": {
        "errorEventDefinition": "errorCodeVariable errorMessageVariable",
        "escalationEventDefinition": "escalationCodeVariable",
        "signalEventDefinition": "async",
        "conditionalEventDefinition": "variableName variableEvents",
        "messageEventDefinition": "class delegateExpression expression resultVariable type topic taskPriority",
    },
    "flowable": {
        "errorEventDefinition": "errorVariableName errorVariableLocalScope errorVariableTransient",
        "signalEventDefinition": "signalExpression async",
        "messageEventDefinition": "messageExpression",
        "terminateEventDefinition": "terminateAll terminateMultiInstance",
        "timerEventDefinition": "businessCalendarName",
        "conditionalEventDefinition": "variableName",
    },
    "activiti": {"messageEventDefinition": "messageExpression correlationKey"},
}
LOOP = {
    "camunda": "collection elementVariable asyncBefore asyncAfter exclusive",
    "flowable": "collection elementVariable elementIndexVariable noWaitStatesAsyncLeave",
}
EXTENSIONS = {
    "camunda": (
        "connector errorEventDefinition executionListener failedJobRetryTimeCycle field formData formProperty in "
        "inputOutput out potentialStarter properties taskListener"
    ),
    "flowable": (
        "eventCorrelationParameter eventInParameter eventListener eventOutParameter eventType executionListener "
        "failedJobRetryTimeCycle field formProperty httpRequestHandler httpResponseHandler in jobCategory mapException "
        "out sendSynchronously startEventCorrelationConfiguration taskListener triggerEventCorrelationParameter "
        "triggerEventType variableAggregation variableListenerEventDefinition channelKey customResource systemChannel"
    ),
    "zeebe": (
        "adHoc agentDefinition assignmentDefinition calledDecision calledElement conditionalFilter executionListeners "
        "formDefinition ioMapping jobPriorityDefinition linkedResources loopCharacteristics priorityDefinition "
        "properties script subscription taskDefinition taskHeaders taskListeners taskSchedule userTask "
        "userTaskForm versionTag"
    ),
}
CASES = [
    *(("camunda", local, name) for local, names in CAMUNDA.items() for name in names.split()),
    *(("operaton", local, name) for local, names in CAMUNDA.items() for name in names.split()),
    *(("flowable", local, name) for local, names in FLOWABLE.items() for name in names.split()),
    *(("activiti", local, name) for local, names in FLOWABLE.items() for name in names.split()),
]
UNKNOWN = {"import.unknown_attribute", "import.unknown_element"}


def report(body, vendor):
    return Model(body, vendors=vendor).imported


@pytest.mark.parametrize(("vendor", "local", "name"), CASES)
def test_an_attribute_of_a_flow_node_is_known(vendor, local, name):
    if local == "process":
        imported = Model("", process=f'{vendor}:{name}="1"', vendors=vendor).imported
    else:
        imported = report(f'<{local} id="x" {vendor}:{name}="1"/>', vendor)
    codes = {line.code for line in imported.lines if line.attribute == f"{vendor}:{name}"}
    assert codes
    assert not codes & UNKNOWN


@pytest.mark.parametrize(
    ("vendor", "definition", "name"),
    [(vendor, key, name) for vendor, table in INSIDE.items() for key, names in table.items() for name in names.split()],
)
def test_an_attribute_of_an_event_definition_is_known(vendor, definition, name):
    kind = "endEvent" if definition[:4] in ("term", "mess") else "boundaryEvent"
    imported = report(f'<{kind} id="x"><{definition} {vendor}:{name}="1"/></{kind}>', vendor)
    codes = {line.code for line in imported.lines if line.attribute == f"{vendor}:{name}"}
    assert codes
    assert not codes & UNKNOWN


@pytest.mark.parametrize(
    ("vendor", "name"), [(vendor, name) for vendor, names in LOOP.items() for name in names.split()]
)
def test_an_attribute_of_a_loop_is_known(vendor, name):
    imported = report(f'<task id="x"><multiInstanceLoopCharacteristics {vendor}:{name}="a"/></task>', vendor)
    codes = {line.code for line in imported.lines if line.attribute == f"{vendor}:{name}"}
    assert codes
    assert not codes & UNKNOWN


@pytest.mark.parametrize(
    ("vendor", "name"), [(vendor, name) for vendor, names in EXTENSIONS.items() for name in names.split()]
)
def test_an_extension_element_is_known(vendor, name):
    place = {"in": "callActivity", "out": "callActivity", "variableListenerEventDefinition": "startEvent"}
    place |= {"formData": "userTask", "formProperty": "userTask", "taskListener": "userTask"}
    local = place.get(name, "serviceTask")
    inside = f"<extensionElements><{vendor}:{name}/></extensionElements>"
    if name in ("potentialStarter", "userTaskForm", "versionTag"):
        body = inside
    elif name in ("variableAggregation", "loopCharacteristics"):
        body = f'<task id="x"><multiInstanceLoopCharacteristics>{inside}</multiInstanceLoopCharacteristics></task>'
    else:
        body = f'<{local} id="x">{inside}</{local}>'
    imported = report(body, vendor)
    codes = {line.code for line in imported.lines if line.attribute.startswith(f"{vendor}:{name}")}
    assert codes
    assert not codes & UNKNOWN


def test_what_nobody_documents_is_reported_and_left_out():
    model = Model(
        '<task id="x" camunda:frobnicate="1"><extensionElements><flowable:gizmo a="b"/></extensionElements></task>'
    )
    assert [(line.code, line.element, line.attribute) for line in model.imported.lines] == [
        ("import.unknown_attribute", "x", "camunda:frobnicate"),
        ("import.unknown_element", "x", "flowable:gizmo"),
    ]
    assert model.imported.needs_work


def test_no_vendors_namespace_is_left_and_a_strangers_is():
    text = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
        'xmlns:my="urn:mine" targetNamespace="t"><!-- kept --><process id="p" camunda:versionTag="1" my:note="kept">'
        "<extensionElements><my:thing/></extensionElements></process></definitions>"
    )
    document = import_bpmn(text.encode(), "m.bpmn").document.decode()
    assert not any(uri in document for uri in VENDORS)
    assert 'my:note="kept"' in document
    assert "<my:thing/>" in document
    assert "<!-- kept -->" in document


def test_importing_what_was_imported_changes_nothing_more():
    model = Model('<startEvent/><userTask id="x" camunda:assignee="${a}" camunda:dueDate="P1D"/>')
    again = import_bpmn(model.imported.document, "model.bpmn")
    assert again.lines == ()
    assert again.document == model.imported.document


def test_what_is_no_bpmn_is_said_to_be_none():
    for content in (b"<a/>", b"not xml", b"<!DOCTYPE a><a/>"):
        imported = import_bpmn(content, "m.bpmn")
        assert imported.document is None
        assert imported.needs_work


def test_a_report_line_says_file_line_element_attribute_and_both_sentences():
    model = Model('<task id="x"\n camunda:asyncBefore="true"/>')
    (line,) = model.imported.lines
    assert (line.file, line.element, line.attribute) == ("model.bpmn", "x", "camunda:asyncBefore")
    assert line.line == 1
    assert line.sentence("en") == line.message == "camunda:asyncBefore is a save point."
    assert line.sentence("zh") == "camunda:asyncBefore 对应保存点。"


def test_every_sentence_takes_the_same_parameters_in_both_languages():
    def parameters(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    different = [code for code, text in SENTENCES.items() if parameters(text.en) - parameters(text.zh)]
    assert different == []


def test_every_model_of_the_catalogue_is_written_as_good_xml():
    for vendor, local, name in CASES:
        if local != "process":
            document = report(f'<{local} id="x" {vendor}:{name}="1"/>', vendor).document
            assert not {node.namespace for node in read_xml(document).root.descendants()} & set(NAMESPACES.values()) - {
                NAMESPACES[""]
            }
