"""Why a decision came out as it did."""

from __future__ import annotations

import itertools

from tests.unit.design.dmn.test_decisions import HEAD, table

from noria.design.dmn import explain, read_dmn
from noria.design.dmn.explaining import lines
from noria.design.feel import EvaluationContext


def explained(data, **variables):
    model, findings = read_dmn(data, "limits.dmn")
    assert model is not None, findings
    return explain(model.decisions["x"], variables, EvaluationContext(0))


def two_columns():
    """A table over `amount` and `region`."""
    region = b"<input><inputExpression><text>region</text></inputExpression></input><output>"
    data = table("FIRST", [("> 100", "1"), ("> 10", "2"), ("-", "3")]).replace(b"<output>", region)
    for cell in (b'"north"', b'"south", "west"', b"-"):
        data = data.replace(
            b"</inputEntry><outputEntry>",
            b"</inputEntry><inputEntry><text>" + cell + b"</text></inputEntry><outputEntry >",
            1,
        )
    return data.replace(b'name="amount"/>', b'name="amount"/><inputData id="j" name="region"/>').replace(
        b'<requiredInput href="#i"/>', b'<requiredInput href="#i"/><requiredInput href="#j"/>'
    )


def test_each_rule_says_which_cells_passed_and_which_was_the_first_that_did_not():
    result, explanation = explained(two_columns(), amount=500, region="south")
    assert result.value == 2
    (seen,) = explanation.tables
    assert (seen.decision, seen.table, seen.hit_policy, seen.result) == ("decide", "t", "FIRST", 2)
    assert [(one.expression, one.value) for one in seen.inputs] == [("amount", 500), ("region", "south")]
    assert [(rule.matched, [(cell.column, cell.outcome) for cell in rule.cells]) for rule in seen.rules] == [
        (False, [("amount", "passed"), ("region", "failed")]),
        (True, [("amount", "passed"), ("region", "passed")]),
        (True, []),
    ]


def test_a_null_is_told_with_decision_table_row_column_and_expression():
    _, explanation = explained(table("FIRST", [("> 10", "1"), ("-", "missing + 1")]), amount="many")
    places = [
        (note.code, note.decision, note.table, note.row, note.column, note.expression) for note in explanation.notes
    ]
    assert places == [
        ("feel.type_mismatch", "decide", "t", 1, "amount", "> 10"),
        ("feel.unknown_name", "decide", "t", 2, "", "missing + 1"),
        ("feel.type_mismatch", "decide", "t", 2, "", "missing + 1"),
    ]


def test_what_the_hit_policy_refuses_is_told_once_at_the_table():
    _, explanation = explained(table("UNIQUE", [("> 10", "1"), ("> 20", "2")]), amount=30)
    assert [(note.code, note.table, note.row) for note in explanation.notes] == [("dmn.not_unique", "t", 0)]


def test_the_null_of_a_literal_expression_names_it_and_its_decision():
    literal = '<literalExpression><text>1 + "a"</text></literalExpression>'
    data = f'{HEAD}<decision id="x" name="X">{literal}</decision></definitions>'
    _, explanation = explained(data.encode())
    assert [(note.decision, note.expression) for note in explanation.notes] == [("X", '1 + "a"')]


def test_an_explained_decision_gives_what_the_plain_one_gives_and_spends_as_much():
    for policy, amount in itertools.product(
        ("UNIQUE", "ANY", "FIRST", "COLLECT", "OUTPUT ORDER"), (None, 5, 50, 500, "a")
    ):
        data = table(policy, [("> 10", '"low"'), ("> 100", "string(amount)"), ("not(7)", "count([1, 2])")])
        model, _ = read_dmn(data, "limits.dmn")
        plain, watched = EvaluationContext(0), EvaluationContext(0)
        expected = model.decisions["x"].evaluate({"amount": amount}, plain)
        result, _ = explain(model.decisions["x"], {"amount": amount}, watched)
        assert result == expected
        assert watched.diagnostics == plain.diagnostics
        assert watched.steps_left == plain.steps_left


def test_a_table_behind_a_function_is_explained_once_for_each_call():
    inner = table("UNIQUE", [("> 10", "1"), ("<= 10", "2")]).decode()
    body = inner[inner.index("<decisionTable") : inner.index("</decision>")]
    data = (
        f'{HEAD}<businessKnowledgeModel id="f" name="f"><encapsulatedLogic><formalParameter name="amount"/>{body}'
        '</encapsulatedLogic></businessKnowledgeModel><decision id="x" name="X"><knowledgeRequirement>'
        '<requiredKnowledge href="#f"/></knowledgeRequirement><literalExpression><text>f(5) + f(50)</text>'
        "</literalExpression></decision></definitions>"
    )
    result, explanation = explained(data.encode())
    assert result.value == 3
    assert [(seen.inputs[0].value, seen.result) for seen in explanation.tables] == [(5, 2), (50, 1)]


def test_in_text_a_row_says_why_it_does_not_match():
    _, explanation = explained(two_columns(), amount=500, region="south")
    assert '  row 1: no, region = "south" is not "north", after 1 that passed' in list(lines(explanation))
