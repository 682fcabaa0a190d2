"""Models with one planted fault each: deployment refuses nearly all of them. How many may rise, never fall."""

from __future__ import annotations

from pathlib import Path

from noria.design.findings import has_errors
from noria.operate.deploying import read_bundle
from tests.shared import SHARED, needs

FOLDER = SHARED / "conformance" / "bpmn-constraints"
REFUSED_MIN = 0.79

pytestmark = needs("bpmn-constraints")


def refused(path: Path) -> bool:
    return has_errors(read_bundle({path.name: path.read_bytes()}).findings)


def test_nearly_every_faulty_model_is_refused() -> None:
    paths = sorted(FOLDER.rglob("*.bpmn"))
    passed = [path.name for path in paths if not refused(path)]
    assert paths
    assert 1 - len(passed) / len(paths) >= REFUSED_MIN, passed
