"""The visible part of the DMN TCK: pass rates may rise, never fall. Both rates count: null alone passes two fifths."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import dmn_tck

pytestmark = pytest.mark.skipif(
    not dmn_tck.tck_folder().is_dir(), reason=f"the DMN TCK is not at {dmn_tck.tck_folder()} (set NORIA_SHARED)"
)


@pytest.mark.parametrize(
    ("level", "all_min", "value_min"), [("compliance-level-2", 1.0, 1.0), ("compliance-level-3", 0.985, 0.98)]
)
def test_the_pass_rate_does_not_fall(level, all_min, value_min):
    results = dmn_tck.run_level(level)
    every, valued = dmn_tck.rates(results)
    print(f"{level}: {len(results)} cases, all {every:.2%}, with a value {valued:.2%}")
    failed = [f"{one.folder}/{one.case}: {one.comment}" for one in results if not one.passed]
    assert every >= all_min, "\n".join(failed[:20])
    assert valued >= value_min, "\n".join(failed[:20])
