"""Live work, replay and a step taken apart agree on every model of the suites that may be deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from tests.conformance.betsy import prepared
from tests.conformance.importing import imported
from tests.conformance.vendor_scenarios import VENDORS
from tests.conformance.walking import walk
from tests.shared import SHARED, needs

MODELS_MIN = {"bpmn-betsy": 85, "bpmn-miwg": 6, "bpmn-scenarios-camunda7": 190, "bpmn-scenarios-flowable": 150}
"""Suite → how many of its models are walked through at the least."""


def models(suite: Path) -> Iterator[Mapping[str, bytes]]:
    for path in sorted([*suite.rglob("*.bpmn"), *suite.rglob("*.xml")]):
        data = path.read_bytes()
        if suite.name in VENDORS:
            yield imported(path.name, data)
        else:
            yield {path.name: prepared(data, path.name) if suite.name == "bpmn-betsy" else data}


@pytest.mark.parametrize("suite", [pytest.param(suite, marks=needs(suite)) for suite in MODELS_MIN])
def test_every_executable_model_keeps_the_laws_of_the_world(suite: str) -> None:
    tried = [walk(files, Random(1)) for files in models(SHARED / "conformance" / suite)]
    walked = [steps for steps in tried if steps is not None]
    assert len(walked) >= MODELS_MIN[suite], len(walked)
    assert sum(walked) >= len(walked), "some model was not begun"
