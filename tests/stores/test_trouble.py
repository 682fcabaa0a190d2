"""The database goes away and comes back; its disk is full and has room again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.opening import open_database
from noria.adapters.http.app import create_app
from noria.engine import commands as c
from noria.kernel.instants import HOUR_MS
from noria.operate.auditing import verify_audit
from noria.operate.office import Caller
from noria.operate.ports import StaleOwnerError, StoreFullError, StoreUnavailableError
from noria.operate.requests import Accepted, Origin
from noria.trust.audit import AuditRecord
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from tests.databases import PostgresServer
from tests.house import TENANT, House, eventually
from tests.stores.rows import FIRST_EPOCH, a_post

MODEL = """
startEvent start
userTask work assignee=lin dueIn=PT10H
serviceTask order topic=order
intermediateThrowEvent tell message=done correlation="= business_key"
endEvent end
start -> work -> order -> tell -> end
"""
RECEIVER = """
startEvent start message=done
endEvent end
start -> end
"""
SHOP = Caller(
    Principal("shop", TENANT, frozenset({Permission.MESSAGES})), Person("shop", "shop", "shop"), Origin("api")
)
PASSWORD = "rolling-wheels-3"  # noqa: S105 - of a test's own account


async def order(_job: object) -> dict[str, object]:
    return {}


@pytest.fixture
async def house(postgres_url: str, postgres_server: PostgresServer) -> AsyncIterator[House]:
    opened = await House.open(postgres_url, handlers={"order": order})
    await opened.deploy(MODEL, RECEIVER)
    yield opened
    if not postgres_server.running:
        postgres_server.start()
    await opened.down()


async def insist(submit: Callable[[], object]) -> Accepted:
    """What a client does: the same command with the same key until it is answered."""
    while True:
        try:
            answer = await submit()  # type: ignore[misc]
        except (StoreUnavailableError, StaleOwnerError):
            await asyncio.sleep(0.05)
        else:
            assert isinstance(answer, Accepted), answer
            return answer


async def background(house: House) -> set[str]:
    """Names of the loops that are alive."""
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("noria-")}


LOOPS = {
    "noria-batches",
    "noria-deadlines",
    "noria-delivery",
    "noria-following",
    "noria-loads",
    "noria-projector",
    "noria-runtime",
    "noria-sender",
    "noria-start-timers",
    "noria-timers",
    "noria-worker",
}


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT])
async def test_commands_that_come_while_the_server_is_away_are_answered_when_it_is_back(
    house: House, postgres_server: PostgresServer, how: signal.Signals
) -> None:
    stop = asyncio.Event()
    answers: dict[str, Accepted] = {}

    async def client(name: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{name}-{number}"
            command = c.StartInstance("lin", {"id": "lin"}, {}, key)
            made = await insist(lambda: house.submit(command, definition=1, key=f"start-{key}"))  # noqa: B023
            token = 2
            done = c.CompleteTask(token, "lin")
            await insist(lambda: house.submit(done, made.iid, key=f"done-{key}"))  # noqa: B023
            answers[key] = made

    clients = [asyncio.create_task(client(name)) for name in range(5)]
    for _ in range(2):
        before = len(answers)

        async def moves() -> bool:
            return len(answers) > before + 20  # noqa: B023

        await eventually(moves)
        await asyncio.to_thread(postgres_server.stop, how)
        with pytest.raises(StoreUnavailableError):
            await house.store.next_timer()
        await asyncio.to_thread(postgres_server.start)
        await eventually(moves)
    stop.set()
    await asyncio.gather(*clients)

    assert await background(house) == {*LOOPS, "noria-leases"}
    house.clock.instant += 60_000  # leases of jobs whose worker lost its connection run out

    async def all_ended() -> bool:
        house.clock.instant += 1_000
        rows = await house.store.load([answer.iid for answer in answers.values()])
        return all(row.status == 1 for row in rows.values())

    await eventually(all_ended)
    rows = await house.store.journal_after({}, 100_000)
    starts = [row.key for row in rows if row.key.startswith("start-")]
    assert len(starts) == len(set(starts))
    assert {f"start-{key}" for key in answers} <= set(starts)

    async def all_told() -> bool:
        house.clock.instant += 1_000
        return await house.store.outbox(1) == []

    await eventually(all_told)
    rows = await house.store.journal_after({}, 100_000)
    received = [row for row in rows if row.key.startswith("message:")]
    assert len(received) == len({row.key for row in received}) == len(starts)
    verdict = await verify_audit(DatabaseAudit(house.noria.database))
    assert (verdict.first_bad, verdict.reason) == ("", "")


async def test_timers_and_figures_go_on_by_themselves_when_the_server_is_back(
    house: House, postgres_server: PostgresServer
) -> None:
    iid = await house.start()
    await asyncio.to_thread(postgres_server.stop, signal.SIGQUIT)
    house.clock.instant += 9 * HOUR_MS
    for _ in range(20):
        house.clock.instant += 1_000
        await asyncio.sleep(0.01)
    await asyncio.to_thread(postgres_server.start)

    async def reminded() -> bool:
        house.clock.instant += 1_000
        return len(await house.store.journal_of(iid)) == 2

    await eventually(reminded)

    async def folded() -> bool:
        house.clock.instant += 1_000
        async with house.noria.database.reading() as db:
            rows = await db.exec_driver_sql("SELECT sum(seq) FROM cursor WHERE consumer = 'board'")
            return rows.scalar_one() == 2

    await eventually(folded)
    assert await background(house) == {*LOOPS, "noria-leases"}


async def test_everything_beside_the_hot_path_says_that_the_database_is_away(
    house: House, postgres_server: PostgresServer
) -> None:
    noria = house.noria
    await noria.people.put(TENANT, [Person("lin", "lin", "林晓")], [], 1)
    await asyncio.to_thread(postgres_server.stop, signal.SIGQUIT)
    record = AuditRecord(TENANT, 1, "lin", "session.sign_in", "person", "lin")
    for ask in (
        lambda: noria.people.credential(TENANT, "lin"),
        lambda: noria.people.put(TENANT, [Person("lin", "lin", "林")], [], 1),
        lambda: noria.audit.record(record),
        noria.audit.shards,
        noria.catalogue_store.definitions,
        noria.projector.catch_up,
    ):
        with pytest.raises(StoreUnavailableError):
            await ask()
    await asyncio.to_thread(postgres_server.start)
    await noria.audit.record(record)
    assert (await noria.audit.chain_head())[0] == 1


async def test_a_browser_is_told_503_while_the_database_is_away_and_served_afterwards(
    house: House, postgres_server: PostgresServer
) -> None:
    noria = house.noria
    await noria.people.put(TENANT, [Person("lin", "lin", "林晓", roles=("employee",))], [], 1)
    await noria.services.accounts.set_password(TENANT, "lin", PASSWORD, house.clock.now_ms())
    transport = httpx.ASGITransport(create_app(noria.services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        sign_in = {"username": "lin", "password": PASSWORD}
        assert (await browser.post("/api/session", json=sign_in)).status_code in (200, 201)
        assert (await browser.get("/api/tasks")).status_code == 200
        await asyncio.to_thread(postgres_server.stop, signal.SIGQUIT)
        away = await browser.get("/api/tasks")
        assert (away.status_code, away.json()["code"]) == (503, "store.unavailable")
        assert away.headers["retry-after"] == "1"
        await asyncio.to_thread(postgres_server.start)
        assert (await browser.get("/api/tasks")).status_code == 200


# A full disk


@pytest.fixture
async def small(sqlite_url: str) -> AsyncIterator[House]:
    opened = await House.open(sqlite_url, handlers={"order": order})
    await opened.deploy(MODEL, RECEIVER)
    yield opened
    await opened.down()


async def room(house: House, pages: int | None) -> None:
    """Give the file only as many more pages as said: SQLite then refuses as on a full disk; None lifts the limit."""

    def limit(db: sqlite3.Connection) -> None:
        used = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {2**31 - 2 if pages is None else used + pages}")

    await house.noria.database.store._write(limit)


async def test_on_a_full_disk_commands_are_refused_clearly_and_change_nothing(small: House, tmp_path: Path) -> None:
    iid = await small.start(business_key="A1")
    await small.quiet()
    await room(small, 0)
    before = (await small.store.load([iid]), await small.store.journal_after({}, 1_000))
    big = c.StartInstance("lin", {"id": "lin"}, {"note": "x" * 50_000})
    with pytest.raises(StoreFullError):
        await small.submit(big, definition=1, key="big")
    assert (await small.store.load([iid]), await small.store.journal_after({}, 1_000)) == before
    assert await small.store.answers(["big"]) == {}

    await room(small, None)
    answer = await small.submit(big, definition=1, key="big")
    assert isinstance(answer, Accepted)
    assert not answer.repeated
    assert isinstance(await small.complete(iid, "work"), Accepted)
    await small.ends(iid)
    verdict = await verify_audit(DatabaseAudit(small.noria.database))
    assert (verdict.first_bad, verdict.reason) == ("", "")
    with sqlite3.connect(tmp_path / "noria.db") as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


async def test_a_browser_is_told_507_while_the_disk_is_full_and_served_afterwards(small: House) -> None:
    noria = small.noria
    await noria.people.put(TENANT, [Person("lin", "lin", "林晓", roles=("employee",))], [], 1)
    await noria.services.accounts.set_password(TENANT, "lin", PASSWORD, small.clock.now_ms())
    transport = httpx.ASGITransport(create_app(noria.services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        signed_in = await browser.post("/api/session", json={"username": "lin", "password": PASSWORD})
        proof = {"X-CSRF-Token": signed_in.json()["csrf_token"]}
        await small.start()
        await small.quiet()
        await room(small, 0)
        done = {"variables": {"note": "x" * 50_000}}
        (task,) = (await browser.get("/api/tasks")).json()["items"]
        complete = lambda: browser.post(f"/api/tasks/{task['id']}/complete", json=done, headers=proof)  # noqa: E731
        full = await complete()
        assert (full.status_code, full.json()["code"]) == (507, "store.full")
        assert (await browser.get("/api/tasks")).status_code == 200
        await room(small, None)
        assert (await complete()).status_code == 200


async def test_on_a_full_disk_the_background_work_waits_and_goes_on_when_there_is_room(small: House) -> None:
    iids = [await small.start(note="x" * 3_000) for _ in range(3)]
    await small.quiet()
    await room(small, 0)
    small.clock.instant += 9 * HOUR_MS
    for _ in range(10):
        small.clock.instant += 1_000
        await asyncio.sleep(0.01)
    await room(small, None)

    async def reminded() -> bool:
        small.clock.instant += 1_000
        return [len(await small.store.journal_of(iid)) for iid in iids] == [2, 2, 2]

    await eventually(reminded)
    assert await background(small) == LOOPS


async def test_who_sends_a_message_that_cannot_be_delivered_now_is_told_so_and_it_is_delivered_later(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_given: object) -> None:
        raise StoreFullError("There is no room.")

    publish = lambda: small.noria.services.workers.publish(SHOP, "done", "A1", {}, HOUR_MS, "k1")  # noqa: E731
    await small.quiet()
    with monkeypatch.context() as trouble:
        trouble.setattr(small.store, "outbox", full)
        with pytest.raises(StoreFullError):
            await asyncio.wait_for(publish(), 5)
    small.clock.instant += 1_000
    await asyncio.wait_for(publish(), 5)
    assert [row.key[:8] for row in await small.store.journal_after({}, 10)] == ["message:"]


# Work that is given up half-way


async def test_a_write_that_is_given_up_half_way_locks_nobody_out(database_url: str) -> None:
    database = await open_database(database_url)
    await database.store.own_shards("first")
    shuffled = random.Random(7)

    async def write(number: int) -> None:
        async with database.writing() as db:
            await db.execute(sa.insert(t.setting).values(tenant=1, name=f"s{number}", value="x"))
            await db.execute(sa.select(t.setting))

    for number in range(60):
        writing = asyncio.create_task(write(number))
        await asyncio.sleep(shuffled.uniform(0, 0.015))
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await asyncio.wait_for(database.store.put_outbox(a_post(1, number), FIRST_EPOCH), 5)
    assert len(await database.store.outbox(100)) == 60
    await database.close()
