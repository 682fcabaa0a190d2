"""Who asks: from the session cookie, or a program's access token, to the caller of a use case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from noria.adapters.http.problems import HttpProblemError
from noria.adapters.http.services import Services
from noria.operate.finding import Wanted
from noria.operate.office import Caller
from noria.operate.requests import Origin
from noria.trust.signing_in import Accounts, Session
from noria.trust.tokens import AccessToken

COOKIE = "noria_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_CHARS_MAX = 100

AnyRequest = Request[object, object, State]


class Asked(Protocol):
    """What of a request tells who asks: the framework's request has it, and whatever else is made of a scope."""

    @property
    def scope(self) -> Scope:
        """What the server says of the request."""
        ...

    @property
    def method(self) -> str:
        """In capitals."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in small letters."""
        ...

    @property
    def cookies(self) -> Mapping[str, str]:
        """By name."""
        ...


def services_of(state: State) -> Services:
    """The use cases."""
    # By the key: the attribute takes six times as long.
    services: Services = state["services"]
    return services


def cookie_name(request: Asked) -> str:
    """Behind TLS the cookie is bound to the host and can only be set by a secure page."""
    return f"__Host-{COOKIE}" if request.scope["scheme"] == "https" else COOKIE


def address_of(request: Asked) -> str:
    """The client's network address."""
    client = request.scope.get("client")
    return client[0] if client else ""


def device_of(request: Asked) -> str:
    """What the client says it is."""
    return request.headers.get("user-agent", "")[:200]


def refuse_cross_site(request: Asked) -> None:
    """Raise for a request that another site's page makes.

    Raises:
        HttpProblemError: ``session.csrf``.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HttpProblemError("session.csrf", "The request comes from another site.")


async def current_session(request: Asked, services: Services) -> Session | None:
    """The live session of the request's cookie."""
    secret = request.cookies.get(cookie_name(request))
    if not secret:
        return None
    return await services.accounts.session(secret, services.office.clock.now_ms())


def bearer_of(request: Asked) -> str | None:
    """The secret that a program shows (RFC 6750), None when it shows none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route that is not marked public: before anything of the request is read, it is known who asks.

    Raises:
        HttpProblemError: as `admitted` does.
    """
    if handler.opt.get("public"):
        return
    request: AnyRequest = connection if isinstance(connection, Request) else Request(connection.scope)
    who = await admitted(request, services_of(connection.app.state))
    connection.scope["state"]["session" if isinstance(who, Session) else "token"] = who


async def admitted(request: Asked, services: Services) -> Session | AccessToken:
    """Who asks: a page has a session, and an unsafe request of it must show the session's token.

    A program has an access token, which no browser sends by itself.

    Raises:
        HttpProblemError: ``session.required``, ``session.csrf`` or ``token.invalid``.
    """
    secret = bearer_of(request)
    if secret is not None:
        token = await services.tokens.fits(secret)
        if token is None:
            raise HttpProblemError("token.invalid", "The access token is unknown, was taken back, or has expired.")
        return token
    session = await current_session(request, services)
    if session is None:
        demo = [
            {"username": item.username, "name": item.name, "role": item.role, "password": item.password}
            for item in services.demo
        ]
        details: dict[str, object] = {"demo": bool(demo), "accounts": demo} if demo else {"demo": False}
        raise HttpProblemError("session.required", "Please sign in.", details=details)
    if request.method not in SAFE:
        refuse_cross_site(request)
        if not Accounts.csrf_fits(session, request.headers.get("x-csrf-token", "")):
            raise HttpProblemError("session.csrf", "The X-CSRF-Token header is missing or wrong; load the page again.")
    return session


async def provide_session(request: AnyRequest) -> Session:
    """The session that the guard found.

    Raises:
        HttpProblemError: a program asks, which has none.
    """
    session: Session | None = request.scope["state"].get("session")
    if session is None:
        raise HttpProblemError("session.required", "A person must sign in for this; an access token does not do.")
    return session


async def provide_caller(request: AnyRequest, services: Services) -> Caller:
    """The caller of a use case.

    What is provided to one handler hangs together in a chain: Litestar makes a task of each of those that do not.

    Raises:
        HttpProblemError: the person is not active any more, or must choose a password first.
    """
    token: AccessToken | None = request.scope["state"].get("token")
    return await caller_of(request, services, token if token is not None else await provide_session(request))


async def caller_of(request: Asked, services: Services, who: Session | AccessToken) -> Caller:
    """The caller of a use case, once it is known who asks; raises as `provide_caller` does."""
    office = services.office
    organisation = office.people.known(who.tenant) or await office.people.organisation(who.tenant)
    person = organisation.people.get(who.person)
    if person is None or not person.active:
        raise HttpProblemError("session.required", "Please sign in.")
    headers = request.headers
    if isinstance(who, Session) and who.must_change:
        raise HttpProblemError("password.must_change", "Choose a password of your own first.")
    is_page = isinstance(who, Session) and "sec-fetch-mode" in headers
    origin = Origin("ui" if is_page else "api", address_of(request), device_of(request), who.hash[:12])
    key = headers.get("idempotency-key", "")[:KEY_CHARS_MAX]
    return Caller(office.principal_in(organisation, who.tenant, person), person, origin, key)


async def provide_wanted(
    caller: Caller,  # noqa: ARG001 - one chain, see above
    q: str = "",
    starter: str = "",
    holder: str = "",
    actor: str = "",
    field: list[str] | None = None,
) -> Wanted:
    """What is looked for in a list."""
    return Wanted(q, starter, holder, actor, tuple(field or ()))


async def provide_services(state: State) -> Services:
    """The use cases."""
    return services_of(state)
