"""What Camunda 7 and Flowable let a test observe, read off Noria's state: tasks, instances, executions, jobs …

Their words for what Noria has: an execution is a token or the scope around tokens; a job is a timer or a save point; a
subscription is a wait. Each answer is a dict of attributes as they are now. Ids: an instance's own; `instance-token`
for a task, an execution, or a subscription or variable of that execution; `instance:timer` for a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from noria.design.bpmn.graph import Element, Kind, TriggerKind
from noria.engine.lifecycle import RESERVED_VARIABLES
from noria.engine.state import Purpose, State, Status
from noria.operate.changes import Held
from tests.conformance.world import TENANT, World

Seen = dict[str, Any]

NAMES = {
    "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
}
"""A vendor's name of a counter → BPMN's."""

_SCOPES_OF_CAMUNDA = frozenset(
    {
        Kind.SUB_PROCESS,
        Kind.EVENT_SUB_PROCESS,
        Kind.EVENT_BASED_GATEWAY,
        Kind.RECEIVE_TASK,
        Kind.INTERMEDIATE_CATCH_EVENT,
        Kind.CALL_ACTIVITY,
    }
)
_NO_EXECUTION = frozenset({TriggerKind.ERROR, TriggerKind.ESCALATION})


def split_id(text: str) -> tuple[int, int]:
    """(instance, token) of an id; token 0 for an instance."""
    iid, _, token = str(text).partition("-")
    return int(iid), int(token or 0)


def _awaits_nothing(element: Element) -> bool:
    """Whether a receive task had no message before the import, which names it after the task."""
    return element.kind is Kind.RECEIVE_TASK and element.trigger is not None and element.trigger.name == element.id


class Observer:
    """Answers queries about one world.

    Args:
        world: what is looked at.
        vendor: "camunda7" or "flowable"; they count executions differently.
    """

    def __init__(self, world: World, vendor: str) -> None:
        self._world = world
        self._vendor = vendor
        self._kinds: dict[str, Callable[[], Iterator[Seen]]] = {
            "task": self._tasks,
            "instance": self._instances,
            "execution": self._executions,
            "job": self._jobs,
            "subscription": self._subscriptions,
            "variable": self._variables,
        }

    def find(self, kind: str, wanted: Mapping[str, Any]) -> list[Seen]:
        """Everything of a kind that a filter lets through, oldest first."""
        return [item for item in self._kinds[kind]() if all(self._matches(item, *pair) for pair in wanted.items())]

    def _matches(self, item: Seen, key: str, value: Any) -> bool:
        if key.startswith("var:"):
            return self.variable(item["id"], key[4:]) == value
        if key == "candidate_user":
            return not item["assignee"] and value in item["users"]
        if key == "candidate_group":
            return not item["assignee"] and value in item["groups"]
        if key == "child_instance":
            return value in item["children"]
        if key == "id" and "execution" in item:
            # The suite asks for a task by its execution in the same words.
            return value in (item["id"], item["execution"])
        if key in ("message", "signal"):
            return (key, value) in item["events"]
        if key in ("timers", "messages"):
            return (item["is_timer"] is (key == "timers")) is value
        return item[key] == value

    # What there is

    def _open(self) -> Iterator[tuple[int, Held]]:
        for iid in self._world.instances():
            held = self._world.held(iid)
            if held.state.status is Status.OPEN:
                yield iid, held

    def instance(self, iid: int) -> Seen:
        """An instance, running or not."""
        held = self._world.held(iid)
        state = held.state
        return {
            "id": str(iid),
            "instance": str(iid),
            "process": held.definition.graph.key,
            "business_key": state.business_key or None,
            "ended": state.status is not Status.OPEN,
            "parent_instance": str(state.parent.instance) if state.parent else None,
            "children": [
                str(child)
                for child, other in self._open()
                if other.state.parent is not None and other.state.parent.instance == iid
            ],
        }

    def _instances(self) -> Iterator[Seen]:
        for iid, _ in self._open():
            yield self.instance(iid)

    def _tasks(self) -> Iterator[Seen]:
        for iid, held in self._open():
            for token, task in held.state.tasks.items():
                element = held.definition.graph.elements[task.element]
                yield {
                    "id": f"{iid}-{token}",
                    "execution": self._execution_of(iid, held, token),
                    "name": task.name or element.name or None,
                    "activity": element.id,
                    "instance": str(iid),
                    "process": held.definition.graph.key,
                    "assignee": task.assignee or None,
                    "users": task.users,
                    "groups": task.groups,
                    "priority": task.priority,
                    "description": element.documentation or None,
                }

    def _jobs(self) -> Iterator[Seen]:
        for iid, held in self._open():
            for key, timer in held.state.timers.items():
                element = held.definition.graph.elements[timer.element]
                is_timer = timer.purpose is Purpose.EVENT
                # A reminder is nothing that these engines know.
                if not timer.share:
                    yield {
                        "id": f"{iid}:{key}",
                        "instance": str(iid),
                        "process": held.definition.graph.key,
                        "activity": element.id,
                        "due": timer.due_ms,
                        "is_timer": is_timer,
                        "priority": timer.priority,
                    }
        for row in self._world.start_timer_rows():
            yield {
                "id": f"start:{row.definition}:{row.element}",
                "instance": None,
                "process": self._world.catalogue.row(row.definition).key,
                "activity": row.element,
                "due": row.due,
                "is_timer": True,
                "priority": row.prio,
            }

    def _subscriptions(self) -> Iterator[Seen]:
        for row in self._world.catalogue.newest(TENANT):
            definition = self._world.catalogue.compiled(row.id)
            assert definition is not None
            elements = definition.graph.elements
            for index in elements[0].starts:
                trigger = elements[index].trigger
                if trigger is not None and trigger.kind in (TriggerKind.MESSAGE, TriggerKind.SIGNAL):
                    yield self._subscription("", None, elements[index], trigger.kind.name.lower(), trigger.name)
                elif trigger is not None and trigger.kind is TriggerKind.CONDITIONAL and self._vendor == "camunda7":
                    yield self._subscription("", None, elements[index], "conditional", None)
        for iid, held in self._open():
            for wait in held.state.waits.values():
                element = held.definition.graph.elements[wait.element]
                if _awaits_nothing(element):
                    continue
                kind = "signal" if wait.signal else "message"
                yield self._subscription(f"{iid}-{wait.token}", str(iid), element, kind, wait.name)
            for condition in held.state.conditions.values():
                element = held.definition.graph.elements[condition.element]
                watched = sorted({name for trigger in element.triggers for name in trigger.watched})
                # Flowable subscribes to variables by name; its conditional events are no subscriptions.
                if watched or self._vendor == "camunda7":
                    kind = "variable" if self._vendor == "flowable" else "conditional"
                    name = watched[0] if watched and kind == "variable" else None
                    yield self._subscription(f"{iid}-{condition.token}", str(iid), element, kind, name)
            yield from self._compensations(iid, held)

    def _compensations(self, iid: int, held: Held) -> Iterator[Seen]:
        """What can still be compensated, by what compensates it: Camunda's alone are seen as subscriptions."""
        if self._vendor != "camunda7":
            return
        state, elements = held.state, held.definition.graph.elements
        asked_for = {key for under_way in state.compensations.values() for key in under_way.left}
        for key, done in state.done.items():
            if key not in asked_for:
                handler = elements[done.element].compensated_by
                element = elements[handler if handler >= 0 else done.element]
                execution = f"{iid}-{done.scope}" if done.scope else str(iid)
                yield self._subscription(execution, str(iid), element, "compensate", None)

    @staticmethod
    def _subscription(execution: str, instance: str | None, element: Element, kind: str, name: str | None) -> Seen:
        return {
            "id": execution or element.id,
            "instance": instance,
            "activity": element.id,
            "event_type": kind,
            "event": name,
        }

    def _variables(self) -> Iterator[Seen]:
        for iid, held in self._open():
            for key, scope in held.state.scopes.items():
                execution = f"{iid}-{key}" if key else str(iid)
                for name, value in scope.variables.items():
                    if name not in RESERVED_VARIABLES:
                        yield {"id": execution, "name": name, "value": value, "instance": str(iid)}

    # Executions

    def _executions(self) -> Iterator[Seen]:
        for iid, held in self._open():
            executions = self._of_flowable if self._vendor == "flowable" else self._of_camunda
            for token, activity, events in executions(held):
                yield {
                    "id": f"{iid}-{token}" if token else str(iid),
                    "instance": str(iid),
                    "process": held.definition.graph.key,
                    "activity": activity,
                    "events": events,
                }

    @staticmethod
    def _events(state: State, token: int, elements: set[int] | None = None) -> set[tuple[str, str]]:
        """What a token or scope waits for, at these event elements or anywhere."""
        return {
            ("signal" if wait.signal else "message", wait.name)
            for wait in state.waits.values()
            if wait.token == token and (elements is None or wait.element in elements)
        }

    def _of_camunda(self, held: Held) -> Iterator[tuple[int, str | None, set[tuple[str, str]]]]:
        """A scope is an execution; its only token is in it, several have one each; a scope activity has one more."""
        state, elements = held.state, held.definition.graph.elements

        def inside(scope: int) -> Iterator[tuple[int, str | None, set[tuple[str, str]]]]:
            tokens = [key for key, token in state.tokens.items() if token.scope == scope]
            alone = tokens[0] if len(tokens) == 1 else 0
            if alone and not self._is_scope(state, elements, alone):
                at = elements[state.tokens[alone].element].id
                yield alone if scope else 0, at, self._events(state, scope) | self._events(state, alone)
                return
            own = elements[state.tokens[scope].element].id if scope and not tokens else None
            yield scope, own, self._events(state, scope)
            for token in tokens:
                if self._is_scope(state, elements, token):
                    if not alone:
                        yield token, None, set()
                    yield from inside(token)
                else:
                    yield token, elements[state.tokens[token].element].id, self._events(state, token)

        yield from inside(0)

    def _execution_of(self, iid: int, held: Held, token: int) -> str:
        """The execution that a task belongs to."""
        state = held.state
        alone = sum(other.scope == 0 for other in state.tokens.values()) == 1 and state.tokens[token].scope == 0
        if self._vendor == "camunda7" and alone and not self._is_scope(state, held.definition.graph.elements, token):
            return str(iid)
        return f"{iid}-{token}"

    @staticmethod
    def _is_scope(state: State, elements: tuple[Element, ...], token: int) -> bool:
        element = elements[state.tokens[token].element]
        # A job in front of an element or behind it stands outside.
        if any(timer.token == token and timer.purpose is not Purpose.EVENT for timer in state.timers.values()):
            return False
        by_kind = (element.kind in _SCOPES_OF_CAMUNDA and not _awaits_nothing(element)) or (
            element.kind is Kind.SERVICE_TASK and element.job is not None
        )
        if token in state.loops or state.tokens[token].scope in state.loops:
            return token in state.loops or by_kind or bool(element.inputs)
        return bool(by_kind or element.boundaries or element.inputs or element.outputs)

    def _of_flowable(self, held: Held) -> Iterator[tuple[int, str | None, set[tuple[str, str]]]]:
        """The instance, each token, each boundary event and each start of an event sub-process is an execution."""
        state, elements = held.state, held.definition.graph.elements
        yield 0, None, set()
        for key, token in state.tokens.items():
            element = elements[token.element]
            if element.kind is Kind.EVENT_BASED_GATEWAY:
                for index in self._armed(state, key):
                    yield key, elements[index].id, self._events(state, key, {index})
                continue
            # The execution around the instances of a loop is none of the activity's own.
            yield key, None if key in state.loops else element.id, self._events(state, key, {element.index})
            # Those of a loop are attached to it, not to each of its instances.
            for index in element.boundaries if token.scope not in state.loops else ():
                yield key, elements[index].id, self._events(state, key, {index})
        for scope, value in state.scopes.items():
            running = {token.element for token in state.tokens.values() if token.scope == scope}
            for inner in elements[value.element].event_sub_processes:
                for start in elements[inner].starts:
                    trigger = elements[start].trigger
                    # That of an interrupting start stays behind while its sub-process runs, though it waits no more.
                    stays = start in self._armed(state, scope) or (inner in running and elements[start].interrupting)
                    if trigger is not None and trigger.kind not in _NO_EXECUTION and stays:
                        yield scope, elements[start].id, self._events(state, scope, {start})

    @staticmethod
    def _armed(state: State, token: int) -> list[int]:
        keys = state.hosted.get(token, ())
        return [(state.timers.get(key) or state.waits.get(key) or state.conditions[key]).element for key in keys]

    # Variables and places

    def variable(self, of: str, name: str) -> Any:
        """A variable as it is seen from an instance, execution or task; None when there is none."""
        iid, token = split_id(of)
        state = self._world.held(iid).state
        wanted = NAMES.get(name, name)
        for scope in self._around(state, token):
            if wanted in state.scopes[scope].variables:
                value = state.scopes[scope].variables[wanted]
                # They count the instances of a multi-instance activity from 0.
                return value - 1 if name == "loopCounter" and isinstance(value, int) else value
        return None

    def variables(self, of: str) -> Seen:
        """All variables that are seen from an instance, execution or task."""
        iid, token = split_id(of)
        state = self._world.held(iid).state
        found: Seen = {}
        for scope in reversed(list(self._around(state, token))):
            found.update(state.scopes[scope].variables)
        return {name: value for name, value in found.items() if name not in RESERVED_VARIABLES}

    @staticmethod
    def _around(state: State, token: int) -> Iterator[int]:
        """The scopes from a token outwards."""
        if state.scopes and token and token not in state.scopes:
            token = state.tokens[token].scope
        while token >= 0 and token in state.scopes:
            yield token
            token = state.scopes[token].parent

    def active_activities(self, iid: int) -> list[str]:
        """Where the innermost tokens are."""
        held = self._world.held(iid)
        hosts = {token.scope for token in held.state.tokens.values()}
        elements = held.definition.graph.elements
        return [elements[token.element].id for key, token in held.state.tokens.items() if key not in hosts]
