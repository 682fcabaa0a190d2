"""Models with one planted fault each: deployment refuses most of them. How many may rise, never fall."""

from __future__ import annotations

from tests.conformance.suites import faulty_models
from tests.shared import SHARED, needs

REFUSED_MIN = 0.93

pytestmark = needs("bpmn-constraints")


def test_most_faulty_models_are_refused() -> None:
    verdicts = list(faulty_models(SHARED / "conformance" / "bpmn-constraints"))
    passed = [verdict.case for verdict in verdicts if not verdict.passed]
    assert verdicts
    assert 1 - len(passed) / len(verdicts) >= REFUSED_MIN, passed
