"""A number for each request, to find it again in the log."""

from __future__ import annotations

from secrets import token_hex

from litestar import Request


def request_id_of(request: Request[object, object, object]) -> str:
    """The request's number, drawn at the first question."""
    state = request.scope.setdefault("state", {})
    if "noria_request_id" not in state:
        state["noria_request_id"] = token_hex(8)
    return str(state["noria_request_id"])
