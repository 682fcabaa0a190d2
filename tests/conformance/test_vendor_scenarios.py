"""Scenarios of Camunda 7 and Flowable on imported models: how many hold may rise, never fall."""

from __future__ import annotations

import pytest

from tests.conformance.vendor_scenarios import vendor_scenarios
from tests.shared import SHARED, needs

PASSED_MIN = {"bpmn-scenarios-camunda7": (0.94, 0.91), "bpmn-scenarios-flowable": (0.92, 0.9)}
"""Suite → the least share that holds of the neutral scenarios, and of all."""


@pytest.mark.parametrize("suite", [pytest.param(suite, marks=needs(suite)) for suite in PASSED_MIN])
def test_most_scenarios_hold(suite: str) -> None:
    found = list(vendor_scenarios(SHARED / "conformance" / suite))
    neutral = [verdict for is_neutral, verdict in found if is_neutral]
    every = [verdict for _, verdict in found]
    for verdicts, least in zip((neutral, every), PASSED_MIN[suite], strict=True):
        failed = [f"{verdict.case}: {verdict.comment}" for verdict in verdicts if not verdict.passed]
        assert verdicts
        assert 1 - len(failed) / len(verdicts) >= least, "\n".join(failed)
