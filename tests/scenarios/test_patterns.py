"""The workflow control-flow patterns: how many of the 43 a named scenario shows may rise, never fall."""

from __future__ import annotations

import re

from tests.scenarios.test_scenarios import SCENARIOS

SHOWN_MIN = 40
_NAME = re.compile(r"WCP-(?P<number>\d\d) ")


def test_most_patterns_have_a_scenario_of_their_own() -> None:
    shown = {int(found["number"]) for scenario in SCENARIOS if (found := _NAME.match(scenario.name))}
    assert shown <= set(range(1, 44))
    assert len(shown) >= SHOWN_MIN, sorted(set(range(1, 44)) - shown)
