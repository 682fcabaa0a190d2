"""Beside DBOS (PyPI): ten durable steps, on one PostgreSQL.

Not like for like: the peer runs a Python function again from its last step, Noria runs a model. Of ten steps each is on
the disk before the next begins: the peer's by its step records, Noria's by a command of a worker (eleven commits).
"""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from bench.apart import command
from bench.models import STEPS
from bench.postgres import missing_postgres, new_database, server
from bench.telling import Asked, compared, in_pairs, skipped
from bench.windows import ALSO, measured

FOLDER = Path(__file__).parent
PYTHON = FOLDER / ".venv" / "bin" / "python"
FLOORS = {1: 1.0, 20: 20.0, 100: 50.0}
"""Clients → floor. One client alone waits for the disk, whatever the engine."""
SECONDS = 6.0


def version() -> str:
    """The peer's version; "" when it is not installed."""
    if not PYTHON.exists():
        return ""
    asks = "from importlib.metadata import version; print(version('dbos'))"
    done = subprocess.run([PYTHON, "-c", asks], check=False, capture_output=True, text=True)
    return done.stdout.strip()


def ask(asked: Asked) -> list[dict[str, Any]]:
    """With one client, with twenty, with a hundred."""
    found, missing = version(), missing_postgres()
    if not found or missing:
        return skipped("dbos", missing or "`make peers` installs it")
    results = []
    seconds = max(1.0, SECONDS * asked.share)
    with server() as running:
        noria, dbos = new_database(running, "noria"), new_database(running, "dbos")
        for clients, floor in FLOORS.items():
            ours = command("bench.noria_engine:closed_loop", noria, STEPS.name, clients, seconds)
            theirs = [str(PYTHON), str(FOLDER / "peer.py"), dbos, str(clients), str(seconds)]
            sides = [partial(measured, one, running.pid, seconds * 4 + 60) for one in (ours, theirs)]
            title = f"DBOS {found}, ten steps, {clients} client{'s' if clients > 1 else ''}"
            results.append(compared(title, "instances/s", in_pairs(asked, *sides), floor, also=ALSO))
    return results
