"""The support page says what reading and compiling really do, row by row."""

from __future__ import annotations

import json

import pytest
from scripts.support import KEPT, LOOPS, RATES, outcomes, support

from noria.design.bpmn import compile_bpmn, read_bpmn
from noria.design.bpmn.graph import TriggerKind
from noria.design.bpmn.names import ALLOWED, GLOBAL_TASKS, KINDS, TRIGGERS, UNSUPPORTED_NODES
from noria.design.dmn import read_dmn
from noria.design.dmn.boxed import EXPRESSIONS, Boxes
from noria.design.dmn.reader import IGNORED
from noria.design.findings import has_errors
from noria.design.forms import read_form
from noria.design.forms.reader import GROUPS, INPUTS, SHOWN
from noria.design.xml import write_xml

DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"
DEFINITION_OF = {kind: name for name, kind in TRIGGERS.items()}


def bpmn(body, beside=""):
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:t" id="d">'
        f'{beside}<process id="p" isExecutable="true">{body}</process></definitions>'
    ).encode()


def line(node, more=""):
    """A process: start, node `x`, end."""
    return (
        f'<startEvent id="s"/>{node}<endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="x"/>'
        f'<sequenceFlow id="f2" sourceRef="x" targetRef="e"/>{more}'
    )


def told(data):
    """Code and severity of each finding, and the file as it would be written."""
    read, findings = read_bpmn(data, "x.bpmn")
    if read is not None:
        findings = [*findings, *compile_bpmn(read)[1]]
    return [(one.code, one.severity) for one in findings], b"" if read is None else write_xml(read.document)


def test_every_row_has_an_outcome_of_the_three():
    assert {outcome.split(",")[0] for outcome in outcomes().values()} == {"executed", "refused", "kept"}
    assert outcomes().keys() == KINDS.keys() | GLOBAL_TASKS.keys() | LOOPS.keys() | UNSUPPORTED_NODES | set(KEPT)


@pytest.mark.parametrize("name", sorted(KINDS.keys() | UNSUPPORTED_NODES))
def test_an_element_is_executed_or_refused_as_its_row_says(name):
    codes = [code for code, _ in told(bpmn(line(f'<{name} id="x"/>')))[0]]
    assert ("bpmn.unsupported" in codes) == (outcomes()[name] == "refused")


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_that_is_executed_compiles_to_its_kind(name):
    holder, number = ("loopCondition", "n &lt; 3") if name.startswith("standard") else ("loopCardinality", "3")
    data = bpmn(line(f'<task id="x"><{name}><{holder}>{number}</{holder}></{name.split()[0]}></task>'))
    read, findings = read_bpmn(data, "x.bpmn")
    (graph,), more = compile_bpmn(read)
    assert not has_errors([*findings, *more])
    assert graph.elements[graph.element_of["x"]].loop.kind is LOOPS[name]


@pytest.mark.parametrize("name", GLOBAL_TASKS)
def test_a_global_task_that_is_called_is_not_refused_as_unsupported(name):
    codes = [code for code, _ in told(bpmn(line('<callActivity id="x" calledElement="g"/>'), f'<{name} id="g"/>'))[0]]
    assert "bpmn.unsupported" not in codes


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_has_no_effect_on_the_findings_and_is_written_again(name):
    plain, _ = told(bpmn(line('<task id="x"/>')))
    node = f'<{name} id="k">word</{name}>' if name == "documentation" else f'<{name} id="k"/>'
    if name == "association":
        node = '<textAnnotation id="t"/><association id="k" sourceRef="t" targetRef="x"/>'
    with_it = bpmn(line('<task id="x"/>', node)) if name != "category" else bpmn(line('<task id="x"/>'), node)
    found, written = told(with_it)
    assert found == plain
    assert f"<{name}".encode() in written


ROOT_NAMES = ("message", "signal", "error", "escalation")
ROOTS = "".join(f'<{name} id="r{name}" name="n" {name}Code="c"/>' for name in ROOT_NAMES)


def flow(source, target):
    return f'<sequenceFlow id="{source}{target}" sourceRef="{source}" targetRef="{target}"/>'


def around(node):
    """A process with a start, a node `a` and an end."""
    return f'<startEvent id="s"/>{node}<endEvent id="e"/>{flow("s", "a")}{flow("a", "e")}'


def definition(kind):
    """The event definition of a trigger with what it needs, "" for none."""
    if kind is TriggerKind.NONE:
        return ""
    name, short = DEFINITION_OF[kind], kind.name.lower()
    inner = {
        TriggerKind.TIMER: "<timeDuration>PT1H</timeDuration>",
        TriggerKind.CONDITIONAL: "<condition>n &gt; 3</condition>",
    }.get(kind, "")
    refers = {TriggerKind.LINK: ' name="n"'}.get(kind, f' {short}Ref="r{short}"' if short in ROOT_NAMES else "")
    return f'<{name} id="def"{refers}>{inner}</{name}>'


def at(position, kind):
    """A process with a trigger at a position."""
    host = "transaction" if kind is TriggerKind.CANCEL else "subProcess"
    made = f'<{position.split()[-1]} id="x">{definition(kind)}</{position.split()[-1]}>'
    inside = f'{made}<endEvent id="i"/>{flow("x", "i")}'
    body = {
        "startEvent": f'{made}<endEvent id="e"/>{flow("x", "e")}',
        "endEvent": f'<startEvent id="s"/>{made}{flow("s", "x")}',
        "sub-process startEvent": around(f'<subProcess id="a">{inside}</subProcess>'),
        "event sub-process startEvent": around('<task id="a"/>')
        + f'<subProcess id="y" triggeredByEvent="true">{inside}</subProcess>',
        "boundaryEvent": around(f'<{host} id="a"><task id="z"/></{host}>')
        + made.replace('id="x"', 'id="x" attachedToRef="a"')
        + f'<endEvent id="i"/>{flow("x", "i")}',
    }
    return body.get(position) or line(made)


@pytest.mark.parametrize("kind", [*TRIGGERS.values(), TriggerKind.NONE], ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("position", ALLOWED)
def test_a_trigger_is_refused_exactly_where_the_page_says_so(position, kind):
    found, _ = told(bpmn(at(position, kind), ROOTS))
    refusals = {"bpmn.trigger_position", "bpmn.unsupported", "bpmn.event_sub_process_start"}
    refused = any(code in refusals and severity == "error" for code, severity in found)
    assert refused != (kind in ALLOWED[position]), found


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_an_element_of_dmn_that_is_kept_has_no_effect(name):
    data = f'<definitions xmlns="{DMN}" id="d" name="d" namespace="urn:d"><{name} id="k"/></definitions>'
    assert read_dmn(data.encode(), "x.dmn")[1] == []


@pytest.mark.parametrize("name", ["knowledge", "process", "someThing"])
def test_an_element_of_dmn_that_is_not_listed_is_refused(name):
    data = f'<definitions xmlns="{DMN}" id="d" name="d" namespace="urn:d"><{name} id="k"/></definitions>'
    assert [one.code for one in read_dmn(data.encode(), "x.dmn")[1]] == ["dmn.unsupported_element"]


def test_every_boxed_expression_on_the_page_has_a_compiler():
    assert Boxes({}, (), lambda *_: None)._compilers.keys() == EXPRESSIONS


@pytest.mark.parametrize("kind", [*sorted(INPUTS | GROUPS | SHOWN), "carousel"])
def test_a_form_component_is_refused_exactly_when_the_page_does_not_list_it(kind):
    component = {"type": kind, "key": "k", "path": "k", "values": [{"label": "a", "value": "a"}], "components": []}
    _, findings = read_form(json.dumps({"components": [component]}).encode(), "x.form")
    assert [one.code for one in findings] == ([] if kind != "carousel" else ["form.unsupported_type"])


def test_the_rates_on_the_page_are_those_that_were_written_down():
    counts = json.loads(RATES.read_text(encoding="utf-8"))
    assert counts
    rows = support().partition("## What outside suites measured")[2]
    for suite, (passed, total) in counts.items():
        assert 0 <= passed <= total
        assert f"| `{suite}` | {passed} | {total} |" in rows
