"""What an import did with each thing that a file said in another vendor's words."""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.design.importing.sentences import SENTENCES

Outcome = Literal["mapped", "changed", "needs_work"]
"""Mapped: it does the same here. Changed: it does nearly the same; the sentence says the difference. Needs work: it
was left out, and somebody has to decide."""


class ReportLine(msgspec.Struct, frozen=True):
    """One line of the report.

    Attributes:
        outcome: what became of it.
        code: stable, dotted, e.g. ``import.assignee``; `SENTENCES` has its sentence in both languages.
        message: the English sentence, filled in.
        file: name of the file as the user gave it.
        line: 1-based line of the start tag.
        element: id of the BPMN element, or "" when it has none.
        attribute: what was said, such as ``camunda:assignee``; "" when it is no vendor's attribute or element.
        details: what the sentence is filled in with.
    """

    outcome: Outcome
    code: str
    message: str
    file: str
    line: int
    element: str
    attribute: str
    details: dict[str, str]

    def sentence(self, language: str = "en") -> str:
        """The sentence in English ("en") or Chinese ("zh")."""
        text = SENTENCES[self.code]
        return (text.zh if language == "zh" else text.en).format(**self.details)


class Imported(msgspec.Struct, frozen=True):
    """What became of a file.

    Attributes:
        document: clean XML; None when the file cannot be read or is no model.
        lines: what was done, in the order of the file.
        forms: forms that were made of listed fields: file name → JSON.
    """

    document: bytes | None
    lines: tuple[ReportLine, ...]
    forms: dict[str, bytes]

    @property
    def needs_work(self) -> bool:
        """Whether somebody has to decide something."""
        return any(line.outcome == "needs_work" for line in self.lines)


def report_line(code: str, file: str, line: int, element: str, attribute: str, details: dict[str, str]) -> ReportLine:
    """A line with the outcome and the sentence of its code."""
    text = SENTENCES[code]
    filled = {"attribute": attribute, **details}
    return ReportLine(text.outcome, code, text.en.format(**filled), file, line, element, attribute, filled)
