"""Four engine processes beside one, on one PostgreSQL: each owns its shards by lease and drives its own clients.

As many clients in all; on a machine with two cores, which the server shares.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from typing import Any

import uvloop

from bench.apart import ROOT, command
from bench.measuring import Stopwatch, fdatasyncs_per_second
from bench.models import APPROVAL, NORIA, bpmn
from bench.noria_engine import approve, clients_until, settle
from bench.postgres import cpu_seconds, missing_postgres, new_database, server
from bench.telling import Asked, Figures, compared, in_pairs, skipped
from noria.bootstrap import TENANT, Noria
from noria.operate.leases import share_of

FLOOR = 1.6
PROCESSES = 4
CLIENTS = 400
SECONDS = 6.0
BALANCED_S_MAX = 30


async def _prepare(url: str) -> None:
    noria = await Noria.open(url)
    files = {"approval.bpmn": bpmn(APPROVAL, NORIA)}
    made = await noria.catalogue.deploy(TENANT, "li", files, noria.clock.now_ms(), noria.facts(TENANT))
    assert made.id, made.findings
    await noria.close()


async def _member(url: str, members: int, clients: int, seconds: float) -> dict[str, float]:
    noria = await Noria.open(url)
    await noria.take_shards()
    assert noria.cluster is not None
    assert noria.cluster.leases is not None
    deadline = time.monotonic() + BALANCED_S_MAX
    while not 0 < len(noria.runtime.owned or ()) <= share_of(members) or (
        len(noria.cluster.leases.standing.members) != members
    ):
        assert time.monotonic() < deadline, "the shards are not shared out"
        noria.cluster.leases.hurry()
        await asyncio.sleep(0.1)
    settle()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    await clients_until(noria.runtime, approve, clients, time.perf_counter() + seconds / 3)
    watch = Stopwatch()
    instances = await clients_until(noria.runtime, approve, clients, time.perf_counter() + seconds)
    spent = watch.spent()
    print(json.dumps({"instances": instances, "wall": spent.wall, "cpu": spent.cpu}), flush=True)
    # Whoever leaves first would have the others take over in the middle of their window.
    await loop.run_in_executor(None, sys.stdin.readline)
    await noria.close()
    return {}


def member(url: str, members: int, clients: int, seconds: float) -> dict[str, float]:
    """One process of so many."""
    return uvloop.run(_member(url, members, clients, seconds))


def measured(url: str, postgres: int, members: int, seconds: float) -> Figures:
    """Instances per second of all processes together, and per second of CPU, the server's included."""
    disk = fdatasyncs_per_second(0.2)
    with ExitStack() as stack:
        sides = []
        for _ in range(members):
            side = subprocess.Popen(
                command("bench.processes:member", url, members, CLIENTS // members, seconds),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(side.wait, 30)
            stack.callback(_tell, side)
            sides.append(side)
        for side in sides:
            assert side.stdout is not None
            assert side.stdout.readline() == "ready\n"
        server_before = cpu_seconds(postgres)
        for side in sides:
            _tell(side)
        told = [json.loads(side.stdout.readline()) for side in sides if side.stdout is not None]
        # The warming up is in it, on both sides alike.
        server_cpu = (cpu_seconds(postgres) - server_before) * 3 / 4
    instances = sum(one["instances"] for one in told)
    return {
        "wall": sum(one["instances"] / one["wall"] for one in told),
        "cpu": instances / (sum(one["cpu"] for one in told) + server_cpu),
        "fdatasync": (disk + fdatasyncs_per_second(0.2)) / 2,
    }


def _tell(side: subprocess.Popen[str]) -> None:
    if side.stdin is not None and side.poll() is None:
        side.stdin.write("\n")
        side.stdin.flush()


def ask(asked: Asked) -> list[dict[str, Any]]:
    """Four beside one."""
    if missing := missing_postgres():
        return skipped("processes", missing)
    seconds = max(1.0, SECONDS * asked.share)
    with server() as running:
        url = new_database(running, "noria")
        asyncio.run(_prepare(url))
        sides = [partial(measured, url, running.pid, members, seconds) for members in (PROCESSES, 1)]
        title = f"{PROCESSES} processes beside one"
        also = [("cpu", "per CPU-second, the server's included")]
        return [compared(title, "instances/s", in_pairs(asked, *sides), FLOOR, also=also)]
