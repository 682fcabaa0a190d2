"""Priorities of what programs do: of what is due, the higher goes first (优先级)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from noria.design.bpmn.graph import JOB_PRIORITY_MAX, Element
from noria.engine.trouble import Trouble

if TYPE_CHECKING:
    from noria.engine.variables import Variables


def priority_of(run: Variables, element: Element, token: int) -> int:
    """The priority of an element's job, timer or save point: its own, or else that of the process.

    Args:
        run: the step.
        element: whose it is.
        token: the token or scope whose variables the expression sees; -1 for none, before an instance starts.

    Raises:
        Trouble: the expression gives no whole number in the range.
    """
    said = element.job_priority
    if isinstance(said, int):
        return said
    value = run.evaluate(said, run.variables(token) if token >= 0 else {})
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= JOB_PRIORITY_MAX:
        raise Trouble(
            "job.priority",
            f"The priority of {element.id} ({said.source}) gives {value!r}; "
            f"a whole number from 0 to {JOB_PRIORITY_MAX} is needed.",
        )
    return value
