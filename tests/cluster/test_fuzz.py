"""Contention: clients ask any process, processes hang, die and join; nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from noria.adapters.database.audit import DatabaseAudit
from noria.engine import commands as c
from noria.kernel.errors import NoriaError
from noria.operate.auditing import verify_audit
from noria.operate.requests import Accepted
from tests.clocks import MovedClock
from tests.cluster.fleet import SHORT_MS, Fleet, Ship
from tests.cluster.test_processes import HOUR_MS, PAID, SHOP, Make
from tests.house import eventually, serial

SEEDS = int(os.environ.get("NORIA_FUZZ_SEEDS", "1"))
CLIENTS = 8
ROUNDS = 5
PATIENCE_S = 5
TRY_AGAIN_S = 0.05
TRIES_MAX = 2_000


class Client:
    """Insists: the same command with the same key, at any process, until it is answered."""

    def __init__(self, fleet: Fleet, dice: random.Random, name: int) -> None:
        self.done: dict[str, tuple[int, int]] = {}
        self._fleet = fleet
        self._dice = dice
        self._name = name

    async def ask(self, key: str, command: c.AnyCommand, iid: int = 0, **given: object) -> int:
        for _ in range(TRIES_MAX):
            ship = self._dice.choice(self._fleet.ships)
            try:
                answer = await asyncio.wait_for(ship.submit(command, iid, key=key, **given), PATIENCE_S)
            except (NoriaError, TimeoutError):
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            assert isinstance(answer, Accepted), answer
            self.done[key] = (answer.iid, answer.version)
            return answer.iid
        raise AssertionError(f"{key} was never answered")

    async def publish(self, key: str, bkey: str) -> None:
        for _ in range(TRIES_MAX):
            ship = self._dice.choice(self._fleet.ships)
            try:
                await asyncio.wait_for(
                    ship.noria.services.workers.publish(SHOP, "paid", bkey, {}, 24 * HOUR_MS, key), PATIENCE_S
                )
            except (NoriaError, TimeoutError):
                await asyncio.sleep(TRY_AGAIN_S)
            else:
                return
        raise AssertionError(f"{key} was never taken")

    async def run(self, stop: asyncio.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{self._name}-{number}"
            start = c.StartInstance("lin", {"id": "lin"}, {}, "" if self._name % 2 else key)
            drawn = serial(1) if self._name % 2 else None
            iid = await self.ask(f"start-{key}", start, definition=1, serial=drawn)
            row = (await self._row(iid)).bkey
            if self._dice.random() < 0.5:
                await self.publish(f"paid-{key}", row)
                await self.ask(f"done-{key}", c.CompleteTask(2, "lin"), iid)
            else:
                await self.ask(f"done-{key}", c.CompleteTask(2, "lin"), iid)
                await self.publish(f"paid-{key}", row)

    async def _row(self, iid: int):
        for _ in range(TRIES_MAX):
            try:
                return (await self._dice.choice(self._fleet.ships).noria.database.store.load([iid]))[iid]
            except NoriaError:
                await asyncio.sleep(TRY_AGAIN_S)
        raise AssertionError("nobody could read")


async def disturb(fleet: Fleet, dice: random.Random) -> None:
    """One of them hangs for longer than its lease, or shorter, or dies, or leaves; another comes."""
    ship = dice.choice(fleet.ships)
    what = dice.random()
    if what < 0.4:
        ship.hang()
        await asyncio.sleep(dice.uniform(0.1, 2 * SHORT_MS / 1000))
        ship.wake()
    elif what < 0.8:
        await fleet.kill(ship)
        await fleet.add()
    else:
        await fleet.stop(ship)
        await fleet.add()


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
async def test_what_clients_were_told_is_what_happened_and_it_happened_once(a_fleet: Make, seed: int) -> None:
    dice = random.Random(seed)
    # Who pauses after a fault goes on after a second: time passes here.
    fleet = a_fleet(lease_ms=SHORT_MS, clock=MovedClock())
    (first,) = await fleet.add()
    await first.deploy(PAID)
    await fleet.add(2)
    stop = asyncio.Event()
    clients = [Client(fleet, dice, name) for name in range(CLIENTS)]
    running = [asyncio.create_task(client.run(stop)) for client in clients]
    for _ in range(ROUNDS):
        await asyncio.sleep(0.3)
        await disturb(fleet, dice)
    stop.set()
    await asyncio.gather(*running)
    await fleet.shared_out()
    ship = fleet.ships[0]
    told = {key: place for client in clients for key, place in client.done.items()}
    started = [key for key in told if key.startswith("start-")]
    assert len(started) > 2 * CLIENTS

    async def all_ended() -> bool:
        rows = await ship.noria.database.store.load([told[key][0] for key in started])
        return all(row.ended for row in rows.values())

    await eventually(all_ended)
    await check(ship, told, started)

    async def nothing_to_deliver() -> bool:
        for one in fleet.ships:
            # A process that hung may have put something down after the last commit.
            one.noria.delivery.nudge()
        return await ship.noria.database.store.outbox(10) == []

    await eventually(nothing_to_deliver)


async def check(ship: Ship, told: dict[str, tuple[int, int]], started: list[str]) -> None:
    store = ship.noria.database.store
    rows = await store.journal_after({}, 1_000_000)
    by_key = {row.key: (row.iid, row.ver) for row in rows if row.key}
    assert len(by_key) == len([row for row in rows if row.key]), "a key is there twice"
    assert {key: by_key[key] for key in told} == told
    # start, completion, message: of each instance three commands, and of no other instance any.
    assert sorted(row.iid for row in rows) == sorted(told[key][0] for key in started for _ in range(3))
    instances = await store.load([told[key][0] for key in started])
    drawn = sorted(row.bkey for row in instances.values() if row.bkey.startswith("CG-"))
    assert drawn == [f"CG-2026-{n:06d}" for n in range(1, len(drawn) + 1)]
    verdict = await verify_audit(DatabaseAudit(ship.noria.database))
    assert (verdict.first_bad, verdict.rows) == ("", len(rows))
