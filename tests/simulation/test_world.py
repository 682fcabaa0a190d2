"""The simulation itself: chance comes from the seed alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.mutants import MUTANTS
from tests.simulation.seeds import report
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]


def traced(seed: int) -> str:
    world = World(Chooser.seeded(seed), trace=True)
    world.run()
    return "\n".join([world.xml.decode(), *world.trace])


def test_the_same_seed_gives_the_same_trace_byte_for_byte():
    for seed in range(20):
        assert traced(seed) == traced(seed)


def test_another_process_with_another_hash_seed_gives_the_same_trace():
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7"],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert "server1 starts" in outputs[0]
    assert outputs[0] == outputs[1]


def test_a_failing_seed_says_its_number_its_model_and_what_happened():
    mutant = next(item for item in MUTANTS if item.name == "command_is_answered_before_it_is_written")
    with mutant.planted():
        try:
            World(Chooser.seeded(3)).run()
        except ViolationError as error:
            text = report(3, error)
    assert text.startswith("seed 3: I6: ")
    assert '<process id="main"' in text
    assert "    1 " in text
