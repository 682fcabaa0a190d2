"""How far each consumer of the journal has read it: one row for a consumer and a shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.operate.ports import StaleOwnerError

_MOVED = "Somebody else moved the projection's cursor; nothing was written."
BOARD, NOTICES, FILES, SEARCH = "board", "notices", "files", "search"
_SET = sa.text("INSERT INTO cursor (consumer, shard, seq) VALUES (:consumer, :shard, :seq) ON CONFLICT DO NOTHING")
_MOVE = {
    "sqlite": """
UPDATE cursor SET seq = x.seq FROM (
    SELECT json_extract(value, '$[0]') AS shard, json_extract(value, '$[1]') AS before,
        json_extract(value, '$[2]') AS seq FROM json_each(?)
) x WHERE consumer IN (SELECT value FROM json_each(?)) AND cursor.shard = x.shard AND cursor.seq = x.before
""",
    "postgresql": """
UPDATE cursor SET seq = x.seq FROM (
    SELECT (value ->> 0)::bigint AS shard, (value ->> 1)::bigint AS before, (value ->> 2)::bigint AS seq
    FROM json_array_elements($1::json)
) x WHERE consumer = ANY(SELECT json_array_elements_text($2::json)) AND cursor.shard = x.shard AND cursor.seq = x.before
""",
}
"""As text, for each page moves several, and SQLAlchemy's work for so many values costs more than moving them."""
_STANDING = {
    "sqlite": """
SELECT count(*), coalesce(sum(cursor.seq = json_extract(x.value, '$[1]')), 0)
FROM json_each(?) x JOIN cursor ON cursor.shard = json_extract(x.value, '$[0]')
WHERE consumer IN (SELECT value FROM json_each(?))
""",
    "postgresql": """
SELECT count(*), count(*) FILTER (WHERE cursor.seq = (x.value ->> 1)::bigint)
FROM json_array_elements($1::json) x JOIN cursor ON cursor.shard = (x.value ->> 0)::bigint
WHERE consumer IN (SELECT json_array_elements_text($2::json))
""",
}
_AHEAD = sa.text("""
SELECT s.shard, coalesce(c.seq, 0) AS seen, s.seq
FROM shard s LEFT JOIN cursor c ON c.consumer = :consumer AND c.shard = s.shard
WHERE s.seq > coalesce(c.seq, 0)
""")


async def cursors(db: AsyncConnection, consumers: Sequence[str]) -> dict[str, dict[int, int]]:
    """Consumer → shard → number of the last row that it has folded."""
    found: dict[str, dict[int, int]] = {consumer: {} for consumer in consumers}
    rows = await db.exec_driver_sql("SELECT consumer, shard, seq FROM cursor")
    for consumer, shard, seq in map(tuple, rows):
        if consumer in found:
            found[consumer][shard] = seq
    return found


async def ahead(db: AsyncConnection, consumer: str) -> dict[int, tuple[int, int]]:
    """Shard → (last row that a consumer has folded, last row), of those where there is more."""
    rows = (await db.execute(_AHEAD, {"consumer": consumer})).all()
    return {shard: (seen, head) for shard, seen, head in rows}


async def stand(
    db: AsyncConnection, consumers: Sequence[str], behind: Mapping[int, int], heads: Mapping[int, int]
) -> None:
    """See that consumers' cursors are where they were; what is read in the same snapshot is what they have left.

    Args:
        db: in a snapshot.
        consumers: whose; all stand at the same place.
        behind: shard → number of the last row that they have folded.
        heads: shard → number of the last row that they are about to fold.

    Raises:
        StaleOwnerError: they are not, see `move`.
    """
    given = (_json([(shard, behind.get(shard, 0)) for shard in heads]), _json(consumers))
    expected = len(consumers) * len(behind.keys() & heads.keys())
    if tuple((await db.exec_driver_sql(_STANDING[db.dialect.name], given)).one()) != (expected, expected):
        raise StaleOwnerError(_MOVED)


async def move(
    db: AsyncConnection, consumers: Sequence[str], behind: Mapping[int, int], heads: Mapping[int, int]
) -> None:
    """Move the cursors of consumers that are equally far.

    Args:
        db: in a transaction, with what is folded.
        consumers: whose.
        behind: shard → number of the last row that they have folded.
        heads: shard → number of the last row that they are about to fold.

    Raises:
        StaleOwnerError: it is not where it was: another process, or a rebuild from the command line, has moved it. What
            that folds must not be counted a second time.
    """
    known = [(shard, behind[shard], seq) for shard, seq in heads.items() if shard in behind]
    moved = 0
    if known:
        given = (_json(known), _json(consumers))
        moved = (await db.exec_driver_sql(_MOVE[db.dialect.name], given)).rowcount
    for shard, seq in heads.items():
        if shard not in behind:
            for consumer in consumers:
                moved += (await db.execute(_SET, {"consumer": consumer, "shard": shard, "seq": seq})).rowcount
    if moved != len(heads) * len(consumers):
        raise StaleOwnerError(_MOVED)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
