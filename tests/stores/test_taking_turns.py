"""Who writes to a SQLite file waits for their turn; its log stays short, and leaves the file the room that it needs."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database import sqlite_connections
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.turns import Turn
from noria.operate.ports import StoreFullError, StoreUnavailableError
from tests.house import eventually
from tests.stores.rows import FIRST_EPOCH, a_post
from tests.torture.rooms import Mounted, missing_mount, mounted

LOG_PAGES = 250
"""A megabyte."""
MEGABYTES = 20
PORTION = 100_000


@pytest.fixture
async def database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(sqlite_connections, "LOG_PAGES", LOG_PAGES)
    monkeypatch.setattr(sqlite_connections, "LOG_PAGES_URGENT", 2 * LOG_PAGES)
    opened = await open_database(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
def turn(database: Database) -> Turn:
    """Of the file."""
    return database.store._write_connection._turn  # type: ignore[union-attr]


async def waiting(turn: Turn, count: int) -> None:
    """Until so many wait for their turn."""

    async def there() -> bool:
        return len(turn._urgent) + len(turn._others) == count

    await eventually(there)


async def put(database: Database, name: str, value: str = "x") -> None:
    """Write a setting, whether there is one or not."""
    async with database.writing() as db:
        await db.execute(sa.delete(t.setting).where(t.setting.c.name == name))
        await db.execute(sa.insert(t.setting).values(tenant=1, name=name, value=value))


async def names(database: Database) -> list[str]:
    """Of the settings, in the order they were written."""
    async with database.reading() as db:
        return list((await db.exec_driver_sql("SELECT name FROM setting WHERE tenant = 1 ORDER BY rowid")).scalars())


# Turns


def test_a_turn_is_handed_over_in_the_order_of_asking_and_first_to_who_keeps_people_waiting() -> None:
    turn, served = Turn(), []

    def ask(name: str, urgent: bool) -> None:
        assert turn.take(urgent=urgent)
        served.append(name)
        turn.give()

    assert turn.take(urgent=False)
    asking = []
    for name, urgent in (("page", False), ("notice", False), ("command", True)):
        asking.append(threading.Thread(target=ask, args=(name, urgent)))
        asking[-1].start()
        while len(turn._urgent) + len(turn._others) < len(asking):
            pass
    turn.give()
    for thread in asking:
        thread.join()
    assert served == ["command", "page", "notice"]
    assert turn.take(urgent=False)


def test_who_waits_in_vain_is_told_so_and_is_not_handed_the_turn_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noria.adapters.database.turns.WAIT_S_MAX", 0.001)
    turn = Turn()
    assert turn.take(urgent=False)
    assert not turn.take(urgent=True)
    turn.give()
    assert turn.take(urgent=False)


async def test_a_command_is_written_before_pages_that_came_earlier_and_they_in_their_order(
    database: Database, turn: Turn
) -> None:
    await database.store.own_shards("first")
    done = []

    async def page(name: str) -> None:
        await put(database, name)
        done.append(name)

    async def command() -> None:
        await database.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
        done.append("command")

    async with database.writing() as db:
        await db.execute(sa.insert(t.setting).values(tenant=1, name="before", value="x"))
        asking = []
        for count, work in enumerate((page("first"), page("second"), command()), 1):
            asking.append(asyncio.create_task(work))
            await waiting(turn, count)
    await asyncio.gather(*asking)
    assert await names(database) == ["before", "first", "second"]
    assert done == ["command", "first", "second"]


async def test_who_is_given_up_while_waiting_or_writing_hands_the_turn_on(database: Database, turn: Turn) -> None:
    async def hold(name: str) -> None:
        async with database.writing() as db:
            await db.execute(sa.insert(t.setting).values(tenant=1, name=name, value="x"))
            await asyncio.Event().wait()

    async def began() -> bool:
        return turn._taken

    writing = asyncio.create_task(hold("writing"))
    await eventually(began)
    given_up = asyncio.create_task(put(database, "given up"))
    await waiting(turn, 1)
    last = asyncio.create_task(put(database, "last"))
    await waiting(turn, 2)
    given_up.cancel()
    writing.cancel()
    await asyncio.wait_for(last, 10)
    assert (await asyncio.gather(writing, given_up, return_exceptions=True))[1].__class__ is asyncio.CancelledError
    assert await names(database) == ["last"]
    assert not turn._taken


async def test_who_fails_hands_the_turn_on(database: Database, turn: Turn) -> None:
    async def fail() -> None:
        async with database.writing() as db:
            await db.execute(sa.insert(t.setting).values(tenant=1, name="twice", value="x"))
            await db.execute(sa.insert(t.setting).values(tenant=1, name="twice", value="x"))

    with pytest.raises(sa.exc.IntegrityError):
        await fail()
    assert not turn._taken
    await put(database, "next")
    assert await names(database) == ["next"]


async def test_another_process_that_writes_is_waited_for_and_then_told_of(database: Database, tmp_path: Path) -> None:
    await database.store.own_shards("first")
    await database.store._write(lambda db: db.execute("PRAGMA busy_timeout = 1"))  # type: ignore[union-attr]
    async with database.reading() as db:
        await db.exec_driver_sql("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(tmp_path / "noria.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError):
            await database.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
        with pytest.raises(StoreUnavailableError):
            await put(database, "refused")
        other.execute("ROLLBACK")
    await database.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
    await put(database, "taken")
    assert await names(database) == ["taken"]


# The log


def log_mb(database: Database) -> float:
    return Path(f"{database._path}-wal").stat().st_size / 1e6


def file_mb(database: Database) -> float:
    return Path(str(database._path)).stat().st_size / 1e6


async def write_megabytes(database: Database, megabytes: int = MEGABYTES) -> float:
    """Write the same few values again and again; gives how long the log was."""
    longest = 0.0
    for number in range(megabytes * 10):
        await put(database, f"v{number % 5}", chr(97 + number % 26) * PORTION)
        longest = max(longest, log_mb(database))
    return longest


async def test_the_log_begins_anew_again_and_again_while_readers_come_and_go(database: Database) -> None:
    stop = asyncio.Event()

    async def read() -> int:
        reads = 0
        while not stop.is_set():
            async with database.reading() as db:
                await db.execute(sa.select(sa.func.count()).select_from(t.setting))
                await db.execute(sa.select(sa.func.sum(sa.func.length(t.setting.c.value))))
            reads += 1
        return reads

    reading = [asyncio.create_task(read()) for _ in range(3)]
    longest = await write_megabytes(database)
    stop.set()
    assert min(await asyncio.gather(*reading)) > 1
    assert longest < 3 * LOG_PAGES * 4_096 / 1e6


async def test_a_log_that_grew_while_somebody_read_for_long_gives_its_room_back_afterwards(database: Database) -> None:
    async with database.reading(snapshot=True) as db:
        before = (await db.execute(sa.select(sa.func.count()).select_from(t.setting))).scalar_one()
        assert await write_megabytes(database) > MEGABYTES
        assert (await db.execute(sa.select(sa.func.count()).select_from(t.setting))).scalar_one() == before
    await write_megabytes(database, 2)
    assert log_mb(database) < 3 * LOG_PAGES * 4_096 / 1e6


async def test_most_of_the_log_is_folded_before_it_is_so_long_that_those_who_write_wait_for_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connections, "FOLD_CHANGES", 20)
    database = await open_database(sqlite_url)
    before = file_mb(database)
    for number in range(30):
        await put(database, f"v{number}", "x" * PORTION)
    assert file_mb(database) - before > 1.9
    assert log_mb(database) < 2.5 < sqlite_connections.LOG_PAGES * 4_096 / 1e6
    await database.close()


# A small disk


@pytest.fixture
def room() -> Iterator[Mounted]:
    if missing := missing_mount():
        pytest.skip(missing)
    with mounted(12) as made:
        yield made


@pytest.fixture
async def cramped(room: Mounted) -> AsyncIterator[Database]:
    opened = await open_database(f"sqlite:///{room.folder / 'noria.db'}")
    yield opened
    await opened.close()


async def test_on_a_small_disk_the_log_does_not_take_the_room_that_the_file_needs(cramped: Database) -> None:
    assert await write_megabytes(cramped, 15) < 12 / 2
    for number in range(40):
        await put(cramped, f"kept {number}", "x" * PORTION)
    assert len(await names(cramped)) == 45


async def test_on_a_full_disk_a_command_takes_the_room_of_the_log_before_it_is_refused(
    cramped: Database, room: Mounted
) -> None:
    await cramped.store.own_shards("first")
    await write_megabytes(cramped, 1)
    await cramped.store.fold()  # type: ignore[union-attr]
    await write_megabytes(cramped, 1)
    full_mb = log_mb(cramped)
    room.fill(None)  # type: ignore[arg-type]
    while log_mb(cramped) >= full_mb:
        await cramped.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
        assert len(await cramped.store.outbox(10)) == 1


async def test_on_a_full_disk_whatever_else_is_written_is_refused_once_at_most_while_the_log_has_room_to_give(
    cramped: Database, room: Mounted
) -> None:
    await write_megabytes(cramped, 1)
    await cramped.store.fold()  # type: ignore[union-attr]
    await write_megabytes(cramped, 1)
    room.fill(None)  # type: ignore[arg-type]
    with pytest.raises(StoreFullError):
        await write_megabytes(cramped, 1)
    await put(cramped, "v0")


# Rows


async def test_more_rows_than_come_with_their_statement_all_come_in_order(database: Database) -> None:
    count = 2 * sqlite_connections.FIRST_ROWS + 1
    async with database.writing() as db:
        rows = [{"tenant": 1, "name": f"{number:05}", "value": "x"} for number in range(count)]
        await db.execute(sa.insert(t.setting), rows)
    query = sa.select(t.setting.c.name).where(t.setting.c.tenant == 1).order_by(t.setting.c.name)
    expected = [row["name"] for row in rows]
    async with database.reading() as db:
        assert list((await db.execute(query)).scalars()) == expected
        assert [row async for row in (await db.stream(query)).scalars()] == expected
        assert (await db.execute(query)).scalars().first() == "00000"
        streamed = await db.stream(query)
        assert (await streamed.fetchone())[0] == "00000"  # type: ignore[index]
        await streamed.close()
    await put(database, "last")
    assert len(await names(database)) == count + 1
