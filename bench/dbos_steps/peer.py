"""DBOS's side, in its own environment: a workflow of ten steps, each client one workflow after another.

    python peer.py DATABASE CLIENTS SECONDS

Up to twenty clients are threads, as the peer is mostly used; more are tasks of one loop, which is faster there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS

DATABASE, CLIENTS, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
THREADS_MAX = 20

DBOS(
    config={
        "name": "bench",
        "system_database_url": DATABASE,
        "run_admin_server": False,
        "log_level": "ERROR",
        "sys_db_pool_size": 20 if CLIENTS <= THREADS_MAX else 50,
    }
)


@DBOS.step()
def step(number: int) -> int:
    """Nothing but to be recorded."""
    return number


@DBOS.workflow()
def ten_steps() -> None:
    """One after another."""
    for number in range(10):
        step(number)


@DBOS.step()
async def step_async(number: int) -> int:
    """Nothing but to be recorded."""
    return number


@DBOS.workflow()
async def ten_steps_async() -> None:
    """One after another."""
    for number in range(10):
        await step_async(number)


def with_threads(until: float) -> int:
    """Workflows that the clients ran until an instant."""

    def client(_number: int) -> int:
        done = 0
        while time.perf_counter() < until:
            ten_steps()
            done += 1
        return done

    with ThreadPoolExecutor(CLIENTS) as threads:
        return sum(threads.map(client, range(CLIENTS)))


def with_tasks(until: float) -> int:
    """The same in one loop."""

    async def client() -> int:
        done = 0
        while time.perf_counter() < until:
            await ten_steps_async()
            done += 1
        return done

    async def clients() -> int:
        return sum(await asyncio.gather(*(client() for _ in range(CLIENTS))))

    return asyncio.run(clients())


work = with_threads if CLIENTS <= THREADS_MAX else with_tasks
DBOS.launch()
work(time.perf_counter() + SECONDS / 3)
print("begin", flush=True)
wall, cpu = time.perf_counter(), time.process_time()
instances = work(wall + SECONDS)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"instances": instances, "wall": wall, "cpu": cpu}), flush=True)
# Its threads in the background would take their time to end.
os._exit(0)
