"""What folds leave of instances is remembered for the next command of each, and for no other."""

from __future__ import annotations

import pytest

from noria.monitor import lately
from noria.monitor.lately import Lately
from noria.monitor.visits import Known, Life, Recorded, Visit


def row(iid: int, ver: int) -> Recorded:
    return Recorded(0, ver, iid, ver, 1_000, "li", 1, 1, (), frozenset())


def known(version: int, *visits: int, ended: int = 0) -> Known:
    return Known(version, {tok: Visit(1, tok, 1, 1, 2, 500) for tok in visits}, Life(1, 1, 1, 500, ended))


def test_the_next_command_finds_what_was_left_and_a_later_one_does_not() -> None:
    left = known(3, 7)
    remembered = Lately()
    remembered.keep({1: left})
    assert remembered.take([row(1, 5)]) == {}
    remembered.keep({1: left})
    assert remembered.take([row(1, 4), row(1, 5)]) == {1: left}


def test_what_a_fold_has_taken_is_forgotten_until_it_is_kept_again() -> None:
    remembered = Lately()
    remembered.keep({1: known(3)})
    remembered.take([row(1, 4)])
    assert remembered.take([row(1, 4)]) == {}


def test_of_an_instance_that_begins_it_is_known_that_there_was_nothing() -> None:
    assert Lately().take([row(1, 1), row(1, 2)]) == {1: Known()}


def test_who_asks_for_a_version_is_not_given_an_earlier_one() -> None:
    left = known(3)
    remembered = Lately()
    remembered.keep({1: left})
    assert [remembered.known(1, version) for version in (2, 3, 4)] == [left, left, None]


def test_the_life_of_one_that_has_ended_is_read_again_for_its_working_time_is_that_of_a_calendar() -> None:
    remembered = Lately()
    remembered.keep({1: known(3), 2: known(3, ended=900)})
    found = remembered.take([row(1, 4), row(2, 4)])
    assert [one.life is None for one in found.values()] == [False, True]


def test_those_that_were_folded_longest_ago_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_INSTANCES_MAX", 3)
    remembered = Lately()
    remembered.keep({1: known(1), 2: known(1), 3: known(1)})
    remembered.keep(remembered.take([row(1, 2)]))
    remembered.keep({4: known(1)})
    assert [iid for iid in (1, 2, 3, 4) if remembered.known(iid, 0)] == [1, 3, 4]


def test_an_instance_with_many_open_visits_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_VISITS_MAX", 2)
    remembered = Lately()
    remembered.keep({1: known(1, 1, 2), 2: known(1, 1, 2, 3)})
    assert [iid for iid in (1, 2) if remembered.known(iid, 0)] == [1]


def test_when_something_went_wrong_everything_is_forgotten() -> None:
    remembered = Lately()
    remembered.keep({1: known(3)})
    remembered.forget()
    assert remembered.take([row(1, 4)]) == {}
