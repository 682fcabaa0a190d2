"""Terms of the search index (检索词): what texts, numbers and dates are found by. Pure; kept and joined by the store.

Latin words and digits are found by how they begin, Chinese, Japanese and Korean text by its pairs of characters,
numbers and dates by ranges. All of it becomes plain terms, each found as it is or (rarely) by how it begins, so that
any store with an index of words will do. A question is a list of clauses: of each at least one term must be there.

=================== ================================================================================================
a text              ``^e ^en ^eng ^engi engine``: how a word begins, up to four characters, and all of a longer word;
                    ``轴 承 轴承``: characters and pairs
a number            ``p55:6 p55:65 p55:654``, and ``p55:654=`` for the whole of it: sign, exponent and digits, so that
                    a range is a few of these
a date              likewise ``d:2 d:20 …``, of its eight digits
=================== ================================================================================================
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

EDGE = 4
"""So far is the beginning of a word a term of its own; few words are left that begin with more."""
PART_MIN = 3
"""Of a business key any part of a word is found that has so many characters."""
WORD_CHARS_MAX = 40
NUMBER_MAX = Decimal(10) ** 18
NUMBER_MIN = Decimal(1) / 10**9
"""What is nearer to zero counts as zero."""
_EXPONENT_ZERO = 20
_EXPONENTS = range(-9, 19)
_BEYOND = "99"
_CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class Term(NamedTuple):
    """A term that is looked for: as it is, or by how it begins."""

    text: str
    begins: bool = False


Clause = tuple[Term, ...]
"""Terms of which one must be there; none at all finds nothing."""


def folded(text: str) -> str:
    """A text as it is compared: width, case and composition of characters make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def runs(text: str) -> list[str]:
    """The words of a text, folded: runs of letters and digits, and runs of CJK characters."""
    return [run[:WORD_CHARS_MAX] if not _IS_CJK.match(run) else run for run in _RUN.findall(folded(text))]


def is_cjk(run: str) -> bool:
    """Whether a run is of CJK characters."""
    return _IS_CJK.match(run) is not None


@lru_cache(maxsize=4_096)
def text_terms(text: str) -> tuple[str, ...]:
    """What a text is found by. Cached: each command of an instance asks for all of its texts again."""
    found: list[str] = []
    for run in runs(text):
        if is_cjk(run):
            found += run
            found += [one + other for one, other in pairwise(run)]
        else:
            found += _word_terms(run)
    return tuple(dict.fromkeys(found))


def _word_terms(word: str, shortest: int = 1) -> Iterator[str]:
    for length in range(shortest, min(EDGE, len(word)) + 1):
        yield f"^{word[:length]}"
    if len(word) > EDGE:
        yield word


def key_terms(key: str) -> Iterator[str]:
    """What a business key is found by: as a text, and by any part of its words that is not too short."""
    yield from text_terms(key)
    for run in runs(key):
        if not is_cjk(run):
            for start in range(1, len(run) - PART_MIN + 1):
                yield from _word_terms(run[start:], PART_MIN)


def run_clauses(run: str) -> list[Clause]:
    """What must be there for a run of a question."""
    if not is_cjk(run):
        return [(Term(run, begins=True),)] if len(run) > EDGE else [(Term(f"^{run}"),)]
    if len(run) == 1:
        return [(Term(run),)]
    return [(Term("".join(pair)),) for pair in pairwise(run)]


@lru_cache(maxsize=4_096)
def coded(key: str) -> str:
    """An id or name as a part of a term, so that no two are the same: small letters and digits stay as they are."""
    return "".join(char if char in _PLAIN else f"_{ord(char):x}_" for char in key)


def whole(text: str) -> str:
    """What stands for a text as a whole; case, width and blanks around it make no difference."""
    return blake2b(folded(text).strip().encode(errors="surrogatepass"), digest_size=10).hexdigest()


# Numbers and dates


def number_of(value: object) -> Decimal | None:
    """A JSON number, or a text that is one, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def date_of(value: object) -> date | None:
    """The day of a date or date-time in ISO 8601, as it is written; None for what is none."""
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


class _Place(NamedTuple):
    """A number as the index has it: what its terms begin with, and its digits without zeros behind them."""

    sign: str
    exponent: int
    digits: str

    @property
    def head(self) -> str:
        return _head(self.sign, self.exponent)


def _head(sign: str, exponent: int) -> str:
    return f"{sign}{exponent + _EXPONENT_ZERO:02d}:"


def _place(number: Decimal) -> _Place | None:
    """Where a number is; None for zero."""
    if abs(number) < NUMBER_MIN:
        return None
    _, digits, _ = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    return _Place("m" if number < 0 else "p", number.adjusted(), text.rstrip("0"))


def number_terms(number: Decimal) -> Iterator[str]:
    """What a number is found by. Those beyond `NUMBER_MAX` are found as being beyond it."""
    if abs(number) >= NUMBER_MAX:
        yield ("m" if number < 0 else "p") + _BEYOND
        return
    place = _place(number)
    if place is None:
        yield "zero"
        return
    yield from _digit_terms(place.head, place.digits)


def _digit_terms(head: str, digits: str) -> Iterator[str]:
    for length in range(len(digits) + 1):
        yield head + digits[:length]
    yield f"{head}{digits}="


def date_terms(day: date) -> Iterator[str]:
    """What a day is found by."""
    yield from _digit_terms("d:", f"{day:%Y%m%d}")


def number_range(operator: str, number: Decimal) -> list[str]:
    """Terms of which a number that compares so has at least one, and no other has any.

    Args:
        operator: ``=``, ``<``, ``<=``, ``>`` or ``>=``.
        number: below `NUMBER_MAX`, whatever its sign.
    """
    place, equal = _place(number), "=" in operator
    if operator == "=":
        return ["zero"] if place is None else [f"{place.head}{place.digits}="]
    side = "p" if operator.startswith(">") else "m"
    everything = [_head(side, exponent) for exponent in _EXPONENTS] + [side + _BEYOND]
    if place is None:
        return everything + (["zero"] if equal else [])
    if place.sign == side:
        return _further(place, equal=equal)
    return [*everything, "zero", *_nearer(place, equal=equal)]


def date_range(operator: str, day: date) -> list[str]:
    """Terms of which a day that compares so has at least one, and no other has any."""
    digits = f"{day:%Y%m%d}"
    if operator == "=":
        return [f"d:{digits}="]
    found = [f"d:{digits}="] if "=" in operator else []
    return found + _beside("d:", digits, larger=operator.startswith(">"))


def _beside(head: str, digits: str, *, larger: bool) -> list[str]:
    """The branches of digits beside a number's own, on one side."""
    return [
        f"{head}{digits[:at]}{other}"
        for at, digit in enumerate(digits)
        for other in (range(int(digit) + 1, 10) if larger else range(int(digit)))
    ]


def _further(place: _Place, *, equal: bool) -> list[str]:
    """Terms of what is further from zero, on the same side."""
    found = [_head(place.sign, exponent) for exponent in _EXPONENTS if exponent > place.exponent]
    found += [place.sign + _BEYOND, *_beside(place.head, place.digits, larger=True)]
    # What goes on behind the same digits has one that is not zero, and so is further.
    found += [place.head + place.digits] if equal else [f"{place.head}{place.digits}{other}" for other in range(10)]
    return found


def _nearer(place: _Place, *, equal: bool) -> list[str]:
    """Terms of what is nearer to zero, on the same side."""
    found = [_head(place.sign, exponent) for exponent in _EXPONENTS if exponent < place.exponent]
    found += _beside(place.head, place.digits, larger=False)
    found += [f"{place.head}{place.digits[:length]}=" for length in range(1, len(place.digits))]
    return found + ([f"{place.head}{place.digits}="] if equal else [])
