"""The generated pages say what the code says."""

import json
import re
from pathlib import Path

import pytest
from scripts import reference

from noria.operate.timeline import KIND_OF, KIND_OF_OUTCOME

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def test_the_pages_of_the_reference_are_those_that_are_generated(pages):
    assert {path.name for path in (ROOT / "docs" / "reference").glob("*.md")} == set(pages)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "docs" / "reference").glob("*.md")))
def test_a_page_says_what_the_code_says(pages, name):
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == pages[name], f"docs/reference/{name} is not up to date: run make docs"


def test_the_description_for_modellers_says_what_the_code_says():
    written = reference.MODDLE.read_text(encoding="utf-8")
    assert written == reference.moddle_file(), "noria.moddle.json is not up to date: run make docs"


def test_generating_twice_gives_the_same_pages(pages):
    assert reference.pages() == pages


def test_every_error_that_a_page_shows_has_its_sentence_in_both_languages(pages):
    rows = [line.split("|") for line in pages["errors.md"].splitlines() if line.startswith("| `")]
    shown = [row for row in rows if len(row) == 6 and row[2].strip()]
    assert shown
    assert [row[1].strip() for row in shown if not row[3].strip() or not row[4].strip()] == []


def test_every_finding_about_a_model_has_its_chinese_sentence(pages):
    part = pages["errors.md"].partition("## Findings about models")[2].partition("\n## ")[0]
    codes = re.findall(r"^\| `([^`]+)`", part, re.MULTILINE)
    chinese = json.loads((ROOT / "web" / "src" / "i18n" / "findings.zh-CN.json").read_text(encoding="utf-8"))
    assert codes
    assert [code for code in codes if code not in chinese] == []
    elsewhere = ("export.", "feel.")  # what an export or an evaluation says
    lost = [code for code in chinese if code not in codes and not code.startswith(elsewhere)]
    assert lost == [], "a module that finds something is not named in scripts/reference.py"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_step_of_a_timeline_has_its_sentence(language):
    texts = json.loads((ROOT / "web" / "src" / "i18n" / f"{language}.json").read_text(encoding="utf-8"))["timeline"]
    kinds = {kind.replace(".", "_") for kind in (*KIND_OF.values(), *KIND_OF_OUTCOME.values())}
    assert texts.keys() == kinds | {"other"}
