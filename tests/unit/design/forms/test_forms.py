"""Forms: every submission is checked on the server by the schema that the page was drawn from."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.design.feel import EvaluationContext
from noria.design.forms import read_form


def form(*components):
    made, findings = read_form(json.dumps({"schemaVersion": 19, "components": components}).encode(), "f.form")
    assert made is not None, findings
    return made


def check(made, values, **current):
    return made.validate(values, context=EvaluationContext(0), current=current)


def codes(made, values, **current):
    return {path: error.code for path, error in check(made, values, **current).errors.items()}


@pytest.mark.parametrize(
    ("component", "good", "bad", "code"),
    [
        ({"type": "textfield", "validate": {"minLength": 2}}, "ab", "a", "form.min_length"),
        ({"type": "textarea", "validate": {"maxLength": 2}}, "ab", "abc", "form.max_length"),
        ({"type": "textfield", "validate": {"pattern": "^[A-Z]+$"}}, "AB", "ab", "form.pattern"),
        ({"type": "textfield", "validate": {"validationType": "email"}}, "a@b.cn", "a@b", "form.email"),
        ({"type": "textfield", "validate": {"validationType": "phone"}}, "+86 138 0000", "x", "form.phone"),
        ({"type": "textfield"}, "x", 3, "form.type"),
        ({"type": "number", "validate": {"min": 1}}, 1, 0, "form.min"),
        ({"type": "number", "validate": {"max": "=2 + 3"}}, 5, 5.5, "form.max"),
        ({"type": "number", "decimalDigits": 2}, 1.25, 1.255, "form.decimal_digits"),
        ({"type": "number"}, 1, "1", "form.type"),
        ({"type": "number"}, 1, True, "form.type"),
        ({"type": "checkbox", "validate": {"required": True}}, True, False, "form.required"),
        ({"type": "radio", "values": [{"label": "A", "value": "a"}]}, "a", "b", "form.choice"),
        ({"type": "select", "values": [{"label": "1", "value": 1}]}, 1, True, "form.choice"),
        ({"type": "checklist", "values": [{"label": "A", "value": "a"}]}, ["a"], ["a", "a"], "form.choice_twice"),
        ({"type": "taglist", "valuesKey": "tags"}, ["anything"], "x", "form.type"),
        ({"type": "datetime", "subtype": "date"}, "2026-11-24", "24.11.2026", "form.datetime"),
        ({"type": "datetime", "subtype": "time"}, "09:30", "9:30", "form.datetime"),
        ({"type": "datetime", "subtype": "datetime"}, "2026-11-24T09:30Z", "2026-11-24", "form.datetime"),
        (
            {"type": "filepicker"},
            [{"hash": "0" * 64, "name": "a.pdf", "size": 3, "media_type": "application/pdf"}],
            [{"hash": "../x", "name": "a", "size": 1, "media_type": "b"}],
            "form.attachment",
        ),
        (
            {"type": "filepicker", "properties": {"kind": "signature"}},
            [{"hash": "0" * 64, "name": "signature.png", "size": 3, "media_type": "image/png"}],
            [{"hash": "0" * 64, "name": "a.pdf", "size": 3, "media_type": "application/pdf"}],
            "form.signature",
        ),
    ],
)
def test_a_value_is_checked_by_the_type_of_its_field(component, good, bad, code):
    made = form({"key": "v", **component})
    assert check(made, {"v": good}).values == {"v": good}
    assert codes(made, {"v": good}) == {}
    assert codes(made, {"v": bad}) == {"v": code}


def test_a_required_value_may_not_be_missing_or_empty():
    made = form({"type": "textfield", "key": "v", "validate": {"required": True}})
    assert codes(made, {}) == codes(made, {"v": ""}) == {"v": "form.required"}


def test_unknown_fields_are_refused():
    assert codes(form({"type": "textfield", "key": "v"}), {"role": "admin"}) == {"role": "form.unknown_field"}


def test_a_hidden_field_is_neither_required_nor_kept():
    made = form(
        {"type": "checkbox", "key": "travel"},
        {
            "type": "textfield",
            "key": "city",
            "conditional": {"hide": "=not(travel)"},
            "validate": {"required": True},
        },
    )
    assert check(made, {"travel": False, "city": "x"}).values == {"travel": False}
    assert codes(made, {"travel": True}) == {"city": "form.required"}


def test_a_computed_field_ignores_what_was_submitted():
    made = form({"type": "number", "key": "a"}, {"type": "expression", "key": "double", "expression": "=a * 2"})
    assert check(made, {"a": 4, "double": 1_000}).values == {"a": 4, "double": 8}


def test_a_read_only_field_is_dropped_and_refused_when_it_differs():
    made = form({"type": "number", "key": "v", "readonly": True})
    assert check(made, {"v": 1}, v=1).values == {}
    assert codes(made, {"v": 1}, v=1) == {}
    assert codes(made, {"v": 2}, v=1) == {"v": "form.read_only"}


def test_every_row_of_a_table_is_checked_and_named():
    made = form(
        {
            "type": "dynamiclist",
            "path": "lines",
            "properties": {"minRows": "1", "maxRows": "3"},
            "components": [{"type": "number", "key": "quantity", "validate": {"min": 1, "required": True}}],
        }
    )
    assert codes(made, {"lines": []}) == {"lines": "form.rows"}
    assert check(made, {"lines": [{"quantity": 2}]}).values == {"lines": [{"quantity": 2}]}
    assert codes(made, {"lines": [{"quantity": 1}, {"quantity": 0}, {"price": 1}]}) == {
        "lines[1].quantity": "form.min",
        "lines[2].quantity": "form.required",
        "lines[2].price": "form.unknown_field",
    }


def test_a_group_with_a_path_holds_its_values():
    made = form({"type": "group", "path": "who", "components": [{"type": "textfield", "key": "name"}]})
    assert check(made, {"who": {"name": "Li"}}).values == {"who": {"name": "Li"}}
    assert codes(made, {"who": {"age": 3}}) == {"who.age": "form.unknown_field"}


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b'{\n"components": [}', "form.not_json", 2),
        (b"[]", "form.no_components", 1),
        (b'{"schemaVersion": 20, "components": []}', "form.schema_version", 1),
        (b'{"components": [\n{"type": "magic", "id": "m1"}]}', "form.unsupported_type", 2),
        (b'{"components": [{"type": "textfield", "id": "t"}]}', "form.key", 1),
        (b'{"components": [{"type": "number", "key": "n", "conditional": {"hide": "=1 +"}}]}', "feel.syntax", 1),
    ],
)
def test_a_faulty_schema_is_refused_with_its_line(data, code, line):
    made, findings = read_form(data, "f.form")
    assert made is None
    assert (findings[0].code, findings[0].line) == (code, line)


def test_a_fixed_list_keeps_what_its_rows_show_read_only_or_not_at_all():
    made = form(
        {
            "type": "dynamiclist",
            "path": "lines",
            "allowAddRemove": False,
            "components": [
                {"type": "textfield", "key": "item", "readonly": True},
                {"type": "textfield", "key": "note"},
            ],
        }
    )
    lines = [{"item": "bolt", "price": 3}, {"item": "nut", "price": 1}]
    # Pages leave out fields that nobody can change.
    assert check(made, {"lines": [{}, {"note": "urgent"}]}, lines=lines).values == {
        "lines": [{"item": "bolt", "price": 3}, {"item": "nut", "price": 1, "note": "urgent"}]
    }
    assert codes(made, {"lines": [{}]}, lines=lines) == {"lines": "form.rows"}
    assert codes(made, {}, lines=lines) == {}


LINES = (
    {"type": "expression", "key": "sum", "expression": "=sum(lines.total)"},
    {
        "type": "dynamiclist",
        "path": "lines",
        "components": [
            {"type": "number", "key": "quantity"},
            {"type": "number", "key": "price"},
            {"type": "checkbox", "key": "free"},
            {"type": "number", "key": "discount", "conditional": {"hide": "=not(free)"}},
            {
                "type": "expression",
                "key": "total",
                "expression": "=quantity * price * rate - (if free then discount else 0)",
            },
        ],
    },
    {"type": "expression", "key": "rate", "expression": "=if express then 2 else 1"},
    {"type": "checkbox", "key": "express"},
    {"type": "textfield", "key": "why", "conditional": {"hide": "=sum < 100"}, "validate": {"required": True}},
)


def test_a_sum_over_computed_rows_is_the_servers_in_whatever_order_the_fields_stand():
    made = form(*LINES)
    rows = [{"quantity": 2, "price": 3, "free": False}, {"quantity": 1, "price": 4, "free": False}]
    assert check(made, {"lines": rows, "express": True}).values["sum"] == 20
    lied = [{**row, "total": 1_000} for row in rows]
    assert check(made, {"lines": lied, "express": True, "sum": 5, "rate": 7}) == check(
        made, {"lines": rows, "express": True}
    )


def test_a_condition_on_a_computed_field_looks_at_what_the_server_computed():
    made = form(*LINES)
    rows = [{"quantity": 50, "price": 3, "free": False}]
    assert codes(made, {"lines": rows, "express": False, "sum": 1}) == {"why": "form.required"}
    assert codes(made, {"lines": [], "express": False, "sum": 1_000, "why": "x"}) == {}


def test_what_is_hidden_counts_as_it_was_before():
    made = form(*LINES)
    hidden = {"quantity": 2, "price": 3, "free": False, "discount": 5}
    values = check(made, {"lines": [hidden], "express": False}).values
    assert values == {
        "sum": 6,
        "lines": [{"quantity": 2, "price": 3, "free": False, "total": 6}],
        "rate": 1,
        "express": False,
    }
    shown = check(made, {"lines": [{**hidden, "free": True}], "express": False}).values
    assert shown["sum"] == 1


def test_fields_that_depend_on_each_other_in_a_ring_come_to_an_end():
    made = form(
        {"type": "expression", "key": "a", "expression": "=if b = null then 1 else b + 1"},
        {"type": "expression", "key": "b", "expression": "=a + 1"},
    )
    assert check(made, {}) == check(made, {"a": 100, "b": 7})


@given(
    st.lists(
        st.fixed_dictionaries({"quantity": st.integers(0, 99), "price": st.integers(0, 99), "free": st.just(False)}),
        max_size=5,
    ),
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["sum", "rate"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2)),
    ),
    st.one_of(st.none(), st.integers(), st.text(max_size=3)),
)
def test_what_a_page_says_of_computed_fields_counts_for_nothing(rows, express, lies, total):
    made = form(*LINES)
    honest = check(made, {"lines": rows, "express": express, "why": "x"})
    assert (
        check(made, {"lines": [{**row, "total": total} for row in rows], "express": express, "why": "x", **lies})
        == honest
    )
    assert honest.values["sum"] == (
        sum(row["quantity"] * row["price"] for row in rows) * (2 if express else 1) if rows else None
    )
