"""Beside embedded Java engines, Camunda 7 and Flowable (Maven): `approval` on one PostgreSQL, with their full history.

Each side has so many clients, each driving one instance after another to its end: threads there, tasks here. The Java
engines ask for the open task before they complete it, as their clients must; Noria's answer to a command names it.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.apart import command
from bench.models import APPROVAL, CAMUNDA, FLOWABLE, Dialect, bpmn
from bench.postgres import missing_postgres, new_database, server
from bench.telling import Asked, compared, in_pairs, skipped
from bench.windows import ALSO, measured

FOLDER = Path(__file__).parent
FLOORS = {8: 4.0, 48: 10.0}
"""Threads → floor."""
SECONDS = 8.0
WARM_S = 20.0
"""The Java virtual machine compiles what is used often; before that it is slow."""


def version(engine: str) -> str:
    """The peer's version; "" when it is not installed."""
    jars = list((FOLDER / "lib" / engine).glob(f"{engine}-engine-[0-9]*.jar"))
    if shutil.which("java") is None or not jars or not (FOLDER / "classes" / engine).is_dir():
        return ""
    return jars[0].stem.rpartition("-")[2]


def ask_camunda(asked: Asked) -> list[dict[str, Any]]:
    """Beside Camunda 7."""
    return _ask(asked, "camunda", CAMUNDA)


def ask_flowable(asked: Asked) -> list[dict[str, Any]]:
    """Beside Flowable."""
    return _ask(asked, "flowable", FLOWABLE)


def _ask(asked: Asked, engine: str, dialect: Dialect) -> list[dict[str, Any]]:
    found, missing = version(engine), missing_postgres()
    if not found or missing:
        return skipped(engine, missing or "`make peers` installs it, with Java 17 and Maven")
    results = []
    seconds, warm = max(1.0, SECONDS * asked.share), max(2.0, WARM_S * asked.share)
    with server() as running, tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "approval.bpmn"
        model.write_bytes(bpmn(APPROVAL, dialect))
        noria, peer = new_database(running, "noria"), urlsplit(new_database(running, engine))
        for threads, floor in FLOORS.items():
            ours = command("bench.noria_engine:closed_loop", noria, APPROVAL.name, threads, seconds)
            theirs = ["java", "-Xmx2g", "-cp", f"classes/{engine}:lib/{engine}/*", engine.capitalize()]
            theirs += [f"jdbc:postgresql://{peer.hostname}:{peer.port}{peer.path}", str(peer.username)]
            theirs += [str(peer.password), str(model), str(threads), str(warm), str(seconds)]
            sides = [
                partial(measured, ours, running.pid, seconds * 4 + 60),
                partial(measured, theirs, running.pid, (seconds + warm) * 4 + 60, FOLDER),
            ]
            title = f"{engine.capitalize()} {found}, approval, {threads} threads"
            results.append(compared(title, "instances/s", in_pairs(asked, *sides), floor, also=ALSO))
    return results
