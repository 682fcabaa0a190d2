"""Script task: one FEEL expression, evaluated at once; with a topic the script is a worker's."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import publishing
from noria.engine.run import Run
from noria.engine.trouble import Trouble


def enter(run: Run, token: int, element: Element) -> None:
    """Evaluate and go on; without a result variable a context's entries become variables.

    Raises:
        Trouble: the expression uses up its budget, or there is nothing to evaluate.
    """
    if element.job is not None:
        publishing.create_job(run, token, element)
        return
    if element.script is None:
        raise Trouble("script.missing", f"{element.id} has no script.")
    result = run.evaluate(element.script, run.variables(token))
    if element.result_variable:
        run.assign(token, element, {element.result_variable: result})
    elif isinstance(result, dict):
        run.assign(token, element, result)
    run.leave(token, element)
