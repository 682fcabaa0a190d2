"""Graphs without structure: tokens are conserved, and joins wait as long as BPMN says, however it is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from unittest.mock import patch

import pytest

from noria.engine import events as e
from noria.engine import joining
from noria.engine.run import Run
from tests.simulation.choosing import Chooser
from tests.simulation.conservation import run
from tests.simulation.graphs import drawn
from tests.simulation.history import ViolationError
from tests.simulation.mutants import MUTANTS, Mutant, Patch
from tests.simulation.seeds import SEEDS

GRAPHS = SEEDS // 10
"""Each takes about 15 ms, most of it for compiling what is drawn."""

GRAPHS_FOR_A_MUTANT = 300


def test_no_graph_loses_or_makes_up_a_token_and_no_join_goes_on_too_early_or_too_late():
    happened: Counter[str] = Counter()
    for seed in range(GRAPHS):
        try:
            ledger = run(Chooser.seeded(seed))
        except ViolationError as error:
            pytest.fail(f"graph {seed}: {error}\n{drawn(Chooser.seeded(seed)).decode()}")
        happened += ledger.joins
        happened["merged"] += ledger.merged
        happened["cancelled"] += ledger.cancelled
    if GRAPHS >= 150:
        wanted = ("parallel", "inclusive", "complex", "merged", "cancelled")
        assert [name for name in wanted if not happened[name]] == []


GRAPH_MUTANTS = [item for item in MUTANTS if "_join_" in item.name]


def mutant(patches: Callable[[], list[Patch]]) -> Callable[[], list[Patch]]:
    GRAPH_MUTANTS.append(Mutant(patches.__name__, patches))
    return patches


@mutant
def inclusive_join_waits_for_all_of_its_flows() -> list[Patch]:
    return [
        patch.object(
            joining, "_may_still_arrive", lambda _run, _scope, element, arrived: set(element.incoming) - arrived
        )
    ]


@mutant
def complex_join_is_never_reset() -> list[Patch]:
    return [patch.object(joining, "_reset", lambda _run, _scope, _element, _tokens: False)]


@mutant
def all_flows_but_one_are_forgotten() -> list[Patch]:
    def take(self: Run, token: int, element: object, flows: tuple[int, ...]) -> None:
        scope = self.state.tokens[token].scope
        if len(flows) < 2:
            original(self, token, element, flows)
            return
        self.emit(e.ElementLeft(token, element.index, flows))
        self.enter_all(flows[:1], scope)

    original = Run.take
    return [patch.object(Run, "take", take)]


@mutant
def interrupted_sub_process_leaves_its_tokens_behind() -> list[Patch]:
    def cancel(self: Run, token: int, reason: str) -> None:
        self.emit(e.ElementCancelled(token, self.state.tokens[token].element, reason))

    return [patch.object(Run, "cancel", cancel)]


@pytest.mark.parametrize("planted", GRAPH_MUTANTS, ids=lambda item: item.name)
def test_every_mutant_of_joins_and_tokens_is_caught_without_knowing_the_way(planted: Mutant):
    with planted.planted():
        for seed in range(GRAPHS_FOR_A_MUTANT):
            try:
                run(Chooser.seeded(seed))
            except ViolationError:
                return
    pytest.fail(f"{GRAPHS_FOR_A_MUTANT} graphs did not notice that {planted.name.replace('_', ' ')}")
