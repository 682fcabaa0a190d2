"""What must be true after a torture, whatever was killed, cut or full: all that was accepted is there, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.schema import PROJECTION, metadata
from noria.bootstrap import Noria
from noria.engine import events as e
from noria.engine.evolve import replay
from noria.engine.state import StateFormatError, encode_state
from noria.operate.auditing import verify_audit
from noria.operate.restoring import restored
from noria.operate.rows import InstanceRow, JournalRow
from tests.databases import terms_in
from tests.house import eventually

OPEN = ("task", "timer", "job", "wait", "outbox", "inst")
END_S_MAX = 60
ONCE = ("TaskCompleted", "JobCompleted", "MessageReceived", "CallCompleted", "MessageThrown", "InstanceCompleted")


class Verdict(msgspec.Struct):
    """What was found; all empty when nothing is wrong.

    Attributes:
        lost: what was accepted and is not there, or never comes to its end.
        doubled: what is there twice.
        broken: chains that do not hold, states that are not what replaying gives, figures that are not the journal's.
    """

    lost: list[str] = []
    doubled: list[str] = []
    broken: list[str] = []

    @property
    def holds(self) -> bool:
        return not self.all

    @property
    def all(self) -> list[str]:
        """Everything that was found."""
        return [*self.lost, *self.doubled, *self.broken]

    def count(self, name: str, found: int, expected: int = 1) -> None:
        """Note what is there too seldom or too often."""
        if found < expected:
            self.lost.append(f"{name}: {found} of {expected}")
        elif found > expected:
            self.doubled.append(f"{name}: {found} instead of {expected}")


Heard = Mapping[str, set[tuple[int, int]]]
"""Key → every answer that accepted it: (instance, version)."""


async def all_ended(database: Database, verdict: Verdict) -> None:
    """Wait until no work is left open."""
    left: dict[str, int] = {}

    async def nothing_left() -> bool:
        left.clear()
        left.update(await open_work(database))
        return not left

    try:
        await eventually(nothing_left, END_S_MAX)
    except AssertionError:
        verdict.lost.append(f"this work never ends: {left}")


async def open_work(database: Database) -> dict[str, int]:
    """What is still open, by table."""
    counts = {name: sa.select(sa.func.count()).select_from(metadata.tables[name]) for name in OPEN}
    counts["inst"] = counts["inst"].where(metadata.tables["inst"].c.status == 0)
    async with database.reading() as db:
        found = {name: (await db.execute(query)).scalar_one() for name, query in counts.items()}
    return {name: count for name, count in found.items() if count}


async def judge(url: str, heard: Heard, verdict: Verdict) -> None:
    """Look at a database on which nobody works any more, and in which everything has come to its end.

    Args:
        url: of the database.
        heard: what was accepted, as it was told.
        verdict: is added to.
    """
    database = await open_database(url)
    try:
        rows = await all_rows(database, verdict)
        check_keys(heard, rows, verdict)
        await check_proof(database, rows, verdict)
        check_work(heard, rows, verdict)
        await check_serials(database, sum(key.startswith("start-") for key in heard), verdict)
        if verdict.holds:
            # Of a damaged journal they would say nothing.
            await check_figures(url, database, verdict)
    finally:
        await database.close()


async def all_rows(database: Database, verdict: Verdict) -> list[JournalRow]:
    rows: list[JournalRow] = []
    cursor: dict[int, int] = {}
    while page := await database.store.journal_after(cursor, 1_000):
        rows += page
        for row in page:
            if row.seq != cursor.get(row.shard, 0) + 1:
                verdict.lost.append(f"row {cursor.get(row.shard, 0) + 1} of shard {row.shard}")
            cursor[row.shard] = row.seq
    return rows


def check_keys(heard: Heard, rows: list[JournalRow], verdict: Verdict) -> None:
    """What was accepted is in the journal, where the answers said, and no key is there twice."""
    by_key = {row.key: row for row in rows if row.key}
    for key, count in Counter(row.key for row in rows if row.key).items():
        verdict.count(f"key {key}", count)
    for key, answers in heard.items():
        verdict.count(f"answers to {key}", len(answers))
        if not key.startswith("paid-"):
            row = by_key.get(key)
            if row is None or (row.iid, row.ver) not in answers:
                verdict.lost.append(f"{key}, which was answered {answers}")


async def check_proof(database: Database, rows: list[JournalRow], verdict: Verdict) -> None:
    """Both chains hold, and the stored states are the replayed ones byte for byte."""
    found = await verify_audit(DatabaseAudit(database))
    if found.first_bad or found.rows != len(rows):
        verdict.broken.append(f"chain: {found.first_bad} {found.reason}, {found.rows} rows of {len(rows)}")
    histories: dict[int, list[tuple[e.AnyEvent, ...]]] = {}
    for row in sorted(rows, key=lambda row: (row.iid, row.ver)):
        histories.setdefault(row.iid, []).append(e.decode_events(row.ev))
    stored = await database.store.load(list(histories))
    for iid, history in histories.items():
        if iid not in stored:
            verdict.lost.append(f"instance {iid}")
        elif state_in(stored[iid]) != replayed(history):
            verdict.broken.append(f"state of {iid}: not what its history gives")


def state_in(row: InstanceRow) -> bytes:
    """What is stored of an instance, with what came later; nothing where that cannot be read."""
    try:
        return encode_state(restored(row))
    except StateFormatError:
        return b""


def replayed(history: list[tuple[e.AnyEvent, ...]]) -> bytes:
    """The state that a history gives; none for one that cannot have been."""
    try:
        return encode_state(replay(history))
    except Exception:  # noqa: BLE001 - where events are missing the next ones may fail in any way
        return b""


def check_work(heard: Heard, rows: list[JournalRow], verdict: Verdict) -> None:
    """Every request went its whole way once: one of each event, one part, one answer to the message thrown."""
    started = {iid for key, answers in heard.items() if key.startswith("start-") for iid, _ in answers}
    done: dict[int, Counter[str]] = {}
    processes: Counter[str] = Counter()
    fired: Counter[tuple[int, int]] = Counter()
    for row in rows:
        for event in e.decode_events(row.ev):
            done.setdefault(row.iid, Counter())[type(event).__name__] += 1
            if isinstance(event, e.InstanceStarted):
                processes[event.process] += 1
            elif isinstance(event, e.TimerFired):
                fired[row.iid, event.timer] += 1
    for process in ("main", "part", "told"):
        verdict.count(f"instances of {process}", processes[process], len(started))
    for (iid, timer), count in fired.items():
        verdict.count(f"timer {timer} of {iid}", count)
    for iid in started:
        counts = done.get(iid, Counter())
        for name in ONCE:
            verdict.count(f"{name} of {iid}", counts[name])
        verdict.count(f"TimerFired of {iid}", counts["TimerFired"], 1 + counts["TaskReminded"])


async def check_serials(database: Database, count: int, verdict: Verdict) -> None:
    """The numbers have no gap; a request and the instance that its message started share theirs."""
    async with database.reading() as db:
        drawn = (await db.exec_driver_sql("SELECT bkey FROM inst WHERE parent = 0")).scalars().all()
    expected = Counter({f"CG-2026-{number:06d}": 2 for number in range(1, count + 1)})
    counts = Counter(drawn)
    for number in sorted(expected | counts):
        verdict.count(f"number {number}", counts[number], expected[number])


async def check_figures(url: str, database: Database, verdict: Verdict) -> None:
    """The board's figures and the search index, followed through everything, are those that a fold from zero gives."""
    noria = await Noria.open(url)
    await noria.projector.catch_up()
    followed, found = await figures(database), await terms_in(database)
    await noria.projector.rebuild()
    rebuilt = await figures(database)
    await noria.projector.rebuild_search()
    found_anew = await terms_in(database)
    async with database.reading() as db:
        begun = (await db.exec_driver_sql("SELECT count(*) FROM inst")).scalar_one()
    await noria.close()
    if followed != rebuilt or not all(followed[0]):
        verdict.broken.append("the board's figures are not those of the journal")
    if found != found_anew or bool(found) != bool(begun):
        verdict.broken.append("the search index is not that of the journal")


async def figures(database: Database) -> list[list[tuple[object, ...]]]:
    """All rows of the board's projection."""
    async with database.reading() as db:
        return [sorted(tuple(row) for row in (await db.execute(sa.select(table))).all()) for table in PROJECTION]
