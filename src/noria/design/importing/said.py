"""FEEL as the importer writes it: a text, how tightly it is bound, and what is known of its value."""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = re.compile(r"[^\W\d]\w*")
"""A plain name, which needs no quotes anywhere."""
OR, AND, COMPARE, ADD, MULTIPLY, UNARY, PATH = range(1, 8)
CHOICE = 0


class NotTranslatable(Exception):  # noqa: N818 - it is no error of anybody's
    """Something in an expression has no FEEL; the message names it."""


class Feel(NamedTuple):
    """FEEL text, and what is known of its value.

    Attributes:
        text: the expression.
        level: of its outermost operator, for brackets.
        kind: "boolean", "number", "text" or "" when it is not known.
        certain: the value is never null.
    """

    text: str
    level: int
    kind: str = ""
    certain: bool = False

    def within(self, level: int) -> str:
        """The text as an operand of an operator of this level."""
        return self.text if self.level > level else f"({self.text})"


def quoted(text: str) -> str:
    """A FEEL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def empty(operand: Feel) -> Feel:
    """Whether a value is null or has nothing in it, as JUEL's `empty` asks."""
    return Feel(f'list contains([null, "", [], {{}}], {operand.text})', PATH, "boolean", certain=True)
