"""Worlds may have more of something than usual."""

from __future__ import annotations

import re

import pytest

from tests.simulation.__main__ import main


def counted(said: str, mark: str) -> int:
    found = re.search(rf"^ *(\d+) {mark}$", said, re.MULTILINE)
    return int(found[1]) if found is not None else 0


def test_more_is_returned_and_undone_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]):
    said = []
    for focus in ([], ["--focus", "return,user,undoing"]):
        assert main(["--seeds", "1-100", *focus]) == 0
        said.append(capsys.readouterr().out)
    for mark in ("returned", "compensation"):
        usual, more = (counted(one, mark) for one in said)
        assert more > 2 * usual, mark


@pytest.mark.parametrize("asked", [["--seed", "1", "--focus", "wishes"], ["--replay", "x", "--focus", "return"]])
def test_what_cannot_be_asked_for_is_said(asked: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main(asked)
    assert stopped.value.code == 2
    assert "--focus" in capsys.readouterr().err
