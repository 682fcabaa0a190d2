"""What the runtime needs of the outside, in its own words. Adapters provide it; the composition root plugs it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from noria.kernel.errors import NoriaError
from noria.kernel.instants import InstantMs
from noria.operate.rows import Commit, InstanceRow, JournalRow, LockedJob, OutboxRow, SerialRow, Shard, WaitRow


class StaleOwnerError(NoriaError):
    """Another process owns the shard now, or wrote an instance first; nothing was written. Load again and retry."""

    code: ClassVar[str] = "store.stale_owner"


class NotOwnerError(NoriaError):
    """No process owns this work at the moment, or not the one that was asked; nothing was done. Try again."""

    code: ClassVar[str] = "cluster.no_owner"


class NoAnswerError(NoriaError):
    """The owner of this work does not answer; it is not known whether it was done. Retry with the same key."""

    code: ClassVar[str] = "cluster.no_answer"


class StoreUnavailableError(NoriaError):
    """The database refused or could not be reached; nothing is known to be written. Retry with the same key."""

    code: ClassVar[str] = "store.unavailable"


class StoreFullError(StoreUnavailableError):
    """The database has no room left; nothing is known to be written. Retry with the same key when there is room."""

    code: ClassVar[str] = "store.full"


class UnstorableError(NoriaError):
    """A value or key that the database cannot hold; nothing was written, and trying again would not help."""

    code: ClassVar[str] = "store.refused"


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> InstantMs:
        """The present instant."""
        ...

    async def sleep_until(self, instant_ms: int) -> None:
        """Return at that instant or later."""
        ...


class InstanceStore(Protocol):
    """The hot path: instances, what is open, and the journal.

    Every method raises StoreUnavailableError when the database cannot be used, and may be called again.

    Attributes:
        enough: so many commands are a commit, though more are waiting, when none is on its way: what the database
            writes elsewhere, it writes while the next are stepped.
    """

    enough: int

    async def own_shards(self, owner: str) -> list[Shard]:
        """Take all shards with a new epoch; a former owner's commits are refused from now on."""
        ...

    async def retake_shards(self, owner: str) -> list[Shard]:
        """Give those that this owner still has a new epoch; what it sent before is refused from now on."""
        ...

    async def commit(self, commit: Commit) -> None:
        """Write everything or nothing.

        Raises:
            StaleOwnerError: a shard's epoch or sequence, or an instance's version, is not the expected one, or
                something to be delivered has been.
            UnstorableError: something in it cannot be written, whoever tries.
        """
        ...

    async def load(self, iids: Sequence[int]) -> dict[int, InstanceRow]:
        """The rows of these instances; those that do not exist are left out."""
        ...

    async def answers(self, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Idempotency keys that were used already → (instance, version)."""
        ...

    async def due_timers(
        self, now_ms: int, limit: int, shards: Sequence[int] | None = None
    ) -> list[tuple[int, int, int]]:
        """(instance, timer, tenant) of those due in some shards, or all: higher priority first, then the oldest."""
        ...

    async def next_timer(self, shards: Sequence[int] | None = None) -> int | None:
        """The due instant of the earliest timer in some shards, or all."""
        ...

    async def lock_jobs(
        self, tenant: int, worker: str, topics: Sequence[str], limit: int, now_ms: int, lease_ms: int
    ) -> list[LockedJob]:
        """Lease open jobs that nobody holds: those of higher priority first, then the oldest, in this order."""
        ...

    async def leased(self, iid: int, tok: int, lease_token: str) -> bool:
        """Whether the job is open and this lease still holds it."""
        ...

    async def extend_lease(self, iid: int, tok: int, lease_token: str, lease_until: int) -> bool:
        """Prolong a lease; False when it no longer holds the job."""
        ...

    async def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
        """Open subscriptions, oldest instance first."""
        ...

    async def outbox(
        self, limit: int, after: tuple[int, int] = (-1, -1), shards: Sequence[int] | None = None
    ) -> list[OutboxRow]:
        """What still has to be delivered of some shards, or all, by shard and number, from behind `after`."""
        ...

    async def put_outbox(self, row: OutboxRow, epoch: int) -> None:
        """Accept something from outside for delivery; a row that stands already is left.

        Raises:
            StaleOwnerError: its shard has another epoch, and whoever owns it would not look; nothing was accepted.
        """
        ...

    async def drop_outbox(self, shard: int, n: int, epoch: int) -> None:
        """Forget what was delivered or has expired.

        Raises:
            StaleOwnerError: the shard has another epoch; nothing was forgotten.
        """
        ...

    async def called(self, parent: int, parent_token: int) -> int | None:
        """The instance that a call activity started."""
        ...

    async def serial(self, tenant: int, name: str, period: str) -> SerialRow:
        """The last number drawn; 0 when none was."""
        ...

    async def journal_of(self, iid: int, until_ver: int | None = None, after_ver: int = 0) -> list[JournalRow]:
        """The history of one instance, oldest first, or the part of it behind one version and up to another."""
        ...

    async def journal_after(self, cursor: Mapping[int, int], limit: int) -> list[JournalRow]:
        """Rows behind a cursor (shard → last seq seen), dense and in order within each shard."""
        ...
