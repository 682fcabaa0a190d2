"""What becomes of JUEL: in conditions, in texts, in scripts."""

from __future__ import annotations

import pytest
from tests.unit.design.importing.models import Model, around

from noria.design.bpmn.names import bpmn
from noria.design.feel import EvaluationContext, compile_expression, from_json, to_json
from noria.design.importing.feel import translate
from noria.design.importing.said import NotTranslatable
from noria.design.importing.scripts import read_script


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
    ("juel", "value"),
    [
        ("${text.trim()}", "a.b.c"),
        ("${text.matches(' *a.*')}", True),
        ("${text.matches('a')}", False),
        ("${text.replace('.', '$1')}", "  a$1b$1c "),
        ("${people.split(',')}", ["zhang", "li"]),
        ("${people.split(',').size()}", 2),
        ("${text.charAt(2)}", "a"),
        ("${amount.compareTo(100)}", 1),
        ("${amount.compareTo(amount) == 0}", True),
        ("${people.substring(2)}", "ang,li,,"),
        ("${people.substring(1, 3)}", "ha"),
        ("${people.substring(from, to)}", "ha"),
        ("${people.substring(to - from, to)}", "a"),
        ("${people.substring(0, people.length() - from)}", "zhang,li,"),
        ("${order.path('price').asInt() + 1}", 8),
        ("${order.price.asText()}", "7"),
        ("${order.has('price') && !order.has('colour')}", True),
    ],
)
def test_a_method_of_java_gives_the_same_in_feel(juel, value):
    variables = {"text": "  a.b.c ", "people": "zhang,li,,", "amount": 120, "from": 1, "to": 3, "order": {"price": 7}}
    said = translate(juel, condition=isinstance(value, bool)).text
    assert to_json(compile_expression(said, variables).evaluate(variables, EvaluationContext(0))) == value


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
        "${text.replace(old, 'new')}",
        "${text.split(separator)}",
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


def test_a_skip_expression_of_an_activity_leads_past_it():
    model = Model(around('<userTask id="x" flowable:assignee="a" flowable:skipExpression="${fast}"/>'))
    flows = {(node.get("sourceRef"), node.get("targetRef")) for node in model["p"].elements(bpmn("sequenceFlow"))}
    assert flows == {("s", "skip_x"), ("skip_x", "x"), ("skip_x", "after_x"), ("x", "after_x"), ("after_x", "e")}
    assert model["skip_x"].get("default") == "flow_skip_x_x"
    condition = model["flow_skip_x_after_x"].first(bpmn("conditionExpression")).text
    assert (
        condition == "(_FLOWABLE_SKIP_EXPRESSION_ENABLED = true or _ACTIVITI_SKIP_EXPRESSION_ENABLED = true) and (fast)"
    )
    assert model.errors() == []


def test_a_variable_named_like_a_function_is_pointed_out():
    assert translate("${sum == 1}").notes == ("function_name",)


SETS = [
    ("groovy", "execution.setVariable('a', b &gt; 1)", "{a_1: b > 1, result: {a: a_1}}.result"),
    ("groovy", "import java.util.List\ndef total = 0 // begins here\ntotal += price\ntotal", None),
    ("javascript", "var n = execution.getVariable('n'); if (!n) { n = 0 }\nexecution.setVariable('n', n + 1);", None),
    ("groovy", "if (a == 1) execution.setVariable('b', 2)\nelse execution.setVariable('b', 3)", None),
    ("javascript", "execution.setVariable('text', 'Hello ' + name)", None),
]


@pytest.mark.parametrize(("language", "text", "feel"), SETS)
def test_a_script_that_computes_and_sets_variables_is_a_context(language, text, feel):
    model = Model(around(f'<scriptTask id="x" scriptFormat="{language}"><script>{text}</script></scriptTask>'))
    assert model.codes("needs_work") == []
    assert feel in (None, model["x"].first(bpmn("script")).text)
    assert model.errors() == []


RUNS = [
    ("javascript", "var n = execution.getVariable('n'); if (!n) { n = 0 }\nSET('n', n + 1)", {}, {"n": 1}),
    ("groovy", "def p = execution.getProcessInstance()\np.setVariable('n', n + 1)\n", {"n": 4}, {"n": 5}),
    ("groovy", "if (n) { SET('a', 'yes') } else { SET('a', 'no') }", {"n": 0}, {"a": "no"}),
    (
        "javascript",
        "SET('a', n || 'none'); SET('b', execution.getVariable('a'))",
        {"n": ""},
        {"a": "none", "b": "none"},
    ),
    ("javascript", "var s = 'it'; s += ' is ' + n; SET('s', s)", {"n": 3}, {"s": "it is 3"}),
    ("groovy", "SET('n', 1)\nSET('m', execution.getVariable('n') + 1)", {}, {"n": 1, "m": 2}),
    ("groovy", "def x = 1\nif (n > 2) { if (n > 3) { x = 4 } else { x = 3 } }\nSET('x', x)", {"n": 3}, {"x": 3}),
    ("groovy", "if (n > 2) SET('x', 1)", {"n": 1, "x": 7}, {"x": 7}),
]


@pytest.mark.parametrize(("language", "text", "before", "after"), RUNS)
def test_a_script_sets_what_it_set(language, text, before, after):
    feel = read_script(text.replace("SET", "execution.setVariable"), language).context("").text
    variables = {name: from_json(item) for name, item in before.items()}
    assert to_json(compile_expression(feel).evaluate(variables, EvaluationContext(0))) == after


@pytest.mark.parametrize(
    "text",
    [
        "list.add(3)",
        "for (i in items) { total = total + i }",
        "def f(x) { x }\nf(1)",
        'execution.setVariable("a", "${b}")',
        "if (a) { return 1 }\n2",
        "execution.setVariable(name, 1)",
        "new Date()",
        "while (true) {}",
        "a = [1, 2]",
    ],
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
