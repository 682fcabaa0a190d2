"""Access tokens: what programs sign in with instead of a person's password."""

from __future__ import annotations

from typing import Protocol

import msgspec

from noria.kernel.instants import MINUTE_MS

PREFIX = "noria_"
"""What each begins with, so that scanners of source code know one when they see it."""
USED_MS = MINUTE_MS
"""So exactly it is kept when a token was used last."""


class AccessToken(msgspec.Struct, frozen=True):
    """A token, without its secret.

    Attributes:
        id: its key.
        tenant: whose.
        person: person id of who it acts as.
        name: what it is for.
        hash: of the secret.
        created: ms.
        expires: not taken any more from this instant on, ms.
        used: when it was used last, ms; 0 for never.
    """

    id: str
    tenant: int
    person: str
    name: str
    hash: str
    created: int
    expires: int
    used: int = 0


class TokenStore(Protocol):
    """Where tokens are kept."""

    async def tokens(self, tenant: int) -> list[AccessToken]:
        """All of a tenant, the newest first."""
        ...

    async def token(self, hashed: str) -> AccessToken | None:
        """By the hash of its secret."""
        ...

    async def put(self, token: AccessToken) -> None:
        """Keep a new one."""
        ...

    async def touch(self, token: AccessToken, now_ms: int) -> None:
        """Note that it was used."""
        ...

    async def drop(self, token: AccessToken) -> None:
        """Forget one."""
        ...
