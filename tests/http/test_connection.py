"""An answer leaves in as few writes as it can, and always whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from noria.adapters.http.connection import HELD_BYTES_MAX, KEEP_ALIVE_S, WHOLE, Connection, Gathering


class Wire:
    """A transport that remembers what is done with it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def get_extra_info(self, _name: str) -> None:
        return None

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def gathering(wire: Wire) -> Any:
    return Gathering(cast("asyncio.Transport", wire))


async def test_head_and_body_leave_in_one_write(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"head ")
    gathering.write(b"body")
    assert wire.done == []
    await asyncio.sleep(0)
    assert wire.done == [b"head body"]


async def test_what_comes_later_leaves_later_and_in_order(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"head")
    await asyncio.sleep(0)
    gathering.write(b"event 1 ")
    gathering.write(b"event 2")
    await asyncio.sleep(0)
    assert wire.done == [b"head", b"event 1 event 2"]


async def test_much_is_not_held_but_written_at_once(wire: Wire, gathering: Gathering) -> None:
    chunk = b"x" * (HELD_BYTES_MAX - 4)
    gathering.write(b"head")
    gathering.write(chunk)
    assert wire.done == [b"head" + chunk]
    gathering.write(b"tail")
    await asyncio.sleep(0)
    assert wire.done == [b"head" + chunk, b"tail"]


async def test_whoever_closes_has_sent_everything_before(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"last words")
    gathering.close()
    await asyncio.sleep(0)
    assert wire.done == [b"last words", "closed"]
    assert gathering.is_closing()


async def test_what_is_whole_is_written_at_once_behind_what_is_held(wire: Wire, gathering: Gathering) -> None:
    gathering.write_whole(b"first")
    gathering.write(b" second")
    gathering.write_whole(b" third")
    assert wire.done == [b"first"]
    await asyncio.sleep(0)
    assert wire.done == [b"first", b" second third"]


ANSWER = b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 4\r\n\r\n"


class StillLoop:
    """An event loop whose clock is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio.get_running_loop(), name)

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Any:
        self.timers.append((self.now_s + delay_s, callback))
        return self

    def cancel(self) -> None:
        self.cancelled += 1

    def pass_by(self, seconds: float) -> None:
        self.now_s += seconds
        due = [callback for at_s, callback in self.timers if at_s <= self.now_s]
        self.timers = [timer for timer in self.timers if timer[0] > self.now_s]
        for callback in due:
            callback()


class Served:
    """A client's connection to an application that says what its path was, whole if it can."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.could: list[bool] = []
        self.free: dict[str, asyncio.Event] = {}
        config = uvicorn.Config(
            self._app, interface="asgi3", http=Connection, timeout_keep_alive=KEEP_ALIVE_S, access_log=False
        )
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        self.connection = Connection(config, state, {})
        self.clock = StillLoop()
        self.connection.loop = cast("asyncio.AbstractEventLoop", self.clock)
        self.connection.connection_made(cast("asyncio.Transport", wire))

    async def _app(self, scope: Any, _receive: Any, send: Any) -> None:
        path = scope["path"]
        if path in self.free:
            await self.free[path].wait()
        body = path.encode()
        whole = scope["extensions"][WHOLE]["write"](scope, 200, b"content-length: %d\r\n\r\n%b" % (len(body), body))
        self.could.append(whole)
        if not whole:
            headers = [(b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})

    async def ask(self, *paths: str, version: str = "1.1", headers: str = "") -> bytes:
        """Send requests in one piece; gives what has been written when nothing moves any more."""
        asked = "".join(f"GET {path} HTTP/{version}\r\nHost: noria\r\n{headers}\r\n" for path in paths)
        self.connection.data_received(asked.encode())
        return await self.settled()

    async def settled(self) -> bytes:
        for _ in range(20):
            await asyncio.sleep(0)
        done, self.wire.done = self.wire.done, []
        return b"".join(item if isinstance(item, bytes) else item.encode() for item in done)


@pytest.fixture
async def served(wire: Wire) -> Served:
    return Served(wire)


async def test_a_whole_answer_has_what_the_server_adds_to_every_one(served: Served) -> None:
    assert await served.ask("/one") == ANSWER + b"/one"
    assert served.could == [True]


@pytest.mark.parametrize(("version", "headers"), [("1.0", ""), ("1.1", "Connection: close\r\n")])
async def test_who_does_not_keep_the_connection_is_answered_in_the_usual_way(
    served: Served, version: str, headers: str
) -> None:
    answer = await served.ask("/one", version=version, headers=headers)
    assert served.could == [False]
    assert answer.endswith(b"connection: close\r\n\r\n/oneclosed")


async def test_who_does_not_read_what_was_written_is_waited_for(served: Served) -> None:
    served.connection.pause_writing()
    assert await served.ask("/one") == b""
    assert served.could == [False]
    served.connection.resume_writing()
    assert await served.settled() == ANSWER + b"/one"


async def test_requests_that_come_together_are_answered_one_after_another(served: Served) -> None:
    served.free["/one"] = asyncio.Event()
    assert await served.ask("/one", "/two") == b""
    served.free["/one"].set()
    assert await served.settled() == ANSWER + b"/one" + ANSWER + b"/two"


async def test_who_has_gone_is_written_nothing(served: Served) -> None:
    served.free["/one"] = asyncio.Event()
    await served.ask("/one")
    served.connection.connection_lost(OSError("gone"))
    served.free["/one"].set()
    assert await served.settled() == b""
    assert served.could == [False]


async def test_a_connection_is_closed_when_it_has_been_idle_for_long_and_not_before(served: Served) -> None:
    await served.ask("/one")
    served.clock.pass_by(KEEP_ALIVE_S - 1)
    await served.ask("/two")
    served.clock.pass_by(KEEP_ALIVE_S - 1)
    assert await served.settled() == b""
    served.clock.pass_by(1)
    assert await served.settled() == b"closed"


async def test_a_connection_is_not_idle_while_a_request_is_answered(served: Served) -> None:
    await served.ask("/one")
    served.free["/two"] = asyncio.Event()
    await served.ask("/two")
    served.clock.pass_by(3 * KEEP_ALIVE_S)
    served.free["/two"].set()
    assert await served.settled() == ANSWER + b"/two"
    served.clock.pass_by(KEEP_ALIVE_S)
    assert await served.settled() == b"closed"


async def test_nothing_waits_for_a_connection_that_has_gone(served: Served) -> None:
    await served.ask("/one")
    served.connection.connection_lost(OSError("gone"))
    assert served.clock.cancelled == 1
