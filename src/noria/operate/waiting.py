"""The commands that wait to be stepped: people's before machines'.

A storm of timers, or a batch over all live instances, may bring a hundred thousand commands at once. People must not
wait for it: theirs go first, and while there are any, a commit takes few of the others, so that it is soon done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from noria.operate.ports import Clock
from noria.operate.requests import MACHINES, OverloadedError
from noria.operate.stepping import Batch, Pending

QUEUE_MAX = 20_000
BATCH_MAX = 500
MACHINES_MAX = 100
"""Of machines' commands in one commit; more at once are not faster."""
BESIDE_PEOPLE_MAX = 5
PEOPLE_GONE_MS = 200
"""After so long without a command of theirs nobody is taken to be waiting."""


class Waiting:
    """Two queues, in each of which who comes first is served first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._people: deque[Pending] = deque()
        self._machines: deque[Pending] = deque()
        self._people_until_ms = 0

    def __len__(self) -> int:
        return len(self._people) + len(self._machines)

    def __iter__(self) -> Iterator[Pending]:
        return chain(self._people, self._machines)

    @property
    def people_are_about(self) -> bool:
        """Whether somebody gave a command a moment ago, and may give another."""
        return self._clock.now_ms() < self._people_until_ms

    def put(self, pending: Pending) -> None:
        """Let a command wait behind the others of its kind.

        Raises:
            OverloadedError: too many are waiting.
        """
        if len(self._people) + len(self._machines) >= QUEUE_MAX:
            raise OverloadedError(f"{QUEUE_MAX} commands are waiting; try again in a moment.")
        (self._machines if pending.request.origin.method in MACHINES else self._people).append(pending)

    def put_back(self, pendings: Sequence[Pending]) -> None:
        """Let commands wait again that had been taken; they go first, in their order."""
        self._people.extendleft(reversed(pendings))

    def take(self, batch: Batch, portion: int = BATCH_MAX) -> list[Pending]:
        """Those that a batch is to take in now, at most a portion; none when it has all that it may have."""
        room = min(portion, BATCH_MAX - len(batch.pendings))
        taken = _first(self._people, room)
        if taken:
            self._people_until_ms = self._clock.now_ms() + PEOPLE_GONE_MS
        if self._machines and len(taken) < room:
            most = BESIDE_PEOPLE_MAX if self.people_are_about else MACHINES_MAX
            machines = _first(self._machines, min(most - batch.machines, room - len(taken)))
            batch.machines += len(machines)
            taken += machines
        return taken


def _first(queue: deque[Pending], count: int) -> list[Pending]:
    if len(queue) > count:
        return [queue.popleft() for _ in range(count)]
    taken = list(queue)
    queue.clear()
    return taken
