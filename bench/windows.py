"""Closed loops of clients on PostgreSQL: what a side does in some seconds, and what it and the server spend on it.

A side is a process that warms up, prints the line ``begin``, works for the seconds it was given, and prints a JSON
object: how many instances ended in the window, and its seconds on the wall and of its own CPU.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.apart import ROOT
from bench.measuring import fdatasyncs_per_second
from bench.postgres import cpu_seconds
from bench.telling import Figures

ALSO = [("cpu", "per CPU-second"), ("postgres", "per CPU-second of PostgreSQL")]


def measured(command: Sequence[str], postgres: int, within_s: float, folder: Path = ROOT) -> Figures:
    """Have a side work; gives instances per second on the wall, of its CPU and of the server's CPU.

    Raises:
        CalledProcessError: it failed, or took so long that it was ended.
    """
    disk = fdatasyncs_per_second(0.2)
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as side:
        assert side.stdout is not None
        alarm = threading.Timer(within_s, side.kill)
        alarm.start()
        begun, told = 0.0, ""
        for line in side.stdout:
            if line == "begin\n":
                begun = cpu_seconds(postgres)
            elif line.startswith("{"):
                server, told = cpu_seconds(postgres) - begun, line
        code = side.wait()
        alarm.cancel()
    if code or not told:
        raise subprocess.CalledProcessError(code, command)
    found: dict[str, Any] = json.loads(told)
    done = found["instances"]
    return {
        "wall": done / found["wall"],
        "cpu": done / found["cpu"],
        "postgres": done / server,
        "fdatasync": (disk + fdatasyncs_per_second(0.2)) / 2,
    }
