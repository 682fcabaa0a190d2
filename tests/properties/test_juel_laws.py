"""Laws of the translation of JUEL: what FEEL gives is what JUEL would have given.

The reference is a small evaluator of the rules of JSR-245 (section 1.7 to 1.18) over numbers, texts, booleans and null.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from noria.design.feel import EvaluationContext, compile_expression, from_json
from noria.design.importing.feel import translate
from noria.design.importing.juel import JuelError, parse_template
from noria.design.importing.said import NotTranslatable

NUMBERS = {"a": 3, "b": -2, "c": 0, "n": None}
TEXTS = {"s": "left", "t": "", "m": None}
BOOLEANS = {"p": True, "q": False, "r": None}
VARIABLES = {**NUMBERS, **TEXTS, **BOOLEANS}


def truth(value):
    return bool(value) if isinstance(value, bool) else False


def compare(op, left, right):
    if left is None or right is None:
        return left is right and op in ("<=", ">=")
    return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[op]


ORDER = ["<", ">", "<=", ">="]
CALCULATE = {"+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y}
Pair = tuple[str, object]
"""JUEL text, and the value that JUEL gives."""


def numbers(known: bool) -> st.SearchStrategy[Pair]:
    """Numbers; with `known` none of them is null, so that arithmetic means the same in both languages."""
    names = [name for name, value in NUMBERS.items() if value is not None or not known]
    leaves = st.sampled_from(names).map(lambda name: (name, NUMBERS[name])) | st.integers(0, 20).map(
        lambda value: (str(value), value)
    )

    def grow(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
        return st.tuples(inner, st.sampled_from(sorted(CALCULATE)), inner).map(
            lambda drawn: (f"({drawn[0][0]}) {drawn[1]} ({drawn[2][0]})", CALCULATE[drawn[1]](drawn[0][1], drawn[2][1]))
        )

    return st.recursive(leaves, grow, max_leaves=4) if known else leaves


TEXT = st.sampled_from(sorted(TEXTS)).map(lambda name: (name, TEXTS[name])) | st.sampled_from(
    ["left", "right", "", "it's"]
).map(lambda text: ("'" + text.replace("'", "\\'") + "'", text))
NAMES = st.sampled_from(sorted(VARIABLES)).map(lambda name: (name, VARIABLES[name]))


def comparisons(pairs: st.SearchStrategy[Pair], ops: list[str]) -> st.SearchStrategy[Pair]:
    words = {"<": "lt", ">": "gt", "<=": "le", ">=": "ge", "==": "eq", "!=": "ne"}

    def build(left: Pair, op: str, right: Pair, word: bool) -> Pair:
        value = compare(op, left[1], right[1]) if op in ORDER else (left[1] == right[1]) == (op == "==")
        return f"{left[0]} {words[op] if word else op} {right[0]}", value

    return st.builds(build, pairs, st.sampled_from(ops), pairs, st.booleans())


LEAVES = (
    st.sampled_from(sorted(BOOLEANS)).map(lambda name: (name, BOOLEANS[name]))
    | st.sampled_from([("true", True), ("false", False)])
    | comparisons(numbers(known=True), [*ORDER, "==", "!="])
    | comparisons(TEXT, ["==", "!="])
    | NAMES.map(lambda pair: (f"empty {pair[0]}", pair[1] in (None, "")))
    | NAMES.map(lambda pair: (f"{pair[0]} == null", pair[1] is None))
    | NAMES.map(lambda pair: (f"null != {pair[0]}", pair[1] is not None))
)


def logic(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    both = st.tuples(inner, inner)
    return (
        st.tuples(st.sampled_from(["!", "not "]), inner).map(
            lambda drawn: (f"{drawn[0]}({drawn[1][0]})", not truth(drawn[1][1]))
        )
        | both.map(lambda drawn: (f"({drawn[0][0]}) && ({drawn[1][0]})", truth(drawn[0][1]) and truth(drawn[1][1])))
        | both.map(lambda drawn: (f"({drawn[0][0]}) or ({drawn[1][0]})", truth(drawn[0][1]) or truth(drawn[1][1])))
    )


CONDITIONS = st.recursive(LEAVES, logic, max_leaves=6)


def evaluate(feel: str) -> object:
    variables = {name: from_json(value) for name, value in VARIABLES.items()}
    return compile_expression(feel).evaluate(variables, EvaluationContext(0))


@given(CONDITIONS)
def test_a_condition_holds_when_it_held(pair):
    text, value = pair
    translated = translate(f"${{{text}}}", condition=True)
    assert (evaluate(translated.text) is True) == truth(value), translated.text


@given(st.recursive(LEAVES, logic, max_leaves=4).filter(lambda pair: not pair[0].isidentifier()))
def test_a_computed_truth_value_is_true_or_false_and_never_null(pair):
    text, value = pair
    translated = translate(f"${{{text}}}")
    assert evaluate(translated.text) == value, translated.text


@given(numbers(known=True))
def test_a_computed_number_is_the_same_number(pair):
    text, value = pair
    assert evaluate(translate(f"${{{text}}}").text) == Decimal(value)


@given(CONDITIONS, numbers(known=True), numbers(known=True))
def test_a_choice_takes_the_same_side(condition, yes, no):
    feel = translate(f"${{{condition[0]} ? {yes[0]} : {no[0]}}}").text
    assert evaluate(feel) == Decimal(yes[1] if truth(condition[1]) else no[1])


@given(st.lists(st.sampled_from(["kermit ", "_", '"', "\\", "}", "a{"]) | TEXT, max_size=4))
def test_a_text_with_expressions_in_it_is_put_together_as_before(parts):
    text = "".join(part if isinstance(part, str) else f"${{{part[0]}}}" for part in parts)
    assume(any(not isinstance(part, str) for part in parts) and text == text.strip() and "\\$" not in text)
    whole = "".join(part if isinstance(part, str) else (part[1] or "") for part in parts)
    value = evaluate(translate(text).text)
    # A lone expression stays what it is, null included.
    assert (value or "") == whole


@given(st.text(alphabet="${}#ab1 .,+-*/()[]<>='\"?:!&|nottruemptyand", max_size=40))
def test_any_text_is_translated_to_feel_or_refused(text):
    with contextlib.suppress(NotTranslatable):
        translated = translate(text)
        if not translated.constant:
            compile_expression(translated.text)


@given(st.text(max_size=40))
def test_any_text_is_taken_apart_or_refused(text):
    with contextlib.suppress(JuelError):
        parse_template(text)
