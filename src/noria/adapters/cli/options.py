"""Arguments and options that several commands have, each written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
_REPORT = click.option(
    "--report", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of report."
)
_LANGUAGE = click.option(
    "--language", type=click.Choice(["zh", "en"]), default="en", show_default=True, help="Language of the sentences."
)


def converts_into(folder: str, what: str) -> Callable[[Command], Command]:
    """The arguments of a command that writes other files out of files, with a report.

    Args:
        folder: where they go without ``--to``.
        what: the word for what it does, as "import".
    """
    to = click.option(
        "--to",
        "folder",
        default=Path(folder),
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder that receives the files; it is made when it is not there.",
    )
    overwrite = click.option("--overwrite", is_flag=True, help=f"Replace files of an earlier {what}.")
    parts = (FILES, to, _REPORT, _LANGUAGE, overwrite)
    return lambda command: reduce(lambda made, part: part(made), reversed(parts), command)
