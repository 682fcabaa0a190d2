"""How near is the engine to what the database alone takes? The same commits, made beforehand, as fast as they go.

Clients drive `approval`, and every commit of theirs is kept. Then the same commits, with the same rows, are written to
an empty database by the same statements, one after another, with no engine and no client in the way. The engine steps
the next commands while a commit is on its way, so it may come close.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench.apart import apart
from bench.measuring import Stopwatch, fdatasyncs_per_second
from bench.models import APPROVAL
from bench.noria_engine import Fixed, approve, closed, definition, settle
from bench.postgres import missing_postgres, new_database, server
from bench.telling import Asked, Figures, compared, skipped
from noria.adapters.database.opening import open_database
from noria.adapters.system import SystemClock
from noria.engine.facts import NO_FACTS
from noria.operate.rows import Commit
from noria.operate.runtime import Runtime

SHARE = 0.75
CLIENTS = 200
INSTANCES = 6_000


async def _engine(url: str, instances: int) -> tuple[Figures, list[Commit]]:
    database = await open_database(url)
    runtime = Runtime(database.store, Fixed(definition(APPROVAL)), SystemClock(), lambda _tenant: NO_FACTS)
    commits: list[Commit] = []
    write = database.store.commit

    async def keep(commit: Commit) -> None:
        commits.append(commit)
        await write(commit)

    database.store.commit = keep  # type: ignore[method-assign]
    await runtime.start()
    left = iter(range(instances))

    async def client() -> None:
        for _ in left:
            await approve(runtime)

    settle()
    watch = Stopwatch()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    spent = watch.spent()
    await closed(runtime, database)
    return {"wall": instances / spent.wall, "cpu": instances / spent.cpu}, commits


async def _database(url: str, commits: list[Commit], instances: int) -> Figures:
    database = await open_database(url)
    await database.store.own_shards("single")
    settle()
    watch = Stopwatch()
    for commit in commits:
        await database.store.commit(commit)
    spent = watch.spent()
    await database.close()
    return {"wall": instances / spent.wall, "cpu": instances / spent.cpu}


async def _measure(warm: str, driven: str, written: str, instances: int) -> tuple[Figures, Figures]:
    _, commits = await _engine(warm, instances)
    engine, _ = await _engine(driven, instances)
    return engine, await _database(written, commits, instances)


def measure(warm: str, driven: str, written: str, instances: int) -> tuple[Figures, Figures]:
    """Instances a second with the engine, and of the database alone, on three databases without rows."""
    before = fdatasyncs_per_second(0.2)
    sides = uvloop.run(_measure(warm, driven, written, instances))
    disk = (before + fdatasyncs_per_second(0.2)) / 2
    for side in sides:
        side["fdatasync"] = disk
    return sides


def ask(asked: Asked) -> list[dict[str, Any]]:
    """On SQLite and on PostgreSQL."""
    instances = max(CLIENTS * 2, int(INSTANCES * asked.share))
    told = partial(compared, unit="instances/s", floor=SHARE)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        urls = [f"sqlite:///{Path(folder) / f'{time.monotonic_ns()}.db'}" for _ in range(3 * asked.rounds)]
        pairs = [apart("bench.ceiling:measure", *urls[at : at + 3], instances) for at in range(0, len(urls), 3)]
    results = [told("of what SQLite FULL alone takes", pairs=pairs)]
    if missing := missing_postgres():
        return results + skipped("ceiling of PostgreSQL", missing)
    with server() as running:
        urls = [new_database(running, f"noria{number}") for number in range(3 * asked.rounds)]
        pairs = [apart("bench.ceiling:measure", *urls[at : at + 3], instances) for at in range(0, len(urls), 3)]
    return [*results, told("of what PostgreSQL alone takes", pairs=pairs)]
