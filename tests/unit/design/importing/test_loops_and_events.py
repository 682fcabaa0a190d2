"""Multi-instance activities, triggers, ends, and what vendors leave unsaid."""

from __future__ import annotations

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import bpmn, noria
from noria.design.importing import import_bpmn


def loop(attributes="", inside=""):
    return Model(
        around(
            '<userTask id="x" camunda:assignee="a">'
            f'<multiInstanceLoopCharacteristics id="m" {attributes}>{inside}</multiInstanceLoopCharacteristics>'
            f"</userTask>"
        )
    )


@pytest.mark.parametrize("collection", ["people", "${people}"])
def test_a_loop_runs_over_a_collection(collection):
    model = loop(f'camunda:collection="{collection}" camunda:elementVariable="person"')
    assert model.noria("m") == {"collection": "= people", "item": "person"}


def test_the_vendors_take_a_data_reference_for_a_variable():
    model = loop("", '<loopDataInputRef>people</loopDataInputRef><inputDataItem name="person"/>')
    assert model.noria("m") == {"collection": "= people", "item": "person"}
    assert model["m"].first(bpmn("loopDataInputRef")) is None


def test_the_index_is_an_input_that_counts_from_0():
    model = loop('flowable:collection="${people}" flowable:elementIndexVariable="i"')
    assert model.mappings("x") == [("input", {"source": "= loopCounter - 1", "target": "i"})]


def test_the_counters_have_bpmns_names():
    model = loop(
        "",
        "<loopCardinality>${count}</loopCardinality><completionCondition>${nrOfCompletedInstances/nrOfInstances "
        "&gt;= 0.5}"
        "</completionCondition>",
    )
    count = model["m"].first(bpmn("loopCardinality")).text
    assert count == "if count instance of string then number(count) else count"
    condition = model["m"].first(bpmn("completionCondition")).text
    assert condition == "numberOfCompletedInstances / numberOfInstances >= 0.5"


def test_gathered_variables_are_an_output_collection():
    model = loop(
        'flowable:collection="people"',
        '<extensionElements><flowable:variableAggregation target="answers"><flowable:variable source="ok"/>'
        '<flowable:variable sourceExpression="${text.length()}" target="size"/></flowable:variableAggregation>'
        "</extensionElements>",
    )
    assert model.noria("m")["outputCollection"] == "answers"
    assert model.noria("m")["outputItem"] == "= {ok: ok, size: string length(text)}"


def event(definition, kind="intermediateCatchEvent", outside=""):
    return Model(around(f'<{kind} id="x">{definition}</{kind}>'), outside=outside)


def test_caught_errors_leave_code_and_message_in_variables():
    model = Model(
        around('<userTask id="x" camunda:assignee="a"/>')
        + '<boundaryEvent id="b" attachedToRef="x"><errorEventDefinition id="d" errorRef="oops" '
        'camunda:errorCodeVariable="code" camunda:errorMessageVariable="text"/></boundaryEvent>'
        '<sequenceFlow id="f3" sourceRef="b" targetRef="e"/>'
    )
    assert model.noria("d") == {"codeVariable": "code", "messageVariable": "text"}
    assert model["oops"].get("errorCode") == "oops"
    assert "import.declared" in model.codes("changed")
    assert model.errors() == []


def test_the_message_of_an_error_is_said_by_each_event_that_throws_it():
    model = event(
        '<errorEventDefinition id="d" errorRef="oops"/>',
        "endEvent",
        '<error id="oops" errorCode="1" camunda:errorMessage="${text} again"/>',
    )
    assert model.noria("d")["message"] == '= string join([string(text), " again"])'
    assert "import.error_message" in model.codes("mapped")


def test_an_error_that_nothing_catches_is_a_plain_end_to_camunda_alone():
    thrown = '<endEvent id="x"><errorEventDefinition id="d" errorRef="oops"/></endEvent>'
    call = '<callActivity id="c" calledElement="q"/><sequenceFlow id="f3" sourceRef="s" targetRef="c"/>'
    for vendor, words in (("camunda", "goOn"), ("operaton", "goOn"), ("flowable", None)):
        model = Model(around(thrown) + call, outside='<error id="oops" errorCode="1"/>', vendors=vendor)
        assert [model.noria(key).get("whenUncaught") for key in ("d", "c")] == [words, words]
        assert model.codes().count("import.uncaught") == (0 if words is None else 2)


def test_the_variable_of_flowables_caught_error_receives_its_code():
    model = Model(
        around('<userTask id="x" camunda:assignee="a"/>')
        + '<boundaryEvent id="b" attachedToRef="x"><errorEventDefinition id="d" errorRef="oops" '
        'flowable:errorVariableName="code" flowable:errorVariableTransient="true"/></boundaryEvent>'
        '<sequenceFlow id="f3" sourceRef="b" targetRef="e"/>'
    )
    assert model.noria("d") == {"codeVariable": "code"}
    assert "import.transient" in model.codes("changed")


@pytest.mark.parametrize("calendar", ["dueDate", "duration", "cycle"])
def test_flowables_own_calendars_of_a_timer_are_no_working_calendars(calendar):
    model = event(
        f'<timerEventDefinition id="d" flowable:businessCalendarName="{calendar}">'
        "<timeDuration>PT1H</timeDuration></timerEventDefinition>"
    )
    assert model.noria("d") == {}
    assert model.errors() == []


def test_what_was_taken_out_is_not_reported_as_left():
    model = loop("", "<loopDataInputRef>${people}</loopDataInputRef>")
    assert model.codes("needs_work") == []


def test_a_conditional_event_listens_to_named_changes():
    model = event(
        '<conditionalEventDefinition id="d" camunda:variableName="a" camunda:variableEvents="create, delete">'
        "<condition>${a == 1}</condition></conditionalEventDefinition>"
    )
    assert model.noria("d") == {"variables": "a", "on": "create"}
    assert model["d"].first(bpmn("condition")).text == "a = 1"
    assert "import.condition_delete" in model.codes("changed")


@pytest.mark.parametrize("kind", ["error", "escalation"])
@pytest.mark.parametrize(
    ("vendor", "code", "named"), [("camunda", "", False), ("camunda", '{}Code="1"', True), ("flowable", "", True)]
)
def test_what_catches_something_without_a_code_catches_everything_to_camunda(kind, vendor, code, named):
    model = Model(
        around('<callActivity id="x" calledElement="q"/>')
        + f'<boundaryEvent id="b" attachedToRef="x"><{kind}EventDefinition id="d" {kind}Ref="r"/></boundaryEvent>'
        '<sequenceFlow id="f3" sourceRef="b" targetRef="e"/>',
        outside=f'<{kind} id="r" {code.format(kind)}/>',
        vendors=vendor,
    )
    assert model["d"].get(f"{kind}Ref") == ("r" if named else "")
    assert ("import.any_code" in model.codes("mapped")) is not named
    assert model.errors() == []


@pytest.mark.parametrize(
    ("vendor", "goes_on", "every"),
    [("camunda", "false", True), ("camunda", "true", False), ("flowable", "false", False)],
)
def test_to_camunda_each_change_is_an_occurrence_of_a_condition_that_interrupts_nothing(vendor, goes_on, every):
    model = Model(
        around('<task id="x"/>')
        + f'<boundaryEvent id="b" attachedToRef="x" cancelActivity="{goes_on}"><conditionalEventDefinition id="d">'
        "<condition>${a == 1}</condition></conditionalEventDefinition></boundaryEvent>"
        '<sequenceFlow id="f3" sourceRef="b" targetRef="e"/>',
        vendors=vendor,
    )
    assert model.noria("d") == ({"everyChange": "true"} if every else {})
    assert ("import.every_change" in model.codes("mapped")) is every
    assert model.errors() == []


def test_a_variable_listener_is_a_conditional_event():
    model = event(
        '<extensionElements><flowable:variableListenerEventDefinition variableName="a" variableChangeType="update"/>'
        "</extensionElements>"
    )
    definition = model["x"].first(bpmn("conditionalEventDefinition"))
    assert (definition.get(noria("variables")), definition.get(noria("on"))) == ("a", "update")
    assert definition.first(bpmn("condition")).text == ""
    assert model.errors() == []


@pytest.mark.parametrize(
    ("vendors", "cron", "cycle"),
    [
        ("camunda", "0 0/5 * * * ?", "0 0/5 * * * *"),
        ("camunda", "0 0 9 ? * 2-6", "0 0 9 * * MON-FRI"),
        ("camunda", "0 0 9 ? * 2/2", "0 0 9 * * MON,WED,FRI"),
        ("camunda", "0 0 9 ? * FRI-MON", "0 0 9 * * FRI,SAT,SUN,MON"),
        ("camunda", "0 0 9 ? * L", "0 0 9 * * SAT"),
        ("flowable", "0 15 10 ? * 6L *", "0 15 10 * * 5L"),
        ("flowable", "0 15 10 ? * FRI#3", "0 15 10 * * 5#3"),
        ("flowable", "0 0 22-2 * NOV-FEB ?", "0 0 22-23,0-2 * 11-12,1-2 *"),
        ("zeebe", "@daily", "0 0 0 * * *"),
        ("zeebe", "0 0 9 * * 5-7", "0 0 9 * * FRI,SAT,SUN"),
        ("zeebe", "0 0 0 * * FRIL", "0 0 0 * * 5L"),
    ],
)
def test_a_cron_expression_is_written_as_cron_reads_it(vendors, cron, cycle):
    model = Model(starting(cron), vendors=vendors)
    assert model["d"].first(bpmn("timeCycle")).text == cycle
    assert model.codes("mapped") == ["import.cron"]
    assert model.errors() == []


@pytest.mark.parametrize("cron", ["0 0 9 * * MON-FRI", "0 9 * * 1-5", "0 0 12 L * *"])
def test_a_cron_expression_that_means_the_same_here_stays(cron):
    model = Model(starting(cron), vendors="zeebe")
    assert (model["d"].first(bpmn("timeCycle")).text, model.codes("mapped")) == (cron, [])


@pytest.mark.parametrize(
    "cron", ["0 0 12 15W * ?", "0 0 12 L-3 * ?", "0 15 10 * * ? 2027", "0 0 9 1 * MON", "0 0 9 ? * 8", "daily"]
)
def test_what_cron_has_no_word_for_needs_work(cron):
    assert Model(starting(cron), vendors="camunda").codes("needs_work") == ["import.cron_unsupported"]


def test_a_cron_expression_on_an_event_in_the_flow_happens_once():
    model = event('<timerEventDefinition id="d"><timeCycle>0 0 9 ? * MON</timeCycle></timerEventDefinition>')
    assert model["d"].first(bpmn("timeCycle")).text == "R1/0 0 9 * * MON"
    assert model.codes("changed") == ["import.cron_once"]
    assert model.errors() == []


def starting(cycle):
    timer = f'<timerEventDefinition id="d"><timeCycle>{cycle}</timeCycle></timerEventDefinition>'
    return around('<task id="x"/>').replace('<startEvent id="s"/>', f'<startEvent id="s">{timer}</startEvent>')


def test_a_cycle_on_an_event_in_the_flow_happens_once():
    model = event('<timerEventDefinition id="d"><timeCycle>R/PT5M</timeCycle></timerEventDefinition>')
    assert model["d"].first(bpmn("timeDuration")).text == "PT5M"
    assert model.codes("changed") == ["import.cycle_once"]
    assert model.errors() == []


def test_camundas_escalation_boundary_event_does_not_interrupt_unless_it_says_so():
    body = (
        '<userTask id="x" camunda:assignee="a"/><boundaryEvent id="b" attachedToRef="x"><escalationEventDefinition/>'
        "</boundaryEvent>"
    )
    assert Model(body, vendors="camunda")["b"].get("cancelActivity") == "false"
    assert Model(body.replace("camunda", "flowable"), vendors="flowable")["b"].get("cancelActivity") == ""


def test_an_event_that_always_interrupts_does_not_say_otherwise():
    model = Model(
        '<task id="x"/><boundaryEvent id="b" attachedToRef="x" cancelActivity="false"><errorEventDefinition/>'
        '</boundaryEvent><sequenceFlow id="f" sourceRef="b" targetRef="e"/><endEvent id="e"/>'
    )
    assert model["b"].get("cancelActivity") == ""
    assert model.codes("changed") == ["import.always_interrupts"]


def test_a_timer_may_be_computed():
    model = event('<timerEventDefinition id="d"><timeDuration>${wait}</timeDuration></timerEventDefinition>')
    assert model["d"].first(bpmn("timeDuration")).text == "= wait"
    assert model.errors() == []


def test_names_of_messages_and_signals_may_be_computed():
    model = event('<messageEventDefinition messageRef="m"/>', outside='<message id="m" name="order-${id}"/>')
    assert model["m"].get("name") == '= string join(["order-", string(id)])'
    model = event('<signalEventDefinition id="d" activiti:signalExpression="${which}"/>')
    assert model[model["d"].get("signalRef")].get("name") == "= which"
    assert model.errors() == []


def test_a_message_is_found_by_the_key_that_activiti_gives_its_event():
    model = Model(
        '<intermediateCatchEvent id="x"><messageEventDefinition messageRef="m" activiti:correlationKey="${order.id}"/>'
        "</intermediateCatchEvent>",
        outside='<message id="m" name="paid"/>',
    )
    assert model.noria("x") == {"correlation": "= order.id"}
    assert "import.correlated" not in model.codes()


def test_a_receive_task_without_a_message_is_named_after_itself():
    model = Model(around('<receiveTask id="x"/>'))
    assert model[model["x"].get("messageRef")].get("name") == "x"
    assert model.codes("changed") == ["import.named_message"]
    assert model.errors() == []


def test_what_a_signal_carries_is_mapped_at_both_ends():
    thrown = Model(
        around(
            '<intermediateThrowEvent id="x"><signalEventDefinition signalRef="s1"><extensionElements>'
            '<camunda:in source="a" target="b"/></extensionElements></signalEventDefinition></intermediateThrowEvent>'
        ),
        outside='<signal id="s1" name="n"/>',
    )
    assert thrown.mappings("x") == [("input", {"source": "= a", "target": "b"})]
    caught = event(
        '<extensionElements><flowable:in source="b" target="c"/></extensionElements><signalEventDefinition '
        'signalRef="s1"/>',
        outside='<signal id="s1" name="n"/>',
    )
    assert caught.mappings("x") == [("output", {"source": "= b", "target": "c"})]


def test_a_signal_may_carry_a_business_key_and_nothing_else():
    key = '<extensionElements><camunda:in businessKey="${number}"/></extensionElements>'
    model = Model(
        around(
            f'<intermediateThrowEvent id="x"><signalEventDefinition signalRef="s1">{key}</signalEventDefinition>'
            "</intermediateThrowEvent>"
        ),
        outside='<signal id="s1" name="n"/>',
    )
    assert model.noria("x") == {"correlation": "= number"}
    assert model.mappings("x") == [("input", {"source": "= business_key", "target": "business_key"})]
    assert {"import.signal_key", "import.carries_nothing"} <= set(model.codes("mapped"))


def test_terminate_all_ends_the_whole_instance():
    model = Model(
        '<startEvent id="s"/><endEvent id="x"><terminateEventDefinition id="d" flowable:terminateAll="true"/>'
        "</endEvent>"
        '<sequenceFlow id="f" sourceRef="s" targetRef="x"/>'
    )
    assert model.noria("d") == {"terminateAll": "true"}


def test_terminate_multi_instance_ends_the_loop_around_it():
    model = Model(
        '<subProcess id="each"><multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality>'
        '</multiInstanceLoopCharacteristics><startEvent id="s"/><endEvent id="x">'
        '<terminateEventDefinition id="d" flowable:terminateMultiInstance="true"/></endEvent>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="x"/></subProcess>'
    )
    assert model.noria("d") == {"terminateLoop": "true"}


def test_what_has_no_id_is_given_one():
    model = Model('<task/><task id="x"/><sequenceFlow sourceRef="x" targetRef="y"/><endEvent id="y"/>')
    assert model.codes("changed") == ["import.id", "import.id"]
    assert model["flow_x_y"].local == "sequenceFlow"


def test_a_process_that_does_not_say_whether_it_runs_runs():
    text = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p"/></definitions>'
    imported = import_bpmn(text.encode(), "m.bpmn")
    assert b'isExecutable="true"' in imported.document
    assert [line.code for line in imported.lines] == ["import.executable"]


def test_a_flow_without_a_condition_is_what_the_vendors_take_it_for():
    flows = (
        '<startEvent id="s"/><exclusiveGateway id="x"/><endEvent id="e"/>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="x"/>'
        '<sequenceFlow id="a" sourceRef="x" targetRef="e"/>'
        '<sequenceFlow id="b" sourceRef="x" targetRef="e"><conditionExpression>${c}</conditionExpression>'
        "</sequenceFlow>"
        '<sequenceFlow id="d" sourceRef="x" targetRef="e"/>'
    )
    model = Model(flows)
    assert model["a"].first(bpmn("conditionExpression")).text == "true"
    assert model["x"].get("default") == "d"
    assert model.errors() == []


def test_conditions_behind_a_start_event_get_a_gateway_that_is_drawn():
    model = Model(
        '<startEvent id="s"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e">'
        "<conditionExpression>${c}</conditionExpression></sequenceFlow>",
        outside='<x:BPMNDiagram xmlns:x="http://www.omg.org/spec/BPMN/20100524/DI" '
        'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI">'
        '<x:BPMNPlane><x:BPMNShape id="sh" bpmnElement="s"><dc:Bounds x="10" y="20" width="36" height="36"/>'
        '</x:BPMNShape><x:BPMNEdge id="ed" bpmnElement="f"><di:waypoint x="46" y="38"/></x:BPMNEdge></x:BPMNPlane>'
        "</x:BPMNDiagram>",
    )
    assert model["f"].get("sourceRef") == "split_s"
    assert model["split_s_di"].get("bpmnElement") == "split_s"
    assert model.errors() == []


def test_an_event_gateway_with_one_event_has_nothing_to_choose():
    model = Model(
        '<startEvent id="s"/><eventBasedGateway id="g"/><intermediateCatchEvent id="x"><timerEventDefinition>'
        '<timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>'
        '<sequenceFlow id="a" sourceRef="s" targetRef="g"/><sequenceFlow id="b" sourceRef="g" targetRef="x"/>'
        '<sequenceFlow id="c" sourceRef="x" targetRef="e"/>'
    )
    assert model["g"].local == "exclusiveGateway"
    assert model.errors() == []


@pytest.mark.parametrize(
    "event",
    [
        '<boundaryEvent id="late" attachedToRef="x" cancelActivity="false">{}</boundaryEvent>',
        '<intermediateCatchEvent id="late">{}</intermediateCatchEvent><sequenceFlow sourceRef="x" targetRef="late"/>',
    ],
)
def test_a_token_that_ends_at_an_event_ends_at_an_end_event(event):
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    model = Model(around('<userTask id="x" camunda:assignee="a"/>', event.format(timer)))
    assert "import.dead_end" in model.codes()
    assert model["end_late"].local == "endEvent"
    assert model.errors() == []


def test_the_only_flow_out_of_an_activity_gets_a_gateway_for_its_condition():
    body = (
        '<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/><userTask id="t" camunda:assignee="a"/>'
        '<sequenceFlow id="g" sourceRef="t" targetRef="e"><conditionExpression>${ok}</conditionExpression>'
        '</sequenceFlow><endEvent id="e"/>'
    )
    model = Model(body)
    assert model["g"].get("sourceRef") == "split_t"
    assert model["split_t"].local == "exclusiveGateway"
    assert "import.conditions" in model.codes()
    assert model.errors() == []


def test_what_a_drawing_tool_writes_everywhere_does_not_refuse_a_process_that_is_run():
    body = (
        '<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="e" isImmediate="false"/><endEvent id="e"/>'
    )
    model = Model(body, process='processType="Public"')
    assert {"import.immediate", "import.private"} <= set(model.codes())
    assert model.errors() == []


def test_a_flow_that_one_end_lists_is_listed_at_both():
    body = (
        '<startEvent id="s"><outgoing>f</outgoing></startEvent><sequenceFlow id="f" sourceRef="s" targetRef="t"/>'
        '<userTask id="t" camunda:assignee="a"><documentation>why</documentation></userTask>'
        '<sequenceFlow id="g" sourceRef="t" targetRef="e"/><endEvent id="e"><incoming>g</incoming></endEvent>'
    )
    model = Model(body)
    assert [child.local for child in model["t"].elements()][:3] == ["documentation", "incoming", "outgoing"]
    assert model.codes().count("import.listed") == 2
    assert model.errors() == []


def test_conditions_behind_an_event_within_get_a_gateway():
    catch = (
        '<intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    ways = "".join(
        f'<sequenceFlow id="to{name}" sourceRef="late" targetRef="{name}"><conditionExpression>${{a == {name!r}}}'
        f'</conditionExpression></sequenceFlow><endEvent id="{name}"/>'
        for name in ("one", "two")
    )
    model = Model('<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="late"/>' + catch + ways)
    assert model["toone"].get("sourceRef") == model["totwo"].get("sourceRef") == "split_late"
    assert model["split_late"].local == "inclusiveGateway"
    assert model.errors() == []


@pytest.mark.parametrize("gateway", ["parallelGateway", "eventBasedGateway"])
def test_a_condition_that_nobody_looks_at_is_dropped(gateway):
    catches = "".join(
        f'<intermediateCatchEvent id="{name}"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
        for name in "ab"
    )
    model = Model(
        f'<startEvent id="s"/><{gateway} id="g"/>{catches}<endEvent id="e"/>'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="g"/><sequenceFlow id="f2" sourceRef="g" targetRef="a">'
        '<conditionExpression xsi:type="tFormalExpression">${x > 1}</conditionExpression></sequenceFlow>'
        '<sequenceFlow id="f3" sourceRef="g" targetRef="b"/><sequenceFlow id="f4" sourceRef="a" targetRef="e"/>'
        '<sequenceFlow id="f5" sourceRef="b" targetRef="e"/>'
    )
    assert "import.never_looked_at" in model.codes("changed")
    assert model.errors() == []


@pytest.mark.parametrize(
    "event",
    [
        '<intermediateThrowEvent id="x"/>',
        (
            '<intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
            "</timerEventDefinition></intermediateCatchEvent>"
        ),
    ],
)
def test_the_only_flow_out_of_an_event_gets_a_gateway_for_its_condition(event):
    model = Model(
        f'<startEvent id="s"/>{event}<endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="x"/>'
        '<sequenceFlow id="f2" sourceRef="x" targetRef="e"><conditionExpression xsi:type="tFormalExpression">'
        "${y > 1}</conditionExpression></sequenceFlow>"
    )
    assert "import.conditions" in model.codes("changed")
    assert model.errors() == []


LOST = (
    '<userTask id="lost" camunda:assignee="a"/><boundaryEvent id="b" attachedToRef="lost">'
    "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    '<task id="after"/><sequenceFlow id="f3" sourceRef="lost" targetRef="after"/>'
    '<sequenceFlow id="f4" sourceRef="b" targetRef="after"/>'
)


def test_what_nothing_leads_to_is_left_out_with_what_hangs_on_it():
    lane = '<laneSet id="ls"><lane id="l" name="sales"><flowNodeRef>lost</flowNodeRef></lane></laneSet>'
    flow = '<sequenceFlow id="f5" sourceRef="after" targetRef="e"/>'
    drawn = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" id="d"><bpmndi:BPMNPlane id="pl">'
        '<bpmndi:BPMNShape id="lost_di" bpmnElement="lost"/><bpmndi:BPMNEdge id="f3_di" bpmnElement="f3"/>'
        "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    )
    model = Model(lane + around('<task id="x"/>', LOST + flow), outside=drawn)
    kept = {node.get("id") for node in model.root.descendants() if node.get("id")}
    assert kept == {"p", "ls", "l", "s", "x", "e", "f1", "f2", "d", "pl"}
    assert model.codes("changed").count("import.unreached") == 2
    assert model.codes("needs_work") == []
    assert "import.no_meaning" in model.codes("mapped")
    assert model.errors() == []


def test_the_end_behind_what_is_left_out_goes_with_it_and_the_target_of_a_link_stays():
    lost = (
        '<userTask id="lost"/><intermediateThrowEvent id="said"/><endEvent id="over"/>'
        '<sequenceFlow id="f3" sourceRef="lost" targetRef="said"/>'
        '<sequenceFlow id="f4" sourceRef="said" targetRef="over"/>'
    )
    links = (
        '<intermediateThrowEvent id="away"><linkEventDefinition name="on"/></intermediateThrowEvent>'
        '<intermediateCatchEvent id="here"><linkEventDefinition name="on"/></intermediateCatchEvent>'
        '<sequenceFlow id="f5" sourceRef="here" targetRef="e"/>'
    )
    model = Model(around('<task id="x"/>', lost))
    assert {"lost", "said", "over"}.isdisjoint(node.get("id") for node in model.root.descendants())
    assert model.codes("changed").count("import.unreached") == 3
    assert model.errors() == []
    kept = {node.get("id") for node in Model(around('<task id="x"/>', links)).root.descendants()}
    assert "here" in kept


def test_without_a_vendor_what_nothing_leads_to_stays_and_is_refused():
    plain = import_bpmn(
        b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
        <process id="p" isExecutable="true"><startEvent id="s"/><endEvent id="e"/><task id="lost"/>
        <sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>""",
        "plain.bpmn",
    )
    assert plain.document is not None
    assert b'id="lost"' in plain.document
    assert "import.unreached" not in [line.code for line in plain.lines]


def test_what_a_parallel_join_would_wait_for_stays():
    join = '<parallelGateway id="x"/><task id="lost"/><sequenceFlow id="f3" sourceRef="lost" targetRef="x"/>'
    assert Model(around(join)).errors() == ["bpmn.unreachable"]


def test_what_begins_by_itself_is_not_left_out():
    handler = (
        '<userTask id="undo" camunda:assignee="a" isForCompensation="true"/><boundaryEvent id="b" attachedToRef="x">'
        "<compensateEventDefinition/></boundaryEvent>"
        '<association id="a1" associationDirection="One" sourceRef="b" targetRef="undo"/>'
        '<subProcess id="es" triggeredByEvent="true"><startEvent id="t"><errorEventDefinition/></startEvent>'
        '<endEvent id="u"/><sequenceFlow id="f9" sourceRef="t" targetRef="u"/></subProcess>'
    )
    model = Model(around('<userTask id="x" camunda:assignee="a"/>', handler))
    assert "import.unreached" not in model.codes()
    assert model.errors() == []
