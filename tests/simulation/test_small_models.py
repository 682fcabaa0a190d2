"""The same worlds drawn by Hypothesis: few examples, but a failing one shrinks to a small model and few faults."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.simulation.building import Builder
from tests.simulation.choosing import Chooser
from tests.simulation.world import World

CHOICES = st.binary(min_size=500, max_size=500)
BLOCKS = 4
CALM = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def world_of(choices: bytes) -> World:
    """A world whose first choices are given; all further ones are the plainest."""
    choose = Chooser.listed(choices)
    return World(choose, model=Builder(choose, budget=BLOCKS).model())


@CALM
@given(CHOICES)
def test_no_small_model_breaks_a_promise(choices: bytes):
    world = world_of(choices)
    note(world.xml.decode())
    world.run()
