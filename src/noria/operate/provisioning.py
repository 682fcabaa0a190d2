"""Another system keeps people and units up to date: the question and the answer, whatever the protocol's library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from noria.operate.office import Caller


class ProvisioningQuestion(msgspec.Struct):
    """A request.

    Attributes:
        method: of HTTP.
        path: its parts behind the service's own address.
        query: by name.
        body: as it came.
        base: the service's own address, for references.
        if_match: version that the caller has seen, "" for any.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes
    base: str
    if_match: str = ""


class ProvisioningAnswer(msgspec.Struct):
    """An answer: status, body (JSON) and headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Provisioning(Protocol):
    """Whoever answers."""

    async def answer(self, caller: Caller, asked: ProvisioningQuestion) -> ProvisioningAnswer:
        """Do what is asked; an error is an answer, too."""
        ...
