"""Keeps the search index (检索索引): behind the board, in the background, and once for many commands of an instance.

Terms are made from an instance as it is, not from what happened to it, so the index may lag and catch up in one step.
It has a cursor of its own, which moves in the transaction that writes the terms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from noria.adapters.database import searching
from noria.adapters.database.cursors import SEARCH, move, stand
from noria.adapters.database.opening import Database
from noria.monitor.visits import Known
from noria.operate.changes import Held
from noria.operate.ports import StaleOwnerError
from noria.operate.runtime import Definitions

_WINDOW = 20_000
"""So many rows of the journal are looked at together; of each instance in them the terms are written once."""
_PORTION = 500
"""Instances in one transaction, which takes about as long as a page of the board: on SQLite commands wait for it."""
_WRITTEN_MAX = 20_000
"""Of so many instances it is remembered what has been written, by its hash: what is likely to be there is read before
it is written once more, the rest is not."""
_SEEN = "SELECT shard, seq FROM cursor WHERE consumer = 'search'"
_FOLDED = {
    # CROSS JOIN, for by that SQLite keeps to the order in which the tables are named.
    "sqlite": sa.text("""
SELECT j.shard, j.seq, j.iid, j.ver
FROM cursor b LEFT JOIN cursor c ON c.consumer = 'search' AND c.shard = b.shard
CROSS JOIN journal j ON j.shard = b.shard AND j.seq > coalesce(c.seq, 0) AND j.seq <= b.seq
WHERE b.consumer = 'board' AND b.seq > coalesce(c.seq, 0) ORDER BY b.shard, j.seq LIMIT :limit
"""),
    # LATERAL with a limit, so that each shard's rows are found by the journal's key whatever is guessed of them.
    "postgresql": sa.text("""
SELECT b.shard, j.seq, j.iid, j.ver
FROM cursor b LEFT JOIN cursor c ON c.consumer = 'search' AND c.shard = b.shard
CROSS JOIN LATERAL (
    SELECT seq, iid, ver FROM journal WHERE shard = b.shard AND seq > coalesce(c.seq, 0) AND seq <= b.seq
    ORDER BY seq LIMIT :limit
) j
WHERE b.consumer = 'board' AND b.seq > coalesce(c.seq, 0) ORDER BY b.shard, j.seq LIMIT :limit
"""),
}
"""What the board has folded and the index has not: among the terms are those of an instance's visits."""


class _Portion(NamedTuple):
    """What one transaction writes.

    Attributes:
        versions: of the instances whose terms are missing, those that the terms are to be of, or of later ones.
        heads: shard → number of the last row that then is folded.
        rows: so many of the journal's are passed.
    """

    versions: dict[int, int]
    heads: dict[int, int]
    rows: int


class _Window:
    """Rows that the board has folded before any of them is folded here, and how far that has come.

    What is written for one row is the instance as all of them left it, so its further rows are passed by.
    """

    def __init__(self, rows: list[tuple[int, int, int, int]], seen: Mapping[int, int]) -> None:
        self._rows = rows
        # An instance's rows lie in one shard, in the order of their versions.
        self._versions = {iid: version for _, _, iid, version in rows}
        self._next = 0
        self._written: set[int] = set()
        self.seen = dict(seen)

    def portion(self) -> _Portion:
        """What comes next."""
        missing: set[int] = set()
        heads: dict[int, int] = {}
        passed = 0
        for shard, seq, iid, _ in self._rows[self._next :]:
            if iid not in self._written and iid not in missing:
                if len(missing) == _PORTION:
                    break
                missing.add(iid)
            heads[shard] = seq
            passed += 1
        return _Portion({iid: self._versions[iid] for iid in sorted(missing)}, heads, passed)

    def pass_by(self, portion: _Portion) -> None:
        """Go on behind a portion that has been written."""
        self._written.update(portion.versions)
        self._next += portion.rows
        self.seen.update(portion.heads)


def _nobody_knows(_iid: int, _version: int) -> None:
    return None


class Indexer:
    """Writes the terms of the instances that have changed.

    Attributes:
        remembered: what is in memory of an instance, as of a version or a later one: most of what has just changed.
    """

    def __init__(
        self, database: Database, definitions: Definitions, known: Callable[[int, int], Known | None] = _nobody_knows
    ) -> None:
        self.remembered: Callable[[int, int], Held | None] = lambda _iid, _version: None
        self._database = database
        self._definitions = definitions
        self._known = known
        self._window = _Window([], {})
        self._written: dict[int, int] = {}
        self._lock = asyncio.Lock()

    async def fold(self) -> int:
        """Write the terms of some instances; gives how many rows of the journal that passes, 0 at the board's end.

        Raises:
            StoreUnavailableError: the database cannot be used now.
        """
        async with self._lock:
            while True:
                portion = self._window.portion()
                if not portion.rows:
                    self._window = await self._read()
                    portion = self._window.portion()
                if not portion.rows:
                    return 0
                try:
                    await self._write(portion)
                except StaleOwnerError:
                    # Somebody else has written it, or empties the index; go on from there.
                    self._window = _Window([], {})
                else:
                    self._window.pass_by(portion)
                    return portion.rows

    async def _read(self) -> _Window:
        async with self._database.reading() as db:
            # The cursor first: should it move before the rows are read, it is found not to stand there.
            seen = dict(map(tuple, (await db.exec_driver_sql(_SEEN)).all()))
            rows = list(map(tuple, (await db.execute(_FOLDED[db.dialect.name], {"limit": _WINDOW})).all()))
        return _Window(rows, seen)

    async def _write(self, portion: _Portion) -> None:
        seen = self._window.seen
        # Others cannot write to SQLite meanwhile: terms are cut before.
        async with self._database.reading(snapshot=True) as db:
            await stand(db, [SEARCH], seen, portion.heads)
            held = [self.remembered(*item) for item in portion.versions.items()]
            known = {iid: known for iid, version in portion.versions.items() if (known := self._known(iid, version))}
            documents = await searching.documents_of(
                db, self._definitions, list(portion.versions), filter(None, held), known
            )
        hashes = {iid: hash(terms) for iid, (_, terms) in documents.items()}
        alike = [iid for iid, hashed in hashes.items() if self._written.get(iid) == hashed]
        async with self._database.writing() as db:
            await move(db, [SEARCH], seen, portion.heads)
            await searching.put(db, documents, alike)
        for iid in hashes:
            self._written.pop(iid, None)
        self._written |= hashes
        for iid in list(islice(self._written, max(0, len(self._written) - _WRITTEN_MAX))):
            del self._written[iid]
