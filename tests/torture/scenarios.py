"""What is done to Noria while clients work with it, each thing as one round that ends with a verdict."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from noria.adapters.database.opening import open_database
from noria.operate.rows import SHARDS
from tests.databases import PostgresServer
from tests.torture.clients import Torture
from tests.torture.networks import Cable
from tests.torture.proof import Verdict, all_ended, judge
from tests.torture.rooms import Room
from tests.torture.server import Life

PROCESSES = 4
LIFE_S_MAX = 0.9
A_FEW = 30
TORN = "commands under way when their server was killed"
REFUSED = "refusals `{}`"


class Outcome(msgspec.Struct):
    """What a scenario gave.

    Attributes:
        cuts: how often something was killed, cut off or filled.
        commands: how often something was asked.
        acknowledged: commands that were accepted.
        verdict: what was found wrong.
        seen: what else was counted, by name.
        takeovers_ms: how long it took until shards had another owner.
    """

    cuts: int = 0
    commands: int = 0
    acknowledged: int = 0
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    seen: Counter[str] = msgspec.field(default_factory=Counter)
    takeovers_ms: list[int] = []

    def add(self, other: Outcome) -> None:
        """Count another round to this one."""
        self.cuts += other.cuts
        self.commands += other.commands
        self.acknowledged += other.acknowledged
        self.seen += other.seen
        self.takeovers_ms += other.takeovers_ms
        for mine, theirs in (
            (self.verdict.lost, other.verdict.lost),
            (self.verdict.doubled, other.verdict.doubled),
            (self.verdict.broken, other.verdict.broken),
        ):
            mine.extend(theirs)


def now_ms() -> int:
    """The wall's time."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def under_load(url: str, lives: Sequence[Life], seed: int, outcome: Outcome) -> AsyncIterator[Torture]:
    """Servers that clients work with; in the end all work comes to its end, the servers stop, and all is judged."""
    torture = Torture(seed)
    try:
        # The first deploys the models.
        for life in lives:
            await torture.up(life)
        torture.begin()
        yield torture
        await torture.finish()
        database = await open_database(url)
        await all_ended(database, outcome.verdict)
        await database.close()
        await torture.down()
    finally:
        await torture.close()
    outcome.commands += torture.commands
    outcome.acknowledged += len(torture.heard)
    outcome.seen[TORN] += torture.torn
    outcome.seen.update({REFUSED.format(code): count for code, count in torture.refused.items()})
    await judge(url, torture.heard, outcome.verdict)


async def kill_servers(url: str, seed: int, cuts: int, processes: int = 1) -> Outcome:
    """kill -9 of servers at random moments; another is started at once."""
    outcome = Outcome(cuts=cuts)
    lives = [Life(url=url, epoch_ms=now_ms())] * processes
    async with under_load(url, lives, seed, outcome) as torture:
        for _ in range(cuts):
            await asyncio.sleep(torture.random.uniform(0.01, LIFE_S_MAX))
            await torture.up(await torture.kill())
    return outcome


async def keep_up(server: PostgresServer) -> None:
    """Start a PostgreSQL again that gives itself up: it does when recovery after a fault takes it five seconds."""
    while True:
        if server.ended:
            await asyncio.to_thread(server.start)
        await asyncio.sleep(0.5)


async def kill_postgres(server: PostgresServer, url: str, seed: int, cuts: int, processes: int = 1) -> Outcome:
    """kill -9 of PostgreSQL: of all of it, which is started again, or of one process, which it gets over by itself."""
    outcome = Outcome(cuts=cuts)
    lives = [Life(url=url, epoch_ms=now_ms())] * processes
    async with under_load(url, lives, seed, outcome) as torture:
        keeper = asyncio.create_task(keep_up(server))
        for _ in range(cuts):
            await torture.moves(torture.random.randrange(1, A_FEW))
            if torture.random.random() < 0.5:
                outcome.seen["kills of all of PostgreSQL"] += 1
                server.kill()
                await asyncio.to_thread(server.start)
            else:
                outcome.seen["kills of one process of PostgreSQL"] += 1
                server.kill_one(torture.random)
        await torture.moves(A_FEW)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
    return outcome


async def fill_disk(
    room: Room, url: str, seed: int, cuts: int, processes: int = 1, server: PostgresServer | None = None
) -> Outcome:
    """The disk of the database is full, and has room again. A PostgreSQL that ends over it is started again then."""
    outcome = Outcome(cuts=cuts)
    # SQLite writes over its log as long as it can; the more there is to write, the sooner it needs more room.
    lives = [Life(url=url, epoch_ms=now_ms(), load_bytes=10_000)] * processes
    async with under_load(url, lives, seed, outcome) as torture:
        for _ in range(cuts):
            await torture.moves(torture.random.randrange(1, A_FEW))
            before = torture.refused.total()
            room.fill(torture)
            await torture.until(lambda: torture.refused.total() > before + A_FEW)  # noqa: B023
            room.free(torture)
            if server is not None and server.ended:
                outcome.seen["times PostgreSQL ended over it"] += 1
                await asyncio.to_thread(server.start)
        await torture.moves(A_FEW)
    return outcome


async def cut_network(cable: Cable, url: str, near: Life, far: Life, seed: int, cuts: int) -> Outcome:
    """One of two processes is cut off from PostgreSQL: the other takes over; the one comes back when it is mended."""
    outcome = Outcome(cuts=cuts)
    watching = await asyncpg.connect(url)

    async def owners() -> list[int]:
        rows = await watching.fetch("SELECT count(*) FROM shard WHERE owner <> '' GROUP BY owner ORDER BY 1")
        return [row[0] for row in rows]

    async def one_owns_all() -> bool:
        return await owners() == [SHARDS]

    async def shared() -> bool:
        return await owners() == [SHARDS // 2] * 2

    try:
        async with under_load(url, [near, far], seed, outcome) as torture:
            for _ in range(cuts):
                await torture.until(shared)
                await torture.moves(torture.random.randrange(1, A_FEW))
                outcome.seen[cable.cut(torture.random)] += 1
                began = time.monotonic()
                await torture.until(one_owns_all)
                took_ms = round((time.monotonic() - began) * 1000)
                outcome.takeovers_ms.append(took_ms)
                if took_ms > 2 * near.lease_ms:
                    outcome.verdict.broken.append(f"taking over took {took_ms} ms, with leases of {near.lease_ms}")
                await torture.moves(A_FEW)
                cable.mend()
            await torture.until(shared)
            await torture.moves(A_FEW)
    finally:
        cable.mend()
        await watching.close()
    return outcome
