"""`python -m tests.simulation SEED [COUNT]`: replay a seed with its trace, or run some seeds and say how they went."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.world import World


def main(first: int, count: int) -> int:
    """Run; gives 1 when something did not hold."""
    # Pauses and refusals are what a simulation is made of.
    logging.getLogger("noria").setLevel(logging.CRITICAL)
    bad = 0
    marks: Counter[str] = Counter()
    began = time.process_time()
    for seed in range(first, first + count):
        world = World(Chooser.seeded(seed), trace=count == 1)
        try:
            world.run()
        except ViolationError as error:
            bad += 1
            print(f"seed {seed}: {error}")
        marks += world.marks
        if count == 1:
            print(world.xml.decode(), *world.trace, sep="\n")
    print(*(f"{count:7} {mark}" for mark, count in sorted(marks.items())), sep="\n")
    spent = time.process_time() - began
    print(f"{count} seed(s) in {spent:.1f} s of CPU time, {bad} with a violation")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
