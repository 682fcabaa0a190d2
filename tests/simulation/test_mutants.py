"""The tests of the tests: a guarantee that is taken away must be missed."""

from __future__ import annotations

import pytest

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.world import World

SEEDS_MAX = 1_000


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught(mutant: Mutant):
    with mutant.planted():
        for seed in range(SEEDS_MAX):
            try:
                World(Chooser.seeded(seed)).run()
            except ViolationError:
                return
    pytest.fail(f"{SEEDS_MAX} seeds did not notice that {mutant.name.replace('_', ' ')}")
