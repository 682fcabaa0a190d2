"""Stopwatch and disk: what every measurement needs."""

from __future__ import annotations

import os
import tempfile
import time
from typing import NamedTuple


class Spent(NamedTuple):
    """Seconds on the wall and of this process's own CPU."""

    wall: float
    cpu: float


class Stopwatch:
    """Runs from its making."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> Spent:
        """Since the beginning."""
        return Spent(time.perf_counter() - self._wall, time.process_time() - self._cpu)


def fdatasyncs_per_second(seconds: float = 0.5) -> float:
    """How often the disk under the working directory takes 8 KB for good."""
    block = bytes(8192)
    done = 0
    with tempfile.NamedTemporaryFile(dir=".") as file:
        watch = Stopwatch()
        while (spent := watch.spent().wall) < seconds:
            file.write(block)
            file.flush()
            os.fdatasync(file.fileno())
            done += 1
    return done / spent
