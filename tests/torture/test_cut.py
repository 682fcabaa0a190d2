"""The network is cut between a process and PostgreSQL: the other takes over, and the one comes back, fenced."""

from __future__ import annotations

import pytest

from tests.databases import PostgresServer, missing_postgres, need
from tests.torture.networks import island, missing_namespaces, proxied
from tests.torture.scenarios import cut_network, now_ms
from tests.torture.server import Life
from tests.torture.test_kill import SEED

LEASE_MS = 2_000


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"seed {SEED}")


async def test_a_process_that_is_cut_off_from_postgresql_is_replaced_and_comes_back(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with proxied(postgres_server.port) as proxy:
        near = Life(url=postgres_url, epoch_ms=now_ms(), lease_ms=LEASE_MS)
        far = Life(
            url=postgres_server.through(postgres_url, "127.0.0.1", proxy.port),
            epoch_ms=near.epoch_ms,
            lease_ms=LEASE_MS,
        )
        outcome = await cut_network(proxy, postgres_url, near, far, SEED, 1)
    assert outcome.verdict.holds, outcome.verdict


async def test_a_process_in_a_network_of_its_own_that_is_cut_off_is_replaced_and_comes_back() -> None:
    need(missing_postgres())
    if missing := missing_namespaces():
        pytest.skip(missing)
    with island() as beside:
        server = PostgresServer(host=beside.here)
        try:
            server.start()
            url = await server.take_database()
            near = Life(url=url, epoch_ms=now_ms(), lease_ms=LEASE_MS, peers=f"{beside.here}:0")
            far = Life(
                url=server.through(url, beside.here, server.port),
                epoch_ms=near.epoch_ms,
                lease_ms=LEASE_MS,
                peers=f"{beside.there}:0",
                namespace=beside.file,
            )
            outcome = await cut_network(beside, url, near, far, SEED, 1)
        finally:
            server.close()
    assert outcome.verdict.holds, outcome.verdict
