"""`evolve`: what each event does to the state. A table by event type, used by live work and replay alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from noria.engine import events as e
from noria.engine import voting
from noria.engine.state import (
    Comeback,
    Compensation,
    Condition,
    Consultation,
    Deadline,
    Done,
    Handler,
    Incident,
    Job,
    LoopState,
    Scope,
    State,
    Status,
    TakingBack,
    Task,
    Timer,
    Token,
    Wait,
)


def evolve(state: State, event: e.AnyEvent) -> State:
    """The state after one event. The state given is left as it was."""
    after = state.copy()
    APPLY[event.__class__](after, event)
    return after


def replay(events_by_command: Iterable[Iterable[e.AnyEvent]], state: State | None = None) -> State:
    """The state after a whole history, or after what followed a state.

    Args:
        events_by_command: for each command that was accepted, its events, oldest first.
        state: the one before them, which is changed; None for the beginning.
    """
    if state is None:
        state = State()
    for events in events_by_command:
        for event in events:
            APPLY[event.__class__](state, event)
        state.version += 1
    return state


def _instance_started(state: State, event: e.InstanceStarted) -> None:
    state.business_key = event.business_key
    state.starter = event.starter
    state.parent = event.parent
    state.scopes[0] = Scope(0, -1, event.variables)


def element_entered(state: State, event: e.ElementEntered) -> None:
    """A token came to an element."""
    token = event.token
    state.tokens[token] = Token(event.element, event.scope, event.via)
    state.next_id = token + 1
    scopes = state.scopes
    around = scopes[event.scope]
    scopes[event.scope] = Scope(around.element, around.parent, around.variables, around.live + 1)


def element_left(state: State, event: e.ElementLeft | e.ElementCancelled | e.TokenMerged) -> None:
    """A token went, with everything that belongs to it."""
    token, scopes = event.token, state.scopes
    scope = state.tokens.pop(token).scope
    around = scopes[scope]
    scopes[scope] = Scope(around.element, around.parent, around.variables, around.live - 1)
    _close_token(state, token, scope)


def element_followed(state: State, left: e.ElementLeft, entered: e.ElementEntered) -> None:
    """A token went and its successor came in the same scope: `element_left`, then `element_entered`."""
    before, after, scope, tokens = left.token, entered.token, entered.scope, state.tokens
    del tokens[before]
    _close_token(state, before, scope)
    tokens[after] = Token(entered.element, scope, entered.via)
    state.next_id = after + 1


def _close_token(state: State, token: int, scope: int) -> None:
    if state.approvals and scope in state.approvals:
        _seat_closed(state, scope, token)
    if token in state.scopes:
        del state.scopes[token]
        state.own("loops").pop(token, None)
        state.own("chosen").pop(token, None)
        state.own("approvals").pop(token, None)
    if state.consultations:
        _drop_consultations(state, token)
    if token in state.hosted:
        _close(state, state.own("hosted").pop(token))
    if state.handlers and token in state.handlers:
        _compensated(state, token)
    if state.activated and token in state.activated:
        del state.own("activated")[token]
    if state.deadlines and token in state.deadlines:
        del state.own("deadlines")[token]


def _drop_consultations(state: State, token: int) -> None:
    for key in [key for key, item in state.consultations.items() if item.token == token]:
        del state.own("consultations")[key]


def _compensated(state: State, token: int) -> None:
    """What a handler compensated is done with, however the handler ended."""
    handler = state.own("handlers").pop(token)
    state.own("done").pop(handler.done, None)
    under_way = state.compensations.get(handler.asked_by)
    if under_way is not None:
        _less(state, handler.asked_by, under_way, {handler.done})


def _less(state: State, asked_by: int, under_way: Compensation, keys: AbstractSet[int]) -> None:
    """A compensation has less to do."""
    left = tuple(key for key in under_way.left if key not in keys)
    if left:
        state.own("compensations")[asked_by] = Compensation(left, under_way.waits)
    else:
        del state.own("compensations")[asked_by]


def _token_merged(state: State, event: e.TokenMerged) -> None:
    element_left(state, event)
    if event.into in state.gathered:
        state.own("gathered")[event.into] += 1


def _element_cancelled(state: State, event: e.ElementCancelled) -> None:
    token = event.token
    element_left(state, event)
    if state.done:
        for key in [key for key, value in state.done.items() if value.scope == token]:
            del state.own("done")[key]
    state.own("compensations").pop(token, None)
    state.own("gathered").pop(token, None)
    state.tasks.pop(token, None)
    state.own("jobs").pop(token, None)
    state.own("calls").pop(token, None)
    for incident in [key for key, value in state.incidents.items() if value.token == token]:
        del state.own("incidents")[incident]
    if state.taking_back is not None and state.taking_back.token == token:
        state.taking_back = None


def _close(state: State, ids: Iterable[int]) -> None:
    for key in ids:
        if state.own("timers").pop(key, None) is not None:
            state.own("deadlines").pop(key, None)
        elif state.own("waits").pop(key, None) is None:
            state.own("conditions").pop(key, None)


def _deadline_set(state: State, event: e.DeadlineSet) -> None:
    state.own("deadlines")[event.key] = Deadline(
        event.calendar, event.version, event.start_ms, event.duration, event.provisional
    )


def _deadline_moved(state: State, event: e.DeadlineMoved) -> None:
    key = event.key
    if key in state.tasks:
        # The task's version stays: whoever is deciding on it need not look again.
        state.tasks[key] = msgspec.structs.replace(state.tasks[key], due_ms=event.due_ms)
    else:
        state.own("timers")[key] = msgspec.structs.replace(state.timers[key], due_ms=event.due_ms)
    if key in state.deadlines:
        state.own("deadlines")[key] = msgspec.structs.replace(
            state.deadlines[key], version=event.version, provisional=event.provisional
        )


def _scope_opened(state: State, event: e.ScopeOpened) -> None:
    state.scopes[event.scope] = Scope(event.element, event.parent, event.variables)
    # What stands directly in a loop is an instance of it, and its scope is opened once.
    if event.parent in state.loops:
        _change_loop(state, event.parent, started=state.loops[event.parent].started + 1)


def _variables_set(state: State, event: e.VariablesSet) -> None:
    _write(state, event.scope, event.values)


def _write(state: State, key: int, values: Mapping[str, object]) -> None:
    scope = state.scopes[key]
    state.scopes[key] = Scope(scope.element, scope.parent, {**scope.variables, **values}, scope.live)


def _task_opened(state: State, event: e.TaskOpened) -> None:
    state.tasks[event.token] = Task(
        event.element,
        event.round,
        event.assignee,
        event.groups,
        event.users,
        event.due_ms,
        event.opened_ms,
        event.form,
        event.priority,
        name=event.name,
    )
    state.rounds[event.element] = event.round
    if state.comeback is not None:
        _count_no_more(state, state.comeback, event.element)


def _count_no_more(state: State, comeback: Comeback, element: int) -> None:
    if element in comeback.valid:
        left = tuple(index for index in comeback.valid if index != element)
        state.comeback = msgspec.structs.replace(comeback, valid=left)


def _change_task(state: State, token: int, **changes: object) -> None:
    task = state.tasks[token]
    state.tasks[token] = msgspec.structs.replace(task, version=task.version + 1, **changes)


def _task_claimed(state: State, event: e.TaskClaimed) -> None:
    _change_task(state, event.token, assignee=event.by, claimed=True)


def _task_unclaimed(state: State, event: e.TaskUnclaimed) -> None:
    _change_task(state, event.token, assignee="", claimed=False)


def _task_completed(state: State, event: e.TaskCompleted) -> None:
    del state.tasks[event.token]
    state.actors[event.element] = event.by
    if not event.with_start:
        state.decisions += 1
    if state.comeback is not None and state.tokens[event.token].scope not in state.approvals:
        _came_back(state, state.comeback, event.element)


def _came_back(state: State, comeback: Comeback, element: int) -> None:
    if element == comeback.element:
        state.comeback = None


def _task_returned(state: State, event: e.TaskReturned) -> None:
    del state.tasks[event.token]
    # Who sent it back gets it again: the next round asks the same people (R2).
    state.actors[event.element] = event.by
    state.returned = True
    state.approved = ()
    # Who wrote the event before there was a way back wrote states without one, too.
    if event.valid is not None:
        before = _visible(state, state.tokens[event.token].scope)
        state.comeback = Comeback(event.element, event.to, event.straight, event.valid, before)


def _visible(state: State, scope: int) -> dict[str, object]:
    found: dict[str, object] = {}
    while scope >= 0:
        found = state.scopes[scope].variables | found
        scope = state.scopes[scope].parent
    return found


def _task_passed(state: State, event: e.TaskPassed) -> None:
    if state.comeback is not None:
        _count_no_more(state, state.comeback, event.element)


def _resubmitted(state: State, event: e.Resubmitted) -> None:
    if state.comeback is not None:
        state.comeback = msgspec.structs.replace(state.comeback, straight=event.straight)


def _approval_decided(state: State, event: e.ApprovalDecided) -> None:
    if state.comeback is not None:
        _came_back(state, state.comeback, event.element)


def _consultation_opened(state: State, event: e.ConsultationOpened) -> None:
    state.own("consultations")[event.consultation] = Consultation(
        event.token, event.element, event.person, event.by, event.text, event.at_ms
    )
    state.next_id = event.consultation + 1
    if event.person not in state.copied:
        state.copied = (*state.copied, event.person)


def _consultation_answered(state: State, event: e.ConsultationAnswered) -> None:
    del state.own("consultations")[event.consultation]


def _copies_sent(state: State, event: e.CopiesSent) -> None:
    state.copied = (*state.copied, *event.people)


def _task_transferred(state: State, event: e.TaskTransferred) -> None:
    _change_task(state, event.token, assignee=event.to, claimed=False)
    scope = state.tokens[event.token].scope
    approval = state.approvals.get(scope)
    if approval is not None:
        seat = voting.seat_of(approval, event.token)
        state.own("approvals")[scope] = voting.with_seat(approval, seat, person=event.to)


def _task_delegated(state: State, event: e.TaskDelegated) -> None:
    _change_task(state, event.token, assignee=event.to, owner=event.by)


def _task_handed_back(state: State, event: e.TaskHandedBack) -> None:
    _change_task(state, event.token, assignee=event.to, owner="")


def _approval_opened(state: State, event: e.ApprovalOpened) -> None:
    state.own("approvals")[event.token] = event.approval


def _change_seat(state: State, token: int, seat: int, **changes: object) -> None:
    state.own("approvals")[token] = voting.with_seat(state.approvals[token], seat, **changes)


def _seat_opened(state: State, event: e.SeatOpened) -> None:
    _change_seat(state, event.token, event.seat, task=event.task)


def _seat_closed(state: State, token: int, task: int) -> None:
    approval = state.approvals[token]
    for number, seat in approval.seats.items():
        if seat.task == task:
            state.own("approvals")[token] = voting.with_seat(approval, number, task=0)


def _seat_decided(state: State, event: e.SeatDecided) -> None:
    _change_seat(state, event.token, event.seat, outcome=event.outcome)
    if event.outcome == voting.APPROVE:
        state.approved = (*state.approved, event.by)


def _approvers_added(state: State, event: e.ApproversAdded) -> None:
    approval = state.approvals[event.token]
    state.own("approvals")[event.token] = voting.added(
        approval, event.seat, event.where, event.people, event.mode, event.by
    )


def _approver_removed(state: State, event: e.ApproverRemoved) -> None:
    state.own("approvals")[event.token] = voting.removed(state.approvals[event.token], event.seat)


def _doers_noted(state: State, event: e.DoersNoted) -> None:
    state.own("doers")[event.element] = (*state.doers.get(event.element, ()), *event.people)


def _task_separated(state: State, event: e.TaskSeparated) -> None:
    task = state.tasks[event.token]
    # Not a change that callers must have seen: it concerns others than who holds the task.
    state.tasks[event.token] = msgspec.structs.replace(task, excluded=(*task.excluded, *event.people))


def _task_urged(state: State, event: e.TaskUrged) -> None:
    _change_task(state, event.token, urged_ms=event.at_ms)


def _job_created(state: State, event: e.JobCreated) -> None:
    state.own("jobs")[event.token] = Job(event.element, event.topic, event.retries, event.due_ms, event.priority)


def _job_completed(state: State, event: e.JobCompleted) -> None:
    del state.own("jobs")[event.token]


def _job_failed(state: State, event: e.JobFailed | e.JobRetried) -> None:
    job = state.jobs[event.token]
    state.own("jobs")[event.token] = Job(job.element, job.topic, event.retries, event.due_ms, job.priority)


def _timer_started(state: State, event: e.TimerStarted) -> None:
    state.own("timers")[event.timer] = Timer(
        event.token,
        event.element,
        event.due_ms,
        event.remaining,
        event.interval,
        event.share,
        event.purpose,
        event.priority,
    )
    state.own("hosted")[event.token] = (*state.hosted.get(event.token, ()), event.timer)
    state.next_id = event.timer + 1


def _wait_opened(state: State, event: e.WaitOpened) -> None:
    state.own("waits")[event.wait] = Wait(event.token, event.element, event.signal, event.name, event.key)
    state.own("hosted")[event.token] = (*state.hosted.get(event.token, ()), event.wait)
    state.next_id = event.wait + 1


def _release(state: State, token: int, ids: tuple[int, ...]) -> None:
    """Take timers or waits from the token that hosts them."""
    _close(state, ids)
    rest = tuple(key for key in state.hosted[token] if key not in ids)
    if rest:
        state.own("hosted")[token] = rest
    else:
        del state.own("hosted")[token]


def _timer_fired(state: State, event: e.TimerFired) -> None:
    _release(state, state.timers[event.timer].token, (event.timer,))


def _message_received(state: State, event: e.MessageReceived) -> None:
    if not event.open:
        _release(state, state.waits[event.wait].token, (event.wait,))


def _waits_closed(state: State, event: e.WaitsClosed) -> None:
    _release(state, event.token, event.ids)


def _incident_raised(state: State, event: e.IncidentRaised) -> None:
    state.own("incidents")[event.incident] = Incident(
        event.token, event.element, event.code, event.message, event.phase
    )
    state.next_id = event.incident + 1


def _incident_resolved(state: State, event: e.IncidentResolved) -> None:
    del state.own("incidents")[event.incident]


def _call_requested(state: State, event: e.CallRequested) -> None:
    state.own("calls")[event.token] = event.process


def _call_ended(state: State, event: e.CallCompleted | e.CallCancelled) -> None:
    del state.own("calls")[event.token]


def _loop_started(state: State, event: e.LoopStarted) -> None:
    state.own("loops")[event.token] = LoopState(event.element, event.round, event.total, items=event.items)
    _change_loop(state, event.token)


def _change_loop(state: State, token: int, **changes: object) -> None:
    loop = state.own("loops")[token] = msgspec.structs.replace(state.loops[token], **changes)
    # BPMN's own names, for conditions and expressions inside (2.0.2, table 10.30).
    counts: dict[str, object] = {
        "numberOfInstances": loop.started if loop.total < 0 else loop.total,
        "numberOfActiveInstances": loop.started - loop.completed - loop.terminated,
        "numberOfCompletedInstances": loop.completed,
        "numberOfTerminatedInstances": loop.terminated,
        "loopCounter": loop.started,
    }
    _write(state, token, counts)


def _loop_instance_ended(state: State, event: e.LoopInstanceEnded) -> None:
    loop = state.loops[event.token]
    _change_loop(
        state, event.token, completed=loop.completed + 1, results={**loop.results, event.instance: event.result}
    )


def _loop_cut_short(state: State, event: e.LoopCutShort) -> None:
    loop = state.loops[event.token]
    _change_loop(state, event.token, terminated=loop.terminated + event.terminated, total=loop.started)


def _condition_awaited(state: State, event: e.ConditionAwaited) -> None:
    state.own("conditions")[event.condition] = Condition(event.token, event.element, event.which)
    state.own("hosted")[event.token] = (*state.hosted.get(event.token, ()), event.condition)
    state.next_id = event.condition + 1


def _condition_changed(state: State, event: e.ConditionChanged) -> None:
    known = state.conditions[event.condition]
    state.own("conditions")[event.condition] = Condition(known.token, known.element, known.which, event.met)


def _activity_kept(state: State, event: e.ActivityKept) -> None:
    state.own("done")[event.token] = Done(event.element, event.scope, state.next_id, event.variables)


def _compensation_thrown(state: State, event: e.CompensationThrown) -> None:
    # Who cancels a transaction takes over what others in it have begun to compensate.
    done = frozenset(event.done)
    for token, handler in tuple(state.handlers.items()):
        if handler.done in done:
            state.own("handlers")[token] = Handler(event.token, handler.done)
    for token, other in tuple(state.compensations.items()):
        if not done.isdisjoint(other.left):
            _less(state, token, other, done)
    state.own("compensations")[event.token] = Compensation(event.done, event.waits)


def _compensation_started(state: State, event: e.CompensationStarted) -> None:
    state.own("handlers")[event.token] = Handler(event.asked_by, event.done)
    # What was completed inside it can be reached from the scope that stands for it now.
    for key, value in state.done.items():
        if value.scope == event.done:
            state.own("done")[key] = msgspec.structs.replace(value, scope=event.token)


def _gateway_activated(state: State, event: e.GatewayActivated) -> None:
    state.own("activated")[event.token] = event.used


def _activities_chosen(state: State, event: e.ActivitiesChosen) -> None:
    if event.activities:
        state.own("chosen")[event.scope] = event.activities
    else:
        state.own("chosen").pop(event.scope, None)


def _tokens_gathered(state: State, event: e.TokensGathered) -> None:
    if event.count:
        state.own("gathered")[event.token] = event.count
    else:
        del state.own("gathered")[event.token]


_OF_ELEMENTS = ("jobs", "timers", "waits", "incidents", "loops", "conditions", "approvals", "consultations", "done")


def _instance_migrated(state: State, event: e.InstanceMigrated) -> None:
    elements, flows = event.elements, event.flows
    replace = msgspec.structs.replace

    def renamed(items: dict[int, Any]) -> None:
        for key, value in list(items.items()):
            if value.element in elements:
                items[key] = replace(value, element=elements[value.element])
            else:
                del items[key]

    for key, token in state.tokens.items():
        state.tokens[key] = Token(elements[token.element], token.scope, flows.get(token.via, -1))
    for key, scope in state.scopes.items():
        state.scopes[key] = replace(scope, element=elements[scope.element])
    renamed(state.tasks)
    for name in _OF_ELEMENTS:
        renamed(state.own(name))
    state.rounds = {elements[key]: value for key, value in state.rounds.items() if key in elements}
    state.actors = {elements[key]: value for key, value in state.actors.items() if key in elements}
    comeback = state.comeback
    if comeback is not None:
        kept = comeback.element in elements and comeback.to in elements
        valid = tuple(elements[index] for index in comeback.valid if index in elements)
        state.comeback = (
            replace(comeback, element=elements[comeback.element], to=elements[comeback.to], valid=valid)
            if kept
            else None
        )
    state.doers = {elements[key]: value for key, value in state.doers.items() if key in elements}
    for key, task in state.tasks.items():
        if task.excluded:
            # The other version says anew who is kept from it.
            state.tasks[key] = replace(task, excluded=())
    for key, used in state.activated.items():
        state.own("activated")[key] = tuple(flows[flow] for flow in used if flow in flows)
    for key, chosen in state.chosen.items():
        state.own("chosen")[key] = tuple(elements[index] for index in chosen if index in elements)


def _instance_restored(state: State, event: e.InstanceRestored | e.TakenBack | e.InstanceRestarted) -> None:
    # The state in a journal may be of an older format; what it goes on as is of this one.
    kept: dict[str, object] = {
        "format": state.format,
        "version": state.version,
        "next_id": max(state.next_id, event.state.next_id),
    }
    if isinstance(event, e.TakenBack | e.InstanceRestarted):
        # Who has a copy has it.
        kept["copied"] = state.copied
    restored = event.state.copy()
    # Who moves tokens looks at them by this very dict: a compensation that ends in the middle of a step restores, too.
    tokens = state.tokens
    tokens.clear()
    tokens.update(restored.tokens)
    kept["tokens"] = tokens
    for name in State.__struct_fields__:
        setattr(state, name, kept.get(name, getattr(restored, name)))


def _take_back_begun(state: State, event: e.TakeBackBegun) -> None:
    state.taking_back = TakingBack(event.token, event.element, event.by, event.state)


def _suspended(suspended: bool) -> Callable[[State, Any], None]:
    def apply(state: State, _event: object) -> None:
        state.suspended = suspended

    return apply


def _ended(status: Status) -> Callable[[State, Any], None]:
    def apply(state: State, _event: object) -> None:
        state.status = status
        # What the process itself hosts (its event sub-processes' subscriptions) ends with it.
        _close(state, state.own("hosted").pop(0, ()))
        state.own("done").clear()

    return apply


def _nothing(_state: State, _event: object) -> None:
    """Recorded for people and other consumers; changes no state."""


APPLY: dict[type, Callable[[State, Any], None]] = {
    e.InstanceStarted: _instance_started,
    e.ElementEntered: element_entered,
    e.ElementLeft: element_left,
    e.ElementCancelled: _element_cancelled,
    e.TokenMerged: _token_merged,
    e.ScopeOpened: _scope_opened,
    e.VariablesSet: _variables_set,
    e.TaskOpened: _task_opened,
    e.TaskClaimed: _task_claimed,
    e.TaskUnclaimed: _task_unclaimed,
    e.TaskCompleted: _task_completed,
    e.TaskReturned: _task_returned,
    e.TaskTransferred: _task_transferred,
    e.TaskReminded: _nothing,
    e.TaskUrged: _task_urged,
    e.Commented: _nothing,
    e.JobCreated: _job_created,
    e.JobCompleted: _job_completed,
    e.JobFailed: _job_failed,
    e.JobRetried: _job_failed,
    e.TimerStarted: _timer_started,
    e.TimerFired: _timer_fired,
    e.WaitOpened: _wait_opened,
    e.MessageReceived: _message_received,
    e.WaitsClosed: _waits_closed,
    e.MessageThrown: _nothing,
    e.SignalThrown: _nothing,
    e.ErrorThrown: _nothing,
    e.EscalationThrown: _nothing,
    e.IncidentRaised: _incident_raised,
    e.IncidentResolved: _incident_resolved,
    e.DecisionEvaluated: _nothing,
    e.CallRequested: _call_requested,
    e.CallCompleted: _call_ended,
    e.CallCancelled: _call_ended,
    e.InstanceCompleted: _ended(Status.COMPLETED),
    e.InstanceWithdrawn: _ended(Status.WITHDRAWN),
    e.InstanceTerminated: _ended(Status.TERMINATED),
    e.InstanceRefused: _ended(Status.REFUSED),
    e.InstanceVoided: _ended(Status.VOIDED),
    e.InstanceRestarted: _instance_restored,
    e.ApprovalOpened: _approval_opened,
    e.SeatOpened: _seat_opened,
    e.SeatDecided: _seat_decided,
    e.ApprovalDecided: _approval_decided,
    e.TaskPassed: _task_passed,
    e.Resubmitted: _resubmitted,
    e.TakeBackBegun: _take_back_begun,
    e.TakenBack: _instance_restored,
    e.CopiesSent: _copies_sent,
    e.ConsultationOpened: _consultation_opened,
    e.ConsultationAnswered: _consultation_answered,
    e.NobodyFound: _nothing,
    e.TaskOverdue: _nothing,
    e.ApproversAdded: _approvers_added,
    e.ApproverRemoved: _approver_removed,
    e.TaskDelegated: _task_delegated,
    e.TaskHandedBack: _task_handed_back,
    e.InstanceFailed: _ended(Status.FAILED),
    e.VariablesCorrected: _nothing,
    e.LoopStarted: _loop_started,
    e.LoopInstanceEnded: _loop_instance_ended,
    e.LoopCutShort: _loop_cut_short,
    e.ConditionAwaited: _condition_awaited,
    e.ConditionChanged: _condition_changed,
    e.ActivityKept: _activity_kept,
    e.CompensationThrown: _compensation_thrown,
    e.CompensationStarted: _compensation_started,
    e.GatewayActivated: _gateway_activated,
    e.TokensGathered: _tokens_gathered,
    e.ActivitiesChosen: _activities_chosen,
    e.InstanceModified: _nothing,
    e.InstanceMigrated: _instance_migrated,
    e.InstanceRestored: _instance_restored,
    e.InstanceSuspended: _suspended(True),
    e.InstanceResumed: _suspended(False),
    e.DoersNoted: _doers_noted,
    e.TaskSeparated: _task_separated,
    e.DeadlineSet: _deadline_set,
    e.DeadlineMoved: _deadline_moved,
    e.FactsRead: _nothing,
}
