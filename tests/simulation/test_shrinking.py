"""A failing world is made small."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.simulation.__main__ import main
from tests.simulation.element_mutants import ELEMENT_MUTANTS
from tests.simulation.shrinking import failure_of, shrunk

MUTANT = next(item for item in ELEMENT_MUTANTS if item.name == "signal_does_not_reach_its_own_instance")
RUNS = 300


def first_failing_seed() -> int:
    return next(seed for seed in range(400) if failure_of(seed) is not None)


def test_a_failing_seed_becomes_small_and_breaks_the_same_promise():
    with MUTANT.planted():
        failure = failure_of(first_failing_seed())
        assert failure is not None
        small = shrunk(failure, RUNS)
        xml, trace = small.trace()
    assert small.error.invariant == failure.error.invariant
    assert len(small.choices) < len(failure.choices) / 2
    assert len(xml) < len(failure.trace()[0])
    assert trace


def test_what_was_made_small_is_a_bpmn_file_and_a_trace_that_can_be_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    to = tmp_path / "small"
    with MUTANT.planted():
        assert main(["--seeds", "0-400", "--focus", *MUTANT.focus, "--shrink", str(to)]) == 1
        assert main(["--replay", str(to)]) == 1
    assert ET.fromstring(to.with_suffix(".bpmn").read_bytes()).tag.endswith("}definitions")  # noqa: S314
    assert to.with_suffix(".trace").read_text().splitlines()[0] == capsys.readouterr().out.splitlines()[-1]


def test_without_a_failure_nothing_is_written(tmp_path: Path):
    assert main(["--seed", "0", "--shrink", str(tmp_path / "small")]) == 0
    assert list(tmp_path.iterdir()) == []
