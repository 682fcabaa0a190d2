"""A measurement in a process of its own, so that no other's memory, garbage or warm caches touch it.

    python -m bench.apart MODULE:FUNCTION ARGUMENTS

calls a function with the arguments of a JSON list, and prints its answer as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WITHIN_S = 180


def found(place: str) -> Any:
    """The function that ``module:function`` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def command(place: str, *arguments: object) -> list[str]:
    """What runs a function in a process of its own."""
    return [sys.executable, "-m", "bench.apart", place, json.dumps(arguments)]


def apart(place: str, *arguments: object, within_s: float = WITHIN_S) -> Any:
    """Call a function in a fresh process.

    Raises:
        CalledProcessError: it failed.
        TimeoutExpired: it took too long; it has been ended.
    """
    done = subprocess.run(
        command(place, *arguments), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=within_s
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    print(json.dumps(found(sys.argv[1])(*json.loads(sys.argv[2]))))
