"""Models that import others: their types, decisions, knowledge and inputs, and what is refused."""

from __future__ import annotations

import pytest

from noria.design.dmn import read_dmn
from noria.design.feel import EvaluationContext, to_json

DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def model(name, body, *imports):
    """A file with the namespace urn:NAME that imports others by their names."""
    imported = "".join(f'<import namespace="urn:{one}" name="{one}" importType="{DMN}"/>' for one in imports)
    return f'<definitions xmlns="{DMN}" id="{name}" name="{name}" namespace="urn:{name}">{imported}{body}</definitions>'


def needs(*requirements):
    parts = []
    for at, (kind, href) in enumerate(requirements):
        box = "knowledgeRequirement" if kind == "requiredKnowledge" else "informationRequirement"
        parts.append(f'<{box} id="q{at}"><{kind} href="{href}"/></{box}>')
    return "".join(parts)


def literal(name, requirements, text, type_ref="Any"):
    return (
        f'<decision id="{name}" name="{name}"><variable name="{name}" typeRef="{type_ref}"/>{needs(*requirements)}'
        f"<literalExpression><text>{text}</text></literalExpression></decision>"
    )


RATES = model(
    "rates",
    '<itemDefinition name="Share"><typeRef>number</typeRef><allowedValues><text>[0..1]</text></allowedValues>'
    '</itemDefinition><inputData id="country" name="country"><variable name="country" typeRef="string"/></inputData>'
    + literal("tax rate", [("requiredInput", "#country")], 'if country = "CN" then 0.13 else 0.2')
    + '<businessKnowledgeModel id="gross" name="gross amount"><variable name="gross amount"/><encapsulatedLogic>'
    '<formalParameter name="net" typeRef="number"/><formalParameter name="rate" typeRef="Share"/>'
    "<literalExpression><text>net * (1 + rate)</text></literalExpression></encapsulatedLogic>"
    "</businessKnowledgeModel>",
)
ORDER = model(
    "order",
    '<inputData id="net" name="net"><variable name="net" typeRef="number"/></inputData>'
    + literal(
        "total",
        [
            ("requiredInput", "#net"),
            ("requiredDecision", "urn:rates#tax rate"),
            ("requiredKnowledge", "urn:rates#gross"),
        ],
        "rates.gross amount(net, rates.tax rate)",
    )
    + literal("share", [("requiredInput", "#net")], "net", "rates.Share"),
    "rates",
)


def evaluated(files, file, decision, **variables):
    given = {name: text.encode() for name, text in files.items()}
    read, findings = read_dmn(given[file], file, given)
    assert read is not None, findings
    return to_json(read.find(decision).evaluate(variables, EvaluationContext(0)).value)


def codes(files, file):
    given = {name: text.encode() for name, text in files.items()}
    read, findings = read_dmn(given[file], file, given)
    assert read is None
    return [(finding.code, finding.line) for finding in findings]


FILES = {"order.dmn": ORDER, "rates.dmn": RATES}


def test_a_decision_uses_a_decision_and_a_function_of_another_model():
    assert evaluated(FILES, "order.dmn", "total", net=100, country="CN") == 113
    assert evaluated(FILES, "order.dmn", "total", net=100, country="DE") == 120


def test_inputs_of_an_imported_model_may_be_given_under_the_name_of_the_import():
    assert evaluated(FILES, "order.dmn", "total", net=100, country="DE", rates={"country": "CN"}) == 113


def test_imported_types_convert_and_limit():
    assert evaluated(FILES, "order.dmn", "share", net=0.5) == 0.5
    assert evaluated(FILES, "order.dmn", "share", net=5) is None


def test_what_is_imported_without_a_name_is_called_as_if_it_were_the_models_own():
    order = ORDER.replace(' name="rates"', "").replace("rates.", "")
    assert evaluated({**FILES, "order.dmn": order}, "order.dmn", "total", net=100, country="CN") == 113
    assert evaluated({**FILES, "order.dmn": order}, "order.dmn", "share", net=5) is None


def test_a_model_that_is_imported_under_two_names_is_known_by_both():
    requirements = [
        ("requiredInput", "#net"),
        ("requiredDecision", "urn:rates#tax rate"),
        ("requiredKnowledge", "urn:rates#gross"),
    ]
    twice = model(
        "order",
        '<inputData id="net" name="net"><variable name="net" typeRef="number"/></inputData>'
        + literal("total", requirements, "rates.gross amount(net, taxes.tax rate)", "taxes.Amount")
        + literal("share", requirements, "[taxes.tax rate, rates.tax rate]")
        + literal("limited", requirements, "net", "rates.Share"),
        "rates",
        "rates",
    ).replace('name="rates" importType', 'name="taxes" importType', 1)
    rates = RATES.replace(
        "<inputData", '<itemDefinition name="Amount"><typeRef>number</typeRef></itemDefinition><inputData', 1
    )
    files = {"order.dmn": twice, "rates.dmn": rates}
    assert evaluated(files, "order.dmn", "total", net=100, country="CN") == 113
    assert evaluated(files, "order.dmn", "share", rates={"country": "CN"}) == [0.13, 0.13]
    assert evaluated(files, "order.dmn", "share", taxes={"country": "CN"}) == [0.13, 0.13]
    assert evaluated(files, "order.dmn", "limited", net=5) is None


def test_components_of_imported_types_may_have_names_of_several_words():
    people = model(
        "people",
        '<itemDefinition name="Person"><itemComponent name="first name"><typeRef>string</typeRef></itemComponent>'
        "</itemDefinition>",
    )
    who = '<inputData id="who" name="who"><variable name="who" typeRef="people.Person"/></inputData>'
    top = model("top", who + literal("greeting", [("requiredInput", "#who")], 'who.first name + "!"'), "people")
    files = {"top.dmn": top, "people.dmn": people}
    assert evaluated(files, "top.dmn", "greeting", who={"first name": "Li"}) == "Li!"


def test_imports_of_imports_are_followed_each_model_seeing_only_its_own():
    middle = model("middle", literal("rate", [("requiredDecision", "urn:rates#tax rate")], "rates.tax rate"), "rates")
    top = model("top", literal("percent", [("requiredDecision", "urn:middle#rate")], "middle.rate * 100"), "middle")
    files = {"top.dmn": top, "middle.dmn": middle, "rates.dmn": RATES}
    assert evaluated(files, "top.dmn", "percent", country="CN") == 13
    beyond = model("top", literal("percent", [("requiredDecision", "urn:rates#tax rate")], "rates.tax rate"), "middle")
    assert codes({**files, "top.dmn": beyond}, "top.dmn") == [("dmn.unknown_reference", 1)]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"order.dmn": ORDER}, "dmn.unknown_import"),
        ({**FILES, "rates.dmn": "<!DOCTYPE a><a/>"}, "dmn.unknown_import"),
        ({**FILES, "rates.dmn": RATES.replace("0.13 else", "0.13")}, "dmn.broken_import"),
        ({**FILES, "rates.dmn": model("rates", "", "order")}, "dmn.broken_import"),
        ({"order.dmn": model("order", "", "order")}, "dmn.import_cycle"),
        ({"order.dmn": model("order", "", "rates").replace(f'importType="{DMN}"', 'importType="urn:pmml"')},
         "dmn.unsupported_import"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused(files, code):
    assert codes(files, "order.dmn")[0][0] == code
