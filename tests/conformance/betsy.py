"""betsy: small models with abstract scripts, and for each which lines must be logged.

The suite's scripts name work of the outside, so each becomes a job whose worker logs; its few expression forms are
written in FEEL. Nothing else of a model is touched.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from noria.design.bpmn import read_bpmn, write_bpmn
from noria.design.bpmn.graph import Kind
from noria.design.bpmn.names import NORIA, bpmn, noria
from noria.design.xml import Node
from noria.engine import events as e
from noria.kernel.errors import Rejected
from noria.operate.views import JobView
from noria.operate.workers import LeaseLostError
from tests.conformance.verdicts import Verdict
from tests.conformance.world import ORIGIN, TENANT, World

LONG_MS = 10_000
LEASE_MS = 3_600_000
_LONG = ("WAIT_TEN_SECONDS", "CREATE_TIMESTAMP_LOG")
_EXPRESSIONS = frozenset(
    bpmn(local)
    for local in (
        "conditionExpression",
        "condition",
        "activationCondition",
        "completionCondition",
        "loopCondition",
        "loopCardinality",
    )
)
_CONTAINS = re.compile(r'(?P<name>\w+)\.contains\((?P<text>"[^"]*")\)')
_NOT = re.compile(r"!\s*(?P<call>contains\([^)]*\))")
_PLACEHOLDER = re.compile(r"^\$\{(?P<inner>[^}]*)\}$")


def feel(text: str) -> str:
    """One of the suite's expressions in FEEL."""
    text = _PLACEHOLDER.sub(r"\g<inner>", text.strip())
    text = _CONTAINS.sub(r"contains(\g<name>, \g<text>)", text)
    return _NOT.sub(r"not(\g<call>)", text)


def prepared(data: bytes, name: str) -> bytes:
    """The model with its scripts as jobs and its expressions in FEEL."""
    read, findings = read_bpmn(data, name)
    assert read is not None, findings
    root = read.document.root
    topics: set[str] = set()
    for node in root.descendants():
        if node.tag in _EXPRESSIONS:
            node.children = [feel(node.text)]
        elif node.tag in (bpmn("scriptTask"), bpmn("globalScriptTask")):
            _make_a_job(node, topics)
    if topics:
        root.declarations["noria"] = NORIA
    return write_bpmn(read)


def _make_a_job(task: Node, topics: set[str]) -> None:
    script = task.first(bpmn("script"))
    assert script is not None, f"{task.get('id')} has no script"
    task.attributes[noria("topic")] = script.text.strip()
    task.attribute_prefixes[noria("topic")] = "noria"
    topics.add(script.text.strip())


class _Long(msgspec.Struct):
    """Work that takes its time."""

    end_ms: int
    job: JobView


class Play:
    """One case on one fresh Noria.

    Attributes:
        log: the lines so far.
        refused: why the model was refused, empty when it was deployed.
        incidents: what stood still at the end.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.log: list[str] = []
        self._marked = False
        self._world = World()
        self._long: list[_Long] = []
        self._parallel = False
        self.incidents: list[str] = []
        self.refused = [str(item) for item in self._world.deploy(files) if item.severity == "error"]

    def run(self, process: str, case: dict[str, Any]) -> list[str]:
        """Start the process, let the case's time pass, and give all lines."""
        if self.refused:
            return ["ERROR_deployment"]
        world = self._world
        variables = {"test": case["input"], "integerVariable": case["integerVariable"]}
        if case["parallel_process"]:
            self._begin("ParallelProcess", variables)
        self._begin(process, variables)
        # The scripts are the process's own steps: it is given time once they are through.
        while self._long:
            self._pass_to(min(item.end_ms for item in self._long))
        until_ms = world.wall_ms + case["delay_ms"]
        while self._long and min(item.end_ms for item in self._long) <= until_ms:
            self._pass_to(min(item.end_ms for item in self._long))
        self._pass_to(until_ms)
        return self.log + self._outcome()

    def _begin(self, process: str, variables: dict[str, object]) -> None:
        started = self._world.start(process, variables)
        # A process that an event starts needs nobody to start it.
        if isinstance(started, Rejected) and started.code != "process.no_start":
            self.log.append("ERROR_runtime")
        self._work()

    def _pass_to(self, until_ms: int) -> None:
        self._world.let_pass(until_ms, self._work)
        for item in [item for item in self._long if item.end_ms <= until_ms]:
            self._long.remove(item)
            self._finish(item.job, {})
        self._work()

    def _work(self) -> None:
        """Do the jobs that are open, oldest first; long ones are begun."""
        world = self._world
        while True:
            topics = sorted({row.topic for row in world.tables.jobs.values()})
            items = world.ask(world.server.workers.lock(TENANT, "betsy", topics, 1, LEASE_MS)).items
            if not items:
                return
            job = items[0]
            if job.topic.startswith(_LONG):
                self._parallel = self._parallel or bool(self._long)
                self._long.append(_Long(world.wall_ms + LONG_MS, job))
            else:
                self._do(job)

    def _do(self, job: JobView) -> None:
        topic = job.topic
        if topic == "THROW_ERROR":
            world = self._world
            world.ask(
                world.server.workers.throw_error(TENANT, job.id, job.lease_token, "ERR_CODE", "", {}, "betsy", ORIGIN)
            )
            return
        self._finish(job, self._done(topic, job.variables))

    def _done(self, topic: str, variables: dict[str, Any]) -> dict[str, object]:
        """What a script logs and sets."""
        if topic.startswith("SCRIPT_"):
            self.log.append(topic)
        elif topic.startswith("INCREMENT_INTEGER_VARIABLE"):
            if topic.endswith("_AND_LOG"):
                self.log.append("INCREMENT_correct")
            return {"integerVariable": variables["integerVariable"] + 1}
        elif topic == "CREATE_MARKER_FILE":
            self._marked = True
        elif topic == "SET_STRING_DATA":
            return {"data": "String"}
        elif topic == "LOG_DATA":
            if variables.get("data") == "String":
                self.log.append("DATA_correct")
        elif topic != "CREATE_LOG_FILE":
            raise AssertionError(f"{topic!r} is no script of the suite")
        return {}

    def _finish(self, job: JobView, variables: dict[str, object]) -> None:
        world = self._world
        try:
            world.ask(world.server.workers.complete(TENANT, job.id, job.lease_token, variables, "betsy", ORIGIN))
        except LeaseLostError:
            # Long work that was cancelled meanwhile; nobody wants its result.
            assert job.topic.startswith(_LONG), job

    def _outcome(self) -> list[str]:
        lines = ["MARKER_exists"] * self._marked + ["EXECUTION_parallel"] * self._parallel
        incidents = []
        by_end_event = False
        for iid in self._world.instances():
            held = self._world.held(iid)
            incidents += held.state.incidents.values()
            by_end_event |= any(
                isinstance(event, e.ErrorThrown)
                and event.caught_by < 0
                and held.definition.graph.elements[event.element].kind is Kind.END_EVENT
                for event in self._world.history(iid)
            )
        if any(item.code == "error.uncaught" for item in incidents) and by_end_event:
            lines.append("ERROR_thrownErrorEvent")
        elif incidents:
            lines.append("ERROR_runtime")
        self.incidents = [f"{item.code}: {item.message}" for item in incidents]
        return lines


def _differences(play: Play, lines: list[str], wanted: list[str]) -> str:
    """What is wrong with the lines of a case, "" for nothing."""
    if "MARKER_exists" not in wanted:
        # The marker is a file that only some cases look for; others leave one behind and say nothing of it.
        lines = [line for line in lines if line != "MARKER_exists"]
    if "ERROR" in wanted:
        lines = ["ERROR" if line in ("ERROR_deployment", "ERROR_runtime") else line for line in lines]
    missing, extra = Counter(wanted) - Counter(lines), Counter(lines) - Counter(wanted)
    if not missing and not extra:
        return ""
    if play.refused:
        return "refused: " + "; ".join(play.refused)
    parts = [f"{what} {sorted(lines.elements())}" for what, lines in (("missing", missing), ("extra", extra)) if lines]
    return ", ".join(parts + play.incidents)


def betsy(folder: Path) -> Iterator[Verdict]:
    """A test passes when each of its cases logs the lines that it must, in whatever order."""
    for test in json.loads((folder / "expected.json").read_text(encoding="utf-8")):
        path = folder / f"{test['id']}.bpmn"
        wrong = []
        for case in test["cases"]:
            try:
                play = Play({path.name: prepared(path.read_bytes(), path.name)})
                differs = _differences(play, play.run(path.stem, case), case["expect"])
            except Exception as error:  # noqa: BLE001 - one broken case must not hide the others; it is told as failed
                differs = f"broken: {type(error).__name__}: {error}"
            if differs:
                wrong.append(f"input {case['input']!r}, integer {case['integerVariable']}: {differs}")
        yield Verdict(test["id"], not wrong, " | ".join(wrong))
