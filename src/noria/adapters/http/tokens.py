"""Access tokens of programs."""

from __future__ import annotations

from litestar import delete, get, post

from noria.adapters.http.services import Services
from noria.operate.office import Caller
from noria.operate.tokens import NewToken, TokenOrder, TokenView
from noria.operate.views import Page
from noria.trust.signing_in import Session


@get("/tokens", operation_id="listTokens", tags=["session"])
async def list_tokens(caller: Caller, services: Services) -> Page[TokenView]:
    """The caller's access tokens, without their secrets."""
    return await services.tokens.list_mine(caller)


@post("/tokens", operation_id="createToken", tags=["session"], status_code=201)
async def create_token(session: Session, data: TokenOrder, caller: Caller, services: Services) -> NewToken:  # noqa: ARG001 - a token makes no tokens
    """Make an access token that acts as the caller; its secret is shown this once."""
    return await services.tokens.create(caller, data)


@delete("/tokens/{token_id:str}", operation_id="revokeToken", tags=["session"], status_code=204)
async def revoke_token(token_id: str, caller: Caller, services: Services) -> None:
    """Take an access token back; it is not taken any more."""
    await services.tokens.revoke(caller, token_id)


@get("/admin/tokens", operation_id="listAllTokens", tags=["admin"])
async def list_all_tokens(caller: Caller, services: Services) -> Page[TokenView]:
    """Everybody's access tokens."""
    return await services.tokens.list_all(caller)


HANDLERS = [list_tokens, create_token, revoke_token, list_all_tokens]
