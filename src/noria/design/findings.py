"""What a check of a model found: one line per finding, the same on the command line, in the API and in the modeller."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]


class Finding(msgspec.Struct, frozen=True):
    """One finding about one place of one file.

    Attributes:
        severity: an error refuses deployment; a warning and an info do not.
        code: stable, dotted, lower case, e.g. ``bpmn.unsupported_element``.
        message: one English sentence: what is wrong or missing, and what to do.
        file: name of the file as the user gave it.
        line: 1-based line of the element's start tag; 0 when the whole file is meant.
        element: id of the element, or "" when it has none.
        details: parameters of the sentence, so that an interface can say it in another language.
    """

    severity: Severity
    code: str
    message: str
    file: str = ""
    line: int = 0
    element: str = ""
    details: dict[str, str] = msgspec.field(default_factory=dict)

    def __str__(self) -> str:
        """One line, as compilers print it: file, line, element, code, sentence; what is no error says so at its end."""
        kind = "" if self.severity == "error" else f" ({self.severity})"
        return f"{self.file}:{self.line}: {self.element or '-'}: {self.code}: {self.message}{kind}"


def has_errors(findings: tuple[Finding, ...] | list[Finding]) -> bool:
    """Whether at least one finding refuses deployment."""
    return any(finding.severity == "error" for finding in findings)
