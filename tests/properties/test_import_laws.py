"""Laws of the import for any file that Hypothesis can draw of the vendors' words, sensible or not."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from hypothesis import example, given
from hypothesis import strategies as st
from tests.conformance.vendor_files import spoken

from noria.design.importing import import_bpmn
from noria.design.importing.vendors import VENDORS
from noria.design.xml import read_xml

PREFIXES = {
    "camunda": "http://camunda.org/schema/1.0/bpmn",
    "flowable": "http://flowable.org/bpmn",
    "zeebe": "http://camunda.org/schema/zeebe/1.0",
    "spiffworkflow": "http://spiffworkflow.org/bpmn/schema/1.0/core",
}
LOCALS = [
    "startEvent",
    "endEvent",
    "boundaryEvent",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "userTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "scriptTask",
    "businessRuleTask",
    "task",
    "callActivity",
    "subProcess",
    "transaction",
    "exclusiveGateway",
    "eventBasedGateway",
    "sequenceFlow",
    "messageEventDefinition",
    "signalEventDefinition",
    "timerEventDefinition",
    "errorEventDefinition",
    "conditionalEventDefinition",
    "terminateEventDefinition",
    "escalationEventDefinition",
    "multiInstanceLoopCharacteristics",
    "conditionExpression",
    "completionCondition",
    "loopCardinality",
    "condition",
    "timeDuration",
    "timeCycle",
    "timeDate",
    "script",
    "lane",
    "loopDataInputRef",
    "inputDataItem",
    "potentialOwner",
    "formalExpression",
    "message",
]
VENDOR_LOCALS = [
    "inputOutput",
    "inputParameter",
    "outputParameter",
    "script",
    "list",
    "map",
    "entry",
    "value",
    "in",
    "out",
    "field",
    "formData",
    "formField",
    "formProperty",
    "properties",
    "property",
    "executionListener",
    "connector",
    "connectorId",
    "failedJobRetryTimeCycle",
    "potentialStarter",
    "mapException",
    "variableListenerEventDefinition",
    "variableAggregation",
    "variable",
    "ioMapping",
    "input",
    "output",
    "taskDefinition",
    "taskHeaders",
    "header",
    "calledElement",
    "calledDecision",
    "loopCharacteristics",
    "assignmentDefinition",
    "taskSchedule",
    "formDefinition",
    "userTaskForm",
    "subscription",
    "serviceTaskOperator",
    "parameter",
    "gizmo",
]
PLAIN = [
    "name",
    "sourceRef",
    "targetRef",
    "attachedToRef",
    "default",
    "messageRef",
    "signalRef",
    "errorRef",
    "calledElement",
    "scriptFormat",
    "language",
    "isExecutable",
    "triggeredByEvent",
    "cancelActivity",
    "source",
    "target",
    "sourceExpression",
    "variables",
    "businessKey",
    "key",
    "value",
    "type",
    "inputCollection",
    "inputElement",
    "dueDate",
    "assignee",
    "processId",
    "decisionId",
    "expression",
    "variableName",
    "variableChangeType",
]
VENDOR_ATTRIBUTES = [
    "assignee",
    "candidateUsers",
    "candidateGroups",
    "dueDate",
    "priority",
    "class",
    "expression",
    "delegateExpression",
    "type",
    "topic",
    "resultVariable",
    "collection",
    "elementVariable",
    "elementIndexVariable",
    "asyncBefore",
    "async",
    "exclusive",
    "formKey",
    "formRef",
    "initiator",
    "decisionRef",
    "calledElementBinding",
    "calledElementVersion",
    "inheritVariables",
    "skipExpression",
    "signalExpression",
    "messageExpression",
    "errorCodeVariable",
    "variableName",
    "variableEvents",
    "terminateAll",
    "terminateMultiInstance",
    "resource",
    "versionTag",
    "frobnicate",
]
VALUES = st.sampled_from(
    [
        "",
        "x",
        "y",
        "s",
        "1",
        "true",
        "false",
        "${a}",
        "#{a.b == 1}",
        "${a",
        "${bean.call()}",
        "=a",
        "= a +",
        "PT1H",
        "R3/PT1M",
        "a,${b}",
        "0 0/5 * * * ?",
        "2030-01-01T00:00:00",
        "user(a), group(b)",
        "a == 1",
        "groovy",
        "{not json",
        "Text ${a}",
    ]
)
PREFIXED = st.sampled_from(sorted(PREFIXES))
PLAIN_ATTRIBUTES = st.dictionaries(st.sampled_from(PLAIN), VALUES, max_size=4)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(PLAIN)
    | st.builds(lambda prefix, name: f"{prefix}:{name}", PREFIXED, st.sampled_from(VENDOR_ATTRIBUTES)),
    VALUES,
    max_size=4,
)
TEXTS = st.lists(VALUES.map(lambda value: value.replace("<", "&lt;")), max_size=1)


def element(name, attributes, *children):
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    # A line of its own for each element, so that a report's lines can be told apart.
    return f"<{name}{written}\n>{''.join(''.join(part) for part in children)}</{name}>"


VENDOR_ELEMENTS = st.recursive(
    st.builds(
        lambda prefix, name, *rest: element(f"{prefix}:{name}", *rest),
        PREFIXED,
        st.sampled_from(VENDOR_LOCALS),
        PLAIN_ATTRIBUTES,
        TEXTS,
    ),
    lambda inner: st.builds(
        lambda prefix, name, *rest: element(f"{prefix}:{name}", *rest),
        PREFIXED,
        st.sampled_from(VENDOR_LOCALS),
        PLAIN_ATTRIBUTES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=4,
)
EXTENSIONS = st.lists(VENDOR_ELEMENTS, max_size=2).map(lambda found: element("extensionElements", {}, found))
PARTS = st.builds(element, st.sampled_from(LOCALS), ATTRIBUTES, EXTENSIONS | st.just(""), TEXTS)
WITH_ID = st.builds(
    lambda key, attributes: {**({"id": key} if key else {}), **attributes},
    st.sampled_from(["", "x", "y", "s"]),
    ATTRIBUTES,
)
ELEMENTS = st.recursive(
    st.builds(element, st.sampled_from(LOCALS), WITH_ID, EXTENSIONS | st.just(""), st.lists(PARTS, max_size=2)),
    lambda inner: st.builds(
        element, st.sampled_from(LOCALS), WITH_ID, EXTENSIONS | st.just(""), st.lists(inner | PARTS, max_size=4)
    ),
    max_leaves=5,
)


def file(body, declared):
    namespaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items() if prefix in declared)
    kept = body if set(declared) == set(PREFIXES) else _without(body, set(PREFIXES) - set(declared))
    return (
        f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"{namespaces} targetNamespace="t">'
        f'<process id="p">{kept}</process></definitions>'
    ).encode()


def _without(body, prefixes):
    """The same words, said by the one vendor that is declared."""
    only = next(iter(set(PREFIXES) - prefixes))
    for prefix in prefixes:
        body = body.replace(f"{prefix}:", f"{only}:")
    return body


FILES = st.builds(
    lambda bodies, declared: ("".join(bodies), declared),
    st.lists(ELEMENTS, max_size=5),
    st.sampled_from([tuple(PREFIXES), ("camunda",), ("flowable",), ("zeebe",), ("spiffworkflow",)]),
)


def imported(drawn):
    body, declared = drawn
    content = file(body, declared)
    return import_bpmn(content, "drawn.bpmn")


@given(FILES)
def test_any_file_is_imported_into_good_xml_without_a_vendors_word(drawn):
    result = imported(drawn)
    # Drawn attributes may collide when all words are one vendor's: then the XML itself is refused.
    if result.document is None:
        assert [line.code for line in result.lines] == ["import.unreadable"]
        return
    for node in read_xml(result.document).root.descendants():
        assert node.namespace not in VENDORS
        assert not any(key[1:].partition("}")[0] in VENDORS for key in node.attributes if key.startswith("{"))


@given(FILES)
def test_nothing_that_a_vendor_says_is_without_a_line(drawn):
    body, declared = drawn
    content = file(body, declared)
    result = import_bpmn(content, "drawn.bpmn")
    if result.document is None:
        return
    for node, name in spoken(read_xml(content).root):
        last = max(inner.line for inner in node.descendants())
        assert any(
            node.line <= line.line <= last
            and (line.attribute.startswith(name) or (node.namespace in VENDORS and line.line > node.line))
            for line in result.lines
        ), name


@given(FILES)
@example(('<eventBasedGateway id="x"></eventBasedGateway><startEvent id="x"></startEvent>', tuple(PREFIXES)))
@example(('<startEvent id="x"/><userTask><startEvent id="x"/></userTask>', ("camunda",)))
@example(
    (
        """<startEvent/><userTask><startEvent id="x"/></userTask>
        <startEvent><extensionElements><camunda:inputOutput sourceRef="x"/></extensionElements></startEvent>""",
        ("camunda",),
    )
)
def test_importing_again_changes_nothing_more(drawn):
    first = imported(drawn)
    if first.document is not None:
        assert import_bpmn(first.document, "drawn.bpmn").document == first.document


@given(FILES)
def test_every_line_has_its_sentence_in_both_languages(drawn):
    for line in imported(drawn).lines:
        assert line.message == line.sentence("en")
        assert line.sentence("zh")
