"""The short way for commands that come by the thousand: to the same handlers as the framework's, without its detours.

What a framework does for any route (look it up, take a request to pieces for whatever a handler may want, copy guards,
build an answer out of layers) costs several times what a command itself costs. Here that is done once, when the
application is made. It is no second truth: who asks is found by the same functions as for the guard and the provider,
the handler is the route's own, errors are told by the same functions, and whatever is not plainly in order before the
handler is called goes the ordinary way from its beginning, which then says what is wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast, get_type_hints

import msgspec
from litestar import Litestar, Request
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.enums import HttpMethod, ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware.compression import CompressionMiddleware
from litestar.serialization import encode_json
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from noria.adapters.http.bodies import is_usable
from noria.adapters.http.callers import admitted, caller_of, services_of
from noria.adapters.http.connection import WHOLE, Whole
from noria.adapters.http.problems import problem_response

BODY_BYTES_MAX = 1_000_000
"""What is larger goes the ordinary way, which knows what is too large."""

RawHeader = tuple[bytes, bytes]


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


class _Asked:
    """What tells who asks, read once; the framework's request reads it at each look."""

    __slots__ = ("cookies", "headers", "method", "scope")

    def __init__(self, scope: HTTPScope) -> None:
        self.scope: Scope = scope
        self.method = scope["method"]
        raw = list(scope["headers"])
        self.headers: Mapping[str, str] = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
        if len(self.headers) < len(raw):
            # Some have come twice: the framework knows which of them count.
            self.headers = Request[object, object, State](scope).headers
        self.cookies = self._cookies(self.headers.get("cookie", ""))

    def _cookies(self, sent: str) -> Mapping[str, str]:
        for mark in ';%" \t':
            if mark in sent:
                # Several, or one that is written in some other way.
                return Request[object, object, State](self.scope).cookies
        name, _, value = sent.partition("=")
        return {name: value}


class Door:
    """An ASGI application before the framework's.

    Attributes:
        ordinary: the framework's, to which everything else goes.
    """

    def __init__(
        self,
        app: Litestar,
        ordinary: ASGIApp,
        prefix: str,
        handlers: Sequence[HTTPRouteHandler],
        headers: Mapping[str, str],
        secured: Callable[[Iterable[RawHeader]], list[RawHeader]],
        compression: CompressionConfig,
    ) -> None:
        """Prepare the ways.

        Args:
            app: whose state has the services.
            ordinary: where all else goes.
            prefix: of all paths.
            handlers: of the routes, each with a JSON body and at most one parameter in its path; none is public.
            headers: what the router adds to its answers.
            secured: headers of an answer → those with what every answer carries.
            compression: what it does with large ones.
        """
        self.ordinary = ordinary
        self._app = app
        self._ways: dict[tuple[str, str], _Way] = {}
        own = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._headers = secured([*own, (b"content-type", b"application/json")])
        self._head = b"".join(b"%b: %b\r\n" % pair for pair in self._headers)
        self._secured = secured
        self._compressing = CompressionMiddleware(ordinary, compression)
        for handler in handlers:
            assert not handler.opt.get("public"), handler  # noqa: S101 - when the application is made
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
        read: deque[HTTPReceiveMessage] = deque()
        try:
            asked = _Asked(cast("HTTPScope", scope))
            order = await self._order(way, given, asked, receive, read)
        except Exception:  # noqa: BLE001 - whatever it is, the ordinary way meets it too, and tells it
            order = None
        if order is None:
            await self.ordinary(scope, _again(read, receive), send)
            return
        try:
            answer = await way.handler.fn(**order)
        except Exception as error:  # noqa: BLE001 - told as everywhere
            request = self._request(scope, receive)
            response = problem_response(request, error).to_asgi_response(app=None, request=request)
            await response(scope, receive, self._compressed(asked, self._securing(send)))
            return
        await self._send(asked, way.handler.status_code, encode_json(answer), send)

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
        self, way: _Way, given: str, asked: _Asked, receive: Receive, read: deque[HTTPReceiveMessage]
    ) -> dict[str, object] | None:
        """What the handler is called with; None, or any error, when something is not plainly in order.

        Args:
            way: which route.
            given: the parameter of the path.
            asked: the request's headers.
            receive: gives its body.
            read: gets what has been read of the body.
        """
        headers = asked.headers
        # As long as it says: the server sees to that.
        if headers["content-type"] != "application/json" or int(headers["content-length"]) > BODY_BYTES_MAX:
            return None
        services = services_of(self._app.state)
        who = await admitted(asked, services)
        body, more = b"", True
        while more:
            message = await receive()
            read.append(message)  # type: ignore[arg-type]
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if not is_usable(body):
            return None
        order: dict[str, object] = {
            "caller": await caller_of(asked, services, who),
            "services": services,
            "data": way.decoder.decode(body),
        }
        if way.parameter:
            order[way.parameter] = given
        if way.wants_request:
            order["request"] = self._request(asked.scope, receive)
        return order

    def _request(self, scope: Scope, receive: Receive) -> Request[object, object, State]:
        """A request as handlers know it."""
        scope["app"] = scope["litestar_app"] = self._app
        scope.setdefault("state", {})
        return Request(scope, receive)

    async def _send(self, asked: _Asked, status: int, body: bytes, send: Send) -> None:
        """Send an answer of success."""
        length = str(len(body)).encode()
        sent = self._compressed(asked, send) if len(body) >= self._compressing.config.minimum_size else send
        whole = (asked.scope.get("extensions") or {}).get(WHOLE)
        if sent is send and whole is not None:
            write = cast("Whole", whole["write"])
            if write(asked.scope, status, b"%bcontent-length: %b\r\n\r\n%b" % (self._head, length, body)):
                return
        headers = [*self._headers, (b"content-length", length)]
        await sent({"type": "http.response.start", "status": status, "headers": headers})
        await sent({"type": "http.response.body", "body": body, "more_body": False})

    def _securing(self, send: Send) -> Send:
        """Sends with the headers that every answer carries."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._secured(message["headers"])
            await send(message)

        return sent

    def _compressed(self, asked: _Asked, send: Send) -> Send:
        """Sends compressed what is large, to who takes that."""
        encoding = self._compressing.config.compression_facade.encoding
        if encoding not in asked.headers.get("accept-encoding", ""):
            return send
        return self._compressing.create_compression_send_wrapper(send, encoding, asked.scope)


def _again(read: deque[HTTPReceiveMessage], receive: Receive) -> Receive:
    """What has been read, once more, and then the rest."""

    async def received() -> Any:
        return read.popleft() if read else await receive()

    return received
