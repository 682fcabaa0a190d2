"""One file of what is deployed is changed: each process that needs it gets a version with the new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from noria.design.findings import Finding, has_errors
from noria.kernel.errors import Rejected
from noria.operate.deploying import DefinitionRow
from noria.operate.models import Models
from noria.operate.office import Caller, Office, RefusedError, process_ref
from noria.operate.views import ProcessRef

Change = Callable[[Mapping[str, bytes]], Mapping[str, bytes]]
"""From the files of a deployment to those of them that are new or changed."""


class Redeploying:
    """Deploys processes again, with what they were deployed with but for one file."""

    def __init__(self, office: Office, models: Models) -> None:
        self._office = office
        self._models = models

    async def check(self, caller: Caller, rows: Iterable[DefinitionRow], change: Change) -> list[Finding]:
        """What deploying would find; nothing is written.

        Raises:
            DeniedError: the caller may not deploy.
            RefusedError: see `publish`.
        """
        found: list[Finding] = []
        for files in await self._bundles(caller.principal.tenant, rows, change):
            tried_out = await self._models.put_into_force(caller, files, dry_run=True)
            found += [finding for finding in tried_out.findings if finding not in found]
        return found

    async def publish(self, caller: Caller, rows: Iterable[DefinitionRow], change: Change) -> list[ProcessRef]:
        """Put the change into force: a new version of each process; running cases keep theirs.

        Args:
            caller: who does it.
            rows: the processes in force that need the file; without any the file is deployed alone.
            change: what is new or changed.

        Raises:
            DeniedError: the caller may not deploy.
            RefusedError: a process cannot be deployed with it, or no longer together with what it was deployed with;
                nothing was done.
        """
        bundles = await self._bundles(caller.principal.tenant, rows, change)
        for files in bundles:
            tried_out = await self._models.put_into_force(caller, files, dry_run=True)
            if has_errors(tried_out.findings):
                raise faulty(tried_out.findings)
        made: list[ProcessRef] = []
        for files in bundles:
            deployed = await self._models.put_into_force(caller, files)
            made += [process_ref(row) for row in deployed.definitions]
        return made

    async def _bundles(self, tenant: int, rows: Iterable[DefinitionRow], change: Change) -> list[dict[str, bytes]]:
        """What must be deployed again: each process with what it was deployed with."""
        catalogue = self._office.catalogue
        bundles: list[dict[str, bytes]] = []
        for deployment in dict.fromkeys(row.deployment for row in rows):
            resources = await catalogue.resources(deployment)
            made = [row for row in catalogue.rows(tenant) if row.deployment == deployment]
            current = {row.resource for row in catalogue.newest(tenant) if row.deployment == deployment}
            # A file whose processes have been deployed anew since is not put back.
            old = {row.resource for row in made} - current
            for row in made:
                if row.resource in current and catalogue.find(tenant, row.key) != row:
                    text = f"{row.resource} holds {row.key} too, which has been deployed anew since; deploy it by hand."
                    raise RefusedError(Rejected("deployment.file_shared", text))
            bundles.append(
                {name: data for name, data in resources.items() if name not in old} | dict(change(resources))
            )
        return bundles or [dict(change({}))]


def faulty(findings: list[Finding]) -> RefusedError:
    """The refusal of what has errors."""
    text = "There are errors; nothing was done."
    return RefusedError(Rejected("deployment.refused", text, {"findings": msgspec.to_builtins(findings)}))
