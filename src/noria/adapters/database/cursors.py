"""How far each consumer of the journal has read it: one row for a consumer and a shard."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.operate.ports import StaleOwnerError

BOARD, NOTICES, FILES, SEARCH = "board", "notices", "files", "search"
_SET = sa.text("INSERT INTO cursor (consumer, shard, seq) VALUES (:consumer, :shard, :seq) ON CONFLICT DO NOTHING")
_AHEAD = sa.text("""
SELECT s.shard, coalesce(c.seq, 0) AS seen, s.seq
FROM shard s LEFT JOIN cursor c ON c.consumer = :consumer AND c.shard = s.shard
WHERE s.seq > coalesce(c.seq, 0)
""")


async def ahead(db: AsyncConnection, consumer: str) -> dict[int, tuple[int, int]]:
    """Shard → (last row that a consumer has folded, last row), of those where there is more."""
    rows = (await db.execute(_AHEAD, {"consumer": consumer})).all()
    return {shard: (seen, head) for shard, seen, head in rows}


async def move(db: AsyncConnection, consumer: str, behind: Mapping[int, int], heads: Mapping[int, int]) -> None:
    """Move a consumer's cursor.

    Args:
        db: in a transaction, with what is folded.
        consumer: whose.
        behind: shard → number of the last row that it has folded.
        heads: shard → number of the last row that it is about to fold.

    Raises:
        StaleOwnerError: it is not where it was: another process, or a rebuild from the command line, has moved it. What
            that folds must not be counted a second time.
    """
    c = t.cursor.c
    known = {shard: seq for shard, seq in heads.items() if shard in behind}
    moved = 0
    if known:
        stood = sa.tuple_(c.shard, c.seq).in_([(shard, behind[shard]) for shard in known])
        to = sa.case(known, value=c.shard)
        moved = (await db.execute(sa.update(t.cursor).where(c.consumer == consumer, stood).values(seq=to))).rowcount
    for shard, seq in heads.items():
        if shard not in known:
            moved += (await db.execute(_SET, {"consumer": consumer, "shard": shard, "seq": seq})).rowcount
    if moved != len(heads):
        raise StaleOwnerError("Somebody else moved the projection's cursor; nothing was written.")
