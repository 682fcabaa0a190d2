"""The HTTP application: routes, errors, security headers, live updates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from litestar import Litestar, Request, Router, get
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Message, Receive, Scope, Send

from noria import __version__
from noria.adapters.http import (
    admin,
    calendars,
    channels,
    desk,
    devices,
    facts,
    filters,
    forms,
    instances,
    machines,
    operations,
    passwords,
    processes,
    rules,
    scim,
    session,
    substitutes,
    tasks,
    tokens,
)
from noria.adapters.http.bodies import refuse_unusable
from noria.adapters.http.callers import (
    COOKIE,
    admit,
    provide_caller,
    provide_services,
    provide_session,
    provide_wanted,
)
from noria.adapters.http.description import DescriptionPlugin, described
from noria.adapters.http.door import Door, RawHeader
from noria.adapters.http.pages import Pages, page
from noria.adapters.http.problems import HANDLERS
from noria.adapters.http.services import Services
from noria.kernel.numbers import whole_number
from noria.operate.office import Caller
from noria.trust.policy import Principal

BODY_BYTES_MAX = 30_000_000
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; worker-src 'self'; connect-src 'self'; object-src 'none'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=()",
}


SECURITY_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "session": SecurityScheme(
        type="apiKey",
        name=COOKIE,
        security_scheme_in="cookie",
        description="A person's session; unsafe requests show its token in X-CSRF-Token.",
    ),
    "token": SecurityScheme(type="http", scheme="bearer", description="A program's access token."),
}


class Health(msgspec.Struct):
    """Whether the server lives or can serve."""

    status: str
    version: str


@get("/health/live", operation_id="live", tags=["health"], opt={"public": True})
async def live() -> Health:
    """The server lives."""
    return Health("ok", __version__)


@get("/health/ready", operation_id="ready", tags=["health"], opt={"public": True})
async def ready(services: Services) -> Health:
    """The server can serve: its database answers."""
    await services.ready()
    return Health("ok", __version__)


@get("/stream", operation_id="stream", tags=["live"])
async def stream(
    request: Request[object, object, State], caller: Caller, services: Services, after: int | None = None
) -> ServerSentEvent:
    """Live updates: what changed, not how. `after` or Last-Event-ID goes on where the browser left off."""
    if after is None:
        after = whole_number(request.headers.get("last-event-id", ""))

    async def renewed() -> Principal | None:
        tenant, office = caller.principal.tenant, services.office
        person = (await office.people.organisation(tenant)).people.get(caller.principal.id)
        return await office.principal(tenant, person) if person is not None and person.active else None

    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        async for item in services.live.stream(caller.principal, after, renewed):
            if item == "ping":
                yield ServerSentEventMessage(comment="ping")
            elif isinstance(item, str):
                yield ServerSentEventMessage(event=item, data="{}", id=str(services.live.seq))
            else:
                data = msgspec.json.encode(item).decode()
                yield ServerSentEventMessage(event="change", data=data, id=str(item.seq))

    return ServerSentEvent(messages(), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


@get("/openapi.json", include_in_schema=False, opt={"public": True})
async def openapi(request: Request[object, object, State]) -> dict[str, Any]:
    """The description of this interface (OpenAPI 3.1)."""
    return described(request.app.openapi_schema.to_schema())


_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def _secured(headers: Iterable[RawHeader]) -> list[RawHeader]:
    """Every answer carries the security headers, errors too; a route that sets a stricter one keeps it."""
    headers = list(headers)
    there = {name.lower() for name, _ in headers}
    return headers + [pair for pair in _SECURITY if pair[0] not in there]


async def _secure(message: Message, _scope: Scope) -> None:
    """See to it that an answer carries them."""
    if message["type"] == "http.response.start":
        message["headers"] = _secured(message["headers"])


# The best level, which is the default here, takes nearly three times as long as zlib's own default for a few per cent.
_COMPRESSION = CompressionConfig(
    backend="gzip", gzip_compress_level=6, minimum_size=2_000, exclude=["/api/stream", "/assets"]
)
_PREFIX = "/api"
_HEADERS = {"Cache-Control": "no-store"}
_FOR_CALLERS: dict[str, Any] = {
    "guards": [admit],
    "before_request": refuse_unusable,
    "dependencies": {
        "services": Provide(provide_services),
        "session": Provide(provide_session),
        "caller": Provide(provide_caller),
        "wanted": Provide(provide_wanted),
    },
    "cache_control": None,
    "response_headers": _HEADERS,
}
"""Nobody comes to these routes without having said who they are."""


HURRIED = (tasks.complete_task, instances.start_instance, machines.run_commands)
"""Routes that programs call by the thousand (`Door`)."""


class Application(Litestar):
    """The framework's application behind the short way.

    Attributes:
        door: the short way.
    """

    door: Door

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Begin and end, or take a request."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
        else:
            await self.door(scope, receive, send)  # type: ignore[arg-type]


def create_app(services: Services) -> Application:
    """The application.

    Args:
        services: the use cases, from the composition root.
    """
    api = Router(
        _PREFIX,
        route_handlers=[
            live,
            ready,
            stream,
            openapi,
            *session.HANDLERS,
            *passwords.HANDLERS,
            *tokens.HANDLERS,
            *tasks.HANDLERS,
            *instances.HANDLERS,
            *operations.HANDLERS,
            *processes.HANDLERS,
            *machines.HANDLERS,
            *admin.HANDLERS,
            *substitutes.HANDLERS,
            *channels.HANDLERS,
            *devices.HANDLERS,
            *desk.HANDLERS,
            *calendars.HANDLERS,
            *rules.HANDLERS,
            *forms.HANDLERS,
            *facts.HANDLERS,
            *filters.HANDLERS,
        ],
        **_FOR_CALLERS,
    )
    app = Application(
        route_handlers=[api, Router(scim.BASE, route_handlers=[scim.scim], **_FOR_CALLERS), page],
        state=State({"services": services, "pages": Pages()}),
        exception_handlers=HANDLERS,
        before_send=[_secure],
        request_max_body_size=BODY_BYTES_MAX,
        compression_config=_COMPRESSION,
        openapi_config=OpenAPIConfig(
            title="Noria",
            version=__version__,
            path="/api/openapi",
            render_plugins=[DescriptionPlugin(path="/schema.json")],
            use_handler_docstrings=True,
            components=Components(security_schemes=SECURITY_SCHEMES),
            security=[{name: []} for name in SECURITY_SCHEMES],
        ),
        logging_config=None,
    )
    app.door = Door(app, super(Application, app).__call__, _PREFIX, HURRIED, _HEADERS, _secured, _COMPRESSION)
    return app
