"""A real server on loopback with a clock that tests move, and a real browser in front of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn

from noria.adapters.demo import demo_handlers
from noria.adapters.demo.company import DEMO_PASSWORD, DEMO_TENANT, PEOPLE, UNITS
from noria.adapters.demo.seeding import example_files
from noria.adapters.http.app import create_app
from noria.bootstrap import Noria
from tests.clocks import MovedClock

PASSWORD = DEMO_PASSWORD


class Site:
    """A running Noria with the demonstration's people and models, but without its past."""

    def __init__(self, url: str) -> None:
        self.clock = MovedClock()
        self._database_url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.noria: Noria
        self._server: uvicorn.Server
        self._serving: asyncio.Task[None]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def start(self) -> None:
        self._thread.start()
        self.run(self._start())

    async def _start(self) -> None:
        self.noria = await Noria.open(self._database_url, clock=self.clock, handlers=demo_handlers())
        if not self.noria.catalogue.rows(DEMO_TENANT):
            now_ms = self.clock.now_ms()
            await self.noria.people.put(DEMO_TENANT, list(PEOPLE), list(UNITS), now_ms)
            for person in PEOPLE:
                await self.noria.services.accounts.set_password(DEMO_TENANT, person.id, PASSWORD, now_ms)
            facts = self.noria.facts(DEMO_TENANT)
            await self.noria.catalogue.deploy(DEMO_TENANT, "he", example_files(), now_ms, facts)
        await self.noria.start()
        config = uvicorn.Config(
            create_app(self.noria.services), host="127.0.0.1", port=self.port, log_level="warning", access_log=False
        )
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

    async def _find(self, key: str) -> int:
        async with self.noria.database.reading() as db:
            return int((await db.execute(sa.text("SELECT iid FROM inst WHERE bkey = :key"), {"key": key})).scalar_one())

    def instance(self, business_key: str) -> int:
        """The id of an instance by the number that people know."""
        return int(self.run(self._find(business_key)))


def chromium() -> str | None:
    """The browser, None when there is none."""
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            return path
    return None
