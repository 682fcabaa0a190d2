"""In whole worlds, too, the short ways give what the careful ones give: of a step, and of the open tasks it changes."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import pytest

from noria.engine import commands as c
from noria.engine import step as engine
from noria.engine.definition import Definition
from noria.engine.events import AnyEvent
from noria.engine.facts import Facts
from noria.engine.outcome import Outcome
from noria.engine.state import State, encode_state
from noria.engine.step import carefully, step
from noria.kernel.errors import Rejected
from noria.operate import changes, stepping
from noria.operate.rows import Commit
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


def test_in_sixty_worlds_events_tell_which_tasks_have_changed(monkeypatch: pytest.MonkeyPatch):
    looked_at = 0
    differences: list[object] = []

    def both_ways(commit: Commit, before: State, held: changes.Held, happened: list[AnyEvent] | None) -> None:
        nonlocal looked_at
        told, looked = Commit(), Commit()
        changes.add_open_work(told, before, held, happened)
        changes.add_open_work(looked, before, held, None)
        for one in (told, looked):
            one.tasks.sort(key=lambda row: row.tok)
            one.tasks_gone.sort()
            one.candidates_gone.sort()
        looked_at += happened is not None and bool(looked.tasks or looked.tasks_gone)
        if told != looked:
            differences.append((told, looked, happened))
        changes.add_open_work(commit, before, held, happened)

    monkeypatch.setattr(stepping, "MANY", 0)
    monkeypatch.setattr(stepping, "add_open_work", both_ways)
    run_seeds(WORLDS)
    assert not differences
    assert looked_at > 100
