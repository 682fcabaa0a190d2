"""The power fails, anywhere: what was promised is on the disk, and all goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.databases import need
from tests.torture.power import cut_power
from tests.torture.recording import Deleted, Disk, Synced, Truncated, Wrote, missing_recorder
from tests.torture.test_kill import SEED


@pytest.fixture(autouse=True)
def _recorder() -> None:
    need(missing_recorder())
    print(f"seed {SEED}")


async def test_a_power_cut_loses_nothing_that_was_accepted_and_everything_goes_on(tmp_path: Path) -> None:
    outcome = await cut_power(tmp_path, SEED, 20, requests=20)
    assert outcome.verdict.holds, outcome.verdict


async def test_power_cuts_show_what_a_weaker_setting_loses(tmp_path: Path) -> None:
    outcome = await cut_power(tmp_path, SEED, 20, requests=20, synchronous="OFF")
    assert not outcome.verdict.holds


@pytest.mark.parametrize("seed", range(20))
def test_after_a_cut_all_that_was_synced_is_there_and_of_the_rest_anything(seed: int) -> None:
    disk = Disk()
    disk.note(0, Wrote("log", 0, b"a" * 1024))
    disk.note(1, Truncated("log", 600))
    disk.note(2, Synced("log", 2, folder=False))
    disk.note(3, Wrote("log", 512, b"b" * 1024))
    disk.note(4, Wrote("other", 0, b"c"))
    left = disk.left(random.Random(seed))
    assert left["log"][:512] == b"a" * 512
    assert len(left["log"]) in (600, 1024, 1536)
    assert left.get("other", b"c") == b"c"


@pytest.mark.parametrize("seed", range(20))
def test_a_removal_is_certain_only_when_the_folder_was_synced(seed: int) -> None:
    disk = Disk()
    disk.note(0, Wrote("journal", 0, b"old"))
    disk.note(1, Synced("journal", 1, folder=False))
    disk.note(2, Deleted("journal", durable=False))
    assert disk.left(random.Random(seed)) in ({"journal": b"old"}, {})
    disk.note(3, Wrote("log", 0, b"new"))
    disk.note(4, Synced("log", 4, folder=True))
    assert disk.left(random.Random(seed)) == {"log": b"new"}
