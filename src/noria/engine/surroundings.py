"""What models see of the world around an instance: the name ``facts``, the same for all expressions of a command.

`facts.calendar`: the day by the calendar of the starter's unit. `facts.environment`: what integrators have posted and
is valid now. `facts.load`: how many tasks wait for a person or group. What a command used is recorded with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from noria.engine import events as e
from noria.engine.deadlines import OF_UNIT, responsible
from noria.engine.facts import Facts, Observation
from noria.kernel.calendar import WorkCalendar, add_working_days, intervals_on, is_provisional, is_working_day
from noria.kernel.instants import DAY_MS, MINUTE_MS, InstantMs, to_datetime

if TYPE_CHECKING:
    from noria.engine.variables import Variables


class Surroundings:
    """The value of ``facts`` during one command, and what of it was asked for.

    Args:
        facts: what the outside says.
        calendar: of the unit that is responsible.
        now_ms: the instant of the command.
    """

    def __init__(self, facts: Facts, calendar: WorkCalendar, now_ms: int) -> None:
        self._calendar = calendar
        self._observed = {
            name: found
            for name, versions in facts.environment.items()
            if (found := valid(versions, now_ms)) is not None
        }
        self._sources: set[str] = set()
        self._texts: set[str] = set()
        self.value: dict[str, object] = {
            "calendar": day_facts(calendar, InstantMs(now_ms)),
            "environment": {name: found.value for name, found in self._observed.items()},
            "load": {"people": dict(facts.load_people), "groups": dict(facts.load_groups)},
        }

    def used_by(self, source: str, variables: Mapping[str, object]) -> None:
        """An expression or decision with this text is evaluated on these variables."""
        self._sources.add(source)
        _collect(variables, self._texts)

    def event(self) -> e.FactsRead:
        """What was asked for: all of the calendar, and whatever else a text or a variable names."""
        named = {name: found for name, found in self._observed.items() if self._names(name)}
        load = self.value["load"]
        loads = {
            kind: part
            for kind, counts in (load.items() if isinstance(load, dict) else ())
            if (part := {key: count for key, count in counts.items() if self._names(key)})
        }
        day = self.value["calendar"]
        values: dict[str, object] = {"calendar": day} if self._names("calendar") else {}
        if named:
            values["environment"] = {name: found.value for name, found in named.items()}
        if loads and self._names("load"):
            values["load"] = loads
        return e.FactsRead(
            values, self._calendar.id, self._calendar.version, {name: found.version for name, found in named.items()}
        )

    def _names(self, name: str) -> bool:
        return name in self._texts or any(name in source for source in self._sources)


def _collect(value: object, texts: set[str]) -> None:
    if isinstance(value, str):
        texts.add(value)
    elif isinstance(value, Mapping):
        _collect_all(value.values(), texts)
    elif isinstance(value, list):
        _collect_all(value, texts)


def _collect_all(values: Iterable[object], texts: set[str]) -> None:
    for value in values:
        _collect(value, texts)


def valid(versions: Iterable[Observation], now_ms: int) -> Observation | None:
    """The newest observation that is valid at an instant, None when there is none."""
    found = None
    for one in versions:
        if one.from_ms <= now_ms and (not one.until_ms or now_ms < one.until_ms):
            found = one if found is None or one.version > found.version else found
    return found


def day_facts(calendar: WorkCalendar, now: InstantMs) -> dict[str, object]:
    """An instant by a calendar, as FEEL sees it."""
    local = to_datetime(now, ZoneInfo(calendar.zone))
    day = local.date()
    since_ms = (local.hour * 60 + local.minute) * MINUTE_MS + local.second * 1000 + local.microsecond // 1000
    before = [(start, end - DAY_MS // MINUTE_MS) for start, end in intervals_on(calendar, day - timedelta(days=1))]
    return {
        "id": calendar.id,
        "version": calendar.version,
        "date": day.isoformat(),
        "weekday": day.isoweekday(),
        "working_day": is_working_day(calendar, day),
        "working_time": any(
            start * MINUTE_MS <= since_ms < end * MINUTE_MS for start, end in (*before, *intervals_on(calendar, day))
        ),
        "holiday": None if day in calendar.workdays else calendar.holidays.get(day),
        "make_up_day": day in calendar.workdays,
        "next_working_day": add_working_days(calendar, day, 1).isoformat(),
        "provisional": is_provisional(calendar, now),
    }


def surroundings_of(run: Variables) -> Surroundings:
    """Those of a command: the calendar is that of the starter's unit."""
    key = responsible(run, OF_UNIT)
    calendar = run.facts.calendars.get(key) or WorkCalendar("", 0, run.facts.zone, (((0, 1440),),) * 7)
    return Surroundings(run.facts, calendar, run.now_ms)
