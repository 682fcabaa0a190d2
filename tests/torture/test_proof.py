"""The proof itself: what is planted is found."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.torture.power import Load, as_sets
from tests.torture.proof import Heard, Verdict, all_ended, check_keys, judge
from tests.torture.scenarios import now_ms
from tests.torture.server import Life, begin

ANY = "(SELECT min(iid) FROM inst WHERE parent = 0)"
DROP = f"DELETE FROM journal WHERE iid = {ANY} AND ver = 2"  # noqa: S608 - no text from outside
DAMAGE = f"UPDATE inst SET state = x'00' WHERE iid = {ANY}"  # noqa: S608
RENUMBER = f"UPDATE inst SET bkey = 'CG-2026-000009' WHERE iid = {ANY}"  # noqa: S608
FORGE = "UPDATE journal SET actor = 'eve' WHERE ver = 2"


async def worked(folder: Path) -> tuple[Path, Heard]:
    """A database in which some requests went their whole way."""
    file = folder / "noria.db"
    noria = await begin(Life(url=f"sqlite:///{file}", epoch_ms=now_ms()))
    load = Load(noria, {}, [], 1)
    await load.work(["a", "b", "c"])
    await all_ended(noria.database, Verdict())
    await noria.close()
    return file, as_sets(load.heard)


async def found(file: Path, heard: Heard, *statements: str) -> Verdict:
    """What is found after a copy was tampered with."""
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
    verdict = Verdict()
    await judge(f"sqlite:///{copy}", heard, verdict)
    return verdict


async def test_what_is_planted_is_found(tmp_path: Path) -> None:
    file, heard = await worked(tmp_path)
    assert (await found(file, heard)).all == []
    gone = await found(file, heard, DROP)
    assert gone.lost
    assert gone.broken
    assert (await found(file, heard, DAMAGE)).broken
    assert (await found(file, heard, RENUMBER)).lost
    assert (await found(file, heard, FORGE)).broken
    unheard = {**heard, "start-d": {(1, 1)}}
    assert (await found(file, unheard)).lost


@pytest.mark.parametrize("answers", [{(1, 1), (2, 1)}, {(1, 1), (1, 2)}])
def test_two_different_answers_to_one_key_are_a_doubling(answers: set[tuple[int, int]]) -> None:
    verdict = Verdict()
    check_keys({"paid-a": answers}, [], verdict)
    assert verdict.doubled == ["answers to paid-a: 2 instead of 1"]
