"""Errors as problem+json (RFC 9457) with stable codes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from noria.adapters.http.ids import request_id_of
from noria.kernel.errors import NoriaError
from noria.operate.office import RefusedError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS: dict[str, int] = {
    "session.required": 401,
    "session.bad_credentials": 401,
    "session.locked": 401,
    "token.invalid": 401,
    "invitation.invalid": 410,
    "invitation.recently": 429,
    "invitation.busy": 429,
    "session.csrf": 403,
    "password.must_change": 403,
    "permission.denied": 403,
    "substitute.own_request": 403,
    "substitute.beyond_limit": 403,
    "task.separated": 403,
    "not_found": 404,
    "process.not_found": 404,
    "instance.not_found": 404,
    "task.not_open": 409,
    "task.withdrawn": 409,
    "task.not_yours": 409,
    "task.claimed": 409,
    "task.not_claimed": 409,
    "task.version_stale": 409,
    "task.taken_back_late": 409,
    "instance.taking_back": 409,
    "task.delegated": 409,
    "approval.not_open": 409,
    "approval.not_added": 409,
    "approval.asked": 409,
    "consultation.not_open": 409,
    "instance.ended": 409,
    "instance.not_completed": 409,
    "instance.not_restartable": 409,
    "instance.suspended": 409,
    "instance.not_suspended": 409,
    "restore.moved_on": 409,
    "batch.not_meant": 409,
    "batch.not_undoable": 409,
    "calendar.stale": 409,
    "rules.stale": 409,
    "form.stale": 409,
    "instance.not_withdrawable": 409,
    "incident.not_open": 409,
    "job.not_open": 409,
    "job.lease_lost": 409,
    "cluster.no_answer": 503,
    "cluster.no_owner": 503,
    "store.stale_owner": 503,
    "task.urged_recently": 429,
    "runtime.overloaded": 429,
    "attachment.too_large": 413,
    "attachment.type_refused": 415,
    "attachment.scanner_away": 503,
    "search.behind": 503,
    "store.unavailable": 503,
    "store.full": 507,
    "channel.undelivered": 502,
    "channel.exists": 409,
    "channel.no_device": 409,
    "channel.not_installed": 501,
    "device.key_changed": 409,
    "filter.exists": 409,
    "draft.too_large": 413,
}
"""Code → status; a refusal that is not named here is a 422."""


class Problem(msgspec.Struct):
    """A problem (RFC 9457) with Noria's stable code."""

    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str
    details: dict[str, object] = {}
    type: str = "about:blank"


class HttpProblemError(NoriaError):
    """A problem of the HTTP interface itself."""

    code = "http.error"

    def __init__(self, problem_code: str, message: str, *, details: dict[str, object] | None = None) -> None:
        super().__init__(message, details=details)
        self.problem_code = problem_code


def problem_of(error: NoriaError, path: str, request_id: str) -> Problem:
    """How an error of Noria is told."""
    code = error.code
    if isinstance(error, RefusedError):
        code = error.rejected.code
    elif isinstance(error, HttpProblemError):
        code = error.problem_code
    return Problem(error.message, STATUS.get(code, 422), code, error.message, path, request_id, error.details)


def _respond(problem: Problem) -> Response[Problem]:
    headers = {}
    retry_ms = problem.details.get("retry_after_ms")
    if problem.status in (429, 503):
        headers["Retry-After"] = str(max(1, int(retry_ms) // 1000)) if isinstance(retry_ms, int) else "1"
    if problem.code == "token.invalid":
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def on_noria_error(request: Request[object, object, State], error: NoriaError) -> Response[Problem]:
    """A refusal, denial or failure that Noria names."""
    return _respond(problem_of(error, request.url.path, request_id_of(request)))


_WITHOUT_BODY = [{"message": "'data'", "key": "data", "source": "body"}]
"""How the framework tells that a request has no body."""


def on_http_error(request: Request[object, object, State], error: HTTPException) -> Response[Problem]:
    """What the framework itself refuses: no route, wrong method, wrong types."""
    code = {400: "request.invalid", 404: "not_found", 405: "request.method", 413: "request.too_large"}.get(
        error.status_code, "request.refused"
    )
    details: dict[str, object] = {}
    text = error.detail
    if isinstance(error.__cause__, SerializationException):
        text = f"The body is not in order: {text}."
    elif isinstance(error, ValidationException) and error.extra:
        details["errors"] = msgspec.to_builtins(error.extra)
        if error.extra == _WITHOUT_BODY:
            text, details = "The request has no body; a JSON object is expected.", {}
    return _respond(Problem(text, error.status_code, code, text, request.url.path, request_id_of(request), details))


def on_value_error(request: Request[object, object, State], error: ValueError) -> Response[Problem]:
    """A value that could not be read."""
    text = str(error)
    return _respond(Problem(text, 422, "request.invalid", text, request.url.path, request_id_of(request)))


def on_any_error(request: Request[object, object, State], error: Exception) -> Response[Problem]:
    """A bug: the caller gets a number, the log gets the trace."""
    number = request_id_of(request)
    logger.error("Request %s %s failed (%s)", request.method, request.url.path, number, exc_info=error)
    text = "Something went wrong on the server; tell your administrator the request id."
    return _respond(Problem(text, HTTP_500_INTERNAL_SERVER_ERROR, "server.error", text, request.url.path, number))


HANDLERS: dict[int | type[Exception], Callable[[Request[Any, Any, Any], Any], Response[Any]]] = {
    NoriaError: on_noria_error,
    HTTPException: on_http_error,
    ValueError: on_value_error,
    Exception: on_any_error,
}


def problem_response(request: Request[object, object, State], error: Exception) -> Response[Problem]:
    """How an error is answered, as the framework finds it in `HANDLERS`: by the nearest of its classes."""
    return next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)(request, error)
