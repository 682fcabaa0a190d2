"""Service task: a job that a worker does."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import publishing
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Ask for the work; its completion is a command.

    Raises:
        Trouble: the topic's expression gives no text.
    """
    publishing.create_job(run, token, element)
