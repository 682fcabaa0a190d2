"""Databases that earlier versions wrote are opened, verified and gone on with.

Each file in `written/` was made by the version that its name says and is never made anew. They hold the same:
two requests that wait at a task, a job, a message and a sub-process (one has finished it), and a cancelled one.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from noria.bootstrap import Composition
from noria.engine import commands as c
from tests.house import House, MovedClock

WRITTEN = sorted((Path(__file__).parent / "written").glob("*.db.gz"))


def unpacked(written: Path, to: Path) -> str:
    """Put a written database there; gives its URL."""
    to.write_bytes(gzip.decompress(written.read_bytes()))
    return f"sqlite:///{to}"


@pytest.mark.parametrize("written", WRITTEN, ids=lambda path: path.name.removesuffix(".db.gz"))
async def test_what_an_earlier_version_wrote_is_verified_and_goes_on(written: Path, tmp_path: Path) -> None:
    url = unpacked(written, tmp_path / "noria.db")
    house = await House.open(url, MovedClock())
    try:
        assert (await Composition().verify(url)).first_bad == ""
        iids = await house.noria.database.store.load([816112572825763840, 816112572825763841, 816112572825763842])
        waiting, ahead, cancelled = sorted(iids)
        assert await house.places(waiting) == ["book", "check", "inside", "part", "wait"]
        assert await house.places(ahead) == ["book", "check", "join", "wait"]
        assert (await house.state(cancelled)).status.name == "TERMINATED"
        await house.complete(waiting, "inside")
        for iid in (waiting, ahead):
            await house.complete(iid, "check")
            await house.submit(c.CompleteJob(await house.token(iid, "book"), "worker"), iid)
            (wait,) = (await house.state(iid)).waits
            await house.submit(c.Correlate(wait), iid)
            await house.ends(iid)
        assert (await Composition().verify(url)).first_bad == ""
    finally:
        await house.down()


def test_there_is_something_written_before() -> None:
    assert WRITTEN
