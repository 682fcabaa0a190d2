"""Hostile and harmless files at the guarded door: refused, accepted, or accepted without effect, as the suite says."""

from __future__ import annotations

import json
import time

import pytest

from noria.design.findings import has_errors
from noria.operate.deploying import read_bundle
from tests.shared import SHARED, needs

FOLDER = SHARED / "conformance" / "xml-attacks"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8")) if FOLDER.is_dir() else {"files": {}}

pytestmark = needs("xml-attacks")


@pytest.mark.parametrize("name", sorted(EXPECTED["files"]))
def test_deploying_does_what_the_suite_expects_within_its_budget(name: str) -> None:
    begun = time.process_time()
    findings = read_bundle({name: (FOLDER / name).read_bytes()}).findings
    spent = time.process_time() - begun
    wanted = EXPECTED["files"][name]
    accepted = not has_errors(findings)
    assert accepted == wanted["expect"].startswith("accept"), (wanted["why"], [str(item) for item in findings])
    assert spent < EXPECTED["budget"]["seconds_each"]
    assert accepted or all(str(item).startswith(f"{name}:") and item.line and item.message for item in findings)
