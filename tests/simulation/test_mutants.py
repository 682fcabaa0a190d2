"""The tests of the tests: a guarantee that is taken away must be missed."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from typing import Any

import pytest

from tests.simulation import test_found_bugs as found
from tests.simulation.choosing import Chooser
from tests.simulation.element_mutants import ELEMENT_MUTANTS
from tests.simulation.history import ViolationError
from tests.simulation.mutants import MUTANTS, RARE_MUTANTS, Mutant
from tests.simulation.world import World

SEEDS_MAX = 1_000

SCENARIOS = {
    "nobody_is_told_when_the_shards_cannot_be_taken_anew": (
        found.test_a_message_is_delivered_without_a_further_command_when_the_shards_could_not_be_taken_anew
    ),
    "old_epoch_is_used_when_shards_cannot_be_taken_anew": (
        found.test_nothing_is_written_before_the_shards_are_taken_anew_after_a_commit_without_answer
    ),
    "commit_without_an_answer_is_not_looked_for": (
        found.test_a_message_finds_the_subscription_that_a_commit_without_answer_has_opened
    ),
}


@pytest.mark.parametrize("mutant", [*MUTANTS, *ELEMENT_MUTANTS, *RARE_MUTANTS], ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_called_as_what_it_replaces(mutant: Mutant):
    # One that fails when it is called would be caught for that, whatever the invariants are worth.
    for patched in mutant.patches():
        for original, replacement in _replaced(patched):
            if callable(original):
                for positional, named in _calls(original):
                    signature(replacement).bind(*positional, **named)


def _replaced(patched: Any) -> Iterator[tuple[Any, Any]]:
    """What a patch replaces by what."""
    if hasattr(patched, "in_dict"):
        for key, replacement in patched.values.items():
            yield patched.in_dict[key], replacement
    else:
        yield getattr(patched.getter(), patched.attribute), patched.new


def _calls(function: Any) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The shortest way and the longest to call a function: what is given by place and by name."""
    for whole in (False, True):
        given = [each for each in signature(function).parameters.values() if whole or each.default is each.empty]
        named = {each.name: each.name for each in given if each.kind is each.KEYWORD_ONLY}
        yield [each.name for each in given if each.name not in named], named


@pytest.mark.parametrize("mutant", [*MUTANTS, *ELEMENT_MUTANTS], ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught(mutant: Mutant):
    with mutant.planted():
        for seed in range(SEEDS_MAX):
            try:
                World(Chooser.seeded(seed), focus=mutant.focus).run()
            except ViolationError:
                return
    pytest.fail(f"{SEEDS_MAX} seeds did not notice that {mutant.name.replace('_', ' ')}")


@pytest.mark.parametrize("mutant", RARE_MUTANTS, ids=lambda mutant: mutant.name)
def test_every_rare_mutant_is_caught_by_its_scenario(mutant: Mutant):
    with mutant.planted(), pytest.raises((AssertionError, ViolationError)):
        SCENARIOS[mutant.name](found.Scene())
