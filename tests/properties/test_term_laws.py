"""Laws of the terms of the search index."""

from __future__ import annotations

import operator
import unicodedata
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from noria.operate.terms import (
    NUMBER_MAX,
    NUMBER_MIN,
    PART_MIN,
    coded,
    date_range,
    date_terms,
    folded,
    is_cjk,
    key_terms,
    number_of,
    number_range,
    number_terms,
    run_clauses,
    runs,
    text_terms,
    whole,
)

COMPARING = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
NUMBERS = st.one_of(
    st.integers(-200, 200).map(Decimal),
    st.integers(-(10**9), 10**9).map(lambda number: Decimal(number) / 100),
    st.floats(-1e15, 1e15).map(lambda number: Decimal(repr(number))),
    st.builds(
        lambda sign, digit, exponent: sign * digit * Decimal(10) ** exponent,
        st.sampled_from([1, -1]),
        st.integers(1, 9),
        st.integers(-8, 16),
    ),
).filter(lambda number: number == 0 or abs(number) >= NUMBER_MIN)
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
TEXTS = st.text(st.sampled_from("aB1９é中文轴承购ｱ韩한 -_.%'\"*\\:&|!()"), max_size=20)


def found(q: str, terms: set[str]) -> bool:
    """Whether a question finds what has these terms."""
    return all(
        any(
            term.text in terms if not term.begins else any(one.startswith(term.text) for one in terms)
            for term in clause
        )
        for run in runs(q)
        for clause in run_clauses(run)
    )


@given(NUMBERS, NUMBERS, st.sampled_from(sorted(COMPARING)))
@example(Decimal(5000), Decimal(5000), ">")
@example(Decimal("0.30000000000000004"), Decimal("0.3"), ">")
@example(Decimal(-54), Decimal("-5.4"), "<")
def test_a_number_is_in_a_range_of_terms_exactly_when_it_compares_so(one: Decimal, two: Decimal, sign: str) -> None:
    assert bool(set(number_terms(one)) & set(number_range(sign, two))) == COMPARING[sign](one, two)


@given(NUMBERS, st.sampled_from(sorted(COMPARING)), st.sampled_from([1, -1]))
def test_what_is_beyond_all_numbers_is_beyond_each_of_them(number: Decimal, sign: str, side: int) -> None:
    beyond = side * NUMBER_MAX * 7
    assert bool(set(number_terms(beyond)) & set(number_range(sign, number))) == COMPARING[sign](beyond, number)


@given(DAYS, DAYS, st.sampled_from(sorted(COMPARING)))
@example(date(2026, 11, 30), date(2026, 12, 1), "<")
def test_a_day_is_in_a_range_of_terms_exactly_when_it_compares_so(one: date, two: date, sign: str) -> None:
    for other in (two, one, one + timedelta(1), one - timedelta(1)):
        assert bool(set(date_terms(one)) & set(date_range(sign, other))) == COMPARING[sign](one, other)


@given(TEXTS, st.data())
def test_a_text_is_found_by_each_beginning_of_its_words_and_each_part_of_its_chinese(
    text: str, data: st.DataObject
) -> None:
    terms = set(text_terms(text))
    for run in runs(text):
        start = data.draw(st.integers(0, len(run) - 1)) if is_cjk(run) else 0
        end = data.draw(st.integers(start + 1, len(run)))
        assert found(run[start:end], terms)
        assert found(run[start:end].upper(), terms)
    assert found(text, terms)


@given(TEXTS, TEXTS)
def test_what_finds_a_text_stands_in_it(text: str, q: str) -> None:
    if found(q, set(text_terms(text))):
        for run in runs(q):
            if not is_cjk(run):
                assert any(word.startswith(run) for word in runs(text))
            else:
                assert all(char in folded(text) for char in run)


@given(st.from_regex(r"[A-Z]{2}-20[0-9]{2}-[0-9]{6}", fullmatch=True), st.data())
def test_a_business_key_is_found_by_any_part_of_its_words_that_is_not_too_short(key: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from([word for word in key.split("-") if len(word) >= PART_MIN]))
    start = data.draw(st.integers(0, len(word) - PART_MIN))
    end = data.draw(st.integers(start + PART_MIN, len(word)))
    assert found(word[start:end], set(key_terms(key)))


@given(st.text(max_size=8), st.text(max_size=8))
@example("a_", "a")
@example("_5f_", "_")
def test_no_two_ids_are_the_same_in_a_term(one: str, two: str) -> None:
    assert (coded(one) == coded(two)) == (one == two)
    assert set(coded(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


@given(TEXTS)
def test_terms_have_no_blank_and_no_capital(text: str) -> None:
    for term in (*text_terms(text), *key_terms(text), whole(text)):
        assert term
        assert not any(char.isspace() or unicodedata.category(char) == "Cc" for char in term)
        assert term == term.lower()


@pytest.mark.parametrize("text", ["", " ", "-", "1e", "٣a", "NaN", "inf", "1 2", True, None, []])
def test_what_is_no_number_is_none(text: object) -> None:
    assert number_of(text) is None
