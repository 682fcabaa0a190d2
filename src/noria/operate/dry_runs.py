"""Looking before (R9): what commands would do, found by the engine itself and thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from noria.design.bpmn.graph import Graph
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.facts import Facts
from noria.engine.outcome import Outcome
from noria.engine.state import State, Status, Task
from noria.engine.tasks.talking import URGE_AGAIN_MS
from noria.kernel.errors import Rejected
from noria.operate.cases import STATUS_NAMES
from noria.operate.changes import Held
from noria.operate.notices import Holding, Members, Notice, notices_of
from noria.operate.office import element_ref, iso, person_or_none, person_ref
from noria.operate.preview_views import Preview, PreviewIncident, PreviewPassed, PreviewTask
from noria.operate.stepping import WRITING, decided
from noria.operate.titles import amount_of
from noria.trust.people import Organisation


class _Row(msgspec.Struct, frozen=True):
    """What a journal row would say."""

    shard: int
    seq: int
    iid: int
    ts: int
    tenant: int
    events: tuple[e.AnyEvent, ...]


def tried(held: Held, commands: Iterable[c.AnyCommand], actor: str, now_ms: int, facts: Facts) -> Outcome | Rejected:
    """What commands would do one after the other, by the function that the runtime decides with.

    Args:
        held: the instance, which stays as it is.
        commands: at least one; one that is refused does not keep the others from being tried.
        actor: who gives them.
        now_ms: the instant at which they are given, ms.
        facts: what the outside says.

    Returns:
        The events of all of them and the state behind them, or the last refusal when all are refused.
    """
    after = Outcome((), held.state)
    refused: Rejected | None = None
    for command in commands:
        answer = decided(msgspec.structs.replace(held, state=after.state), command, actor, now_ms, facts)
        if isinstance(answer, Rejected):
            refused = answer
        else:
            after = Outcome((*after.events, *answer.events), answer.state)
    return refused if refused is not None and not after.events else after


def preview_of(held: Held, outcome: Outcome | Rejected, now_ms: int, organisation: Organisation) -> Preview:
    """How what commands would do is shown.

    Args:
        held: the instance as it is.
        outcome: what was found by trying.
        now_ms: the instant at which it was tried, ms.
        organisation: people as they are now.
    """
    if isinstance(outcome, Rejected):
        return Preview(refused=outcome.code, message=outcome.message, details=outcome.details)
    before, after, events = held.state, outcome.state, outcome.events
    elements = held.definition.graph.elements

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
    told = _notices(held, outcome, now_ms, organisation)
    people = dict.fromkeys([*(task.assignee for task in opened if task.assignee), *(item.person for item in told)])
    urged = any(isinstance(event, e.TaskUrged) for event in events)
    return Preview(
        status=STATUS_NAMES[after.status],
        suspended=after.suspended and after.status is Status.OPEN,
        cancelled=[shown(task) for key, task in before.tasks.items() if key not in tasks and key not in finished],
        opened=[shown(task) for task in opened],
        handed=[
            shown(task)
            for key, task in tasks.items()
            if key in before.tasks and before.tasks[key].assignee != task.assignee
        ],
        passed=[
            PreviewPassed(
                element=element_ref(elements[event.element]),
                by=person_or_none(organisation, event.by),
                reason=event.reason,
            )
            for event in events
            if isinstance(event, e.TaskPassed)
        ],
        stopped=[element_ref(elements[index]) for index in _stopped(held.definition.graph, before, after)],
        undone=[element_ref(elements[index]) for index in _undone(before, events)],
        incidents=[
            PreviewIncident(element=element_ref(elements[event.element]), code=event.code, message=event.message)
            for event in events
            if isinstance(event, e.IncidentRaised)
        ],
        notified=[person_ref(organisation, person) for person in people],
        again_at=iso(now_ms + URGE_AGAIN_MS) if urged else None,
    )


def _notices(held: Held, outcome: Outcome, now_ms: int, organisation: Organisation) -> list[Notice]:
    row, definition = held.row, held.definition
    amount = row.amount
    if any(event.__class__ in WRITING for event in outcome.events):
        amount = amount_of(definition, outcome.state.scopes[0].variables, now_ms)
    holders = {
        key: Holding(task.assignee, task.groups, task.name, task.users, task.excluded)
        for state in (held.state, outcome.state)
        for key, task in state.tasks.items()
    }
    would = _Row(row.shard, 0, row.iid, now_ms, row.tenant, outcome.events)
    return notices_of(would, row.starter, row.title, definition.graph, Members(organisation), holders, amount)


def _stopped(graph: Graph, before: State, after: State) -> dict[int, None]:
    """Element indexes of the automatic steps, timers and subscriptions that would be given up."""
    found: dict[int, None] = {}
    for now, then in ((before.jobs, after.jobs), (before.timers, after.timers), (before.waits, after.waits)):
        for key, item in now.items():
            if key not in then and graph.elements[item.element].human is None:
                found[item.element] = None
    return found


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
