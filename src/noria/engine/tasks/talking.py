"""Words about a request: urge, comment, consult (催办, 评论, 沟通)."""

from __future__ import annotations

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.tasks.claiming import held_task, open_task
from noria.kernel.errors import Rejected
from noria.kernel.instants import MINUTE_MS

URGE_AGAIN_MS = 30 * MINUTE_MS
"""A task may be urged once in this time."""
CONSULTED_MAX = 20


def urge(run: Run, command: c.UrgeTask) -> Rejected | None:
    """Ask the holder to hurry, not more often than once in half an hour."""
    task = open_task(run, command.token, 0)
    if isinstance(task, Rejected):
        return task
    wait_ms = task.urged_ms + URGE_AGAIN_MS - run.now_ms
    if task.urged_ms and wait_ms > 0:
        return Rejected(
            "task.urged_recently",
            f"The task was urged less than {URGE_AGAIN_MS // MINUTE_MS} minutes ago.",
            {"retry_after_ms": wait_ms},
        )
    run.emit(e.TaskUrged(command.token, command.by, run.now_ms, command.text))
    return None


def comment(run: Run, command: c.Comment) -> Rejected | None:
    """Say something about the request."""
    if not command.text.strip():
        return Rejected("comment.empty", "The comment is empty.", {"fields": {"text": "comment.empty"}})
    run.emit(e.Commented(command.by, command.text, command.token, command.mentions))
    return None


def consult(run: Run, command: c.Consult) -> Rejected | None:
    """Ask people for their opinion; the task stays with who asks."""
    task = held_task(run, command.token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    if not command.text.strip():
        return Rejected("comment.empty", "Say what you want to know.", {"fields": {"text": "comment.empty"}})
    asked = {item.person for item in run.state.consultations.values() if item.token == command.token}
    people = [person for person in dict.fromkeys(command.people) if person and person != command.by]
    if not people or asked.intersection(people):
        text = "Name somebody else who is not asked already."
        return Rejected("consultation.people", text, {"fields": {"people": "consultation.people"}})
    if len(people) > CONSULTED_MAX:
        return Rejected("consultation.people", f"At most {CONSULTED_MAX} people are asked at once.")
    for person in people:
        number = run.state.next_id
        run.emit(
            e.ConsultationOpened(number, command.token, task.element, person, command.by, command.text, run.now_ms)
        )
    return None


def answer(run: Run, command: c.AnswerConsultation) -> Rejected | None:
    """File the opinion of who was asked."""
    asked = run.state.consultations.get(command.consultation)
    if asked is None:
        return Rejected("consultation.not_open", "Nobody waits for this opinion any more.")
    if asked.person != command.by:
        return Rejected("task.not_yours", "Somebody else is asked for this opinion.", {"assignee": asked.person})
    if not command.text.strip():
        return Rejected("comment.empty", "Say what you think.", {"fields": {"text": "comment.empty"}})
    run.emit(e.ConsultationAnswered(command.consultation, asked.element, command.by, command.text, asked.by))
    return None
