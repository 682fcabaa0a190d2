"""External functions: the listed Java methods give what Java gives; everything else is null and says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.design.feel import EvaluationContext, compile_expression, to_json

FORMAT = "format(java.lang.String, [Ljava.lang.Object;)"


def call(class_name, signature, *arguments):
    """The value of the external function called with FEEL literals, and the diagnostics."""
    names = ", ".join(f"p{at}" for at in range(len(arguments)))
    text = (
        f'{{f: function({names}) external {{java: {{class: "{class_name}", method signature: "{signature}"}}}}, '
        f"value: f({', '.join(arguments)})}}.value"
    )
    context = EvaluationContext(0)
    return to_json(compile_expression(text).evaluate({}, context)), [note.code for note in context.diagnostics]


@pytest.mark.parametrize(
    ("class_name", "signature", "arguments", "expected"),
    [
        ("java.lang.Math", "pow(double,double)", ["2", "10"], 1024),
        ("java.lang.Math", "max(int, int)", ["3", "7"], 7),
        ("java.lang.Math", "min(float,float)", ["0.1", "0.3"], 0.1),
        ("java.lang.Math", "round(double)", ["2.5"], 3),
        ("java.lang.Math", "rint(double)", ["2.5"], 2),
        ("java.lang.Math", "signum(double)", ["-0.3"], -1),
        ("java.lang.Long", "parseLong(java.lang.String)", ['"42"'], 42),
        ("java.lang.Double", "valueOf(java.lang.String)", ['"1.25"'], 1.25),
        ("java.lang.Boolean", "valueOf(java.lang.String)", ['"TRUE"'], True),
        ("java.lang.String", "valueOf(int)", ["12"], "12"),
        ("java.lang.String", FORMAT, ['"%05d|%-4s|"', '[42, "ab"]'], "00042|ab  |"),
        ("java.lang.String", FORMAT, ['"%,.2f %%"', "1234.565"], "1,234.57 %"),
    ],
)  # fmt: skip
def test_a_listed_method_is_run(class_name, signature, arguments, expected):
    value, notes = call(class_name, signature, *arguments)
    assert value == expected
    assert notes == []


@pytest.mark.parametrize(
    ("class_name", "signature", "arguments"),
    [
        ("java.lang.Runtime", "exec(java.lang.String)", ['"id"']),
        ("java.lang.Math", "nothing(double)", ["1"]),
        ("java.lang.Math", "sqrt(double)", ["-1"]),
        ("java.lang.Math", "max(int,int)", ["1", "1.5"]),
        ("java.lang.Byte", "valueOf(byte)", ["128"]),
        ("java.lang.Integer", "valueOf(java.lang.String)", ['"twelve"']),
        ("java.lang.String", "valueOf(char)", ['"abc"']),
        ("java.lang.String", FORMAT, ['"%s %s"', '"one"']),
        ("java.lang.String", FORMAT, ['"%q"', '"one"']),
    ],
)
def test_anything_else_is_null_with_a_reason(class_name, signature, arguments):
    value, notes = call(class_name, signature, *arguments)
    assert value is None
    assert "feel.external" in notes


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_whole_number_survives_the_way_through_text(number):
    assert call("java.lang.Integer", "valueOf(java.lang.String)", f'"{number}"') == (number, [])


@given(st.text(alphabet="%sdfn-+0 ,.1a", max_size=12))
def test_no_pattern_raises(pattern):
    value, _ = call("java.lang.String", FORMAT, f'"{pattern}"', "[1, 2, 3]")
    assert value is None or isinstance(value, str)
