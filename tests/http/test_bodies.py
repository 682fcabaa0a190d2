"""How deep a body is, found quickly and never otherwise than by counting; numbers that nothing keeps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.adapters.http.bodies import DEPTH_MAX, depth_of, is_deep, too_large

PIECES = st.sampled_from(
    [b"[", b"]", b"{", b"}", b'"', b"\\", b"[]", b"{}", b'"]"', b'"{"', b"[" * 60, b"]" * 60, b"1,"]
)


@given(st.lists(PIECES, max_size=60), st.integers(1, 8))
def test_the_quick_answer_is_that_of_counting_whatever_the_text(pieces: list[bytes], times: int) -> None:
    body = b"".join(pieces) * times
    assert is_deep(body) == (depth_of(body) > DEPTH_MAX)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_exactly_what_is_deeper_than_allowed_is_deep(opening: str, closing: str) -> None:
    for times in range(DEPTH_MAX // 2 - 1, DEPTH_MAX + 3):
        levels = times * (len(closing))
        beside = ",".join([opening * (times - 1) + "1" + closing * (times - 1)] * 3)
        for text in (opening * times + "1" + closing * times, f'[{beside},"]]}}}}"]'):
            json.loads(text)
            deepest = levels if text.startswith(opening * times) else levels - len(closing) + 1
            assert is_deep(text.encode()) == (deepest > DEPTH_MAX)


def test_brackets_in_texts_neither_hide_levels_nor_make_any() -> None:
    assert is_deep(b'["]",' * (DEPTH_MAX + 1))
    assert not is_deep(b"[" + b'"[[[",' * DEPTH_MAX + b"1]")
    assert not is_deep(json.dumps([{"text": '"]}[{\\'}] * DEPTH_MAX).encode())


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.one_of(st.text(), st.integers().map(str)), inner)),
    max_leaves=20,
)


def numbers(value: object) -> list[int]:
    if isinstance(value, dict | list):
        return [number for item in (value.values() if isinstance(value, dict) else value) for number in numbers(item)]
    return [value] if type(value) is int else []


@given(JSON)
def test_a_body_has_a_number_that_is_too_large_when_one_of_its_numbers_is(value: object) -> None:
    too_large_ones = [str(number) for number in numbers(value) if abs(number) >= 2**63]
    assert too_large(json.dumps(value).encode()) == (too_large_ones or [""])[0]


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ('{"a": "9999999999999999999999"}', ""),
        ('{"9999999999999999999999": 1}', ""),
        ('{"a": 9999999999999999999999.5, "b": 99999999999999999999e3, "c": 0.9999999999999999999999}', ""),
        ('{"a\\"": 99999999999999999999}', "99999999999999999999"),
        ("[-9223372036854775808]", "-9223372036854775808"),
        ("[9223372036854775807, -9223372036854775807]", ""),
    ],
)
def test_digits_in_texts_and_broken_numbers_are_no_such_number(body: str, number: str) -> None:
    assert too_large(body.encode()) == number
