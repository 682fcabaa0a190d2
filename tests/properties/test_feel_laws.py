"""Laws of FEEL for any input that Hypothesis can draw."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from noria.design.feel import EvaluationContext, FeelSyntaxError, compile_expression, from_json, to_json
from noria.design.feel.calls import invoke
from noria.design.feel.evaluation import FeelBudgetError
from noria.design.feel.library import LIBRARY
from noria.design.feel.temporal import civil_from_days, days_from_civil, parse_duration, parse_temporal
from noria.design.feel.values import text_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


ZONES = st.sampled_from(["", "Z", "+01:00", "@Europe/Rome"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([Decimal("1.0"), Decimal("1e3"), 1_000, Decimal("-0"), 2**61 - 1, 2**62 - 2, Decimal("0.10")])
    | st.sampled_from(["", "1", "a", "null", "2026-01-01"])
    | st.builds(lambda hour, zone: parse_temporal(f"{hour:02d}:00:00.5{zone}"), st.integers(9, 11), ZONES)
    | st.builds(lambda hour, zone: parse_temporal(f"2026-01-01T{hour:02d}:00:00{zone}"), st.integers(9, 11), ZONES)
    | st.sampled_from(["2026-01-01", "PT1M", "PT60S", "P1Y", "P12M", "PT0S", "P0M"]).map(parse_temporal)
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2)


def run(source, **variables):
    return compile_expression(source).evaluate(variables, EvaluationContext(0))


@given(JSON)
def test_json_survives_the_way_through_feel(value):
    assert to_json(from_json(value)) == value


@given(st.text(alphabet='ab1 .,+-*/()[]{}<>="?@:nottrueifthenelse', max_size=40))
def test_any_text_compiles_or_is_refused_and_evaluates_without_an_error(text):
    try:
        expression = compile_expression(text)
    except FeelSyntaxError as error:
        place = (error.line, error.column)
    else:
        place = (1, 1)
        with contextlib.suppress(FeelBudgetError):
            expression.evaluate({"a": 1, "b": [1, 2]}, EvaluationContext(0, steps_left=1_000))
    assert min(place) >= 1


@given(JSON, JSON)
def test_operators_never_raise_and_unequal_is_the_opposite_of_equal(a, b):
    same, different = run("a = b", a=a, b=b), run("a != b", a=a, b=b)
    assert (same is None and different is None) or same is not different
    for operator in ("+", "-", "*", "/", "**", "<", ">=", "and", "or", "in"):
        run(f"a {operator} b", a=a, b=b)


@given(JSON | st.integers(-3, 3) | st.text(max_size=1), st.integers(-3, 3) | st.text("ab", max_size=1))
def test_comparing_with_a_literal_is_comparing_with_a_variable_of_its_value(a, literal):
    written = f'"{literal}"' if isinstance(literal, str) else str(literal)
    for operator in ("=", "!=", "<", "<=", ">", ">="):
        assert run(f"a {operator} {written}", a=a) is run(f"a {operator} b", a=a, b=literal)


@given(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
def test_de_morgan_holds_with_three_values(a, b):
    assert run("not(a and b)", a=a, b=b) is run("not(a) or not(b)", a=a, b=b)


@given(st.integers(-(10**33), 10**33), st.integers(-(10**33), 10**33))
def test_sums_of_integers_are_exact(a, b):
    assert run("a + b - b", a=a, b=b) == a


@given(st.lists(VALUES, max_size=12))
def test_the_values_of_a_list_are_told_apart_as_equality_does(values):
    first = [value for at, value in enumerate(values) if not any(run("a = b", a=value, b=b) for b in values[:at])]
    repeated = [value for value in first if sum(run("a = b", a=value, b=b) is True for b in values) > 1]
    # As texts, because Python takes true for 1.
    assert text_of(run("distinct values(values)", values=values)) == text_of(first)
    assert text_of(run("union(values, values)", values=values)) == text_of(first)
    assert text_of(run("duplicate values(values)", values=values)) == text_of(repeated)


ARGUMENTS = st.sampled_from(
    [
        *("0", "1", "-1", "2.5", "3", "1e30", "-1e30", "9e6144", "1e-6000", "true", "false"),
        *('""', '"a"', '"2026-02-30"', '"(("', '"$"', '"."', '","', '"1e9999"', '"[2..1]"', '"P1Q"', '"b"'),
        *('@"2026-01-31"', '@"-999999999-01-01"', '@"10:00:00"', '@"10:00:00Z"', '@"2026-01-31T10:00:00"'),
        *('@"2026-01-31T10:00:00@Europe/Rome"', '@"P1D"', '@"-P900000000Y"', '@"P400000000000D"'),
        *(
            "[]",
            "[1]",
            '["a"]',
            "[1, true]",
            "[1, 2, 2]",
            "[3, 1]",
            "[true]",
            '[@"P1D"]',
            "[{}]",
            '[["a"]]',
            '["a", "b"]',
        ),
        *("{}", '{a: 1, "b": {c: 2}}', '{key: "a", value: 1}', "[1..3]", "]1..3[", '["a".."c"]', "(< 2)"),
        *("function(a, b) a", "function(a, b) a = b", "function(a) true", "count"),
    ]
)


@given(st.sampled_from(sorted(LIBRARY)), st.lists(ARGUMENTS, max_size=4))
@settings(max_examples=1_000)
def test_a_function_of_the_library_that_gives_null_says_why(name, arguments):
    context = EvaluationContext(0)
    function = LIBRARY[name]
    # By value, because @ is no name that can be called.
    given_values = [compile_expression(argument).evaluate({}, EvaluationContext(0)) for argument in arguments]
    if invoke(context, function, tuple(given_values)) is None:
        assert context.diagnostics, (name, arguments)


@given(st.dates())
def test_day_numbers_agree_with_the_calendar_of_python(day):
    number = days_from_civil(day.year, day.month, day.day)
    assert date(1970, 1, 1) + timedelta(days=number) == day
    assert civil_from_days(number) == (day.year, day.month, day.day)


@given(st.integers(-(10**11), 10**11))
def test_day_numbers_are_a_bijection_for_any_year(number):
    assert days_from_civil(*civil_from_days(number)) == number


@given(st.integers(-(10**20), 10**20))
def test_a_duration_reads_back_what_it_prints(seconds):
    text = str(run("d * n", d=parse_duration("PT1S"), n=seconds))
    assert str(parse_duration(text)) == text
