"""What a page costs to load, as far as the build decides it; the texts of one language, some 8 kB, come beside it."""

from __future__ import annotations

import gzip
import re

import pytest

from noria.adapters.http.pages import STATIC

ASSETS = STATIC / "assets"
BUDGETS_KB = {
    "shell": ((), 115),
    "board": (("BoardPage", "Diagram"), 420),
    "inbox": (("Inbox", "Diagram", "FormView"), 410),
    "start": (("StartProcess", "Diagram", "FormView"), 360),
    "instance": (("InstancePage", "Diagram"), 200),
}
"""Screen → the chunks that it loads when it is opened, and kilobytes (1,000 bytes, gzipped) with the shell."""
IMPORT = re.compile(r'(?:from|import)\s*["\'`]\./([\w.\-]+\.(?:js|css))["\'`]')
STYLES = re.compile(r"assets/([\w.\-]+\.css)")


pytestmark = pytest.mark.skipif(not (STATIC / "index.html").exists(), reason="the web pages are not built (make web)")


def loaded_with(name: str) -> set[str]:
    """A chunk and everything that it imports statically."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += IMPORT.findall((ASSETS / at).read_text(encoding="utf-8"))
    return found


def first_load() -> set[str]:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    entries = re.findall(r"/assets/([\w.\-]+\.(?:js|css))", page)
    return {file for entry in entries for file in loaded_with(entry)}


def kilobytes(files: set[str]) -> float:
    return sum(len(gzip.compress((ASSETS / file).read_bytes(), 9)) for file in files) / 1000


def with_styles(screen: str) -> set[str]:
    """The chunks of a screen, found by its name, with the style sheets that belong to them."""
    chunks: set[str] = set()
    for path in ASSETS.glob(f"{screen}-*.js"):
        chunks |= loaded_with(path.name)
    for path in ASSETS.glob(f"{screen}-*.css"):
        chunks.add(path.name)
    return chunks


@pytest.mark.parametrize("screen", BUDGETS_KB)
def test_a_screen_stays_within_its_budget(screen: str) -> None:
    chunks, budget_kb = BUDGETS_KB[screen]
    files = first_load()
    for chunk in chunks:
        files |= with_styles(chunk)
    assert kilobytes(files) <= budget_kb


def test_every_asset_lies_compressed_beside_itself() -> None:
    for path in ASSETS.glob("*.js"):
        if path.stat().st_size > 2_000:
            assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == path.read_bytes()
