"""What is done when the model finds nobody for a task, or somebody who need not be asked (R4, R8)."""

from __future__ import annotations

import msgspec

from noria.design.bpmn.graph import ApprovalRule, Element, HumanWork
from noria.engine import voting
from noria.engine.run import Run
from noria.engine.state import Seat

OWNER, ADMINISTRATOR, PERSON = "owner", "administrator", "person"
"""Who gets what the model finds nobody for. Without another rule the process owner does, never silent approval."""

_GROUPS = {OWNER: "process_owner", ADMINISTRATOR: "sysadmin"}


def reachable(run: Run, person: str) -> bool:
    """Whether a task can go to a person; who has left, or is misspelt in the model, is as good as nobody."""
    people = run.facts.people
    return people is None or people.knows(person)


def fallback(work: HumanWork) -> tuple[str, ...]:
    """The group that gets a task for which nobody was found."""
    return (_GROUPS.get(work.when_nobody, _GROUPS[OWNER]),)


def person_instead(run: Run, token: int, element: Element, work: HumanWork) -> str:
    """The person who gets it, "" for none.

    Raises:
        Trouble: the expression gives neither a text nor null.
    """
    if work.when_nobody != PERSON or work.nobody_to is None:
        return ""
    names = run.evaluate_names(work.nobody_to, run.variables(token), "nobodyTo", element)
    return names[0] if names and reachable(run, names[0]) else ""


def excused(run: Run, rule: ApprovalRule, seats: list[Seat], starter: object) -> list[tuple[Seat, str]]:
    """The seats, each with the reason why it need not be asked, "" for the others.

    In a round after a return everybody is asked (R4).

    Args:
        run: the step.
        rule: of the approval.
        seats: whom the model names.
        starter: the snapshot of who started the request.
    """
    state = run.state
    if state.returned:
        return [(seat, "") for seat in seats]
    repeats: set[str] = set()
    if rule.repeats == "skip":
        repeats = set(state.approved)
    elif rule.repeats == "skipConsecutive":
        repeats = set(state.approved[-1:])
    found: list[tuple[Seat, str]] = []
    for seat in seats:
        if seat.person == state.starter and rule.when_starter == "skip":
            found.append((msgspec.structs.replace(seat, outcome=voting.APPROVE), "starter"))
        elif seat.person == state.starter and rule.when_starter == "manager":
            manager = starter.get("manager") if isinstance(starter, dict) else None
            found.append((msgspec.structs.replace(seat, person=manager if isinstance(manager, str) else ""), ""))
        elif seat.person in repeats:
            found.append((msgspec.structs.replace(seat, outcome=voting.APPROVE), "repeated"))
        else:
            found.append((seat, ""))
    return found
