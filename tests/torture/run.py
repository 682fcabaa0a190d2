"""`make torture`: every scenario for a while, a line for each, and the counts in docs/reliability.md.

python -m tests.torture.run --minutes 10 --seed 7
python -m tests.torture.run --only power-cut --page /dev/null
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.databases import PostgresServer, missing_postgres
from tests.torture.networks import island, missing_namespaces, proxied
from tests.torture.page import HEAD, Result, line, page, row
from tests.torture.power import cut_power
from tests.torture.recording import missing_recorder
from tests.torture.rooms import Limited, missing_mount, mounted
from tests.torture.scenarios import (
    PROCESSES,
    Outcome,
    cut_network,
    fill_disk,
    kill_postgres,
    kill_servers,
    now_ms,
)
from tests.torture.server import Life

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
LEASE_MS = 2_000
POSTGRES_MB = 180


# Rounds: what one of a scenario is, in a folder of its own, with a seed


@contextmanager
def a_postgres(within: Path | None = None, host: str = "") -> Iterator[PostgresServer]:
    server = PostgresServer(within, host)
    try:
        server.start()
        yield server
    finally:
        server.close()


async def kill_on_sqlite(seed: int, folder: Path) -> Outcome:
    return await kill_servers(f"sqlite:///{folder / 'noria.db'}", seed, 20)


async def kill_on_postgres(seed: int, _folder: Path) -> Outcome:
    with a_postgres() as server:
        return await kill_servers(await server.take_database(), seed, 20)


async def kill_some_of_several(seed: int, _folder: Path) -> Outcome:
    with a_postgres() as server:
        return await kill_servers(await server.take_database(), seed, 20, PROCESSES)


async def kill_postgres_itself(seed: int, _folder: Path) -> Outcome:
    with a_postgres() as server:
        return await kill_postgres(server, await server.take_database(), seed, 10, 1 + seed % 2)


async def power(seed: int, folder: Path) -> Outcome:
    return await cut_power(folder, seed, 100)


async def fill_under_sqlite(seed: int, _folder: Path) -> Outcome:
    with mounted(64) as room:
        return await fill_disk(room, f"sqlite:///{room.folder / 'noria.db'}", seed, 6)


async def fail_writes_under_sqlite(seed: int, folder: Path) -> Outcome:
    return await fill_disk(Limited(), f"sqlite:///{folder / 'noria.db'}", seed, 10)


async def fill_under_postgres(seed: int, _folder: Path) -> Outcome:
    with mounted(POSTGRES_MB) as room, a_postgres(room.folder) as server:
        return await fill_disk(room, await server.take_database(), seed, 3, 1 + seed % 2, server)


async def cut_through_proxy(seed: int, _folder: Path) -> Outcome:
    with a_postgres() as server:
        url = await server.take_database()
        async with proxied(server.port) as proxy:
            near = Life(url=url, epoch_ms=now_ms(), lease_ms=LEASE_MS)
            far = Life(url=server.through(url, "127.0.0.1", proxy.port), epoch_ms=near.epoch_ms, lease_ms=near.lease_ms)
            return await cut_network(proxy, url, near, far, seed, 5)


async def cut_between_namespaces(seed: int, _folder: Path) -> Outcome:
    with island() as beside, a_postgres(host=beside.here) as server:
        url = await server.take_database()
        near = Life(url=url, epoch_ms=now_ms(), lease_ms=LEASE_MS, peers=f"{beside.here}:0")
        far = Life(
            url=server.through(url, beside.here, server.port),
            epoch_ms=near.epoch_ms,
            lease_ms=near.lease_ms,
            peers=f"{beside.there}:0",
            namespace=beside.file,
        )
        return await cut_network(beside, url, near, far, seed, 4)


class Scenario(NamedTuple):
    """A scenario.

    Attributes:
        name: for the command line and the table.
        does: what is done, for the page.
        zh: the same in a few words of Chinese.
        missing: why it cannot run here, "" when it can.
        round: one round of it.
    """

    name: str
    does: str
    zh: str
    missing: Callable[[], str]
    round: Callable[[int, Path], Awaitable[Outcome]]


def nothing() -> str:
    return ""


def missing_room_for_postgres() -> str:
    return missing_postgres() or missing_mount()


def missing_island_for_postgres() -> str:
    return missing_postgres() or missing_namespaces()


SCENARIOS = (
    Scenario(
        "kill-sqlite",
        "`kill -9` of the server at random moments, on SQLite; another is started at once on the same file.",
        "SQLite 上随机 kill -9 服务进程",
        nothing,
        kill_on_sqlite,
    ),
    Scenario(
        "kill-postgresql",
        "The same on PostgreSQL.",
        "PostgreSQL 上随机 kill -9 服务进程",
        missing_postgres,
        kill_on_postgres,
    ),
    Scenario(
        "kill-one-of-four",
        f"{PROCESSES} processes share one PostgreSQL; one of them is killed at a time, and another started.",
        "四个进程共用一个 PostgreSQL，逐个 kill -9",
        missing_postgres,
        kill_some_of_several,
    ),
    Scenario(
        "kill-database",
        "`kill -9` of PostgreSQL under one or two processes: half of the times the postmaster with all its processes, "
        "which is started again at once, half of the times a single one, after which PostgreSQL restarts the others by "
        "itself. Noria is not restarted.",
        "kill -9 PostgreSQL 本身（整体或其中一个进程），Noria 不重启，自行重连",
        missing_postgres,
        kill_postgres_itself,
    ),
    Scenario(
        "power-cut",
        "SQLite's writes, truncations, syncs and removals are recorded while Noria works on a new file, from its "
        "making on. For each cut the files are made as a disk may have left them: what was synced is there; of the "
        "rest nothing, all, the first part, or any, whole or torn at 512 or 4096 bytes, in any order, each file for "
        "itself. Four of ten cuts fall right behind an answer, one of ten into the making of the database. Each time: "
        "`PRAGMA integrity_check`, every command answered before the cut, the chain; for one cut in ten also all that "
        "the other scenarios check, after Noria was started on it and its clients went on. "
        "*Acknowledged* counts a command once, however many cuts look for it.",
        "SQLite 断电：记录写入与 fsync，在任意时刻重建磁盘可能留下的内容",
        missing_recorder,
        power,
    ),
    Scenario(
        "full-disk-sqlite",
        "The file lies on a small file system in memory, which is filled to its last byte; room is made again when "
        "commands have been refused (`store.full`, HTTP 507).",
        "SQLite 所在磁盘写满，再腾出空间",
        missing_mount,
        fill_under_sqlite,
    ),
    Scenario(
        "failing-writes-sqlite",
        "Writes that would make a file larger fail with an error that is not *disk full* (a limit of the operating "
        "system on the process), and succeed again (`store.unavailable`, HTTP 503).",
        "SQLite 写入报错（非磁盘满），再恢复",
        nothing,
        fail_writes_under_sqlite,
    ),
    Scenario(
        "full-disk-postgresql",
        "All of PostgreSQL, its log too, lies on a small file system in memory, which is filled. Where PostgreSQL ends "
        "over it, it is started again when there is room, as an operator would.",
        "PostgreSQL 所在磁盘写满，再腾出空间",
        missing_room_for_postgres,
        fill_under_postgres,
    ),
    Scenario(
        "network-proxy",
        f"Two processes, leases of {LEASE_MS} ms. The way of one to PostgreSQL goes through a proxy that swallows "
        "everything, or only the answers, or breaks connections off. The other must own all shards within two leases; "
        "then the way is mended, what was held back arrives late and is fenced, and the one takes its share again.",
        "一个进程与 PostgreSQL 之间断网（代理：静默、半开、断开），另一进程接管",
        missing_postgres,
        cut_through_proxy,
    ),
    Scenario(
        "network-namespace",
        "The same with one process in a network namespace of its own, which is cut off from PostgreSQL and from the "
        "other process: packets vanish, and are sent again by TCP when the cable is back.",
        "网络命名空间之间断网（丢包），另一进程接管",
        missing_island_for_postgres,
        cut_between_namespaces,
    ),
)


# Running


def run_for(scenario: Scenario, seconds: float, seed: int, say: Callable[[str], None]) -> Result:
    """Run rounds of a scenario until its time is over, one at least, none after one that failed."""
    result = Result(scenario.name, scenario.does, scenario.zh, skipped=scenario.missing())
    began = time.monotonic()
    while not result.skipped and not result.failed and (not result.rounds or time.monotonic() - began < seconds):
        result.rounds += 1
        say(f"{scenario.name}: round {result.rounds}")
        with tempfile.TemporaryDirectory(prefix="noria-torture-") as folder:
            try:
                outcome = asyncio.run(_awaited(scenario.round(seed + result.rounds, Path(folder))))
            except Exception as error:  # noqa: BLE001 - a scenario that cannot be ended is a finding, the others go on
                traceback.print_exc()
                outcome = Outcome()
                outcome.verdict.broken.append(f"ended by {error!r}")
        result.outcome.add(outcome)
    return result


async def _awaited(outcome: Awaitable[Outcome]) -> Outcome:
    return await outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and write the page; gives the exit code."""
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="make torture", description="Kill, cut off and fill until time is over.")
    parser.add_argument("--minutes", type=float, default=10, help="for all scenarios together; each runs once at least")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**31), help="of what is drawn")
    parser.add_argument("--only", choices=names, action="append", help="one scenario, more by repeating")
    parser.add_argument("--page", type=Path, help="where to write; docs/reliability.md for all scenarios")
    given = parser.parse_args(arguments)
    chosen = [scenario for scenario in SCENARIOS if not given.only or scenario.name in given.only]
    target = given.page or (None if given.only else PAGE)

    def say(text: str) -> None:
        print(f"# {text}", file=sys.stderr, flush=True)

    began, at = time.monotonic(), time.gmtime()
    say(f"seed {given.seed}")
    seconds = given.minutes * 60 / sum(not scenario.missing() for scenario in chosen) if chosen else 0.0
    print(line(HEAD), flush=True)
    results = []
    for scenario in chosen:
        results.append(run_for(scenario, seconds, given.seed, say))
        print(line(row(results[-1])), flush=True)
        for text in (results[-1].skipped, *results[-1].outcome.verdict.all[:10]):
            if text:
                print(f"  {text}", flush=True)
    if target is not None:
        target.write_text(page(results, given.seed, (time.monotonic() - began) / 60, at), encoding="utf-8")
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
