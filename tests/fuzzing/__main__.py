"""Draws inputs for every door in turn: `python -m tests.fuzzing SECONDS [SEED]`.

An input may take a few seconds and the process two gigabytes. What breaks a door is written to `found/` with its trace.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from random import Random

from tests.fuzzing.doors import DOORS
from tests.fuzzing.mutating import FOUND, drawn

MEMORY_BYTES_MAX = 2 * 1024**3
INPUT_SECONDS_MAX = 5


class TooSlowError(Exception):
    """One input took too long."""


def _too_slow(_signal: int, _frame: object) -> None:
    raise TooSlowError


def main() -> None:
    """Draw until the time is up; exit code 1 if a door broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    signal.signal(signal.SIGALRM, _too_slow)
    broken: set[str] = set()
    tried: Counter[str] = Counter()
    end = time.monotonic() + asked.seconds
    number = 0
    while time.monotonic() < end:
        for door, enter in DOORS.items():
            data = drawn(Random(f"{asked.seed}/{number}"), door)
            tried[door] += 1
            signal.alarm(INPUT_SECONDS_MAX)
            try:
                enter(data)
            except Exception as error:  # noqa: BLE001 - any exception is what is looked for
                signal.alarm(0)
                place = traceback.extract_tb(error.__traceback__)[-1]
                kind = f"{door}-{type(error).__name__.lower()}-{place.name.strip('<>')}-{place.lineno}"
                if kind not in broken:
                    broken.add(kind)
                    name = f"{kind}-{hashlib.sha256(data).hexdigest()[:6]}"
                    (FOUND / name).write_bytes(data)
                    print(f"{name}: seed {asked.seed}/{number}\n{''.join(traceback.format_exception(error)[-6:])}")
            finally:
                signal.alarm(0)
        number += 1
    print(" ".join(f"{door} {count}" for door, count in tried.items()))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
