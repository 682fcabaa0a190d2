"""Connections of clients: how long they are kept, and how an answer is written to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

KEEP_ALIVE_S = 65
"""How long an idle connection stays open: longer than proxies and programs keep theirs, which is a minute as a rule.
Whoever closes first must be the client; else it may send a command into a connection that is just being closed."""
HELD_BYTES_MAX = 65_536
"""More is written at once, so that the transport can say when the client does not keep up."""


class Gathering:
    """A transport that writes once in a turn of the event loop what was given to it during the turn.

    uvicorn writes the head of an answer, then the body: two calls of the system, each of which wakes the client, and
    which together cost more than what is computed for a small answer.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._held_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Have something written, in this turn."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= HELD_BYTES_MAX:
            self._flush()

    def write_whole(self, data: bytes) -> None:
        """Write what nothing comes after: at once, behind what is held."""
        if self._held:
            self.write(data)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held, self._held_bytes = self._held, [], 0
            self._transport.write(b"".join(held))


WHOLE = "noria.whole"
"""Name of an extension of ASGI for who has an answer complete; its "write" is `Connection.whole`."""
Whole = Callable[[Mapping[str, Any], int, bytes], bool]


class Connection(HttpToolsProtocol):
    """uvicorn's connection on such a transport.

    Each request starts and ends a period in which a connection is idle. A timer for each of them would be made and
    cancelled thousands of times a second; one looks now and then how long the connection has been idle.
    """

    _idle_since_s = 0.0
    """When the last answer left, in the loop's time; 0 while there is a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport)))
        self._extensions: dict[str, dict[object, object]] = {WHOLE: {"write": self.whole}}

    def connection_lost(self, exc: Exception | None) -> None:
        """A client has gone."""
        super().connection_lost(exc)
        # It names this connection, which then would only be found by the garbage collector.
        self._extensions = {}
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def whole(self, scope: Mapping[str, Any], status: int, rest: bytes) -> bool:
        """Write a whole answer at once; gives False, and writes nothing, where it must be sent in the usual way.

        Args:
            scope: of the request that is answered.
            status: of the answer.
            rest: its headers in small letters, among them the length of what follows, an empty line, and the body.
        """
        cycle, flow = self.cycle, self.flow
        plain = cycle.scope is scope and cycle.keep_alive and not cycle.disconnected and not cycle.access_log
        if not plain or cycle.response_started or flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        parts = [STATUS_LINE[status]]
        for name, value in cycle.default_headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(rest)
        cast("Gathering", self.transport).write_whole(b"".join(parts))
        cycle.message_event.set()
        cycle.on_response()
        return True

    # Idle connections

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since_s = 0.0

    def on_response_complete(self) -> None:
        """An answer has left: a request that waits comes next, or the connection is idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Close what has been idle for so long; a request that is being answered sets the timer anew at its end."""
        self.timeout_keep_alive_task = None
        if self._idle_since_s:
            left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
            if left_s > 0:
                self.timeout_keep_alive_task = self.loop.call_later(left_s, self._look)
            else:
                self.timeout_keep_alive_handler()
