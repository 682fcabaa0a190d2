"""Files of Camunda 8, whose expressions are FEEL, and of SpiffWorkflow, whose are Python."""

from __future__ import annotations

import json
from xml.sax.saxutils import quoteattr

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import bpmn
from noria.design.feel import EvaluationContext, compile_expression, to_json


def element(kind, extensions, inside="", vendors="zeebe"):
    body = f'<{kind} id="x"><extensionElements>{extensions}</extensionElements>{inside}</{kind}>'
    return Model(around(body), vendors=vendors)


def test_a_job_has_its_topic_retries_headers_and_mappings():
    model = element(
        "serviceTask",
        '<zeebe:taskDefinition type="=kind" retries="5"/><zeebe:taskHeaders><zeebe:header key="a" value="b"/>'
        '</zeebe:taskHeaders><zeebe:ioMapping><zeebe:input source="=order.total" target="amount"/>'
        '<zeebe:output source="=result" target="done"/></zeebe:ioMapping>',
    )
    assert model.noria("x") == {"topic": "=kind", "retries": "5"}
    assert model.mappings("x") == [
        ("header", {"name": "a", "value": "b"}),
        ("input", {"source": "=order.total", "target": "amount"}),
        ("output", {"source": "=result", "target": "done"}),
    ]
    assert model.codes("changed") + model.codes("needs_work") == ["import.input_only"]
    assert model.errors() == []


@pytest.mark.parametrize(("given", "priority"), [("12", "12"), ("= urgency", "= urgency"), ("-5", "0")])
def test_a_job_has_its_priority(given, priority):
    given = f'<zeebe:taskDefinition type="t"/><zeebe:jobPriorityDefinition priority="{given}"/>'
    model = element("serviceTask", given)
    assert model.noria("x") == {"topic": "t", "jobPriority": priority}
    assert model.errors() == []


def test_a_connector_of_camunda_needs_a_worker():
    model = element("serviceTask", '<zeebe:taskDefinition type="io.camunda:http-json:1"/>')
    assert model.noria("x") == {"topic": "io.camunda:http-json:1"}
    assert model.codes("changed") == ["import.connector"]


def test_nested_targets_are_one_context():
    model = element(
        "serviceTask",
        '<zeebe:taskDefinition type="http"/><zeebe:ioMapping><zeebe:input source="bearer" target="auth.type"/>'
        '<zeebe:input source="=secret" target="auth.token.value"/><zeebe:output source="=body" target="answer.body"/>'
        "</zeebe:ioMapping>",
    )
    assert model.mappings("x") == [
        ("input", {"source": '= {"type": "bearer", "token": {"value": secret}}', "target": "auth"}),
        (
            "output",
            {
                "source": '= if answer = null then {"body": body} else context merge([answer, {"body": body}])',
                "target": "answer",
            },
        ),
    ]
    assert model.errors() == []


def test_a_user_task_has_people_a_limit_a_priority_and_a_form():
    form = json.dumps({"type": "default", "components": [{"type": "textfield", "id": "f", "key": "k"}]})
    model = element(
        "userTask",
        '<zeebe:assignmentDefinition assignee="=boss" candidateGroups="sales, it"/>'
        '<zeebe:taskSchedule dueDate="=now() + duration(&quot;PT2H&quot;)"/><zeebe:priorityDefinition priority="70"/>'
        '<zeebe:formDefinition formKey="camunda-forms:bpmn:f1"/><zeebe:userTask/>',
    )
    assert model.noria("x") == {
        "assignee": "=boss",
        "candidateGroups": "sales, it",
        "dueIn": '= duration("PT2H")',
        "priority": "70",
        "form": "f1",
    }
    embedded = Model(
        f'<extensionElements><zeebe:userTaskForm id="f1">{form}</zeebe:userTaskForm></extensionElements>',
        vendors="zeebe",
    )
    assert json.loads(embedded.imported.forms["f1.form"])["id"] == "f1"


def test_the_id_of_an_embedded_form_leads_out_of_no_folder():
    form = '<zeebe:userTaskForm id="../../f">{"components": []}</zeebe:userTaskForm>'
    model = Model(
        f"<extensionElements>{form}</extensionElements>"
        + around(
            '<userTask id="x"><extensionElements><zeebe:formDefinition formKey="camunda-forms:bpmn:../../f"/>'
            "</extensionElements></userTask>"
        ),
        vendors="zeebe",
    )
    assert set(model.imported.forms) == {"_f.form"}
    assert model.noria("x")["form"] == "_f"


def test_a_called_process_a_decision_and_a_script():
    call = element("callActivity", '<zeebe:calledElement processId="q" propagateAllChildVariables="false"/>')
    assert (call["x"].get("calledElement"), call.noria("x")) == ("q", {"propagateOut": "false"})
    decision = element("businessRuleTask", '<zeebe:calledDecision decisionId="rate" resultVariable="r"/>')
    assert decision.noria("x") == {"decision": "rate", "resultVariable": "r"}
    script = element("scriptTask", '<zeebe:script expression="=a + 1" resultVariable="b"/>')
    assert script["x"].first(bpmn("script")).text == "a + 1"
    assert script.noria("x") == {"resultVariable": "b"}
    assert script.errors() == []


def test_a_loop_over_a_collection():
    model = element(
        "task",
        "",
        '<multiInstanceLoopCharacteristics id="m"><extensionElements><zeebe:loopCharacteristics '
        'inputCollection="=items" '
        'inputElement="item" outputCollection="results" outputElement="=item.total"/></extensionElements>'
        "</multiInstanceLoopCharacteristics>",
    )
    assert model.noria("m") == {
        "collection": "=items",
        "item": "item",
        "outputCollection": "results",
        "outputItem": "=item.total",
    }


def test_a_messages_correlation_key():
    model = Model(
        around('<receiveTask id="x" messageRef="m"/>'),
        outside='<message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=order"/>'
        "</extensionElements></message>",
        vendors="zeebe",
    )
    assert model.noria("m") == {"correlation": "=order"}
    assert model.errors() == []


@pytest.mark.parametrize("source", ["=uuid()", "=assert(a, a != null)", "=from json(a)", "=a +"])
def test_feel_that_only_camunda_has_needs_work(source):
    model = element("task", f'<zeebe:ioMapping><zeebe:input source="{source}" target="b"/></zeebe:ioMapping>')
    assert len(model.codes("needs_work")) == 1
    assert model.mappings("x") == []


@pytest.mark.parametrize(
    ("source", "given", "wanted"),
    [
        ("=get or else(a, 1)", None, 1),
        ("=is defined(a)", "x", True),
        ("=if is blank(a) then 0 else string length(trim(a))", "  x ", 1),
        ('=partition(extract(a, "[0-9]+"), 2)', "1, 22 and 3", [["1", "22"], ["3"]]),
    ],
)
def test_functions_that_camunda_adds_run_as_they_are(source: str, given: object, wanted: object):
    mapping = f"<zeebe:ioMapping><zeebe:input source={quoteattr(source)} target='b'/></zeebe:ioMapping>"
    model = element("task", mapping)
    assert model.codes("needs_work") == []
    ((_, taken),) = model.mappings("x")
    found = compile_expression(taken["source"].removeprefix("=")).evaluate({"a": given}, EvaluationContext(0))
    assert to_json(found) == wanted


def test_listeners_and_agents_need_work():
    model = element(
        "task",
        '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="audit"/></zeebe:executionListeners>'
        "<zeebe:agentDefinition/>",
    )
    assert set(model.codes("needs_work")) == {"import.listener", "import.unsupported"}


def test_simple_python_of_spiff_is_feel():
    model = Model(
        '<startEvent id="s"/><scriptTask id="x"><script>a = 3\nb = a &gt; 2 and done</script></scriptTask>'
        '<exclusiveGateway id="g" default="h"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/>'
        '<sequenceFlow id="f2" sourceRef="x" targetRef="g"/><sequenceFlow id="h" sourceRef="g" targetRef="e"/>'
        '<sequenceFlow id="c" sourceRef="g" targetRef="e"><conditionExpression>b == True</conditionExpression>'
        "</sequenceFlow>",
        vendors="spiffworkflow",
    )
    assert model["x"].first(bpmn("script")).text == "{a: 3, b: (a > 2 and done) = true}"
    assert model["c"].first(bpmn("conditionExpression")).text == "b = true"
    assert model.errors() == []


def test_python_that_is_more_needs_work():
    model = Model(around('<scriptTask id="x"><script>for a in b: pass</script></scriptTask>'), vendors="spiffworkflow")
    assert model.codes("needs_work") == ["import.script_language"]


def test_a_service_of_spiff_is_a_topic_with_inputs():
    model = element(
        "serviceTask",
        '<spiffworkflow:serviceTaskOperator id="http/Get" resultVariable="r"><spiffworkflow:parameters>'
        '<spiffworkflow:parameter id="url" type="str" value="\'http://x\'"/></spiffworkflow:parameters>'
        "</spiffworkflow:serviceTaskOperator>",
        vendors="spiffworkflow",
    )
    assert model.noria("x") == {"topic": "http/Get", "resultVariable": "r"}
    assert model.mappings("x") == [("input", {"source": '= "http://x"', "target": "url"})]
