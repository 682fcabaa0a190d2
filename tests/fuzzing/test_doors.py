"""Whatever comes in through a door is answered or refused, never met by another exception.

Each input that once broke a door is a file in `found/`, named DOOR-WHAT. Every day a few hundred inputs are drawn;
`NORIA_FUZZ_SECONDS` has more drawn for that long, each under a limit of time and memory.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.doors import DOORS
from tests.fuzzing.mutating import FOUND, SEEDS, drawn

KEPT = sorted(FOUND.iterdir())
SECONDS = int(os.environ.get("NORIA_FUZZ_SECONDS", "0"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_what_once_broke_a_door_no_longer_does(path):
    DOORS[path.name.partition("-")[0]](path.read_bytes())


@pytest.mark.parametrize("door", DOORS)
def test_a_door_lets_good_input_through_and_refuses_any_other(door):
    for seed in SEEDS[door]:
        DOORS[door](seed)

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def refuses(random):
        DOORS[door](drawn(random, door))

    refuses()


@pytest.mark.skipif(SECONDS == 0, reason="NORIA_FUZZ_SECONDS says how long")
def test_drawing_for_long_breaks_no_door():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing", str(SECONDS)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
