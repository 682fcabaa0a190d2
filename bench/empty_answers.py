"""A web application with nothing behind it: every request has the same answer.

What it costs the server is what HTTP itself takes in Python, here and in this hour; see `bench.over_http`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

BODY = json.dumps({"id": "889877094199357440", "state": "active", "filler": "x" * 300}).encode()
"""As long as the answer to a command."""
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def answer(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Read a request and answer it: ASGI's least."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})
