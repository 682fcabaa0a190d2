"""BPMN files that other tools wrote: each is read and written back without loss, and is run or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from noria.adapters.cli.cli import group
from noria.design.bpmn import BpmnFile, compile_bpmn, read_bpmn
from noria.design.findings import Finding, has_errors
from tests.conformance.suites import files_of_other_tools
from tests.shared import SHARED, needs

MIWG = SHARED / "conformance" / "bpmn-miwg"
PACKS = {"bpmn-scenarios-camunda7": 13, "bpmn-scenarios-flowable": 13, "bpmn-betsy": 0}
"""Suite → how many of its models may be deployed as they are; most use another engine's extensions or scripts."""


def read(path: Path) -> tuple[BpmnFile, list[Finding]]:
    found, findings = read_bpmn(path.read_bytes(), path.name)
    assert found is not None, f"{path}: {findings}"
    return found, findings


def verdict(path: Path) -> tuple[bool, list[Finding]]:
    """Whether a file may be deployed, and what was found."""
    found, findings = read(path)
    graphs, more = compile_bpmn(found)
    findings = findings + more
    return bool(graphs) and not has_errors(findings), findings


def reasons(findings: list[Finding]) -> list[Finding]:
    return [item for item in findings if item.severity == "error"]


@needs("bpmn-miwg")
def test_every_file_is_read_and_written_back_without_loss() -> None:
    verdicts = list(files_of_other_tools(MIWG))
    assert verdicts
    assert [verdict for verdict in verdicts if not verdict.passed] == []


@needs("bpmn-miwg")
def test_what_is_refused_names_the_element_and_its_line_and_the_rest_runs_to_its_end() -> None:
    ran = []
    for path in sorted(MIWG.rglob("*.bpmn")):
        deployable, findings = verdict(path)
        if not deployable:
            assert reasons(findings), path
            assert all(item.line > 0 and item.code and item.message for item in reasons(findings)), path
            continue
        result = CliRunner().invoke(group, ["run", str(path), "--complete", "all"], obj=None)
        assert result.exit_code == 0, f"{path}: {result.output}"
        assert "InstanceCompleted" in result.output
        ran.append(path)
    assert len(ran) >= 6, ran
    assert len({path.parent for path in ran}) >= 4, "files of at least four tools run"


@pytest.mark.parametrize("pack", [pytest.param(pack, marks=needs(pack)) for pack in PACKS])
def test_every_model_of_the_scenario_packs_is_deployable_or_refused_by_name(pack: str) -> None:
    deployable = 0
    for path in sorted(
        [*(SHARED / "conformance" / pack).rglob("*.bpmn"), *(SHARED / "conformance" / pack).rglob("*.xml")]
    ):
        good, findings = verdict(path)
        deployable += good
        assert good or reasons(findings), path
        assert all(item.line > 0 for item in reasons(findings)), path
    assert deployable >= PACKS[pack]
