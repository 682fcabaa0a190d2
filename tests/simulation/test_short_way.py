"""In whole worlds, too, the short way of a step gives what the careful one gives."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import pytest

from noria.engine import commands as c
from noria.engine import step as engine
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.outcome import Outcome
from noria.engine.state import State, encode_state
from noria.engine.step import carefully, step
from noria.kernel.errors import Rejected
from noria.operate import stepping
from tests.simulation.seeds import run_seeds

WORLDS = range(60)


def test_no_command_of_sixty_worlds_comes_to_something_else_on_the_short_way(monkeypatch: pytest.MonkeyPatch):
    ways: Counter[str] = Counter()
    differences: list[object] = []

    def both_ways(
        definition: Definition, state: State, command: c.AnyCommand, now_ms: int, facts: Facts
    ) -> Outcome | Rejected:
        with patch.object(engine, "carefully", wraps=carefully) as asked:
            outcome = step(definition, state, command, now_ms, facts)
        ways["careful" if asked.called else "short"] += 1
        careful = carefully(definition, state, command, now_ms, facts)
        # Noted, not raised: whatever fails a command stays with its instance.
        if outcome != careful:
            differences.append((command, outcome, careful))
        elif isinstance(outcome, Outcome) and encode_state(outcome.state) != encode_state(careful.state):
            differences.append((command, "in another order"))
        return outcome

    monkeypatch.setattr(stepping, "step", both_ways)
    run_seeds(WORLDS)
    assert not differences
    assert ways["short"] > 10
    assert ways["careful"] > 50
