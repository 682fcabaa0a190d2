"""Columns of many rows as PostgreSQL is given them: an array each, which `unnest` takes apart.

asyncpg looks at each element of an array for whether it is an array itself, which takes longer than encoding it. Whole
numbers and texts are given as the text of an array, which PostgreSQL reads; bytes as text would cost it far more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

_AS_TEXT = frozenset({"int8", "BIGINT", "text", "TEXT"})
"""Names of the types whose arrays are given as text."""
_ESCAPE = "\\"


def unnest(kinds: Iterable[str], first: int = 1) -> str:
    """Rows out of parameters that are arrays, as a statement has them.

    Args:
        kinds: name of each column's type.
        first: place of the first column's parameter.
    """
    arrays = (
        f"${place}::text::{kind}[]" if kind in _AS_TEXT else f"${place}::{kind}[]"
        for place, kind in enumerate(kinds, first)
    )
    return f"unnest({', '.join(arrays)})"


def given(columns: Iterable[Sequence[object]], kinds: Iterable[str]) -> Iterable[object]:
    """What such parameters are given.

    Args:
        columns: their elements; None is NULL.
        kinds: as in `unnest`.
    """
    return map(_array, columns, kinds)


def _array(values: Sequence[object], kind: str) -> object:
    if kind not in _AS_TEXT:
        return list(values)
    # Between its brackets JSON says it as PostgreSQL does, but for the letters behind a backslash.
    said = msgspec.json.encode(values).decode()[1:-1]
    return f"{{{','.join(map(_element, values)) if _ESCAPE in said else said}}}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    escaped = str(value).replace(_ESCAPE, _ESCAPE * 2).replace('"', f'{_ESCAPE}"')
    return f'"{escaped}"'
