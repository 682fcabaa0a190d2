"""Signing in and out."""

from __future__ import annotations

import msgspec
from litestar import Response, delete, get, post, put
from litestar.datastructures import Cookie

from noria.adapters.http.callers import AnyRequest, address_of, cookie_name, device_of, refuse_cross_site
from noria.adapters.http.problems import HttpProblemError
from noria.adapters.http.services import Services
from noria.kernel.errors import Rejected
from noria.operate.office import RefusedError
from noria.operate.staff import person_view
from noria.operate.views import PersonView
from noria.trust.signing_in import ABSOLUTE_MS, Session


class SignIn(msgspec.Struct):
    """What a person signs in with."""

    username: str
    password: str


class PasswordChange(msgspec.Struct):
    """Old and new password."""

    old: str
    new: str


class SessionView(msgspec.Struct):
    """The signed-in person."""

    person: PersonView
    permissions: list[str]
    csrf_token: str
    must_change_password: bool
    demo: bool


async def _view(services: Services, session: Session) -> SessionView:
    organisation = await services.office.people.organisation(session.tenant)
    person = organisation.people[session.person]
    principal = await services.office.principal(session.tenant, person)
    return SessionView(
        person_view(person, organisation),
        sorted(principal.permissions),
        session.csrf,
        session.must_change,
        bool(services.demo),
    )


@post("/session", operation_id="signIn", tags=["session"], opt={"public": True})
async def sign_in(request: AnyRequest, data: SignIn, services: Services) -> Response[SessionView]:
    """Open a session; its cookie is not readable by pages."""
    refuse_cross_site(request)
    answer = await services.accounts.sign_in(
        services.tenant,
        data.username,
        data.password,
        now_ms=services.office.clock.now_ms(),
        address=address_of(request),
        device=device_of(request),
    )
    if isinstance(answer, Rejected):
        raise HttpProblemError(answer.code, answer.message, details=answer.details)
    secret, session = answer
    cookie = Cookie(
        cookie_name(request),
        path="/",
        value=secret,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        max_age=ABSOLUTE_MS // 1000,
    )
    return Response(await _view(services, session), status_code=201, cookies=[cookie])


@get("/session", operation_id="getSession", tags=["session"])
async def get_session(session: Session, services: Services) -> SessionView:
    """The signed-in person."""
    return await _view(services, session)


@delete("/session", operation_id="signOut", tags=["session"], status_code=204)
async def sign_out(request: AnyRequest, session: Session, services: Services) -> Response[None]:
    """End the session."""
    await services.accounts.sign_out(session, services.office.clock.now_ms())
    response: Response[None] = Response(None, status_code=204)
    response.delete_cookie(cookie_name(request), path="/")
    return response


@put("/session/password", operation_id="changePassword", tags=["session"], status_code=204)
async def change_password(data: PasswordChange, session: Session, services: Services) -> None:
    """Change one's own password; every session of the person ends."""
    organisation = await services.office.people.organisation(session.tenant)
    rejected = await services.accounts.change_password(
        session, organisation.people[session.person].username, data.old, data.new, services.office.clock.now_ms()
    )
    if rejected is not None:
        raise RefusedError(rejected)


HANDLERS = [sign_in, get_session, sign_out, change_password]
