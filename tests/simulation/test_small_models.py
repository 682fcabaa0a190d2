"""The same worlds drawn by Hypothesis: few examples, but a failing one shrinks to a small model and few faults."""

from __future__ import annotations

from hypothesis import HealthCheck, find, given, note, settings
from hypothesis import strategies as st

from tests.simulation.choosing import Chooser
from tests.simulation.history import ViolationError
from tests.simulation.models import Builder, Sequence, blocks_in
from tests.simulation.mutants import MUTANTS
from tests.simulation.world import World

CHOICES = st.binary(min_size=500, max_size=500)
BLOCKS = 4
CALM = settings(
    max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def world_of(choices: bytes) -> World:
    """A world whose first choices are given; all further ones are the plainest."""
    stream = iter(choices)
    choose = Chooser(lambda end: next(stream, 0) % end)
    return World(choose, model=Builder(choose, budget=BLOCKS).model())


def breaks_a_promise(choices: bytes) -> bool:
    """Whether a world notices that something does not hold."""
    try:
        world_of(choices).run()
    except ViolationError:
        return True
    return False


@CALM
@given(CHOICES)
def test_no_small_model_breaks_a_promise(choices: bytes):
    world = world_of(choices)
    note(world.xml.decode())
    world.run()


def test_what_breaks_a_promise_shrinks_to_a_model_that_one_sees_at_a_glance():
    mutant = next(item for item in MUTANTS if item.name == "parallel_join_passes_on_the_first_token")
    with mutant.planted():
        smallest = find(CHOICES, breaks_a_promise, settings=settings(CALM, max_examples=2_000))
    process = world_of(smallest).model.processes[0]
    blocks = [block for block in blocks_in(process.body) if not isinstance(block, Sequence)]
    assert len(blocks) <= 4
