"""Words about a request: urge and comment (催办, 评论)."""

from __future__ import annotations

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.tasks.claiming import open_task
from noria.kernel.errors import Rejected
from noria.kernel.instants import MINUTE_MS

URGE_AGAIN_MS = 30 * MINUTE_MS
"""A task may be urged once in this time."""


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
