"""FEEL, feature by feature: what an expression gives."""

from __future__ import annotations

import ast

import msgspec
import pytest

from noria.design.feel import (
    EvaluationContext,
    Expression,
    FeelSyntaxError,
    compile_expression,
    compile_unary_tests,
    literal_expression,
    shapes,
    to_json,
)
from noria.design.feel.compiler import Compiler
from noria.design.feel.evaluation import FeelBudgetError
from noria.design.feel.expression import parse_expression
from noria.design.feel.nodes import Literal

NOW_MS = 1_795_510_800_000  # 2026-11-24T09:00:00Z


def value(source, variables=None, names=()):
    return to_json(compile_expression(source, names).evaluate(variables or {}, EvaluationContext(NOW_MS)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("-3 ** 2", 9),
        ("3 ** 4 ** 5", 3486784401),
        ("0.1 + 0.2 = 0.3", True),
        ("10 / 4", 2.5),
        ("1 / 0", None),
        ("10 ** 7000", None),
        ('"a" + "b"', "ab"),
        ('1 + "a"', None),
        ("false and null", False),
        ("true or null", True),
        ("not(null)", None),
        ('1 = "1"', None),
        ("5 in (1..5]", True),
        ("5 in ]1..5[", False),
        ("5 in (< 3, > 4)", True),
        ("3 between 1 and 5", True),
        ("if null then 1 else 2", 2),
        ("[1, 2, 3, 4][item > 2]", [3, 4]),
        ("[1, 2, 3][-1]", 3),
        ("[1, 2, 3][7]", None),
        ("[{a: 1}, {a: 2}][a = 2].a", [2]),
        ("for x in 3..1 return x * x", [9, 4, 1]),
        ("for x in [1, 2], y in [10, 20] return x * y", [10, 20, 20, 40]),
        ("for i in 1..3 return count(partial)", [0, 1, 2]),
        ("some x in [1, 2] satisfies x > 1", True),
        ("every x in [1, 2] satisfies x > 1", False),
        ("{a: 1, b: a + 1}.b", 2),
        ("{a: 1, a: 2}", None),
        ("{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(5)}.r", 120),
        ('substring(string: "foobar", start position: -3, length: 2)', "ba"),
        ("sort([3, 1, 2], function(a, b) a > b)", [3, 2, 1]),
        ("12 instance of number", True),
        ("[1, 2] instance of list<number>", True),
        ("null instance of number", False),
        ("(function(a: number) a) instance of function<number> -> number", True),
        ("(function(a) a) instance of function<number> -> number", True),
        ("(function(a: string) a) instance of function<number> -> string", False),
        ("(function(a: list<number>) a) instance of function<list<number>> -> number", True),
        ("(function(a: list<string>) a) instance of function<list<number>> -> number", False),
        ('@"2024-01-31" + @"P1M"', "2024-02-29"),
        ('@"10:00:00@Etc/UTC" = time("10:00:00@Etc/UTC")', True),
        ('string(@"-2024-01-31T10:00:00@Etc/UTC")', "-2024-01-31T10:00:00@Etc/UTC"),
        ('date("2024-02-30")', None),
        ("modulo(10 ** 40, 3)", 1),
        ('matches("someone.else@mail.example.com.cn", "^[\\w.+-]+@([\\w-]+\\.)+[a-z]{2,}$")', True),
        ('matches("foofoobarbarfoofoobarbarfoofoobarbar", "^(foo|bar)+$")', True),
        ('matches("' + "a" * 40 + '", "^([a-z]+.?)+@x$")', False),
        ('matches("' + "a" * 20_000 + '", "a*a*a*c")', False),
        ('matches("a_b", "^\\w+$")', False),
        ('matches("5€", "^\\w+$")', True),
        ('replace("a_b", "\\W", "-")', "a-b"),
        ('matches("ก", "^\\p{IsThai}$")', True),
        ('matches("€", "\\P{IsCurrencySymbols}")', False),
        ('matches("a", "\\p{Lu}", "i")', False),
        ('matches("q", "[^Q]", "i")', False),
        ('matches("o", "[A-Z-[IO]]", "i")', False),
        ('matches("a", "[a-[a]]")', False),
        ('matches("-", "[a-c-]")', True),
        ('matches("abab", "^(ab)\\1$")', True),
        ('matches("' + "ab" * 20 + '", "(ab)\\1")', None),
        ('matches("abab", "((a|b)+)+\\1")', None),
        ('matches("a", "a{2,1}")', None),
        ('matches("a", "[b-a]")', None),
        ('get entries({"unit price": 3})[1].value', 3),
        ('{p: context put({}, "unit price", 3), q: p.unit price + 1}.q', 4),
        ('[context put({}, "unit price", 3)][unit price > 2].unit price', [3]),
        ('if {p: context put({}, "first name", "Li")}.p.first name = "Li" then 1 else 2', 1),
        ("modulo(-1, 10 ** 40) = 10 ** 40", True),
        ("even(10 ** 40)", True),
        ("odd(7.0)", True),
        ("odd(7.5)", None),
        ("even(0)", True),
        ('substring("abc", 1e6000)', None),
        ('substring("abc", 2, 1e6000)', "bc"),
        ('range("[\\"a..b\\"..\\"c\\"]") = ["a..b".."c"]', True),
        ('range("[0...5]").end', 0.5),
        ('range("[1..2..3]")', None),
        ("overlaps after((1..5], [1..5])", True),
        ("overlaps after([1..5], [1..5))", False),
        ("overlaps after((1..5), [1..5])", False),
        ('date("2026-10-08") - date("2026-10-01")', "P7D"),
        ('@"999999999-12-31".year', 999999999),
        ('duration("P1Y") = duration("P365D")', None),
        ('date and time("2026-11-24T10:00:00@Europe/Berlin").timezone', "Europe/Berlin"),
        ('@"-0044-03-15T10:00:00@Europe/Rome".time offset', "PT49M56S"),
        ('@"0001-07-15T10:00:00@Europe/Rome".time offset', "PT49M56S"),
        ('@"9999-07-15T10:00:00@Europe/Rome".time offset', "PT2H"),
        ('@"12026-01-15T10:00:00@Europe/Rome".time offset', "PT1H"),
        ('string(@"-0044-03-15T10:00:00@Europe/Rome" + @"P1D")', "-0044-03-16T10:00:00@Europe/Rome"),
        ("now()", "2026-11-24T09:00:00Z"),
        ('matches("Straße", "^\\p{Lu}[a-zß-[q]]+$")', True),
        ('replace("abc", "(b)", "[$1]")', "a[b]c"),
        ('split("a;b;;c", ";")', ["a", "b", "", "c"]),
        ('string length("\\U01F40E")', 1),
        ("decimal(1 / 3, 2)", 0.33),
        ("round half up(-5.5, 0)", -6),
        ("string(1.10)", "1.1"),
        ("// a comment\n 1 /* another */ + 1", 2),
    ],
)
def test_an_expression_gives_its_value(source, expected):
    assert value(source) == expected


def test_names_may_hold_spaces_and_signs_when_they_are_known():
    variables = {"Applicant's age": 30, "a-b": 1, "time offset": 2}
    assert value("Applicant's age + a-b", variables, variables) == 31


def test_a_variable_wins_over_a_library_function_of_the_same_name():
    assert value("count + 1", {"count": 4}) == 5
    assert value("count([1, 2])", {"count": 4}) == 2


def test_floats_of_json_are_exact_decimals():
    assert value("amount * 3 = 0.3", {"amount": 0.1}) is True


def test_an_unknown_name_is_null_with_a_reason():
    context = EvaluationContext(NOW_MS)
    assert compile_expression("missing + 1").evaluate({}, context) is None
    assert context.diagnostics[0].code == "feel.unknown_name"


def test_free_names_are_reported():
    expression = compile_expression("a + count(b) + (for c in d return c) [1]")
    assert expression.names == {"a", "b", "d"}


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("1 +", 4),
        ("${amount}", 1),
        ("amount > ", 10),
        ("(1", 3),
        ("a b", 3),
        ("", 1),
        ("1 + \u00a3", 5),
        ('1 + "a', 5),
        ('1 = "\\ud800"', 5),
        ("1 /* + 2", 3),
    ],
)
def test_what_is_not_feel_is_refused_with_its_place(source, column):
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression(source)
    assert (caught.value.line, caught.value.column) == (1, column)


@pytest.mark.parametrize("source", ["(" * 5000 + "1" + ")" * 5000, "+".join(["1"] * 20_000), "-" * 5000 + "1"])
def test_deep_nesting_is_refused_and_not_a_crash(source):
    with pytest.raises(FeelSyntaxError):
        compile_expression(source)


@pytest.mark.parametrize(
    "source",
    [
        "for i in 1..1000000000000 return i",
        "count(for a in 1..1000, b in 1..1000 return 1)",
        "{f: function(n) f(n + 1), r: f(0)}.r",
        'for i in 1..100000 return "x"[1]',
        "some a in 1..1000000 satisfies false",
    ],
)
def test_a_budget_ends_what_would_not_end(source):
    expression = compile_expression(source)
    with pytest.raises(FeelBudgetError):
        expression.evaluate({}, EvaluationContext(NOW_MS, steps_left=50_000))


@pytest.mark.parametrize(
    "body",
    [
        "if n < 1 then 0 else 1 + f(n - 1)",
        "if n < 1 then 0 else 1 + sum(for i in [n] return f(i - 1))",
        "if n < 1 then 0 else [n][f(item - 1) >= 0][1]",
        "if n < 1 then 0 else list replace([0], function(old, new) f(n - 1) >= 0, n)[1]",
    ],
)
def test_a_function_may_call_itself_some_hundred_times_and_no_deeper(body):
    expression = compile_expression(f"{{f: function(n) {body}, result: f(n)}}.result", ["n"])
    context = EvaluationContext(NOW_MS)
    assert expression.evaluate({"n": 95}, context) is not None
    assert context.diagnostics == []
    with pytest.raises(FeelBudgetError, match="deeper than 200"):
        expression.evaluate({"n": 300}, EvaluationContext(NOW_MS))


DOUBLED = "{a0: [1, 1], " + ", ".join(f"a{n}: [a{n - 1}, a{n - 1}]" for n in range(1, 31))


@pytest.mark.parametrize("source", ["a30 = a30", "string(a30)", "a30", "a30 in [a30]", "distinct values([a30, a30])"])
def test_what_stands_in_many_lists_is_counted_wherever_it_stands(source):
    with pytest.raises(FeelBudgetError):
        value(f"{DOUBLED}, result: {source}}}.result")


@pytest.mark.parametrize(("operator", "expected"), [("and", False), ("or", True)])
def test_hundreds_of_conditions_may_be_joined(operator, expected):
    source = f" {operator} ".join(f"(x = {n})" for n in range(450))
    assert value(source, {"x": 449}, ("x",)) is expected


def test_hundreds_of_conditions_may_follow_each_other():
    source = " else ".join(f"if x = {n} then {n} * 2" for n in range(1_000)) + " else null"
    chosen = [value(source, {"x": x}, ("x",)) for x in (0, 1, 499, 500, 999, 1_000)]
    assert chosen == [0, 2, 998, 1_000, 1_998, None]


def test_a_condition_after_the_one_that_is_true_is_not_evaluated():
    source = " else ".join(f'if x = {n} then {n} else if number("no") = 1 then 0' for n in range(20)) + " else null"
    context = EvaluationContext(NOW_MS)
    assert compile_expression(source).evaluate({"x": 9}, context) == 9
    assert len(context.diagnostics) == 9


def test_a_name_may_begin_like_a_condition():
    assert value("if false then 1 else if needed", {"if needed": 2}, ["if needed"]) == 2


def test_the_values_of_a_long_list_are_told_apart():
    several = "for i in 1..10000 return i / 2"
    assert value(f"count(distinct values({several}))") == 10_000
    assert value(f"count(union({several}, {several}))") == 10_000
    assert value(f"count(duplicate values(concatenate({several}, {several})))") == 10_000
    assert value(f"count(mode(concatenate({several}, {several})))") == 10_000


def test_numbers_that_are_chosen_to_look_alike_are_told_apart_as_fast_as_others():
    assert value(f"count(distinct values(for i in 1..40000 return i * {2**61 - 1}))") == 40_000


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('@"10:00:00Z" < @"10:00:00"', "A time with a time zone or offset does not compare with one that has neither."),
        (
            '@"2026-01-01T10:00:00" >= @"2026-01-01T10:00:00Z"',
            "A date and time with a time zone or offset does not compare with one that has neither.",
        ),
        ('@"10:00:00Z" - @"10:00:00"', "Subtraction needs a time zone or offset on both sides, or on neither."),
        ("true < false", "A boolean has no order."),
        ('1 < "1"', "A number does not compare with a string."),
    ],
)
def test_what_has_no_order_says_why(source, reason):
    context = EvaluationContext(NOW_MS)
    assert compile_expression(source).evaluate({}, context) is None
    assert [note.message for note in context.diagnostics] == [reason]


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("sqrt(-1)", ["feel.undefined"]),
        ("log(0)", ["feel.undefined"]),
        ("log(-1)", ["feel.undefined"]),
        ("exp(1e6)", ["feel.overflow"]),
        ("even(2.5)", ["feel.undefined"]),
        ("odd(0.1)", ["feel.undefined"]),
        ("modulo(1, 0)", ["feel.division_by_zero"]),
        ("10 ** 7000", ["feel.overflow"]),
        ("-1 ** 0.5", ["feel.undefined"]),
        ("0 ** -1", ["feel.division_by_zero"]),
        ('number("1e7000")', ["feel.overflow"]),
        ("1e7000", ["feel.overflow"]),
        ("sum([9e6144, 9e6144])", ["feel.overflow"]),
        ("stddev([1])", ["feel.arguments"]),
        ("min([])", ["feel.arguments"]),
        ("max([true, false])", ["feel.arguments"]),
        ("not(1)", ["feel.type_mismatch"]),
        ("1 and true", ["feel.type_mismatch"]),
        ('false or "yes"', ["feel.type_mismatch"]),
        ('get value({a: 1}, "b")', ["feel.no_entry"]),
        ('get value({a: 1}, ["a", "b"])', ["feel.no_entry"]),
        ("get value({a: {}}, [1])", ["feel.arguments"]),
        ("list replace([1], function(item, new) 1, 2)", ["feel.type_mismatch"]),
        ("sort([2, 1], function(a, b) 1)", ["feel.type_mismatch"]),
        ('@"999999999-12-31" + @"P1D"', ["feel.overflow"]),
        ('@"999999999-12-31T00:00:00" + @"P1M"', ["feel.overflow"]),
        ('@"P1D" * 1e30', ["feel.overflow"]),
    ],
)
def test_where_there_is_no_result_a_note_says_why(source, codes):
    context = EvaluationContext(NOW_MS)
    assert compile_expression(source).evaluate({}, context) is None
    assert [note.code for note in context.diagnostics] == codes


def test_an_entry_that_is_null_is_found_without_a_note():
    context = EvaluationContext(NOW_MS)
    assert compile_expression('get value({a: {b: null}}, ["a", "b"])').evaluate({}, context) is None
    assert context.diagnostics == []


def test_white_space_and_comments_stand_anywhere():
    assert value("/* one */ 1 // and\n\t+\u00a0/* two *//**/2 // is three") == 3


def test_a_comment_without_an_end_is_looked_for_once():
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression("/*a" * 33_333)
    assert caught.value.column == 1


def test_the_left_side_of_in_is_evaluated_once_for_all_its_tests():
    expression = compile_expression("count(for i in 1..10 return i) in (1, 2, ? > 20, 10)")
    context = EvaluationContext(NOW_MS)
    assert expression.evaluate({}, context) is True
    spent = context.steps_left
    once = EvaluationContext(NOW_MS)
    compile_expression("count(for i in 1..10 return i)").evaluate({}, once)
    assert spent == once.steps_left


def test_in_stands_inside_functions_filters_and_itself():
    assert value("[1, 2, 3, 4][item in ([2..3], > 3)]") == [2, 3, 4]
    assert value("{f: function(n) n in (? > 2, 0), r: [f(0), f(1), f(3)]}.r") == [True, False, True]
    assert value("(1 in (2, ? < 3)) in (false, ? = true)") is True
    assert value("for i in 1..3 return i in (1, ? in (3, 4))") == [True, False, True]


def test_code_that_reaches_for_a_name_of_its_own_is_refused(monkeypatch):
    attribute = ast.Attribute(ast.Name("v", ast.Load(), lineno=1, col_offset=0), "keys", ast.Load())
    attribute.lineno, attribute.col_offset = 1, 0
    monkeypatch.setitem(shapes._BUILDERS, "keys", lambda: attribute)
    for reaching in (shapes.name("open"), ("keys",)):
        monkeypatch.setitem(Compiler._emitters, Literal, lambda _compiler, _node, made=reaching: made)
        for source in ("1", "for i in [a] return 1"):
            with pytest.raises(AssertionError, match="outside the whitelist"):
                Compiler(frozenset()).expression(parse_expression(source))


def test_no_text_reaches_python():
    for source in ('__import__("os")', "(1).__class__", 'eval("1")', "v.get", "c", "n1", "k0", "f0"):
        assert value(source) is None


@pytest.mark.parametrize(
    ("source", "tested", "expected"),
    [
        ("-", None, True),
        ("< 5", 3, True),
        ('"a", "b"', "b", True),
        ("not(1, 2)", 3, True),
        ("not([1..3))", 3, True),
        ("not([1..3))", 2, False),
        ("not(]1..3])", 1, True),
        ("not(]1..3[, 7)", 7, False),
        ("? < 3", None, None),
        ("not(? < 3)", None, None),
        ("[1..3]", 3, True),
        ("? > 1 and ? < 3", 2, True),
        ("limit", 7, True),
        ("> limit", 7, False),
        ("[7, 8]", 8, True),
        ("< 5", "x", None),
        ("true", False, False),
    ],
)
def test_unary_tests(source, tested, expected):
    tests = compile_unary_tests(source, ["limit"])
    assert tests.matches(tested, {"limit": 7}, EvaluationContext(NOW_MS)) is expected


def test_an_expression_is_a_value_and_a_field_of_a_struct():
    class Holder(msgspec.Struct):
        condition: Expression

    assert Holder(compile_expression("a > 1")) == Holder(compile_expression("a > 1"))
    assert literal_expression('say "hi"').evaluate({}, EvaluationContext(NOW_MS)) == 'say "hi"'
    assert compile_expression("amount > 1000").test({"amount": 1001}, EvaluationContext(NOW_MS)) is True
    assert compile_expression("amount > 1000").test({"amount": None}, EvaluationContext(NOW_MS)) is False


def test_a_cell_may_list_thousands_of_alternatives():
    tests = compile_unary_tests(", ".join(str(number) for number in range(3_000)))
    assert [tests.matches(value, {}, EvaluationContext(NOW_MS)) for value in (0, 2_999, 3_000)] == [True, True, False]


def test_what_came_before_a_missing_variable_is_noted_and_charged_once():
    expression = compile_expression('[number("x"), sum(for i in 1..10 return i), absent]')
    context, again = EvaluationContext(0), EvaluationContext(0)
    assert expression.evaluate({}, context) == [None, 55, None]
    assert compile_expression('[number("x"), sum(for i in 1..10 return i), null]').evaluate({}, again) == [
        None,
        55,
        None,
    ]
    assert [one.code for one in context.diagnostics] == [*(one.code for one in again.diagnostics), "feel.unknown_name"]
    assert context.steps_left == again.steps_left


def test_a_function_that_outlives_its_expression_still_finds_that_a_variable_is_missing():
    made = compile_expression("function(a) a + absent").evaluate({}, EvaluationContext(0))
    context = EvaluationContext(0)
    assert compile_expression("f(1)", ["f"]).evaluate({"f": made}, context) is None


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775807", 1 - 2**63),
        ("9223372036854775807 + 1", 9.223372036854776e18),
        ("10 ** 33", 1e33),
        ("[2 ** 70]", [2.0**70]),
        ("10 ** 308", 1e308),
        ("10 ** 309", "1E+309"),
    ],
)
def test_a_number_without_room_in_64_bits_is_kept_as_a_float_or_a_text(source, kept):
    found = to_json(compile_expression(source).evaluate({}, EvaluationContext(0)))
    assert (found, type(found)) == (kept, type(kept))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found)) == kept
