"""Complex gateway: a join by its own condition; as a split it works as an inclusive gateway."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import joining
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Split at once; a join looks at its activation condition with each token.

    Raises:
        Trouble: the condition uses up its budget, or no flow applies.
    """
    if len(element.incoming) < 2:
        run.leave(token, element)
    else:
        joining.arrive(run, token, element)
