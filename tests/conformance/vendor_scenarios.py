"""Scenarios read out of the tests of Camunda 7 and Flowable, played on Noria with models from its own importer.

Each scenario gets a fresh Noria; its steps are those of the suite's FORMAT.md. What these engines name or count
otherwise is mapped here and in `observing`, never in the product.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from noria.design.bpmn import read_bpmn
from noria.design.bpmn.graph import Kind
from noria.engine import commands as c
from noria.engine.state import Status
from noria.kernel.errors import Rejected
from tests.conformance.importing import imported
from tests.conformance.observing import Observer, Seen, split_id
from tests.conformance.verdicts import Verdict
from tests.conformance.world import BY, TENANT, World

VENDORS = {"bpmn-scenarios-camunda7": "camunda7", "bpmn-scenarios-flowable": "flowable"}
"""Name of a suite's folder → whose tests its scenarios were read from."""

ROUNDS_MAX = 500
"""More jobs than any scenario has; a cycle without an end must not run for ever."""

_ORDERS = {
    "TaskName": "name",
    "TaskNameCaseInsensitive": "name",
    "TaskDescription": "description",
    "TaskAssignee": "assignee",
    "TaskPriority": "priority",
    "TaskDefinitionKey": "activity",
    "JobDuedate": "due",
    "JobPriority": "priority",
    "ProcessDefinitionKey": "process",
    "BusinessKey": "business_key",
    "VariableName": "name",
}
"""What a query's order looks at; items without it come first."""
_BY_AGE = frozenset({"TaskId", "TaskCreateTime", "ExecutionId", "ProcessInstanceId", "JobId", "Created", "StartTime"})
"""Orders in which things are found anyway: ids and instants rise."""
_FORM = re.compile(rb'\snoria:form="[^"]*"')


class DifferentError(Exception):
    """Noria does otherwise than the scenario says."""


class Scenario:
    """One scenario on one fresh Noria.

    Attributes:
        bound: what steps have bound to names.
    """

    def __init__(self, vendor: str) -> None:
        self._world = World()
        self._see = Observer(self._world, vendor)
        self._due: set[str] = set()
        self.bound: dict[str, Any] = {}

    def deploy(self, files: list[tuple[str, bytes]]) -> None:
        """Deploy in order, together as far as no process comes twice.

        Raises:
            DifferentError: a file is refused.
        """
        group: dict[str, bytes] = {}
        keys: set[str] = set()
        for name, data in files:
            made = _without_forms(imported(name, data))
            own = {key for content in made.values() for key in _process_keys(content)}
            if own & keys:
                self._deploy(group)
                group, keys = {}, set()
            group |= made
            keys |= own
        self._deploy(group)

    def _deploy(self, files: dict[str, bytes]) -> None:
        errors = [str(item) for item in self._world.deploy(files) if item.severity == "error"]
        if errors:
            raise DifferentError("refused: " + "; ".join(errors))

    def play(self, steps: list[dict[str, Any]]) -> None:
        """Do step after step.

        Raises:
            DifferentError: at the first that does not hold.
        """
        for number, step in enumerate(steps, 1):
            try:
                getattr(self, f"_do_{step['op']}")(step)
            except DifferentError as error:
                raise DifferentError(f"step {number} {json.dumps(step, ensure_ascii=False)}: {error}") from None

    # Values

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "ref" in value:
            return self._referred(value)
        if value.keys() == {"var", "of"}:
            return self._see.variable(self._value(value["of"]), value["var"])
        if "variables_of" in value:
            return self._see.variables(self._value(value["variables_of"]))
        if "active_activities_of" in value:
            return self._see.active_activities(int(self._value(value["active_activities_of"])))
        return {key: self._value(item) for key, item in value.items()}

    def _variables(self, step: dict[str, Any]) -> dict[str, object]:
        return {name: self._value(value) for name, value in step.get("vars", {}).items()}

    def _referred(self, value: dict[str, Any]) -> Any:
        found = self.bound[value["ref"]]
        if "index" in value:
            if value["index"] >= len(found):
                raise DifferentError(f"{value['ref']} has only {len(found)} items")
            found = found[value["index"]]
        if "each" in value:
            names = value["each"] if isinstance(value["each"], list) else [value["each"]]
            rows = [[self._attribute(item, name) for name in names] for item in found]
            return rows if isinstance(value["each"], list) else [row[0] for row in rows]
        if "attr" in value:
            if not isinstance(found, dict):
                raise DifferentError(f"{value['ref']} is {found!r}, which has no {value['attr']}")
            return self._attribute(found, value["attr"])
        return found

    @staticmethod
    def _attribute(item: Seen, name: str) -> Any:
        if name not in item:
            raise DifferentError(f"nothing in Noria is its {name}")
        return item[name]

    def _accepted(self, answer: object) -> None:
        if isinstance(answer, Rejected):
            raise DifferentError(f"{answer.code}: {answer.message}")

    # Starting and ending

    def _do_start(self, step: dict[str, Any]) -> None:
        started = self._world.start(step["key"], self._variables(step), step.get("business_key") or "")
        if isinstance(started, Rejected):
            raise DifferentError(f"{started.code}: {started.message}")
        self.bound[step["as"]] = self._see.instance(started)

    def _do_start_by_message(self, step: dict[str, Any]) -> None:
        started = self._start_by_message(step["message"], self._variables(step))
        if started is None:
            raise DifferentError(f"no process starts by the message {step['message']!r}")
        self.bound[step["as"]] = self._see.instance(started)

    def _start_by_message(self, name: str, variables: dict[str, object], business_key: str = "") -> int | None:
        """Start what a message starts, whoever else waits for it; None when it starts nothing."""
        for point in self._world.catalogue.message_starts(TENANT, name):
            command = c.StartInstance(BY, {"id": BY}, variables, business_key, point.element)
            answer = self._world.submit(command, definition=point.definition)
            if isinstance(answer, Rejected):
                raise DifferentError(f"{answer.code}: {answer.message}")
            return answer.iid
        return None

    def _do_cancel(self, step: dict[str, Any]) -> None:
        iid, _ = split_id(self._value(step["instance"]))
        self._accepted(self._world.submit(c.CancelInstance(BY, "The scenario says so."), iid))

    # People

    def _task(self, step: dict[str, Any]) -> tuple[int, int, str]:
        named = self._value(step["task"])
        if isinstance(named, dict):
            # By its id in the model or by its name: the tests' own helper takes either.
            found = [
                task for task in self._see.find("task", {}) if named["activity"] in (task["activity"], task["name"])
            ]
            if len(found) != 1:
                raise DifferentError(f"{len(found)} tasks are {named}")
            named = found[0]["id"]
        iid, token = split_id(named)
        task = self._world.held(iid).state.tasks.get(token)
        if task is None:
            raise DifferentError(f"task {iid}-{token} is not open")
        return iid, token, task.assignee

    def _do_complete(self, step: dict[str, Any]) -> None:
        iid, token, assignee = self._task(step)
        variables = self._variables(step)
        self._accepted(self._world.submit(c.CompleteTask(token, assignee or BY, variables), iid))

    def _do_assign(self, step: dict[str, Any]) -> None:
        iid, token, assignee = self._task(step)
        command: c.AnyCommand
        if step["user"] is None:
            command = c.UnclaimTask(token, assignee)
        elif assignee:
            command = c.TransferTask(token, assignee, step["user"])
        else:
            command = c.ClaimTask(token, step["user"])
        self._accepted(self._world.submit(command, iid))

    # Data

    def _do_set_vars(self, step: dict[str, Any]) -> None:
        iid, _ = split_id(self._value(step["of"]))
        command = c.SetVariables(BY, self._variables(step), "The scenario says so.")
        self._accepted(self._world.submit(command, iid))

    def _do_get_var(self, step: dict[str, Any]) -> None:
        self.bound[step["as"]] = self._see.variable(self._value(step["of"]), step["name"])

    # Messages, signals, jobs

    def _waiting(self, execution: str, name: str, *, signal: bool) -> list[tuple[int, int]]:
        """(instance, subscription) of an execution; an instance stands for whatever waits in it."""
        iid, token = split_id(execution)
        waits = self._world.held(iid).state.waits.items()
        named = [(key, wait.token) for key, wait in waits if wait.signal is signal and wait.name == name]
        own = [(iid, key) for key, owner in named if owner == token]
        if own or not token:
            return own or [(iid, key) for key, _ in named]
        tokens = self._world.held(iid).state.tokens
        scope = tokens[token].scope if token in tokens else 0
        # Camunda's execution may be the scope and its only token in one.
        return [(iid, key) for key, owner in named if owner == scope]

    def _do_message(self, step: dict[str, Any]) -> None:
        name, variables = step["name"], self._variables(step)
        if "execution" in step:
            found = self._waiting(self._value(step["execution"]), name, signal=False)
        else:
            found = self._correlated(name, self._value(step.get("business_key")), self._value(step.get("match", {})))
            key = self._value(step.get("business_key"))
            if not found and self._start_by_message(name, variables, key or "") is not None:
                return
        if not found or (len(found) > 1 and not step.get("all")):
            raise DifferentError(f"{len(found)} subscriptions for the message {name!r}")
        for iid, wait in found:
            self._accepted(self._world.submit(c.Correlate(wait, variables), iid))

    def _correlated(self, name: str, business_key: str | None, match: Seen) -> list[tuple[int, int]]:
        found = []
        for iid in self._world.instances():
            state = self._world.held(iid).state
            if state.status is not Status.OPEN or (business_key and state.business_key != business_key):
                continue
            if all(state.scopes[0].variables.get(key) == value for key, value in match.items()):
                found += [(iid, key) for key, wait in state.waits.items() if not wait.signal and wait.name == name]
        return found

    def _do_signal(self, step: dict[str, Any]) -> None:
        variables = self._variables(step)
        if "execution" not in step:
            self._world.signal(step["name"], variables)
            return
        found = self._waiting(self._value(step["execution"]), step["name"], signal=True)
        if not found:
            raise DifferentError(f"the execution does not wait for the signal {step['name']!r}")
        for iid, wait in found:
            self._accepted(self._world.submit(c.Correlate(wait, variables), iid))

    def _do_trigger(self, step: dict[str, Any]) -> None:
        iid, token = split_id(self._value(step["execution"]))
        held = self._world.held(iid)
        variables = self._variables(step)
        state, elements = held.state, held.definition.graph.elements
        for key, wait in state.waits.items():
            if wait.token == token or (not token and elements[wait.element].kind is Kind.RECEIVE_TASK):
                self._accepted(self._world.submit(c.Correlate(key, variables), iid))
                return
        if any(condition.token == token for condition in state.conditions.values()):
            # Flowable looks at a condition when it is triggered, Noria whenever a variable changes.
            if variables:
                self._accepted(self._world.submit(c.SetVariables(BY, variables, "The scenario says so."), iid))
            return
        for job in state.jobs:
            if job == token or not token:
                self._accepted(self._world.submit(c.CompleteJob(job, BY, variables), iid))
                return
        raise DifferentError("the execution waits for nothing that could be triggered")

    def _do_run_job(self, step: dict[str, Any]) -> None:
        self._run(self._value(step["job"]))

    def _run(self, job: str) -> None:
        """Execute a job now, whatever its due instant: the clock is set there for as long as it takes."""
        found = self._see.find("job", {"id": job})
        if not found:
            raise DifferentError(f"there is no job {job}")
        now_ms = self._world.wall_ms
        self._world.set_clock(max(now_ms, found[0]["due"]))
        if job.startswith("start:"):
            assert self._world.fire_start_timers(), f"{job} does not fire"
        else:
            iid, _, timer = job.partition(":")
            self._accepted(self._world.submit(c.FireTimer(int(timer)), int(iid)))
        self._world.set_clock(now_ms)
        self._due.discard(job)

    def _do_fire_timer(self, step: dict[str, Any]) -> None:
        job = self._value(step["job"])
        if not self._see.find("job", {"id": job}):
            raise DifferentError(f"there is no job {job}")
        self._due.add(job)

    def _do_run_jobs(self, _step: dict[str, Any]) -> None:
        for _ in range(ROUNDS_MAX):
            # A save point is always due: one that a timer reached was written while the clock stood later.
            due = [
                job
                for job in self._see.find("job", {})
                if not job["is_timer"] or job["due"] <= self._world.wall_ms or job["id"] in self._due
            ]
            if not due:
                return
            self._run(due[0]["id"])
        raise DifferentError(f"more than {ROUNDS_MAX} jobs are due")

    def _do_run_due_jobs(self, _step: dict[str, Any]) -> None:
        for _ in range(ROUNDS_MAX):
            jobs = self._see.find("job", {})
            if not jobs:
                return
            first = min(jobs, key=lambda job: job["due"])
            self._world.set_clock(max(self._world.wall_ms, first["due"]))
            self._run(first["id"])
        raise DifferentError(f"more than {ROUNDS_MAX} jobs were executed")

    # Looking

    def _do_query(self, step: dict[str, Any]) -> None:
        wanted = {key: self._value(value) for key, value in step["filter"].items()}
        found = self._see.find(step["kind"], wanted)
        for order in reversed(step.get("order") or []):
            key, _, way = order.partition(":")
            if key in _BY_AGE:
                if way == "desc":
                    found.reverse()
                continue
            attribute = _ORDERS[key]
            found.sort(key=lambda item: _sortable(item[attribute]), reverse=way == "desc")
        if step["want"] == "count":
            self.bound[step["as"]] = len(found)
        elif step["want"] == "list":
            self.bound[step["as"]] = found
        elif len(found) > 1:
            raise DifferentError(f"{len(found)} were found: {[item['id'] for item in found]}")
        else:
            self.bound[step["as"]] = found[0] if found else None

    def _do_for_each(self, step: dict[str, Any]) -> None:
        for item in self._value(step["in"]):
            self.bound[step["as"]] = item
            self.play(step["do"])

    def _do_assert(self, step: dict[str, Any]) -> None:
        if "what" in step:
            iid, _ = split_id(self._value(step["instance"]))
            ended = self._world.held(iid).state.status is not Status.OPEN
            if ended is not (step["what"] == "ended"):
                raise DifferentError(f"it has {'' if ended else 'not '}ended; {self.trouble()}")
            return
        target = self._value(step["target"])
        if "is" in step and self._is_execution_of(step["target"], self._value(step["is"])):
            return
        for check, holds in _CHECKS.items():
            if check in step and not holds(target, self._value(step[check])):
                raise DifferentError(f"it is {_shown(target)}; {self.trouble()}")

    def _is_execution_of(self, target: dict[str, Any], value: Any) -> bool:
        """Whether a value is the execution of a task; the suite says "id" for both of a task's ids."""
        if target.get("attr") != "id" or "index" in target:
            return False
        item = self.bound[target["ref"]]
        return isinstance(item, dict) and "execution" in item and bool(item["execution"] == value)

    def trouble(self) -> str:
        """What stands still, for a failure's comment."""
        found = []
        for iid in self._world.instances():
            held = self._world.held(iid)
            elements = held.definition.graph.elements
            found += [f"{item.code}: {item.message}" for item in held.state.incidents.values()]
            found += [f"job {elements[job.element].id} for {job.topic!r}" for job in held.state.jobs.values()]
        return "; ".join(found) or "nothing stands still"


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0


def _same(target: Any, value: Any) -> bool:
    return target == value and isinstance(target, bool) == isinstance(value, bool)


def _entries(target: Any, value: list[Any]) -> list[Any]:
    """What variables are compared with: pairs of name and value; a single pair may stand alone."""
    alone = isinstance(target, dict) and bool(value) and not isinstance(value[0], list)
    return [value] if alone else value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [[key, item] for key, item in value.items()]
    return value if isinstance(value, list) else [value]


_CHECKS: dict[str, Any] = {
    "is": _same,
    "is_not": lambda target, value: not _same(target, value),
    "is_null": lambda target, value: (target is None) is value,
    "size": lambda target, value: len(target) == value,
    "not_empty": lambda target, value: bool(target) is value,
    "values": lambda target, value: list(target) == value,
    # The tests say "contains only": how often each comes is not said.
    "values_any_order": lambda target, value: (
        set(map(repr, _listed(target))) == set(map(repr, _entries(target, value)))
    ),
    "has": lambda target, value: set(_listed(value)) <= set(target),
    "has_not": lambda target, value: not set(_listed(value)) & set(target),
}


def _shown(target: Any) -> str:
    if isinstance(target, list):
        return str([item.get("activity", item) if isinstance(item, dict) else item for item in target])
    return repr(target)


def _without_forms(files: dict[str, bytes]) -> dict[str, bytes]:
    """Imported files as a program meets them: these engines check fields only where a form is submitted."""
    return {name: _FORM.sub(b"", data) for name, data in files.items() if not name.endswith(".form")}


def _process_keys(content: bytes) -> list[str]:
    read, _ = read_bpmn(content, "")
    return [process.get("id") for process in read.processes()] if read is not None else []


def vendor_scenarios(folder: Path) -> Iterator[tuple[bool, Verdict]]:
    """For each scenario whether it is neutral, and whether all its steps hold.

    Neutral: the suite says that it needs nothing which only its own vendor has.
    """
    vendor = VENDORS[folder.name]
    for scenario in json.loads((folder / "scenarios.json").read_text(encoding="utf-8")):
        comment = ""
        try:
            player = Scenario(vendor)
            player.deploy(
                [(Path(item["file"]).name, (folder / item["file"]).read_bytes()) for item in scenario["resources"]]
            )
            player.play(scenario["steps"])
        except DifferentError as error:
            comment = str(error)
        except Exception as error:  # noqa: BLE001 - one broken case must not hide the others; it is told as failed
            comment = f"broken: {type(error).__name__}: {error}"
        yield not scenario["needs"], Verdict(scenario["id"], not comment, comment)
