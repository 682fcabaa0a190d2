"""Business rule task: a DMN decision, evaluated at once; the rows that decided are recorded."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.design.feel import to_json
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.state import FACTS
from noria.engine.trouble import Trouble
from noria.kernel.errors import NoriaError


def enter(run: Run, token: int, element: Element) -> None:
    """Decide and go on.

    Raises:
        Trouble: the decision is not in the definition, or its budget is used up.
    """
    decision = run.definition.decisions.get(element.decision)
    if decision is None:
        raise Trouble(
            "decision.unknown", f"{element.id} asks for decision {element.decision!r}, which is not deployed."
        )
    try:
        variables = run.variables(token)
        model = decision.within()
        if FACTS in model.inputs:
            variables = run.with_facts(variables, model.source)
        made = decision.evaluate(variables, run.context)
    except NoriaError as error:
        raise Trouble(error.code, f"{element.id}: {error.message}") from None
    value = to_json(made.value)
    rules = tuple((hit.table_id, hit.rule_id, hit.rule_index + 1) for hit in made.matched)
    run.emit(e.DecisionEvaluated(token, element.index, element.decision, rules, value))
    if element.result_variable:
        run.assign(token, element, {element.result_variable: value})
    elif isinstance(value, dict):
        run.assign(token, element, value)
    else:
        run.assign(token, element, {element.decision: value})
    run.leave(token, element)
