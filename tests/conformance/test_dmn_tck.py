"""The visible part of the DMN TCK: pass rates may rise, never fall. Both rates count: null alone passes two fifths."""

from __future__ import annotations

import pytest

from tests.conformance import dmn_tck
from tests.shared import SHARED, needs

pytestmark = needs("dmn-tck")


@pytest.mark.parametrize(
    ("level", "all_min", "value_min"), [("compliance-level-2", 1.0, 1.0), ("compliance-level-3", 1.0, 1.0)]
)
def test_the_pass_rate_does_not_fall(level, all_min, value_min):
    results = dmn_tck.run_level(SHARED / "conformance" / "dmn-tck" / level)
    every, valued = dmn_tck.rates(results)
    print(f"{level}: {len(results)} cases, all {every:.2%}, with a value {valued:.2%}")
    failed = [f"{one.folder}/{one.case}: {one.comment}" for one in results if not one.passed]
    assert every >= all_min, "\n".join(failed[:20])
    assert valued >= value_min, "\n".join(failed[:20])
