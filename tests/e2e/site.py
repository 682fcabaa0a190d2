"""A real server on loopback with a clock that tests move, and a real browser in front of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import uvicorn
from litestar import Litestar

from noria.adapters.demo import demo_handlers
from noria.adapters.demo.company import DEMO_PASSWORD
from noria.bootstrap import Noria
from noria.engine.events import AnyEvent, decode_events
from tests.beginnings import give_back_app, lend_app
from tests.clocks import MovedClock

PASSWORD = DEMO_PASSWORD


class Site:
    """A running Noria with the demonstration's people and models.

    Args:
        path: the database, with people and models in it.
    """

    def __init__(self, path: Path) -> None:
        self.clock = MovedClock()
        self._database_url = f"sqlite:///{path}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.noria: Noria
        self._app: Litestar
        self._server: uvicorn.Server
        self._serving: asyncio.Task[None]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def start(self) -> None:
        self._thread.start()
        self.run(self._start())

    def restart(self, pause: Callable[[], object]) -> None:
        """Stop the server, do something while it is away, and start it again on the same port."""
        self.run(self._stop())
        pause()
        self.run(self._start())

    async def _start(self) -> None:
        self.noria = await Noria.open(self._database_url, clock=self.clock, handlers=demo_handlers())
        await self.noria.start()
        self._app = lend_app(self.noria.services)
        config = uvicorn.Config(self._app, host="127.0.0.1", port=self.port, log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self.noria.hub.close()
        self._server.should_exit = True
        await self._serving
        await self.noria.close()
        give_back_app(self._app)
        # Let what was cancelled come to its end before the loop goes.
        await asyncio.sleep(0)

    def events(self, iid: int) -> list[AnyEvent]:
        """Everything that the journal holds of an instance, oldest first."""
        return [event for row in self.run(self.noria.database.store.journal_of(iid)) for event in decode_events(row.ev)]

    def instances(self) -> list[int]:
        """All instances."""
        return list(self.run(self._all()))

    async def _all(self) -> list[int]:
        async with self.noria.database.reading() as db:
            return list((await db.execute(sa.text("SELECT iid FROM inst"))).scalars())

    async def _find(self, key: str) -> int:
        async with self.noria.database.reading() as db:
            return int((await db.execute(sa.text("SELECT iid FROM inst WHERE bkey = :key"), {"key": key})).scalar_one())

    def instance(self, business_key: str) -> int:
        """The id of an instance by the number that people know."""
        return int(self.run(self._find(business_key)))


class Client:
    """A person at the REST interface, for what a test needs to have happened before its page is opened."""

    def __init__(self, site: Site, person: str) -> None:
        self._http = httpx.Client(base_url=f"{site.url}/api", trust_env=False, timeout=30)
        self._http.headers["X-CSRF-Token"] = self.post("/session", username=person, password=PASSWORD)["csrf_token"]

    def get(self, path: str, **query: object) -> Any:
        """The answer of a GET."""
        return self._answer(self._http.get(path, params=query))  # type: ignore[arg-type]

    def post(self, path: str, **body: object) -> Any:
        """The answer of a POST."""
        return self._answer(self._http.post(path, json=body))

    def put(self, path: str, **body: object) -> Any:
        """The answer of a PUT."""
        return self._answer(self._http.put(path, json=body))

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def request_purchase(self, **changes: object) -> Mapping[str, Any]:
        """Hand in a purchase request; gives the instance."""
        return self.post("/instances", process="purchase", variables={**REQUEST, **changes})

    def deploy(self, files: Mapping[str, bytes]) -> Any:
        """Deploy files together; gives the deployment."""
        parts = [("files", (name, content)) for name, content in files.items()]
        return self._answer(self._http.post("/deployments", files=parts))

    def task_of(self, key: str, box: str = "mine") -> Mapping[str, Any]:
        """The open task of a request in one of the person's boxes."""
        return next(task for task in self.get("/tasks", box=box)["items"] if task["business_key"] == key)

    def complete(self, key: str, box: str = "mine", **variables: object) -> None:
        """Claim the open task of a request when it is the group's, and complete it."""
        task = self.task_of(key, box)
        if box == "group":
            self.post(f"/tasks/{task['id']}/claim", version=task["version"])
            task = self.task_of(key)
        self.post(f"/tasks/{task['id']}/complete", version=task["version"], variables=variables)


REQUEST = {
    "title": "深沟球轴承",
    "category": "material",
    "supplier": "上海精工轴承有限公司",
    "needed_on": "2027-03-20",
    "amount": 68400,
    "lines": [{"item": "轴承 6204", "quantity": 400, "price": 171}],
    "reason": "产线备件",
}


WHOLE = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
"""Browsers with everything around the engine, as notices and subscriptions."""
ENGINE = ("/usr/bin/chromium-headless-shell", *WHOLE)
"""The engine without what is around it, if there is one: a profile with a page costs a third of the processor time."""


def installed(browsers: Iterable[str]) -> str | None:
    """The first of them that is there."""
    return next((path for path in browsers if Path(path).exists()), None)
