"""Beside SpiffWorkflow (PyPI): three workloads in memory, saved at each wait, and durable on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from bench.apart import apart
from bench.measuring import Stopwatch, fdatasyncs_per_second
from bench.models import WORKLOADS
from bench.telling import Asked, Figures, compared, in_pairs

ENGINES = {"noria": "bench.noria_engine", "spiff": "bench.spiff_engine"}
GROUP = 100
"""Instances in one commit, for every engine."""


class Question(NamedTuple):
    """What is asked: its name, the unit of its rate, the floor of the ratio, and instances per engine in full."""

    name: str
    unit: str
    floor: float
    instances: dict[str, int]


QUESTIONS = (
    Question("in memory", "elements/CPU-s", 20, {"noria": 4_000, "spiff": 200}),
    Question("saved at each wait", "elements/CPU-s", 30, {"noria": 4_000, "spiff": 60}),
    Question("durable, SQLite FULL", "instances/s", 8, {"noria": 4_000, "spiff": 400}),
)


def measure(question_number: int, workload_number: int, engine: str, share: float) -> Figures:
    """One measurement in this process; gives the rate on the wall and per CPU-second, and the disk's rate."""
    question, workload = QUESTIONS[question_number], WORKLOADS[workload_number]
    side: Any = import_module(ENGINES[engine])
    side.check(workload)
    side.settle()
    instances = max(GROUP * 2, int(question.instances[engine] * share) // GROUP * GROUP)
    if question.name.startswith("durable"):
        before = fdatasyncs_per_second(0.2)
        spent = side.durable(workload, instances, GROUP)
        disk = (before + fdatasyncs_per_second(0.2)) / 2
        return {"wall": instances / spent.wall, "cpu": instances / spent.cpu, "fdatasync": disk}
    instances = max(20, int(question.instances[engine] * share))
    run: Callable[[], None] = side.in_memory(workload, question.name.startswith("saved"))
    for _ in range(max(3, instances // 20)):
        run()
    watch = Stopwatch()
    for _ in range(instances):
        run()
    spent = watch.spent()
    return {"wall": instances * workload.elements / spent.wall, "cpu": instances * workload.elements / spent.cpu}


def ask(asked: Asked) -> list[dict[str, Any]]:
    """Every question of every workload."""
    results = []
    for number, question in enumerate(QUESTIONS):
        durable = question.name.startswith("durable")
        for place, workload in enumerate(WORKLOADS):
            sides = [
                partial(apart, "bench.beside_spiff:measure", number, place, engine, asked.share) for engine in ENGINES
            ]
            results.append(
                compared(
                    f"{question.name}, {workload.name}",
                    question.unit,
                    in_pairs(asked, *sides),
                    question.floor,
                    figure="wall" if durable else "cpu",
                    also=[("cpu", "per CPU-second")] if durable else [],
                )
            )
    return results
