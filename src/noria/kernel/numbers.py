"""Whole numbers as files, addresses and people write them."""

from __future__ import annotations

STORED_MAX = 2**63 - 1
"""The largest number that a database keeps."""


def whole_number(text: str, most: int = STORED_MAX) -> int | None:
    """The number that a text of decimal digits says; None when it says none, or more than `most`.

    `str.isdigit` takes ``²`` for a digit, and `int` raises for thousands of digits.
    """
    if not text.isascii() or not text.isdecimal():
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(most)):
        return None
    number = int(digits)
    return number if number <= most else None
