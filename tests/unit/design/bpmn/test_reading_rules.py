"""What contradicts itself between elements of a file: message flows, listed flows, links, gateways, shared events."""

from __future__ import annotations

from itertools import pairwise

import pytest

from noria.design.bpmn import compile_bpmn, read_bpmn

NAMESPACE = "http://www.omg.org/spec/BPMN/20100524/MODEL"
POOLS = (
    '<collaboration id="c"><participant id="here" processRef="p"/><participant id="there"/>'
    '<messageFlow id="m" sourceRef="{source}" targetRef="{target}"/></collaboration><message id="hello"/>'
)
COUNT = '<loopCardinality xsi:type="tFormalExpression">2</loopCardinality>'
ALL = "<loopDataInputRef>all</loopDataInputRef>"
BY_OPERATION = "<messageEventDefinition><operationRef>place</operationRef></messageEventDefinition>"
MESSAGE = '<messageEventDefinition messageRef="hello"/>'


def codes(body, outside="", attributes='isExecutable="true"'):
    """Severity and code of every finding about a file with one process."""
    data = (
        f'<definitions xmlns="{NAMESPACE}" xmlns:noria="urn:noria:bpmn:1" targetNamespace="t" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{outside}'
        f'<process id="p" {attributes}>{body}</process></definitions>'
    )
    read, findings = read_bpmn(data.encode(), "rules.bpmn")
    assert read is not None
    return [(item.severity, item.code) for item in [*findings, *compile_bpmn(read)[1]]]


def chain(*nodes):
    """The nodes, each leading to the next by a flow f0, f1, …"""
    ids = [node.split('id="')[1].split('"')[0] for node in nodes]
    flows = [
        f'<sequenceFlow id="f{at}" sourceRef="{source}" targetRef="{target}"/>'
        for at, (source, target) in enumerate(pairwise(ids))
    ]
    return "".join((*nodes, *flows))


def _flow(name, source, target, inside=""):
    return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


@pytest.mark.parametrize(
    ("source", "target", "body"),
    [
        ("s", "e", chain(START, END)),
        ("here", "t", chain(START, '<task id="t"/>', END)),
        ("there", "s", chain(START, END)),
        ("e", "there", chain(START, END)),
        ("there", "e", chain(START, f'<endEvent id="e">{MESSAGE}</endEvent>')),
        ("there", "g", chain(START, '<exclusiveGateway id="g"/>', END)),
    ],
)
def test_a_message_flow_leads_from_a_sender_to_a_receiver_in_another_pool(source, target, body):
    assert ("error", "bpmn.message_flow") in codes(body, POOLS.format(source=source, target=target))


@pytest.mark.parametrize(
    ("source", "target", "body"),
    [
        ("there", "s", chain(f'<startEvent id="s">{MESSAGE}</startEvent>', END)),
        ("t", "there", chain(START, '<task id="t"/>', END)),
        ("there", "here", chain(START, END)),
    ],
)
def test_a_message_flow_between_pools_is_good(source, target, body):
    assert codes(body, POOLS.format(source=source, target=target)) == []


@pytest.mark.parametrize(
    "node",
    [
        '<sendTask id="x" operationRef="place"/>',
        '<receiveTask id="x" operationRef="place"/>',
    ],
)
def test_an_operation_says_which_message_a_task_means(node):
    operation = '<operation id="place"><inMessageRef>order</inMessageRef></operation>'
    outside = f'<message id="order" name="Order"/><interface id="i">{operation}</interface>'
    assert codes(chain(START, node, END), outside) == []
    assert codes(chain(START, node, END), outside.replace("place", "other")) != []
    event = f'<intermediateThrowEvent id="x">{BY_OPERATION}</intermediateThrowEvent>'
    assert codes(chain(START, event, END), outside) == [("error", "bpmn.no_message")]
    data = (
        f'<definitions xmlns="{NAMESPACE}" targetNamespace="t">{outside}'
        f'<process id="p" isExecutable="true">{chain(START, node, END)}</process></definitions>'
    )
    read, _ = read_bpmn(data.encode(), "rules.bpmn")
    assert read is not None
    (graph,), _ = compile_bpmn(read)
    element = graph.elements[graph.element_of["x"]]
    assert [trigger.name for trigger in element.triggers] == ["Order"]


def test_an_element_lists_only_its_own_flows():
    start = '<startEvent id="s"><outgoing>f0</outgoing></startEvent>'
    listed = chain(start, '<task id="t"><incoming>{0}</incoming>{1}</task>', END)
    assert codes(listed.format("f0", "")) == []
    for other in ("f1", "none"):
        found = codes(listed.format("f0", f"<incoming>{other}</incoming>"))
        assert ("error", "bpmn.listed_flow") in found


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("", "", []),
        ("<outgoing>f0</outgoing>", "<incoming>f0</incoming>", []),
        ("<outgoing>f0</outgoing>", "", ["bpmn.listed_flow"]),
        ("", "<incoming>f0</incoming>", ["bpmn.listed_flow"]),
    ],
)
def test_a_flow_is_listed_at_both_of_its_ends_or_at_none(start, end, found):
    body = chain(f'<startEvent id="s">{start}</startEvent>', f'<endEvent id="e">{end}</endEvent>')
    assert [code for _, code in codes(body)] == found


def test_no_flow_goes_through_a_link():
    link = '<linkEventDefinition name="L"/>'
    throw, catch = (
        f'<intermediate{sort}Event id="{sort}">{link}</intermediate{sort}Event>' for sort in ("Throw", "Catch")
    )
    body = chain(START, throw) + catch + END + '<sequenceFlow id="x" sourceRef="Catch" targetRef="e"/>'
    assert codes(body) == []
    assert codes(chain(START, throw, catch, END)).count(("error", "bpmn.link")) == 2


def test_a_mixed_gateway_joins_and_splits():
    body = chain(START, '<parallelGateway id="g" gatewayDirection="Mixed"/>', END)
    assert codes(body) == [("error", "bpmn.gateway_direction")]


def test_a_shared_event_definition_stands_beside_the_process():
    shared = '<signal id="go"/><signalEventDefinition id="d" signalRef="go"/>'
    reference = "<eventDefinitionRef>d</eventDefinitionRef>"
    event = f'<intermediateCatchEvent id="c">{reference}</intermediateCatchEvent>'
    assert codes(chain(START, event, END), shared) == []
    owned = '<intermediateThrowEvent id="t"><signalEventDefinition id="d" signalRef="go"/></intermediateThrowEvent>'
    found = codes(chain(START, owned, event, END), '<signal id="go"/>')
    assert ("error", "bpmn.wrong_reference") in found


@pytest.mark.parametrize(
    ("body", "attributes", "code"),
    [
        (chain(START, END), 'isExecutable="true" processType="Public"', "bpmn.public_process"),
        (chain(START, END).replace('"f0"', '"f0" isImmediate="false"'), 'isExecutable="true"', "bpmn.not_immediate"),
    ],
)
def test_a_process_that_is_run_is_private_and_leaves_nothing_out(body, attributes, code):
    assert codes(body, attributes=attributes) == [("error", code)]
    assert codes(body, attributes=attributes.replace('"true"', '"false"'))[:-1] == []


TIMER = '<timerEventDefinition><timeDuration xsi:type="tFormalExpression">PT1H</timeDuration></timerEventDefinition>'
CATCH = f'<intermediateCatchEvent id="i">{TIMER}</intermediateCatchEvent>'
THROW = '<intermediateThrowEvent id="i"/>'
TASK = '<task id="t"/>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (chain(START, TASK, END) + f'<boundaryEvent id="b" attachedToRef="t">{TIMER}</boundaryEvent>', "dead_boundary"),
        (START + chain(TASK, END), "dead_start"),
        (chain(START, END) + chain(CATCH, '<endEvent id="e2"/>').replace("f0", "g0"), "dead_event"),
        (chain(START, END) + chain(THROW, '<endEvent id="e2"/>').replace("f0", "g0"), "dead_event"),
        (chain(START, '<parallelGateway id="g"/>', END) + CATCH + _flow("x", "g", "i"), "dead_event"),
        (chain(START, THROW), "dead_event"),
    ],
    ids=["boundary", "start", "no way to a catcher", "no way to a thrower", "behind a catcher", "behind a thrower"],
)
def test_flows_lead_on_from_every_event_but_an_end(body, code):
    assert ("error", f"bpmn.{code}") in codes(body)


def test_a_conditional_flow_is_never_the_only_one_out_of_an_activity():
    condition = '<conditionExpression xsi:type="tFormalExpression">a &gt; 1</conditionExpression>'
    alone = START + TASK + END + _flow("f0", "s", "t") + _flow("f1", "t", "e", condition)
    assert codes(alone) == [("error", "bpmn.condition_not_allowed")]
    assert codes(alone + '<task id="u"/>' + _flow("f2", "t", "u") + _flow("f3", "u", "e")) == []


@pytest.mark.parametrize("text", ["23", '"yes"', "@&quot;2026-01-01&quot;"])
def test_a_number_or_a_text_by_itself_is_no_condition(text):
    given = f'<conditionExpression xsi:type="tFormalExpression">{text}</conditionExpression>'
    loop = f"<standardLoopCharacteristics><loopCondition>{text}</loopCondition></standardLoopCharacteristics>"
    split = START + TASK + '<task id="u"/>' + END + _flow("f0", "s", "t") + _flow("f1", "t", "u", given)
    for body in (
        split + _flow("f2", "t", "e") + _flow("f3", "u", "e"),
        chain(START, f'<task id="t">{loop}</task>', END),
    ):
        assert codes(body) == [("error", "bpmn.condition")]
        assert codes(body.replace(text, "true")) == []


def test_of_catching_links_of_one_name_there_is_one():
    throw = '<intermediateThrowEvent id="throw"><linkEventDefinition name="L"/></intermediateThrowEvent>'
    catch = '<intermediateCatchEvent id="{0}"><linkEventDefinition name="L"/></intermediateCatchEvent>'
    ways = [catch.format(name) + _flow(f"to{name}", name, "e") for name in ("one", "two")]
    assert codes(chain(START, throw) + END + ways[0]) == []
    assert ("error", "bpmn.link") in codes(chain(START, throw) + END + "".join(ways))


def _behind_a_gateway(*events, attributes=""):
    ids = [event.split('id="')[1].split('"')[0] for event in events]
    ways = "".join(_flow(f"in{name}", "g", name) + _flow(f"out{name}", name, "e") for name in ids)
    return f'<eventBasedGateway id="g" {attributes}/>' + "".join(events) + END + ways


BY_MESSAGE = f'<intermediateCatchEvent id="m">{MESSAGE}</intermediateCatchEvent>'
RECEIVES = '<receiveTask id="r" messageRef="bye"/>'


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (START + _flow("f", "s", "g") + _behind_a_gateway(CATCH, BY_MESSAGE), []),
        (START + _flow("f", "s", "g") + _behind_a_gateway(CATCH, RECEIVES), []),
        (START + _flow("f", "s", "g") + _behind_a_gateway(BY_MESSAGE, RECEIVES), ["bpmn.event_gateway_target"]),
        (_behind_a_gateway(BY_MESSAGE, CATCH, attributes='instantiate="true"'), []),
        (
            _behind_a_gateway(BY_MESSAGE, CATCH, attributes='instantiate="true" eventGatewayType="Parallel"'),
            ["bpmn.event_gateway_target"],
        ),
        (
            START + _flow("f", "s", "g") + _behind_a_gateway(BY_MESSAGE, CATCH, attributes='instantiate="true"'),
            [],
        ),
        (
            chain(START, TASK)
            + _flow("f", "t", "g")
            + _behind_a_gateway(BY_MESSAGE, CATCH, attributes='instantiate="true"'),
            ["bpmn.instantiate"],
        ),
    ],
)
def test_what_may_stand_around_an_event_gateway(body, found):
    outside = '<message id="hello"/><message id="bye"/>'
    assert [code for severity, code in codes(body, outside) if severity == "error"] == found


@pytest.mark.parametrize(
    "marker",
    [
        '<standardLoopCharacteristics loopMaximum="-1"/>',
        f"<multiInstanceLoopCharacteristics behavior='One'>{COUNT}</multiInstanceLoopCharacteristics>",
        f"<multiInstanceLoopCharacteristics behavior='None'>{COUNT}</multiInstanceLoopCharacteristics>",
        f"<multiInstanceLoopCharacteristics behavior='Complex'>{COUNT}</multiInstanceLoopCharacteristics>",
        f"<multiInstanceLoopCharacteristics>{COUNT}{ALL}</multiInstanceLoopCharacteristics>",
        f"<multiInstanceLoopCharacteristics>{COUNT}<inputDataItem id='one'/></multiInstanceLoopCharacteristics>",
    ],
)
def test_a_loop_says_what_its_marker_needs(marker):
    assert ("error", "bpmn.loop") in codes(chain(START, f'<task id="t">{marker}</task>', END))


@pytest.mark.parametrize("inside", ['<startEvent id="a"/>', '<endEvent id="a"/>'])
def test_an_ad_hoc_sub_process_has_no_start_and_end_events(inside):
    ad_hoc = f'<adHocSubProcess id="h"><task id="t"/>{inside}</adHocSubProcess>'
    assert ("error", "bpmn.ad_hoc") in codes(chain(START, ad_hoc, END))


@pytest.mark.parametrize("event", ["endEvent", "intermediateThrowEvent"])
def test_an_escalation_that_is_thrown_has_a_code(event):
    thrown = f'<{event} id="x"><escalationEventDefinition escalationRef="up"/></{event}>'
    body = chain(START, thrown) if event == "endEvent" else chain(START, thrown, END)
    assert codes(body, '<escalation id="up" escalationCode="U"/>') == []
    assert codes(body, '<escalation id="up"/>') == [("error", "bpmn.no_code")]


@pytest.mark.parametrize(
    ("sets", "found"),
    [
        ("<inputSet><dataInputRefs>a</dataInputRefs></inputSet><outputSet/>", 0),
        ("<outputSet/>", 1),
        ("<inputSet/><outputSet/>", 1),
        (
            "<inputSet><dataInputRefs>a</dataInputRefs><optionalInputRefs>b</optionalInputRefs></inputSet><outputSet/>",
            2,
        ),
    ],
    ids=["good", "no set of inputs", "an input in no set", "an optional input that is not of its set"],
)
def test_data_inputs_and_outputs_are_in_sets(sets, found):
    inputs = '<dataInput id="a"/>' + ('<dataInput id="b"/>' if "optional" in sets else "")
    task = f'<task id="t"><ioSpecification>{inputs}{sets}</ioSpecification></task>'
    assert codes(chain(START, task, END)) == [("error", "bpmn.data_sets")] * found


@pytest.mark.parametrize(
    ("outside", "inside", "code"),
    [
        ("", '<association id="a" sourceRef="s"/>', "no_reference"),
        ("", '<association id="a" sourceRef="s" targetRef="gone"/>', "unresolved"),
        ("", '<dataObjectReference id="d"/>', "no_reference"),
        ("", '<laneSet id="l"><lane id="x"><flowNodeRef>gone</flowNodeRef></lane></laneSet>', "unresolved"),
        ("", '<laneSet id="l"><lane id="x"><flowNodeRef>f0</flowNodeRef></lane></laneSet>', "wrong_reference"),
        ('<collaboration id="c"><participant id="q" processRef="gone"/></collaboration>', "", "unresolved"),
        ('<collaboration id="c"><participant id="q" processRef="c"/></collaboration>', "", "wrong_reference"),
        ('<message id="m" itemRef="p"/>', "", "wrong_reference"),
        ('<import importType="http://www.omg.org/spec/BPMN/20100524/MODEL" namespace="o"/>', "", "no_reference"),
    ],
)
def test_a_reference_names_what_is_there_and_belongs_there(outside, inside, code):
    assert codes(inside + chain(START, END), outside) == [("error", f"bpmn.{code}")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (chain(START, '<userTsk id="t"/>', END), "unknown_element"),
        (
            chain(START, TASK, END)
            + f'<boundaryEvent id="b" attachedToRef="t" cancelActivity="no">{TIMER}</boundaryEvent>'
            + _flow("x", "b", "e"),
            "value",
        ),
        (chain(START, '<exclusiveGateway id="g" gatewayDirection="diverging"/>', END), "value"),
        (
            chain(
                START,
                '<task id="t"><ioSpecification><dataInput id="a"/><inputSet><dataInputRefs>a</dataInputRefs>'
                "</inputSet><outputSet/></ioSpecification><dataInputAssociation/></task>",
                END,
            ),
            "no_reference",
        ),
        (chain('<startEvent id="s"><dataInput id="a"/></startEvent>', END), "place"),
        (
            chain(
                START,
                '<exclusiveGateway id="g"><ioSpecification><inputSet/><outputSet/></ioSpecification>'
                "</exclusiveGateway>",
                END,
            ),
            "place",
        ),
        (chain(START, '<parallelGateway id="g" default="f1"/>', END), "default_flow"),
    ],
    ids=["element", "boolean", "one of some words", "child", "input of a start", "data of a gateway", "default flow"],
)
def test_a_word_that_bpmn_does_not_know_or_not_there_is_an_error(body, code):
    assert ("error", f"bpmn.{code}") in codes(body)


INPUT = (
    '<ioSpecification><dataInput id="{0}" name="{0}"/><inputSet><dataInputRefs>{0}</dataInputRefs></inputSet>'
    "<outputSet/></ioSpecification>"
)
OUTPUT = (
    '<ioSpecification><dataOutput id="{0}" name="{0}"/><inputSet/><outputSet><dataOutputRefs>{0}</dataOutputRefs>'
    "</outputSet></ioSpecification>"
)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ('<message id="m"/>', ""),
        ('<process id="q"/>', ""),
        ("", '<sequenceFlow id="f" sourceRef="s" targetRef="e"/>'),
        ("", '<startEvent id="x"/>'),
        ('<laneSet id="a"><lane id="l"><task id="x"/></lane></laneSet>', ""),
        ('<task id="x"><timerEventDefinition/></task>', ""),
        ('<task id="x"><dataObject id="d"/></task>', ""),
        ('<exclusiveGateway id="x"><standardLoopCharacteristics/></exclusiveGateway>', ""),
        ('<endEvent id="x"><dataOutputAssociation><targetRef>d</targetRef></dataOutputAssociation></endEvent>', ""),
        ("", '<collaboration id="c"><collaboration id="inner"/></collaboration>'),
    ],
)
def test_an_element_stands_where_the_schema_has_it(inside, outside):
    assert ("error", "bpmn.place") in codes(inside + chain(START, END), outside)


@pytest.mark.parametrize(
    "twice",
    [
        INPUT.format("a"),
        "<standardLoopCharacteristics><loopCondition>a</loopCondition></standardLoopCharacteristics>",
        "<extensionElements/>",
    ],
)
def test_what_there_is_one_of_is_not_there_twice(twice):
    assert codes(chain(START, f'<task id="t">{twice}</task>', END)) == []
    again = twice.replace('"a"', '"b"').replace(">a<", ">b<")
    assert ("error", "bpmn.once") in codes(chain(START, f'<task id="t">{twice}{again}</task>', END))


@pytest.mark.parametrize(
    ("attributes", "inside", "good"),
    [
        ('expressionLanguage="a%zz"', "", False),
        ('typeLanguage="&lt;none&gt;"', "", False),
        ('typeLanguage="http://www.w3.org/2001/XMLSchema"', "", True),
        ("", '<documentation textFormat="text/html">a</documentation>', True),
        ("", '<documentation textFormat="html">a</documentation>', False),
    ],
)
def test_a_uri_and_a_mime_type_look_like_one(attributes, inside, good):
    data = (
        f'<definitions xmlns="{NAMESPACE}" targetNamespace="t" {attributes}><process id="p" isExecutable="true">'
        f"{inside}{chain(START, END)}</process></definitions>"
    )
    _, findings = read_bpmn(data.encode(), "rules.bpmn")
    assert [item.code for item in findings] == ([] if good else ["bpmn.value"])


@pytest.mark.parametrize("kind", ["message", "error", "signal", "itemDefinition"])
def test_what_is_there_to_be_referred_to_has_an_id(kind):
    assert codes(chain(START, END), f"<{kind}/>") == [("error", "bpmn.no_id")]


@pytest.mark.parametrize(
    ("language", "own", "found"),
    [
        ("http://groovy.codehaus.org/", "", ["bpmn.expression_language"]),
        ("http://groovy.codehaus.org/", 'language="http://www.omg.org/spec/FEEL/20140401"', []),
        ("http://www.w3.org/TR/XPath", "", []),
    ],
)
def test_the_language_of_the_file_is_that_of_its_expressions(language, own, found):
    condition = f'<conditionExpression xsi:type="tFormalExpression" {own}>a &gt; 1</conditionExpression>'
    body = START + TASK + END + _flow("f0", "s", "t") + _flow("f1", "t", "e", condition)
    body += '<task id="u" noria:saveBefore="true"/>' + _flow("f2", "t", "u") + _flow("f3", "u", "e")
    data = (
        f'<definitions xmlns="{NAMESPACE}" xmlns:noria="urn:noria:bpmn:1" targetNamespace="t" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" expressionLanguage="{language}">'
        f'<process id="p" isExecutable="true" noria:title="= a">{body}</process></definitions>'
    )
    read, findings = read_bpmn(data.encode(), "rules.bpmn")
    assert read is not None
    assert [item.code for item in [*findings, *compile_bpmn(read)[1]]] == found


RESOURCES = (
    '<resource id="r" name="r"><resourceParameter id="rp" name="n"/></resource>'
    '<resource id="q" name="q"><resourceParameter id="qp" name="n"/></resource>'
)
VALUE = "<formalExpression>1</formalExpression>"


@pytest.mark.parametrize(
    ("role", "code"),
    [
        ('<resourceRef>r</resourceRef><resourceParameterBinding parameterRef="rp">{}</resourceParameterBinding>', None),
        ('<resourceRef>r</resourceRef><resourceParameterBinding parameterRef="rp"/>', "resource_role"),
        (
            '<resourceRef>r</resourceRef><resourceParameterBinding parameterRef="qp">{}</resourceParameterBinding>',
            "resource_role",
        ),
        ("<resourceRef>r</resourceRef><resourceParameterBinding>{}</resourceParameterBinding>", "no_reference"),
        ('<resourceParameterBinding parameterRef="rp">{}</resourceParameterBinding>', "resource_role"),
        ("<resourceAssignmentExpression/>", "resource_role"),
    ],
)
def test_a_resource_is_given_its_own_parameters(role, code):
    body = chain(START, f'<task id="t"><performer>{role.format(VALUE)}</performer></task>', END)
    assert codes(body, RESOURCES) == ([("error", f"bpmn.{code}")] if code else [])


PROPERTY = (
    '<correlationProperty id="{0}"><correlationPropertyRetrievalExpression messageRef="hello"><messagePath>a'
    "</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"
)


@pytest.mark.parametrize(
    ("binding", "found"),
    [
        ('correlationPropertyRef="one"', []),
        ('correlationPropertyRef="two"', ["bpmn.wrong_reference"]),
        ("", ["bpmn.no_reference"]),
    ],
)
def test_a_subscription_binds_properties_of_its_key(binding, found):
    outside = '<message id="hello"/>' + PROPERTY.format("one") + PROPERTY.format("two")
    outside += (
        '<collaboration id="c"><correlationKey id="k"><correlationPropertyRef>one</correlationPropertyRef>'
        "</correlationKey></collaboration>"
    )
    subscription = (
        f'<correlationSubscription id="x" correlationKeyRef="k"><correlationPropertyBinding {binding}>'
        "<dataPath>a</dataPath></correlationPropertyBinding></correlationSubscription>"
    )
    assert [code for _, code in codes(subscription + chain(START, END), outside)] == found
    without = outside.replace(' messageRef="hello"', "", 1)
    assert ("error", "bpmn.no_reference") in codes(chain(START, END), without)


@pytest.mark.parametrize(
    ("lanes", "found"),
    [
        ('<lane id="a"><flowNodeRef>s</flowNodeRef></lane><lane id="b"><flowNodeRef>e</flowNodeRef></lane>', []),
        (
            '<lane id="a"><flowNodeRef>s</flowNodeRef></lane><lane id="b"><flowNodeRef>s</flowNodeRef></lane>',
            ["bpmn.lane"],
        ),
        (
            '<lane id="a"><childLaneSet id="c"><lane id="b"><flowNodeRef>s</flowNodeRef></lane></childLaneSet></lane>',
            [],
        ),
        ('<lane id="a"><flowNodeRef>elsewhere</flowNodeRef></lane>', ["bpmn.lane"]),
    ],
    ids=["side by side", "twice", "inside", "of another process"],
)
def test_lanes_divide_what_is_in_their_process(lanes, found):
    outside = '<process id="q" isExecutable="false"><startEvent id="elsewhere"/><endEvent id="z"/>'
    outside += _flow("g", "elsewhere", "z") + "</process>"
    body = f'<laneSet id="l">{lanes}</laneSet>' + chain(START, END)
    assert [code for _, code in codes(body, outside)] == found


@pytest.mark.parametrize(
    ("called", "says", "found"),
    [
        ("q", "", ["bpmn.call_not_executable"]),
        ("q", 'isExecutable="false"', ["bpmn.call_not_executable"]),
        ("q", 'isExecutable="true"', []),
        ("elsewhere", "", []),
        ("= which", "", []),
        ("p", "", []),
    ],
)
def test_a_call_of_a_process_beside_it_that_does_not_run_is_told(called, says, found):
    outside = f'<process id="q" {says}>{chain(START, END).replace(chr(34) + "f0", chr(34) + "g0")}</process>'
    outside = outside.replace('"s"', '"qs"').replace('"e"', '"qe"')
    body = chain(START, f'<callActivity id="call" calledElement="{called}"/>', END)
    assert codes(body, outside) == [("warning", code) for code in found]


@pytest.mark.parametrize("number", ["0", "9" * 5_000, "²", "-1"])
@pytest.mark.parametrize(
    ("node", "found"),
    [
        ('<task id="t" startQuantity="{}"/>', "bpmn.quantity"),
        ('<task id="t" completionQuantity="{}"/>', "bpmn.quantity"),
        ('<serviceTask id="t" noria:topic="post" noria:retries="{}"/>', "bpmn.retries"),
    ],
)
def test_a_number_that_is_none_or_out_of_its_range_is_refused(node, found, number):
    assert codes(chain(START, node.format(number), END)) == [("error", found)]


@pytest.mark.parametrize("event", ["intermediateThrowEvent", "intermediateCatchEvent", "boundaryEvent"])
def test_what_leaves_an_event_has_no_condition_and_is_no_default(event):
    inside = "" if event == "intermediateThrowEvent" else TIMER
    attached = ' attachedToRef="t"' if event == "boundaryEvent" else ""
    condition = '<conditionExpression xsi:type="tFormalExpression">a</conditionExpression>'

    def body(given="", default=""):
        node = f'<{event} id="i"{attached}{default}>{inside}</{event}>'
        ways = _flow("x", "i", "e", given) + '<endEvent id="z"/>' + _flow("y", "i", "z")
        if attached:
            return chain(START, TASK, END) + node + ways
        return START + node + END + _flow("f0", "s", "i") + ways

    assert codes(body()) == []
    assert codes(body(condition)) == [("error", "bpmn.condition_not_allowed")]
    assert codes(body("", ' default="x"')) == [("error", "bpmn.default_flow")]


@pytest.mark.parametrize(
    ("task", "beside", "found"),
    [
        (INPUT.format("i") + "<dataInputAssociation><sourceRef>d</sourceRef>{0}", "", []),
        (INPUT.format("i") + "<dataInputAssociation><sourceRef>far</sourceRef>{0}", "", ["bpmn.data_association"]),
        (INPUT.format("i") + "<dataInputAssociation><sourceRef>p1</sourceRef>{0}", "", ["bpmn.data_association"]),
        (INPUT.format("i") + "<dataInputAssociation><sourceRef>given</sourceRef>{0}", INPUT.format("given"), []),
        (
            "<dataOutputAssociation><sourceRef>out</sourceRef><targetRef>d</targetRef></dataOutputAssociation>",
            OUTPUT.format("out"),
            ["bpmn.data_association"],
        ),
    ],
    ids=["of the process", "of a sub-process", "of another task", "input of the process", "output of the process"],
)
def test_data_is_reached_from_inside_what_declares_it(task, beside, found):
    task = task.format("<targetRef>i</targetRef></dataInputAssociation>")
    inner = chain('<startEvent id="a"/>', '<endEvent id="z"/>').replace("f0", "in0")
    body = (
        beside
        + '<dataObject id="d" name="d"/>'
        + chain(
            START,
            f'<task id="t">{task}</task>',
            '<task id="u"><property id="p1" name="p1"/></task>',
            f'<subProcess id="w"><dataObject id="far" name="far"/>{inner}</subProcess>',
            END,
        )
    )
    assert [code for _, code in codes(body)] == found


PAIRED = (
    '<inputSet id="i"><outputSetRefs>o</outputSetRefs></inputSet>'
    '<outputSet id="o"><inputSetRefs>i</inputSetRefs></outputSet>'
)


@pytest.mark.parametrize(
    ("sets", "good"),
    [
        ('<inputSet id="i"><outputSetRefs>o</outputSetRefs></inputSet><outputSet id="o"/>', False),
        ('<inputSet id="i"/><outputSet id="o"><inputSetRefs>i</inputSetRefs></outputSet>', False),
        (PAIRED, True),
        ("<inputSet><dataInputRefs>of another</dataInputRefs></inputSet><outputSet/>", False),
    ],
)
def test_sets_name_each_other_and_inputs_of_their_own(sets, good):
    other = f'<task id="u">{INPUT.format("other")}</task>'
    task = f'<task id="t"><ioSpecification>{sets.replace("of another", "other")}</ioSpecification></task>'
    assert codes(chain(START, other, task, END)) == ([] if good else [("error", "bpmn.data_sets")])


THROWS_BY_OPERATION = (
    '<intermediateThrowEvent id="t"><messageEventDefinition messageRef="{}"><operationRef>place</operationRef>'
    "</messageEventDefinition></intermediateThrowEvent>"
)


@pytest.mark.parametrize(
    "node",
    [
        '<sendTask id="t" messageRef="{}" operationRef="place"/>',
        '<receiveTask id="t" messageRef="{}" operationRef="place"/>',
        THROWS_BY_OPERATION,
    ],
)
def test_who_names_a_message_and_an_operation_means_a_message_of_it(node):
    outside = (
        '<message id="order"/><message id="other"/><interface id="i" name="i"><operation id="place" name="place">'
        "<inMessageRef>order</inMessageRef></operation></interface>"
    )
    assert codes(chain(START, node.format("order"), END), outside) == []
    assert codes(chain(START, node.format("other"), END), outside) == [("error", "bpmn.operation_data")]


@pytest.mark.parametrize("text", ["-1", "1.5", '"three"', "true"])
def test_how_often_is_a_whole_number(text):
    for marker in (
        f"<multiInstanceLoopCharacteristics><loopCardinality>{text}</loopCardinality></multiInstanceLoopCharacteristics>",
        f"<standardLoopCharacteristics loopMaximum='{text}'/>",
    ):
        body = chain(START, f'<task id="t">{marker}</task>', END)
        assert codes(body) == [("error", "bpmn.loop")]
        assert codes(body.replace(text, "3")) == []
        assert codes(body.replace(text, "count + 1")) == []


@pytest.mark.parametrize(
    ("inside", "good"),
    [
        (INPUT.format("xs") + "{}<loopDataInputRef>xs</loopDataInputRef>", True),
        (OUTPUT.format("xs") + "{}<loopDataInputRef>xs</loopDataInputRef>", False),
        ("{}<loopDataInputRef>other</loopDataInputRef>", False),
        ("{}<loopDataInputRef>list</loopDataInputRef>", True),
        ("{}<loopDataInputRef>single</loopDataInputRef>", False),
    ],
    ids=["its input", "its output", "input of another", "a list", "no list"],
)
def test_a_loop_goes_through_a_collection_that_is_its_own(inside, good):
    task = inside.format("<multiInstanceLoopCharacteristics>") + "</multiInstanceLoopCharacteristics>"
    data = (
        '<dataObject id="list" name="list" isCollection="true"/><dataObject id="single" name="a" isCollection="false"/>'
    )
    other = f'<task id="u">{INPUT.format("other")}</task>'
    body = data + chain(START, other, f'<task id="t">{task}</task>', END)
    assert codes(body) == ([] if good else [("error", "bpmn.loop")])


def test_an_instance_throws_what_a_boundary_event_can_catch():
    marker = f'<multiInstanceLoopCharacteristics behavior="One" oneBehaviorEventRef="d">{COUNT}'
    body = chain(START, f'<task id="t">{marker}</multiInstanceLoopCharacteristics></task>', END)
    assert codes(body, '<signal id="g" name="g"/><signalEventDefinition id="d" signalRef="g"/>') == []
    timer = '<timerEventDefinition id="d"><timeDuration>PT1H</timeDuration></timerEventDefinition>'
    assert codes(body, timer) == [("error", "bpmn.loop")]
    gone = body.replace('behavior="One"', "")
    assert codes(gone) == [("error", "bpmn.unresolved")]


HANDLED = (
    '<boundaryEvent id="b" attachedToRef="t"><compensateEventDefinition/></boundaryEvent>'
    '<task id="undo" isForCompensation="true"/><association id="a" sourceRef="b" targetRef="undo"/>'
)


@pytest.mark.parametrize(
    ("named", "good"),
    [("t", True), ("u", False), ("undo", False), ("s", False)],
    ids=["", "nothing", "handler", "event"],
)
def test_what_is_compensated_by_name_is_an_activity_that_something_compensates(named, good):
    throw = (
        f'<intermediateThrowEvent id="x"><compensateEventDefinition activityRef="{named}"/></intermediateThrowEvent>'
    )
    body = chain(START, TASK, '<task id="u"/>', throw, END) + HANDLED
    assert codes(body) == ([] if good else [("error", "bpmn.compensation")])


def test_a_transaction_that_can_be_cancelled_has_a_way_out_for_that():
    inside = chain('<startEvent id="a"/>', '<endEvent id="z"><cancelEventDefinition/></endEvent>').replace("f0", "in")
    body = chain(START, f'<transaction id="w">{inside}</transaction>', END)
    assert codes(body) == [("error", "bpmn.cancel")]
    out = '<boundaryEvent id="b" attachedToRef="w"><cancelEventDefinition/></boundaryEvent><endEvent id="o"/>'
    assert codes(body + out + _flow("x", "b", "o")) == []


def test_what_catches_compensation_names_no_activity():
    body = chain(START, TASK, END) + HANDLED.replace(
        "<compensateEventDefinition/>", '<compensateEventDefinition activityRef="t"/>'
    )
    assert codes(body) == [("error", "bpmn.compensation")]


def test_a_catching_link_has_a_throwing_one():
    body = chain(START, END) + '<intermediateCatchEvent id="c"><linkEventDefinition name="L"/></intermediateCatchEvent>'
    assert ("error", "bpmn.link") in codes(body + _flow("x", "c", "e"))


@pytest.mark.parametrize(
    ("reference", "found"),
    [("xsd:string", []), ("I", []), ("t:I", []), ("gone", ["unresolved"]), ("t:gone", ["unresolved"])],
)
def test_a_type_is_declared_or_of_another_namespace(reference, found):
    data = (
        f'<definitions xmlns="{NAMESPACE}" xmlns:t="urn:t" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'targetNamespace="urn:t"><itemDefinition id="I"/><process id="p" isExecutable="true">'
        f'<dataObject id="d" itemSubjectRef="{reference}"/>{chain(START, END)}</process></definitions>'
    )
    _, findings = read_bpmn(data.encode(), "rules.bpmn")
    assert [item.code for item in findings] == [f"bpmn.{code}" for code in found]


@pytest.mark.parametrize(
    "node",
    [
        '<intermediateThrowEvent id="x"><messageEventDefinition messageRef="o:m"/></intermediateThrowEvent>',
        '<sendTask id="x" messageRef="o:m"/>',
        '<intermediateThrowEvent id="x"><signalEventDefinition signalRef="o:m"/></intermediateThrowEvent>',
    ],
)
def test_what_is_run_names_nothing_of_an_imported_file(node):
    imported = f'<import importType="{NAMESPACE}" namespace="urn:o" location="o.bpmn"/>'
    assert codes(chain(START, node, END), imported) == [("error", "bpmn.imported")]


@pytest.mark.parametrize(
    ("sets", "good"),
    [
        ("", True),
        ("<outputSet><dataOutputRefs>o</dataOutputRefs></outputSet>", True),
        ("<outputSet/>", False),
        ("<outputSet><dataOutputRefs>o</dataOutputRefs><dataOutputRefs>other</dataOutputRefs></outputSet>", False),
    ],
)
def test_the_set_of_an_event_has_what_the_event_declares(sets, good):
    event = f'<intermediateCatchEvent id="i"><dataOutput id="o"/>{sets}{MESSAGE}</intermediateCatchEvent>'
    body = chain(START, event, f'<task id="t">{OUTPUT.format("other")}</task>', END)
    assert codes(body, '<message id="hello"/>') == ([] if good else [("error", "bpmn.data_sets")])


def test_a_shared_definition_counts_as_the_events_own():
    shared = (
        '<itemDefinition id="I"/><message id="told" itemRef="I"/><messageEventDefinition id="d" messageRef="told"/>'
    )
    declared = '<dataOutput id="o" itemSubjectRef="J"/><outputSet><dataOutputRefs>o</dataOutputRefs></outputSet>'
    reference = "<eventDefinitionRef>d</eventDefinitionRef>"
    event = f'<intermediateCatchEvent id="got">{declared}{reference}</intermediateCatchEvent>'
    outside = shared + '<itemDefinition id="J" structureRef="other"/>'
    assert codes(chain(START, event, END), outside) == [("error", "bpmn.data_type")]
    assert codes(chain(START, event.replace('"J"', '"I"'), END), outside) == []
    flow = POOLS.format(source="there", target="got")
    assert codes(chain(START, event.replace('"J"', '"I"'), END), outside + flow) == []
    timer = outside.replace(
        '<messageEventDefinition id="d" messageRef="told"/>', TIMER.replace("Definition>", 'Definition id="d">', 1)
    )
    assert ("error", "bpmn.message_flow") in codes(chain(START, event, END), timer + flow)


def test_what_a_tool_keeps_in_the_extensions_is_its_own():
    inside = '<extensionElements><ModelProperties behavior="odd"/></extensionElements>'
    assert codes(chain(START, f'<task id="t">{inside}</task>', END)) == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("", []),
        ('minimum="2" maximum="3"', []),
        ('minimum="2"', ["bpmn.value"]),
        ('minimum="0" maximum="0"', ["bpmn.value"]),
        ('maximum="many"', ["bpmn.value"]),
    ],
)
def test_there_are_no_fewer_participants_at_most_than_at_least(given, found):
    outside = (
        '<collaboration id="c"><participant id="q" processRef="p"><participantMultiplicity '
        f"{given}/></participant></collaboration>"
    )
    assert [code for _, code in codes(chain(START, END), outside)] == found


def test_one_thing_compensates_a_sub_process():
    handler = (
        '<subProcess id="{0}" triggeredByEvent="true"><startEvent id="{0}s"><compensateEventDefinition/></startEvent>'
        '<endEvent id="{0}e"/><sequenceFlow id="{0}f" sourceRef="{0}s" targetRef="{0}e"/></subProcess>'
    )

    def found(*handlers):
        inside = chain('<startEvent id="a"/>', '<endEvent id="z"/>').replace("f0", "in")
        return codes(chain(START, f'<subProcess id="w">{inside}{"".join(handlers)}</subProcess>', END))

    assert found(handler.format("c")) == []
    assert found(handler.format("c"), handler.format("d")) == [("error", "bpmn.compensation")]


def test_a_type_and_a_variable_may_be_no_elements_of_the_file():
    assert codes('<dataObject id="d" itemSubjectRef="xsd:string"/>' + chain(START, END)) == []


def test_a_resource_role_names_a_resource_or_an_expression():
    role = (
        "<performer><resourceRef>r</resourceRef><resourceAssignmentExpression><formalExpression>a</formalExpression>"
        "</resourceAssignmentExpression></performer>"
    )
    found = codes(chain(START, f'<task id="t">{role}</task>', END), '<resource id="r" name="r"/>')
    assert found == [("error", "bpmn.resource_role")]


def test_definitions_have_a_namespace():
    _, findings = read_bpmn(f'<definitions xmlns="{NAMESPACE}"/>'.encode(), "rules.bpmn")
    assert [item.code for item in findings] == ["bpmn.no_namespace"]


@pytest.mark.parametrize(
    ("priority", "found"),
    [
        ("0", []),
        ("1000000", []),
        ("= urgency * 10", []),
        ("1000001", [("error", "bpmn.job_priority")]),
        ("-1", [("error", "bpmn.job_priority")]),
        ("high", [("error", "bpmn.job_priority")]),
        ("9" * 5_000, [("error", "bpmn.job_priority")]),
        ("${urgency}", [("error", "bpmn.expression_language")]),
    ],
)
def test_a_constant_priority_of_jobs_is_a_whole_number_in_its_range(priority, found):
    given = f'xmlns:noria="urn:noria:bpmn:1" noria:jobPriority="{priority}"'
    assert codes(chain(START, f'<task id="t" {given}/>', END)) == found
    assert codes(chain(START, '<task id="t"/>', END), attributes=f'isExecutable="true" {given}') == found


@pytest.mark.parametrize(
    ("body", "outside", "attributes"),
    [
        (chain(START, '<userTask id="t" noria:asignee="li"/>', END), "", ""),
        (chain(START, '<task id="t" noria:assignee="li"/>', END), "", ""),
        (chain(START, END), "", ' noria:serail="X-{number}"'),
        (chain(START, END), '<message id="m" noria:key="= a"/>', ""),
        (
            chain(
                START,
                '<task id="t"><multiInstanceLoopCharacteristics noria:colection="= a">'
                "<loopCardinality>1</loopCardinality></multiInstanceLoopCharacteristics></task>",
                END,
            ),
            "",
            "",
        ),
        (
            chain(
                START,
                '<task id="t"><extensionElements><noria:input from="= a" target="b"/></extensionElements></task>',
                END,
            ),
            "",
            "",
        ),
    ],
    ids=["misspelt", "of another element", "at the process", "at a message", "at a loop", "of an element of ours"],
)
def test_an_attribute_in_our_namespace_that_does_not_exist_is_an_error_wherever_it_stands(body, outside, attributes):
    found = codes(body, outside, f'isExecutable="true"{attributes}')
    assert ("error", "bpmn.unknown_attribute") in found


@pytest.mark.parametrize(
    "inside",
    ["<extensionElements><noria:ouput/></extensionElements>", '<noria:input source="= a" target="b"/>'],
    ids=["misspelt", "outside the extensions"],
)
def test_an_element_in_our_namespace_that_does_not_exist_there_is_an_error(inside):
    assert ("error", "bpmn.unknown_extension") in codes(chain(START, f'<task id="t">{inside}</task>', END))


@pytest.mark.parametrize("name", [":", "x:", ":x", "x:y:z"])
def test_a_colon_that_is_between_no_prefix_and_name_is_refused(name):
    for data in (f'<d xmlns:x="urn:x"><{name}/></d>', f'<d xmlns:x="urn:x" {name}="1"/>'):
        read, (finding,) = read_bpmn(data.encode(), "colon.bpmn")
        assert read is None
        assert (finding.code, finding.line) == ("xml.refused", 1)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ('<escalationEventDefinition escalationRef="x"/>', ["bpmn.multiple"]),
        ("<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition>", ["bpmn.multiple"]),
        ("<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>", []),
    ],
)
def test_a_parallel_multiple_event_names_only_what_is_waited_for_once(definition, expected):
    body = chain(START, '<task id="t"/>', END) + (
        '<boundaryEvent id="b" attachedToRef="t" parallelMultiple="true"><signalEventDefinition signalRef="g"/>'
        f'{definition}</boundaryEvent><endEvent id="n"/>' + _flow("fb", "b", "n")
    )
    outside = '<signal id="g" name="g"/><escalation id="x" escalationCode="X"/>'
    assert [code for severity, code in codes(body, outside) if severity == "error"] == expected


@pytest.mark.parametrize(("word", "found"), [("goOn", []), ("incident", []), ("stop", [("error", "bpmn.value")])])
def test_an_uncaught_error_goes_on_or_is_an_incident(word, found):
    assert codes(chain(START, f'<callActivity id="t" calledElement="q" noria:whenUncaught="{word}"/>', END)) == found
    thrown = f'<endEvent id="t"><errorEventDefinition errorRef="oops" noria:whenUncaught="{word}"/></endEvent>'
    assert codes(chain(START, thrown), '<error id="oops" errorCode="1"/>') == found
