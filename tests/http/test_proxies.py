"""Behind a proxy it counts who asked the proxy, and how; whoever else says so is not believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import uvicorn

from noria.adapters.demo.company import DEMO_PASSWORD
from noria.adapters.http.connection import Connection
from tests.http.house import House

SAID = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9"}
PROXY = "127.0.0.1"
Visit = Callable[..., Awaitable[tuple[str, str]]]


@pytest.fixture
async def visit(house: House) -> AsyncIterator[Visit]:
    """Sign in from an address, with headers; gives the cookie, and the address that the audit trail has."""
    clients: list[httpx.AsyncClient] = []

    async def visited(address: str, headers: dict[str, str]) -> tuple[str, str]:
        config = uvicorn.Config(house.app, http=Connection)
        config.load()
        transport = httpx.ASGITransport(config.loaded_app, client=(address, 40_000))
        client = httpx.AsyncClient(transport=transport, base_url="http://noria.test", headers=headers)
        clients.append(client)
        answer = await client.post("/api/session", json={"username": "lin", "password": DEMO_PASSWORD})
        assert answer.status_code == 201, answer.text
        auditor = await house.sign_in("qian")
        newest = (await auditor.get("/audit", actor="lin")).json()["items"][0]
        return answer.headers["set-cookie"], newest["address"]

    yield visited
    for client in clients:
        await client.aclose()


async def test_a_proxy_is_believed_who_the_client_is_and_that_its_way_was_safe(visit: Visit) -> None:
    cookie, address = await visit(PROXY, SAID)
    assert cookie.startswith("__Host-")
    assert "; Secure" in cookie
    assert address == "198.51.100.9"


async def test_somebody_else_is_not(visit: Visit) -> None:
    cookie, address = await visit("203.0.113.7", SAID)
    assert not cookie.startswith("__Host-")
    assert address == "203.0.113.7"


async def test_a_request_that_nobody_passed_on_is_as_it_came(visit: Visit) -> None:
    cookie, address = await visit(PROXY, {})
    assert not cookie.startswith("__Host-")
    assert address == PROXY


async def test_a_proxy_on_another_machine_is_believed_where_that_is_set(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.4")
    assert (await visit("192.0.2.4", SAID))[1] == "198.51.100.9"
