"""How fast is Noria beside a peer, on the same work, in the same minutes?

Every (engine, question, workload) runs in a process of its own, the engines take turns inside a round, and the ratio is
taken pair by pair; medians over the rounds are printed, with the smallest and the largest. Figures per CPU-second count
this process's own CPU. Rates on a noisy machine move by half; ratios are what to read.

    python -m bench.run [--rounds N] [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from bench import bpmn_elements
from bench.measuring import Stopwatch, fdatasyncs_per_second
from bench.models import WORKLOADS, Workload
from noria.adapters.system import settle_memory

ROOT = Path(__file__).parents[1]
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


def measure(question: Question, workload: Workload, engine: str, share: float) -> dict[str, float]:
    """One measurement in this process; gives the rate on the wall and per CPU-second, and the disk's rate."""
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


def _apart(question: Question, workload: Workload, engine: str, share: float) -> dict[str, float]:
    """The same in a fresh process."""
    place = [str(QUESTIONS.index(question)), str(WORKLOADS.index(workload)), engine, str(share)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.run", "--one", *place], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(question: Question, workload: Workload, rounds: int, share: float) -> dict[str, Any]:
    """Paired rounds of both engines; prints one line."""
    figure = "wall" if question.name.startswith("durable") else "cpu"
    pairs = [{engine: _apart(question, workload, engine, share) for engine in ENGINES} for _ in range(rounds)]
    ratios = [pair["noria"][figure] / pair["spiff"][figure] for pair in pairs]
    rates = {engine: statistics.median(pair[engine][figure] for pair in pairs) for engine in ENGINES}
    ratio = statistics.median(ratios)
    line = (
        f"{question.name:22} {workload.name:9} {rates['noria']:>10,.0f} {rates['spiff']:>8,.0f} {question.unit:15}"
        f" {ratio:6.1f}x ({min(ratios):.1f}-{max(ratios):.1f}), floor {question.floor:.0f}x"
    )
    if figure == "wall":
        cpu = statistics.median(pair["noria"]["cpu"] / pair["spiff"]["cpu"] for pair in pairs)
        disk = [pair[engine]["fdatasync"] for pair in pairs for engine in ENGINES]
        line += f"; per CPU-second {cpu:.1f}x; fdatasync {min(disk):,.0f}-{max(disk):,.0f}/s"
    print(line + ("" if ratio >= question.floor else "  BELOW THE FLOOR"), flush=True)
    return {"question": question.name, "workload": workload.name, "ratio": ratio, "ratios": ratios, "rates": rates}


def compare_bpmn_elements(rounds: int, share: float) -> list[dict[str, Any]]:
    """Paired rounds beside bpmn-elements, in memory; prints one line a workload, or that the peer is not there."""
    found = bpmn_elements.version()
    if not found:
        print("bpmn-elements: not installed; `npm ci` in bench/bpmn_elements, with Node 20")
        return []
    results = []
    for workload in WORKLOADS:
        pairs = [
            (
                _apart(QUESTIONS[0], workload, "noria", share)["cpu"],
                bpmn_elements.elements_per_cpu_second(workload, share),
            )
            for _ in range(rounds)
        ]
        ratios = [noria / peer for noria, peer in pairs]
        ratio = statistics.median(ratios)
        noria, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"{'beside bpmn-elements':22} {workload.name:9} {noria:>10,.0f} {peer:>8,.0f} {'elements/CPU-s':15}"
            f" {ratio:6.0f}x ({min(ratios):.0f}-{max(ratios):.0f}), floor {bpmn_elements.FLOOR:.0f}x"
            + ("" if ratio >= bpmn_elements.FLOOR else "  BELOW THE FLOOR"),
            flush=True,
        )
        rates = {"noria": noria, "bpmn-elements": peer}
        name = f"in memory beside bpmn-elements {found}"
        results.append({"question": name, "workload": workload.name, "ratio": ratio, "ratios": ratios, "rates": rates})
    return results


def compare_expressions(rounds: int, share: float) -> dict[str, Any]:
    """Paired rounds of expressions, and what compiling one and deciding by a large table cost; prints three lines."""
    from bench import expressions  # noqa: PLC0415 - only here, so that no other measurement's process holds it

    settle_memory()
    times = int(3_000 * share)
    pairs = [expressions.evaluated(times) for _ in range(rounds)]
    ratios = [pair["ratio"] for pair in pairs]
    rates = {engine: statistics.median(pair[engine] for pair in pairs) for engine in ENGINES}
    ratio = statistics.median(ratios)
    print(
        f"{'FEEL, compiled once':32} {rates['noria']:>10,.0f} {rates['spiff']:>8,.0f} {'evaluations/s':15}"
        f" {ratio:6.1f}x ({min(ratios):.1f}-{max(ratios):.1f}), floor {expressions.FLOOR:.0f}x"
        + ("" if ratio >= expressions.FLOOR else "  BELOW THE FLOOR")
    )
    rate, decision = expressions.compiled(int(3_000 * share)), expressions.table_milliseconds(int(300 * share))
    print(f"{'FEEL, compiling':32} {rate:>10,.0f} {'':8} expressions/s")
    print(f"{'DMN, 1,000 rules on 5 inputs':32} {decision:>10.2f} {'':8} ms a decision")
    question = {"question": "FEEL", "workload": "ten expressions", "ratio": ratio, "ratios": ratios, "rates": rates}
    return {**question, "compiled": rate, "table_ms": decision}


def main() -> None:
    """Ask every question of every workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds of each measurement")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run?")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--one", nargs=4, metavar=("QUESTION", "WORKLOAD", "ENGINE", "SHARE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        question, workload, engine, share = asked.one
        print(json.dumps(measure(QUESTIONS[int(question)], WORKLOADS[int(workload)], engine, float(share))))
        return
    rounds, share = (1, 0.1) if asked.quick else (asked.rounds, 1.0)
    print(f"Python {platform.python_version()}, SpiffWorkflow {version('SpiffWorkflow')}, {rounds} paired round(s)")
    print(f"{'':22} {'':9} {'Noria':>10} {'Spiff':>8}")
    results = [compare(question, workload, rounds, share) for question in QUESTIONS for workload in WORKLOADS]
    results += compare_bpmn_elements(rounds, share)
    results.append(compare_expressions(rounds, share))
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
