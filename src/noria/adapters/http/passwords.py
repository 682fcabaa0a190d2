"""Passwords by letter: asking for a link, and using it. Secrets come in bodies: addresses are logged here and there."""

from __future__ import annotations

import msgspec
from litestar import post

from noria.adapters.http.callers import AnyRequest, address_of, device_of, refuse_cross_site
from noria.adapters.http.services import Services
from noria.operate.invitations import LinkView
from noria.operate.office import Caller


class Forgotten(msgspec.Struct):
    """Who forgot a password: user name or e-mail address."""

    name: str


class LinkSecret(msgspec.Struct):
    """What stands behind the # of a link."""

    secret: str


class NewPasswordByLink(msgspec.Struct):
    """A link's secret and the password that it is to set."""

    secret: str
    password: str


def _origin(request: AnyRequest) -> str:
    found = {"method": "ui", "address": address_of(request), "device": device_of(request)}
    return msgspec.json.encode(found).decode()


@post("/password-links", operation_id="askForPasswordLink", tags=["session"], status_code=202, opt={"public": True})
async def ask_for_link(request: AnyRequest, data: Forgotten, services: Services) -> None:
    """Have a link sent by e-mail that sets a new password; the answer does not tell whether there is such a person."""
    refuse_cross_site(request)
    await services.invitations.ask(services.tenant, data.name, _origin(request))


@post(
    "/password-links/look", operation_id="lookAtPasswordLink", tags=["session"], status_code=200, opt={"public": True}
)
async def look_at_link(request: AnyRequest, data: LinkSecret, services: Services) -> LinkView:
    """Whose password a link sets; the link is not used up."""
    refuse_cross_site(request)
    return await services.invitations.look(data.secret)


@post("/password-links/use", operation_id="usePasswordLink", tags=["session"], status_code=204, opt={"public": True})
async def use_link(request: AnyRequest, data: NewPasswordByLink, services: Services) -> None:
    """Set a password by a link; every session of the person ends, and no link of theirs is taken any more."""
    refuse_cross_site(request)
    await services.invitations.choose(data.secret, data.password, _origin(request))


@post("/admin/people/{person_id:str}/invitation", operation_id="invitePerson", tags=["admin"], status_code=202)
async def invite(person_id: str, caller: Caller, services: Services) -> None:
    """Send somebody a link by e-mail that sets their password."""
    await services.invitations.invite(caller, person_id)


HANDLERS = [ask_for_link, look_at_link, use_link, invite]
