"""What is done to Noria while clients work with it, each thing as one round that ends with a verdict."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from noria.adapters.database.opening import open_database
from tests.databases import PostgresServer
from tests.torture.clients import Torture
from tests.torture.proof import Verdict, all_ended, judge
from tests.torture.rooms import Room
from tests.torture.server import Life

PROCESSES = 4
LIFE_S_MAX = 0.9
A_FEW = 30


class Outcome(msgspec.Struct):
    """What a scenario gave.

    Attributes:
        cuts: how often something was killed, cut off or filled.
        commands: how often something was asked.
        acknowledged: commands that were accepted.
        verdict: what was found wrong.
        seen: what else was counted, by name.
    """

    cuts: int = 0
    commands: int = 0
    acknowledged: int = 0
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    seen: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, other: Outcome) -> None:
        """Count another round to this one."""
        self.cuts += other.cuts
        self.commands += other.commands
        self.acknowledged += other.acknowledged
        self.seen += other.seen
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
    outcome.seen["torn"] += torture.torn
    outcome.seen.update({f"refused: {code}": count for code, count in torture.refused.items()})
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


async def kill_postgres(server: PostgresServer, url: str, seed: int, cuts: int, processes: int = 1) -> Outcome:
    """kill -9 of PostgreSQL: of all of it, which is started again, or of one process, which it gets over by itself."""
    outcome = Outcome(cuts=cuts)
    lives = [Life(url=url, epoch_ms=now_ms())] * processes
    async with under_load(url, lives, seed, outcome) as torture:
        for _ in range(cuts):
            await torture.moves(torture.random.randrange(1, A_FEW))
            if torture.random.random() < 0.5:
                outcome.seen["all of PostgreSQL"] += 1
                server.kill()
                await asyncio.to_thread(server.start)
            else:
                outcome.seen["one process of PostgreSQL"] += 1
                server.kill_one(torture.random)
        await torture.moves(A_FEW)
    return outcome


async def fill_disk(
    room: Room, url: str, seed: int, cuts: int, processes: int = 1, server: PostgresServer | None = None
) -> Outcome:
    """The disk of the database is full, and has room again. A PostgreSQL that ends over it is started again then."""
    outcome = Outcome(cuts=cuts)
    lives = [Life(url=url, epoch_ms=now_ms())] * processes
    async with under_load(url, lives, seed, outcome) as torture:
        for _ in range(cuts):
            await torture.moves(torture.random.randrange(1, A_FEW))
            before = torture.refused.total()
            room.fill(torture)
            await torture.until(lambda: torture.refused.total() > before + A_FEW)  # noqa: B023
            room.free(torture)
            if server is not None and server.ended:
                outcome.seen["PostgreSQL ended and was started again"] += 1
                await asyncio.to_thread(server.start)
        await torture.moves(A_FEW)
    return outcome
