"""A server that is made to be killed: Noria whole, on a quick clock, taking commands line by line from its parent.

Each line in is a JSON request; each line out is its answer, written only after the commit. The clock is many times
faster than the wall's and goes on over restarts. The process is forked from one that has imported everything, so that
the time goes into work and kills.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import socket
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from noria.bootstrap import PEERS, TENANT, Noria
from noria.engine import commands as c
from noria.kernel.errors import NoriaError, Rejected
from noria.kernel.instants import DAY_MS, InstantMs
from noria.operate.leases import LEASE_MS
from noria.operate.office import Caller
from noria.operate.requests import Origin, Request, SerialDraw
from noria.operate.views import JobView
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from tests.scenarios.drawing import draw

SPEED = 100
CLONE_NEWNET = 0x40000000
"""Of Linux: a namespace of the network."""
MAIN = """
startEvent start
userTask work assignee=lin dueIn=PT5S
serviceTask order topic=order
receiveTask payment message=paid correlation="= business_key"
intermediateCatchEvent pause timer=PT20S
callActivity call called=part
intermediateThrowEvent tell message=done correlation="= business_key"
endEvent end
start -> work -> order -> payment -> pause -> call -> tell -> end
"""
PART = """
startEvent start
serviceTask order topic=order
endEvent end
start -> order -> end
"""
TOLD = """
startEvent start message=done
scriptTask count script="= 1" resultVariable=one
endEvent end
start -> count -> end
"""
PUBLISHER = Caller(
    Principal("shop", TENANT, frozenset({Permission.MESSAGES})), Person("shop", "shop", "shop"), Origin("api")
)


class QuickClock:
    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ms = epoch_ms

    def now_ms(self) -> InstantMs:
        return InstantMs(self._epoch_ms + (time.time_ns() // 1_000_000 - self._epoch_ms) * SPEED)

    async def sleep_until(self, instant_ms: int) -> None:
        await asyncio.sleep(max(0.0, (instant_ms - self.now_ms()) / SPEED / 1000))


class Ask(msgspec.Struct, kw_only=True):
    """One request: `do` is "start", "complete" or "publish"; `number` comes back with the answer."""

    number: int
    do: str
    key: str = ""
    iid: int = 0
    bkey: str = ""


class Told(msgspec.Struct, kw_only=True):
    """Its answer; `error` is "" for an accepted command."""

    number: int
    iid: int = 0
    version: int = 0
    bkey: str = ""
    error: str = ""


async def order(job: JobView) -> Mapping[str, object]:
    return {"ordered": job.idempotency_key}


async def answer(noria: Noria, ask: Ask, load_bytes: int = 0) -> Told:
    if ask.do == "publish":
        await noria.services.workers.publish(PUBLISHER, "paid", ask.bkey, {}, 30 * DAY_MS, ask.key)
        return Told(number=ask.number)
    if ask.do == "start":
        definition = noria.catalogue.find(TENANT, "main")
        assert definition is not None
        request = Request(
            c.StartInstance("lin", {"id": "lin"}, {"load": "x" * load_bytes}),
            "lin",
            definition=definition.id,
            key=ask.key,
            serial=SerialDraw("main", "2026", "CG-{year}-{number:06d}", 2026),
        )
    else:
        request = Request(c.CompleteTask(2, "lin"), "lin", iid=ask.iid, key=ask.key)
    given = await noria.runtime.submit(request)
    if isinstance(given, Rejected):
        return Told(number=ask.number, error=given.code)
    held = await noria.runtime.instance(given.iid)
    assert held is not None
    return Told(number=ask.number, iid=given.iid, version=given.version, bkey=held.row.bkey)


class Life(msgspec.Struct, kw_only=True):
    """How a server lives.

    Attributes:
        url: of the database.
        epoch_ms: when its clock showed the wall's time.
        peers: where the others reach it.
        lease_ms: how long the others wait for a sign of life.
        load_bytes: what each request carries.
        namespace: file of the network namespace that it lives in, "" for its parent's.
    """

    url: str
    epoch_ms: int
    peers: str = PEERS
    lease_ms: int = LEASE_MS
    load_bytes: int = 0
    namespace: str = ""


async def begin(life: Life) -> Noria:
    """A Noria that works, with the models deployed."""
    noria = await Noria.open(
        life.url,
        clock=QuickClock(life.epoch_ms),
        handlers={"order": order},
        peers=life.peers,
        lease_ms=life.lease_ms,
    )
    if not noria.catalogue.rows(TENANT):
        files = {f"{key}.bpmn": draw(text.splitlines(), key) for key, text in (("main", MAIN), ("part", PART))}
        files["told.bpmn"] = draw(TOLD.splitlines(), "told")
        made = await noria.catalogue.deploy(TENANT, "he", files, noria.clock.now_ms(), noria.facts(TENANT))
        assert made.id, made.findings
    await noria.start()
    return noria


async def serve(life: Life, parent: socket.socket) -> None:
    noria = await begin(life)
    lines, answers = await asyncio.open_connection(sock=parent)

    def say(told: Told) -> None:
        answers.write(msgspec.json.encode(told) + b"\n")

    async def work(ask: Ask) -> None:
        try:
            say(await answer(noria, ask, life.load_bytes))
        except NoriaError as error:
            say(Told(number=ask.number, error=error.code))

    say(Told(number=0))
    tasks: set[asyncio.Task[None]] = set()
    while line := await lines.readline():
        task = asyncio.create_task(work(msgspec.json.decode(line, type=Ask)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    await noria.close()


def enter(namespace: str) -> None:
    """Live in a network namespace from now on."""
    with Path(namespace).open() as file:
        # Python has this from 3.12 on.
        assert ctypes.CDLL(None).setns(file.fileno(), CLONE_NEWNET) == 0


def run(life: Life, parent: Connection) -> None:
    """The whole life of the process: it ends when its parent says nothing more."""
    logging.basicConfig(level=logging.ERROR)
    if life.namespace:
        enter(life.namespace)
    asyncio.run(serve(life, socket.socket(fileno=os.dup(parent.fileno()))))


FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload([__name__])
