"""Files that are deployed together: what one of them says of the others."""

from __future__ import annotations

import pytest

from noria.design.bpmn.names import BPMN
from noria.operate.bundles import read_bundle

MODEL = (
    '<definitions xmlns="{0}" targetNamespace="t"><import importType="{1}" namespace="urn:o" location="{2}"/>'
    '<process id="{3}" isExecutable="true"><startEvent id="s"/><endEvent id="e"/>'
    '<sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>'
)


@pytest.mark.parametrize(
    ("kind", "location", "found"),
    [
        (BPMN, "other.bpmn", []),
        (BPMN, "./folder/other.bpmn", []),
        (BPMN, "gone.bpmn", [("deployment.import", 1)]),
        (BPMN, "http://127.0.0.1:9/gone.bpmn", []),
        ("http://www.w3.org/2001/XMLSchema", "types.xsd", []),
    ],
    ids=["there", "in a folder", "not there", "an address", "types"],
)
def test_a_bpmn_file_that_is_imported_is_deployed_with_it(
    kind: str, location: str, found: list[tuple[str, int]]
) -> None:
    other = MODEL.format(BPMN, "x", "y", "other").encode()
    files = {"model.bpmn": MODEL.format(BPMN, kind, location, "model").encode(), "other.bpmn": other}
    assert [(item.code, item.line) for item in read_bundle(files).findings] == found
