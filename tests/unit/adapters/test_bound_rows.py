"""How rows become parameters of statements."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

import msgspec
import pytest

from noria.adapters.database import statements as s
from noria.operate.rows import (
    DedupRow,
    InstanceRow,
    JobRow,
    JournalRow,
    OutboxRow,
    ShardMove,
    TaskRow,
    TimerRow,
    WaitRow,
)


def a_row(kind: type[msgspec.Struct], n: int) -> msgspec.Struct:
    """A row whose fields all differ; their types do not matter here."""
    return kind(*(f"{name} {n}" for name in kind.__struct_fields__))


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        (ShardMove, s.SHARD_MOVE),
        (InstanceRow, s.INST),
        (InstanceRow, s.INST_CHANGED),
        (JournalRow, s.JOURNAL),
        (TaskRow, s.TASK),
        (TimerRow, s.TIMER),
        (JobRow, s.JOB),
        (WaitRow, s.WAIT),
        (OutboxRow, s.OUTBOX),
        (DedupRow, s.DEDUP),
    ],
)
def test_each_column_gets_what_the_row_has_of_its_name(kind: type[msgspec.Struct], columns: Iterable[str]) -> None:
    rows = [a_row(kind, n) for n in range(3)]
    assert s.values(rows, columns) == [attrgetter(*columns)(row) for row in rows]


def test_of_no_rows_there_are_no_columns() -> None:
    assert s.values([], s.JOURNAL) == []
