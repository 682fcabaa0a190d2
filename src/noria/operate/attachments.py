"""Uploaded files: taken by size and by what their content is, scanned before anybody can read them, stored once."""

from __future__ import annotations

from typing import ClassVar

from noria.kernel.errors import NoriaError
from noria.operate.files import Scanner
from noria.operate.office import Caller, Office, origin_json
from noria.operate.views import Attachment
from noria.trust.audit import AuditRecord

NAME_CHARS_MAX = 200
ALLOWED_TYPES: dict[bytes, tuple[str, ...]] = {
    b"%PDF-": ("application/pdf",),
    b"\x89PNG\r\n\x1a\n": ("image/png",),
    b"\xff\xd8\xff": ("image/jpeg",),
    b"GIF8": ("image/gif",),
    b"PK\x03\x04": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
}
"""First bytes of a file → the media types that it may claim."""
TEXT_TYPES = ("text/plain", "text/csv")


class TooLargeError(NoriaError):
    """A file is larger than what is taken."""

    code: ClassVar[str] = "attachment.too_large"


class TypeRefusedError(NoriaError):
    """A file is of a type that is not taken, or not of the type that it claims."""

    code: ClassVar[str] = "attachment.type_refused"


class InfectedError(NoriaError):
    """The scanner found something in a file; nothing was stored."""

    code: ClassVar[str] = "attachment.infected"


def checked_type(content: bytes, claimed: str) -> str:
    """The media type of a file, if it is one that is taken and its first bytes fit it.

    Raises:
        TypeRefusedError: it is not.
    """
    claimed = claimed.partition(";")[0].strip().lower()
    for start, types in ALLOWED_TYPES.items():
        if content.startswith(start) and claimed in types:
            return claimed
    if claimed in TEXT_TYPES and b"\x00" not in content[:4096]:
        return claimed
    raise TypeRefusedError(
        f"Files of type {claimed or 'unknown'} are not taken, or the content is not of that type.",
        details={"allowed": sorted({*TEXT_TYPES, *(name for types in ALLOWED_TYPES.values() for name in types)})},
    )


class Attachments:
    """The use cases.

    Args:
        office: where things are.
        scanner: every file goes through it before it is stored; None where none is set up.
    """

    def __init__(self, office: Office, scanner: Scanner | None) -> None:
        self._office = office
        self._scanner = scanner

    async def store(self, caller: Caller, name: str, claimed: str, content: bytes, bytes_max: int) -> Attachment:
        """Take a file; equal contents are stored once.

        Nobody can read a file that has no clean verdict: without one it is not stored at all.

        Raises:
            TooLargeError: it has more than `bytes_max` bytes.
            TypeRefusedError: it is of a type that is not taken, or not of the type that it claims.
            InfectedError: the scanner found something; it is on record.
            ScannerAwayError: a scanner is set up and gives no verdict.
        """
        if len(content) > bytes_max:
            raise TooLargeError(f"A file may have {bytes_max} bytes at most.", details={"bytes_max": bytes_max})
        media_type = checked_type(content, claimed)
        name = (name or "file").replace("\\", "/").rpartition("/")[2][:NAME_CHARS_MAX]
        if self._scanner is not None:
            found = await self._scanner.scan(content)
            if found:
                await self._record(caller, name, found)
                raise InfectedError(f"{name} was not taken: {found} was found in it.", details={"found": found})
        office, tenant = self._office, caller.principal.tenant
        hashed = await office.blobs.put(tenant, name, media_type, content, caller.principal.id, office.clock.now_ms())
        return Attachment(hashed, name, len(content), media_type)

    async def _record(self, caller: Caller, name: str, found: str) -> None:
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                "attachment.infected",
                "attachment",
                name,
                "refused",
                found,
                origin=origin_json(caller.origin),
            )
        )
