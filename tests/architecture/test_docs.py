"""What the pages say can be followed: links lead somewhere, examples work."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from noria.operate.bundles import read_bundle

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in HEADING.findall(without_code(page))
    }


def example(page: str, language: str, about: str) -> str:
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return next(block for block in blocks if about in block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(without_code(page)):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(there), f"{link} names no heading"


def test_the_list_of_decisions_has_each_of_them() -> None:
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"^\| \[(\d+)\]\(([^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [(str(int(page.name[:4])), page.name) for page in sorted(folder.glob("0*.md"))]


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_process_of_the_readme_has_no_findings(page: str) -> None:
    bundle = read_bundle({"leave.bpmn": example(page, "xml", 'id="leave"').encode()})
    assert bundle.findings == []
    assert [graph.key for _, graph in bundle.graphs] == ["leave"]


def test_the_example_of_the_engine_from_python_runs(tmp_path: Path) -> None:
    (tmp_path / "leave.bpmn").write_text(example("README.md", "xml", 'id="leave"'), encoding="utf-8")
    program = example("docs/how-to/integrators.md", "python", "replay(")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
