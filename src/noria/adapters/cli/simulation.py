"""``noria sim``: the deterministic simulation, where Noria runs from its source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

CHECKOUT = Path(__file__).parents[4]


@click.command("sim", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sim_command(arguments: tuple[str, ...]) -> None:
    """Replay a seed of the simulation with its trace, run many, or make a failing one small (--help says how)."""
    if not (CHECKOUT / "tests" / "simulation").is_dir():
        # It plants mutants in the engine, and so does not belong to what is installed.
        raise click.ClickException("The simulation is a part of Noria's source, not of its package; run it there.")
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(  # noqa: S603 - our own module, with what the caller has typed
        [sys.executable, "-m", "tests.simulation", *arguments], check=False, env={**os.environ, "PYTHONPATH": path}
    )
    raise SystemExit(done.returncode)
