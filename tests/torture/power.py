"""Power cuts on SQLite: Noria works while all that reaches its files is recorded; then the power fails in many places.

For each place the files are made as a disk may have left them: what was synced is there, of the rest anything. Noria is
started on them, and clients go on where they were.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.opening import open_database
from noria.bootstrap import Noria
from noria.kernel.errors import NoriaError
from noria.operate.auditing import verify_audit
from tests.torture.clients import one_request
from tests.torture.proof import END_S_MAX, Heard, Verdict, all_ended, all_rows, check_keys, judge
from tests.torture.recording import Disk, recording
from tests.torture.scenarios import Outcome, now_ms
from tests.torture.server import Ask, Life, Told, answer, begin

CLIENTS = 6
WITHOUT_ENDING = 9
"""So many cuts are looked at quickly for one after which everything goes on to its end."""


class Asked(NamedTuple):
    key: str


class Answered(NamedTuple):
    key: str
    told: Told


class Load:
    """Clients in the same process, who remember what they were told.

    Attributes:
        heard: key → answer, of what was accepted.
        marks: where it is noted what is asked and answered.
        commands: how often something was asked.
    """

    def __init__(self, noria: Noria, heard: dict[str, Told], marks: list[Any], seed: int) -> None:
        self.heard = heard
        self.marks = marks
        self.commands = 0
        self._noria = noria
        self._seed = seed

    async def ask(self, do: str, key: str, *, iid: int = 0, bkey: str = "") -> Told:
        """What was answered before the power failed is not asked again."""
        if key in self.heard:
            return self.heard[key]
        self.marks.append(Asked(key))
        self.commands += 1
        told = await answer(self._noria, Ask(number=0, do=do, key=key, iid=iid, bkey=bkey))
        assert not told.error, told
        # Nothing comes between: the answer is out before the disk is told anything more.
        self.marks.append(Answered(key, told))
        self.heard[key] = told
        return told

    async def work(self, names: Sequence[str]) -> None:
        """Have so many requests made, a few at a time."""
        waiting = list(names)

        async def client() -> None:
            while waiting:
                name = waiting.pop(0)
                await one_request(self.ask, name, random.Random(f"{self._seed}-{name}").random() < 0.5)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def record(folder: Path, seed: int, requests: int, synchronous: str) -> tuple[list[Any], Life]:
    """Run Noria whole on a new file, from the very beginning; gives what happened, in order."""
    life = Life(url=f"sqlite:///{folder / 'noria.db'}", epoch_ms=now_ms())
    with recording() as changes:
        noria = await begin(life)

        def smaller(db: sqlite3.Connection) -> None:
            # The log is folded into the file every few commits instead of every few thousand: that is when most can go
            # wrong.
            db.execute("PRAGMA wal_autocheckpoint = 60")
            db.execute(f"PRAGMA synchronous = {synchronous}")

        await noria.database.store._write(smaller)
        load = Load(noria, {}, changes, seed)
        await load.work([f"{number}" for number in range(requests)])
        await all_ended(noria.database, Verdict())
        await noria.close()
    return changes, life


async def cut_power(folder: Path, seed: int, cuts: int, requests: int = 40, synchronous: str = "FULL") -> Outcome:
    """One recording, and many places where the power fails.

    Args:
        folder: where files are made.
        seed: of the places, and of what the disk has left there.
        cuts: how many.
        requests: how much work is recorded.
        synchronous: what SQLite is told on the connection of the hot path; anything but FULL loses something.
    """
    draw = random.Random(seed)
    outcome = Outcome(cuts=cuts)
    changes, life = await record(folder, seed, requests, synchronous)
    places = sorted(drawn_places(changes, draw, cuts))
    to_the_end = set(draw.sample(range(cuts), -(-cuts // (WITHOUT_ENDING + 1))))
    disk = Disk()
    heard: dict[str, Told] = {}
    asked: dict[str, None] = {}
    gone = 0
    for number, place in enumerate(places):
        for index in range(gone, place):
            change = changes[index]
            if isinstance(change, Asked):
                asked[change.key.partition("-")[2]] = None
            elif isinstance(change, Answered):
                heard[change.key] = change.told
            elif change.path.startswith(f"{folder / 'noria.db'}") and not change.path.endswith(".server"):
                disk.note(index, change)
        gone = max(gone, place)
        again = folder / f"cut{number}"
        again.mkdir()
        for path, content in disk.left(draw).items():
            (again / Path(path).name).write_bytes(content)
        verdict = Verdict()
        url = f"sqlite:///{again / 'noria.db'}"
        outcome.seen["acknowledged commands looked for"] += len(heard)
        try:
            await look_at_once(again / "noria.db", url, as_sets(heard), verdict)
            if number in to_the_end and verdict.holds:
                outcome.seen["cuts after which all went on to its end"] += 1
                new = Life(url=url, epoch_ms=life.epoch_ms)
                outcome.commands += await go_on(new, dict(heard), list(asked), seed, verdict)
        except (sqlite3.Error, sa.exc.SQLAlchemyError, NoriaError) as error:
            verdict.broken.append(f"cannot be used: {error!r}")
        for found, into in (
            (verdict.lost, outcome.verdict.lost),
            (verdict.doubled, outcome.verdict.doubled),
            (verdict.broken, outcome.verdict.broken),
        ):
            into.extend(f"cut {number} at {place}: {text}" for text in found)
        shutil.rmtree(again)
    outcome.commands += sum(isinstance(change, Asked) for change in changes)
    outcome.acknowledged += sum(isinstance(change, Answered) for change in changes)
    outcome.seen["changes of files"] += sum(not isinstance(change, Asked | Answered) for change in changes)
    return outcome


def drawn_places(changes: Sequence[Any], draw: random.Random, cuts: int) -> list[int]:
    """Some while the database is made, some when a promise has just been given, the others anywhere."""
    first = next(index for index, change in enumerate(changes) if isinstance(change, Asked))
    promises = [index + 1 for index, change in enumerate(changes) if isinstance(change, Answered)]
    places = []
    for _ in range(cuts):
        where = draw.random()
        if where < 0.1:
            places.append(draw.randrange(first))
        elif where < 0.5:
            places.append(draw.choice(promises))
        else:
            places.append(draw.randrange(len(changes)))
    return places


def as_sets(heard: dict[str, Told]) -> Heard:
    return {key: {(told.iid, told.version)} for key, told in heard.items()}


async def look_at_once(file: Path, url: str, heard: Heard, verdict: Verdict) -> None:
    """Whether the file is whole, and all that was accepted is in it, before anything goes on."""
    with closing(sqlite3.connect(file)) as db:
        for (text,) in db.execute("PRAGMA integrity_check"):
            if text != "ok":
                verdict.broken.append(f"integrity: {text}")
    database = await open_database(url)
    try:
        rows = await all_rows(database, verdict)
        check_keys(heard, rows, verdict)
        found = await verify_audit(DatabaseAudit(database))
        if found.first_bad:
            verdict.broken.append(f"chain: {found.first_bad} {found.reason}")
    finally:
        await database.close()


async def go_on(life: Life, heard: dict[str, Told], names: Sequence[str], seed: int, verdict: Verdict) -> int:
    """Start Noria again and have all that was begun come to its end; gives how often something was asked."""
    noria = await begin(life)
    load = Load(noria, heard, [], seed)
    try:
        async with asyncio.timeout(END_S_MAX):
            await load.work(names)
    except TimeoutError:
        # What they wait for has been lost, as may be where less is synced.
        verdict.lost.append("clients wait for work that never comes")
    await all_ended(noria.database, verdict)
    await noria.close()
    await judge(life.url, as_sets(load.heard), verdict)
    return load.commands
