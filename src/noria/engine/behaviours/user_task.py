"""User task: a work item for a person, with a time limit and reminders."""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.bpmn.graph import Element, HumanWork
from noria.engine import events as e
from noria.engine.arming import after, part_way
from noria.engine.run import Run
from noria.engine.trouble import Trouble

_NO_WORK = HumanWork()


def enter(run: Run, token: int, element: Element) -> None:
    """Open the task and set its reminders; in a new round it goes to the person who had it (R2).

    Raises:
        Trouble: an expression gives no usable value, or nobody is named.
    """
    work = element.human or _NO_WORK
    variables = run.variables(token)
    state = run.state
    round_now = state.rounds.get(element.index, 0) + 1
    groups, users = _candidates(run, element, work, variables)
    assignee = state.actors.get(element.index, "") if round_now > 1 and state.returned else ""
    if not assignee:
        assignee = _assignee(run, element, work, variables)
    if not assignee and not groups and not users:
        raise Trouble("task.nobody", f"Nobody can do {element.id}: no assignee, candidate or lane names anyone.")
    due_ms = _due_ms(run, element, work, variables)
    run.emit(
        e.TaskOpened(
            token,
            element.index,
            round_now,
            assignee,
            tuple(groups),
            tuple(users),
            run.now_ms,
            due_ms,
            work.form,
            _priority(run, work, variables),
        )
    )
    if work.completed_by_start and run.with_start and round_now == 1:
        run.emit(e.TaskCompleted(token, element.index, state.starter, 1, "", True))
        run.leave(token, element)
    elif due_ms:
        for share in work.remind_shares:
            at_ms = part_way(run, run.now_ms, due_ms, share, work.calendar)
            run.emit(e.TimerStarted(state.next_id, token, element.index, at_ms, 0, "", share))


def _assignee(run: Run, element: Element, work: HumanWork, variables: Mapping[str, object]) -> str:
    if work.assignee is None:
        return ""
    names = run.evaluate_names(work.assignee, variables, f"The assignee of {element.id}")
    if len(names) > 1:
        raise Trouble("task.many_assignees", f"The assignee of {element.id} is a list; name candidates instead.")
    return names[0] if names else ""


def _candidates(
    run: Run, element: Element, work: HumanWork, variables: Mapping[str, object]
) -> tuple[list[str], list[str]]:
    groups = run.evaluate_names(work.candidate_groups, variables, f"The candidate groups of {element.id}")
    users = run.evaluate_names(work.candidate_users, variables, f"The candidate users of {element.id}")
    if not groups and not users and work.assignee is None:
        # The innermost lane says who works here; the lanes around it only group.
        groups = list(work.lane_groups[:1])
    return groups, users


def _due_ms(run: Run, element: Element, work: HumanWork, variables: Mapping[str, object]) -> int:
    if work.due_in is None:
        return 0
    value = run.evaluate(work.due_in, variables)
    if value is None:
        return 0
    try:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a text")  # noqa: TRY004
        return after(run, run.now_ms, value, work.calendar)
    except ValueError as error:
        raise Trouble("task.no_due", f"The time limit of {element.id} ({work.due_in.source}): {error}") from None


def _priority(run: Run, work: HumanWork, variables: Mapping[str, object]) -> int:
    if work.priority is None:
        return 50
    value = run.evaluate(work.priority, variables)
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = value if isinstance(value, str) else ""
        if not text.isdigit():
            return 50
        value = int(text)
    return max(0, min(100, int(value)))
