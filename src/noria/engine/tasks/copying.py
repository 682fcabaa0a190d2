"""Letting people know of a request (抄送): no decision, and everybody once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from noria.design.bpmn.graph import Element
from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.errors import Rejected

if TYPE_CHECKING:
    from noria.engine.run import Run

PEOPLE_MAX = 500


def send(run: Run, command: c.SendCopy) -> Rejected | None:
    """Let people know; those who have been let know before are left out."""
    people = _new(run, command.people)
    if not people:
        text = "Name somebody who has no copy yet."
        return Rejected("copy.nobody", text, {"fields": {"people": "copy.nobody"}})
    if len(people) > PEOPLE_MAX:
        return Rejected("copy.too_many", f"A copy goes to at most {PEOPLE_MAX} people.")
    run.emit(e.CopiesSent(0, command.by, people, command.text))
    return None


def as_modelled(run: Run, token: int, element: Element) -> None:
    """Let those know whom the model names behind a task.

    Raises:
        Trouble: the expression names nobody that can be.
    """
    work = element.human
    if work is None or work.copy_to is None:
        return
    named = run.evaluate_names(work.copy_to, run.variables(token), "copyTo", element)
    people = _new(run, named[:PEOPLE_MAX])
    if people:
        run.emit(e.CopiesSent(element.index, run.state.actors.get(element.index, ""), people))


def _new(run: Run, people: Iterable[str]) -> tuple[str, ...]:
    known = set(run.state.copied)
    return tuple(person for person in dict.fromkeys(people) if person and person not in known)
