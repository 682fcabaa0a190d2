"""Work for programs: topics, delegates, expressions, connectors, retries, save points, decisions."""

from __future__ import annotations

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import bpmn


def service(attributes="", inside="", kind="serviceTask"):
    extensions = f"<extensionElements>{inside}</extensionElements>" if inside else ""
    return Model(around(f'<{kind} id="x" {attributes}>{extensions}</{kind}>'))


def looped(attributes=""):
    return (
        f'<multiInstanceLoopCharacteristics id="m" {attributes}><loopCardinality>3</loopCardinality>'
        "</multiInstanceLoopCharacteristics>"
    )


def test_an_external_tasks_topic_is_the_topic():
    model = service('camunda:type="external" camunda:topic="${which}"')
    assert model.noria("x") == {"topic": "= which"}
    assert model.codes("changed") + model.codes("needs_work") == []
    assert model.errors() == []


def test_what_an_external_worker_gets_and_gives_back_are_inputs_and_outputs():
    model = service(
        'flowable:type="external-worker" flowable:topic="pack"',
        '<flowable:externalWorkerInParameter source="goods" target="things"/>'
        '<flowable:externalWorkerInParameter sourceExpression="${total * 2}" target="weight"/>'
        '<flowable:externalWorkerOutParameter source="parcel" target="number"/>',
    )
    assert model.mappings("x") == [
        ("input", {"source": "= goods", "target": "things"}),
        ("input", {"source": "= total * 2", "target": "weight"}),
        ("output", {"source": "= parcel", "target": "number"}),
    ]
    assert model.codes("needs_work") == []


@pytest.mark.parametrize(
    ("attributes", "topic"),
    [
        ('camunda:class="org.acme.Charge"', "org.acme.Charge"),
        ('flowable:delegateExpression="${charge}"', "charge"),
        ('activiti:expression="${bank.charge(amount)}"', "bank.charge"),
        ('flowable:type="shell"', "shell"),
    ],
)
def test_code_inside_the_engine_is_a_topic_that_a_worker_serves(attributes, topic):
    model = service(attributes)
    assert model.noria("x") == {"topic": topic}
    assert model.codes("changed") == ["import.delegate"]
    assert model.errors() == []


def test_an_expression_with_a_result_is_a_script():
    model = service('camunda:expression="${amount * 2 > 10}" camunda:resultVariable="big"')
    assert model["x"].local == "scriptTask"
    assert model["x"].first(bpmn("script")).text == "(amount * 2 > 10) = true"
    assert model.noria("x") == {"resultVariable": "big"}
    assert model.errors() == []


def test_an_expression_that_sets_a_variable_is_a_script():
    model = service("camunda:expression=\"${execution.setVariable('big', amount &gt; 10)}\"")
    assert model["x"].local == "scriptTask"
    assert model.noria("x") == {"resultVariable": "big"}


def test_an_expression_without_effect_is_a_task_that_does_nothing():
    assert service('camunda:expression="${true}"')["x"].local == "task"


def test_a_field_that_is_constant_is_a_header_and_one_that_is_computed_an_input():
    model = service(
        'flowable:class="a.B"',
        '<flowable:field name="to" stringValue="me"/><flowable:field name="text"><flowable:expression>Hi ${name}'
        "</flowable:expression></flowable:field>",
    )
    assert model.mappings("x") == [
        ("header", {"name": "to", "value": "me"}),
        ("input", {"source": '= string join(["Hi ", string(name)])', "target": "text"}),
    ]


def test_http_and_mail_tasks_are_connectors():
    model = service('flowable:type="http"', '<flowable:field name="requestUrl" stringValue="http://x"/>')
    assert model.noria("x") == {"topic": "http"}
    assert model.codes("changed") == ["import.connector"]


def test_a_connector_brings_its_id_and_its_parameters():
    model = service(
        "",
        '<camunda:connector><camunda:inputOutput><camunda:inputParameter name="url">http://x</camunda:inputParameter>'
        "</camunda:inputOutput><camunda:connectorId>http-connector</camunda:connectorId></camunda:connector>",
    )
    assert model.noria("x") == {"topic": "http-connector"}
    assert model.mappings("x") == [("input", {"source": "http://x", "target": "url"})]
    assert model.errors() == []


@pytest.mark.parametrize(
    ("cycle", "retries", "wait"),
    [("R5/PT10M", "5", "PT10M"), ("PT1M,PT5M", "3", "PT1M,PT5M"), ("R3/PT1M", "3", "PT1M")],
)
def test_a_retry_cycle_says_how_often_and_when(cycle, retries, wait):
    model = service(
        'camunda:type="external" camunda:topic="t"',
        f"<camunda:failedJobRetryTimeCycle>{cycle}</camunda:failedJobRetryTimeCycle>",
    )
    assert model.noria("x") == {"topic": "t", "retries": retries, "retryWait": wait}
    assert model.errors() == []


@pytest.mark.parametrize(
    ("attributes", "points"),
    [
        ('camunda:asyncBefore="true"', {"saveBefore": "true"}),
        ('flowable:async="true" flowable:asyncLeave="true"', {"saveBefore": "true", "saveAfter": "true"}),
        ('camunda:asyncAfter="true" camunda:exclusive="false"', {"saveAfter": "true"}),
        ('camunda:asyncBefore="false"', {}),
    ],
)
def test_an_asynchronous_continuation_is_a_save_point(attributes, points):
    assert Model(around(f'<task id="x" {attributes}/>')).noria("x") == points


@pytest.mark.parametrize(
    ("loop", "points"),
    [
        ('camunda:asyncBefore="true"', {"saveBefore": "true"}),
        ('camunda:asyncAfter="true" camunda:exclusive="true"', {"saveAfter": "true"}),
        ('camunda:asyncBefore="false"', {}),
    ],
)
def test_an_asynchronous_continuation_of_a_loop_is_a_save_point_of_each_instance(loop, points):
    model = Model(around(f'<task id="x">{looped(loop)}</task>'))
    assert (model.noria("m"), model.noria("x")) == (points, {})
    assert model.codes("changed") + model.codes("needs_work") == []


@pytest.mark.parametrize(("prefix", "each"), [("flowable", True), ("activiti", True), ("camunda", False)])
def test_an_asynchronous_loop_has_one_save_point_or_one_for_each_instance_as_its_vendor_means_it(prefix, each):
    model = Model(around(f'<task id="x" {prefix}:async="true">{looped()}</task>'))
    point = {"saveBefore": "true"}
    assert (model.noria("m"), model.noria("x")) == ((point, {}) if each else ({}, point))


@pytest.mark.parametrize(
    ("attribute", "priority", "code"),
    [
        ('camunda:jobPriority="30"', "30", "import.job_priority"),
        ('camunda:jobPriority="${urgency}"', "= urgency", "import.job_priority"),
        ('camunda:jobPriority="-1"', "0", "import.job_priority_range"),
        ('camunda:jobPriority="9223372036854775807"', "1000000", "import.job_priority_range"),
    ],
)
def test_a_job_has_the_priority_that_its_vendor_gives_it(attribute, priority, code):
    model = Model(around(f'<task id="x" camunda:asyncBefore="true" {attribute}/>'))
    assert model.noria("x") == {"saveBefore": "true", "jobPriority": priority}
    assert code in model.codes()


def test_the_priority_of_an_external_task_goes_before_that_of_its_save_points():
    model = service('camunda:type="external" camunda:topic="t" camunda:taskPriority="7" camunda:jobPriority="9"')
    assert model.noria("x") == {"topic": "t", "jobPriority": "7"}
    assert model.codes("changed") == ["import.twice"]


def test_the_priority_of_a_message_that_a_program_sends_is_that_of_its_event():
    definition = '<messageEventDefinition camunda:type="external" camunda:topic="t" camunda:taskPriority="7"/>'
    model = Model(around(f'<endEvent id="x">{definition}</endEvent>'))
    assert model.noria("x") == {"topic": "t", "jobPriority": "7"}


@pytest.mark.parametrize("attribute", ["jobPriority", "taskPriority"])
def test_the_priority_of_a_process_is_that_of_its_elements(attribute):
    model = Model(around('<task id="x"/>'), process=f'camunda:{attribute}="12"')
    assert model.noria("p") == {"jobPriority": "12"}
    assert model.codes("changed") + model.codes("needs_work") == []


def test_a_job_category_says_that_every_process_of_the_engine_works():
    model = service('flowable:type="external" flowable:topic="t"', "<flowable:jobCategory>a</flowable:jobCategory>")
    assert model.codes("changed") == ["import.job_category"]


def test_a_decision_is_named_and_its_result_explained():
    model = service(
        'camunda:decisionRef="rate" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry" '
        'camunda:decisionRefBinding="deployment"',
        kind="businessRuleTask",
    )
    assert model.noria("x") == {"decision": "rate", "resultVariable": "r"}
    assert model.codes("changed") + model.codes("needs_work") == []


def test_a_decision_list_says_that_it_differs():
    model = service('camunda:decisionRef="rate" camunda:mapDecisionResult="resultList"', kind="businessRuleTask")
    assert model.codes("changed") == ["import.decision_list"]


def test_a_decision_task_of_flowable_is_a_business_rule_task():
    model = service(
        'flowable:type="dmn"',
        '<flowable:field name="decisionTableReferenceKey"><flowable:string>rate</flowable:string></flowable:field>'
        '<flowable:field name="throwErrorNoHits" stringValue="true"/>',
    )
    assert set(model.codes("changed")) == {"import.field_unused", "import.decision_list"}
    assert (model["x"].local, model.noria("x")) == ("businessRuleTask", {"decision": "rate"})


def test_a_business_rule_task_that_a_delegate_does_is_a_service_task():
    model = service('camunda:class="a.B"', kind="businessRuleTask")
    assert model["x"].local == "serviceTask"
    assert model.errors() == []


def test_the_delegate_of_a_message_event_is_the_events_topic():
    model = Model(
        around('<intermediateThrowEvent id="x"><messageEventDefinition camunda:class="a.B"/></intermediateThrowEvent>')
    )
    assert model.noria("x") == {"topic": "a.B"}
    assert model.errors() == []


def test_listeners_need_work():
    model = service(
        'camunda:type="external" camunda:topic="t"',
        '<camunda:executionListener event="start" class="a.L"/><camunda:executionListener event="end">'
        '<camunda:script scriptFormat="groovy">1</camunda:script></camunda:executionListener>',
    )
    assert model.codes("needs_work") == ["import.listener", "import.listener"]
