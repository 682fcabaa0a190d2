"""bpmn-elements (npm) as a peer: `run.mjs` runs the same models in memory, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bench.models import Workload, bpmn

FOLDER = Path(__file__).parent
FLOOR = 200.0
INSTANCES = 300


def version() -> str:
    """The peer's version; "" when it is not installed (`npm ci` in this folder) or Node is not there."""
    package = FOLDER / "node_modules" / "bpmn-elements" / "package.json"
    if shutil.which("node") is None or not package.is_file():
        return ""
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])


def elements_per_cpu_second(workload: Workload, share: float) -> float:
    """The peer's rate on a workload.

    Raises:
        CalledProcessError: the peer failed.
    """
    # The peer takes the text of a timer as it is.
    source = bpmn(workload, for_noria=False).replace(b'"PT1H"', b"PT1H")
    instances = max(20, int(INSTANCES * share))
    done = subprocess.run(
        ["node", "run.mjs", workload.name, str(instances)], cwd=FOLDER, input=source, check=True, capture_output=True
    )
    found = json.loads(done.stdout)
    assert found["completed"] == workload.elements, found
    return instances * workload.elements / float(found["cpu"])
