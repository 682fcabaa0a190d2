"""Making a failing world small: fewer choices, and plainer ones, as long as the same promise is broken.

A world is a function of its stream of choices, and 0 is the plainest of each, so that a shorter list with smaller
numbers is a smaller model with fewer requests and faults. Source: MacIver and Donaldson, Test-Case Reduction via
Test-Case Generation (ECOOP 2020).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.world import World

RUNS_MAX = 4_000
"""Worlds that are run to make one small; each takes about 10 ms."""


@dataclass
class Failure:
    """A world that breaks a promise.

    Attributes:
        choices: the stream that leads there.
        error: what is broken.
        focus: what the world has more of than usual.
    """

    choices: list[int]
    error: ViolationError
    focus: tuple[str, ...] = ()

    def trace(self) -> tuple[bytes, list[str]]:
        """Its model as BPMN 2.0 XML, and the numbered lines of what happened."""
        world = World(Chooser.listed(self.choices), trace=True, focus=self.focus)
        try:
            world.run()
        except ViolationError as error:
            if str(error) != str(self.error):
                raise
        return world.xml, world.trace


def failure_of(seed: int, focus: tuple[str, ...] = ()) -> Failure | None:
    """What is wrong with a seed, None for nothing."""
    uniform = random.Random(seed).random
    choices: list[int] = []

    def below(end: int) -> int:
        choices.append(int(uniform() * end))
        return choices[-1]

    try:
        World(Chooser(below), focus=focus).run()
    except ViolationError as error:
        return Failure(choices, error, focus)
    return None


def shrunk(failure: Failure, runs_max: int = RUNS_MAX) -> Failure:
    """The smallest failure of the same invariant that is found with so many runs."""
    shrinking = _Shrinking(failure, runs_max)
    before = -1
    while before != shrinking.improvements and shrinking.runs_left:
        before = shrinking.improvements
        shrinking.cut_the_end()
        shrinking.cut_pieces()
        shrinking.make_plainer()
    return shrinking.best


class _Shrinking:
    def __init__(self, failure: Failure, runs_max: int) -> None:
        self.best = failure
        self.runs_left = runs_max
        self.improvements = 0

    def fails(self, choices: list[int]) -> bool:
        """Try some choices, and keep them when the same invariant is broken."""
        if not self.runs_left or choices == self.best.choices:
            return False
        self.runs_left -= 1
        try:
            World(Chooser.listed(choices), focus=self.best.focus).run()
        except ViolationError as error:
            if error.invariant == self.best.error.invariant:
                self.best = Failure(choices, error, self.best.focus)
                self.improvements += 1
                return True
        return False

    def cut_the_end(self) -> None:
        short = 0
        while short < len(self.best.choices):
            middle = (short + len(self.best.choices)) // 2
            if not self.fails(self.best.choices[:middle]):
                short = middle + 1

    def cut_pieces(self) -> None:
        for size in (64, 16, 4, 2, 1):
            place = len(self.best.choices) - size
            while place >= 0:
                choices = self.best.choices
                self.fails([*choices[:place], *choices[place + size :]])
                place -= size

    def make_plainer(self) -> None:
        for size in (32, 8):
            for place in range(0, len(self.best.choices), size):
                choices = self.best.choices
                piece = choices[place : place + size]
                self.fails([*choices[:place], *([0] * len(piece)), *choices[place + size :]])
        for place in range(len(self.best.choices)):
            choices = self.best.choices
            for value in (0, choices[place] // 2, choices[place] - 1):
                if 0 <= value < choices[place] and self.fails([*choices[:place], value, *choices[place + 1 :]]):
                    break
