"""Quiet hours and choices: laws over any clock time, zone and instant."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.kernel.instants import DAY_MS, HOUR_MS, InstantMs, parse_instant, to_datetime
from noria.operate.notices import KINDS
from noria.operate.preferences import DEFAULT, IN_APP, Preference, check, quiet_until, wants
from noria.operate.sentences import sentence

CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
INSTANTS = st.integers(parse_instant("2024-01-01T00:00:00Z"), parse_instant("2027-12-31T00:00:00Z"))


@given(CLOCKS, CLOCKS, ZONES, INSTANTS)
def test_quiet_hours_end_in_the_future_within_a_day_and_outside_of_them_nothing_waits(
    begin: str, end: str, zone: str, now_ms: int
) -> None:
    preference = Preference(zone=zone, quiet_from=begin, quiet_to=end)
    until_ms = quiet_until(preference, now_ms)
    clock = to_datetime(InstantMs(now_ms), ZoneInfo(zone)).strftime("%H:%M")
    inside = begin <= clock < end if begin <= end else clock >= begin or clock < end
    assert (until_ms is not None) is inside
    if until_ms is not None:
        # The clocks may be set back by an hour in between.
        assert now_ms < until_ms <= now_ms + DAY_MS + HOUR_MS
        local = to_datetime(InstantMs(until_ms), ZoneInfo(zone)).strftime("%H:%M")
        assert local == end or quiet_until(preference, until_ms) != until_ms


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02T14:00:00Z", "2026-03-03T00:00:00Z"),  # 22:00 in Shanghai
        ("2026-03-02T23:59:00Z", "2026-03-03T00:00:00Z"),  # 07:59
        ("2026-03-03T00:00:00Z", None),
        ("2026-03-02T13:59:59Z", None),
    ],
)
def test_quiet_hours_go_over_midnight(now: str, until: str | None) -> None:
    found = quiet_until(Preference(quiet_from="22:00", quiet_to="08:00"), parse_instant(now))
    assert found == (None if until is None else parse_instant(until))


def test_the_clocks_are_set_back_in_the_night() -> None:
    preference = Preference(zone="Europe/Berlin", quiet_from="22:00", quiet_to="07:00")
    # 2026-10-25: 03:00 becomes 02:00, so 07:00 is 06:00 UTC.
    assert quiet_until(preference, parse_instant("2026-10-24T21:00:00Z")) == parse_instant("2026-10-25T06:00:00Z")


def test_without_a_choice_everything_is_wanted_but_new_tasks_behind_the_bell() -> None:
    assert [kind for kind in KINDS if not wants(DEFAULT, kind, IN_APP)] == ["task", "offered"]
    assert all(wants(DEFAULT, kind, "mail") for kind in KINDS)
    chosen = Preference(choices={"task": {IN_APP: True, "mail": False}})
    assert (wants(chosen, "task", IN_APP), wants(chosen, "task", "mail"), wants(chosen, "task", "room")) == (
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"quiet_from": "25:00", "quiet_to": "08:00"}, "quiet_from"),
        ({"quiet_from": "22:00"}, "quiet_to"),
        ({"per_hour_max": 0}, "per_hour_max"),
        ({"choices": {"gossip": {}}}, "choices"),
        ({"choices": {"task": {"pigeon": True}}}, "choices"),
        ({"handles": {"dingtalk": "<at id=all>"}}, "handles"),
        ({"handles": {"icq": "1"}}, "handles"),
    ],
)
def test_a_wrong_preference_is_refused_by_its_field(given: dict[str, object], field: str) -> None:
    rejected = check(Preference(**given), frozenset({IN_APP}))  # type: ignore[arg-type]
    assert rejected is not None
    assert rejected.details == {"fields": {field: "preference.invalid"}}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_kind_has_its_sentences_in_both_languages(language: str) -> None:
    for kind in (*KINDS, "digest", "test"):
        said = sentence(kind, language, {"title": "{by} {0} {title.__class__}", "text": "x" * 9_000, "share": 0.8})  # type: ignore[arg-type]
        assert said.subject
        assert said.body
        assert "__class__" not in said.subject or "{title.__class__}" in said.subject, (
            "what people wrote is not a pattern"
        )
        assert len(said.body) < 1_000
