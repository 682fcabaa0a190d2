"""Who is asked in an approval, and how it stands: 会签 all of, 或签 any of, 依次审批 in turn, 票签 vote.

An approval is a tree. Its leaves are seats of people, its inner nodes panels with a rule of their own; node 0 is the
root. 前加签 puts a panel "in turn" in a seat's place with the added ones first, 后加签 with the added ones last;
并加签 makes them members of the seat's panel.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from noria.engine.state import Approval, Panel, Seat

ALL_OF, ANY_OF, IN_TURN, VOTE = "allOf", "anyOf", "inTurn", "vote"
MODES = (ALL_OF, ANY_OF, IN_TURN, VOTE)
APPROVE, REFUSE, ABSTAIN = "approve", "refuse", "abstain"
BEFORE, AFTER, PARALLEL = "before", "after", "parallel"
DEPTH_MAX = 8
"""Of panels in panels."""


def outcome_of(approval: Approval, node: int = 0) -> str:
    """How a node stands.

    Returns:
        "approve" or "refuse" once it is decided, "abstain" for a seat that does not want to say, "" before.
    """
    seat = approval.seats.get(node)
    if seat is not None:
        return seat.outcome
    panel = approval.panels[node]
    found = [outcome_of(approval, member) for member in panel.members]
    if panel.mode == VOTE:
        return _voted(approval, panel, found)
    said = [outcome for outcome in found if outcome in (APPROVE, REFUSE)]
    if panel.mode == ANY_OF and said:
        return said[0]
    if REFUSE in said and (panel.at_once or panel.mode == IN_TURN):
        return REFUSE
    if "" in found:
        return ""
    return REFUSE if REFUSE in said or not said else APPROVE


def _voted(approval: Approval, panel: Panel, found: list[str]) -> str:
    weights = [_weight(approval, member) for member in panel.members]
    needed = panel.count or panel.share * sum(weights)
    given = dict.fromkeys((APPROVE, REFUSE, ABSTAIN, ""), 0.0)
    for outcome, weight, member in zip(found, weights, panel.members, strict=True):
        given[outcome] += weight
        seat = approval.seats.get(member)
        if seat is not None and seat.veto and outcome == REFUSE:
            return REFUSE
    vetoes = any(
        seat.veto and not seat.outcome for member in panel.members if (seat := approval.seats.get(member)) is not None
    )
    if given[APPROVE] >= needed and not vetoes:
        return APPROVE
    # As soon as those who are still to be asked cannot turn it any more.
    return REFUSE if given[APPROVE] + given[""] < needed else ""


def _weight(approval: Approval, node: int) -> float:
    seat = approval.seats.get(node)
    return seat.weight if seat is not None else 1.0


def asked_now(approval: Approval, node: int = 0) -> Iterator[int]:
    """The seats whose turn it is, decided or not: those that are to be open."""
    seat = approval.seats.get(node)
    if seat is not None:
        if not seat.outcome:
            yield node
        return
    if outcome_of(approval, node):
        return
    panel = approval.panels[node]
    for member in panel.members:
        if not outcome_of(approval, member):
            yield from asked_now(approval, member)
            if panel.mode == IN_TURN:
                return


def added(approval: Approval, at: int, where: str, people: tuple[str, ...], mode: str, by: str) -> Approval:
    """The approval with more people.

    Args:
        approval: as it is.
        at: the seat that they are added at.
        where: "before", "after" or "parallel".
        people: person ids.
        mode: the rule among them.
        by: who adds them.
    """
    panels, seats = dict(approval.panels), dict(approval.seats)
    number = max((*panels, *seats)) + 1
    asked = tuple(range(number, number + len(people)))
    seats |= {node: Seat(person, by=by) for node, person in zip(asked, people, strict=True)}
    group = asked[-1] + 1
    panels[group] = Panel(mode, asked, by)
    parent = _parent(approval, at)
    if where == PARALLEL and panels[parent].mode != IN_TURN:
        panels[parent] = msgspec.structs.replace(panels[parent], members=(*panels[parent].members, group))
        return msgspec.structs.replace(approval, panels=panels, seats=seats)
    members = {BEFORE: (group, at), AFTER: (at, group), PARALLEL: (at, group)}[where]
    place = group + 1
    panels[place] = Panel(ALL_OF if where == PARALLEL else IN_TURN, members)
    panels[parent] = msgspec.structs.replace(
        panels[parent], members=tuple(place if member == at else member for member in panels[parent].members)
    )
    return msgspec.structs.replace(approval, panels=panels, seats=seats)


def removed(approval: Approval, at: int) -> Approval:
    """The approval without a seat that was added."""
    parent = _parent(approval, at)
    panels = dict(approval.panels)
    left = tuple(member for member in panels[parent].members if member != at)
    panels[parent] = msgspec.structs.replace(panels[parent], members=left)
    seats = {node: seat for node, seat in approval.seats.items() if node != at}
    trimmed = msgspec.structs.replace(approval, panels=panels, seats=seats)
    return trimmed if left else _without_panel(trimmed, parent)


def _without_panel(approval: Approval, empty: int) -> Approval:
    parent = _parent(approval, empty)
    panels = {node: panel for node, panel in approval.panels.items() if node != empty}
    left = tuple(member for member in panels[parent].members if member != empty)
    panels[parent] = msgspec.structs.replace(panels[parent], members=left)
    return msgspec.structs.replace(approval, panels=panels)


def _parent(approval: Approval, node: int) -> int:
    return next(number for number, panel in approval.panels.items() if node in panel.members)


def in_vote(approval: Approval, seat: int) -> bool:
    """Whether a seat is one of a vote, where a person may abstain."""
    return approval.panels[_parent(approval, seat)].mode == VOTE


def depth_of(approval: Approval, node: int) -> int:
    """How many panels a node is in."""
    depth = 0
    while node:
        node, depth = _parent(approval, node), depth + 1
    return depth


def seat_of(approval: Approval, token: int) -> int:
    """The seat whose open task has this token."""
    return next(node for node, seat in approval.seats.items() if seat.task == token)


def with_seat(approval: Approval, node: int, **changes: object) -> Approval:
    """The approval with one seat changed."""
    seats = approval.seats | {node: msgspec.structs.replace(approval.seats[node], **changes)}
    return msgspec.structs.replace(approval, seats=seats)
