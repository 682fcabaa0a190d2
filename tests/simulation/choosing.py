"""Where all chance comes from: one stream of small numbers, of a seed or of Hypothesis."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Chooser:
    """Draws from a stream; whoever gives the same stream gets the same model and the same schedule.

    Attributes:
        below: gives a whole number from 0 to less than its argument; 0 is taken for the plainest choice.
    """

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    @classmethod
    def seeded(cls, seed: int) -> Chooser:
        """The stream of a seed."""
        uniform = random.Random(seed).random
        return cls(lambda end: int(uniform() * end))

    @classmethod
    def listed(cls, choices: Iterable[int]) -> Chooser:
        """The stream of some choices; all further ones are the plainest."""
        stream = iter(choices)
        return cls(lambda end: next(stream, 0) % end)

    def one_of(self, items: Sequence[T]) -> T:
        """One of some items, the plainest first."""
        return items[self.below(len(items))]

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.below(100) >= 100 - percent
