"""The interface's description (OpenAPI 3.1): what the framework finds out by itself, and what it cannot know."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from noria.adapters.http.problems import MEDIA_TYPE

_PROBLEM = {
    "description": "Refused or failed; `code` says why.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_FILES = {
    "description": "Any part names; the file names say what they are.",
    "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
        }
    },
    "required": True,
}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """A description in which errors are problems, and a deployment has files.

    Args:
        schema: as the framework makes it: with its own shape of errors, which is never sent.
    """
    paths: dict[str, Any] = {}
    for path, operations in schema["paths"].items():
        paths[path] = {}
        for method, operation in operations.items():
            answers = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
            body = {"requestBody": _FILES} if operation["operationId"] == "deploy" else {}
            paths[path][method] = {**operation, **body, "responses": {**answers, "default": _PROBLEM}}
    return {**schema, "paths": paths}


class DescriptionPlugin(JsonRenderPlugin):
    """Serves the description."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The description as JSON."""
        return super().render(request, described(openapi_schema))
