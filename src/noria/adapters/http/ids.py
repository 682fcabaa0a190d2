"""Ids in paths, and a number for each request, to find it again in the log."""

from __future__ import annotations

from secrets import token_hex

from litestar import Request
from litestar.datastructures import State

from noria.kernel.numbers import whole_number
from noria.operate.office import NotFoundError


def request_id_of(request: Request[object, object, State]) -> str:
    """The request's number, drawn at the first question."""
    state = request.scope.setdefault("state", {})
    if "noria_request_id" not in state:
        state["noria_request_id"] = token_hex(8)
    return str(state["noria_request_id"])


def instance_number(text: str) -> int:
    """The instance that a path names.

    Raises:
        NotFoundError: it names none.
    """
    number = whole_number(text)
    if number is None:
        raise NotFoundError("There is no such instance.")
    return number
