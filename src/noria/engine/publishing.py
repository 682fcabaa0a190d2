"""What an element asks of the world outside the instance: a job, a message, a signal, an escalation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.design.bpmn.graph import Element, Trigger, TriggerKind
from noria.engine import events as e
from noria.engine import triggers
from noria.engine.arming import correlation_key, event_name
from noria.engine.priority import priority_of
from noria.engine.state import RESERVED_VARIABLES
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.run import Run


def create_job(run: Run, token: int, element: Element) -> None:
    """Ask a worker for the element's work.

    Raises:
        Trouble: the topic's expression gives no text, or that of the priority no number.
    """
    job = element.job
    if job is None:
        raise Trouble("job.missing", f"{element.id} names no topic; nobody would do its work.")
    topic = run.evaluate_text(job.topic, run.variables(token), f"The topic of {element.id}")
    priority = priority_of(run, element, token)
    run.emit(e.JobCreated(token, element.index, topic, job.retries, run.now_ms, priority))


def throw(run: Run, token: int, element: Element, trigger: Trigger) -> None:
    """Publish a message, broadcast a signal, or escalate.

    With input mappings or data associations only what they name is sent, otherwise all variables that the element sees.

    Raises:
        Trouble: a name or correlation expression gives no usable value.
    """
    variables = run.variables(token)
    sent = run.state.scopes[token].variables if element.inputs or element.data_inputs else variables
    sent = {name: value for name, value in sent.items() if name not in RESERVED_VARIABLES}
    if trigger.kind is TriggerKind.MESSAGE:
        key = run.state.business_key
        if trigger.correlation is not None:
            key = correlation_key(run, trigger.correlation, element, variables)
        run.emit(e.MessageThrown(token, element.index, event_name(run, element, trigger, variables), key, sent))
    elif trigger.kind is TriggerKind.SIGNAL:
        name = event_name(run, element, trigger, variables)
        business_key = ""
        if trigger.correlation is not None:
            what = f"The business key of what {element.id} starts"
            business_key = run.evaluate_text(trigger.correlation, variables, what, may_be_empty=True)
        run.emit(e.SignalThrown(token, element.index, name, sent, business_key, trigger.within))
        run.broadcast(name, sent)
    elif trigger.kind is TriggerKind.ESCALATION:
        triggers.throw_escalation(run, token, event_name(run, element, trigger, variables))
