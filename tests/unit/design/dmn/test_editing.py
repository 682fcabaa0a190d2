"""Decision tables are edited in their file, and all else in it stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from noria.design.dmn import read_dmn
from noria.design.dmn.editing import EditedRule, EditedTable, tables_in, with_table
from noria.design.feel import EvaluationContext
from noria.kernel.errors import Rejected

EXAMPLE = (Path(__file__).parents[4] / "examples" / "purchase" / "approval.dmn").read_bytes()
_NOTE = b'<rule id="rule_material"><description>old</description>'
NOTED = EXAMPLE.replace(b'<rule id="rule_material">', _NOTE).replace(
    b"</decision>", b'</decision><!-- kept --><decision id="other" name="o"/>'
)


def edited(data: bytes, table: EditedTable) -> bytes:
    made = with_table(data, "approval_policy", table)
    assert isinstance(made, bytes), made
    return made


def decided(data: bytes, **variables: object) -> object:
    model, findings = read_dmn(data, "x.dmn")
    assert model is not None, findings
    return model.find("approval_policy").evaluate(variables, EvaluationContext(0)).value


def test_a_table_written_back_as_it_was_is_the_same_table() -> None:
    (before,) = [source for source in tables_in(NOTED) if source.decision == "approval_policy"]
    again = edited(NOTED, before.table)
    assert tables_in(again)[0] == before
    assert edited(again, before.table) == again


def test_what_is_not_edited_stays() -> None:
    table = tables_in(NOTED)[0].table
    table.rules[2].inputs[1] = ">= 70000"
    made = edited(NOTED, table)
    assert b"<!-- kept -->" in made
    assert b'<decision id="other" name="o"/>' in made
    assert b"&gt;= 70000" in made
    assert made.count(b"<rule ") == NOTED.count(b"<rule ")
    # The cells' own ids are still there, so that what refers to them still does.
    assert b'inputEntry id="rule_material_1"' in made


def test_new_rows_get_ids_of_their_own_and_decide() -> None:
    table = tables_in(EXAMPLE)[0].table
    row = EditedRule("", ['"service"', ""], ["true", '"PT8H"'], "服务类 <b>")
    made = edited(EXAMPLE, EditedTable("FIRST", "", [row, *table.rules, EditedRule("", ["-", "-"], ["false", ""])]))
    rules = tables_in(made)[0].table.rules
    assert (rules[0].inputs, rules[0].note) == (['"service"', "-"], "服务类 <b>")
    assert len({rule.id for rule in rules}) == 6
    assert decided(made, category="service", amount=1) == {"needs_general_manager": True, "limit": "PT8H"}


def test_rows_are_removed_and_moved_and_notes_go() -> None:
    table = tables_in(NOTED)[0].table
    assert table.rules[2].note == "old"
    table.rules[2].note = ""
    table.rules = [table.rules[3], table.rules[2]]
    made = tables_in(edited(NOTED, table))[0].table
    assert [(rule.id, rule.note) for rule in made.rules] == [("rule_otherwise", ""), ("rule_material", "")]


def test_a_hit_policy_is_changed() -> None:
    table = tables_in(EXAMPLE)[0].table
    made = edited(EXAMPLE, EditedTable("COLLECT", "COUNT", table.rules))
    assert (tables_in(made)[0].table.hit_policy, tables_in(made)[0].table.aggregation) == ("COLLECT", "COUNT")
    assert b"aggregation" not in edited(made, EditedTable("FIRST", "", table.rules))


@pytest.mark.parametrize(
    ("decision", "table", "code"),
    [
        ("nothing", EditedTable("FIRST", "", []), "rules.not_a_table"),
        ("approval_policy", EditedTable("BEST", "", []), "rules.bad_policy"),
        ("approval_policy", EditedTable("FIRST", "MAX", []), "rules.bad_policy"),
        ("approval_policy", EditedTable("FIRST", "", [EditedRule("", ["-"], ["1", "2"])]), "rules.bad_row"),
        ("approval_policy", EditedTable("FIRST", "", [EditedRule("a", ["-"] * 2, [""] * 2)] * 2), "rules.bad_row"),
        ("approval_policy", EditedTable("FIRST", "", [EditedRule("", ["x" * 5001, "-"], [""] * 2)]), "rules.bad_row"),
        ("approval_policy", EditedTable("FIRST", "", [EditedRule("", ["-"] * 2, [""] * 2)] * 5001), "rules.too_many"),
    ],
)
def test_what_is_no_such_table_is_refused(decision: str, table: EditedTable, code: str) -> None:
    refused = with_table(EXAMPLE, decision, table)
    assert isinstance(refused, Rejected)
    assert refused.code == code
