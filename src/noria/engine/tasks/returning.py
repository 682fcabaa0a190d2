"""Returning a request to an earlier user task (退回重办), rules R1 and R2 of the approval verbs."""

from __future__ import annotations

from noria.design.bpmn.graph import Element, Kind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.run import Run
from noria.engine.state import State
from noria.engine.tasks import separating
from noria.engine.tasks.claiming import held_task
from noria.kernel.errors import Rejected

_JOINS = (Kind.PARALLEL_GATEWAY, Kind.INCLUSIVE_GATEWAY, Kind.COMPLEX_GATEWAY)


def returnable(definition: Definition, state: State, token: int) -> tuple[int, ...]:
    """The user tasks that a task may be returned to: done before, upstream, and in a scope that is still open."""
    targets = []
    for element in definition.graph.elements:
        if element.kind is Kind.USER_TASK and element.index in state.actors:
            common = _common_scope(state, token, element)
            if common is None:
                continue
            lifted, undoing = _lift(state, token, common)
            if undoing:
                continue
            at = state.tokens[lifted].element
            downstream = _behind(definition, state, common, element.index)
            if (
                at != element.index
                and downstream >> at & 1
                and not _past_a_choice(definition, state, common, downstream)
            ):
                targets.append(element.index)
    return tuple(targets)


def _behind(definition: Definition, state: State, scope: int, target: int) -> int:
    """What lies behind a target, but for what a complex gateway has let go on that only other branches have come to."""
    avoiding, flows = 0, definition.graph.flows
    while True:
        downstream = definition.downstream(target, avoiding)
        others = sum(
            1 << index
            for index, used in _activated(state, scope)
            if not any(downstream >> flows[flow].source & 1 for flow in used)
        )
        if others == avoiding:
            return downstream
        avoiding = others


def _activated(state: State, scope: int) -> list[tuple[int, tuple[int, ...]]]:
    """The complex gateways of a scope that have gone on and wait for the others, and the flows by which they did."""
    here = ((state.tokens[marker], used) for marker, used in state.activated.items())
    return [(token.element, used) for token, used in here if token.scope == scope]


def _past_a_choice(definition: Definition, state: State, scope: int, downstream: int) -> bool:
    """Whether a complex gateway downstream has been passed that other branches have come to.

    Which of them had, and whether they were enough without the one that is returned, nobody could tell it again.
    """
    activated = dict(_activated(state, scope))
    for index in definition.waiting_joins:
        join = definition.elements[index]
        if join.kind is not Kind.COMPLEX_GATEWAY or not downstream >> index & 1:
            continue
        if index in activated:
            if not all(downstream >> definition.graph.flows[flow].source & 1 for flow in activated[index]):
                return True
            continue
        behind = definition.downstream(index) & ~(1 << index)
        if any(behind >> value.element & 1 for _, value in state.flowing(scope)) and _been_through(
            definition, state, scope, join, downstream
        ):
            return True
    return False


def _common_scope(state: State, token: int, target: Element) -> int | None:
    """The innermost scope around the token whose own element is the one around the target; None when it has closed."""
    scope = state.tokens[token].scope
    while scope >= 0:
        if state.scopes[scope].element == target.scope:
            return scope
        scope = state.scopes[scope].parent
    return None


def _lift(state: State, token: int, scope: int) -> tuple[int, bool]:
    """The token itself, or the one directly inside `scope` that it moves in; and whether one of these compensates."""
    undoing = token in state.handlers
    while state.tokens[token].scope != scope:
        token = state.tokens[token].scope
        undoing = undoing or token in state.handlers
    return token, undoing


def return_task(run: Run, command: c.ReturnTask) -> Rejected | None:
    """Cancel exactly what lies downstream of the target, and open the target for a new round.

    Rule R1: within the smallest scope that holds both, tokens downstream of the target go; sibling branches stay.
    A sibling branch that has already gone into a join downstream stays done: its arrival at the join is put back.
    """
    token = command.token
    task = held_task(run, token, command.by, command.version)
    if isinstance(task, Rejected):
        return task
    rejected = separating.may_not_do(run, task, command.by)
    if rejected is not None:
        return rejected
    if not command.reason.strip():
        return Rejected(
            "reason.required", "Say why the request is returned.", {"fields": {"reason": "reason.required"}}
        )
    definition, state = run.definition, run.state
    target = definition.graph.element_of.get(command.to)
    if target is None or target not in returnable(definition, state, token):
        return Rejected("task.not_returnable", f"The request cannot be returned to {command.to!r} from here.")
    element = definition.graph.elements[target]
    scope = _common_scope(state, token, element)
    assert scope is not None  # noqa: S101 - returnable() has just found it
    if not task.assignee:
        run.emit(e.TaskClaimed(token, command.by))
    downstream = _behind(definition, state, scope, target)
    valid = tuple(
        index for index in sorted(state.actors) if downstream >> index & 1 and index not in (target, task.element)
    )
    run.emit(e.TaskReturned(token, task.element, target, command.by, command.reason, command.straight, valid))
    separating.note(run, token, definition.graph.elements[task.element], command.by)
    gone = [key for key, _ in state.flowing(scope) if _lies_behind(run, key, downstream)]
    # The new token comes first, so that the scope is never empty in between.
    run.enter(target, scope)
    for key in gone:
        run.cancel(key, "returned")
    _restore_arrivals(run, scope, target, downstream)
    return None


def _lies_behind(run: Run, token: int, downstream: int) -> bool:
    """Whether a token is downstream; one that waits at a join is so only if its way there was."""
    here = run.state.tokens[token]
    element = run.definition.graph.elements[here.element]
    if element.kind in _JOINS and len(element.incoming) > 1 and here.via >= 0:
        return bool(downstream >> run.definition.graph.flows[here.via].source & 1)
    return bool(downstream >> here.element & 1)


def _restore_arrivals(run: Run, scope: int, target: int, downstream: int) -> None:
    """Put back the arrivals of sibling branches at parallel joins that have been passed."""
    definition = run.definition
    for join in definition.elements:
        if join.kind is Kind.PARALLEL_GATEWAY and downstream >> join.index & 1 and join.index != target:
            for flow in _been_through(definition, run.state, scope, join, downstream):
                run.place(join.index, scope, flow)


def _been_through(definition: Definition, state: State, scope: int, join: Element, downstream: int) -> list[int]:
    """The flows into a join by which sibling branches have come and gone: on them nobody comes, and nobody waits."""
    found = []
    for flow in join.incoming if len(join.incoming) > 1 else ():
        if downstream >> definition.graph.flows[flow].source & 1:
            continue
        upstream = definition.upstream(flow, join.index)
        if not any(value.via == flow or upstream >> value.element & 1 for _, value in state.flowing(scope)):
            found.append(flow)
    return found
