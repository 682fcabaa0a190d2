"""What a user task asks of people: who, until when, by which rule of approving."""

from __future__ import annotations

from noria.design.bpmn.expressions import Expressions
from noria.design.bpmn.graph import ApprovalRule, HumanWork
from noria.design.bpmn.names import bpmn, noria
from noria.design.bpmn.source import BpmnFile, child_text, referred
from noria.design.bpmn.vocabulary import VOCABULARY
from noria.design.feel import Expression, literal_expression
from noria.design.xml import Node
from noria.kernel.numbers import whole_number

_WORDS = (
    "approval",
    "refusal",
    "whenRefused",
    "whenStarter",
    "repeats",
    "whenNobody",
    "whenOverdue",
    "bulkApproval",
)
"""Attributes that are one of a few words."""
_OF_APPROVALS = ("refusal", "whenRefused", "whenStarter", "repeats", "approvers", "passShare", "passCount")
"""Attributes that mean something only where a task is an approval."""
_APPROVES = ("approve", "refuse")
_REMIND_TIMES_MAX = 100


class People:
    """Compiles the user tasks of one file."""

    def __init__(self, read: BpmnFile, expressions: Expressions) -> None:
        self.read = read
        self.expressions = expressions
        self.findings = expressions.findings

    def work(self, node: Node, lane_groups: tuple[str, ...]) -> HumanWork:
        """What a user task asks of people.

        Args:
            node: the task.
            lane_groups: keys of the lanes around it, innermost first.
        """
        read = self.expressions
        due_in = read.optional(node, "dueIn")
        read.check_constant_duration(due_in, node)
        words = self._words(node)
        approval = self._approval(node, words)
        overdue = "" if words["whenOverdue"] == "remind" else words["whenOverdue"]
        times = self._remind_times(node)
        shares = self._remind_shares(node, due_in is not None)
        if (overdue or times) and 1.0 not in shares:
            shares = (*shares, 1.0)
        nobody_to, overdue_to = read.optional(node, "nobodyTo"), read.optional(node, "overdueTo")
        self._check_rules(node, words, approval, nobody_to, overdue_to, limited=due_in is not None)
        return HumanWork(
            assignee=read.optional(node, "assignee") or self._role(node, "humanPerformer"),
            candidate_groups=read.names(node, "candidateGroups") or self._role(node, "potentialOwner"),
            candidate_users=read.names(node, "candidateUsers"),
            lane_groups=lane_groups,
            form=node.get(noria("form")),
            due_in=due_in,
            calendar=node.get(noria("calendar")),
            remind_shares=shares,
            priority=read.optional(node, "priority"),
            completed_by_start=node.get(noria("completedByStart")) == "true",
            approval=approval,
            when_nobody=words["whenNobody"] or "owner",
            nobody_to=nobody_to,
            when_overdue=overdue,
            overdue_to=overdue_to,
            remind_every=node.get(noria("remindEvery")),
            remind_times=times,
            copy_to=read.names(node, "copyTo"),
            title=read.optional(node, "title"),
            hidden_fields=_listed(node, "hiddenFields"),
            in_bulk=words["bulkApproval"] == "true",
            writable_fields=_listed(node, "writableFields") if noria("writableFields") in node.attributes else None,
        )

    def _words(self, node: Node) -> dict[str, str]:
        given = {name: node.get(noria(name)) for name in _WORDS}
        for name in _WORDS:
            allowed = VOCABULARY[name].words
            if given[name] and given[name] not in allowed:
                message = f"{name} is one of {', '.join(allowed)}, not {given[name]!r}."
                self.findings.error("bpmn.approval", message, node)
                given[name] = ""
        return given

    def _approval(self, node: Node, words: dict[str, str]) -> ApprovalRule | None:
        read = self.expressions
        if not words["approval"]:
            given = [name for name in _OF_APPROVALS if node.get(noria(name))]
            if given:
                message = f"{', '.join(given)} mean something only where approval gives the rule of an approval."
                self.findings.error("bpmn.approval", message, node)
            return None
        rule = ApprovalRule(
            words["approval"],
            read.names(node, "approvers"),
            read.optional(node, "passShare"),
            read.optional(node, "passCount"),
            refuses_at_once=words["refusal"] != "afterAll",
            goes_on=words["whenRefused"] == "goOn",
            when_starter=words["whenStarter"] or "ask",
            repeats=words["repeats"] or "ask",
        )
        if (rule.mode == "vote") is (rule.share is None and rule.count is None):
            self.findings.error("bpmn.approval", "A vote, and nothing else, has a passShare or a passCount.", node)
        return rule

    def _check_rules(
        self,
        node: Node,
        words: dict[str, str],
        approval: ApprovalRule | None,
        nobody_to: Expression | None,
        overdue_to: Expression | None,
        *,
        limited: bool,
    ) -> None:
        def report(message: str) -> None:
            self.findings.error("bpmn.approval", message, node)

        for name in ("whenNobody", "whenOverdue"):
            if approval is None and words[name] in _APPROVES:
                report(f"{name} can {words[name]} only what is an approval.")
        if (words["whenNobody"] == "person") is (nobody_to is None):
            report("whenNobody is person where nobodyTo names the person, and nowhere else.")
        if (words["whenOverdue"] == "transfer") is (overdue_to is None):
            report("whenOverdue is transfer where overdueTo names the person, and nowhere else.")
        if not limited and any(node.get(noria(name)) for name in ("whenOverdue", "remindEvery", "remindTimes")):
            report("Without a limit (dueIn) nothing is ever overdue.")
        every = node.get(noria("remindEvery"))
        if bool(every) is not bool(node.get(noria("remindTimes"))):
            report("remindEvery and remindTimes are given together.")
        elif every:
            self.expressions.duration(every, node)

    def _remind_times(self, node: Node) -> int:
        written = node.get(noria("remindTimes")).strip()
        if not written:
            return 0
        times = whole_number(written, _REMIND_TIMES_MAX)
        if times is None:
            self.findings.error("bpmn.remind_at", f"remindTimes is a number up to {_REMIND_TIMES_MAX}.", node)
        return times or 0

    def _remind_shares(self, node: Node, limited: bool) -> tuple[float, ...]:
        written = node.get(noria("remindAt"))
        if not written:
            return (0.8, 1.0) if limited else ()
        try:
            shares = tuple(sorted(float(part) for part in written.split(",")))
        except ValueError:
            shares = ()
        if not shares or not all(0 < share <= 1 for share in shares):
            self.findings.error("bpmn.remind_at", "remindAt lists shares of the limit such as 0.8,1.0.", node)
        return shares

    def _role(self, node: Node, local: str) -> Expression | None:
        """Whom a resource role names: its assignment expression, or the name of its resource."""
        role = node.first(bpmn(local))
        if role is None:
            return None
        assignment = role.first(bpmn("resourceAssignmentExpression"))
        expression = assignment.first(bpmn("formalExpression")) if assignment is not None else None
        if expression is None and assignment is not None:
            expression = assignment.first(bpmn("expression"))
        if expression is not None and expression.text.strip():
            return self.expressions.feel(expression.text, expression, expression.get("language"))
        resource = referred(self.read, child_text(role, "resourceRef"))
        if resource is None or not resource.get("name"):
            message = f"The {local} names neither an expression nor a resource with a name."
            self.findings.warn("bpmn.resource_role", message, node)
            return None
        return literal_expression(resource.get("name"))


def _listed(node: Node, name: str) -> tuple[str, ...]:
    """The names in a comma list."""
    return tuple(part for part in (one.strip() for one in node.get(noria(name)).split(",")) if part)
