"""`noria sim`: replay a seed with its trace, run many, make a failing one small, and replay that.

It ends with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from pathlib import Path

from tests.simulation.building import Builder
from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.shrinking import Failure, failure_of, shrunk
from tests.simulation.world import FOCI, World


def main(arguments: list[str] | None = None) -> int:
    """Run; gives 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="noria sim", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, metavar="N", help="replay one seed with its model and trace")
    what.add_argument("--seeds", type=_span, metavar="A-B", help="run the seeds from A to B and say how they went")
    what.add_argument("--replay", type=Path, metavar="FILE", help="replay what --shrink has written")
    parser.add_argument(
        "--shrink", type=Path, metavar="FILE", help="write the first failure, made small, to FILE.bpmn and FILE.trace"
    )
    parser.add_argument(
        "--focus",
        type=_foci,
        default=(),
        metavar="WHAT,WHAT",
        help=f"have more than usual of some kinds of blocks, or of: {', '.join(FOCI)}",
    )
    asked = parser.parse_args(arguments)
    if asked.focus and asked.replay is not None:
        parser.error("--focus does not go with --replay, whose file says what it was")
    # Pauses and refusals are what a simulation is made of.
    logging.getLogger("noria").setLevel(logging.CRITICAL)
    if asked.replay is not None:
        return _show(_written(asked.replay.with_suffix(".trace").read_text()))
    if asked.shrink is not None:
        seeds = range(asked.seed, asked.seed + 1) if asked.seeds is None else asked.seeds
        return _shrink(seeds, asked.focus, asked.shrink)
    if asked.seeds is None:
        return _show(World(Chooser.seeded(asked.seed), trace=True, focus=asked.focus))
    return _run(asked.seeds, asked.focus)


def _span(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last) + 1)


def _foci(text: str) -> tuple[str, ...]:
    foci = tuple(text.split(","))
    for focus in foci:
        if focus not in FOCI and not hasattr(Builder, f"_{focus}"):
            raise argparse.ArgumentTypeError(f"{focus!r} is no kind of block, nor any of {', '.join(FOCI)}")
    return foci


def _show(world: World) -> int:
    broken = ""
    try:
        world.run()
    except ViolationError as error:
        broken = str(error)
    print(world.xml.decode(), *world.trace, sep="\n")
    print(broken or "No promise was broken.")
    return int(bool(broken))


def _run(seeds: range, focus: tuple[str, ...]) -> int:
    bad = 0
    marks: Counter[str] = Counter()
    began = time.process_time()
    for seed in seeds:
        world = World(Chooser.seeded(seed), focus=focus)
        try:
            world.run()
        except ViolationError as error:
            bad += 1
            print(f"seed {seed}: {error}")
        marks += world.marks
    print(*(f"{count:7} {mark}" for mark, count in sorted(marks.items())), sep="\n")
    spent = time.process_time() - began
    print(f"{len(seeds)} seed(s) in {spent:.1f} s of CPU time, {bad} with a violation")
    return min(bad, 1)


def _shrink(seeds: range, focus: tuple[str, ...], to: Path) -> int:
    failure = next((found for found in (failure_of(seed, focus) for seed in seeds) if found is not None), None)
    if failure is None:
        print("No promise was broken; there is nothing to make small.")
        return 0
    small = shrunk(failure)
    xml, trace = small.trace()
    model, story = to.with_suffix(".bpmn"), to.with_suffix(".trace")
    model.write_bytes(xml)
    story.write_text("\n".join([str(small.error), *_origin(small), *trace, ""]))
    print(f"{failure.error}\n{len(failure.choices)} choices became {len(small.choices)}: {model} and {story}")
    return 1


def _origin(failure: Failure) -> tuple[str, str]:
    """The two lines that a world can be made from again."""
    return f"focus {','.join(failure.focus)}", "choices " + " ".join(map(str, failure.choices))


def _written(story: str) -> World:
    """The world of what `_shrink` has written."""
    focus, choices = (line.partition(" ")[2] for line in story.splitlines()[1:3])
    kinds = tuple(filter(None, focus.split(",")))
    return World(Chooser.listed(int(choice) for choice in choices.split()), trace=True, focus=kinds)


if __name__ == "__main__":
    sys.exit(main())
