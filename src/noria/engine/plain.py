"""The short way of most commands: a start, a task or a job done, and then along plain elements to the next wait.

At the first element that takes more, a `Run` carries on from there. It gives the very outcome that `step.carefully`
gives (`tests/properties/test_plain_laws.py`), without asking at every move what concerns only few. Where something
else may come of a command from its beginning it gives None, having changed nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from noria.design.feel import EvaluationContext
from noria.engine import commands as c
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.definition import Definition
from noria.engine.events import (
    AnyEvent,
    ElementEntered,
    ElementLeft,
    InstanceCompleted,
    InstanceStarted,
    JobCompleted,
    JobCreated,
    TaskCompleted,
    TaskOpened,
    TimerStarted,
    TokenMerged,
    VariablesSet,
)
from noria.engine.facts import Facts
from noria.engine.forms import checked_form
from noria.engine.outcome import Outcome
from noria.engine.run import Run, RunawayError
from noria.engine.state import RESERVED_VARIABLES, Job, Scope, State, Status, Task, Timer
from noria.engine.ways import CHOOSING, END, FORK, JOB, JOIN, OTHER, TASK, Stop, Way
from noria.kernel.errors import Rejected

_COMPLETED = Status.COMPLETED  # see step.py
_none_reserved = RESERVED_VARIABLES.isdisjoint  # looked up where it is called, it would be made anew for each call
_MOVES_MAX = 1_000
"""After so many moves of one command somebody looks whether they ever end."""
_EVENTS_MAX = 2 * _MOVES_MAX


def _start(definition: Definition, state: State, command: c.StartInstance, now_ms: int, facts: Facts) -> Outcome | None:
    graph, index, context = definition.graph, definition.ways.start, None
    way, values = definition.ways.behind[index], command.variables
    if way is None or state.scopes or command.start_element or not _none_reserved(values):
        return None
    if graph.start_form and command.parent is None:
        context = facts.context(now_ms)
        checked = checked_form(definition, context, graph.start_form, values, {})
        if isinstance(checked, Rejected):
            return None
        values = checked
    business_key, by, parent = command.business_key, command.by, command.parent
    variables = values.copy()
    variables["starter"], variables["business_key"] = command.starter, business_key
    token = state.next_id
    events: list[AnyEvent] = [
        InstanceStarted(graph.key, definition.version, business_key, by, variables, parent),
        ElementEntered(token, index, 0),
    ]
    after = replace(
        state,
        version=state.version + 1,
        next_id=token + 1,
        business_key=business_key,
        starter=by,
        parent=parent,
        tokens={},
        scopes={0: Scope(0, -1, variables, 1)},
        tasks={},
    )
    return _along(definition, after, events, token, way, now_ms, facts, context)


def _complete_task(
    definition: Definition, state: State, command: c.CompleteTask, now_ms: int, facts: Facts
) -> Outcome | None:
    token, by, values, context = command.token, command.by, command.variables, None
    task = state.tasks.get(token)
    if (
        task is None
        or task.assignee != by
        or task.excluded
        or task.owner
        or command.version
        or command.outcome
        or command.resubmit
    ):
        return None
    index = task.element
    way = definition.ways.behind[index]
    if way is None or (values and not _none_reserved(values)):
        return None
    if task.form:
        context = facts.context(now_ms)
        checked = checked_form(definition, context, task.form, values, state.scopes[0].variables, index)
        if isinstance(checked, Rejected):
            return None
        values = checked
    events: list[AnyEvent] = [TaskCompleted(token, index, by, task.round, command.comment)]
    if len(state.tokens) == 1:
        tokens, tasks = {}, {}
    else:
        tokens, tasks = state.tokens.copy(), state.tasks.copy()
        del tokens[token], tasks[token]
    actors = state.actors.copy()
    actors[index] = by
    after = replace(
        state, version=state.version + 1, tokens=tokens, tasks=tasks, actors=actors, decisions=state.decisions + 1
    )
    if values:
        _write(after, events, values)
    if (state.hosted or state.deadlines) and not _close_timers(after, token):
        return None
    return _along(definition, after, events, token, way, now_ms, facts, context)


def _complete_job(
    definition: Definition, state: State, command: c.CompleteJob, now_ms: int, facts: Facts
) -> Outcome | None:
    token, values = command.token, command.variables
    job = state.jobs.get(token)
    if job is None or state.incidents or not _none_reserved(values):
        return None
    index = job.element
    way = definition.ways.behind[index]
    if way is None:
        return None
    result = definition.elements[index].result_variable
    if result:
        values = {result: values.get(result, values)}
    events: list[AnyEvent] = [JobCompleted(token, command.by)]
    tokens, jobs = state.tokens.copy(), dict(state.jobs)
    del tokens[token], jobs[token]
    after = replace(state, version=state.version + 1, tokens=tokens, tasks=state.tasks.copy(), jobs=jobs)
    if values:
        _write(after, events, values)
    if state.hosted and not _close_timers(after, token):
        return None
    return _along(definition, after, events, token, way, now_ms, facts, None)


BEGIN: dict[type, Callable[[Definition, State, Any, int, Facts], Outcome | None]] = {
    c.StartInstance: _start,
    c.CompleteTask: _complete_task,
    c.CompleteJob: _complete_job,
}
"""Command → what comes of it; for an instance of which `step` has seen that nothing beside the token is concerned."""


def _write(after: State, events: list[AnyEvent], values: Mapping[str, object]) -> None:
    """Set variables of the process."""
    scope = after.scopes[0]
    events.append(VariablesSet(0, dict(values)))
    after.scopes = {0: Scope(0, -1, {**scope.variables, **values}, scope.live)}


def _close_timers(after: State, token: int) -> bool:
    """Close the limits and timers of a token that goes; gives whether it hosts nothing else."""
    if token not in after.hosted and token not in after.deadlines:
        return True
    hosted, timers, deadlines = dict(after.hosted), dict(after.timers), dict(after.deadlines)
    deadlines.pop(token, None)
    for key in hosted.pop(token, ()):
        if timers.pop(key, None) is None:
            return False
        deadlines.pop(key, None)
    after.hosted, after.timers, after.deadlines = hosted, timers, deadlines
    return True


def _along(
    definition: Definition,
    after: State,
    events: list[AnyEvent],
    token: int,
    way: Way,
    now_ms: int,
    facts: Facts,
    context: EvaluationContext | None,
) -> Outcome | None:
    """Let a token go on to where it waits or ends.

    Args:
        definition: what is run.
        after: a copy of the state whose tokens and tasks are its own, and this one not among them any more; its other
            dicts are shared, and those that change are replaced.
        events: of the command, so far.
        token: which.
        way: by which it goes on.
        now_ms: the instant of the command.
        facts: what the outside says.
        context: FEEL's, if the command has needed it already.
    """
    number = after.next_id
    while True:
        for left, flows, index, via in way.moves:
            events.append(ElementLeft(token, left, flows))
            token, number = number, number + 1
            events.append(ElementEntered(token, index, 0, via))
        stop = way.stop
        kind = stop.kind
        if kind != CHOOSING:
            break
        if number > after.next_id + _MOVES_MAX:
            kind = OTHER
            break
        if context is None:
            context = facts.context(now_ms)
        for condition, chosen in definition.ways.choices[index]:
            if condition is None or condition.evaluate(after.scopes[0].variables, context) is True:
                way = chosen
                break
        else:
            kind = OTHER
            break
    after.next_id = number
    if kind == TASK and ((people := facts.people) is None or not stop.assignee or people.knows(stop.assignee)):
        after.tokens[token] = way.token
        _open_task(after, events, token, index, stop, now_ms)
    elif kind == JOB:
        after.tokens[token] = way.token
        _create_job(after, events, token, index, stop, now_ms)
    elif kind == END and ((scope := after.scopes[0]).live > 1 or not (after.done or 0 in after.hosted)):
        after.scopes = {0: Scope(0, -1, scope.variables, scope.live - 1)}
        events.append(ElementLeft(token, index))
        if scope.live == 1:
            events.append(InstanceCompleted())
            after.status = _COMPLETED
    else:
        after.tokens[token] = way.token
        if kind in (FORK, JOIN):
            return _branches(definition, after, events, token, now_ms, facts, context)
        return _carried_on(definition, after, events, [token], now_ms, facts, context)
    return Outcome(tuple(events), after)


def _open_task(after: State, events: list[AnyEvent], token: int, index: int, stop: Stop, now_ms: int) -> None:
    if stop.timers:
        _start_timers(after, events, token, stop, now_ms)
    assignee, groups, form = stop.assignee, stop.groups, stop.form
    rounds = after.rounds = after.rounds.copy()
    round_now = rounds[index] = rounds.get(index, 0) + 1
    after.tasks[token] = Task(index, round_now, assignee, groups, (), 0, now_ms, form)
    events.append(TaskOpened(token, index, round_now, assignee, groups, (), now_ms, 0, form, 50))


def _create_job(after: State, events: list[AnyEvent], token: int, index: int, stop: Stop, now_ms: int) -> None:
    if stop.timers:
        _start_timers(after, events, token, stop, now_ms)
    topic, retries, priority = stop.topic, stop.retries, stop.priority
    after.jobs = {**after.jobs, token: Job(index, topic, retries, now_ms, priority)}
    events.append(JobCreated(token, index, topic, retries, now_ms, priority))


def _start_timers(after: State, events: list[AnyEvent], token: int, stop: Stop, now_ms: int) -> None:
    """Set the timers at the boundary of what a token has come to."""
    number, timers = after.next_id, dict(after.timers)
    after.hosted = {**after.hosted, token: tuple(range(number, number + len(stop.timers)))}
    for index, wait_ms, priority in stop.timers:
        events.append(TimerStarted(number, token, index, now_ms + wait_ms, priority=priority))
        timers[number] = Timer(token, index, now_ms + wait_ms, priority=priority)
        number += 1
    after.timers, after.next_id = timers, number


def _branches(
    definition: Definition,
    after: State,
    events: list[AnyEvent],
    token: int,
    now_ms: int,
    facts: Facts,
    context: EvaluationContext | None,
) -> Outcome | None:
    """Let a token go on that has come to a parallel gateway, and those that come of it, an element each in turn.

    The order is that of `Run`'s agenda: it is what the events and the ids of tokens are by.
    """
    ways, tokens = definition.ways, after.tokens
    passed, stops, arrivals = ways.passed, ways.stops, ways.arrivals
    variables, live = after.scopes[0].variables, after.scopes[0].live
    agenda = deque(((token, tokens[token].element),))
    while agenda:
        token, index = agenda.popleft()
        if token not in tokens:
            continue  # joined before its turn came
        flow, stop = passed[index], stops[index]
        kind = stop.kind
        flows: tuple[int, ...] | None = None
        if len(events) > _EVENTS_MAX:
            kind = OTHER
        elif flow is not None:
            flows = (flow,)
        elif kind == FORK:
            flows = stop.flows
        elif kind == JOIN:
            arrived: dict[int, int] = {}
            for key, other in tokens.items():
                if other.element == index:
                    # See `first_by_flow`.
                    arrived.setdefault(other.via if other.via >= 0 else -key, key)
            if len(arrived) < stop.needed:
                continue
            token, *others = arrived.values()
            for key in others:
                del tokens[key]
                events.append(TokenMerged(key, index, token))
            live -= len(others)
            flows = stop.flows
        elif kind == CHOOSING:
            if context is None:
                context = facts.context(now_ms)
            for condition, chosen in ways.choices[index]:
                if condition is None or condition.evaluate(variables, context) is True:
                    flows = chosen.moves[0][1]
                    break
        elif kind == TASK and ((people := facts.people) is None or not stop.assignee or people.knows(stop.assignee)):
            _open_task(after, events, token, index, stop, now_ms)
            continue
        elif kind == JOB:
            _create_job(after, events, token, index, stop, now_ms)
            continue
        elif kind == END and (live > 1 or not (after.done or 0 in after.hosted)):
            del tokens[token]
            live -= 1
            events.append(ElementLeft(token, index))
            if not live:
                events.append(InstanceCompleted())
                after.status = _COMPLETED
            continue
        if flows is None:
            after.scopes = {0: Scope(0, -1, variables, live)}
            going = [token, *(waiting for waiting, _ in agenda if waiting in tokens)]
            return _carried_on(definition, after, events, going, now_ms, facts, context)
        del tokens[token]
        events.append(ElementLeft(token, index, flows))
        number = after.next_id
        for flow in flows:
            arrival = tokens[number] = arrivals[flow]
            events.append(ElementEntered(number, arrival.element, 0, flow))
            agenda.append((number, arrival.element))
            number += 1
        after.next_id = number
        live += len(flows) - 1
    after.scopes = {0: Scope(0, -1, variables, live)}
    return Outcome(tuple(events), after)


def _carried_on(
    definition: Definition,
    after: State,
    events: list[AnyEvent],
    tokens: list[int],
    now_ms: int,
    facts: Facts,
    context: EvaluationContext | None,
) -> Outcome | None:
    """Let tokens begin at the elements to which they have come, in their order, and whatever comes of that."""
    run = Run(definition, after.copy(), now_ms, facts, BEHAVIOURS)
    first = events[0]
    run.take_up(events, tokens, context, with_start=isinstance(first, InstanceStarted) and first.parent is None)
    try:
        run.advance()
    except RunawayError:
        return None
    run.note_facts()
    return Outcome(tuple(run.events), run.state)
