"""Having an instance go on by another version of its process, and taking that back.

An element is the same in both versions when it has the same id, or when the operator says so. What is running must
be there in the other version, of the same kind and inside the same sub-processes; what waits keeps waiting (timers
keep their instant), and what is new at a running activity is waited for from now on.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.design.bpmn.graph import Element, Kind
from noria.engine import commands as c
from noria.engine import events as e
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
        for token in state.tokens.values():
            element = self.before.elements[token.element]
            problem = self._problem(element, token.via)
            if problem is None and token.scope in state.approvals:
                problem = self._no_approval(element)
            if problem is not None:
                found.setdefault((problem.code, problem.element), problem)
        return list(found.values())

    def _no_approval(self, element: Element) -> Problem | None:
        human = self.after.elements[self.elements[element.index]].human
        if human is not None and human.approval is not None:
            return None
        return Problem("migration.kind", element.id, f"{element.id!r} is no approval in the other version.")

    def _problem(self, element: Element, via: int) -> Problem | None:
        target = self.elements.get(element.index)
        if target is None:
            return Problem("migration.gone", element.id, f"{element.id!r} is not in the other version; map it.")
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
    anew = _give_up(run, target, same)
    run.emit(
        e.InstanceMigrated(
            command.by, command.reason, command.before, command.after, target.version, same.elements, same.flows
        )
    )
    run.definition = target
    separating.look_again(run)
    try:
        _wait_for_new(run, anew | set(range(len(target.graph.elements))) - set(same.elements.values()))
    except Trouble as trouble:
        return Rejected(trouble.trouble_code, trouble.message)
    run.look_at_joins()
    return None


def _give_up(run: Run, target: Definition, same: Correspondence) -> set[int]:
    """Close what is waited for and is not in the other version, or has another trigger or host there.

    Returns:
        Element indexes in the other version of what has to be waited for anew.
    """
    state, before, after = run.state, run.definition.graph.elements, target.graph.elements
    anew: set[int] = set()
    for host, ids in list(state.hosted.items()):
        gone = []
        for key in ids:
            element = before[_awaited(state, key)]
            other = after[same.elements[element.index]] if element.index in same.elements else None
            if other is None or not _waits_alike(element, other, same):
                gone.append(key)
                if other is not None:
                    anew.add(other.index)
        if gone:
            run.emit(e.WaitsClosed(host, tuple(gone)))
    return anew


def _awaited(state: State, key: int) -> int:
    return (state.timers.get(key) or state.waits.get(key) or state.conditions[key]).element


def _waits_alike(element: Element, other: Element, same: Correspondence) -> bool:
    kinds = [trigger.kind for trigger in element.triggers], [trigger.kind for trigger in other.triggers]
    return kinds[0] == kinds[1] and (element.host < 0 or same.elements.get(element.host) == other.host)


def _wait_for_new(run: Run, fresh: set[int]) -> None:
    """Set the triggers of event elements that a running activity, sub-process or event has only in this version.

    Raises:
        Trouble: an expression gives no usable value.
    """
    state, graph = run.state, run.definition.graph
    for host in [0, *state.tokens]:
        element = graph.elements[state.tokens[host].element if host else 0]
        wanted: list[int] = []
        if host and not run.is_instance(host):
            wanted += element.boundaries
        if host in state.scopes and host not in state.loops:
            wanted += [start for inner in element.event_sub_processes for start in graph.elements[inner].starts]
        if element.kind in (Kind.INTERMEDIATE_CATCH_EVENT, Kind.RECEIVE_TASK):
            wanted.append(element.index)
        elif element.kind is Kind.EVENT_BASED_GATEWAY:
            wanted += [graph.flows[flow].target for flow in element.outgoing]
        # What cannot be waited for, such as an error, sets nothing.
        run.arm(host, [index for index in wanted if index in fresh])


def restore(run: Run, command: c.RestoreInstance) -> Rejected | None:
    """Take an operator's change back, if the instance has not moved on since."""
    if run.state.version != command.version:
        return Rejected("restore.moved_on", "The instance has moved on since; the change cannot be taken back.")
    if run.facts.target is None:
        return Rejected("migration.target", "The version that it ran on is not there any more.")
    run.emit(e.InstanceRestored(command.by, command.reason, command.before, command.after, command.state))
    run.definition = run.facts.target
    return None
