"""The wheel: everything that an installed Noria needs without Node and without this tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("noria-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_has_the_built_pages(names: set[str]) -> None:
    assert "noria/adapters/http/static/index.html" in names
    assert any(name.startswith("noria/adapters/http/static/assets/") and name.endswith(".js") for name in names)


def test_the_wheel_has_the_models_of_the_demonstration_and_the_migrations(names: set[str]) -> None:
    assert "noria/examples/purchase/purchase.bpmn" in names
    assert any(name.startswith("noria/adapters/database/migrations/versions/0001") for name in names)


def test_the_wheel_has_the_words_of_our_namespace_for_modellers(names: set[str]) -> None:
    assert "noria/design/bpmn/noria.moddle.json" in names


def test_the_wheel_has_no_tests_and_nothing_of_the_web_sources(names: set[str]) -> None:
    assert not [name for name in names if name.startswith(("tests/", "web/", "bench/")) or "node_modules" in name]
