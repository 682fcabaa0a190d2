"""The hot path's statements: one table of columns and kinds, from which both databases' SQL is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from noria.operate.rows import InstanceRow, LockedJob

INT, TEXT, BYTES, REAL = "int8", "text", "bytea", "float8"

SHARD_MOVE = {"shard": INT, "epoch": INT, "seq_before": INT, "seq": INT, "head": BYTES}
INST = {
    "shard": INT,
    "iid": INT,
    "tenant": INT,
    "definition": INT,
    "ver": INT,
    "status": INT,
    "bkey": TEXT,
    "title": TEXT,
    "summary": TEXT,
    "starter": TEXT,
    "unit": TEXT,
    "parent": INT,
    "parent_token": INT,
    "started": INT,
    "ended": INT,
    "round": INT,
    "incidents": INT,
    "state": BYTES,
    "amount": REAL,
}
INST_CHANGED = (
    *("definition", "ver", "status", "bkey", "title", "summary", "amount", "ended", "round", "incidents", "state"),
)
JOURNAL = {
    "shard": INT,
    "seq": INT,
    "iid": INT,
    "ver": INT,
    "ts": INT,
    "actor": TEXT,
    "action": TEXT,
    "key": TEXT,
    "origin": BYTES,
    "ev": BYTES,
    "head": BYTES,
}
TASK = {
    "shard": INT,
    "iid": INT,
    "tok": INT,
    "tenant": INT,
    "definition": INT,
    "element": INT,
    "assignee": TEXT,
    "created": INT,
    "due": INT,
    "prio": INT,
    "round": INT,
    "version": INT,
    "claimed": INT,
    "name": TEXT,
    "provisional": INT,
    "opinion": INT,
}
CANDIDATE = {"shard": INT, "iid": INT, "tok": INT, "kind": TEXT, "name": TEXT, "tenant": INT}
TIMER = {"shard": INT, "iid": INT, "timer": INT, "tenant": INT, "due": INT, "prio": INT}
JOB = {
    "shard": INT,
    "iid": INT,
    "tok": INT,
    "tenant": INT,
    "topic": TEXT,
    "due": INT,
    "retries": INT,
    "prio": INT,
}
WAIT = {"shard": INT, "iid": INT, "wait": INT, "tenant": INT, "signal": INT, "name": TEXT, "corr": TEXT}
OUTBOX = {
    "shard": INT,
    "n": INT,
    "tenant": INT,
    "kind": TEXT,
    "name": TEXT,
    "corr": TEXT,
    "body": BYTES,
    "expires": INT,
}
DEDUP = {"shard": INT, "key": TEXT, "iid": INT, "ver": INT, "at": INT}
SERIAL = {"tenant": INT, "name": TEXT, "period": TEXT, "n": INT}
SERIAL_DRAWN = {**SERIAL, "before": INT}

LEASE_COLUMNS = ("lease_until", "lease_token", "worker")

SELECT_SHARDS = """
SELECT shard, epoch, seq, head, (SELECT coalesce(max(iid), 0) FROM inst WHERE inst.shard = shard.shard)
FROM shard
"""


def stored(columns: Iterable[str], where: str) -> str:
    """A query of instances, and of what the journal has on top of the state that is stored.

    It gives a row for each later command, and one for an instance without any: the id, the columns, version and events
    of the command. Of an instance's rows only the first has the state, which may be large.

    Args:
        columns: of the instance.
        where: which instances, called `i`.
    """
    # One statement, so that instance and journal are of the same moment.
    once = "CASE WHEN j.ver > i.ver + 1 THEN NULL ELSE i.state END"
    names = ", ".join(once if name == "state" else f"i.{name}" for name in columns)
    return (
        f"SELECT i.iid, {names}, j.ver, j.ev FROM inst i LEFT JOIN journal j ON j.iid = i.iid AND j.ver > i.ver "  # noqa: S608
        f"WHERE {where} ORDER BY i.iid, j.ver"
    )


def together(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Sequence[Any], list[tuple[int, bytes]]]]:
    """What such a query gave, by instance: the columns, and version and events of each later command."""
    for _, group in groupby(rows, itemgetter(0)):
        found = list(map(tuple, group))
        yield found[0][1:-2], [row[-2:] for row in found if row[-1] is not None]


def instances(rows: Iterable[Sequence[Any]]) -> dict[int, InstanceRow]:
    """The rows of instances that `stored(INST, …)` gave, by id."""
    found = {}
    for columns, later in together(rows):
        row = InstanceRow(*columns)
        if later:
            row.ver, row.later = later[-1][0], tuple(events for _, events in later)
        found[row.iid] = row
    return found


def in_order(rows: Sequence[Sequence[Any]]) -> list[LockedJob]:
    """Jobs of one priority as a statement returned them, which is in no order: the oldest first.

    Args:
        rows: the fields of `LockedJob`, and the due instant behind them.
    """
    return [LockedJob(*row[:-1]) for row in sorted(rows, key=lambda row: (row[-1], row[1], row[2]))]
