"""Approvals: a user task that one or several people approve or refuse (会签, 或签, 依次审批, 票签, 加签, 减签).

The activity's own token stays outside; the task of each person whose turn it is is a token of the same element in that
token's scope. Who is asked and how it stands is worked out by `voting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from noria.design.bpmn.graph import ApprovalRule, Element, HumanWork
from noria.design.feel import Expression
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import voting
from noria.engine.state import Approval, Panel, Seat, Task
from noria.engine.tasks import finding
from noria.engine.trouble import Trouble
from noria.kernel.errors import Rejected

if TYPE_CHECKING:
    from noria.engine.run import Run

PEOPLE_MAX = 500
WEIGHT_MAX = 1_000_000


def begin(run: Run, token: int, element: Element, work: HumanWork, rule: ApprovalRule) -> None:
    """Find out who is to be asked, and ask those whose turn it is first.

    Raises:
        Trouble: an expression gives no usable value.
    """
    variables = run.variables(token)
    named = _seats(run, element, rule, variables)
    if len(named) > PEOPLE_MAX:
        raise Trouble("approval.too_many", f"{len(named)} people would decide {element.id}; {PEOPLE_MAX} at most.")
    share = _number(run, element, rule.share, variables, "passShare")
    count = _number(run, element, rule.count, variables, "passCount")
    found = [
        (seat if reason or finding.reachable(run, seat.person) else msgspec.structs.replace(seat, person=""), reason)
        for seat, reason in finding.excused(run, rule, named, variables.get("starter"))
    ]
    seats, passed = _distinct(found)
    if not seats or not all(seat.person for seat in seats):
        run.emit(e.NobodyFound(token, element.index, work.when_nobody))
        instead = finding.person_instead(run, token, element, work)
        if not seats and work.when_nobody in (voting.APPROVE, voting.REFUSE):
            run.emit(e.TaskPassed(token, element.index, "", "nobody", work.when_nobody))
            _conclude(run, token, element, work.when_nobody, "")
            return
        seats = [seat if seat.person else msgspec.structs.replace(seat, person=instead) for seat in seats]
        if not seats:
            # Whoever decides instead of everybody decides alone.
            seats, share, count = [Seat(instead)], float(bool(share or count)), 0.0
    weight = sum(seat.weight for seat in seats)
    if rule.mode == voting.VOTE and (count > weight or not weight):
        text = f"The vote of {element.id} needs more than those who are asked have together ({weight:g})."
        raise Trouble("approval.pass", text)
    members = tuple(range(1, len(seats) + 1))
    panel = Panel(rule.mode, members, "", rule.refuses_at_once, share, count)
    round_now = run.state.rounds.get(element.index, 0) + 1
    if token not in run.state.scopes:
        run.open_scope(token, element)
    approval = Approval(element.index, round_now, {0: panel}, dict(zip(members, seats, strict=True)))
    run.emit(e.ApprovalOpened(token, approval))
    for person, reason in passed:
        run.emit(e.TaskPassed(token, element.index, person, reason, voting.APPROVE))
    go_on(run, token, element, "")


def _distinct(found: list[tuple[Seat, str]]) -> tuple[list[Seat], list[tuple[str, str]]]:
    """Every person once, and who of them is not asked for which reason."""
    seats: dict[str, Seat] = {}
    passed: dict[str, str] = {}
    for seat, reason in found:
        if seat.person not in seats:
            seats[seat.person] = seat
            if reason:
                passed[seat.person] = reason
    return list(seats.values()), list(passed.items())


def _seats(run: Run, element: Element, rule: ApprovalRule, variables: Mapping[str, object]) -> list[Seat]:
    work = element.human
    source = rule.approvers or (work.assignee if work is not None else None)
    if source is None:
        return []
    value = run.evaluate(source, variables)
    seats: dict[str, Seat] = {}
    for item in value if isinstance(value, list) else [value]:
        person, weight, veto = item, 1.0, False
        if isinstance(item, dict):
            person, weight, veto = item.get("person"), item.get("weight", 1), item.get("veto", False) is True
        if person is None or person == "":
            continue
        if (
            not isinstance(person, str)
            or isinstance(weight, bool)
            or not isinstance(weight, int | float)
            or not 0 <= weight <= WEIGHT_MAX
        ):
            text = f"The approvers of {element.id} ({source.source}) must be people, but {item!r} is among them."
            raise Trouble("approval.approvers", text)
        seats.setdefault(person, Seat(person, float(weight), veto))
    return list(seats.values())


def _number(
    run: Run, element: Element, expression: Expression | None, variables: Mapping[str, object], what: str
) -> float:
    if expression is None:
        return 0.0
    value = run.evaluate(expression, variables)
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if not number > 0 or (what == "passShare" and number > 1):
        raise Trouble("approval.pass", f"The {what} of {element.id} ({expression.source}) gives {value!r}.")
    return number


def person_of(approval: Approval, token: int) -> str:
    """Who is asked by the task with this token."""
    return approval.seats[voting.seat_of(approval, token)].person


def _ask(run: Run, token: int, element: Element) -> None:
    """Open the tasks of those whose turn it is, and close those of others."""
    approval = run.state.approvals[token]
    asked = set(voting.asked_now(approval))
    for number, seat in approval.seats.items():
        if seat.task and number not in asked:
            run.cancel(seat.task, "not_their_turn")
    for number in sorted(asked):
        if not approval.seats[number].task:
            run.emit(e.SeatOpened(token, number, run.enter(element.index, token)))


def decided(run: Run, token: int, element: Element, task: int, outcome: str, by: str) -> None:
    """A person's task is completed: count the decision, and go on with the approval.

    Args:
        run: the step.
        token: of the approval.
        element: the user task.
        task: token of the person's task.
        outcome: "approve", "refuse" or "abstain".
        by: who has decided.
    """
    seat = voting.seat_of(run.state.approvals[token], task)
    run.emit(e.ElementLeft(task, element.index))
    run.emit(e.SeatDecided(token, seat, outcome, by))
    go_on(run, token, element, by)


def go_on(run: Run, token: int, element: Element, by: str) -> None:
    """Ask whoever is to be asked next, or finish."""
    approval = run.state.approvals[token]
    result = voting.outcome_of(approval)
    if not result:
        _ask(run, token, element)
        return
    for seat in list(approval.seats.values()):
        if seat.task:
            run.cancel(seat.task, "decided")
    run.emit(e.ApprovalDecided(token, element.index, result))
    _conclude(run, token, element, result, by)


def _conclude(run: Run, token: int, element: Element, result: str, by: str) -> None:
    """Leave the task by what has been decided, or end the request as refused."""
    rule = element.human.approval if element.human is not None else None
    if element.result_variable:
        run.assign(token, element, {element.result_variable: "approved" if result == voting.APPROVE else "refused"})
    if result == voting.REFUSE and not (rule is not None and rule.goes_on):
        run.cancel_scope(0, "refused")
        run.emit(e.InstanceRefused(element.index, by))
        return
    run.leave(token, element)


def add(run: Run, task: Task, command: c.AddApprovers) -> Rejected | None:
    """Have more people asked. The task is open and held by who asks."""
    token = run.state.tokens[command.token].scope
    approval = run.state.approvals.get(token)
    if approval is None:
        return Rejected("task.no_approval", "This task is not an approval; nobody can be added to it.")
    refusal = _unfit(approval, command)
    if refusal is not None:
        return refusal
    seat = voting.seat_of(approval, command.token)
    run.emit(e.ApproversAdded(token, seat, command.where, command.people, command.mode, command.by, command.reason))
    _ask(run, token, run.definition.graph.elements[task.element])
    return None


def asked_already(run: Run, task: int, *people: str) -> Rejected | None:
    """Why these people do not get a task: they are asked in its approval already. None elsewhere."""
    approval = run.state.approvals.get(run.state.tokens[task].scope)
    return _asked_already(approval, people) if approval is not None else None


def _asked_already(approval: Approval, people: tuple[str, ...]) -> Rejected | None:
    asked = {seat.person for seat in approval.seats.values() if not seat.outcome}
    again = sorted(asked.intersection(people))
    return Rejected("approval.asked", f"Asked already: {', '.join(again)}.", {"people": again}) if again else None


def _unfit(approval: Approval, command: c.AddApprovers) -> Rejected | None:
    if command.where not in (voting.BEFORE, voting.AFTER, voting.PARALLEL):
        return Rejected("approval.where", "Approvers are added before, after or parallel.")
    if command.mode not in (voting.ALL_OF, voting.ANY_OF, voting.IN_TURN):
        return Rejected("approval.mode", "The rule among added approvers is allOf, anyOf or inTurn.")
    if not command.people or not all(command.people):
        return Rejected("approval.people", "Name whom to ask.", {"fields": {"people": "approval.people"}})
    if command.by in command.people or len(set(command.people)) < len(command.people):
        return Rejected("approval.self", "Nobody is asked twice, and nobody adds themselves.")
    rejected = _asked_already(approval, command.people)
    if rejected is not None:
        return rejected
    seat = voting.seat_of(approval, command.token)
    if voting.depth_of(approval, seat) >= voting.DEPTH_MAX:
        return Rejected("approval.too_deep", "Approvers have been added to added approvers too often.")
    if len(approval.seats) + len(command.people) > PEOPLE_MAX:
        return Rejected("approval.too_many", f"At most {PEOPLE_MAX} people are asked in one approval.")
    return None


def remove(run: Run, command: c.RemoveApprover) -> Rejected | None:
    """Take back that a person is asked, while that person has not decided."""
    approval = run.state.approvals.get(command.approval)
    if approval is None:
        return Rejected("approval.not_open", "The approval is not open any more.")
    found = next(
        (
            number
            for number, seat in approval.seats.items()
            if seat.person == command.person and seat.by == command.by and not seat.outcome
        ),
        None,
    )
    if found is None:
        return Rejected(
            "approval.not_added",
            f"You have not added {command.person}, or there is a decision already; nothing was done.",
        )
    task = approval.seats[found].task
    if task:
        run.cancel(task, "removed")
    run.emit(e.ApproverRemoved(command.approval, found, command.person, command.by))
    go_on(run, command.approval, run.definition.graph.elements[approval.element], command.by)
    return None
