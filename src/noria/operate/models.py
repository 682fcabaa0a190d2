"""Models for people: what is deployed, and deploying."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.design.dmn import explain
from noria.design.exporting import export_plain
from noria.design.feel import to_json
from noria.design.findings import has_errors
from noria.kernel.errors import Rejected
from noria.operate.bundles import read_bundle
from noria.operate.deploying import DefinitionRow, Deployed
from noria.operate.office import (
    Caller,
    NotFoundError,
    Office,
    RefusedError,
    iso,
    origin_json,
    person_or_none,
    process_ref,
)
from noria.operate.views import (
    DecisionAnswer,
    DeploymentView,
    ElementInfo,
    NamedDecision,
    Page,
    PlainModel,
    ProcessDetail,
    ProcessView,
    StartForm,
    VersionView,
)
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission, may_start


class Models:
    """The use cases about models."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def _view(self, caller: Caller, row: DefinitionRow) -> ProcessView:
        office = self._office
        tenant = caller.principal.tenant
        versions = [other for other in office.catalogue.rows(tenant) if other.key == row.key]
        counts = await office.lists.process_counts(tenant, [version.id for version in versions], office.clock.now_ms())
        graph = await office.graph(row.id)
        organisation = await office.people.organisation(tenant)
        starts = [graph.elements[index] for index in graph.elements[0].starts]
        plain = any(not (start.instantiates and start.triggers) for start in starts)
        return ProcessView(
            key=row.key,
            name=row.name,
            version=row.version,
            versions=len(versions),
            startable=plain and may_start(caller.principal, graph.starter_groups).allowed,
            has_start_form=bool(graph.start_form),
            open_instances=counts.open_instances,
            open_tasks=counts.open_tasks,
            overdue_tasks=counts.overdue_tasks,
            incidents=counts.incidents,
            deployed_at=iso(row.at),
            deployed_by=person_or_none(organisation, row.by),
            documentation=graph.elements[0].documentation,
        )

    async def processes(self, caller: Caller, limit: int = 50, offset: int = 0) -> Page[ProcessView]:
        """The processes that the caller may start or read, newest version of each."""
        views = [await self._view(caller, row) for row in self._office.catalogue.newest(caller.principal.tenant)]
        if Permission.MODELS_READ not in caller.principal.permissions:
            views = [view for view in views if view.startable]
        views.sort(key=lambda view: view.name)
        return Page(views[offset : offset + limit], len(views), limit, offset)

    async def _readable(self, caller: Caller, key: str, version: int | None) -> DefinitionRow:
        """A version that the caller may read: with the permission, or because they may start it.

        Raises:
            NotFoundError: there is none.
            DeniedError: the caller may neither read nor start it.
        """
        row = self._office.catalogue.find(caller.principal.tenant, key, version)
        if row is None:
            raise NotFoundError(f"There is no process {key!r}" + (f" of version {version}." if version else "."))
        if Permission.MODELS_READ not in caller.principal.permissions:
            verdict = may_start(caller.principal, (await self._office.graph(row.id)).starter_groups)
            if not verdict.allowed:
                raise await self._office.deny(caller, "models.read", "process", key, verdict)
        return row

    async def process(self, caller: Caller, key: str, version: int | None = None) -> ProcessDetail:
        """One process with its elements and what its check finds."""
        row = await self._readable(caller, key, version)
        graph = await self._office.graph(row.id)
        view = await self._view(caller, row)
        bundle = read_bundle({row.resource: await self._office.catalogue.xml(row.id)})
        # What it refers to was deployed beside it; only the file's own findings are shown.
        findings = [finding for finding in bundle.findings if not finding.code.endswith(".unknown")]
        return ProcessDetail(
            **{name: getattr(view, name) for name in view.__struct_fields__},
            elements=[
                ElementInfo(element.id, element.name, element.kind.name.lower()) for element in graph.elements[1:]
            ],
            findings=findings,
        )

    async def versions(self, caller: Caller, key: str) -> Page[VersionView]:
        """All versions of a process, newest first."""
        await self._readable(caller, key, None)
        tenant = caller.principal.tenant
        organisation = await self._office.people.organisation(tenant)
        counts = await self._office.lists.open_per_definition(tenant)
        rows = [row for row in self._office.catalogue.rows(tenant) if row.key == key]
        views = [
            VersionView(row.version, iso(row.at), person_or_none(organisation, row.by), counts.get(row.id, 0))
            for row in reversed(rows)
        ]
        return Page(views, len(views), len(views), 0)

    async def xml(self, caller: Caller, key: str, version: int | None) -> bytes:
        """The BPMN file of a version."""
        row = await self._readable(caller, key, version)
        return await self._office.catalogue.xml(row.id)

    async def plain(self, caller: Caller, key: str, version: int | None) -> PlainModel:
        """A version without any namespace but BPMN's own, for other tools."""
        row = await self._readable(caller, key, version)
        plain = export_plain(await self._office.catalogue.xml(row.id), row.resource)
        if plain.document is None:
            # What was deployed could be read then; only a later version of the reader could find fault with it.
            findings = msgspec.to_builtins(plain.findings)
            raise RefusedError(
                Rejected("export.unreadable", "The file cannot be read any more.", {"findings": findings})
            )
        return PlainModel(plain.document.decode(), plain.findings)

    async def start_form(self, caller: Caller, key: str) -> StartForm:
        """The form that starts a process."""
        row = await self._readable(caller, key, None)
        definition = await self._office.catalogue.get(row.id)
        form = definition.forms.get(definition.graph.start_form)
        return StartForm(form.schema if form is not None else None)

    async def deploy(self, caller: Caller, files: Mapping[str, bytes], *, dry_run: bool) -> DeploymentView:
        """Check files and put them into force.

        Raises:
            DeniedError: the caller may not deploy.
            RefusedError: a finding is an error (``deployment.refused``).
        """
        deployed = await self.put_into_force(caller, files, dry_run=dry_run)
        if not dry_run and has_errors(deployed.findings):
            findings = msgspec.to_builtins(deployed.findings)
            raise RefusedError(
                Rejected("deployment.refused", "The files have errors; nothing was deployed.", {"findings": findings})
            )
        return DeploymentView(
            str(deployed.id),
            iso(deployed.at),
            [process_ref(row) for row in deployed.definitions],
            [NamedDecision(decision.id, decision.name) for decision in deployed.decisions],
            deployed.forms,
            deployed.findings,
        )

    async def put_into_force(self, caller: Caller, files: Mapping[str, bytes], *, dry_run: bool = False) -> Deployed:
        """Check files and, unless one finding is an error or it is a dry run, put them into force, on record.

        Raises:
            DeniedError: the caller may not deploy.
        """
        office = self._office
        await office.require(caller, Permission.DEPLOY, "deployment")
        tenant, now_ms = caller.principal.tenant, office.clock.now_ms()
        deployed = await office.catalogue.deploy(
            tenant, caller.principal.id, files, now_ms, office.facts(tenant), dry_run=dry_run
        )
        if not dry_run:
            await self._record(caller, deployed, now_ms)
        return deployed

    async def _record(self, caller: Caller, deployed: Deployed, now_ms: int) -> None:
        before = {
            row.key: newest.version - 1
            for row in deployed.definitions
            if (newest := self._office.catalogue.find(caller.principal.tenant, row.key)) and deployed.id
        }
        after = {row.key: row.version for row in deployed.definitions} if deployed.id else {}
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                now_ms,
                caller.principal.id,
                "models.deployed",
                "deployment",
                str(deployed.id or ""),
                "refused" if has_errors(deployed.findings) else "ok",
                "; ".join(str(item) for item in deployed.findings if item.severity == "error")[:1000],
                msgspec.json.encode(before).decode(),
                msgspec.json.encode(after).decode(),
                origin_json(caller.origin),
            )
        )

    async def evaluate(
        self, caller: Caller, decision: str, variables: dict[str, object], *, explained: bool = False
    ) -> DecisionAnswer:
        """Make a decision without an instance, and say why if that is asked for.

        Raises:
            NotFoundError: it is not deployed.
        """
        await self._office.require(caller, Permission.MODELS_READ, "decision", decision)
        found = await self._office.catalogue.decision(caller.principal.tenant, decision)
        if found is None:
            raise NotFoundError(f"There is no decision {decision!r}.")
        tenant = caller.principal.tenant
        # So that the facts have people who are in force now.
        await self._office.people.organisation(tenant)
        context = self._office.facts(tenant).context(self._office.clock.now_ms())
        explanation = None
        if explained:
            result, explanation = explain(found, variables, context)
        else:
            result = found.evaluate(variables, context)
        matched: list[dict[str, object]] = [
            {"decision": hit.table_id, "rule": hit.rule_id, "row": hit.rule_index + 1} for hit in result.matched
        ]
        notes = [note.message for note in context.diagnostics]
        return DecisionAnswer(to_json(result.value), matched, notes, explanation)
