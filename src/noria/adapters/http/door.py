"""The short way for commands that come by the thousand: to the same handlers as the framework's, without its detours.

What a framework does for any route (look it up, take a request to pieces for whatever a handler may want, copy guards,
build an answer out of layers) costs several times what a command itself costs. Here that is done once, when the
application is made. It is no second truth: who asks is found by the same guard and the same provider, the handler is
the route's own, errors are told by the same functions, and whatever is not plainly in order before the handler is
called goes the ordinary way from its beginning, which then says what is wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

import msgspec
from litestar import Request
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.enums import HttpMethod, ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware.compression import CompressionMiddleware
from litestar.serialization import encode_json
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send

from noria.adapters.http.bodies import is_deep
from noria.adapters.http.callers import admit, provide_caller, services_of
from noria.adapters.http.problems import problem_response

BODY_BYTES_MAX = 1_000_000
"""What is larger goes the ordinary way, which knows what is too large."""


class _Way(msgspec.Struct, frozen=True):
    """One route.

    Attributes:
        handler: the route's own.
        decoder: of the body.
        parameter: name of the path's only parameter, "" for a path without.
        wants_request: whether the handler asks for the request itself.
    """

    handler: HTTPRouteHandler
    decoder: msgspec.json.Decoder[Any]
    parameter: str
    wants_request: bool


class Door:
    """An ASGI application before the framework's.

    Attributes:
        ordinary: the framework's, to which everything else goes.
    """

    def __init__(
        self,
        ordinary: ASGIApp,
        prefix: str,
        handlers: Sequence[HTTPRouteHandler],
        headers: Mapping[str, str],
        compression: CompressionConfig,
    ) -> None:
        """Prepare the ways.

        Args:
            ordinary: where all else goes.
            prefix: of all paths.
            handlers: of the routes, each with a JSON body and at most one parameter in its path.
            headers: what the router adds to its answers.
            compression: what it does with large ones.
        """
        self.ordinary = ordinary
        self._ways: dict[tuple[str, str], _Way] = {}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._headers.append((b"content-type", b"application/json"))
        self._compressing = CompressionMiddleware(ordinary, compression)
        for handler in handlers:
            (path,) = handler.paths
            before, _, rest = f"{prefix}{path}".partition("{")
            parameter, _, after = rest.partition("}")
            hints = get_type_hints(handler.fn, include_extras=True)
            self._ways[before, after] = _Way(
                handler,
                # As the framework reads it: a number may be given as text.
                msgspec.json.Decoder(hints["data"], strict=False),
                parameter.removesuffix(":str"),
                "request" in hints,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take what is plainly one of the ways, and pass everything else on."""
        found = None
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.POST:
            found = self._found(scope["path"])
        if found is None:
            await self.ordinary(scope, receive, send)
            return
        way, given = found
        request: Request[object, object, State] = Request(scope, receive, send)
        read: deque[HTTPReceiveMessage] = deque()
        try:
            order = await self._order(way, given, request, read)
        except Exception:  # noqa: BLE001 - whatever it is, the ordinary way meets it too, and tells it
            order = None
        if order is None:
            await self.ordinary(scope, _again(read, receive), send)
            return
        try:
            answer = await way.handler.fn(**order)
        except Exception as error:  # noqa: BLE001 - told as everywhere
            response = problem_response(request, error).to_asgi_response(app=None, request=request)
            await response(scope, receive, self._compressed(request, send))
            return
        body = encode_json(answer)
        if len(body) >= self._compressing.config.minimum_size:
            send = self._compressed(request, send)
        headers = [*self._headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": way.handler.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _found(self, path: str) -> tuple[_Way, str] | None:
        """The way of a path, and what stands in the place of its parameter."""
        way = self._ways.get((path, ""))
        if way is not None:
            return way, ""
        start, _, end = path.rpartition("/")
        start, _, given = start.rpartition("/")
        way = self._ways.get((f"{start}/", f"/{end}"))
        return (way, given) if way is not None and given else None

    async def _order(
        self,
        way: _Way,
        given: str,
        request: Request[object, object, State],
        read: deque[HTTPReceiveMessage],
    ) -> dict[str, object] | None:
        """What the handler is called with; None, or any error, when something is not plainly in order.

        Args:
            way: which route.
            given: the parameter of the path.
            request: its headers, and the rest of it.
            read: gets what has been read of the body.
        """
        headers = request.headers
        # As long as it says: the server sees to that.
        if headers["content-type"] != "application/json" or int(headers["content-length"]) > BODY_BYTES_MAX:
            return None
        await admit(request, way.handler)
        more = True
        while more:
            message = await request.receive()
            read.append(message)  # type: ignore[arg-type]
            if message["type"] != "http.request":
                return None
            more = message.get("more_body", False)
        body = b"".join(message.get("body", b"") for message in read if message["type"] == "http.request")
        if is_deep(body):
            return None
        services = services_of(request.app.state)
        order: dict[str, object] = {
            "caller": await provide_caller(request, services),
            "services": services,
            "data": way.decoder.decode(body),
        }
        if way.parameter:
            order[way.parameter] = given
        if way.wants_request:
            order["request"] = request
        return order

    def _compressed(self, request: Request[object, object, State], send: Send) -> Send:
        """Sends compressed what is large, to who takes that."""
        encoding = self._compressing.config.compression_facade.encoding
        if encoding not in request.headers.get("accept-encoding", ""):
            return send
        return self._compressing.create_compression_send_wrapper(send, encoding, request.scope)


def _again(read: deque[HTTPReceiveMessage], receive: Receive) -> Receive:
    """What has been read, once more, and then the rest."""

    async def received() -> Any:
        return read.popleft() if read else await receive()

    return received
