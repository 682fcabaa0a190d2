"""SpiffWorkflow's side of the measurements, each time at its best: definition parsed once, instances kept in memory."""

from __future__ import annotations

import gc
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.defaults import NoneTask
from SpiffWorkflow.util.task import TaskState

from bench.measuring import Spent, Stopwatch
from bench.models import PLAIN, VARIABLES, Workload, bpmn


def settle() -> None:
    """The same kindness to the garbage collector that Noria's server shows."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def specification(workload: Workload) -> object:
    """The workload, parsed once."""
    parser = BpmnParser()
    parser.add_bpmn_str(bpmn(workload, PLAIN))
    spec = parser.get_spec(workload.name)
    for task in spec.task_specs.values():
        # BPMN passes an undefined task at once; the peer waits for a person unless it is told otherwise.
        if isinstance(task, NoneTask):
            task.manual = False
    return spec


def _start(spec: object) -> BpmnWorkflow:
    workflow = BpmnWorkflow(spec)
    workflow.data.update(VARIABLES)
    first = workflow.get_tasks(state=TaskState.READY)[0]
    first.data.update(VARIABLES)
    workflow.do_engine_steps()
    return workflow


def _complete(workflow: BpmnWorkflow) -> None:
    workflow.get_tasks(state=TaskState.READY, manual=True)[0].run()
    workflow.do_engine_steps()


def check(workload: Workload) -> None:
    """One instance to its end, with its completed elements and commands counted."""
    workflow = _start(specification(workload))
    commands = 1
    while not workflow.is_completed():
        _complete(workflow)
        commands += 1
    done = {
        task.task_spec.bpmn_id
        for task in workflow.get_tasks(state=TaskState.COMPLETED)
        if getattr(task.task_spec, "bpmn_id", None)
    }
    assert (len(done), commands) == (workload.elements, workload.commands), (sorted(done), commands)


def in_memory(workload: Workload, saved: bool) -> Callable[[], None]:
    """One instance from start to end; `saved` serialises after each command and restores before the next."""
    spec = specification(workload)
    serializer = BpmnWorkflowSerializer()

    def run() -> None:
        workflow = _start(spec)
        while not workflow.is_completed():
            if saved:
                workflow = serializer.deserialize_json(serializer.serialize_json(workflow))
            _complete(workflow)
        if saved:
            serializer.serialize_json(workflow)

    return run


def durable(workload: Workload, instances: int, group: int) -> Spent:
    """`instances` from start to end on SQLite (WAL, FULL), `group` instances a commit, one row with the state each."""
    spec = specification(workload)
    serializer = BpmnWorkflowSerializer()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        db = sqlite3.connect(Path(folder) / "spiff.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE instance (id INTEGER PRIMARY KEY, done INTEGER, state TEXT)")

        def save(ids: range, workflows: list[BpmnWorkflow]) -> None:
            rows = [
                (number, int(workflow.is_completed()), serializer.serialize_json(workflow))
                for number, workflow in zip(ids, workflows, strict=True)
            ]
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO instance VALUES (?, ?, ?)", rows)
            db.execute("COMMIT")

        def wave(ids: range) -> None:
            workflows = [_start(spec) for _ in ids]
            save(ids, workflows)
            for _ in range(workload.commands - 1):
                for workflow in workflows:
                    _complete(workflow)
                save(ids, workflows)
            assert all(workflow.is_completed() for workflow in workflows)

        wave(range(group))  # the first is not counted
        watch = Stopwatch()
        for start in range(group, instances + group, group):
            wave(range(start, start + group))
        spent = watch.spent()
        db.close()
        return spent
