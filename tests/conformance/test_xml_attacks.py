"""Hostile and harmless files at the guarded door: refused, accepted, or accepted without effect, as the suite says."""

from __future__ import annotations

from tests.conformance.suites import hostile_xml
from tests.shared import SHARED, needs

pytestmark = needs("xml-attacks")


def test_deploying_does_what_the_suite_expects_within_its_budget() -> None:
    verdicts = list(hostile_xml(SHARED / "conformance" / "xml-attacks"))
    assert verdicts
    assert [verdict for verdict in verdicts if not verdict.passed] == []
