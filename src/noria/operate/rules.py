"""Rules for their owners: decision tables are edited, checked, tried on what was decided lately, and published."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from noria.design.dmn import DecisionModel, check_tables, read_dmn
from noria.design.dmn.editing import EditedRule, EditedTable, TableSource, tables_in, with_table
from noria.design.findings import Finding, has_errors
from noria.kernel.errors import REASON_REQUIRED, Rejected
from noria.kernel.instants import DAY_MS
from noria.operate.deploying import DefinitionRow
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, origin_json, process_ref
from noria.operate.redeploying import Redeploying, faulty
from noria.operate.rule_views import (
    DecidedOtherwise,
    RulesBrief,
    RulesDraft,
    RulesPublished,
    RulesTrial,
    RulesView,
)
from noria.operate.timeline import history_of
from noria.operate.trying import asking_for, tried
from noria.operate.views import Page
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission

DAYS_MAX = 366
_CASES_MAX = 1_000
_LISTED_MAX = 200


class Rules:
    """The use cases about rules."""

    def __init__(self, office: Office, redeploying: Redeploying) -> None:
        self._office = office
        self._redeploying = redeploying

    async def list_all(self, caller: Caller) -> Page[RulesBrief]:
        """The decision tables that are deployed."""
        await self._office.require(caller, Permission.MODELS_READ, "decision")
        tenant = caller.principal.tenant
        found = []
        for file, content in (await self._office.catalogue.decision_files(tenant)).items():
            found += [
                RulesBrief(
                    source.decision,
                    source.name,
                    file,
                    len(source.table.rules),
                    source.table.hit_policy,
                    [process_ref(row) for row in await self._asking(tenant, file, content, source.decision)],
                )
                for source in tables_in(content)
            ]
        return Page(found, len(found), len(found), 0)

    async def one(self, caller: Caller, decision: str) -> RulesView:
        """A decision table as it is in force, with what its check finds.

        Raises:
            NotFoundError: no table of this decision is deployed.
        """
        await self._office.require(caller, Permission.MODELS_READ, "decision", decision)
        tenant = caller.principal.tenant
        file, content, source = await self._source(tenant, decision)
        files = await self._office.catalogue.decision_files(tenant)
        return RulesView(
            decision=decision,
            name=source.name,
            file=file,
            base=sha256(content).hexdigest(),
            inputs=source.inputs,
            outputs=source.outputs,
            table=source.table,
            processes=[process_ref(row) for row in await self._asking(tenant, file, content, decision)],
            findings=_findings(file, content, files)[1],
        )

    async def check(self, caller: Caller, decision: str, table: EditedTable) -> list[Finding]:
        """What the check finds in an edited table; nothing is written.

        Raises:
            DeniedError: the caller may not publish rules.
            RefusedError: the table is not one of this decision.
        """
        await self._office.require(caller, Permission.DEPLOY, "decision", decision)
        return (await self._edited(caller, decision, table))[2]

    async def attempt(self, caller: Caller, decision: str, table: EditedTable, days: int) -> RulesTrial:
        """Make the decisions of the last days once more by an edited table; nothing is written.

        Raises:
            DeniedError: the caller may not publish rules.
            RefusedError: the table has errors, or the days are out of bounds.
        """
        office, tenant = self._office, caller.principal.tenant
        await office.require(caller, Permission.DEPLOY, "decision", decision)
        if not 1 <= days <= DAYS_MAX:
            code = "rules.bad_days"
            raise RefusedError(Rejected(code, f"Give 1 to {DAYS_MAX} days.", {"fields": {"days": code}}))
        _, _, findings, model = await self._edited(caller, decision, table)
        if model is None:
            raise faulty(findings)
        concerned = asking_for(model, decision)
        places = [
            (row.id, element.index)
            for row in office.catalogue.rows(tenant)
            for element in (await office.graph(row.id)).elements
            if element.decision in concerned
        ]
        since_ms = office.clock.now_ms() - days * DAY_MS
        iids = await office.lists.visited(tenant, places, since_ms, _CASES_MAX + 1)
        organisation = await office.people.organisation(tenant)
        decisions = {name: item for name, item in model.decisions.items() if name in concerned}
        facts = office.facts(tenant)
        total = changed = elsewhere = 0
        cases: list[DecidedOtherwise] = []
        for iid in iids[:_CASES_MAX]:
            held = await office.runtime.instance(iid)
            if held is None:
                continue
            for one in tried(held, await history_of(office, held, organisation), decisions, facts, since_ms):
                total += 1
                if one.otherwise is not None:
                    changed += 1
                    cases.append(one.otherwise)
        elsewhere = sum(case.went_to != case.would_go_to for case in cases)
        cases.sort(key=lambda case: case.went_to == case.would_go_to)
        return RulesTrial(
            since=iso(since_ms),
            total=total,
            more=len(iids) > _CASES_MAX,
            same=total - changed,
            changed=changed,
            elsewhere=elsewhere,
            cases=cases[:_LISTED_MAX],
        )

    async def publish(self, caller: Caller, decision: str, draft: RulesDraft) -> RulesPublished:
        """Put an edited table into force: a new version of each process that asks it; running cases keep theirs.

        Raises:
            DeniedError: the caller may not publish rules.
            RefusedError: the table has errors, was made from an edition that is no longer in force, or a process that
                asks it cannot be deployed again together with what it was deployed with.
        """
        office, tenant = self._office, caller.principal.tenant
        await office.require(caller, Permission.DEPLOY, "decision", decision)
        file, before, source = await self._source(tenant, decision)
        if draft.base != sha256(before).hexdigest():
            text = f"The rules of {decision!r} have been published anew since; load them again."
            raise RefusedError(Rejected("rules.stale", text))
        if not draft.note.strip():
            raise RefusedError(REASON_REQUIRED)
        _, content, findings, model = await self._edited(caller, decision, draft.table)
        if model is None:
            raise faulty(findings)
        rows = await self._asking(tenant, file, before, decision)
        processes = await self._redeploying.publish(caller, rows, lambda _: {file: content})
        await self._record(caller, decision, draft, source)
        return RulesPublished(processes, findings)

    async def _source(self, tenant: int, decision: str) -> tuple[str, bytes, TableSource]:
        for file, content in (await self._office.catalogue.decision_files(tenant)).items():
            for source in tables_in(content):
                if source.decision == decision:
                    return file, content, source
        raise NotFoundError(f"There is no decision table {decision!r}.")

    async def _edited(
        self, caller: Caller, decision: str, table: EditedTable
    ) -> tuple[str, bytes, list[Finding], DecisionModel | None]:
        tenant = caller.principal.tenant
        file, content, _ = await self._source(tenant, decision)
        edited = with_table(content, decision, table)
        if isinstance(edited, Rejected):
            raise RefusedError(edited)
        files = {**await self._office.catalogue.decision_files(tenant), file: edited}
        model, findings = _findings(file, edited, files)
        return file, edited, findings, model

    async def _asking(self, tenant: int, file: str, content: bytes, decision: str) -> list[DefinitionRow]:
        """The processes in force that ask a decision, or one of its file that depends on it."""
        files = await self._office.catalogue.decision_files(tenant)
        model, _ = read_dmn(content, file, files)
        concerned = asking_for(model, decision) if model is not None else frozenset({decision})
        return [
            row
            for row in self._office.catalogue.newest(tenant)
            if any(element.decision in concerned for element in (await self._office.graph(row.id)).elements)
        ]

    async def _record(self, caller: Caller, decision: str, draft: RulesDraft, source: TableSource) -> None:
        office = self._office
        before = {rule.id: rule for rule in source.table.rules}
        after = {rule.id or f"+{number}": rule for number, rule in enumerate(draft.table.rules, 1)}
        changed = [key for key in (*before, *after) if before.get(key) != after.get(key)]
        await office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                office.clock.now_ms(),
                caller.principal.id,
                "rules.published",
                "decision",
                decision,
                reason=draft.note.strip(),
                before=_told({key: before[key] for key in dict.fromkeys(changed) if key in before}),
                after=_told({key: after[key] for key in dict.fromkeys(changed) if key in after}),
                origin=origin_json(caller.origin),
            )
        )


def _told(rules: dict[str, EditedRule]) -> str:
    return msgspec.json.encode({key: [*rule.inputs, *rule.outputs] for key, rule in rules.items()}).decode()


def _findings(file: str, content: bytes, files: Mapping[str, bytes]) -> tuple[DecisionModel | None, list[Finding]]:
    """The model of a file among others, None when it has errors, and what its check finds."""
    model, findings = read_dmn(content, file, files)
    if model is None or has_errors(findings):
        return None, findings
    return model, [*findings, *check_tables({file: model})]
