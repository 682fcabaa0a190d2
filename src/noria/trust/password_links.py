"""Links that set a password (密码链接): one secret each, for one use, for some time."""

from __future__ import annotations

from typing import Protocol

import msgspec

from noria.kernel.instants import HOUR_MS

LASTS_MS = {"invitation": 72 * HOUR_MS, "forgotten": HOUR_MS}
"""Kind of letter → how long its link is taken: who was invited reads it some day, who forgot waits for it."""


class PasswordLink(msgspec.Struct, frozen=True):
    """A link, without its secret.

    Attributes:
        hash: of the secret.
        tenant: whose.
        person: person id of whose password it sets.
        created: ms.
        expires: not taken any more from this instant on, ms.
    """

    hash: str
    tenant: int
    person: str
    created: int
    expires: int


class PasswordLinkStore(Protocol):
    """Where links are kept."""

    async def put(self, link: PasswordLink) -> None:
        """Keep a new one; those that have expired are forgotten."""
        ...

    async def link(self, hashed: str) -> PasswordLink | None:
        """By the hash of its secret."""
        ...

    async def take(self, link: PasswordLink) -> bool:
        """Forget all of its person, as one step; whether this one was still there."""
        ...
