"""Decisions: hit policies, requirements, and what is refused."""

from __future__ import annotations

import pytest

from noria.design.dmn import UnknownDecisionError, read_dmn
from noria.design.feel import EvaluationContext, compile_expression, to_json
from noria.design.feel.evaluation import FeelBudgetError

HEAD = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="limits" namespace="urn:limits">'
    '<inputData id="i" name="amount"/>'
)


def table(policy, rules, *, aggregation="", default="", values=""):
    """A table over `amount`; rules are pairs of an input entry and an output entry."""
    body = "".join(
        f'<rule id="r{at}"><inputEntry><text><![CDATA[{test}]]></text></inputEntry>'
        f"<outputEntry><text>{output}</text></outputEntry></rule>"
        for at, (test, output) in enumerate(rules, 1)
    )
    extra = f' aggregation="{aggregation}"' if aggregation else ""
    allowed = f"<outputValues><text>{values}</text></outputValues>" if values else ""
    fallback = f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    return (
        f'{HEAD}<decision id="x" name="decide"><variable name="decide"/>'
        '<informationRequirement id="q"><requiredInput href="#i"/></informationRequirement>'
        f'<decisionTable id="t" hitPolicy="{policy}"{extra}><input><inputExpression><text>amount</text>'
        f"</inputExpression></input><output>{allowed}{fallback}</output>{body}</decisionTable></decision></definitions>"
    ).encode()


def decide(data, **variables):
    model, findings = read_dmn(data, "limits.dmn")
    assert model is not None, findings
    result = model.decisions["x"].evaluate(variables, EvaluationContext(0))
    return to_json(result.value), [hit.rule_id for hit in result.matched]


RULES = [("> 10", '"low"'), ("> 100", '"high"'), ("> 1000", '"high"')]
NUMBERS = [("> 10", "1"), ("> 100", "3"), ("> 1000", "2")]


@pytest.mark.parametrize(
    ("policy", "amount", "expected"),
    [
        ("UNIQUE", 50, "low"),
        ("UNIQUE", 500, None),
        ("ANY", 500, None),
        ("ANY", 50, "low"),
        ("FIRST", 5000, "low"),
        ("PRIORITY", 5000, "high"),
        ("RULE ORDER", 500, ["low", "high"]),
        ("OUTPUT ORDER", 500, ["high", "low"]),
        ("COLLECT", 5000, ["low", "high", "high"]),
        ("UNIQUE", 5, None),
    ],
)
def test_a_hit_policy_chooses_among_the_rules_that_match(policy, amount, expected):
    assert decide(table(policy, RULES, values='"high", "low"'), amount=amount)[0] == expected


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 6), ("MIN", 1), ("MAX", 3), ("COUNT", 3)])
def test_collect_aggregates(aggregation, expected):
    assert decide(table("COLLECT", NUMBERS, aggregation=aggregation), amount=5000)[0] == expected


@pytest.mark.parametrize("aggregation", ["SUM", "MIN", "MAX"])
def test_what_cannot_be_aggregated_is_null(aggregation):
    outputs = {"SUM": '"a"', "MIN": "true", "MAX": "true"}
    assert decide(table("COLLECT", [("> 10", outputs[aggregation])], aggregation=aggregation), amount=50)[0] is None


def test_the_default_is_given_when_nothing_matches():
    assert decide(table("UNIQUE", RULES, default='"none"'), amount=1)[0] == "none"


def test_the_rules_that_matched_are_told():
    assert decide(table("COLLECT", RULES), amount=500) == (["low", "high"], ["r1", "r2"])


def test_a_table_of_a_thousand_rules_finds_the_one():
    rules = [(f"[{at}..{at})", str(at)) for at in range(999)] + [("5000", '"found"')]
    assert decide(table("UNIQUE", rules), amount=5000) == ("found", ["r1000"])


def test_required_decisions_are_evaluated_first():
    data = (
        f'{HEAD}<decision id="y" name="net amount"><variable name="net amount"/>'
        '<informationRequirement id="q1"><requiredInput href="#i"/></informationRequirement>'
        "<literalExpression><text>amount / 1.25</text></literalExpression></decision>"
        '<decision id="x" name="decide"><variable name="decide"/>'
        '<informationRequirement id="q2"><requiredDecision href="#y"/></informationRequirement>'
        "<literalExpression><text>net amount + 1</text></literalExpression></decision></definitions>"
    ).encode()
    assert decide(data, amount=100)[0] == 81


def test_decisions_that_require_each_other_are_refused():
    data = (
        f'{HEAD}<decision id="x" name="a"><informationRequirement id="q1"><requiredDecision href="#y"/>'
        '</informationRequirement></decision><decision id="y" name="b"><informationRequirement id="q2">'
        '<requiredDecision href="#x"/></informationRequirement></decision></definitions>'
    ).encode()
    model, findings = read_dmn(data, "limits.dmn")
    assert model is None
    assert [finding.code for finding in findings] == ["dmn.cycle"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<!DOCTYPE a><a/>", "xml.refused"),
        (b"<a/>", "dmn.not_dmn"),
        (
            f'{HEAD}<import namespace="urn:other" importType="urn:pmml"/></definitions>'.encode(),
            "dmn.unsupported_import",
        ),
        (table("UNIQUE", [("> ", "1")]), "feel.syntax"),
        (table("NONE", []), "dmn.hit_policy"),
    ],
)
def test_what_cannot_be_executed_is_an_error_with_its_line(data, code):
    model, findings = read_dmn(data, "limits.dmn")
    assert model is None
    assert findings[0].code == code
    assert findings[0].line >= 1


def test_an_unknown_decision_names_those_that_exist():
    model, _ = read_dmn(table("UNIQUE", RULES), "limits.dmn")
    assert model is not None
    with pytest.raises(UnknownDecisionError, match="x"):
        model.find("nothing")


TYPES = """
<itemDefinition name="pick"><typeRef>string</typeRef>
  <allowedValues><text>"a", "b"</text></allowedValues></itemDefinition>
<itemDefinition name="person"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="marks" isCollection="true"><typeRef>number</typeRef></itemComponent></itemDefinition>
<itemDefinition name="narrow"><typeRef>pick</typeRef><allowedValues><text>"a"</text></allowedValues></itemDefinition>
<itemDefinition name="picks" isCollection="true"><typeRef>pick</typeRef>
  <typeConstraint><text>count(?) &lt; 3</text></typeConstraint></itemDefinition>
<itemDefinition name="staff" isCollection="true"><typeRef>person</typeRef></itemDefinition>
<itemDefinition name="counting"><functionItem outputTypeRef="number"><parameters name="x" typeRef="Any"/></functionItem>
</itemDefinition>
"""


def of_type(wanted, text):
    """What a decision of a type gives, and the first thing that was noted."""
    model, findings = read_dmn(
        f"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="m" namespace="urn:m">{TYPES}
        <businessKnowledgeModel id="k" name="answer"><variable name="answer" typeRef="counting"/><encapsulatedLogic>
        <formalParameter name="x"/><literalExpression><text>x</text></literalExpression></encapsulatedLogic>
        </businessKnowledgeModel><decision id="x" name="y"><variable name="y" typeRef="{wanted}"/>
        <knowledgeRequirement id="r"><requiredKnowledge href="#k"/></knowledgeRequirement>
        <literalExpression><text>{text}</text></literalExpression></decision></definitions>""".encode(),
        "m.dmn",
    )
    assert model is not None, findings
    context = EvaluationContext(0)
    value = to_json(model.decisions["x"].evaluate({}, context).value)
    return value, next((note.message for note in context.diagnostics), "")


@pytest.mark.parametrize(
    ("wanted", "text", "value", "note"),
    [
        ("list", "1", [1], ""),
        ("string", '["a"]', "a", ""),
        ("pick", '"c"', None, 'y: the string "c" is not an allowed value ("a", "b").'),
        ("narrow", '"c"', None, 'y: the string "c" is not an allowed value ("a", "b").'),
        ("narrow", '"b"', None, 'y: the string "b" is not an allowed value ("a").'),
        ("narrow", "1", None, 'y: a number is not of type string ("a", "b") ("a").'),
        ("picks", '["a", "c"]', None, 'y[2]: the string "c" is not an allowed value ("a", "b").'),
        ("picks", '["a", "b", "a"]', None, "y: a list is not an allowed value (count(?) < 3)."),
        ("picks", '"c"', None, 'y: the string "c" is not an allowed value ("a", "b").'),
        ("person", '{name: "li", marks: ["one"]}', None, "y.marks[1]: a string is not of type number."),
        (
            "person",
            '{name: "li"}',
            None,
            "y.marks: there is no such entry, but one of type list<number> is expected.",
        ),
        ("person", "3", None, "y: a number is not of type context<name: string, marks: list<number>>."),
        (
            "staff",
            '[{name: "li", marks: []}, {name: 1, marks: []}]',
            None,
            "y[2].name: a number is not of type string.",
        ),
        (
            "staff",
            '(function(p: person) p)({name: "li", marks: true})',
            None,
            "Parameter p.marks: a boolean is not of type list<number>.",
        ),
        ("counting", "3", None, "y: a number is not of type function<Any> -> number."),
        ("Any", "answer([3])", 3, ""),
        ("Any", 'answer("x")', None, "answer: a string is not of type number."),
    ],
)
def test_a_value_is_converted_to_its_declared_type_or_null_with_the_type_in_the_note(wanted, text, value, note):
    assert of_type(wanted, text) == (value, note)


def test_a_knowledge_model_may_call_itself_some_hundred_times():
    table = (
        '<decisionTable id="t" hitPolicy="UNIQUE"><input><inputExpression><text>n</text></inputExpression></input>'
        "<output/><rule><inputEntry><text>0</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>"
        "<rule><inputEntry><text>[1..500]</text></inputEntry><outputEntry><text>n * factorial(n - 1)</text>"
        "</outputEntry></rule></decisionTable>"
    )
    data = (
        f'{HEAD}<businessKnowledgeModel id="k" name="factorial"><variable name="factorial"/><encapsulatedLogic>'
        f'<formalParameter name="n" typeRef="number"/>{table}</encapsulatedLogic></businessKnowledgeModel>'
        '<decision id="x" name="decide"><variable name="decide"/>'
        '<informationRequirement id="q1"><requiredInput href="#i"/></informationRequirement>'
        '<knowledgeRequirement id="q2"><requiredKnowledge href="#k"/></knowledgeRequirement>'
        "<literalExpression><text>factorial(amount) / factorial(amount - 1)</text></literalExpression></decision>"
        "</definitions>"
    ).encode()
    assert decide(data, amount=190)[0] == 190


def literal(text):
    return f"<literalExpression><text><![CDATA[{text}]]></text></literalExpression>"


RECURSIVE = """
<itemDefinition name="unit"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="parts" isCollection="true"><typeRef>unit</typeRef></itemComponent>
  <itemComponent name="head"><typeRef>boss</typeRef></itemComponent></itemDefinition>
<itemDefinition name="boss"><typeRef>human</typeRef></itemDefinition>
<itemDefinition name="human"><itemComponent name="age"><typeRef>number</typeRef>
    <allowedValues><text>[0..150]</text></allowedValues></itemComponent>
  <itemComponent name="leads"><typeRef>unit</typeRef></itemComponent></itemDefinition>
"""


def typed(definitions, wanted, given):
    """What an input of a type becomes, what is noted, and the model's findings."""
    model, findings = read_dmn(
        f"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="m" namespace="urn:m">
        {definitions}<inputData id="i" name="given"><variable name="given" typeRef="{wanted}"/></inputData>
        <decision id="x" name="y"><variable name="y"/><informationRequirement id="q"><requiredInput href="#i"/>
        </informationRequirement><literalExpression><text>given</text></literalExpression></decision></definitions>
        """.encode(),
        "m.dmn",
    )
    assert model is not None, findings
    context = EvaluationContext(0)
    value = model.decisions["x"].evaluate({"given": given}, context).value
    return value, [note.message for note in context.diagnostics], findings


def units(depth, innermost):
    inner = innermost
    for _ in range(depth):
        inner = {"name": "u", "parts": [inner], "head": None}
    return inner


def test_a_type_that_stands_inside_itself_is_checked_as_deep_as_the_value_goes():
    for depth in (0, 1, 2, 5, 2_000):
        good, bad = ({"name": name, "parts": [], "head": None} for name in ("ok", 1))
        assert typed(RECURSIVE, "unit", units(depth, good))[1:] == ([], [])
        where = ".parts[1]" * depth
        assert typed(RECURSIVE, "unit", units(depth, bad))[:2] == (
            None,
            [f"given{where}.name: a number is not of type string."],
        )


def test_types_that_stand_inside_each_other_are_checked_with_their_limits():
    def given(age):
        return {"name": "a", "parts": [], "head": {"age": 40, "leads": {"name": "b", "parts": [], "head": age}}}

    assert typed(RECURSIVE, "unit", given({"age": 30, "leads": None}))[1] == []
    assert typed(RECURSIVE, "unit", given({"age": 151, "leads": None}))[1] == [
        "given.head.leads.head.age: the number 151 is not an allowed value ([0..150])."
    ]


def test_a_value_that_is_endless_to_check_is_refused():
    value = {"name": "a", "parts": [], "head": None}
    for _ in range(40):
        value = {"name": "a", "parts": [value, value], "head": None}
    with pytest.raises(FeelBudgetError):
        typed(RECURSIVE, "unit", value)


def test_the_name_of_a_type_that_stands_inside_itself_ends():
    inside = "context<name: string, parts: list, head: context>"
    note = (
        f"given: a number is not of type context<name: string, parts: list<{inside}>, "
        f"head: context<age: number ([0..150]), leads: {inside}>>."
    )
    assert typed(RECURSIVE, "unit", 3)[1] == [note]


@pytest.mark.parametrize(
    ("definitions", "names"),
    [
        (["b", "a"], "a, b"),
        (["a"], "a"),
        (["b", "c", "a"], "a, b, c"),
    ],
)
def test_types_that_are_derived_from_each_other_are_refused_and_what_is_deployed_goes_on(definitions, names):
    text = "".join(
        f'<itemDefinition id="t{name}" name="{name}"><typeRef>{base}</typeRef></itemDefinition>'
        for name, base in zip("abc", definitions, strict=False)
    )
    value, _, findings = typed(text, "a", 3)
    assert value == 3
    assert [(finding.severity, finding.code) for finding in findings] == [("error", "dmn.circular_type")]
    assert all(name in findings[0].message for name in names.split(", "))


def test_two_entries_of_a_context_with_one_name_are_refused_and_the_context_is_null_as_in_feel():
    body = "".join(
        f'<contextEntry><variable name="{name}"/>{literal("1")}</contextEntry>' for name in ("net", "tax", "net")
    )
    literal_notes = EvaluationContext(0)
    assert compile_expression("{net: 1, tax: 1, net: 1}").evaluate({}, literal_notes) is None
    for result in ("", f"<contextEntry>{literal('net')}</contextEntry>"):
        model, findings = read_dmn(
            f'{HEAD}<decision id="x" name="y"><variable name="y"/><context>{body}{result}</context></decision>'
            "</definitions>".encode(),
            "m.dmn",
        )
        assert [(one.severity, one.code, one.element) for one in findings] == [("error", "dmn.duplicate_entry", "x")]
        assert "'net'" in findings[0].message
        assert model is not None
        context = EvaluationContext(0)
        assert model.decisions["x"].evaluate({}, context).value is None
        assert context.diagnostics == literal_notes.diagnostics


def boxed_filter(condition):
    return f"<filter><in>{literal('amount')}</in><match>{condition}</match></filter>"


@pytest.mark.parametrize(
    ("values", "condition"),
    [
        ('[@"2025-12-31", @"2026-01-01", 1]', "year = 2026"),
        ('[@"10:00:00Z", @"10:00:00"]', 'time offset = @"PT0S"'),
        ('[@"P1Y2M", @"P2Y"]', "years > 1"),
        ("[[1..3], [2..9]]", "end - start > 2"),
        ("[]", "year = 2026"),
        ("[1, 2, 3]", "item > 1"),
        ("[3, 2, 1]", "2"),
        ("[{item: 1}, {item: 2}]", "item > 1"),
        ('[context put({}, "unit price", 3), context put({}, "unit price", 4)]', "unit price > 3"),
        ('[context put({}, "unit price", 3)]', "unit price in (1, 3)"),
        ("[{count: 1}, {count: 2}]", "count = 2"),
        ("[{year: 2025}, {month: 2}]", "year = 2025"),
    ],
)
def test_a_boxed_filter_gives_what_a_filter_in_text_gives(values, condition):
    given = compile_expression(values).evaluate({}, EvaluationContext(0))
    then, otherwise = f"<then>{literal(condition)}</then>", f"<else>{literal('false')}</else>"
    inside = f"<conditional><if>{literal('true')}</if>{then}{otherwise}</conditional>"
    results = []
    for body in (literal(f"amount[{condition}]"), boxed_filter(literal(condition)), boxed_filter(inside)):
        model, findings = read_dmn(
            f'{HEAD}<decision id="x" name="y"><variable name="y"/><informationRequirement id="q">'
            f'<requiredInput href="#i"/></informationRequirement>{body}</decision></definitions>'.encode(),
            "m.dmn",
        )
        assert model is not None, findings
        results.append(to_json(model.decisions["x"].evaluate({"amount": given}, EvaluationContext(0)).value))
    assert results[1:] == results[:1] * 2
    assert results[0] is not None


def test_columns_of_a_relation_may_have_names_of_several_words():
    relation = (
        '<relation><column name="unit price"/><column name="quantity"/><row><literalExpression><text>10</text>'
        "</literalExpression><literalExpression><text>2</text></literalExpression></row><row><literalExpression>"
        "<text>20</text></literalExpression><literalExpression><text>1</text></literalExpression></row></relation>"
    )
    model, findings = read_dmn(
        f"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="m" namespace="urn:m">
        <decision id="o" name="orders"><variable name="orders"/>{relation}</decision><decision id="x" name="dear">
        <variable name="dear"/><informationRequirement id="q"><requiredDecision href="#o"/></informationRequirement>
        <filter><in><literalExpression><text>orders</text></literalExpression></in><match><literalExpression>
        <text>unit price &gt; 15</text></literalExpression></match></filter></decision></definitions>""".encode(),
        "m.dmn",
    )
    assert model is not None, findings
    value = model.decisions["x"].evaluate({}, EvaluationContext(0)).value
    assert to_json(value) == [{"unit price": 20, "quantity": 1}]


@pytest.mark.parametrize(
    "place",
    ["<definitions ", "<inputExpression", "<inputValues", "<inputEntry", "<outputEntry", "<defaultOutputEntry"],
)
def test_another_language_than_feel_is_refused_wherever_it_is_named(place):
    data = table("UNIQUE", [("> 10", "1")], default="0").decode()
    data = data.replace("</inputExpression>", "</inputExpression><inputValues><text>[0..99]</text></inputValues>")
    assert read_dmn(data.encode(), "limits.dmn")[1] == []
    for language, codes in (("juel", {"dmn.unsupported_language"}), ("urn:FEEL", set())):
        named = data.replace(place, f'{place.strip()} expressionLanguage="{language}" ', 1)
        _, findings = read_dmn(named.encode(), "limits.dmn")
        assert {finding.code for finding in findings} == codes
