"""The run as a whole: what is found makes it fail, and the page says all of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.torture import run
from tests.torture.page import Result, page
from tests.torture.run import PAGE, SCENARIOS, Scenario, main, nothing
from tests.torture.scenarios import Outcome


async def fine(_seed: int, _folder: Path) -> Outcome:
    return Outcome(cuts=2, commands=5, acknowledged=4)


async def lossy(_seed: int, _folder: Path) -> Outcome:
    outcome = Outcome(cuts=1)
    outcome.verdict.lost.append("start-1")
    return outcome


async def stuck(_seed: int, _folder: Path) -> Outcome:
    raise TimeoutError


def run_these(monkeypatch: pytest.MonkeyPatch, target: Path, *scenarios: Scenario) -> tuple[int, str]:
    monkeypatch.setattr(run, "SCENARIOS", scenarios)
    code = main(["--minutes", "0", "--seed", "1", "--page", str(target)])
    return code, target.read_text(encoding="utf-8")


def test_a_run_in_which_all_holds_succeeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, text = run_these(monkeypatch, tmp_path / "page", Scenario("a", "Done.", "做", nothing, fine))
    assert code == 0
    assert "| a | 2 | 5 | 4 | 0 | 0 | holds |" in text
    assert "nothing lost, nothing doubled" in text


@pytest.mark.parametrize(("broken", "cells"), [(lossy, "| 1 | 0 | holds |"), (stuck, "| 0 | 0 | broken |")])
def test_a_run_in_which_something_is_lost_or_never_ends_fails_and_the_others_are_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: object, cells: str
) -> None:
    scenarios = Scenario("bad", "", "", nothing, broken), Scenario("good", "", "", nothing, fine)
    code, text = run_these(monkeypatch, tmp_path / "page", *scenarios)
    assert code == 1
    assert cells in text
    assert "## The last run: **failed: bad**" in text
    assert "| good | 2 |" in text


def test_what_cannot_run_here_is_said_on_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scenario = Scenario("a", "", "", lambda: "no privilege", stuck)
    code, text = run_these(monkeypatch, tmp_path / "page", scenario, Scenario("b", "", "", nothing, fine))
    assert code == 0
    assert "`a` was skipped: no privilege." in text


def test_the_page_of_the_last_run_has_every_scenario() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [scenario.name for scenario in SCENARIOS if f"| {scenario.name} |" not in text] == []


def test_rounds_add_up() -> None:
    result = Result("a", "", "")
    for _ in range(3):
        result.outcome.add(Outcome(cuts=2, commands=5, acknowledged=4, takeovers_ms=[7]))
    assert "| a | 6 | 15 | 12 | 0 | 0 | holds |" in page([result], 1, 1, time.gmtime(0))
    assert result.outcome.takeovers_ms == [7, 7, 7]
