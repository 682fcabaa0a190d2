"""The betsy suite: how many of its tests pass may rise, never fall."""

from __future__ import annotations

import pytest

from tests.conformance.betsy import betsy, feel
from tests.shared import SHARED, needs

PASSED_MIN = 0.97


@needs("bpmn-betsy")
def test_most_betsy_tests_pass() -> None:
    verdicts = list(betsy(SHARED / "conformance" / "bpmn-betsy"))
    failed = [f"{verdict.case}: {verdict.comment}" for verdict in verdicts if not verdict.passed]
    assert verdicts
    assert 1 - len(failed) / len(verdicts) >= PASSED_MIN, "\n".join(failed)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('test.contains("a")', 'contains(test, "a")'),
        ('!test.contains("b")', 'not(contains(test, "b"))'),
        ("${integerVariable}", "integerVariable"),
        ("integerVariable<3", "integerVariable<3"),
        ("true", "true"),
    ],
)
def test_the_expressions_of_betsy_are_written_in_feel(written: str, meant: str) -> None:
    assert feel(written) == meant
