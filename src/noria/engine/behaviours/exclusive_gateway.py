"""Exclusive gateway: the first flow in document order whose condition holds, else the default flow."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine.run import Run


def enter(run: Run, token: int, element: Element) -> None:
    """Choose one flow.

    Raises:
        Trouble: no condition holds and there is no default flow.
    """
    flows = run.definition.graph.flows
    if len(element.outgoing) == 1 and element.default < 0 and flows[element.outgoing[0]].condition is None:
        run.take(token, element, element.outgoing)
        return
    variables = run.variables(token)
    for index in element.outgoing:
        condition = flows[index].condition
        if condition is None or run.test(condition, variables):
            run.take(token, element, (index,))
            return
    if element.default >= 0:
        run.take(token, element, (element.default,))
    elif element.outgoing:
        raise run.no_flow(element)
    else:
        run.take(token, element, ())
