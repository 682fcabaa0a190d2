"""What people and programs are shown of decision tables that their owners edit."""

from __future__ import annotations

import msgspec

from noria.design.dmn.editing import Column, EditedTable
from noria.design.findings import Finding
from noria.operate.views import ProcessRef


class RulesBrief(msgspec.Struct):
    """A decision table that is deployed; `processes` are those in force that ask it."""

    decision: str
    name: str
    file: str
    rows: int
    hit_policy: str
    processes: list[ProcessRef]


class RulesView(msgspec.Struct, kw_only=True):
    """A decision table with what its check finds; `base` names this edition of it.

    Attributes:
        inputs: the input columns.
        outputs: the output columns.
        table: what may be edited.
    """

    decision: str
    name: str
    file: str
    base: str
    inputs: list[Column]
    outputs: list[Column]
    table: EditedTable
    processes: list[ProcessRef]
    findings: list[Finding]


class RulesDraft(msgspec.Struct):
    """An edited table; `base` names the edition that it was made from, `note` says why it is published."""

    table: EditedTable
    base: str = ""
    note: str = ""


class DecidedOtherwise(msgspec.Struct, kw_only=True):
    """A case in which the edited table would have decided otherwise.

    Attributes:
        before: what was decided.
        after: what would have been.
        rows_before: 1-based rows that decided.
        rows_after: likewise.
        went_to: where the case went at the fork behind, "" when no fork asks for it.
        would_go_to: where it would have gone.
        notes: what became null on the way, and why.
    """

    instance_id: str
    business_key: str
    title: str
    at: str
    before: object
    after: object
    rows_before: list[int]
    rows_after: list[int]
    went_to: str
    would_go_to: str
    notes: list[str]


class RulesTrial(msgspec.Struct, kw_only=True):
    """What an edited table makes of what was decided lately.

    Attributes:
        since: the cases looked at were decided from then on.
        total: decisions looked at.
        more: whether there were more cases than are looked at; the newest are.
        same: decisions that would have come out the same.
        elsewhere: cases that would have gone another way.
        changed: decisions that would have come out otherwise; `cases` are the first of them.
    """

    since: str
    total: int
    more: bool
    same: int
    changed: int
    elsewhere: int
    cases: list[DecidedOtherwise]


class RulesPublished(msgspec.Struct):
    """Versions of processes that a publication of rules has put into force."""

    processes: list[ProcessRef]
    findings: list[Finding]
