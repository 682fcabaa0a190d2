"""Decisions: hit policies, requirements, and what is refused."""

from __future__ import annotations

import pytest

from noria.design.dmn import UnknownDecisionError, read_dmn
from noria.design.feel import EvaluationContext, to_json

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
        ("pick", '"c"', None, 'y: a string is not of type string ("a", "b").'),
        (
            "person",
            '{name: "li", marks: ["one"]}',
            None,
            "y: a context is not of type context<name: string, marks: list<number>>.",
        ),
        ("counting", "3", None, "y: a number is not of type function<Any> -> number."),
        ("Any", "answer([3])", 3, ""),
        ("Any", 'answer("x")', None, "answer: a string is not of type number."),
    ],
)
def test_a_value_is_converted_to_its_declared_type_or_null_with_the_type_in_the_note(wanted, text, value, note):
    assert of_type(wanted, text) == (value, note)


def test_a_knowledge_model_may_call_itself_hundreds_of_times():
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
    assert decide(data, amount=200)[0] == 200
    assert decide(data, amount=400)[0] == 400


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
