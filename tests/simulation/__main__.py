"""`python -m tests.simulation SEED [COUNT]`: replay a seed with its trace, or run some seeds and say how they went."""

from __future__ import annotations

import sys
import time

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.world import World


def main(first: int, count: int) -> int:
    """Run; gives 1 when something did not hold."""
    bad = 0
    began = time.perf_counter()
    for seed in range(first, first + count):
        world = World(Chooser.seeded(seed), trace=count == 1)
        try:
            world.run()
        except ViolationError as error:
            bad += 1
            print(f"seed {seed}: {error}")
        if count == 1:
            print(world.xml.decode(), *world.trace, sep="\n")
    spent = time.perf_counter() - began
    print(f"{count} seed(s) in {spent:.1f} s, {bad} with a violation")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
