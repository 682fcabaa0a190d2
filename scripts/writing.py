"""Markdown of the generated pages."""

from __future__ import annotations

from collections.abc import Iterable

NOTE = "<!-- Written by `make docs`. Change the code, not this page. -->\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The lines of a table."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return [*lines, ""]


def page(title: str, intro: str, *parts: list[str]) -> str:
    """A page with its parts."""
    lines = [NOTE, f"# {title}", "", intro, ""]
    for part in parts:
        lines += part
    return "\n".join(lines).rstrip() + "\n"
