"""Files of Camunda 8, whose expressions are FEEL, and of SpiffWorkflow, whose are Python."""

from __future__ import annotations

import json
from xml.sax.saxutils import quoteattr

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import bpmn
from noria.design.feel import EvaluationContext, compile_expression, to_json
from noria.design.importing import data
from noria.engine.state import RESERVED_VARIABLES


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
    assert model.noria("x") == {"topic": "=kind", "retries": "5", "passOn": "outputs"}
    assert model.mappings("x") == [
        ("header", {"name": "a", "value": "b"}),
        ("input", {"source": "=order.total", "target": "amount"}),
        ("output", {"source": "=result", "target": "done"}),
    ]
    assert model.codes("changed") + model.codes("needs_work") == []
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


@pytest.mark.parametrize(
    ("kind", "more", "wanted"),
    [
        ("userTask", "", "import.only_informs"),
        ("adHocSubProcess", '<zeebe:taskDefinition type="t"/>', "import.only_informs"),
        ("businessRuleTask", '<zeebe:taskDefinition type="t"/>', "import.header"),
    ],
)
@pytest.mark.parametrize("said", ["taskHeaders", "properties"])
def test_only_a_job_has_headers(kind, more, wanted, said):
    given = '<zeebe:header key="a" value="b"/>' if said == "taskHeaders" else '<zeebe:property name="a" value="b"/>'
    model = element(kind, f"<zeebe:{said}>{given}</zeebe:{said}>{more}", '<task id="y"/>')
    assert wanted in model.codes()
    assert len(model.mappings("x")) == (wanted == "import.header")


def test_a_task_without_people_that_its_lane_gives_some_says_so():
    lanes = '<laneSet id="l"><lane id="w" name="sales"><flowNodeRef>x</flowNodeRef></lane></laneSet>'
    model = Model(lanes + around('<userTask id="x"/>'), vendors="zeebe")
    assert model.codes("changed") == ["import.nobody_lane"]
    assert model.noria("x") == {}


@pytest.mark.parametrize(
    ("given", "tries", "code"), [("07", "7", "retries"), ("0", "1", "retries_range"), ("500", "100", "retries_range")]
)
def test_a_job_is_tried_at_least_once_and_at_most_a_hundred_times(given, tries, code):
    model = element("serviceTask", f'<zeebe:taskDefinition type="t" retries="{given}"/>')
    assert model.noria("x")["retries"] == tries
    assert f"import.{code}" in model.codes()


def test_a_number_of_tries_without_end_is_brought_into_range():
    model = element("serviceTask", f'<zeebe:taskDefinition type="t" retries="{"9" * 5000}"/>')
    assert model.noria("x")["retries"] == "100"


def test_what_a_worker_sends_is_no_message_that_is_named_anew():
    definition = '<zeebe:taskDefinition type="send"/>'
    assert element("intermediateThrowEvent", definition, "<messageEventDefinition/>").codes("changed") == []


def test_variables_whose_names_are_taken_need_work():
    assert data.RESERVED == RESERVED_VARIABLES
    mapped = element(
        "task",
        '<zeebe:ioMapping><zeebe:input source="=1" target="facts"/><zeebe:output source="=1" target="starter.name"/>'
        '<zeebe:output source="=starter" target="a"/></zeebe:ioMapping>',
    )
    assert [line.details["name"] for line in mapped.imported.lines if line.outcome == "needs_work"] == [
        "facts",
        "starter",
    ]
    script = element("scriptTask", '<zeebe:script expression="=1" resultVariable="business_key"/>')
    assert script.codes("needs_work") == ["import.reserved_name"]


def test_what_a_connector_did_itself_is_told():
    model = element(
        "serviceTask",
        '<zeebe:taskDefinition type="io.camunda:http-json:1"/><zeebe:taskHeaders>'
        '<zeebe:header key="resultExpression" value="={a: response.body}"/></zeebe:taskHeaders>',
    )
    assert model.codes("changed") == ["import.connector", "import.connector_result"]
    inbound = element(
        "intermediateCatchEvent",
        '<zeebe:properties><zeebe:property name="inbound.type" value="io.camunda:webhook:1"/>'
        '<zeebe:property name="inbound.method" value="any"/></zeebe:properties>',
        '<messageEventDefinition messageRef="m"/>',
    )
    (line,) = [line for line in inbound.imported.lines if line.outcome == "needs_work"]
    assert (line.code, line.details["value"]) == ("import.connector_inbound", "io.camunda:webhook:1")


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


def test_mappings_keep_their_order_and_merge_at_every_depth():
    model = element(
        "serviceTask",
        '<zeebe:taskDefinition type="t"/><zeebe:ioMapping><zeebe:input source="=1" target="a.b"/>'
        '<zeebe:input source="=a.b + 1" target="c"/><zeebe:input source="=c" target="a.d"/><zeebe:input target="e"/>'
        '<zeebe:output source="=r" target="x.y.z"/></zeebe:ioMapping>',
    )
    inputs = [(taken["target"], taken["source"]) for local, taken in model.mappings("x") if local == "input"]
    assert inputs == [
        ("a", '= {"b": 1}'),
        ("c", "=a.b + 1"),
        ("a", '= if a = null then {"d": c} else context merge([a, {"d": c}])'),
        ("e", "= null"),
    ]
    (source,) = [taken["source"] for local, taken in model.mappings("x") if local == "output"]
    given = {"x": {"y": {"k": 1}, "l": 2}, "r": 3}
    merged = compile_expression(source.removeprefix("=")).evaluate(given, EvaluationContext(0))
    assert to_json(merged) == {"y": {"k": 1, "z": 3}, "l": 2}
    assert model.errors() == []


@pytest.mark.parametrize(
    ("kind", "extensions", "inside"),
    [
        ("userTask", '<zeebe:ioMapping><zeebe:input source="=1" target="a"/></zeebe:ioMapping>', ""),
        ("subProcess", '<zeebe:ioMapping><zeebe:output source="=1" target="a"/></zeebe:ioMapping>', ""),
        (
            "task",
            "",
            (
                "<multiInstanceLoopCharacteristics><extensionElements>"
                '<zeebe:loopCharacteristics inputCollection="=l" outputCollection="r" outputElement="=r.x"/>'
                "</extensionElements></multiInstanceLoopCharacteristics>"
            ),
        ),
    ],
)
def test_what_comes_out_goes_to_the_nearest_variable_as_there(kind, extensions, inside):
    assert element(kind, extensions, inside).noria("x")["passOn"] == "outputs"


def event_sub_process(start, extensions="", condition=""):
    """A process with an event sub-process that begins by an event named y."""
    given = f"<extensionElements>{extensions}</extensionElements>" if extensions else ""
    return Model(
        around('<userTask id="x"/>')
        + f'<subProcess id="q" triggeredByEvent="true"><startEvent id="y" isInterrupting="false">{given}{start}'
        '</startEvent><endEvent id="z"/><sequenceFlow id="f3" sourceRef="y" targetRef="z"/></subProcess>',
        outside='<message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=order"/>'
        "</extensionElements></message>",
        vendors="zeebe",
    )


def test_an_event_sub_process_gives_what_it_begins_with_to_the_process():
    model = event_sub_process('<messageEventDefinition messageRef="m"/>')
    assert model.noria("y") == {"passOn": "outputs"}
    assert model.errors() == []


def test_a_start_by_a_message_says_what_differs():
    start = (
        '<startEvent id="s"><extensionElements><zeebe:ioMapping><zeebe:output source="=a" target="b"/>'
        '</zeebe:ioMapping></extensionElements><messageEventDefinition messageRef="m"/></startEvent><endEvent id="e"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
    )
    model = Model(start, outside='<message id="m" name="paid"/>', vendors="zeebe")
    assert {"import.start_output", "import.message_start"} <= set(model.codes("changed"))


def test_a_conditional_event_beside_occurs_at_each_change_of_what_it_names():
    model = event_sub_process(
        '<conditionalEventDefinition id="c"><condition>= b &gt; 1 and `a` != b</condition></conditionalEventDefinition>'
    )
    assert model.noria("c") == {"variables": "a,b", "everyChange": "true"}
    assert model.errors() == []


def test_a_conditional_event_that_interrupts_occurs_once():
    boundary = (
        '<boundaryEvent id="b" attachedToRef="x"><conditionalEventDefinition id="c"><condition>= a &gt; 1</condition>'
        '</conditionalEventDefinition></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="e"/>'
    )
    assert Model(around('<userTask id="x"/>', boundary), vendors="zeebe").noria("c") == {}


def test_a_signal_carries_what_its_inputs_say_and_nothing_is_said_of_carrying_nothing():
    def thrown(extensions):
        event = (
            f'<intermediateThrowEvent id="x"><extensionElements>{extensions}</extensionElements>'
            '<signalEventDefinition signalRef="g"/></intermediateThrowEvent>'
        )
        return Model(around(event), outside='<signal id="g" name="told"/>', vendors="zeebe")

    inputs = thrown('<zeebe:ioMapping><zeebe:input source="=a" target="b"/></zeebe:ioMapping>')
    assert inputs.mappings("x") == [("input", {"source": "=a", "target": "b"})]
    assert "import.carries_nothing" not in inputs.codes()
    assert "import.carries_nothing" in thrown("").codes()


def ad_hoc(extensions):
    inside = '<userTask id="a"/><userTask id="b"/>'
    return Model(
        around(
            f'<adHocSubProcess id="x"><extensionElements>{extensions}</extensionElements>{inside}</adHocSubProcess>'
        ),
        vendors="zeebe",
    )


def test_in_an_ad_hoc_sub_process_only_what_is_named_begins():
    named = ad_hoc('<zeebe:adHoc activeElementsCollection="=[&quot;a&quot;]"/>')
    assert named.noria("x") == {"activities": '=["a"]'}
    assert named.codes("changed").count("import.activities_bring") == 1
    none = ad_hoc("")
    assert none.noria("x") == {"activities": "= []"}
    assert "import.activities_none" in none.codes("changed")


def boundary_timer(timer):
    return Model(
        around(
            '<userTask id="x"/>',
            f'<boundaryEvent id="b" attachedToRef="x" cancelActivity="false"><timerEventDefinition id="t">{timer}'
            '</timerEventDefinition></boundaryEvent><sequenceFlow id="f3" sourceRef="b" targetRef="e"/>',
        ),
        vendors="zeebe",
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("= cycle(n, duration(d))", "R3/PT2H"),
        ("=cycle(null, duration(&quot;P7D&quot;))", "R/P7D"),
        ("= cycle(duration(d))", "R/PT2H"),
    ],
)
def test_the_function_cycle_gives_its_text(given, wanted):
    model = boundary_timer(f"<timeCycle>{given}</timeCycle>")
    assert "import.timer_expression" in model.codes("mapped")
    source = model["t"].first(bpmn("timeCycle")).text.removeprefix("=")
    assert compile_expression(source).evaluate({"n": 3, "d": "PT2H"}, EvaluationContext(0)) == wanted


def test_a_context_in_a_timer_or_name_stays_an_expression():
    model = boundary_timer("<timeDuration>= {a: d}.a</timeDuration>")
    assert model["t"].first(bpmn("timeDuration")).text == "= {a: d}.a"
    named = Model(
        around('<receiveTask id="x" messageRef="m"/>'),
        outside='<message id="m" name="= {a: &quot;paid&quot;}.a"/>',
        vendors="zeebe",
    )
    assert named["m"].get("name") == '= {a: "paid"}.a'


def test_a_cycle_with_a_zone_keeps_its_offset_and_cron_says_whose_time_it_is():
    zoned = boundary_timer("<timeCycle>R/2027-01-01T10:00:00+02:00[Europe/Berlin]/P1D</timeCycle>")
    assert zoned["t"].first(bpmn("timeCycle")).text == "R/2027-01-01T10:00:00+02:00/P1D"
    assert "import.zone_left" in zoned.codes("changed")
    assert zoned.errors() == []
    assert "import.cron_zone" in boundary_timer("<timeCycle>0 0 9-17 * * MON-FRI</timeCycle>").codes("changed")


def test_a_date_with_a_zone_as_java_writes_it_is_read():
    model = boundary_timer("<timeDate>2027-01-01T10:00:00+02:00[Europe/Berlin]</timeDate>")
    assert model.errors() == []
    mapped = element(
        "task",
        "<zeebe:ioMapping><zeebe:input source='=date and time(\"2027-01-01T10:00:00+01:00[Europe/Berlin]\")' "
        "target='b'/></zeebe:ioMapping>",
    )
    ((_, taken),) = mapped.mappings("x")
    assert taken["source"] == '=date and time("2027-01-01T10:00:00@Europe/Berlin")'


def condition(text):
    """A gateway with a flow named c and its condition."""
    return Model(
        '<startEvent id="s"/><exclusiveGateway id="g" default="d"/><endEvent id="e"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="g"/><sequenceFlow id="d" sourceRef="g" targetRef="e"/>'
        f'<sequenceFlow id="c" sourceRef="g" targetRef="e"><conditionExpression>{text}</conditionExpression>'
        "</sequenceFlow>",
        vendors="zeebe",
    )


@pytest.mark.parametrize(
    "text",
    [
        "= uuid() = a",
        "= random number() &gt; 1",
        "= string join(a, b, c, d) = e",
        '= date and time(a, "Europe/Berlin") = b',
        "= camunda.vars.env.limit &gt; a",
        "= some x in a satisfies unheard of(x)",
    ],
)
def test_a_condition_that_only_camunda_can_compute_needs_work_and_is_refused(text):
    model = condition(text)
    assert len(model.codes("needs_work")) == 1
    assert "bpmn.expression_language" in model.errors() or "feel.syntax" in model.errors()


def test_names_in_back_quotes_are_plain_names():
    model = condition("= `a` = &quot;`b`&quot; and c.`d` &gt; 1")
    assert model["c"].first(bpmn("conditionExpression")).text == '= a = "`b`" and c.d > 1'
    assert model.codes("needs_work") == []
    assert len(condition("= `a b` = 1").codes("needs_work")) == 1


def test_a_function_that_a_model_defines_itself_is_known():
    assert condition("= {f: function(x) x + 1, y: f(a)}.y &gt; 1").codes("needs_work") == []


@pytest.mark.parametrize("kind", ["error", "escalation"])
def test_a_code_is_computed_where_it_is_thrown_and_constant_where_it_is_caught(kind):
    def model(code, caught=False):
        boundary = (
            f'<boundaryEvent id="b" attachedToRef="x"><{kind}EventDefinition {kind}Ref="c"/></boundaryEvent>'
            '<sequenceFlow id="f3" sourceRef="b" targetRef="e"/>'
        )
        thrown = (
            f'<subProcess id="x"><startEvent id="s1"/><endEvent id="e1"><{kind}EventDefinition {kind}Ref="c"/>'
            '</endEvent><sequenceFlow id="g1" sourceRef="s1" targetRef="e1"/></subProcess>'
        )
        root = f'<{kind} id="c" {kind}Code="{code}"/>'
        return Model(around(thrown, boundary if caught else ""), outside=root, vendors="zeebe")

    computed = model("= `reason` + 1")
    assert computed["c"].get(f"{kind}Code") == "= reason + 1"
    assert (computed.codes(), computed.errors()) == (["import.code_computed"], [])
    assert model("= uuid()").codes() == ["import.feel_function"]
    caught = model("= reason", caught=True)
    assert caught.codes() == ["import.code_expression"]
    assert caught.errors() == ["bpmn.value"]


def test_which_version_of_a_decision_or_form_is_used_is_said():
    decision = element("businessRuleTask", '<zeebe:calledDecision decisionId="rate" resultVariable="r"/>')
    assert decision.codes("changed") == ["import.binding_kept"]
    form = element("userTask", '<zeebe:formDefinition formId="f" bindingType="deployment"/>')
    assert "import.binding_kept" not in form.codes()


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


@pytest.mark.parametrize("source", ["=uuid()", "=assert(a, a != null)", "=a +"])
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


PLATFORM = 'xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="{}"'
CALL = '<callActivity id="x">{}</callActivity>'
CALLED = '<extensionElements><zeebe:calledElement processId="q"/></extensionElements>'


@pytest.mark.parametrize("root", ["", PLATFORM.format("Camunda Cloud")])
def test_a_file_of_camunda_8_may_still_declare_the_namespace_of_camunda_7(root):
    model = Model(around(CALL.format(CALLED)), vendors="zeebe camunda", root=root)
    assert model.noria("x") == {}
    assert "import.uncaught" not in model.codes()


def test_the_platform_says_whose_a_file_is_when_nothing_is_said_in_a_namespace():
    start = '<startEvent id="y" isInterrupting="false"><signalEventDefinition signalRef="g"/></startEvent>'
    inside = f'{start}<endEvent id="z"/><sequenceFlow id="f3" sourceRef="y" targetRef="z"/>'
    body = around('<task id="x"/>', f'<subProcess id="q" triggeredByEvent="true">{inside}</subProcess>')

    def begun(platform, vendors=""):
        outside = '<signal id="g" name="told"/>'
        return Model(body, outside=outside, vendors=vendors, root=PLATFORM.format(platform)).noria("y")

    assert begun("Camunda Cloud") == {"passOn": "outputs"}
    assert begun("Camunda Platform", "zeebe camunda") == {}


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
