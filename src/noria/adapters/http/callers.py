"""Who asks: from the session cookie, or a program's access token, to the caller of a use case."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

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


def services_of(state: State) -> Services:
    """The use cases."""
    services: Services = state.services
    return services


def cookie_name(request: AnyRequest) -> str:
    """Behind TLS the cookie is bound to the host and can only be set by a secure page."""
    return f"__Host-{COOKIE}" if request.scope["scheme"] == "https" else COOKIE


def address_of(request: AnyRequest) -> str:
    """The client's network address."""
    return request.client.host if request.client else ""


def device_of(request: AnyRequest) -> str:
    """What the client says it is."""
    return request.headers.get("user-agent", "")[:200]


def refuse_cross_site(request: AnyRequest) -> None:
    """Raise for a request that another site's page makes.

    Raises:
        HttpProblemError: ``session.csrf``.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HttpProblemError("session.csrf", "The request comes from another site.")


async def current_session(request: AnyRequest, services: Services) -> Session | None:
    """The live session of the request's cookie."""
    secret = request.cookies.get(cookie_name(request))
    if not secret:
        return None
    return await services.accounts.session(secret, services.office.clock.now_ms())


def bearer_of(request: AnyRequest) -> str | None:
    """The secret that a program shows (RFC 6750), None when it shows none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route that is not marked public: before anything of the request is read, it is known who asks.

    A page has a session, and an unsafe request of it must show the session's token. A program has an access token,
    which no browser sends by itself.

    Raises:
        HttpProblemError: ``session.required``, ``session.csrf`` or ``token.invalid``.
    """
    if handler.opt.get("public"):
        return
    request: AnyRequest = connection if isinstance(connection, Request) else Request(connection.scope)
    services = services_of(connection.app.state)
    secret = bearer_of(request)
    if secret is not None:
        token = await services.tokens.fits(secret)
        if token is None:
            raise HttpProblemError("token.invalid", "The access token is unknown, was taken back, or has expired.")
        connection.scope["state"]["token"] = token
        return
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
    connection.scope["state"]["session"] = session


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
    who = token if token is not None else await provide_session(request)
    organisation = await services.office.people.organisation(who.tenant)
    person = organisation.people.get(who.person)
    if person is None or not person.active:
        raise HttpProblemError("session.required", "Please sign in.")
    if isinstance(who, Session) and who.must_change:
        raise HttpProblemError("password.must_change", "Choose a password of your own first.")
    is_page = token is None and "sec-fetch-mode" in request.headers
    origin = Origin("ui" if is_page else "api", address_of(request), device_of(request), who.hash[:12])
    key = request.headers.get("idempotency-key", "")[:KEY_CHARS_MAX]
    return Caller(await services.office.principal(who.tenant, person), person, origin, key)


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
