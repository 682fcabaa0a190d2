"""Working time: golden cases and laws."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.kernel.calendar import NoWorkingTimeError, WorkCalendar, add_working, is_working_day, working_between
from noria.kernel.instants import HOUR_MS, Duration, InstantMs, parse_duration, parse_instant, to_datetime

OFFICE = ((540, 720), (780, 1080))  # 9-12 and 13-18
FREE = ()
WEEK = (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, FREE, FREE)
BERLIN = WorkCalendar("berlin", 1, "Europe/Berlin", WEEK, holidays=frozenset({date(2026, 12, 25)}))
NIGHT = WorkCalendar("night", 1, "Europe/Berlin", (((0, 360), (1320, 1440)),) * 7)


def local(text):
    return parse_instant(text, ZoneInfo("Europe/Berlin"))


def moved(text, duration, calendar=BERLIN):
    at = add_working(calendar, local(text), parse_duration(duration))
    return to_datetime(at, ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-11-24T10:00", "PT1H", "2026-11-24T11:00"),
        ("2026-11-24T11:30", "PT1H", "2026-11-24T13:30"),
        ("2026-11-24T17:00", "PT2H", "2026-11-25T10:00"),
        ("2026-11-27T17:00", "PT2H", "2026-11-30T10:00"),
        ("2026-11-28T12:00", "PT1H", "2026-11-30T10:00"),
        ("2026-11-27T10:00", "P1D", "2026-11-30T10:00"),
        ("2026-11-27T20:00", "P1D", "2026-11-30T18:00"),
        ("2026-11-27T12:30", "P1D", "2026-11-30T13:00"),
        ("2026-12-24T10:00", "P1D", "2026-12-28T10:00"),
        ("2026-11-30T10:00", "-P1D", "2026-11-27T10:00"),
        ("2026-11-30T09:30", "-PT1H", "2026-11-27T17:30"),
        ("2028-02-28T10:00", "P1D", "2028-02-29T10:00"),
        ("2026-03-27T10:00", "P1D", "2026-03-30T10:00"),
    ],
)
def test_working_time_is_added(start, duration, expected):
    assert moved(start, duration) == expected


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [("2026-03-29T00:00", "2026-03-29T06:00", 5), ("2026-10-25T00:00", "2026-10-25T06:00", 7)],
)
def test_a_night_in_which_the_clocks_change_is_shorter_or_longer(first, last, hours):
    assert working_between(NIGHT, local(first), local(last)) == hours * HOUR_MS


def test_a_calendar_without_working_time_is_an_error():
    empty = WorkCalendar("empty", 1, "UTC", (FREE,) * 7)
    with pytest.raises(NoWorkingTimeError):
        add_working(empty, InstantMs(0), Duration(milliseconds=1))


@given(
    calendar=st.sampled_from([BERLIN, NIGHT]),
    start=st.integers(1_700_000_000_000, 1_900_000_000_000).map(InstantMs),
    amount=st.integers(-2_000 * HOUR_MS, 2_000 * HOUR_MS),
)
def test_the_difference_takes_back_what_was_added(calendar, start, amount):
    end = add_working(calendar, start, Duration(milliseconds=amount))
    assert working_between(calendar, start, end) == amount


@pytest.mark.parametrize(("year", "expected"), [(2024, 251), (2025, 248), (2026, 248)])
def test_working_days_in_china(year, expected):
    shared = os.environ.get("NORIA_SHARED") or str(Path(__file__).resolve().parents[4] / "shared")
    path = Path(shared) / "data" / "calendar" / "cn_workdays_2004_2026.csv"
    if not path.exists():
        pytest.skip(f"no holiday data at {path} (set NORIA_SHARED)")
    with path.open(encoding="utf-8") as rows:
        days = list(csv.DictReader(rows))
    calendar = WorkCalendar(
        "cn",
        1,
        "Asia/Shanghai",
        WEEK,
        holidays=frozenset(date.fromisoformat(row["date"]) for row in days if row["is_workday"] == "0"),
        workdays=frozenset(date.fromisoformat(row["date"]) for row in days if row["is_workday"] == "1"),
    )
    days_of_year = [
        date.fromordinal(day) for day in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    ]
    assert sum(is_working_day(calendar, day) for day in days_of_year) == expected
