"""How approvals, returns and previews of verbs are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from noria.design.bpmn.graph import Graph
from noria.engine import events as e
from noria.engine.state import RESERVED_VARIABLES, Approval, State, Task
from noria.operate.changes import Held
from noria.operate.office import element_ref, person_or_none, person_ref
from noria.operate.taskviews import labels_of
from noria.operate.views import ApprovalView, Change, Comeback, Preview, PreviewPassed, PreviewTask, Ref, SeatView
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


def preview_of(
    held: Held,
    after: State,
    events: Sequence[e.AnyEvent],
    status: str,
    told: Sequence[str],
    organisation: Organisation,
) -> Preview:
    """What a command would do, from the events that the engine gives for it.

    Args:
        held: the instance as it is.
        after: its state afterwards.
        events: what would happen.
        status: name of the status afterwards.
        told: ids of those who would get a notice.
        organisation: people as they are now.
    """
    before, elements = held.state, held.definition.graph.elements

    def shown(task: Task) -> PreviewTask:
        return PreviewTask(
            element=element_ref(elements[task.element], task.name),
            assignee=person_or_none(organisation, task.assignee),
            groups=list(task.groups),
            round=task.round,
        )

    finished = {event.token for event in events if isinstance(event, e.TaskCompleted | e.TaskReturned)}
    # What is taken back once its effects have been undone is open again then.
    tasks = after.tasks | (after.taking_back.before.tasks if after.taking_back is not None else {})
    opened = [task for key, task in tasks.items() if key not in before.tasks]
    waiting: dict[int, None] = {}
    for now, then in ((before.jobs, after.jobs), (before.timers, after.timers), (before.waits, after.waits)):
        for key, item in now.items():
            if key not in then and elements[item.element].human is None:
                waiting[item.element] = None
    undone = [elements[index] for index in _undone(before, events)]
    people = dict.fromkeys([*(task.assignee for task in opened if task.assignee), *told])
    return Preview(
        status=status,
        cancelled=[shown(task) for key, task in before.tasks.items() if key not in tasks and key not in finished],
        opened=[shown(task) for task in opened],
        passed=[
            PreviewPassed(
                element=element_ref(elements[event.element]),
                by=person_or_none(organisation, event.by),
                reason=event.reason,
            )
            for event in events
            if isinstance(event, e.TaskPassed)
        ],
        stopped=[element_ref(elements[index]) for index in waiting],
        undone=[element_ref(element) for element in undone],
        notified=[_person(organisation, person) for person in people],
    )


def _undone(before: State, events: Sequence[e.AnyEvent]) -> dict[int, None]:
    """Element indexes of the activities that are compensated, the last completed first."""
    kept = {key: value.element for key, value in before.done.items()}
    kept |= {event.token: event.element for event in events if isinstance(event, e.ActivityKept)}
    found: dict[int, None] = {}
    left = [key for event in events if isinstance(event, e.CompensationThrown) for key in event.done]
    while left:
        key = left.pop(0)
        inside = [other for other, value in reversed(list(before.done.items())) if value.scope == key]
        # A sub-process is compensated by what was done inside it.
        if inside:
            left[:0] = inside
        else:
            found[kept[key]] = None
    return found


def _person(organisation: Organisation, person: str) -> Ref:
    return person_ref(organisation, person)
