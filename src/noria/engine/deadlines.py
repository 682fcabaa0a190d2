"""Due dates in working time: which calendar counts, what was counted, and what a newer calendar makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.design.bpmn.graph import HumanWork
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.state import Deadline, State
from noria.kernel.calendar import NoWorkingTimeError, WorkCalendar, add_working, is_provisional, working_between
from noria.kernel.cycles import next_beat, next_working_beat, working_beats_past
from noria.kernel.errors import Rejected
from noria.kernel.instants import Duration, InstantMs, add_duration, parse_duration

if TYPE_CHECKING:
    from noria.engine.run import Run
    from noria.engine.variables import Variables

OF_UNIT = "unit"
"""What a model names instead of a calendar to have that of the responsible unit."""
DEFAULT = "default"
"""The calendar of units without one of their own or above them."""


def responsible(run: Variables, named: str, assignee: str = "", groups: tuple[str, ...] = ()) -> str:
    """The id of the calendar that counts, "" for clock time.

    A model names a calendar, or says ``unit`` for that of the responsible unit: the unit of the assignee, or else the
    first candidate group that is a unit, or else the unit of the starter.

    Args:
        run: the step.
        named: what the model names.
        assignee: of the task, "" when nobody holds it.
        groups: its candidate groups.
    """
    if named != OF_UNIT:
        return named
    facts = run.facts
    if assignee in facts.person_calendars:
        return facts.person_calendars[assignee]
    starter = run.state.scopes[0].variables.get("starter") if 0 in run.state.scopes else None
    unit = starter.get("unit") if isinstance(starter, dict) else None
    units = (*groups, unit) if isinstance(unit, str) else groups
    return next((facts.unit_calendars[key] for key in units if key in facts.unit_calendars), DEFAULT)


def reckon(run: Run, start_ms: int, duration: str, calendar: str) -> tuple[int, Deadline | None]:
    """The instant a duration after another, on the clock or in a working calendar, and how it was counted there.

    Raises:
        ValueError: it is not a duration, or the calendar is unknown or has no working time for it.
    """
    if not calendar:
        return add_duration(InstantMs(start_ms), parse_duration(duration), run.zone()), None
    return counted(calendar_of(run, calendar), start_ms, duration)


def beat(run: Run, at_ms: int, interval: str, calendar: str) -> tuple[int, Deadline | None]:
    """The beat of a cycle after an instant, on the clock or in a working calendar, and how it was counted there.

    Raises:
        ValueError: the interval gives none, or the calendar is unknown or has no working time for it.
    """
    if not calendar:
        return next_beat(interval, InstantMs(at_ms), run.zone()), None
    return counted(calendar_of(run, calendar), at_ms, interval)


def calendar_of(run: Run, calendar: str) -> WorkCalendar:
    """A working calendar in the version in force.

    Raises:
        ValueError: there is none of this name.
    """
    if calendar not in run.facts.calendars:
        raise ValueError(f"there is no working calendar {calendar!r}")
    return run.facts.calendars[calendar]


def counted(calendar: WorkCalendar, start_ms: int, interval: str) -> tuple[int, Deadline]:
    """The instant a duration of working time after another, or its next cron time, and how it was counted.

    Raises:
        ValueError: it is neither duration nor cron, or the calendar has no working time for it.
    """
    try:
        due_ms = next_working_beat(calendar, interval, InstantMs(start_ms))
    except (NoWorkingTimeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    provisional = is_provisional(calendar, InstantMs(due_ms))
    return due_ms, Deadline(calendar.id, calendar.version, start_ms, interval, provisional)


def counted_from(calendar: WorkCalendar, start: InstantMs, interval: str, now: InstantMs) -> tuple[int, Deadline, int]:
    """The first beat from now on of those that begin with a past one, how it was counted, and how many are past.

    Raises:
        ValueError: the calendar has no working time for it.
    """
    try:
        last, past = working_beats_past(calendar, start, interval, now)
    except (NoWorkingTimeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return *counted(calendar, last, interval), past


def deadline_set(key: int, deadline: Deadline) -> e.DeadlineSet:
    """The event that keeps how a due date was counted; `key` is the task's token or the timer."""
    return e.DeadlineSet(
        key, deadline.calendar, deadline.version, deadline.start_ms, deadline.duration, deadline.provisional
    )


def part_way(run: Run, start_ms: int, end_ms: int, share: float, calendar: str) -> int:
    """The instant when a share of the time between two instants has passed, on the clock or in a working calendar."""
    if share == 1:
        return end_ms
    if not calendar:
        return start_ms + round((end_ms - start_ms) * share)
    working = run.facts.calendars[calendar]
    span_ms = working_between(working, InstantMs(start_ms), InstantMs(end_ms))
    return add_working(working, InstantMs(start_ms), Duration(milliseconds=round(span_ms * share)))


def is_behind(deadline: Deadline, calendar: WorkCalendar) -> bool:
    """Whether a due date is provisional and was given by an earlier version of the calendar."""
    return deadline.calendar == calendar.id and deadline.provisional and deadline.version < calendar.version


def concerned_by(state: State, calendar: WorkCalendar) -> list[tuple[int, Deadline]]:
    """The provisional due dates that an earlier version of the calendar gave, by token of a task or timer."""
    return [
        (key, deadline)
        for key, deadline in state.deadlines.items()
        if is_behind(deadline, calendar)
        # Of a task that is done, the token may still wait at a save point.
        and (key in state.tasks or key in state.timers)
    ]


def catch_up(run: Run) -> None:
    """Count anew what was published while the instance was suspended; what cannot be counted stays as it was."""
    for calendar in {deadline.calendar: 0 for deadline in run.state.deadlines.values()}:
        derive(run, c.DeriveDeadlines("", calendar, 0))


def derive(run: Run, command: c.DeriveDeadlines) -> Rejected | None:
    """Count the provisional due dates of a calendar anew by its version in force; firm ones stay as promised."""
    working = run.facts.calendars.get(command.calendar)
    if working is None or working.version < command.version:
        return Rejected(
            "calendar.not_yet", f"Version {command.version} of calendar {command.calendar!r} is not known here yet."
        )
    concerned = concerned_by(run.state, working)
    for key, deadline in concerned:
        try:
            due_ms, made = counted(working, deadline.start_ms, deadline.duration)
        except ValueError as error:
            return Rejected("calendar.no_working_time", str(error))
        run.emit(e.DeadlineMoved(key, due_ms, made.version, made.provisional))
        if key in run.state.tasks:
            _move_reminders(run, key, deadline.start_ms, due_ms, working.id)
    if not concerned:
        return Rejected("calendar.nothing_to_derive", "No due date here depends on what the calendar did not know.")
    return None


def reminder(timer: int, token: int, element: int, at_ms: int, share: float, work: HumanWork) -> e.TimerStarted:
    """The timer of a reminder; the one at the limit comes again as often as the model says."""
    more = work.remind_times if share >= 1 else 0
    return e.TimerStarted(timer, token, element, at_ms, more, work.remind_every if more else "", share)


def _move_reminders(run: Run, token: int, start_ms: int, due_ms: int, calendar: str) -> None:
    """Move the reminders that are still to come; those that came too early come again."""
    task = run.state.tasks[token]
    work = run.definition.graph.elements[task.element].human
    waiting = {timer.share: key for key, timer in run.state.timers.items() if timer.token == token and timer.share}
    if work is None:
        return
    for share in work.remind_shares:
        at_ms = part_way(run, start_ms, due_ms, share, calendar)
        key = waiting.get(share)
        if key is not None:
            run.emit(e.DeadlineMoved(key, at_ms))
        elif at_ms > run.now_ms:
            run.emit(reminder(run.state.next_id, token, task.element, at_ms, share, work))
