"""Every scenario beside this file, played by the pure engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.playing import Player, Scenario, read_scenarios

SCENARIOS = [scenario for path in sorted(Path(__file__).parent.glob("*.scenario")) for scenario in read_scenarios(path)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario: Scenario) -> None:
    Player(scenario).play(scenario)
