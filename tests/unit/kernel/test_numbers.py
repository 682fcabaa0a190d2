"""Whole numbers that somebody has written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.kernel.numbers import STORED_MAX, whole_number


@given(st.integers(0, STORED_MAX), st.integers(0, 5_000))
def test_a_number_is_what_its_digits_say(number, zeros):
    assert whole_number("0" * zeros + str(number)) == number


@given(st.integers(0, 200))
def test_one_that_is_too_large_is_none(number):
    assert whole_number(str(number), 100) == (number if number <= 100 else None)


@pytest.mark.parametrize(
    "text", ["", " 1", "-1", "+1", "1.0", "1e3", "1_000", "²", "１", "9" * 5_000, str(STORED_MAX + 1)]
)
def test_what_is_no_such_number_is_none(text):
    assert whole_number(text) is None


@given(st.text())
def test_no_text_is_a_defect(text):
    assert whole_number(text) is None or text.isdecimal()
