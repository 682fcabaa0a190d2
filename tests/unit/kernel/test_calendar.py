"""Working time: golden cases and laws."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.adapters.calendars import china_calendar
from noria.kernel.calendar import (
    NoWorkingTimeError,
    WorkCalendar,
    add_working,
    add_working_days,
    intervals_on,
    is_provisional,
    is_working_day,
    working_between,
    working_days_between,
)
from noria.kernel.instants import HOUR_MS, Duration, InstantMs, parse_duration, parse_instant, to_datetime

OFFICE = ((540, 720), (780, 1080))  # 9-12 and 13-18
FREE = ()
WEEK = (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, FREE, FREE)
BERLIN = WorkCalendar("berlin", 1, "Europe/Berlin", WEEK, holidays={date(2026, 12, 25): "Weihnachten"})
NIGHT = WorkCalendar("night", 1, "Europe/Berlin", (((0, 360), (1320, 1440)),) * 7)
# From 22:00 to 06:00, Monday's to Friday's.
SHIFTS = WorkCalendar("shifts", 1, "Europe/Berlin", (((1320, 1800),),) * 5 + (FREE, FREE))
CHINA = china_calendar(range(2022, 2028))


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


@given(
    calendar=st.sampled_from([BERLIN, NIGHT, SHIFTS, CHINA]),
    start=st.integers(1_700_000_000_000, 1_800_000_000_000).map(InstantMs),
    end=st.integers(1_700_000_000_000, 1_800_000_000_000).map(InstantMs),
)
def test_adding_the_difference_leads_to_the_same_working_time(calendar, start, end):
    reached = add_working(calendar, start, Duration(milliseconds=working_between(calendar, start, end)))
    # Between two working times lies none: they are the same moment of work.
    assert working_between(calendar, reached, end) == 0
    assert working_between(calendar, start, reached) == working_between(calendar, start, end)


@given(
    calendar=st.sampled_from([BERLIN, NIGHT, SHIFTS, CHINA]),
    day=st.dates(date(2023, 1, 1), date(2026, 12, 31)),
    count=st.integers(-300, 300),
)
def test_counting_working_days_takes_back_what_was_added(calendar, day, count):
    day = add_working_days(calendar, day, 0)
    reached = add_working_days(calendar, day, count)
    assert working_days_between(calendar, day, reached) == count
    assert add_working_days(calendar, reached, -count) == day


@given(
    calendar=st.sampled_from([BERLIN, NIGHT, SHIFTS, CHINA]),
    start=st.integers(1_700_000_000_000, 1_800_000_000_000).map(InstantMs),
    first=st.integers(0, 500 * HOUR_MS),
    second=st.integers(0, 500 * HOUR_MS),
)
def test_durations_are_added_one_after_the_other_or_at_once(calendar, start, first, second):
    step = add_working(calendar, start, Duration(milliseconds=first))
    at_once = add_working(calendar, start, Duration(milliseconds=first + second))
    if second:
        assert add_working(calendar, step, Duration(milliseconds=second)) == at_once


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-11-24T22:30", "PT2H", "2026-11-25T00:30"),
        ("2026-11-25T05:30", "PT1H", "2026-11-25T22:30"),
        ("2026-11-25T02:00", "P1D", "2026-11-26T02:00"),
        # Friday's shift ends on Saturday morning; the next working day is Monday.
        ("2026-11-28T02:00", "P1D", "2026-12-01T02:00"),
        ("2026-11-28T06:00", "PT1H", "2026-11-30T23:00"),
        # The shift of the night in which the clocks go forward is an hour shorter.
        ("2026-03-27T22:00", "PT8H", "2026-03-28T06:00"),
    ],
)
def test_a_shift_that_crosses_midnight_belongs_to_the_day_it_begins_on(start, duration, expected):
    assert moved(start, duration, SHIFTS) == expected


def test_hours_that_the_clocks_skip_are_no_working_time():
    # 02:00 to 03:00 does not exist on this night; the intervals around it neither overlap nor grow.
    odd = WorkCalendar("odd", 1, "Europe/Berlin", (((60, 135), (150, 165), (180, 240)),) * 7)
    assert working_between(odd, local("2026-03-29T00:00"), local("2026-03-29T06:00")) == 2 * HOUR_MS
    assert working_between(odd, local("2026-03-28T00:00"), local("2026-03-28T06:00")) == 2.5 * HOUR_MS


def test_a_date_may_have_hours_of_its_own():
    half = msgspec.structs.replace(BERLIN, hours={date(2026, 12, 24): ((540, 720),)})
    assert moved("2026-12-24T11:00", "PT2H", half) == "2026-12-28T10:00"


def test_make_up_days_are_worked_like_the_first_working_day_of_the_week():
    museum = WorkCalendar(
        "museum", 1, "UTC", ((), ((600, 1080),), *(((540, 720),),) * 5), workdays=frozenset({date(2026, 11, 23)})
    )
    assert intervals_on(museum, date(2026, 11, 23)) == ((600, 1080),)


def test_due_dates_behind_the_horizon_are_provisional():
    known = msgspec.structs.replace(CHINA, horizon=date(2026, 12, 31))
    assert not is_provisional(known, parse_instant("2026-12-31T23:59:59+08:00"))
    assert is_provisional(known, parse_instant("2027-01-01T00:00:00+08:00"))


def test_a_leap_day_is_a_day_like_others():
    assert working_days_between(CHINA, date(2024, 2, 28), date(2024, 3, 1)) == 2
    assert moved("2024-02-28T10:00", "P1D") == "2024-02-29T10:00"
    assert moved("2024-02-29T10:00", "P1Y") == "2025-02-28T10:00"


@pytest.mark.parametrize(("year", "working", "made_up"), [(2024, 251, 8), (2025, 248, 5), (2026, 248, 6)])
def test_the_calendar_of_china_that_comes_with_noria(year, working, made_up):
    assert working_days_between(CHINA, date(year - 1, 12, 31), date(year, 12, 31)) == working
    assert sum(day.year == year and day.weekday() >= 5 for day in CHINA.workdays) == made_up


def test_the_national_day_of_2026_is_skipped_and_its_make_up_days_are_worked():
    zone = ZoneInfo("Asia/Shanghai")

    def day_after(text):
        at = add_working(CHINA, parse_instant(text, zone), parse_duration("P1D"))
        return to_datetime(at, zone).date().isoformat()

    assert day_after("2026-09-30T10:00") == "2026-10-08"
    assert day_after("2026-09-18T10:00") == "2026-09-20"
    assert day_after("2026-10-09T10:00") == "2026-10-10"
    assert {CHINA.holidays[date(2026, 10, day)] for day in (1, 2, 3, 5, 6, 7)} == {"国庆节"}


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
        holidays={date.fromisoformat(row["date"]): row["reason"] for row in days if row["is_workday"] == "0"},
        workdays=frozenset(date.fromisoformat(row["date"]) for row in days if row["is_workday"] == "1"),
    )
    days_of_year = [
        date.fromordinal(day) for day in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    ]
    assert sum(is_working_day(calendar, day) for day in days_of_year) == expected
