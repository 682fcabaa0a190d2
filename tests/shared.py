"""Where the outside suites are: beside the checkout, or where NORIA_SHARED says. Without them their tests skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("NORIA_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def needs(suite: str) -> pytest.MarkDecorator:
    """Skips a test when a suite of the outside data is not here."""
    folder = SHARED / "conformance" / suite
    return pytest.mark.skipif(not folder.is_dir(), reason=f"the suite {suite} is not at {folder} (set NORIA_SHARED)")
