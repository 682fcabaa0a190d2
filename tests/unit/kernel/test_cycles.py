"""Repetitions: which texts are one, and when their beats are."""

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.kernel.calendar import OFFICE_WEEK, WorkCalendar
from noria.kernel.cycles import (
    NEVER,
    Cycle,
    anchored,
    beats_from,
    beats_until,
    next_beat,
    next_working_beat,
    parse_cycle,
    working_beats_past,
)
from noria.kernel.instants import (
    DAY_MS,
    HOUR_MS,
    Duration,
    InstantMs,
    add_duration,
    parse_duration,
    parse_instant,
    to_datetime,
)

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
END = "2026-03-02T09:00:00Z"
END_MS = parse_instant(END)


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("R3/PT10M", Cycle(3, "PT10M")),
        ("R/PT10M", Cycle(-1, "PT10M")),
        ("R-1/PT10M", Cycle(-1, "PT10M")),
        (f"R/{END}/P1D", Cycle(-1, "P1D", start=END)),
        (f"R3/P1D/{END}", Cycle(3, "P1D", end=END)),
        (f"R2/2026-03-01T09:00:00Z/{END}", Cycle(2, "", "2026-03-01T09:00:00Z", END)),
        ("0 9 * * MON-FRI", Cycle(-1, "0 9 * * MON-FRI")),
        ("R3/0 0/5 * * * *", Cycle(3, "0 0/5 * * * *")),
    ],
)
def test_a_repetition_is_read(text, cycle):
    assert parse_cycle(text) == cycle


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "R",
            "R3",
            "R3/",
            "R0/PT1H",
            "R-2/PT1H",
            "R3/PT1H/",
            f"R3/{END}",
            f"R3/{END}/P1D/{END}",
            "PT1H",
            "R/PT0S",
        ),
        *("R3/1 hour", "61 * * * *", "0 9 * * MON-", "0 9 * * * * *", "0 9 30 2 *", f"R{'9' * 5_000}/PT1H"),
    ],
)
def test_what_is_no_repetition_is_refused(text):
    with pytest.raises(ValueError, match=r"repe|cron|interval|duration|digits"):
        parse_cycle(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("PT1.5H", 1.5), ("PT1,25H", 1.25), ("PT1H30.0M", 1.5), ("-PT0.5H", -0.5), ("PT0.5S", 0.5 / 3600)],
)
def test_the_smallest_part_of_a_duration_may_be_broken(text, hours):
    assert parse_duration(text) == Duration(milliseconds=round(hours * HOUR_MS))


@pytest.mark.parametrize("text", ["PT1.5H30M", "P1.5D", "PT.5H", "PT1.H"])
def test_other_parts_may_not(text):
    with pytest.raises(ValueError, match="not an ISO 8601 duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("cron", "zone", "at", "then"),
    [
        ("0 9 * * MON-FRI", SHANGHAI, "2026-02-27T09:00:00+08:00", "2026-03-02T09:00:00+08:00"),
        ("0 0 9 L * *", SHANGHAI, "2026-02-27T09:00:00+08:00", "2026-02-28T09:00:00+08:00"),
        ("*/10 * * * * *", UTC, "2026-03-02T09:00:00.001Z", "2026-03-02T09:00:10Z"),
        ("0 8 * * 5#3", BERLIN, "2026-03-20T08:00:00+01:00", "2026-04-17T08:00:00+02:00"),
        # In the night in which the clocks go forward half past two does not come, and cron goes at three.
        ("30 2 * * *", BERLIN, "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"),
    ],
)
def test_cron_times_are_of_the_zone(cron, zone, at, then):
    assert next_beat(cron, parse_instant(at), zone) == parse_instant(then)


def test_a_cron_expression_ends_with_the_calendar():
    with pytest.raises(ValueError, match="no further time"):
        next_beat("0 9 * * *", parse_instant("9999-12-31T12:00:00Z"), UTC)


def test_with_a_working_calendar_a_cron_time_counts_on_working_days():
    calendar = WorkCalendar("plant", 1, "Asia/Shanghai", OFFICE_WEEK, {date(2026, 3, 2): "a day off"})
    friday = parse_instant("2026-02-27T08:00:00+08:00")
    assert next_working_beat(calendar, "0 8 * * *", friday) == parse_instant("2026-03-03T08:00:00+08:00")


def test_a_time_that_no_working_day_has_waits_for_a_calendar_that_knows_one():
    office = WorkCalendar("office", 1, "Asia/Shanghai", OFFICE_WEEK)
    friday = parse_instant("2026-02-27T08:00:00+08:00")
    assert next_working_beat(office, "0 9 * * SUN", friday) == NEVER
    made_up = WorkCalendar("office", 2, "Asia/Shanghai", OFFICE_WEEK, workdays=frozenset([date(2026, 3, 15)]))
    assert next_working_beat(made_up, "0 9 * * SUN", friday) == parse_instant("2026-03-15T09:00:00+08:00")


def test_many_times_on_free_days_are_passed_over():
    office = WorkCalendar("office", 1, "Asia/Shanghai", OFFICE_WEEK)
    saturday = parse_instant("2026-02-28T00:00:00+08:00")
    assert next_working_beat(office, "* * * * * *", saturday) == parse_instant("2026-03-02T00:00:00+08:00")


@pytest.mark.parametrize(
    ("now", "interval", "times", "first", "more"),
    [
        ("2026-02-28T12:00:00Z", "P1D", -1, "2026-03-01T09:00:00Z", 1),
        ("2026-02-01T00:00:00Z", "P1D", 3, "2026-02-28T09:00:00Z", 2),
        (END, "P1D", 3, END, 0),
        ("0001-01-02T00:00:00Z", "P4000Y", -1, END, 0),
    ],
)
def test_beats_that_end_with_one_are_counted_back_from_it(now, interval, times, first, more):
    found = beats_until(parse_instant(END), interval, parse_instant(now), times, UTC)
    assert found == (parse_instant(first), more)


def test_beats_whose_end_is_past_are_refused():
    with pytest.raises(ValueError, match="past"):
        beats_until(parse_instant(END), "P1D", InstantMs(parse_instant(END) + 1), 3, UTC)


@given(st.integers(0, 10**9), st.integers(1, 10**7), st.integers(1, 50))
def test_the_first_beat_is_the_earliest_that_is_not_past(span_ms, interval_ms, times):
    end = InstantMs(10**12)
    interval = f"PT{interval_ms // 1000}.{interval_ms % 1000:03d}S"
    first, more = beats_until(end, interval, InstantMs(end - span_ms), times, UTC)
    assert first + more * interval_ms == end
    assert first >= end - span_ms
    assert more == times - 1 or first - interval_ms < end - span_ms


@given(st.sampled_from(["0 9 * * *", "15 10 ? * MON".replace("?", "*"), "*/7 * * * *"]), st.integers(0, 2 * 10**12))
def test_a_beat_is_later_than_what_it_follows(cron, at):
    then = next_beat(cron, InstantMs(at), SHANGHAI)
    assert then > at
    assert to_datetime(then, SHANGHAI).second == 0


@pytest.mark.parametrize(
    ("zone", "start", "interval", "days"),
    [
        (SHANGHAI, "2026-01-31T09:00:00+08:00", "P1M", ["02-28 09:00", "03-31 09:00", "04-30 09:00"]),
        (SHANGHAI, "2024-02-29T09:00:00+08:00", "P1Y", ["02-28 09:00"] * 3 + ["02-29 09:00"]),
        # In the night in which the clocks go forward it is half past three; the next night half past two again.
        (BERLIN, "2026-03-28T02:30:00+01:00", "P1D", ["03-29 03:30", "03-30 02:30"]),
    ],
)
def test_beats_are_counted_from_the_anchor(zone, start, interval, days):
    at, found = parse_instant(start), []
    each = anchored(interval, at)
    for _ in days:
        at = next_beat(each, at, zone)
        found.append(to_datetime(at, zone).strftime("%m-%d %H:%M"))
    assert found == days


def test_what_has_neither_months_nor_days_needs_no_anchor():
    assert [anchored(each, InstantMs(0)) for each in ("PT36H", "0 9 * * *")] == ["PT36H", "0 9 * * *"]


INTERVALS = st.builds(
    Duration, st.integers(0, 14), st.integers(0, 40), st.integers(0, 3 * DAY_MS).map(lambda ms: ms // 1000 * 1000)
).filter(lambda duration: duration != Duration())
INSTANTS = st.integers(0, 4 * 10**9).map(lambda seconds: InstantMs(seconds * 1000))


def written(duration: Duration) -> str:
    return f"P{duration.months}M{duration.days}DT{duration.milliseconds // 1000}S"


@given(INSTANTS, INTERVALS, st.integers(0, 200), st.sampled_from([UTC, SHANGHAI, BERLIN]))
def test_each_beat_from_a_start_is_so_many_intervals_behind_it(start, duration, count, zone):
    def beat(number: int) -> InstantMs:
        parts = (number * part for part in (duration.months, duration.days, duration.milliseconds))
        return add_duration(start, Duration(*parts), zone)

    at = beat(count)
    found, past = beats_from(start, written(duration), at, zone)
    assert (found, past) == (at, count)
    assert next_beat(anchored(written(duration), start), at, zone) > at
    assert beats_from(start, written(duration), InstantMs(at + 1), zone) == (beat(count + 1), count + 1)


@given(st.integers(0, 300), st.integers(1, 40 * 60), st.integers(0, 3))
def test_beats_of_working_time_that_are_past_are_counted_as_one_by_one(hours, minutes, days):
    calendar = WorkCalendar("plant", 1, "Asia/Shanghai", OFFICE_WEEK)
    start = parse_instant("2026-02-27T17:30:00+08:00")
    interval = f"P{days}DT{minutes}M"
    now = InstantMs(start + hours * HOUR_MS + 1)
    past, last = 1, start
    while (following := next_working_beat(calendar, interval, last)) < now:
        past, last = past + 1, following
    assert working_beats_past(calendar, start, interval, now) == (last, past)


def test_working_time_is_not_counted_from_centuries_ago():
    calendar = WorkCalendar("plant", 1, "Asia/Shanghai", OFFICE_WEEK)
    for interval in ("PT1H", "P1D"):
        with pytest.raises(ValueError, match="days ago"):
            working_beats_past(calendar, parse_instant("1000-01-01T09:00:00+08:00"), interval, END_MS)


def test_a_beat_of_a_working_calendar_may_have_been_anchored_before():
    calendar = WorkCalendar("plant", 1, "Asia/Shanghai", OFFICE_WEEK)
    friday = parse_instant("2026-02-27T09:00:00+08:00")
    assert next_working_beat(calendar, anchored("P1D", friday), friday) == parse_instant("2026-03-02T09:00:00+08:00")


def test_a_cycle_ends_with_the_calendar():
    for ask in (
        lambda: next_beat("P9000Y", InstantMs(0), UTC),
        lambda: beats_from(InstantMs(0), "P9000Y", END_MS, UTC),
    ):
        with pytest.raises(ValueError, match=r"year|no further time"):
            ask()
