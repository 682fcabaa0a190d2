"""The disk is full, and has room again: commands are refused meanwhile, and nothing that was accepted is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import PostgresServer, missing_postgres, need
from tests.torture.rooms import Limited, missing_mount, mounted
from tests.torture.scenarios import REFUSED, fill_disk
from tests.torture.test_kill import SEED


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"seed {SEED}")


async def test_a_full_disk_under_sqlite_loses_nothing_and_work_goes_on_when_there_is_room() -> None:
    if missing := missing_mount():
        pytest.skip(missing)
    with mounted(64) as room:
        outcome = await fill_disk(room, f"sqlite:///{room.folder / 'noria.db'}", SEED, 3)
    assert outcome.verdict.holds, outcome.verdict
    assert outcome.seen[REFUSED.format("store.full")] > 0


async def test_writes_that_fail_under_sqlite_lose_nothing_and_work_goes_on_when_they_do_not(tmp_path: Path) -> None:
    outcome = await fill_disk(Limited(), f"sqlite:///{tmp_path / 'noria.db'}", SEED, 3)
    assert outcome.verdict.holds, outcome.verdict
    assert outcome.seen[REFUSED.format("store.unavailable")] > 0


async def test_a_full_disk_under_postgresql_loses_nothing_and_work_goes_on_when_there_is_room() -> None:
    need(missing_postgres())
    if missing := missing_mount():
        pytest.skip(missing)
    with mounted(180) as room:
        server = PostgresServer(within=room.folder)
        try:
            server.start()
            outcome = await fill_disk(room, await server.take_database(), SEED, 2, 2, server)
        finally:
            server.close()
    assert outcome.verdict.holds, outcome.verdict
