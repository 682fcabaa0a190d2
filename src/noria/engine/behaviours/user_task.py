"""User task: a work item for a person, with a time limit and reminders."""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.bpmn.graph import Element, HumanWork
from noria.design.feel import Expression
from noria.engine import events as e
from noria.engine.arming import text_of
from noria.engine.deadlines import deadline_set, part_way, reckon, reminder, responsible
from noria.engine.run import Run
from noria.engine.state import Deadline
from noria.engine.tasks import approving, coming_back, finding, separating
from noria.engine.trouble import Trouble
from noria.kernel.numbers import whole_number

_NO_WORK = HumanWork()
_NAME_CHARS_MAX = 200


def enter(run: Run, token: int, element: Element) -> None:
    """Open the task and set its reminders; in a new round it goes to the person who had it (R2).

    Raises:
        Trouble: an expression gives no usable value, or nobody is named.
    """
    work = element.human or _NO_WORK
    state = run.state
    if not work.is_plain or element.separate_from or state.returned or state.approvals or state.loops:
        _enter_with_care(run, token, element, work)
        return
    # Most tasks; as the care would end for them.
    index, assignee = element.index, work.assignee
    named, groups = ("", work.groups) if assignee is None else (assignee.constant or "", ())
    if named and not finding.reachable(run, named):
        _enter_with_care(run, token, element, work)
        return
    number = state.rounds.get(index, 0) + 1
    run.emit(e.TaskOpened(token, index, number, named, groups, (), run.now_ms, 0, work.form, 50))


def _enter_with_care(run: Run, token: int, element: Element, work: HumanWork) -> None:
    state = run.state
    scope = state.tokens[token].scope
    approval = state.approvals.get(scope) if state.approvals else None
    if approval is None:
        if state.comeback is not None and coming_back.passes(run, token, element):
            return
        if work.approval is not None:
            approving.begin(run, token, element, work, work.approval)
            return
    loop = state.loops.get(scope) if state.loops else None
    round_now = state.rounds.get(element.index, 0) + 1 if loop is None else loop.round
    if approval is not None:
        round_now = approval.round
    # In a loop each instance has its own people, who are asked anew.
    assignee = state.actors.get(element.index, "") if round_now > 1 and state.returned and loop is None else ""
    if assignee and not finding.reachable(run, assignee):
        assignee = ""
    # Most tasks ask nothing of the variables, and then nobody looks them up.
    variables: Mapping[str, object] = {} if work.is_constant else run.variables(token)
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    if work.assignee is None or work.candidate_groups is not None or work.candidate_users is not None:
        groups, users = _candidates(run, element, work, variables)
    if approval is not None:
        assignee, groups, users = approving.person_of(approval, token), (), ()
        if not assignee:
            groups = finding.fallback(work)
    elif not assignee and work.assignee is not None:
        assignee = work.assignee.constant or _assignee(run, element, work.assignee, variables)
        if assignee and not finding.reachable(run, assignee):
            assignee = ""
    kept_out = separating.excluded(run, element) if element.separate_from else ()
    if kept_out:
        assignee = "" if assignee in kept_out else assignee
        users = tuple(user for user in users if user not in kept_out)
    if not assignee and not groups and not users:
        assignee = finding.person_instead(run, token, element, work)
        assignee = "" if assignee in kept_out else assignee
        groups = () if assignee else finding.fallback(work)
        run.emit(e.NobodyFound(token, element.index, work.when_nobody))
    due_ms, deadline, calendar = 0, None, ""
    if work.due_in is not None:
        calendar = responsible(run, work.calendar, assignee, groups)
        due_ms, deadline = _due(run, element, work.due_in, calendar, variables)
    run.emit(
        e.TaskOpened(
            token,
            element.index,
            round_now,
            assignee,
            groups,
            users,
            run.now_ms,
            due_ms,
            work.form,
            _priority(run, work.priority, variables) if work.priority is not None else 50,
            _name(run, work.title, variables) if work.title is not None else "",
        )
    )
    if kept_out:
        run.emit(e.TaskSeparated(token, kept_out))
    if deadline is not None:
        run.emit(deadline_set(token, deadline))
    if work.completed_by_start and run.with_start and round_now == 1:
        run.emit(e.TaskCompleted(token, element.index, state.starter, 1, "", True))
        separating.note(run, token, element, state.starter)
        run.leave(token, element)
    elif due_ms:
        for share in work.remind_shares:
            at_ms = part_way(run, run.now_ms, due_ms, share, calendar)
            run.emit(reminder(state.next_id, token, element.index, at_ms, share, work))


def _assignee(run: Run, element: Element, assignee: Expression, variables: Mapping[str, object]) -> str:
    names = run.evaluate_names(assignee, variables, "assignee", element)
    if len(names) > 1:
        raise Trouble("task.many_assignees", f"The assignee of {element.id} is a list; name candidates instead.")
    return names[0] if names else ""


def _candidates(
    run: Run, element: Element, work: HumanWork, variables: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if work.candidate_groups is None and work.candidate_users is None:
        # The innermost lane says who works here; the lanes around it only group.
        return (work.lane_groups[:1] if work.assignee is None else ()), ()
    groups = run.evaluate_names(work.candidate_groups, variables, "candidate groups", element)
    named = run.evaluate_names(work.candidate_users, variables, "candidate users", element)
    users = tuple(user for user in named if finding.reachable(run, user))
    if not groups and not users and work.assignee is None:
        groups = work.lane_groups[:1]
    return groups, users


def _due(
    run: Run, element: Element, due_in: Expression, calendar: str, variables: Mapping[str, object]
) -> tuple[int, Deadline | None]:
    value = run.evaluate(due_in, variables)
    if value is None:
        return 0, None
    try:
        return reckon(run, run.now_ms, text_of(value), calendar)
    except ValueError as error:
        raise Trouble("task.no_due", f"The time limit of {element.id} ({due_in.source}): {error}") from None


def _name(run: Run, title: Expression, variables: Mapping[str, object]) -> str:
    """What the task is called, "" when that gives neither a text nor a number."""
    try:
        value = run.evaluate(title, variables)
    except Trouble:
        # A name is for reading; a model whose name uses up its budget is still run.
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()[:_NAME_CHARS_MAX]


def _priority(run: Run, priority: Expression, variables: Mapping[str, object]) -> int:
    value = run.evaluate(priority, variables)
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = value if isinstance(value, str) else ""
        number = whole_number(text[:9])
        if number is None:
            return 50
        value = number
    return max(0, min(100, int(value)))
