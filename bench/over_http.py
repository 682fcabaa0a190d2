"""Commands over HTTP: what one costs a real server process in CPU, all in, alone and in batches.

The server is the command `noria serve`, with its projections and everything else that runs in it; clients keep their
connections and are a process of their own, which is not counted. PostgreSQL's own CPU is told beside it.

A microsecond of CPU is not the same everywhere, nor in every hour of a machine that is shared. So the same clients ask
an application with nothing behind it in each round, too: where the aims were set, such an answer cost `EMPTY_US`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from bench import noria_engine
from bench.apart import ROOT, apart
from bench.models import APPROVAL, NORIA, VARIABLES, bpmn
from bench.postgres import cpu_seconds, missing_postgres, new_database, server
from bench.telling import Asked, skipped, spread
from noria.adapters.system import Argon2Hasher, settle_memory
from noria.bootstrap import TENANT, Noria
from noria.engine import commands as c
from noria.engine.state import State
from noria.trust.people import Person
from noria.trust.signing_in import Credential

LIMITS_US = {"one by one": 200, "batched": 40}
EMPTY_US = 35
"""What an empty answer of the same server cost on the machine on which the limits were set."""
CLIENTS = 100
BATCH = 500
INSTANCES = 3_000
START_S_MAX = 30
PASSWORD = "bench-2026-wheel"  # noqa: S105 - of a database that lives for this measurement


Order = tuple[str, object]
"""A path and a body."""


async def _prepare(url: str) -> None:
    noria = await Noria.open(url)
    now_ms = noria.clock.now_ms()
    person = Person("li", "li", "li", roles=("employee", "process_owner"))
    await noria.people.put(TENANT, [person], [], now_ms)
    await noria.people.put_credential(TENANT, Credential("li", await Argon2Hasher().hash(PASSWORD)), now_ms)
    files = {"approval.bpmn": bpmn(APPROVAL, NORIA)}
    made = await noria.catalogue.deploy(TENANT, "li", files, now_ms, noria.facts(TENANT))
    assert made.id, made.findings
    await noria.close()


class Connection:
    """One connection that is kept, with what a signed-in program sends.

    The server closes one that nobody has used for a while; then it is made again.

    Attributes:
        waits: how long each answer took, s.
    """

    def __init__(self, port: int, session: str = "") -> None:
        self.waits: list[float] = []
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._session = session

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        return self._streams

    async def post(self, path: str, body: object) -> Any:
        """Post, and wait for the answer, which must be one of success."""
        return await self._exchange("POST", path, json.dumps(body).encode())

    async def get(self, path: str) -> Any:
        """Ask, and wait for the answer, which must be one of success."""
        return await self._exchange("GET", path, b"")

    async def _exchange(self, method: str, path: str, content: bytes) -> Any:
        reader, writer = await self._open()
        head = (
            f"{method} /api{path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n{self._session}\r\n"
        )
        begun = time.perf_counter()
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        self.waits.append(time.perf_counter() - begun)
        fields = dict(line.lower().split(": ", 1) for line in answer.decode().split("\r\n")[1:] if ": " in line)
        told = await reader.readexactly(int(fields["content-length"]))
        assert answer[9:10] == b"2", (path, answer, told)
        found = json.loads(told)
        if path == "/session":
            cookie = fields["set-cookie"].partition(";")[0]
            # The value is not to be in lower case.
            start = answer.lower().index(cookie.encode())
            cookie = answer[start : start + len(cookie)].decode()
            self._session = f"Cookie: {cookie}\r\nX-CSRF-Token: {found['csrf_token']}\r\n"
        return found

    def close(self) -> None:
        """Let it go."""
        if self._streams is not None:
            self._streams[1].close()


Complete = Callable[[Sequence[Connection], list[str]], Awaitable[None]]


async def _share_out(connections: Sequence[Connection], orders: list[Order]) -> list[Any]:
    """Have connections post orders, each one after another; gives the answers."""
    waiting = iter(orders)
    answers: list[Any] = []

    async def work(connection: Connection) -> None:
        for path, body in waiting:
            answers.append(await connection.post(path, body))

    await asyncio.gather(*(work(connection) for connection in connections))
    return answers


async def _cpu_when_quiet(pid: int) -> float:
    """What a server has spent, once its projections are done too."""
    while True:
        before = cpu_seconds(pid)
        await asyncio.sleep(0.5)
        after = cpu_seconds(pid)
        if after - before < 0.05:
            return after


async def _cpu_when_indexed(pid: int, connection: Connection) -> float:
    """The same with the search index: it comes later, but what it costs belongs to the commands."""
    await _cpu_when_quiet(pid)
    await connection.get("/instances?q=approval")
    return await _cpu_when_quiet(pid)


def _tokens() -> list[int]:
    """The tokens of the three tasks, which are the same in every instance."""
    known, tokens = noria_engine.definition(APPROVAL), []
    outcome = noria_engine.do(known, State(), c.StartInstance("li", {"id": "li"}, VARIABLES))
    while outcome.state.tasks:
        tokens.append(next(iter(outcome.state.tasks)))
        outcome = noria_engine.do(known, outcome.state, c.CompleteTask(tokens[-1], "li"))
    return tokens


async def _start(connections: Sequence[Connection], count: int) -> list[str]:
    """Start instances in batches; gives their ids."""
    order = {"type": "start_instance", "process": APPROVAL.name, "variables": VARIABLES}
    orders: list[Order] = [("/commands", {"commands": [order] * BATCH}) for _ in range(-(-count // BATCH))]
    answers = await _share_out(connections[:2], orders)
    return [result["instance"]["id"] for answer in answers for result in answer["results"]]


async def _one_by_one(connections: Sequence[Connection], tasks: list[str]) -> None:
    await _share_out(connections, [(f"/tasks/{task}/complete", {}) for task in tasks])


async def _batched(connections: Sequence[Connection], tasks: list[str]) -> None:
    commands = [{"type": "complete_task", "task": task} for task in tasks]
    orders: list[Order] = [
        ("/commands", {"commands": commands[at : at + BATCH]}) for at in range(0, len(commands), BATCH)
    ]
    for answer in await _share_out(connections[:4], orders):
        assert all(result["ok"] for result in answer["results"]), answer


async def _drive(port: int, pid: int, postgres: int, instances: int) -> dict[str, dict[str, float]]:
    def postgres_cpu() -> float:
        return cpu_seconds(postgres) if postgres else 0.0

    figures = {}
    connections = [Connection(port) for _ in range(CLIENTS)]
    for connection in connections:
        await connection.post("/session", {"username": "li", "password": PASSWORD})
    for name, complete in (("one by one", _one_by_one), ("batched", _batched)):
        await _warm(connections, complete)
        ids = await _start(connections, instances)
        before, server_before = await _cpu_when_indexed(pid, connections[0]), postgres_cpu()
        for connection in connections:
            connection.waits.clear()
        begun = time.perf_counter()
        for token in _tokens():
            await complete(connections, [f"{iid}-{token}" for iid in ids])
        wall = time.perf_counter() - begun
        waits = sorted(wait for connection in connections for wait in connection.waits)
        count = len(_tokens()) * len(ids)
        figures[name] = {
            "cpu_us": (await _cpu_when_indexed(pid, connections[0]) - before) / count * 1e6,
            "postgres_us": (postgres_cpu() - server_before) / count * 1e6,
            "per_second": count / wall,
            "p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
        }
    for connection in connections:
        connection.close()
    return figures


async def _warm(connections: Sequence[Connection], complete: Complete) -> None:
    ids = await _start(connections, BATCH)
    for token in _tokens():
        await complete(connections, [f"{iid}-{token}" for iid in ids])


def drive(port: int, pid: int, postgres: int, instances: int) -> dict[str, dict[str, float]]:
    """The clients; gives microseconds of CPU per command of the server and of PostgreSQL, and commands a second."""
    # Else the clients' own garbage collector keeps all of them waiting for a tenth of a second.
    settle_memory()
    return uvloop.run(_drive(port, pid, postgres, instances))


async def _ask_in_vain(port: int, pid: int, count: int) -> float:
    session = f"Cookie: noria_session={'x' * 43}\r\nX-CSRF-Token: {'x' * 43}\r\n"
    connections = [Connection(port, session) for _ in range(CLIENTS)]
    tasks = [f"88987709419935744{number % 10}-{number}" for number in range(count)]
    await _one_by_one(connections, tasks[:BATCH])
    before = await _cpu_when_quiet(pid)
    await _one_by_one(connections, tasks)
    spent = await _cpu_when_quiet(pid) - before
    for connection in connections:
        connection.close()
    return spent / count * 1e6


def ask_in_vain(port: int, pid: int, count: int) -> float:
    """The same clients; gives microseconds of CPU per answer of a server that has nothing to do for it."""
    return uvloop.run(_ask_in_vain(port, pid, count))


@contextmanager
def _listening(*program: str) -> Iterator[tuple[int, int]]:
    """A server, to whose arguments a free port is added; gives that and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*program[:-1], program[-1].format(port=port)], cwd=ROOT)
    try:
        deadline = time.monotonic() + START_S_MAX
        while True:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(START_S_MAX)


@contextmanager
def _serving(url: str) -> Iterator[tuple[int, int]]:
    """Noria's own server."""
    asyncio.run(_prepare(url))
    noria = (sys.executable, "-c", "from noria.bootstrap import main; main()")
    with _listening(*noria, "serve", "--database", url, "--listen", "127.0.0.1:{port}") as server:
        yield server


@contextmanager
def _serving_nothing() -> Iterator[tuple[int, int]]:
    """The same server without Noria."""
    plain = ("--lifespan", "off", "--log-level", "warning", "--no-access-log", "--host", "127.0.0.1")
    with _listening(sys.executable, "-m", "uvicorn", "bench.empty_answers:answer", *plain, "--port={port}") as server:
        yield server


def ask(asked: Asked) -> list[dict[str, Any]]:
    """On SQLite and on PostgreSQL."""
    results = []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        results += _measure(asked, "SQLite", [f"sqlite:///{Path(folder) / f'{n}.db'}" for n in range(asked.rounds)], 0)
    if missing := missing_postgres():
        return results + skipped("http on PostgreSQL", missing)
    with server() as running:
        urls = [new_database(running, f"noria{n}") for n in range(asked.rounds)]
        return results + _measure(asked, "PostgreSQL", urls, running.pid)


def _measure(asked: Asked, database: str, urls: Sequence[str], postgres: int) -> list[dict[str, Any]]:
    instances = max(BATCH, int(INSTANCES * asked.share))
    rounds, empty = [], []
    for url in urls:
        with _serving(url) as (port, pid):
            rounds.append(apart("bench.over_http:drive", port, pid, postgres, instances))
        with _serving_nothing() as (port, pid):
            empty.append(apart("bench.over_http:ask_in_vain", port, pid, len(_tokens()) * instances))
    results = []
    for name, us_max in LIMITS_US.items():
        spent = [one[name]["cpu_us"] for one in rounds]
        ratios = [ours / nothing for ours, nothing in zip(spent, empty, strict=True)]
        ratio_max = us_max / EMPTY_US
        rate = statistics.median(one[name]["per_second"] for one in rounds)
        line = f"HTTP on {database}, commands {name}:".ljust(46)
        line += f"{statistics.median(spent):6.0f} us of server CPU each ({min(spent):.0f}-{max(spent):.0f}), "
        line += f"an empty answer {statistics.median(empty):.0f} us: {spread(ratios)}, aim {ratio_max:.1f}x; "
        line += f"{rate:,.0f}/s, "
        line += f"99th percentile of answers {statistics.median(one[name]['p99_ms'] for one in rounds):.0f} ms"
        if postgres:
            line += f"; PostgreSQL {statistics.median(one[name]['postgres_us'] for one in rounds):.0f} us"
        print(line + ("" if statistics.median(ratios) <= ratio_max else "  ABOVE THE AIM"), flush=True)
        figures = [one[name] | {"empty_us": nothing} for one, nothing in zip(rounds, empty, strict=True)]
        results.append({"title": f"HTTP on {database}, {name}", "rounds": figures})
    return results
