"""bpmn-elements (npm) as a peer: `run.mjs` runs the same models in memory, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from bench.apart import apart
from bench.models import WORKLOADS, Dialect, Workload, bpmn
from bench.telling import Asked, Figures, compared, in_pairs, skipped

FOLDER = Path(__file__).parent
FLOOR = 200.0
INSTANCES = 300


def version() -> str:
    """The peer's version; "" when it is not installed (`npm ci` in this folder) or Node is not there."""
    package = FOLDER / "node_modules" / "bpmn-elements" / "package.json"
    if shutil.which("node") is None or not package.is_file():
        return ""
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])


def ask(asked: Asked) -> list[dict[str, Any]]:
    """Each workload in memory."""
    found = version()
    if not found:
        return skipped("bpmn-elements", "`make peers` installs it, with Node 20")

    def beside(number: int, workload: Workload) -> dict[str, Any]:
        noria = partial(apart, "bench.beside_spiff:measure", 0, number, "noria", asked.share)
        pairs = in_pairs(asked, noria, lambda: elements_per_cpu_second(workload, asked.share))
        return compared(f"bpmn-elements {found}, {workload.name}", "elements/CPU-s", pairs, FLOOR, figure="cpu")

    return [beside(number, workload) for number, workload in enumerate(WORKLOADS)]


def elements_per_cpu_second(workload: Workload, share: float) -> Figures:
    """The peer's rate on a workload.

    Raises:
        CalledProcessError: the peer failed.
    """
    # The peer takes the text of a timer as it is.
    source = bpmn(workload, Dialect(duration="PT1H"))
    instances = max(20, int(INSTANCES * share))
    done = subprocess.run(
        ["node", "run.mjs", workload.name, str(instances)], cwd=FOLDER, input=source, check=True, capture_output=True
    )
    found = json.loads(done.stdout)
    assert found["completed"] == workload.elements, found
    return {"cpu": instances * workload.elements / float(found["cpu"])}
