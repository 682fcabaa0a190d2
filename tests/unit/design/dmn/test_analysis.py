"""What the check says of decision tables."""

from __future__ import annotations

import pytest
from tests.unit.design.dmn.test_decisions import HEAD, table

from noria.design.dmn import check_tables, read_dmn
from noria.design.dmn.analysis import PAIRS_MAX, analyse
from noria.design.dmn.spaces import Steps


def told(data):
    model, findings = read_dmn(data, "limits.dmn")
    assert model is not None, findings
    return [(one.code, one.element, one.details) for one in check_tables({"limits.dmn": model})]


def codes(data):
    return [code for code, _, _ in told(data)]


def typed(policy, rules, *, kind="number", values=""):
    """A table whose input has a declared type and, if given, allowed values."""
    limits = f"<inputValues><text>{values}</text></inputValues></input>" if values else "</input>"
    return (
        table(policy, rules)
        .replace(b"<inputExpression>", f'<inputExpression typeRef="{kind}">'.encode())
        .replace(b"</inputExpression></input>", f"</inputExpression>{limits}".encode())
    )


def test_two_rules_of_unique_that_match_the_same_input_are_named_with_that_input():
    assert told(table("UNIQUE", [("< 10", "1"), ("[5..20]", "2"), ("> 20", "3")])) == [
        ("dmn.rules_overlap", "r2", {"table": "t", "rules": "1, 2", "example": "amount = 5"}),
    ]


def test_an_input_between_two_rules_is_a_gap():
    assert told(table("UNIQUE", [("< 10", "1"), ("> 10", "2")])) == [
        ("dmn.table_gap", "t", {"table": "t", "example": "amount = 10"})
    ]


def test_a_default_output_leaves_no_gap():
    assert codes(table("UNIQUE", [("< 10", "1"), ("> 10", "2")], default="0")) == []


@pytest.mark.parametrize("policy", ["COLLECT", "RULE ORDER", "OUTPUT ORDER"])
def test_policies_that_give_a_list_have_neither_gaps_nor_overlaps(policy):
    assert codes(table(policy, [("< 10", "1"), ("< 5", "2")])) == []


def test_a_rule_of_first_that_earlier_ones_cover_together_never_decides():
    rules = [("< 10", "1"), (">= 10", "2"), ("[5..15]", "3")]
    ((code, element, details),) = told(table("FIRST", rules))
    assert (code, element, details["rule"]) == ("dmn.rule_hidden", "r3", "3")


def test_a_last_rule_for_everything_else_also_stands_for_a_missing_input():
    assert codes(table("FIRST", [("< 10", "1"), (">= 10", "2"), ("-", "3")])) == []


def test_a_rule_of_priority_below_a_more_important_one_never_decides():
    rules = [("< 10", '"low"'), ("< 20", '"high"'), (">= 20", '"low"')]
    ((code, element, details),) = told(table("PRIORITY", rules, values='"high","low"'))
    assert (code, element, details["by"]) == ("dmn.rule_hidden", "r1", "2")


def test_rules_of_any_may_overlap_when_they_agree():
    rules = [("< 10", "1"), ("[5..20]", "1"), (">= 9", "2")]
    assert [details["rules"] for code, _, details in told(table("ANY", rules))] == ["1, 3", "2, 3"]


@pytest.mark.parametrize("cell", ["]5..5[", "? > 5 and ? < 3", "[7..2]"])
@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST", "COLLECT"])
def test_a_cell_that_nothing_passes_is_found_with_every_policy(policy, cell):
    found = told(table(policy, [("-", "1"), (cell, "2")]))
    assert ("dmn.rule_impossible", "r2", {"table": "t", "rule": "2", "column": "amount"}) in found


def test_a_text_that_no_rule_names_is_a_gap_unless_allowed_values_end_there():
    rules = [('"a"', "1"), ('"b"', "2")]
    assert told(typed("UNIQUE", rules, kind="string"))[0][2]["example"] == 'amount = "other"'
    assert codes(typed("UNIQUE", rules, kind="string", values='"a", "b"')) == []


def test_the_allowed_values_of_a_type_bound_what_is_expected():
    data = table("UNIQUE", [('"a"', "1"), ('"b"', "2")]).replace(
        b'<inputData id="i" name="amount"/>',
        b'<itemDefinition name="grade"><typeRef>string</typeRef><allowedValues><text>"a", "b", "c"</text>'
        b'</allowedValues></itemDefinition><inputData id="i" name="amount"><variable name="amount" typeRef="grade"/>'
        b"</inputData>",
    )
    assert [details["example"] for _, _, details in told(data)] == ['amount = "c"']


def test_both_truth_values_leave_no_gap():
    assert codes(table("UNIQUE", [("true", "1"), ("false", "2")])) == []


def test_dates_that_follow_each_other_leave_no_gap():
    rules = [('< date("2026-01-01")', "1"), ('[date("2026-01-01")..@"2026-06-30"]', "2"), ('> @"2026-06-30"', "3")]
    assert codes(table("UNIQUE", rules)) == []
    assert told(table("UNIQUE", [*rules[:2], ('> @"2026-07-01"', "3")])) == [
        ("dmn.table_gap", "t", {"table": "t", "example": 'amount = @"2026-07-01"'})
    ]


def test_of_a_table_with_a_cell_that_is_no_constant_test_no_gap_is_claimed_and_that_rule_is_left_out():
    rules = [("< 10", "1"), ("< amount - 5", "2"), ("[5..7]", "3")]
    assert [(code, details.get("rules")) for code, _, details in told(table("UNIQUE", rules))] == [
        ("dmn.rules_overlap", "1, 3")
    ]


def test_columns_with_the_same_expression_are_one_input():
    column = b"<input><inputExpression><text>amount</text></inputExpression></input>"
    data = table("FIRST", [("> 10", "1")]).replace(column, column * 2)
    data = data.replace(b"</inputEntry>", b"</inputEntry><inputEntry><text>&lt; 5</text></inputEntry>")
    assert codes(data)[0] == "dmn.rule_impossible"


def test_a_table_without_rules_is_one_gap():
    assert [details["example"] for _, _, details in told(table("UNIQUE", []))] == ["any input"]


def test_overlaps_beyond_a_number_are_not_all_told():
    assert len(told(table("UNIQUE", [(f"> {at}", "1") for at in range(30)], default="0"))) == PAIRS_MAX


def test_a_table_that_is_too_large_says_so_and_keeps_what_was_found():
    model, _ = read_dmn(table("UNIQUE", [("< 10", "1"), ("]5..5[", "2"), ("[2..3]", "2")]), "limits.dmn")
    found = analyse(model.tables[0], Steps(20))
    assert not found.whole
    assert found.impossible == [(1, 0)]
    assert [finding.code for finding in check_tables({"limits.dmn": model}, steps_max=20)] == [
        "dmn.rule_impossible",
        "dmn.table_too_large",
    ]


def test_a_table_inside_another_expression_is_analysed_too():
    inner = table("UNIQUE", [("> 10", "1")]).decode()
    start, end = inner.index("<decisionTable"), inner.index("</decision>")
    data = inner[:start] + f"<context><contextEntry>{inner[start:end]}</contextEntry></context>" + inner[end:]
    assert codes(data.encode()) == ["dmn.table_gap"]
    assert HEAD in data
