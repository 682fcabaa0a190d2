"""SCIM 2.0 (RFC 7644): the door through which another system keeps people and units up to date."""

from __future__ import annotations

from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State

from noria.adapters.http.services import Services
from noria.operate.office import Caller
from noria.operate.provisioning import ProvisioningQuestion

MEDIA_TYPE = "application/scim+json"
BASE = "/scim/v2"


@route(
    ["/", "/{path:path}"],
    http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE],
    include_in_schema=False,
    status_code=200,
)
async def scim(
    request: Request[object, object, State], caller: Caller, services: Services, path: str = ""
) -> Response[bytes | None]:
    """Users, groups, and what the service says of itself."""
    question = ProvisioningQuestion(
        request.method,
        tuple(part for part in path.split("/") if part),
        dict(request.query_params),
        await request.body(),
        f"{str(request.base_url).rstrip('/')}{BASE}",
        request.headers.get("if-match", ""),
    )
    told = await services.provisioning().answer(caller, question)
    return Response(told.body or None, status_code=told.status, media_type=MEDIA_TYPE, headers=dict(told.headers))
