"""`noria export`: what it writes, prints and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noria.adapters.cli.cli import group
from noria.adapters.demo.seeding import example_files
from noria.bootstrap import Composition
from noria.design.bpmn import compile_bpmn, read_bpmn
from noria.design.findings import has_errors


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "purchase.bpmn"
    path.write_bytes(example_files()["purchase.bpmn"])
    return path


def export(folder: Path, *arguments: object) -> Result:
    return CliRunner().invoke(
        group, ["export", *map(str, arguments), "--to", str(folder / "out")], obj=Composition(), catch_exceptions=False
    )


def test_without_plain_a_file_loses_nothing(tmp_path: Path, model: Path) -> None:
    answer = export(tmp_path, model)
    assert (answer.exit_code, answer.stdout) == (0, "")
    read, findings = read_bpmn((tmp_path / "out" / "purchase.bpmn").read_bytes(), "purchase.bpmn")
    original, _ = read_bpmn(model.read_bytes(), "purchase.bpmn")
    assert read is not None
    assert original is not None
    assert not has_errors([*findings, *compile_bpmn(read)[1]])
    assert [(node.tag, node.attributes, node.text) for node in read.document.root.descendants()] == [
        (node.tag, node.attributes, node.text) for node in original.document.root.descendants()
    ]


def test_plain_says_by_element_what_is_lost_and_writes_a_file_without_our_namespace(
    tmp_path: Path, model: Path
) -> None:
    answer = export(tmp_path, model, "--plain")
    assert answer.exit_code == 0
    assert "purchase.bpmn:45: manager_review: export.described: noria:dueIn" in answer.stdout
    assert "lost to other tools" in answer.stderr
    assert b"urn:noria:bpmn" not in (tmp_path / "out" / "purchase.bpmn").read_bytes()


def test_the_report_is_there_in_both_languages_and_for_programs(tmp_path: Path, model: Path) -> None:
    answer = export(tmp_path, model, "--plain", "--language", "zh")
    assert "没有标准写法" in answer.stdout
    answer = export(tmp_path, model, "--plain", "--report", "json", "--overwrite")
    (file,) = json.loads(answer.stdout)
    assert file["written"] == str(tmp_path / "out" / "purchase.bpmn")
    assert {line["severity"] for line in file["findings"]} == {"info", "warning"}
    assert all(line["sentences"]["zh"] and line["sentences"]["en"] for line in file["findings"])


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path, model: Path) -> None:
    assert export(tmp_path, model).exit_code == 0
    answer = export(tmp_path, model)
    assert answer.exit_code == 2
    assert "--overwrite" in answer.stderr
    assert export(tmp_path, model, "--overwrite").exit_code == 0


def test_the_file_itself_is_never_overwritten(tmp_path: Path, model: Path) -> None:
    answer = CliRunner().invoke(
        group, ["export", str(model), "--plain", "--to", str(tmp_path), "--overwrite"], obj=Composition()
    )
    assert answer.exit_code == 2
    assert model.read_bytes() == example_files()["purchase.bpmn"]


def test_one_file_that_cannot_be_read_keeps_all_from_being_written(tmp_path: Path, model: Path) -> None:
    broken = tmp_path / "broken.bpmn"
    broken.write_text("<definitions", encoding="utf-8")
    answer = export(tmp_path, model, broken, "--plain")
    assert answer.exit_code == 2
    assert "broken.bpmn:1: -: xml.refused" in answer.stdout
    assert not (tmp_path / "out").exists()
