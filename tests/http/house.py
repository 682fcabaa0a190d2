"""A running Noria behind its HTTP interface, called in process, and people who are signed in to it."""

from __future__ import annotations

from typing import Any

import httpx

from noria.adapters.demo import demo_handlers
from noria.adapters.demo.company import DEMO_PASSWORD
from noria.bootstrap import Noria
from noria.trust.people import Person
from tests.beginnings import give_back_app, lend_app
from tests.clocks import MovedClock

PURCHASE: dict[str, object] = {
    "title": "深沟球轴承",
    "category": "material",
    "supplier": "上海精工轴承有限公司",
    "needed_on": "2026-12-20",
    "amount": 800,
    "lines": [{"item": "轴承 6204", "quantity": 4, "price": 200}],
}
WORKER = Person("robot", "robot", "订单机器人", "it", roles=("worker",))
GUEST = Person("guest", "guest", "访客", "it")


class Client:
    """One person's connection: keeps the cookie, shows the token."""

    def __init__(self, http: httpx.AsyncClient, csrf: str) -> None:
        self.http = http
        self.csrf = csrf

    async def get(self, path: str, **query: object) -> httpx.Response:
        return await self.http.get(f"/api{path}", params=query or None)

    async def post(self, path: str, body: object = None, *, key: str = "") -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf, **({"Idempotency-Key": key} if key else {})}
        return await self.http.post(f"/api{path}", json=body if body is not None else {}, headers=headers)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return await self.http.request(method, f"/api{path}", headers=headers, **options)

    async def start(self, **changes: object) -> dict[str, Any]:
        """Start a purchase; gives the instance."""
        answer = await self.post("/instances", {"process": "purchase", "variables": {**PURCHASE, **changes}})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def task(self, box: str = "mine") -> dict[str, Any]:
        """The first task of a box."""
        answer = await self.get("/tasks", box=box)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["items"][0])

    async def complete(self, box: str = "mine", **variables: object) -> httpx.Response:
        """Complete the first task of a box."""
        return await self.post(f"/tasks/{(await self.task(box))['id']}/complete", {"variables": variables})


class House:
    """The server and its people."""

    def __init__(self, noria: Noria, clock: MovedClock) -> None:
        self.noria = noria
        self.clock = clock
        self.app = lend_app(noria.services)
        self._clients: list[httpx.AsyncClient] = []

    @classmethod
    async def open(cls, url: str) -> House:
        return await cls.with_clock(url, MovedClock())

    @classmethod
    async def with_clock(cls, url: str, clock: Any) -> Any:
        noria = await Noria.open(url, clock=clock, handlers=demo_handlers())
        await noria.start()
        return cls(noria, clock)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.noria.close()
        give_back_app(self.app)

    def browser(self) -> httpx.AsyncClient:
        """A client that nobody has signed in with."""
        transport = httpx.ASGITransport(app=self.app, client=("203.0.113.7", 40_000))  # type: ignore[arg-type]
        client = httpx.AsyncClient(transport=transport, base_url="http://noria.test", headers={"User-Agent": "Tests/1"})
        self._clients.append(client)
        return client

    async def sign_in(self, person: str, password: str = DEMO_PASSWORD) -> Client:
        http = self.browser()
        answer = await http.post("/api/session", json={"username": person, "password": password})
        assert answer.status_code == 201, answer.text
        return Client(http, answer.json()["csrf_token"])
