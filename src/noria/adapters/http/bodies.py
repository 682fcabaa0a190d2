"""What a JSON body may be like before anything is made of it."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request
from litestar.datastructures import State, UploadFile

from noria.adapters.http.problems import HttpProblemError

DEPTH_MAX = 100
"""Of lists and objects in each other. What is deeper would exhaust the interpreter's stack further in."""

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_TOKEN = re.compile(_STRING.pattern + rb"|[\[{]|[\]}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NO_MARKS = bytes(set(_NO_BRACKETS) - set(b'"'))
_PAIRS = (b"{}", b"[]")


def depth_of(body: bytes) -> int:
    """How deep lists and objects stand in each other in a JSON text, which need not be well-formed.

    It is not counted further than to one more than `DEPTH_MAX`.
    """
    depth = deepest = 0
    for found in _TOKEN.finditer(body):
        first = found[0][:1]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEPTH_MAX:
                break
        elif first in b"]}":
            depth -= 1
    return deepest


def is_deep(body: bytes) -> bool:
    """Whether a JSON text is nested too deeply."""
    # Nearly every body has too few brackets to be deep, and counting is fast.
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return False
    # Of the others nearly every one is long and flat: level by level, what holds nothing any more is taken out.
    if b"\\" not in body:
        # Each quote begins or ends a string then. Two in a row are an empty one, or have strings on both sides, which
        # become one without them; few are left to look for.
        body = body.translate(None, _NO_MARKS).replace(b'""', b"")
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    for level in range(DEPTH_MAX):
        brackets = brackets.replace(_PAIRS[level % 2], b"")
        if not brackets:
            return False
        if not any(pair in brackets for pair in _PAIRS):
            break
    return depth_of(body) > DEPTH_MAX


async def refuse_deep(request: Request[Any, Any, State]) -> None:
    """Refuse a JSON body that is nested too deeply.

    Raises:
        HttpProblemError: it is (``request.invalid``).
    """
    if request.headers.get("content-type", "").startswith(_FORMS):
        return
    if is_deep(await request.body()):
        message = f"The body is nested deeper than {DEPTH_MAX} levels; send a flatter one."
        raise HttpProblemError("request.invalid", message)


async def uploaded(request: Request[Any, Any, State]) -> dict[str, bytes]:
    """The files of a multipart body by their names, whatever the parts are called.

    Raises:
        ValueError: two files have the same name.
    """
    files: dict[str, bytes] = {}
    for _, part in (await request.form()).multi_items():
        if isinstance(part, UploadFile):
            name = part.filename.replace("\\", "/").rpartition("/")[2]
            if name in files:
                raise ValueError(f"Two files are named {name!r}.")
            files[name] = await part.read()
    return files
