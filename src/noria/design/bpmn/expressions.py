"""Expressions in a model: FEEL only, and how a value in an attribute is told from one."""

from __future__ import annotations

import re

from noria.design.bpmn.graph import JOB_PRIORITY_MAX, TimerKind
from noria.design.bpmn.names import FEEL_LANGUAGES, XPATH, noria
from noria.design.bpmn.source import Findings
from noria.design.feel import Expression, FeelSyntaxError, compile_expression, literal_expression
from noria.design.feel.expression import parse_expression
from noria.design.feel.nodes import Literal
from noria.design.findings import Severity
from noria.design.xml import Node
from noria.kernel.cycles import parse_cycle
from noria.kernel.instants import Duration, parse_duration, parse_zoned
from noria.kernel.numbers import whole_number

_JUEL = re.compile(r"[$#]\{")
_NULL = "null"


class Expressions:
    """Compiles the expressions of one file and reports what is not FEEL.

    Attributes:
        findings: where it reports.
        language: the file's own expression language.
    """

    def __init__(self, findings: Findings, language: str) -> None:
        self.findings = findings
        self.language = language

    def feel(self, text: str, node: Node, language: str | None = None) -> Expression:
        """Compile a text that is meant as FEEL; a leading ``=`` is left out.

        Args:
            text: the expression.
            node: where it stands.
            language: that of a BPMN expression, "" for the file's; None for what is Noria's own, which is FEEL.
        """
        text = text.strip()
        used = "" if language is None else language or self.language
        # XPath is what BPMN's schema fills in when nobody said anything.
        if used and not used.lower().startswith(FEEL_LANGUAGES) and used not in XPATH:
            self.findings.error(
                "bpmn.expression_language", f"Only FEEL is run in a model, not {used}.", node, language=used
            )
            return compile_expression(_NULL)
        if _JUEL.search(text):
            self.findings.error(
                "bpmn.expression_language", f"{text[:80]!r} is not FEEL; write it without ${{…}}.", node, text=text[:80]
            )
            return compile_expression(_NULL)
        try:
            return compile_expression(text.removeprefix("="))
        except FeelSyntaxError as error:
            self.findings.error(error.code, error.message, node)
            return compile_expression(_NULL)

    def condition(self, text: str, node: Node, language: str | None = None) -> Expression:
        """Compile a condition. A number or a text by itself is neither true nor false, and refused."""
        expression = self.feel(text, node, language)
        tree = parse_expression(expression.source)
        if isinstance(tree, Literal) and not isinstance(tree.value, bool | None):
            message = f"{expression.source[:80]!r} is no condition: it is neither true nor false."
            self.findings.error("bpmn.condition", message, node, text=expression.source[:80])
        return expression

    def value(self, text: str, node: Node) -> Expression:
        """Compile an attribute's value: FEEL behind a ``=``, a constant otherwise."""
        text = text.strip()
        if text.startswith("=") or _JUEL.search(text):
            return self.feel(text, node)
        return literal_expression(text)

    def variable(self, name: str, node: Node, severity: Severity = "error") -> Expression | None:
        """An expression that gives the variable of this name, which may hold spaces; None, and a finding, if none can.

        Args:
            name: of the data object, property, input or output.
            node: where it is used.
            severity: of the finding.
        """
        try:
            return compile_expression(name, (name,))
        except FeelSyntaxError:
            message = f"{name!r} cannot be the name of a variable."
            self.findings.add(severity, "bpmn.data_name", message, node, name=name)
            return None

    def optional(self, node: Node, attribute: str) -> Expression | None:
        """The value of a Noria attribute, None when it is not given."""
        text = node.get(noria(attribute))
        return self.value(text, node) if text.strip() else None

    def names(self, node: Node, attribute: str) -> Expression | None:
        """A Noria attribute that names several: a comma list when it is a constant."""
        text = node.get(noria(attribute)).strip()
        if not text:
            return None
        if text.startswith("=") or "," not in text:
            return self.value(text, node)
        listed = ", ".join('"' + name.strip().replace('"', '\\"') + '"' for name in text.split(",") if name.strip())
        return self.feel(f"[{listed}]", node)

    def job_priority(self, node: Node, otherwise: int | Expression = 0) -> int | Expression:
        """The priority of an element's jobs, timers and save points: a number, or FEEL that gives one."""
        text = node.get(noria("jobPriority")).strip()
        if not text:
            return otherwise
        if text.startswith("=") or _JUEL.search(text):
            return self.feel(text, node)
        number = whole_number(text, JOB_PRIORITY_MAX)
        if number is not None:
            return number
        message = f"jobPriority is a whole number from 0 to {JOB_PRIORITY_MAX}, or FEEL behind =, not {text[:80]!r}."
        self.findings.error("bpmn.job_priority", message, node)
        return 0

    def duration(self, text: str, node: Node) -> Duration | None:
        """A constant ISO 8601 duration; None, and a finding, when it is none."""
        try:
            return parse_duration(text)
        except ValueError as error:
            self.findings.error("bpmn.duration", str(error), node)
            return None

    def check_constant_time(self, expression: Expression, node: Node, kind: TimerKind) -> None:
        """Report a constant that is meant as a timer's date, duration or cycle and is none."""
        text = expression.constant
        if text is None:
            return
        if kind is TimerKind.DURATION:
            self.duration(text, node)
            return
        try:
            if kind is TimerKind.DATE:
                parse_zoned(f"{text}T00:00:00" if len(text) == len("2026-01-01") else text)
            else:
                parse_cycle(text)
        except ValueError as error:
            self.findings.error("bpmn.duration", str(error), node)

    def check_constant_duration(self, expression: Expression | None, node: Node) -> None:
        """Report a constant that is meant as a duration and is none."""
        if expression is not None and expression.source.startswith('"') and not expression.names:
            self.duration(expression.source[1:-1], node)
