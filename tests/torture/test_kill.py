"""kill -9 at random moments, again and again: nothing accepted is lost, nothing is done twice.

NORIA_TORTURE_KILLS says how often the server is killed, NORIA_TORTURE_SEED makes the moments those of an earlier run.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
import time
from collections import Counter
from multiprocessing.process import BaseProcess

import msgspec
import sqlalchemy as sa

from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.schema import PROJECTION, metadata
from noria.bootstrap import Noria
from noria.engine import events as e
from noria.engine.evolve import replay
from noria.engine.state import encode_state
from noria.operate.auditing import verify_audit
from noria.operate.rows import JournalRow
from tests.house import eventually
from tests.torture.server import FORKING, Ask, Told, run

KILLS = int(os.environ.get("NORIA_TORTURE_KILLS", "10"))
SEED = int(os.environ.get("NORIA_TORTURE_SEED", "0")) or random.randrange(1, 2**31)
CLIENTS = 12
PROCESSES = 4
LIFE_S_MAX = 0.9
TRY_AGAIN = {"store.unavailable", "store.stale_owner", "cluster.no_owner", "cluster.no_answer"}
OPEN = ("task", "timer", "job", "wait", "outbox", "inst")


class Server:
    """One server process, and the line to it."""

    def __init__(self, process: BaseProcess, answers: asyncio.StreamReader, asking: asyncio.StreamWriter) -> None:
        self.process = process
        self.answers = answers
        self.asking = asking
        self.reading: asyncio.Task[None]

    async def ended(self) -> int | None:
        """Wait until it is gone and all that it said is read; gives its exit code."""
        await asyncio.to_thread(self.process.join, 60)
        await self.reading
        self.asking.close()
        return self.process.exitcode


class Torture:
    """The parent: clients that insist on answers, and a hand on the kill switch.

    Attributes:
        accepted: key → answer, written down before the client goes on.
        torn: commands that were under way when a server was killed.
        servers: those that run.
    """

    def __init__(self, url: str) -> None:
        self.random = random.Random(SEED)
        self.accepted: dict[str, Told] = {}
        self.torn = 0
        self.servers: list[Server] = []
        self._url = url
        self._epoch_ms = time.time_ns() // 1_000_000
        self._numbers = itertools.count(1)
        self._open: dict[int, tuple[Ask, asyncio.Future[Told], Server | None]] = {}

    async def up(self) -> None:
        """Start a server, and ask again all that no server is at work on."""
        ours, theirs = FORKING.Pipe(duplex=True)
        process = FORKING.Process(target=run, args=(self._url, self._epoch_ms, theirs), daemon=True)
        process.start()
        theirs.close()
        answers, asking = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(ours.fileno())))
        ours.close()
        ready = await asyncio.wait_for(answers.readline(), 60)
        assert ready, "the server did not come up"
        server = Server(process, answers, asking)
        server.reading = asyncio.create_task(self._read(server))
        self.servers.append(server)
        for ask, future, asked in list(self._open.values()):
            if asked is None:
                self._send(ask, future)

    async def _read(self, server: Server) -> None:
        while (line := await self._line(server.answers)).endswith(b"\n"):
            told = msgspec.json.decode(line, type=Told)
            waiting = self._open.pop(told.number, None)
            if waiting is not None:
                waiting[1].set_result(told)

    @staticmethod
    async def _line(answers: asyncio.StreamReader) -> bytes:
        try:
            return await answers.readline()
        except ConnectionResetError:
            # What the killed server had not read yet makes its end of the line break off, not close.
            return b""

    def _send(self, ask: Ask, future: asyncio.Future[Told]) -> None:
        server = self.random.choice(self.servers) if self.servers else None
        self._open[ask.number] = (ask, future, server)
        if server is not None:
            server.asking.write(msgspec.json.encode(ask) + b"\n")

    async def kill(self) -> None:
        """No warning, no last words; answers that were written already still arrive."""
        server = self.random.choice(self.servers)
        self.servers.remove(server)
        server.process.kill()
        await server.ended()
        orphans = [(ask, future) for ask, future, asked in self._open.values() if asked is server]
        self.torn += len(orphans)
        for ask, future in orphans:
            self._send(ask, future)

    async def down(self) -> None:
        """Let all servers finish in order."""
        for server in self.servers:
            server.asking.write_eof()
        assert [await server.ended() for server in self.servers] == [0] * len(self.servers)

    async def ask(self, do: str, key: str, **given: object) -> Told:
        """Ask until it is accepted, always with the same key; now and then ask twice at once, as clients do."""
        while True:
            made = []
            for _ in range(2 if self.random.random() < 0.2 else 1):
                ask = Ask(number=next(self._numbers), do=do, key=key, **given)
                future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
                self._send(ask, future)
                made.append(future)
            answers = await asyncio.gather(*made)
            told = [answer for answer in answers if not answer.error]
            if told:
                assert len({(answer.iid, answer.version) for answer in told}) == 1
                self.accepted[key] = told[0]
                return told[0]
            assert {answer.error for answer in answers} <= TRY_AGAIN, answers

    async def client(self, name: int, stop: asyncio.Event) -> None:
        """One request after the other, each to the message it waits for."""
        for number in itertools.count(1):
            if stop.is_set():
                return
            key = f"{name}-{number}"
            started = await self.ask("start", f"start-{key}")
            early = self.random.random() < 0.5
            if early:
                await self.ask("publish", f"paid-{key}", bkey=started.bkey)
            await self.ask("complete", f"work-{key}", iid=started.iid)
            if not early:
                await self.ask("publish", f"paid-{key}", bkey=started.bkey)


async def open_work(database: Database) -> dict[str, int]:
    """What is still open, by table."""
    counts = {name: sa.select(sa.func.count()).select_from(metadata.tables[name]) for name in OPEN}
    counts["inst"] = counts["inst"].where(metadata.tables["inst"].c.status == 0)
    async with database.reading() as db:
        found = {name: (await db.execute(query)).scalar_one() for name, query in counts.items()}
    return {name: count for name, count in found.items() if count}


async def figures(database: Database) -> list[list[tuple[object, ...]]]:
    """All rows of the board's projection."""
    async with database.reading() as db:
        return [sorted(tuple(row) for row in (await db.execute(sa.select(table))).all()) for table in PROJECTION]


async def test_a_server_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(database_url: str) -> None:
    await torture_servers(database_url, 1, KILLS)


async def test_four_processes_that_are_killed_one_by_one_lose_nothing_and_double_nothing(postgres_url: str) -> None:
    await torture_servers(postgres_url, PROCESSES, max(KILLS // 2, 1))


async def torture_servers(url: str, count: int, kills: int) -> None:
    print(f"seed {SEED}")
    torture = Torture(url)
    stop = asyncio.Event()
    # The first deploys the models.
    for _ in range(count):
        await torture.up()
    clients = [asyncio.create_task(torture.client(name, stop)) for name in range(CLIENTS)]
    for _ in range(kills):
        await asyncio.sleep(torture.random.uniform(0.01, LIFE_S_MAX))
        await torture.kill()
        await torture.up()
    stop.set()
    await asyncio.gather(*clients)

    database = await open_database(url)

    left: dict[str, int] = {}

    async def all_ended() -> bool:
        left.clear()
        left.update(await open_work(database))
        return not left

    try:
        await eventually(all_ended, 60)
    except AssertionError as error:
        raise AssertionError(f"this work never ends: {left}") from error
    await torture.down()
    assert torture.torn > kills, "no kill hit a command on its way; the test shows nothing"

    rows = await all_rows(database)
    check_keys(torture, rows)
    await check_proof(database, rows)
    check_work(torture, rows)
    await check_serials(database, len([key for key in torture.accepted if key.startswith("start-")]))
    await check_figures(url, database)
    await database.close()


async def all_rows(database: Database) -> list[JournalRow]:
    rows: list[JournalRow] = []
    cursor: dict[int, int] = {}
    while page := await database.store.journal_after(cursor, 1_000):
        rows += page
        for row in page:
            assert row.seq == cursor.get(row.shard, 0) + 1, "the sequence of a shard is not dense"
            cursor[row.shard] = row.seq
    return rows


def check_keys(torture: Torture, rows: list[JournalRow]) -> None:
    """What was accepted is in the journal, where the answer said, and no key is there twice."""
    by_key = {row.key: row for row in rows if row.key}
    twice = [key for key, count in Counter(row.key for row in rows if row.key).items() if count > 1]
    assert twice == []
    for key, told in torture.accepted.items():
        if not key.startswith("paid-"):
            assert (by_key[key].iid, by_key[key].ver) == (told.iid, told.version)


async def check_proof(database: Database, rows: list[JournalRow]) -> None:
    """Both chains hold, and the stored states are the replayed ones byte for byte."""
    verdict = await verify_audit(DatabaseAudit(database))
    assert (verdict.first_bad, verdict.rows) == ("", len(rows))
    histories: dict[int, list[tuple[e.AnyEvent, ...]]] = {}
    for row in sorted(rows, key=lambda row: (row.iid, row.ver)):
        histories.setdefault(row.iid, []).append(e.decode_events(row.ev))
    stored = await database.store.load(list(histories))
    assert {iid: row.state for iid, row in stored.items()} == {
        iid: encode_state(replay(history)) for iid, history in histories.items()
    }


def check_work(torture: Torture, rows: list[JournalRow]) -> None:
    """Every request went its whole way once: one of each event, one part, one answer to the message thrown."""
    started = {told.iid for key, told in torture.accepted.items() if key.startswith("start-")}
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
    assert processes == {"main": len(started), "part": len(started), "told": len(started)}
    assert set(fired.values()) == {1}
    once = ("TaskCompleted", "JobCompleted", "MessageReceived", "CallCompleted", "MessageThrown", "InstanceCompleted")
    for iid in started:
        assert {name: done[iid][name] for name in once} == dict.fromkeys(once, 1)
        assert done[iid]["TimerFired"] == 1 + done[iid]["TaskReminded"]


async def check_serials(database: Database, count: int) -> None:
    async with database.reading() as db:
        drawn = (await db.exec_driver_sql("SELECT bkey FROM inst WHERE parent = 0 ORDER BY bkey")).scalars().all()
    # A request and the instance that its message started share their number.
    assert sorted(drawn) == sorted([f"CG-2026-{number:06d}" for number in range(1, count + 1)] * 2)


async def check_figures(url: str, database: Database) -> None:
    """The board's figures, followed through every kill, are those that a fold from zero gives."""
    followed = await figures(database)
    noria = await Noria.open(url)
    await noria.projector.catch_up()
    followed = await figures(database)
    await noria.projector.rebuild()
    rebuilt = await figures(database)
    await noria.close()
    assert followed == rebuilt
    assert all(followed[0])
