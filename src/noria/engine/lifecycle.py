"""Commands about an instance as a whole, and those that machines give: jobs, timers, messages, calls, incidents."""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.bpmn.graph import Element, Kind, TriggerKind
from noria.engine import choosing, looping, triggers
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.deadlines import beat, catch_up, deadline_set, responsible
from noria.engine.forms import checked_form
from noria.engine.run import Run
from noria.engine.state import RESERVED_VARIABLES, Purpose, State, Status
from noria.engine.tasks import overdue, taking_back
from noria.engine.trouble import Trouble
from noria.engine.ways import none_start
from noria.kernel.errors import REASON_REQUIRED, Rejected


def reserved_names(values: Mapping[str, object]) -> Rejected | None:
    """Refuse values for names that the engine itself sets."""
    if RESERVED_VARIABLES.isdisjoint(values):
        return None
    taken = sorted(RESERVED_VARIABLES & values.keys())
    return Rejected(
        "variables.reserved",
        f"{', '.join(taken)} cannot be set: the name is reserved.",
        {"fields": dict.fromkeys(taken, "variables.reserved")},
    )


def start(run: Run, command: c.StartInstance) -> Rejected | None:
    """Start the instance at its none start event, or at the one named."""
    graph = run.definition.graph
    rejected = reserved_names(command.variables)
    if rejected is not None:
        return rejected
    element = _start_element(run, command.start_element)
    if isinstance(element, Rejected):
        return element
    values = dict(command.variables)
    from_people = command.parent is None and not command.start_element
    if graph.start_form and from_people:
        checked = checked_form(run.definition, run.context, graph.start_form, values, {})
        if isinstance(checked, Rejected):
            return checked
        values = checked
    run.emit(
        e.InstanceStarted(
            graph.key,
            run.definition.version,
            command.business_key,
            command.by,
            {**values, "starter": command.starter, "business_key": command.business_key},
            command.parent,
        )
    )
    run.with_start = from_people
    if graph.elements[0].event_sub_processes:
        try:
            triggers.arm_event_sub_processes(run, 0, graph.elements[0])
        except Trouble as trouble:
            return Rejected(trouble.trouble_code, trouble.message)
    if element.kind is Kind.START_EVENT or (command.start_element and not element.instantiates):
        run.enter(element.index, 0)
    elif element.instantiates:
        _begin_behind(run, element)
    else:
        _begin_everywhere(run)
    return None


def _begin_everywhere(run: Run) -> None:
    """BPMN 2.0.2, 10.5.2: without a start event, all begins that no flow leads to."""
    elements = run.definition.graph.elements
    for index in elements[0].starts:
        if not elements[index].instantiates:
            run.enter(index, 0)


def _begin_behind(run: Run, element: Element) -> None:
    """What an instantiating receive task or event gateway waited for has come: go on behind it.

    A parallel event gateway waits in the new instance for its other events.
    """
    graph = run.definition.graph
    token = run.place(element.index, 0)
    for flow in element.incoming:
        gateway = graph.elements[graph.flows[flow].source]
        if gateway.needs_all_triggers:
            for other in gateway.outgoing:
                if graph.flows[other].target != element.index:
                    run.enter(graph.flows[other].target, 0)
    run.leave(token, element)


def _start_element(run: Run, element_id: str) -> Element | Rejected:
    graph = run.definition.graph
    if element_id:
        index = graph.element_of.get(element_id)
        if index is None or index not in graph.elements[0].starts:
            return Rejected("process.no_start", f"{graph.key} has no start event {element_id!r}.")
        return graph.elements[index]
    first = none_start(graph)
    if first >= 0:
        return graph.elements[first]
    return Rejected(
        "process.no_start", f"{graph.key} has several start events with triggers; say at which one it is to start."
    )


def decided_on(state: State) -> bool:
    """Whether anybody but the starter has done a task: what the starter hands in is no decision."""
    return any(person != state.starter for person in state.actors.values())


def withdraw(run: Run, command: c.WithdrawInstance) -> Rejected | None:
    """Take the request back, by its starter and within the definition's rule."""
    state = run.state
    if command.by != state.starter:
        return Rejected("instance.not_starter", "Only the starter can withdraw the request.")
    if state.parent is not None:
        # Nobody would answer the call that waits for it.
        return Rejected("instance.called", "This is a part of another request; withdraw that one.")
    rule = run.definition.graph.withdrawable
    if rule == "never" or (rule == "before_first_decision" and decided_on(state)):
        return Rejected(
            "instance.not_withdrawable", "The request cannot be withdrawn any more: it has been decided on."
        )
    run.cancel_scope(0, "withdrawn")
    run.emit(e.InstanceWithdrawn(command.by, command.reason))
    return None


def cancel(run: Run, command: c.CancelInstance) -> Rejected | None:
    """End the instance as an operator."""
    if not command.reason.strip():
        return REASON_REQUIRED
    run.cancel_scope(0, "terminated")
    run.emit(e.InstanceTerminated(command.by, command.reason))
    return None


def void(run: Run, command: c.VoidInstance) -> Rejected | None:
    """Declare a completed request void."""
    if not command.reason.strip():
        return REASON_REQUIRED
    if run.state.status is not Status.COMPLETED:
        return Rejected("instance.not_completed", "Only what is completed can be declared void.")
    run.emit(e.InstanceVoided(command.by, command.reason))
    return None


RESTARTABLE = (Status.REFUSED, Status.WITHDRAWN, Status.TERMINATED, Status.VOIDED)


def restart(run: Run, command: c.RestartInstance) -> Rejected | None:
    """Put a request back to what it was before it ended."""
    state = run.state
    if not command.reason.strip():
        return REASON_REQUIRED
    if state.status not in RESTARTABLE or state.version != command.version:
        return Rejected("instance.not_restartable", "Only what was refused, withdrawn, terminated or voided goes on.")
    if state.parent is not None or command.state.calls:
        # Whoever called it has gone on by its end; what it had called has been told that it is not wanted any more.
        return Rejected("instance.not_restartable", "It is a part of another request, or has called others.")
    run.emit(e.InstanceRestarted(command.by, command.reason, command.state))
    return None


def suspend(run: Run, command: c.SuspendInstance) -> Rejected | None:
    """Put the instance to rest."""
    if not command.reason.strip():
        return REASON_REQUIRED
    if run.state.suspended:
        return Rejected("instance.suspended", "The instance is suspended already.")
    run.emit(e.InstanceSuspended(command.by, command.reason))
    return None


def resume(run: Run, command: c.ResumeInstance) -> Rejected | None:
    """Have the instance go on where it was; what fell due meanwhile happens now."""
    if not run.state.suspended:
        return Rejected("instance.not_suspended", "The instance is not suspended.")
    run.emit(e.InstanceResumed(command.by, command.reason))
    catch_up(run)
    return None


def set_variables(run: Run, command: c.SetVariables) -> Rejected | None:
    """Correct variables of the process."""
    if not command.reason.strip():
        return REASON_REQUIRED
    if not command.variables:
        return Rejected("modification.empty", "Nothing is to be changed.")
    rejected = reserved_names(command.variables) or taking_back.while_taken_back(run)
    if rejected is not None:
        return rejected
    run.emit(e.VariablesCorrected(command.by, command.reason))
    run.write(0, command.variables)
    return None


def _job_closed(run: Run, token: int) -> Rejected | None:
    if token in run.state.jobs:
        return None
    return Rejected("job.not_open", f"Job {token} is not open; it was completed or cancelled.")


def _element_at(run: Run, token: int) -> Element:
    return run.definition.graph.elements[run.state.tokens[token].element]


def complete_job(run: Run, command: c.CompleteJob) -> Rejected | None:
    """Take a worker's result and go on."""
    rejected = _job_closed(run, command.token) or reserved_names(command.variables)
    if rejected is not None:
        return rejected
    token = command.token
    _drop_incidents(run, token, command.by)
    run.emit(e.JobCompleted(token, command.by))
    element = _element_at(run, token)
    values = command.variables
    if element.result_variable:
        values = {element.result_variable: values.get(element.result_variable, values)}
    run.assign(token, element, values)
    run.leave(token, element)
    return None


def _drop_incidents(run: Run, token: int, by: str) -> None:
    for key in [key for key, incident in run.state.incidents.items() if incident.token == token]:
        run.emit(e.IncidentResolved(key, by))


def fail_job(run: Run, command: c.FailJob) -> Rejected | None:
    """Count a failed try; the last one raises an incident."""
    rejected = _job_closed(run, command.token)
    if rejected is not None:
        return rejected
    token = command.token
    job = run.state.jobs[token]
    element = _element_at(run, token)
    retries = command.retries if command.retries >= 0 else max(job.retries - 1, 0)
    wait_ms = command.retry_in_ms
    if wait_ms < 0:
        waits = element.job.retry_wait_ms if element.job else ()
        tries = (element.job.retries if element.job else 1) - retries
        wait_ms = waits[min(max(tries - 1, 0), len(waits) - 1)] if waits else 0
    run.emit(e.JobFailed(token, command.by, command.message, retries, run.now_ms + wait_ms))
    if retries == 0 and not any(incident.token == token for incident in run.state.incidents.values()):
        run.raise_incident(token, element, "job.failed", command.message, "job")
    return None


def throw_job_error(run: Run, command: c.ThrowJobError) -> Rejected | None:
    """Let the model catch a worker's business error."""
    rejected = _job_closed(run, command.token) or reserved_names(command.variables)
    if rejected is not None:
        return rejected
    _drop_incidents(run, command.token, command.by)
    run.emit(e.JobCompleted(command.token, command.by))
    triggers.throw_error(run, command.token, command.code, command.message, command.variables)
    return None


def fire_timer(run: Run, command: c.FireTimer) -> Rejected | None:
    """Let a due timer take effect; a cycle sets its next one."""
    timer = run.state.timers.get(command.timer)
    if timer is None:
        return Rejected("timer.not_open", f"Timer {command.timer} is not open; it fired or was cancelled.")
    if run.now_ms < timer.due_ms:
        return Rejected("timer.not_due", f"Timer {command.timer} is not due before {timer.due_ms}.")
    element = run.definition.graph.elements[timer.element]
    run.emit(e.TimerFired(command.timer, timer.element))
    if timer.share:
        task = run.state.tasks.get(timer.token)
        # A token may stand at a save point or incident behind its task; then nobody is reminded any more.
        if task is not None:
            run.emit(e.TaskReminded(timer.token, timer.element, timer.share, task.due_ms))
            if timer.share >= 1:
                overdue.act(run, timer, element)
        return None
    if timer.purpose:
        _pass_save_point(run, timer.token, element, timer.purpose)
        return None
    repeats = timer.remaining and (not element.interrupting or element.kind is Kind.INTERMEDIATE_CATCH_EVENT)
    if repeats:
        calendar = next(trigger.calendar for trigger in element.triggers if trigger.kind is TriggerKind.TIMER)
        # From the due instant, not from now: a late server must not shift the rhythm.
        due_ms, deadline = beat(run, timer.due_ms, timer.interval, responsible(run, calendar))
        remaining = timer.remaining - 1 if timer.remaining > 0 else -1
        number = run.state.next_id
        run.emit(
            e.TimerStarted(
                number,
                timer.token,
                timer.element,
                due_ms,
                remaining,
                timer.interval,
                priority=timer.priority,
            )
        )
        if deadline is not None:
            run.emit(deadline_set(number, deadline))
    if (
        repeats
        and element.kind is Kind.INTERMEDIATE_CATCH_EVENT
        and run.state.tokens[timer.token].element == element.index
    ):
        # Each repetition lets a token go on; the one that waits goes with the last.
        run.leave(run.place(element.index, run.state.tokens[timer.token].scope), element)
    else:
        triggers.trigger(run, element, timer.token, {})
    return None


def _pass_save_point(run: Run, token: int, element: Element, purpose: Purpose) -> None:
    if purpose is Purpose.SAVE_BEFORE:
        run.begin_behind_save_point(token, element)
    else:
        run.go_on_behind_save_point(token, element)


def correlate(run: Run, command: c.Correlate) -> Rejected | None:
    """Let a message or signal take effect at one subscription."""
    wait = run.state.waits.get(command.wait)
    if wait is None:
        return Rejected("message.not_awaited", f"Subscription {command.wait} is not open any more.")
    rejected = reserved_names(command.variables)
    if rejected is not None:
        return rejected
    triggers.receive(run, command.wait, command.variables, command.message_id)
    return None


def _call_closed(run: Run, token: int) -> Rejected | None:
    if token in run.state.calls:
        return None
    return Rejected("call.not_open", f"Call {token} is not open; it was answered or cancelled.")


def escalate_call(run: Run, command: c.EscalateCall) -> Rejected | None:
    """Throw a called instance's escalation at the call activity."""
    rejected = _call_closed(run, command.token)
    if rejected is not None:
        return rejected
    element = _element_at(run, command.token)
    triggers.throw_escalation(
        run, command.token, command.code, _handed_out(run, command.token, element, command.variables)
    )
    return None


def _given(variables: Mapping[str, object]) -> dict[str, object]:
    """What a called instance hands back: its variables without those that every instance has of its own."""
    return {name: value for name, value in variables.items() if name not in RESERVED_VARIABLES}


def _handed_out(run: Run, token: int, element: Element, variables: Mapping[str, object]) -> dict[str, object]:
    """What the model maps out of a call that threw something. What cannot be evaluated holds nothing up; it is told."""
    try:
        return run.outputs(token, element, _given(variables))
    except Trouble as trouble:
        run.raise_incident(0, element, trouble.trouble_code, trouble.message, "enter")
        return {}


def complete_call(run: Run, command: c.CompleteCall) -> Rejected | None:
    """Take the answer of a called instance."""
    token = command.token
    rejected = _call_closed(run, token)
    if rejected is not None:
        return rejected
    _drop_incidents(run, token, "")
    run.emit(e.CallCompleted(token, command.error))
    element = _element_at(run, token)
    if command.error:
        outputs = _handed_out(run, token, element, command.variables)
        goes_on = command.begun and element.call is not None and element.call.goes_on
        if triggers.throw_error(run, token, command.error, command.message, {}, outputs, goes_on=goes_on):
            return None
    values = _given(command.variables)
    if element.call is not None and element.call.propagate_out:
        run.assign(token, element, values)
    elif element.outputs or element.data_outputs:
        # These hand on what they name.
        run.open_scope(token, element)
        run.write(token, values)
    run.leave(token, element)
    return None


def retry_incident(run: Run, command: c.RetryIncident) -> Rejected | None:
    """Go on where an incident stopped, after an operator looked."""
    incident = run.state.incidents.get(command.incident)
    if incident is None:
        return Rejected("incident.not_open", f"Incident {command.incident} is not open.")
    run.emit(e.IncidentResolved(command.incident, command.by))
    element = run.definition.graph.elements[incident.element]
    if incident.phase == "job":
        run.emit(e.JobRetried(incident.token, max(command.retries, 1), run.now_ms))
    elif incident.phase == "condition":
        for key in run.state.hosted.get(incident.token, ()):
            if key in run.state.conditions:
                run.look_at_condition(key)
    elif incident.token not in run.state.tokens:
        return None
    elif incident.phase == "leave":
        run.leave(incident.token, element)
    elif incident.phase == "begin":
        triggers.go_in(run, incident.token, element)
    elif incident.phase == "loop":
        looping.after_instance(run, incident.token, element)
    elif incident.phase == "choose":
        choosing.after_activity(run, incident.token, element)
    elif incident.phase == "overdue":
        overdue.again(run, incident.token, element)
    elif incident.phase == "join":
        run.look_at_joins()
    else:
        run.begin(incident.token, element)
    return None


def park(run: Run, command: c.AnyCommand, code: str, message: str) -> Rejected | None:
    """Use up a machine's command that led into an endless loop, and raise an incident instead."""
    root = run.definition.graph.elements[0]
    if run.state.status is not Status.OPEN:
        return Rejected(code, message)
    if isinstance(command, c.FireTimer):
        timer = run.state.timers[command.timer]
        run.emit(e.TimerFired(command.timer, timer.element))
    elif isinstance(command, c.CompleteJob | c.ThrowJobError):
        return fail_job(run, c.FailJob(command.token, command.by, message, retries=0))
    elif isinstance(command, c.Correlate):
        wait = run.state.waits[command.wait]
        run.emit(e.MessageReceived(command.wait, wait.element, wait.name, command.message_id, True))
    elif isinstance(command, c.CompleteCall):
        run.emit(e.CallCompleted(command.token, command.error))
    run.raise_incident(0, root, code, message, "enter")
    return None
