"""Having an instance go on by another version of its process, and taking that back.

An element is the same in both versions when it has the same id, or when the operator says so. What is running must
be there in the other version, of the same kind and inside the same sub-processes; what waits keeps waiting (timers
keep their instant), and what is new at a running activity is waited for from now on.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.design.bpmn.graph import SUB_PROCESSES, Element, Graph, Kind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import joining
from noria.engine.definition import Definition
from noria.engine.run import Run
from noria.engine.state import State
from noria.engine.tasks import separating
from noria.engine.trouble import Trouble
from noria.kernel.errors import REASON_REQUIRED, Rejected


class Problem(msgspec.Struct, frozen=True):
    """Why an instance cannot go on by another version.

    Attributes:
        code: stable code.
        element: id of the element in the version that it runs on.
        message: what is wrong.
    """

    code: str
    element: str
    message: str


class Correspondence:
    """Which elements and flows of two versions are the same.

    Attributes:
        elements: element index before → after.
        flows: flow index before → after.
        unknown: ids in the given mapping that one of the versions does not have.
    """

    def __init__(self, before: Definition, after: Definition, mapping: Mapping[str, str]) -> None:
        self.before = before.graph
        self.after = after.graph
        self.unknown = [
            *(source for source in mapping if source not in self.before.element_of),
            *(target for target in mapping.values() if target not in self.after.element_of),
        ]
        self.elements: dict[int, int] = {0: 0}
        for element in self.before.elements[1:]:
            target = self.after.element_of.get(mapping.get(element.id, element.id))
            if target is not None:
                self.elements[element.index] = target
        ends = {(flow.source, flow.target): flow.index for flow in self.after.flows}
        by_id = {flow.id: flow for flow in self.after.flows}
        self.flows: dict[int, int] = {}
        for flow in self.before.flows:
            source, goal = self.elements.get(flow.source), self.elements.get(flow.target)
            same = by_id.get(flow.id)
            # Tools number flows anew: where a flow leads from and to says more than its id.
            if same is not None and (same.source, same.target) == (source, goal):
                self.flows[flow.index] = same.index
            elif source is not None and goal is not None and (source, goal) in ends:
                self.flows[flow.index] = ends[source, goal]
            elif same is not None and same.target == goal:
                self.flows[flow.index] = same.index

    def problems(self, state: State) -> list[Problem]:
        """What in an instance's state has no place in the other version."""
        found: dict[tuple[str, str], Problem] = {}
        if state.taking_back is not None:
            element = self.before.elements[state.taking_back.element]
            message = "What was done here is being taken back; the version can be changed when that is done."
            found["migration.taking_back", element.id] = Problem("migration.taking_back", element.id, message)
        for key, token in state.tokens.items():
            element = self.before.elements[token.element]
            problem = self._problem(element, token.via)
            if problem is None and key in state.tasks:
                problem = self._other_approval(element, token.scope in state.approvals)
            if problem is None and key in state.gathered:
                problem = self._other_quantity(element)
            if problem is not None:
                found.setdefault((problem.code, problem.element), problem)
        for under_way in state.compensations.values():
            for key in under_way.left:
                if key in state.done and state.done[key].element not in self.elements:
                    element = self.before.elements[state.done[key].element]
                    found.setdefault(("migration.gone", element.id), _gone(element))
        return list(found.values())

    def _other_approval(self, element: Element, is_approval: bool) -> Problem | None:
        """Whoever is asked for a decision must be able to decide, and what is to be decided is not just completed."""
        human = self.after.elements[self.elements[element.index]].human
        if (human is not None and human.approval is not None) is is_approval:
            return None
        what = "no approval" if is_approval else "an approval"
        return Problem("migration.kind", element.id, f"{element.id!r} is {what} in the other version.")

    def _other_quantity(self, element: Element) -> Problem | None:
        quantity = self.after.elements[self.elements[element.index]].start_quantity
        if quantity == element.start_quantity:
            return None
        message = f"{element.id!r} waits for {element.start_quantity} tokens, in the other version for {quantity}."
        return Problem("migration.quantity", element.id, message)

    def _problem(self, element: Element, via: int) -> Problem | None:
        target = self.elements.get(element.index)
        if target is None:
            return _gone(element)
        other = self.after.elements[target]
        if other.kind is not element.kind:
            kinds = f"{element.kind.name.lower()} and {other.kind.name.lower()}"
            return Problem("migration.kind", element.id, f"{element.id!r} is of two kinds: {kinds}.")
        if self.elements.get(element.scope) != other.scope:
            return Problem("migration.scope", element.id, f"{element.id!r} lies in another sub-process.")
        if (element.loop.kind if element.loop else None) is not (other.loop.kind if other.loop else None):
            return Problem("migration.loop", element.id, f"{element.id!r} is repeated in another way.")
        if len(element.incoming) > 1 and via >= 0 and via not in self.flows:
            flow = self.before.flows[via].id
            return Problem(
                "migration.flow", element.id, f"It waits at {element.id!r} for flow {flow!r}, which is gone."
            )
        return None

    def mapped(self, state: State) -> bool:
        """Whether the state needs the mapping: something that is running has another id in the other version."""
        return any(
            self.before.elements[token.element].id != self.after.elements[self.elements[token.element]].id
            for token in state.tokens.values()
            if token.element in self.elements
        )


def migrate(run: Run, command: c.MigrateInstance) -> Rejected | None:
    """Rename everything in the state, give up what is no longer waited for, and wait for what is new."""
    target = run.facts.target
    if not command.reason.strip():
        return REASON_REQUIRED
    if target is None or target.graph.key != run.definition.graph.key:
        return Rejected("migration.target", "The other version is of another process, or there is none.")
    same = Correspondence(run.definition, target, command.elements)
    if same.unknown:
        return Rejected("migration.mapping", f"No version has these elements: {', '.join(sorted(same.unknown))}.")
    problems = same.problems(run.state)
    if problems:
        details: dict[str, object] = {"problems": [msgspec.to_builtins(problem) for problem in problems]}
        return Rejected("migration.impossible", problems[0].message, details)
    kept = _give_up(run, target, same)
    run.emit(
        e.InstanceMigrated(
            command.by, command.reason, command.before, command.after, target.version, same.elements, same.flows
        )
    )
    run.definition = target
    separating.look_again(run)
    try:
        _wait_for_new(run, kept)
    except Trouble as trouble:
        return Rejected(trouble.trouble_code, trouble.message)
    run.look_at_joins()
    for scope, index in {(token.scope, token.element): None for token in run.state.tokens.values()}:
        if target.graph.elements[index].kind is Kind.PARALLEL_GATEWAY:
            while joining.pass_parallel(run, scope, target.graph.elements[index]):
                pass
    return None


def _gone(element: Element) -> Problem:
    return Problem("migration.gone", element.id, f"{element.id!r} is not in the other version; map it.")


def _give_up(run: Run, target: Definition, same: Correspondence) -> dict[int, set[int]]:
    """Close what is waited for and is not there in the other version, or has another trigger or place there.

    Returns:
        For each token or scope the events, as element indexes in the other version, that it waits for in both alike:
        what of them has happened already is not waited for again.
    """
    state, before, after = run.state, run.definition.graph, target.graph
    kept: dict[int, set[int]] = {}
    for host in [0, *state.tokens]:
        index = state.tokens[host].element if host else 0
        awaited = {
            event: same.elements[event]
            for event in _events_at(run, before, before.elements[index], host)
            if event in same.elements
        }
        there = _events_at(run, after, after.elements[same.elements[index]], host)
        alike = {
            event: other
            for event, other in awaited.items()
            if other in there and _triggers(before, event) == _triggers(after, other)
        }
        kept[host] = set(alike.values())
        gone = tuple(key for key in state.hosted.get(host, ()) if not _stays(state, key, alike))
        if gone:
            run.emit(e.WaitsClosed(host, gone))
    return kept


def _triggers(graph: Graph, index: int) -> list[int]:
    return [trigger.kind for trigger in graph.elements[index].triggers]


def _stays(state: State, key: int, alike: Mapping[int, int]) -> bool:
    timer = state.timers.get(key)
    if timer is not None and (timer.purpose or timer.share):
        # A save point, or a reminder of a task: these are the activity's own.
        return True
    return (timer or state.waits.get(key) or state.conditions[key]).element in alike


def _events_at(run: Run, graph: Graph, element: Element, host: int) -> list[int]:
    """The event elements that a token or scope waits for by one version, when it has begun there.

    What sets nothing, such as an error, is among them.
    """
    state = run.state
    found: list[int] = []
    if host and not run.is_part(host):
        found += element.boundaries
    if host in state.loops or host in state.approvals:
        return found
    if host in state.scopes:
        found += [start for inner in element.event_sub_processes for start in graph.elements[inner].starts]
    if element.kind in (Kind.INTERMEDIATE_CATCH_EVENT, Kind.RECEIVE_TASK):
        found.append(element.index)
    elif element.kind is Kind.EVENT_BASED_GATEWAY:
        found += [graph.flows[flow].target for flow in element.outgoing]
    return found


def _wait_for_new(run: Run, kept: Mapping[int, set[int]]) -> None:
    """Set the triggers of event elements that a running activity, sub-process or event has only in this version.

    Raises:
        Trouble: an expression gives no usable value.
    """
    state, graph = run.state, run.definition.graph
    stuck = {item.token for item in state.incidents.values() if item.phase in ("enter", "leave")}
    for host in [0, *state.tokens]:
        element = graph.elements[state.tokens[host].element if host else 0]
        wanted = [index for index in _events_at(run, graph, element, host) if index not in kept[host]]
        if not wanted or not _has_begun(run, host, element):
            continue
        if host in stuck:
            # A retry begins anew, and sets all at the boundary if nothing is.
            wanted = [index for index in wanted if graph.elements[index].host >= 0 and host in state.hosted]
        if host in state.scopes and _only_event_sub_processes(run, host):
            wanted = [index for index in wanted if graph.elements[index].kind is not Kind.START_EVENT]
        run.arm(host, wanted)


def _has_begun(run: Run, host: int, element: Element) -> bool:
    """Whether what a token waits for at an element has been set: not before it begins, nor when it is done with.

    A sub-process that comes back to life to be compensated waits for nothing.
    """
    state = run.state
    if host in state.gathered or (host in state.handlers and element.kind in SUB_PROCESSES):
        return False
    return host not in state.hosted or run.at_save_point(host) is None


def _only_event_sub_processes(run: Run, scope: int) -> bool:
    """Whether a scope has been interrupted by one of its event sub-processes, or has only such ones left to do."""
    elements = run.definition.graph.elements
    inside = [elements[token.element].kind for token in run.state.tokens.values() if token.scope == scope]
    return bool(inside) and all(kind is Kind.EVENT_SUB_PROCESS for kind in inside)


def restore(run: Run, command: c.RestoreInstance) -> Rejected | None:
    """Take an operator's change back, if the instance has not moved on since."""
    if run.state.version != command.version:
        return Rejected("restore.moved_on", "The instance has moved on since; the change cannot be taken back.")
    if run.facts.target is None:
        return Rejected("migration.target", "The version that it ran on is not there any more.")
    run.emit(e.InstanceRestored(command.by, command.reason, command.before, command.after, command.state))
    run.definition = run.facts.target
    return None
