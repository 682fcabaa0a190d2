"""What engine processes say to each other: frames of msgpack behind a handshake that proves a shared secret.

Each side sends a nonce, and proves with HMAC-SHA-256 over both that it knows the secret, which never goes over the
wire. What follows is neither signed nor encrypted: processes talk over loopback, or a network of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from typing import TypeVar

import msgspec

from noria.engine.events import decode_events, encode_events
from noria.kernel.errors import NoriaError, Rejected
from noria.operate.deploying import UnknownDefinitionError
from noria.operate.ports import (
    NoAnswerError,
    NotOwnerError,
    StaleOwnerError,
    StoreFullError,
    StoreUnavailableError,
    UnstorableError,
)
from noria.operate.requests import Accepted, Answer, BrokenError, OverloadedError, Request
from noria.operate.rows import OutboxRow

T = TypeVar("T")

FRAME_BYTES_MAX = 64_000_000
_NONCE_BYTES = 32
_PROOF_BYTES = hashlib.sha256().digest_size

_ERRORS: dict[str, type[NoriaError]] = {
    kind.code: kind
    for kind in (
        BrokenError,
        NoAnswerError,
        NotOwnerError,
        OverloadedError,
        StaleOwnerError,
        StoreFullError,
        StoreUnavailableError,
        UnknownDefinitionError,
        UnstorableError,
    )
}
"""What the other side may fail with, by code; a new one comes as a defect."""


class Ask(msgspec.Struct, array_like=True):
    """A command to run, or a message to take.

    Attributes:
        number: comes back with the answer.
        request: the command, None for a message.
        row: the message, None for a command.
    """

    number: int
    request: Request | None = None
    row: OutboxRow | None = None


class Told(msgspec.Struct, array_like=True):
    """The answer.

    Attributes:
        number: of what was asked.
        iid, version, events, repeated: of an accepted command.
        rejected: when it was refused.
        kept: whether a message is kept for later.
        error: code, when it failed.
        message: of the error.
    """

    number: int
    iid: int = 0
    version: int = 0
    events: bytes = b""
    repeated: bool = False
    rejected: Rejected | None = None
    kept: bool = False
    error: str = ""
    message: str = ""


encode = msgspec.msgpack.Encoder().encode
decode_ask = msgspec.msgpack.Decoder(Ask).decode
decode_told = msgspec.msgpack.Decoder(Told).decode


def told_of(number: int, answer: Answer) -> Told:
    """A runtime's answer, to be sent."""
    if isinstance(answer, Rejected):
        return Told(number, rejected=answer)
    return Told(number, answer.iid, answer.version, encode_events(answer.events), answer.repeated)


def answer_of(told: Told) -> Answer:
    """A runtime's answer, as it was sent.

    Raises:
        NoriaError: the command failed there.
    """
    raise_error_of(told)
    if told.rejected is not None:
        return told.rejected
    return Accepted(told.iid, told.version, tuple(decode_events(told.events)), told.repeated)


def raise_error_of(told: Told) -> None:
    """Raise what the other side failed with."""
    if told.error:
        raise _ERRORS.get(told.error, BrokenError)(told.message)


class HandshakeError(Exception):
    """The other side does not know the secret, or does not speak this."""


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, secret: bytes, *, calling: bool) -> None:
    """Prove the secret to each other.

    Raises:
        HandshakeError: the other side does not prove it.
    """
    own = secrets.token_bytes(_NONCE_BYTES)
    writer.write(own)
    try:
        other = await reader.readexactly(_NONCE_BYTES)
        # The caller's nonce first, and the word apart, so that no proof can be sent back as the other's.
        nonces = own + other if calling else other + own
        writer.write(_proof(secret, nonces, calling=calling))
        proof = await reader.readexactly(_PROOF_BYTES)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise HandshakeError("The other side ended the handshake.") from error
    if not hmac.compare_digest(proof, _proof(secret, nonces, calling=not calling)):
        raise HandshakeError("The other side does not know this database's secret.")


def _proof(secret: bytes, nonces: bytes, *, calling: bool) -> bytes:
    return hmac.digest(secret, (b"noria caller" if calling else b"noria called") + nonces, "sha256")


def send(writer: asyncio.StreamWriter, message: Ask | Told) -> None:
    """Send one frame: its length in four bytes, then msgpack."""
    body = encode(message)
    writer.write(len(body).to_bytes(4, "big") + body)


async def receive(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame, None when the other side has hung up or does not keep to the form."""
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        return await reader.readexactly(size) if size <= FRAME_BYTES_MAX else None
    except (OSError, asyncio.IncompleteReadError):
        return None
