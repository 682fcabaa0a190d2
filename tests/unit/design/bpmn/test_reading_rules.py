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
MESSAGE = '<messageEventDefinition messageRef="hello"/>'


def codes(body, outside="", attributes='isExecutable="true"'):
    """Severity and code of every finding about a file with one process."""
    data = (
        f'<definitions xmlns="{NAMESPACE}" xmlns:noria="urn:noria:bpmn:1" targetNamespace="t">{outside}'
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


def test_an_element_lists_only_its_own_flows():
    listed = chain(START, '<task id="t"><incoming>{}</incoming></task>', END)
    assert codes(listed.format("f0")) == []
    assert codes(listed.format("f1")) == [("error", "bpmn.listed_flow")]
    assert codes(listed.format("none")) == [("error", "bpmn.listed_flow")]


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
        (
            chain(START, '<task id="t"/>', END)
            + '<boundaryEvent id="b" attachedToRef="t"><errorEventDefinition/></boundaryEvent>',
            'isExecutable="true"',
            "bpmn.dead_boundary",
        ),
    ],
)
def test_what_is_doubtful_but_can_be_run_is_a_warning(body, attributes, code):
    assert codes(body, attributes=attributes) == [("warning", code)]


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
