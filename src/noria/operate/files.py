"""Uploaded files: where submissions name them, and who may read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Protocol

from noria.kernel.errors import NoriaError

_HASH = re.compile(r"[0-9a-f]{64}")


class ScannerAwayError(NoriaError):
    """The virus scanner gives no verdict now; nothing was taken. Try again later."""

    code: ClassVar[str] = "attachment.scanner_away"


class Scanner(Protocol):
    """What looks into files before anybody else can."""

    async def scan(self, content: bytes) -> str:
        """The name of what was found, "" when the file is clean.

        Raises:
            ScannerAwayError: there is no verdict.
        """
        ...


class BlobStore(Protocol):
    """Uploaded files, once each by the hash of their content."""

    async def put(self, tenant: int, name: str, media_type: str, content: bytes, by: str, now_ms: int) -> str:
        """Store a file; gives its hash. Whoever uploads a content may read it."""
        ...

    async def get(self, tenant: int, hashed: str) -> tuple[str, str, bytes] | None:
        """Name, media type and content; None when there is none."""
        ...

    async def exist(self, tenant: int, hashes: Iterable[str]) -> set[str]:
        """Those of the hashes that are stored."""
        ...

    async def uses(self, tenant: int, hashed: str) -> tuple[set[str], list[int]]:
        """Who uploaded the content, and the instances whose data have named it, the newest first."""
        ...


def files_in(values: object) -> set[str]:
    """The hashes of the files that a submission names: objects with ``hash`` and ``media_type`` at any depth."""
    hashes: set[str] = set()
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            named = value.get("hash")
            if isinstance(named, str) and "media_type" in value and _HASH.fullmatch(named):
                hashes.add(named)
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return hashes
