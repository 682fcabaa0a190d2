"""What becomes of JUEL: in conditions, in texts, in scripts."""

from __future__ import annotations

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import bpmn
from noria.design.importing.feel import NotTranslatable, translate


@pytest.mark.parametrize(
    ("juel", "feel"),
    [
        ("${amount > 1000}", "amount > 1000"),
        ("#{amount gt 1000 and urgent}", "amount > 1000 and urgent"),
        ("${!done}", "done != true"),
        ("${not (a < b)}", "(a < b) != true"),
        ("${!(a == b)}", "a != b"),
        ("${answer == 'yes'}", 'answer = "yes"'),
        ("${answer == 'true'}", 'string(answer) = "true"'),
        ("${empty list}", 'list contains([null, "", [], {}], list)'),
        (
            "${order.lines[0].price * 2 >= limits['top level']}",
            'order.lines[1].price * 2 >= get value(limits, "top level")',
        ),
        ("${nrOfCompletedInstances / nrOfInstances >= 0.6}", "numberOfCompletedInstances / numberOfInstances >= 0.6"),
        ("${loopCounter == 0}", "loopCounter - 1 = 0"),
        ("${execution.getVariable('total') <= 5}", "total <= 5"),
        ("${execution.processBusinessKey == 'A-1'}", 'business_key = "A-1"'),
        ("${vars:getOrDefault(level, 1) == 2}", "(if level != null then level else 1) = 2"),
        ("${variables:containsAny(tags, 'a', 'b')}", None),
        ("${a - (b - c) - d}", "a - (b - c) - d"),
        ("${a ? b : c ? d : e}", "if a then b else if c then d else e"),
    ],
)
def test_a_condition_is_said_in_feel(juel, feel):
    assert feel in (None, translate(juel, condition=True).text)


@pytest.mark.parametrize(
    "juel",
    [
        "${orderService.check(order)}",
        "${execution.id == '1'}",
        "${'a' + 'b'}",
        "${list[index]}",
        "${between}",
        "${amount >}",
        "${amount > 1",
        "${authenticatedUserId}",
    ],
)
def test_what_has_no_feel_is_not_guessed(juel):
    with pytest.raises(NotTranslatable):
        translate(juel)


@pytest.mark.parametrize(
    ("juel", "note"),
    [
        ("${a + 1}", "null_arithmetic"),
        ("${a % 2}", "modulo_sign"),
        ("${1 / 0}", "division_by_zero"),
        ("${name.toUpperCase()}", "method"),
        ("${execution.hasVariable('x')}", "has_variable"),
    ],
)
def test_where_feel_differs_a_note_says_so(juel, note):
    assert note in translate(juel).notes


def test_a_text_with_expressions_is_joined_and_a_missing_value_leaves_nothing():
    assert translate("kermit_${who}").text == 'string join(["kermit_", string(who)])'


def test_a_condition_of_a_flow_becomes_feel():
    model = Model(
        '<startEvent id="s"/><exclusiveGateway id="x" default="d"/><endEvent id="e"/><endEvent id="f"/>'
        '<sequenceFlow id="a" sourceRef="s" targetRef="x"/><sequenceFlow id="d" sourceRef="x" targetRef="e"/>'
        '<sequenceFlow id="c" sourceRef="x" targetRef="f"><conditionExpression xsi:type="tFormalExpression" '
        'language="juel">${amount &gt; 5}</conditionExpression></sequenceFlow>'
    )
    condition = model["c"].first(bpmn("conditionExpression"))
    assert (condition.text, condition.get("language")) == ("amount > 5", "")
    assert model.codes() == ["import.condition"]
    assert model.errors() == []


def test_a_skip_expression_decides_only_when_the_instance_turns_skipping_on():
    model = Model(
        around(
            '<exclusiveGateway id="x" default="f2"/><endEvent id="g"/>',
            '<sequenceFlow id="c" sourceRef="x" targetRef="g" flowable:skipExpression="${fast}">'
            "<conditionExpression>${amount &lt; 5}</conditionExpression></sequenceFlow>",
        )
    )
    assert model["c"].first(bpmn("conditionExpression")).text == (
        "if _FLOWABLE_SKIP_EXPRESSION_ENABLED = true or _ACTIVITI_SKIP_EXPRESSION_ENABLED = true "
        "then fast else amount < 5"
    )
    assert model.errors() == []


@pytest.mark.parametrize(
    ("language", "text", "feel"),
    [("groovy", "amount > 5", "(amount > 5) = true"), ("javascript", "return done;", "done"), ("juel", "${a}", "a")],
)
def test_a_script_that_is_one_expression_is_translated(language, text, feel):
    text = text.replace(">", "&gt;")
    model = Model(
        around(
            f'<scriptTask id="x" scriptFormat="{language}" camunda:resultVariable="r"><script>{text}</script>'
            f"</scriptTask>"
        )
    )
    assert model["x"].first(bpmn("script")).text == feel
    assert model["x"].get("scriptFormat") == "feel"
    assert model.noria("x") == {"resultVariable": "r"}
    assert model.errors() == []


@pytest.mark.parametrize(
    "text", ["execution.setVariable('a', 1)", "a + b", "def x = 1; x", "list.add(3)", "import java.util.*\n3"]
)
def test_a_script_that_is_more_needs_work(text):
    model = Model(around(f'<scriptTask id="x" scriptFormat="groovy"><script>{text}</script></scriptTask>'))
    assert model.codes("needs_work") == ["import.script_language"]


def test_an_expression_that_nobody_translates_is_reported():
    model = Model(
        '<startEvent id="s"/><endEvent id="x" name="Order ${number}"><errorEventDefinition errorRef="err"/></endEvent>'
        '<sequenceFlow id="f" sourceRef="s" targetRef="x"/>',
        outside='<error id="err" errorCode="${code}"/>',
    )
    assert model.codes("changed") == ["import.name_computed"]
    assert model.codes("needs_work") == ["import.expression_left"]
