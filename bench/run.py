"""How fast is Noria beside a peer, on the same work, in the same minutes?

Every measurement runs in a process of its own, the sides take turns inside a round, the ratio is taken pair by pair;
medians over the rounds are printed, with the smallest and the largest. Figures per CPU-second count the process's own
CPU. Rates on a noisy machine move by half; ratios are what to read. A peer that is not installed is skipped, and said.

    python -m bench.run [--only NAME,NAME] [--rounds N] [--quick] [--minutes N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.apart import found
from bench.telling import Asked, skipped

QUESTIONS = {
    "spiff": "bench.beside_spiff:ask",
    "bpmn-elements": "bench.bpmn_elements:ask",
    "feel": "bench.expressions:ask",
    "dbos": "bench.dbos_steps:ask",
    "camunda": "bench.java_engines:ask_camunda",
    "flowable": "bench.java_engines:ask_flowable",
    "ceiling": "bench.ceiling:ask",
    "processes": "bench.processes:ask",
    "growth": "bench.growth:ask",
    "http": "bench.over_http:ask",
}
"""What can be asked, in the order in which it is."""


def main() -> None:
    """Ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(QUESTIONS), help="some of: " + ", ".join(QUESTIONS))
    parser.add_argument("--rounds", type=int, default=5, help="paired rounds of each measurement")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run?")
    parser.add_argument("--minutes", type=float, default=60, help="after these no further question is begun")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := [name for name in names if name not in QUESTIONS]:
        parser.error(f"no such question: {', '.join(unknown)}")
    asked = Asked(1, 0.1) if given.quick else Asked(given.rounds, 1.0)
    until = time.monotonic() + given.minutes * 60
    print(f"Python {platform.python_version()}, {asked.rounds} paired round(s)")
    results: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        if time.monotonic() > until:
            results[name] = skipped(name, f"the {given.minutes:g} minutes are over")
            continue
        try:
            results[name] = found(QUESTIONS[name])(asked)
        except (subprocess.SubprocessError, OSError) as error:
            # One peer that breaks must not keep the others from being measured; what it was told may hold a password.
            results[name] = skipped(name, f"its process failed ({type(error).__name__}), see above")
    if given.json:
        given.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
