"""Connections of clients: how long they are kept, and how an answer is written to them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held, self._held_bytes = self._held, [], 0
            self._transport.write(b"".join(held))


class Connection(HttpToolsProtocol):
    """uvicorn's connection on such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport)))
