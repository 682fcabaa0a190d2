"""How approvals and returns are shown."""

from __future__ import annotations

from collections.abc import Iterator

from noria.design.bpmn.graph import Graph
from noria.engine.state import RESERVED_VARIABLES, Approval
from noria.operate.changes import Held
from noria.operate.office import element_ref, person_or_none, person_ref
from noria.operate.taskviews import labels_of
from noria.operate.views import ApprovalView, Change, Comeback, SeatView
from noria.trust.people import Organisation


def approval_view(approval: Approval, graph: Graph, organisation: Organisation) -> ApprovalView:
    """How an approval stands."""
    whole = approval.panels[0]
    seats = [
        SeatView(
            person=person_or_none(organisation, seat.person),
            outcome=seat.outcome,
            open=bool(seat.task),
            panel=panel,
            mode=approval.panels[panel].mode,
            weight=seat.weight,
            veto=seat.veto,
            added_by=person_or_none(organisation, seat.by),
        )
        for number, panel in _in_order(approval, 0)
        if (seat := approval.seats[number])
    ]
    return ApprovalView(
        element=element_ref(graph.elements[approval.element]),
        mode=whole.mode,
        share=whole.share,
        count=whole.count,
        seats=seats,
    )


def _in_order(approval: Approval, panel: int) -> Iterator[tuple[int, int]]:
    """The seats in the order in which they are asked, each with its panel."""
    for member in approval.panels[panel].members:
        if member in approval.seats:
            yield member, panel
        else:
            yield from _in_order(approval, member)


def comeback_view(
    held: Held, token: int, organisation: Organisation, hidden: frozenset[str] = frozenset()
) -> Comeback | None:
    """The return that a task belongs to, None where there is none: what has changed since it."""
    comeback, state = held.state.comeback, held.state
    if comeback is None:
        return None
    now = dict(state.scopes[0].variables)
    scope = state.tokens[token].scope
    chain = []
    while scope > 0:
        chain.append(state.scopes[scope].variables)
        scope = state.scopes[scope].parent
    for variables in reversed(chain):
        now |= variables
    labels = labels_of(held.definition.own_forms)
    before = comeback.before
    names = [*before, *(name for name in now if name not in before)]
    return Comeback(
        by=person_ref(organisation, state.actors.get(comeback.element, "")),
        element=element_ref(held.definition.graph.elements[comeback.element]),
        straight=comeback.straight,
        resubmits=state.tokens[token].element == comeback.to,
        changes=[
            Change(name, labels.get(name, ""), before.get(name), now.get(name))
            for name in names
            if name not in hidden and name not in RESERVED_VARIABLES and before.get(name) != now.get(name)
        ],
    )
