"""How deep a body is: found quickly for what is flat, and never otherwise than by counting."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.adapters.http.bodies import DEPTH_MAX, depth_of, is_deep

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
