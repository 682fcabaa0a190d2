"""Columns reach PostgreSQL as they are, whatever stands in them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import pytest

from noria.adapters.database.arrays import given, unnest
from noria.adapters.database.statements import BYTES, INT, REAL, TEXT

LETTERS = [chr(code) for code in (*range(1, 0xD800), *range(0xE000, 0x11_0000, 257))]
"""All that a text may have of the first plane before the surrogates, and some beyond."""
COLUMNS: list[tuple[str, Sequence[object]]] = [
    (INT, [0, -1, 2**63 - 1, -(2**63)]),
    (INT, [None, 7, None]),
    (
        TEXT,
        ["", " ", "null", "NULL", None, "{}", "{a,b}", ",", '","', '"', "'", "\\", "\\n", '\\"', "\n\t\r", "采购 🌊"],
    ),
    (TEXT, ["plain", "采购", "", None]),
    (TEXT, LETTERS),
    (TEXT, ["".join(LETTERS), "\\".join(LETTERS)]),
    (BYTES, [b"", b"\\x00", bytes(range(256)), None]),
    (REAL, [0.1, -1e300, None, 5.0]),
]


async def read_back(url: str, *columns: tuple[str, Sequence[object]]) -> list[list[object]]:
    kinds = [kind for kind, _ in columns]
    connection = await asyncpg.connect(url)
    try:
        # S608: our own names.
        rows = await connection.fetch(
            f"SELECT * FROM {unnest(kinds)}",  # noqa: S608
            *given([values for _, values in columns], kinds),
        )
    finally:
        await connection.close()
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("column", COLUMNS, ids=range(len(COLUMNS)))
async def test_what_is_given_is_what_is_read(postgres_url: str, column: tuple[str, Sequence[object]]) -> None:
    assert await read_back(postgres_url, column) == [list(column[1])]


async def test_columns_stay_together(postgres_url: str) -> None:
    columns = [(INT, [1, 2]), (BYTES, [b"a", b"b"]), (TEXT, ["x\\", 'y"']), (REAL, [0.5, None])]
    assert await read_back(postgres_url, *columns) == [list(values) for _, values in columns]


async def test_of_no_rows_there_are_none(postgres_url: str) -> None:
    assert await read_back(postgres_url, (INT, []), (TEXT, []), (BYTES, [])) == []
