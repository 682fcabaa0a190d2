"""What ``noria people`` prints and writes."""

from __future__ import annotations

from pathlib import Path

import click

from noria.operate.rosters import Changed, ImportView


def told(view: ImportView) -> list[str]:
    """What an import would do or has done, one line for each row that is wrong and each person or unit."""
    lines = [
        f"{error.sheet}:{error.row}: {error.column or '-'}: {error.code}: {error.message}" for error in view.errors
    ]
    if view.errors_total > len(view.errors):
        lines.append(f"… and {view.errors_total - len(view.errors)} more")
    for what in ("added", "changed", "deactivated"):
        lines += [f"{what} {item.kind} {item.id}: {_fields(item)}" for item in getattr(view, what)]
    if view.errors_total:
        lines.append(f"{view.errors_total} errors; nothing was written.")
    else:
        counts = ", ".join(f"{len(getattr(view, what))} {what}" for what in ("added", "changed", "deactivated"))
        done = "Written" if view.applied else "Not written yet; add --apply"
        lines.append(f"{counts}, {view.unchanged} as they are. {done}; valid from {view.valid_from}.")
    return lines


def _fields(item: Changed) -> str:
    return ", ".join(
        f"{name} {item.before[name]!r} → {value!r}" if name in item.before else f"{name} {value!r}"
        for name, value in item.after.items()
        if name in item.before or value not in ("", [], True)
    )


def write(path: Path, content: bytes) -> None:
    """Write an export; a file that is there already is not replaced.

    Raises:
        click.ClickException: there is one.
    """
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; name another file.") from None
