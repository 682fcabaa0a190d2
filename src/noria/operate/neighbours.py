"""Commands and messages for shards that another process owns: sent to the owner, and again when it has changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from noria.operate.delivery import Delivery
from noria.operate.leases import Leases, Member
from noria.operate.ports import Clock, NoAnswerError, NotOwnerError
from noria.operate.requests import Answer, Request
from noria.operate.rows import OutboxRow
from noria.operate.runtime import Runtime

T = TypeVar("T")

PATIENCE_MS = 5_000
"""How long a command waits for its shard to have an owner: a handover takes less, a takeover may take longer."""
_LOOK_AGAIN_MS = 100


class Links(Protocol):
    """The way to other processes.

    Raises:
        NotOwnerError: it cannot be reached, or does not own the shard; nothing was done.
        NoAnswerError: it may have been done.
        OverloadedError: too much is on its way already; nothing was done.
    """

    async def submit(self, member: Member, request: Request) -> Answer:
        """Have a process run a command."""
        ...

    async def accept(self, member: Member, row: OutboxRow) -> bool:
        """Have a process take a message from outside; tells whether it is kept for later."""
        ...


class Neighbours:
    """`Elsewhere` for the runtime, and the way in for messages from outside."""

    def __init__(self, links: Links, clock: Clock, patience_ms: int = PATIENCE_MS) -> None:
        self._links = links
        self._clock = clock
        self._patience_ms = patience_ms
        self._leases: Leases | None = None
        self._runtime: Runtime
        self._delivery: Delivery

    def connect(self, leases: Leases, runtime: Runtime, delivery: Delivery) -> None:
        """Know what is here; before anything is submitted."""
        self._leases, self._runtime, self._delivery = leases, runtime, delivery

    def leased(self) -> bool:
        """Whether this process's lease runs."""
        return self._leases is not None and self._leases.runs()

    async def submit(self, shard: int, request: Request) -> Answer:
        """Have the owner of a shard run a command.

        Raises:
            NotOwnerError: there is no owner that can be reached; nothing was done.
            NoAnswerError: the owner does not answer. A command with a key is sent again as long as patience lasts.
        """
        return await self._at_owner(
            shard,
            lambda: self._runtime.submit_here(request),
            lambda owner: self._links.submit(owner, request),
            repeatable=bool(request.key),
        )

    async def accept(self, row: OutboxRow) -> bool:
        """Have the owner of its shard take a message from outside; tells whether it is kept for later.

        Raises:
            NotOwnerError: there is no owner that can be reached; nothing was taken.
            NoAnswerError: the owner does not answer.
        """
        return await self._at_owner(
            row.shard,
            lambda: self._delivery.accept(row),
            lambda owner: self._links.accept(owner, row),
            repeatable=True,
        )

    async def _at_owner(
        self,
        shard: int,
        here: Callable[[], Awaitable[T]],
        there: Callable[[Member], Awaitable[T]],
        *,
        repeatable: bool,
    ) -> T:
        until_ms = self._clock.now_ms() + self._patience_ms
        while True:
            try:
                return await (here() if self._runtime.owns(shard) else there(self._owner_of(shard)))
            except NotOwnerError:
                if self._clock.now_ms() >= until_ms:
                    raise
            except NoAnswerError:
                if not repeatable or self._clock.now_ms() >= until_ms:
                    raise
            await self._clock.sleep_until(self._clock.now_ms() + _LOOK_AGAIN_MS)
            if self._leases is not None:
                await self._leases.look()

    def _owner_of(self, shard: int) -> Member:
        leases = self._leases
        owner = leases.standing.owner_of(shard) if leases is not None else None
        if leases is None or owner is None or owner == leases.member:
            raise NotOwnerError(
                "No engine process owns this work at the moment; nothing was done. Try again in a few seconds."
            )
        return owner
