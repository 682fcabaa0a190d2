"""Noria's side of the measurements: the pure engine in memory, and the runtime on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench.measuring import Spent, Stopwatch
from bench.models import APPROVAL, NORIA, STEPS, VARIABLES, Workload, bpmn
from noria.adapters.database.opening import Database, open_database
from noria.adapters.system import SystemClock, settle_memory
from noria.design.bpmn import compile_bpmn, read_bpmn
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.facts import NO_FACTS
from noria.engine.outcome import Outcome
from noria.engine.state import State, Status, decode_state, encode_state
from noria.engine.step import step
from noria.operate.requests import Accepted, Answer, Request
from noria.operate.runtime import Runtime

NOW_MS = 1_790_000_000_000
_OPEN = Status.OPEN


settle = settle_memory
"""As a server does before it serves."""


def definition(workload: Workload) -> Definition:
    """The workload, compiled once."""
    read, findings = read_bpmn(bpmn(workload, NORIA), f"{workload.name}.bpmn")
    assert read is not None, findings
    graphs, _ = compile_bpmn(read)
    return Definition(graphs[0])


def do(known: Definition, state: State, command: c.AnyCommand) -> Outcome:
    """A command, which must be accepted."""
    outcome = step(known, state, command, NOW_MS, NO_FACTS)
    assert isinstance(outcome, Outcome), outcome
    return outcome


def check(workload: Workload) -> None:
    """One instance to its end, with its completed elements and commands counted."""
    known = definition(workload)
    outcome = do(known, State(), c.StartInstance("bench", {"id": "bench"}, VARIABLES))
    left = sum(isinstance(event, e.ElementLeft) for event in outcome.events)
    merged = sum(isinstance(event, e.TokenMerged) for event in outcome.events)
    commands = 1
    while outcome.state.status is _OPEN:
        token = next(iter(outcome.state.tasks))
        outcome = do(known, outcome.state, c.CompleteTask(token, "li"))
        left += sum(isinstance(event, e.ElementLeft) for event in outcome.events)
        commands += 1
    assert merged in (0, 3)
    assert (left, commands) == (workload.elements, workload.commands), (left, commands)
    assert outcome.state.status is Status.COMPLETED


def in_memory(workload: Workload, saved: bool) -> Callable[[], None]:
    """One instance from start to end; `saved` encodes the state after each command and decodes it before the next."""
    known = definition(workload)
    start = c.StartInstance("bench", {"id": "bench"}, VARIABLES)

    def run() -> None:
        # `check` has seen that nothing is refused; a refusal has no state.
        state = step(known, State(), start, NOW_MS, NO_FACTS).state  # type: ignore[union-attr]
        while state.status is _OPEN:
            if saved:
                state = decode_state(encode_state(state))
            command = c.CompleteTask(next(iter(state.tasks)), "li")
            state = step(known, state, command, NOW_MS, NO_FACTS).state  # type: ignore[union-attr]
        if saved:
            encode_state(state)

    return run


def opened(answer: Answer) -> int:
    """The token of the task that a command opened, 0 when it opened none."""
    assert isinstance(answer, Accepted), answer
    last = answer.events[-1]
    return last.token if isinstance(last, e.TaskOpened) else 0


class Fixed:
    """The definitions that there are: 1, 2, …."""

    def __init__(self, *known: Definition) -> None:
        self.known = known

    async def get(self, definition: int) -> Definition:
        """The definition with this number."""
        return self.known[definition - 1]


async def closed(runtime: Runtime, database: Database) -> None:
    """Stop in order."""
    await runtime.stop()
    await database.close()


def durable(workload: Workload, instances: int, group: int) -> Spent:
    """`instances` from start to end on SQLite (WAL, FULL), `group` of them at a time, `group` commands to a commit."""
    start = c.StartInstance("bench", {"id": "bench"}, VARIABLES)

    async def wave(runtime: Runtime) -> None:
        requests = [Request(start, "bench", definition=1) for _ in range(group)]
        for _ in range(workload.commands):
            on_the_way = [runtime.submit(request) for request in requests]
            answers = [await answer for answer in on_the_way]
            requests = [Request(c.CompleteTask(opened(answer), "li"), "li", iid=answer.iid) for answer in answers]

    async def work(folder: str) -> Spent:
        database = await open_database(f"sqlite:///{Path(folder) / 'noria.db'}")
        runtime = Runtime(database.store, Fixed(definition(workload)), SystemClock(), lambda _tenant: NO_FACTS)
        await runtime.start()
        await wave(runtime)  # as the peer: the first is not counted

        watch = Stopwatch()
        for _ in range(instances // group):
            await wave(runtime)
        spent = watch.spent()
        done = await database.store.journal_after({}, (instances + group) * workload.commands + 1)
        assert len(done) == (instances + group) * workload.commands
        ended = {
            row.iid for row in done if any(isinstance(event, e.InstanceCompleted) for event in e.decode_events(row.ev))
        }
        assert len(ended) == instances + group
        await closed(runtime, database)
        return spent

    with tempfile.TemporaryDirectory(dir=".") as folder:
        return uvloop.run(work(folder))


Drive = Callable[[Runtime], Awaitable[None]]
"""Has one instance go from its start to its end."""

_START = c.StartInstance("bench", {"id": "bench"}, VARIABLES)


async def approve(runtime: Runtime) -> None:
    """One instance of `approval`: three people, one after another."""
    answer = await runtime.submit(Request(_START, "bench", definition=1))
    while token := opened(answer):
        answer = await runtime.submit(Request(c.CompleteTask(token, "li"), "li", iid=answer.iid))


async def take_steps(runtime: Runtime) -> None:
    """One instance of `steps`: ten jobs, each handed in by a command of its own."""
    answer = await runtime.submit(Request(_START, "bench", definition=1))
    while True:
        assert isinstance(answer, Accepted), answer
        last = answer.events[-1]
        if not isinstance(last, e.JobCreated):
            break
        answer = await runtime.submit(Request(c.CompleteJob(last.token, "worker"), "worker", iid=answer.iid))
    assert isinstance(last, e.InstanceCompleted), last


DRIVES: dict[str, tuple[Workload, Drive]] = {APPROVAL.name: (APPROVAL, approve), STEPS.name: (STEPS, take_steps)}


async def clients_until(runtime: Runtime, drive: Drive, clients: int, until: float) -> int:
    """How many instances so many clients drive to their ends, each one after another, until an instant."""

    async def client() -> int:
        done = 0
        while time.perf_counter() < until:
            await drive(runtime)
            done += 1
        return done

    return sum(await asyncio.gather(*(client() for _ in range(clients))))


async def _closed_loop(url: str, workload: str, clients: int, seconds: float) -> dict[str, float]:
    known, drive = DRIVES[workload]
    database = await open_database(url)
    runtime = Runtime(database.store, Fixed(definition(known)), SystemClock(), lambda _tenant: NO_FACTS)
    await runtime.start()
    settle_memory()
    await clients_until(runtime, drive, clients, time.perf_counter() + seconds / 3)
    print("begin", flush=True)
    watch = Stopwatch()
    instances = await clients_until(runtime, drive, clients, time.perf_counter() + seconds)
    spent = watch.spent()
    await closed(runtime, database)
    return {"instances": instances, "wall": spent.wall, "cpu": spent.cpu}


def closed_loop(url: str, workload: str, clients: int, seconds: float) -> dict[str, float]:
    """A side of `bench.windows`."""
    return uvloop.run(_closed_loop(url, workload, clients, seconds))
