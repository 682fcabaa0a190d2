"""Instance ids: 41 bits of milliseconds, 10 of shard, 12 of a counter, so that the shard is known from the id."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from noria.kernel.numbers import whole_number
from noria.operate.requests import Request
from noria.operate.rows import SHARDS

ALL_SHARDS = tuple(range(SHARDS))
ANYWHERE = -1
"""Stands for the shard of a command that any owner may take."""

_EPOCH_MS = 1_577_836_800_000  # 2020-01-01: 41 bits last until 2089
_TURN_MS = 16  # how long one shard takes all starts before the next does


class InstanceIds:
    """Draws instance ids that never repeat and rise with time."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._count = 0

    def follow(self, iid: int) -> None:
        """Draw only higher ids than this one from now on, even if the clock is behind it."""
        after_ms = drawn_ms(iid) + 1
        if after_ms > self._last_ms:
            self._last_ms, self._count = after_ms, -1

    def draw(self, now_ms: int, shards: Sequence[int] = ALL_SHARDS) -> int:
        """A new id.

        Args:
            now_ms: the present; a clock that jumps back does not make ids repeat.
            shards: those to choose from; they take turns.
        """
        now_ms = max(now_ms, self._last_ms)
        self._count = self._count + 1 if now_ms == self._last_ms else 0
        if self._count >= 4096:
            now_ms, self._count = now_ms + 1, 0
        self._last_ms = now_ms
        # What starts together lies together: one commit then writes the pages of one shard, not a few of each.
        shard = shards[now_ms // _TURN_MS % len(shards)]
        return id_of(now_ms, shard, self._count)


def id_of(drawn_ms: int, shard: int, count: int) -> int:
    """The id that is made of an instant, a shard and a counter."""
    return (drawn_ms - _EPOCH_MS) << 22 | shard << 12 | count


def drawn_ms(iid: int) -> int:
    """The instant at which an id was drawn; its instance was started then, or up to a little before."""
    return (iid >> 22) + _EPOCH_MS


def shard_of(iid: int) -> int:
    """The shard of an instance."""
    return iid >> 12 & 0x3FF


def shard_of_key(key: str) -> int:
    """The shard that takes a message from outside, or whose owner makes the starts with this key."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=2).digest()[0] % SHARDS


def shard_for(request: Request) -> int:
    """The shard whose owner must run a command; `ANYWHERE` when any owner may.

    Starts with one key meet at one owner, who sees the first answer; starts that draw from one serial meet as well,
    because its numbers leave no gap. The instance itself may then lie in any shard of that owner.
    """
    if request.iid:
        shard = shard_of(request.iid)
        # There is no such instance, which any owner can say.
        return shard if shard < SHARDS else ANYWHERE
    if request.serial is not None:
        return shard_of_key(f"serial:{request.tenant}:{request.serial.name}")
    return shard_of_key(request.key) if request.key else ANYWHERE


def task_id(iid: int, token: int) -> str:
    """The outward id of a task or job."""
    return f"{iid}-{token}"


def parse_task_id(text: str) -> tuple[int, int] | None:
    """(instance, token) of an outward id; None when it is not one."""
    iid, dash, token = text.partition("-")
    instance, number = whole_number(iid), whole_number(token)
    return (instance, number) if dash and instance is not None and number is not None else None
