"""kill -9 at random moments, again and again: nothing accepted is lost, nothing is done twice.

NORIA_TORTURE_KILLS says how often something is killed, NORIA_TORTURE_SEED makes the moments those of an earlier run.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.databases import PostgresServer
from tests.torture.scenarios import PROCESSES, TORN, kill_postgres, kill_servers

KILLS = int(os.environ.get("NORIA_TORTURE_KILLS", "6"))
SEED = int(os.environ.get("NORIA_TORTURE_SEED", "0")) or random.randrange(1, 2**31)


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"seed {SEED}")


async def test_a_server_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(database_url: str) -> None:
    outcome = await kill_servers(database_url, SEED, KILLS)
    assert outcome.verdict.holds, outcome.verdict
    assert outcome.seen[TORN] > KILLS, "no kill hit a command on its way; the test shows nothing"


async def test_four_processes_that_are_killed_one_by_one_lose_nothing_and_double_nothing(postgres_url: str) -> None:
    outcome = await kill_servers(postgres_url, SEED, max(KILLS // 2, 1), PROCESSES)
    assert outcome.verdict.holds, outcome.verdict


@pytest.mark.parametrize("processes", [1, 2])
async def test_servers_get_over_kills_of_postgresql_by_themselves_and_lose_nothing_and_double_nothing(
    postgres_server: PostgresServer, postgres_url: str, processes: int
) -> None:
    outcome = await kill_postgres(postgres_server, postgres_url, SEED, max(KILLS // 2, 1), processes)
    assert outcome.verdict.holds, outcome.verdict
