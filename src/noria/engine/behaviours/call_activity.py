"""Call activity: an instance of another process, answered by a command."""

from __future__ import annotations

from noria.design.bpmn.graph import Element
from noria.engine import events as e
from noria.engine.run import Run
from noria.engine.state import RESERVED_VARIABLES
from noria.engine.trouble import Trouble


def enter(run: Run, token: int, element: Element) -> None:
    """Ask for the called instance.

    Raises:
        Trouble: the called process's expression gives no text.
    """
    call = element.call
    if call is None:
        raise Trouble("call.missing", f"{element.id} names no process to call.")
    variables = run.variables(token)
    process = run.evaluate_text(call.process, variables, f"The called process of {element.id}")
    given = variables
    if not call.propagate_in:
        # What a loop or the process gives the activity is its own, and goes no further unless an input says so.
        named = (*element.data_inputs, *element.inputs)
        given = {mapping.target: variables[mapping.target] for mapping in named}
        own = run.state.scopes.get(token)
        if element.keeps and own is not None:
            given = own.variables
    handed = {name: value for name, value in given.items() if name not in RESERVED_VARIABLES}
    business_key = run.state.business_key
    if call.business_key is not None:
        what = f"The business key of {element.id}"
        business_key = run.evaluate_text(call.business_key, variables, what, may_be_empty=True)
    run.emit(e.CallRequested(token, element.index, process, call.binding, handed, business_key))
