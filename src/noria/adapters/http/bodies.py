"""What a JSON body may be like before anything is made of it."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request
from litestar.datastructures import State, UploadFile

from noria.adapters.http.problems import HttpProblemError
from noria.kernel.numbers import whole_number

DEPTH_MAX = 100
"""Of lists and objects in each other. What is deeper would exhaust the interpreter's stack further in."""

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_TOKEN = re.compile(_STRING.pattern + rb"|[\[{]|[\]}]", re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NO_MARKS = bytes(set(_NO_BRACKETS) - set(b'"'))
_LONG = re.compile(rb"[0-9]{19}")
_NUMBER = re.compile(_STRING.pattern + rb"|(?P<digits>-?[0-9]+)(?![0-9.eE])|[0-9.eE+-]+", re.DOTALL)
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


def too_large(body: bytes) -> str:
    """The first whole number of a JSON text that has no room in 64 bits, "" for none."""
    # Nearly no body has so many digits in a row.
    if _LONG.search(body) is None:
        return ""
    for found in _NUMBER.finditer(body):
        digits = (found["digits"] or b"").decode()
        if digits and whole_number(digits.removeprefix("-")) is None:
            return digits
    return ""


def is_usable(body: bytes) -> bool:
    """Whether something can be made of a JSON text."""
    return not is_deep(body) and not too_large(body)


async def refuse_unusable(request: Request[Any, Any, State]) -> None:
    """Refuse a JSON body that is nested too deeply, or has a number that nothing can keep.

    Raises:
        HttpProblemError: it is (``request.invalid``).
    """
    if request.headers.get("content-type", "").startswith(_FORMS):
        return
    body = await request.body()
    if is_deep(body):
        message = f"The body is nested deeper than {DEPTH_MAX} levels; send a flatter one."
        raise HttpProblemError("request.invalid", message)
    if number := too_large(body):
        message = f"The number {number[:40]}{'…' * (len(number) > 40)} has more than 64 bits; send it as a text."
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
