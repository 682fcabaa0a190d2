"""Functions that Camunda adds to FEEL."""

from __future__ import annotations

import pytest

from noria.design.feel import EvaluationContext, compile_expression, to_json
from noria.design.feel.evaluation import FeelBudgetError


def value(source, variables=None, context=None):
    return to_json(compile_expression(source).evaluate(variables or {}, context or EvaluationContext(0)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('is defined("")', True),
        ("is defined(missing)", False),
        ("get or else(missing, 3)", 3),
        ("get or else(false, true)", False),
        ('trim("  a b \\n")', "a b"),
        ("trim(3)", None),
        ('is blank(" \\t")', True),
        ('is blank("")', True),
        ('is blank(" a ")', False),
        ('extract("orders 1234, 1256 and 98", "12[0-9]*")', ["1234", "1256"]),
        ('extract("abc", "x")', []),
        ('extract("abc", "[")', None),
        ('to base64("FEEL 筒车")', "RkVFTCDnrZLovaY="),
        ('to json({a: [1, 2.5, null], b: date("2026-02-03")})', '{"a":[1,2.5,null],"b":"2026-02-03"}'),
        ('to json("a")', '"a"'),
        ('from json("{\\"a\\": [1, 2.5, null]}")', {"a": [1, 2.5, None]}),
        ('from json("1")', 1),
        ('from json("{")', None),
        ("from json(3)", None),
        ('fromAi(3, "how many", "number")', 3),
        ("fromAi(value: missing)", None),
        ("is empty([])", True),
        ("is empty([null])", False),
        ("partition([1, 2, 3, 4, 5], 2)", [[1, 2], [3, 4], [5]]),
        ("partition([], 2)", []),
        ("partition([1], 0)", None),
        ("partition([1], 1.5)", None),
        ('last day of month(date("2024-02-10"))', "2024-02-29"),
        ('last day of month(date and time("2026-11-05T10:00:00"))', "2026-11-30"),
        ('put({a: 1}, "b", 2)', {"a": 1, "b": 2}),
        ('put({a: {b: 1}}, ["a", "c"], 2)', {"a": {"b": 1, "c": 2}}),
        ("put all([{a: 1}, {b: 2}])", {"a": 1, "b": 2}),
        ('trim(string: " a ")', "a"),
    ],
)
def test_gives(source, expected):
    assert value(source) == expected


def test_a_variable_of_such_a_name_is_the_variable():
    assert value("trim + 1", {"trim": 1}) == 2
    assert value("is empty", {"is empty": 1}) == 1


def test_what_grows_too_large_is_stopped():
    with pytest.raises(FeelBudgetError):
        value('extract(a, "x")', {"a": "x" * 11}, EvaluationContext(0, list_max=10))
    with pytest.raises(FeelBudgetError):
        value("to base64(a)", {"a": "x" * 9}, EvaluationContext(0, text_max=10))


@pytest.mark.parametrize(("depth", "fits"), [(100, True), (101, False), (5_000, False)])
def test_json_is_read_no_deeper_than_elsewhere(depth, fits):
    for opens, closes in (("[", "]"), ('{"a":', "}")):
        given = opens * depth + ("1" if opens != "[" else "") + closes * depth
        assert (value("from json(a) != null", {"a": given}) is True) == fits
