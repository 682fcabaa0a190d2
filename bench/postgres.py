"""The private PostgreSQL server of the measurements, and what it spends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from tests.databases import PostgresServer, missing_postgres

__all__ = ["cpu_seconds", "missing_postgres", "new_database", "server"]

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def server() -> Iterator[PostgresServer]:
    """A server with settings of a small machine, as durable as in production; gone afterwards."""
    running = PostgresServer(shared_buffers="512MB", max_connections="150")
    try:
        running.start()
        yield running
    finally:
        running.close()


async def _new_database(url: str, name: str) -> str:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{url.rpartition('/')[0]}/{name}"


def new_database(running: PostgresServer, name: str) -> str:
    """The address of an empty database, without any table."""
    return asyncio.run(_new_database(running.url("postgres"), name))


def _stat(pid: str) -> list[str]:
    # The name, in brackets, may hold spaces.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """What a process and all below it have spent so far, those that have ended included."""
    stats = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stats[folder.name] = _stat(folder.name)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended; its parent knows what it spent
    ticks = 0
    below = {str(pid)}
    while below:
        ticks += sum(sum(map(int, stats[one][11:15])) for one in below)
        below = {one for one, stat in stats.items() if stat[1] in below}
    return ticks / _TICKS
