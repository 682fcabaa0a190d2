"""Putting an instance elsewhere in its process, as an operator: start, cancel, move."""

from __future__ import annotations

from noria.design.bpmn.graph import SUB_PROCESSES, Kind, TriggerKind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import triggers
from noria.engine.lifecycle import reserved_names
from noria.engine.run import Run
from noria.engine.tasks.taking_back import while_taken_back
from noria.engine.trouble import Trouble
from noria.kernel.errors import REASON_REQUIRED, NoriaError, Rejected

_NOT_STARTED = (Kind.BOUNDARY_EVENT, Kind.EVENT_SUB_PROCESS)
_CHOOSING = (Kind.EXCLUSIVE_GATEWAY, Kind.EVENT_BASED_GATEWAY)
"""Of the flows behind them one is taken; they hold nothing up that could be left out."""


class _ImpossibleError(NoriaError):
    """A change that cannot be made; becomes the refusal of the whole command."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.refusal = code


def modify(run: Run, command: c.ModifyInstance) -> Rejected | None:
    """Carry out all changes or none: what is to start starts first, then what is to go goes."""
    if not command.reason.strip():
        return REASON_REQUIRED
    if not command.moves:
        return Rejected("modification.empty", "Nothing is to be changed.")
    rejected = while_taken_back(run)
    for move in command.moves:
        rejected = rejected or reserved_names(move.variables)
    if rejected is not None:
        return rejected
    run.emit(e.InstanceModified(command.by, command.reason))
    try:
        gone = [token for move in command.moves if move.kind in ("cancel", "move") for token in _tokens(run, move)]
        for move in command.moves:
            if move.kind != "cancel":
                _start(run, move)
        for token in gone:
            if token in run.state.tokens:
                _cancel(run, token)
    except _ImpossibleError as impossible:
        return Rejected(impossible.refusal, impossible.message)
    except Trouble as trouble:
        return Rejected(trouble.trouble_code, trouble.message)
    if not run.state.scopes[0].live:
        return Rejected("modification.nothing_left", "Nothing would be left to do; cancel the instance instead.")
    run.look_at_joins()
    return None


def _element(run: Run, element_id: str) -> int:
    index = run.definition.graph.element_of.get(element_id)
    if not index:
        raise _ImpossibleError("modification.element", f"The process has no element {element_id!r}.")
    return index


def _tokens(run: Run, move: c.Move) -> list[int]:
    index = _element(run, move.element)
    here = [
        key
        for key, value in run.state.tokens.items()
        if value.element == index and move.token in (0, key) and not run.is_part(key)
    ]
    if move.token and not here and move.token in run.state.tokens:
        # One instance of a loop may be named; all of them are the loop's own token.
        here = [move.token] if run.state.tokens[move.token].element == index else []
    if any(run.state.tokens[key].scope in run.state.approvals for key in here):
        text = f"{move.token} is one person's task of the approval at {move.element!r}, which goes or stays as a whole."
        raise _ImpossibleError("modification.part", text)
    if not here:
        raise _ImpossibleError("modification.not_there", f"The instance is not at {move.element!r}.")
    return here


def _start(run: Run, move: c.Move) -> None:
    index = _element(run, move.to if move.kind == "move" else move.element)
    element = run.definition.graph.elements[index]
    around = run.definition.graph.elements[element.scope]
    undoes = any(trigger.kind is TriggerKind.COMPENSATION for trigger in element.triggers)
    if element.kind in _NOT_STARTED or (element.kind is Kind.START_EVENT and undoes):
        raise _ImpossibleError("modification.element", f"{element.id!r} begins by its trigger only.")
    if element.kind is Kind.START_EVENT and around.kind is Kind.EVENT_SUB_PROCESS and move.kind != "start_after":
        scope = _scope(run, around.scope, move.scope or _beside(run, move, around.scope))
        triggers.begin_event_sub_process(run, element, scope, move.variables)
        return
    scope = _scope(run, element.scope, move.scope or _beside(run, move, element.scope))
    if move.variables:
        run.write(scope, move.variables)
    if move.kind == "start_after" and element.kind not in _CHOOSING:
        run.go_on_behind_save_point(run.place(index, scope), element)
    else:
        run.enter(index, scope)


def _beside(run: Run, move: c.Move, index: int) -> int:
    """The innermost scope that all tokens to be moved are in and a container's element is or lies in; 0 for none."""
    if move.kind != "move":
        return 0
    state, elements = run.state, run.definition.graph.elements
    containers = {index}
    while index:
        index = elements[index].scope
        containers.add(index)
    first, *others = (_around(run, state.tokens[token].scope) for token in _tokens(run, move))
    common = (key for key in first if all(key in other for other in others) and key not in state.loops)
    return next((key for key in common if state.scopes[key].element in containers), 0)


def _scope(run: Run, index: int, wanted: int) -> int:
    """The scope of a container's element, which is opened with those around it when it is not running.

    Args:
        run: the step.
        index: of the container's element, 0 for the process.
        wanted: the scope meant, or one around it; 0 when it needs no naming.
    """
    if index == 0:
        return 0
    state, element = run.state, run.definition.graph.elements[index]
    running = [
        key
        for key, value in state.scopes.items()
        if value.element == index
        # One that is there to be compensated goes when that is done, whatever else is in it.
        and not (key in state.loops or key in state.compensations)
        and (not wanted or wanted in _around(run, key))
    ]
    if len(running) == 1:
        return running[0]
    if running:
        many = f"{element.id!r} is running {len(running)} times; name the scope of one."
        raise _ImpossibleError("modification.scope", many)
    if wanted and element.scope == 0:
        raise _ImpossibleError("modification.scope", f"{element.id!r} is not running in scope {wanted}.")
    if element.loop is not None:
        raise _ImpossibleError("modification.scope", f"{element.id!r} is a loop that is not running; start the loop.")
    token = run.place(index, _scope(run, element.scope, wanted))
    if element.keeps:
        run.take_inputs(token, element)
    run.arm(token, element.boundaries)
    run.open_scope(token, element)
    if not element.keeps:
        run.take_inputs(token, element)
    if element.kind in SUB_PROCESSES:
        triggers.arm_event_sub_processes(run, token, element)
    return token


def _around(run: Run, scope: int) -> list[int]:
    """A scope and those around it but for the process."""
    found = []
    while scope > 0:
        found.append(scope)
        scope = run.state.scopes[scope].parent
    return found


def _cancel(run: Run, token: int) -> None:
    """Take a token away, and what is around it as far as nothing else is in there."""
    state = run.state
    scope = state.tokens[token].scope
    while scope and state.scopes[scope].live == 1:
        token, scope = scope, state.tokens[scope].scope
    run.cancel(token, "modified")
