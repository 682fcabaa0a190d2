"""The even seeds: one of two files, so that two test processes share the work."""

from __future__ import annotations

import pytest

from tests.simulation.seeds import ENOUGH_FOR_ALL_MARKS, SEEDS, missing, run_seeds


def test_no_even_seed_breaks_a_promise_and_together_they_come_by_every_point():
    seeds = range(0, SEEDS, 2)
    marks = run_seeds(seeds)
    if len(seeds) < ENOUGH_FOR_ALL_MARKS:
        pytest.skip(f"{len(seeds)} seeds broke no promise, but are too few to come by every point")
    assert missing(marks) == []
