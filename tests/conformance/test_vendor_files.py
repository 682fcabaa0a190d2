"""Files of Camunda 7, Operaton and Flowable: nothing of them is lost, and most need no work."""

from __future__ import annotations

import pytest

from noria.design.bpmn import read_bpmn
from noria.design.findings import has_errors
from noria.design.importing import import_bpmn
from noria.design.xml import read_xml
from tests.conformance import vendor_files
from tests.shared import SHARED, needs

SHARE_MIN = {"bpmn-scenarios-camunda7": 0.98, "bpmn-scenarios-flowable": 0.95}
"""Of the files without Java classes that need no work; reached once, and kept."""
PACKS = [pytest.param(SHARED / "conformance" / pack, id=pack, marks=needs(pack)) for pack in vendor_files.PACKS]


@pytest.mark.parametrize("pack", PACKS)
def test_every_vendors_attribute_is_mapped_or_reported_by_name(pack) -> None:
    verdicts = list(vendor_files.attributes(pack))
    assert len(verdicts) > 50
    assert [verdict for verdict in verdicts if not verdict.passed] == []


@pytest.mark.parametrize("pack", PACKS)
def test_most_files_need_no_work(pack) -> None:
    verdicts = list(vendor_files.files(pack))
    assert len(verdicts) > 100
    assert sum(verdict.passed for verdict in verdicts) >= SHARE_MIN[pack.name] * len(verdicts)


@pytest.mark.parametrize("pack", PACKS)
def test_what_is_written_is_bpmn_whose_ids_and_references_are_right_and_imports_again_unchanged(pack) -> None:
    for path in vendor_files.paths(pack):
        document = import_bpmn(path.read_bytes(), path.name).document
        assert document is not None, path
        assert list(vendor_files.spoken(read_xml(document).root)) == [], path
        read, findings = read_bpmn(document, path.name)
        assert read is not None
        known = {"bpmn.boundary_host"}
        assert not has_errors([finding for finding in findings if finding.code not in known]), (path, findings)
        again = import_bpmn(document, path.name)
        assert again.document == document, path
