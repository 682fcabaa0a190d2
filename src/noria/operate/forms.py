"""Forms for their owners: designed, checked together with the processes that show them, and published."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from itertools import chain, count

from noria.design.findings import Finding, has_errors
from noria.design.forms import Form, read_form
from noria.design.forms.model import Field
from noria.kernel.errors import REASON_REQUIRED, Rejected
from noria.operate.deploying import DefinitionRow
from noria.operate.form_views import DesignedForm, FormBrief, FormDraft, FormPublished, FormUse
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, element_ref, origin_json, process_ref
from noria.operate.redeploying import Change, Redeploying, faulty
from noria.operate.views import Page
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


class Forms:
    """The use cases about forms."""

    def __init__(self, office: Office, redeploying: Redeploying) -> None:
        self._office = office
        self._redeploying = redeploying

    async def list_all(self, caller: Caller) -> Page[FormBrief]:
        """The forms that processes in force show, and those that are deployed for later."""
        await self._office.require(caller, Permission.MODELS_READ, "form")
        tenant = caller.principal.tenant
        known: dict[str, Form] = {}
        for file, content in (await self._office.catalogue.form_files(tenant)).items():
            form, _ = read_form(content, file)
            if form is not None:
                known[form.id] = form
        showing = await self._showing(tenant)
        for key, rows in showing.items():
            shown = (await self._office.catalogue.get(rows[0].id)).forms.get(key)
            if shown is not None:
                known[key] = shown
        found = [
            FormBrief(key, _count(form.fields), [await self._use(row, key) for row in showing.get(key, [])])
            for key, form in sorted(known.items())
        ]
        return Page(found, len(found), len(found), 0)

    async def one(self, caller: Caller, form: str) -> DesignedForm:
        """A form as it is in force, with what its check finds.

        Raises:
            NotFoundError: it is not deployed.
        """
        await self._office.require(caller, Permission.MODELS_READ, "form", form)
        tenant = caller.principal.tenant
        file, content = await self._source(tenant, form)
        read, findings = read_form(content, file)
        rows = (await self._showing(tenant)).get(form, [])
        return DesignedForm(
            id=form,
            file=file,
            base=sha256(content).hexdigest(),
            schema=read.schema if read is not None else json.loads(content),
            uses=[await self._use(row, form) for row in rows],
            findings=findings,
        )

    async def check(self, caller: Caller, form: str, schema: dict[str, object]) -> list[Finding]:
        """What the check finds in an edited form, by itself and in the processes that show it; nothing is written.

        Raises:
            DeniedError: the caller may not publish forms.
            RefusedError: it is not this form, or a process cannot be deployed again by itself.
        """
        await self._office.require(caller, Permission.DEPLOY, "form", form)
        tenant = caller.principal.tenant
        content = _content(form, schema)
        _, findings = read_form(content, f"{form}.form")
        rows = (await self._showing(tenant)).get(form, [])
        if has_errors(findings) or not rows:
            return findings
        file, _ = await self._source(tenant, form)
        change = _with(form, file, content, await self._office.catalogue.form_files(tenant))
        found = await self._redeploying.check(caller, rows, change)
        return [finding for finding in found if finding.severity == "error"]

    async def publish(self, caller: Caller, form: str, draft: FormDraft) -> FormPublished:
        """Put an edited or new form into force: a new version of each process that shows it; cases keep theirs.

        Raises:
            DeniedError: the caller may not publish forms.
            RefusedError: the form has errors, a process cannot be deployed with it, or it was made from an edition that
                is no longer in force; nothing was done.
        """
        office, tenant = self._office, caller.principal.tenant
        await office.require(caller, Permission.DEPLOY, "form", form)
        if not _ID.fullmatch(form):
            code = "form.bad_id"
            text = "A form's id begins with a letter and has letters, digits, dots, dashes and underscores; at most 64."
            raise RefusedError(Rejected(code, text, {"fields": {"id": code}}))
        content = _content(form, draft.schema)
        try:
            file, before = await self._source(tenant, form)
        except NotFoundError:
            file, before = f"{form}.form", b""
        if draft.base != (sha256(before).hexdigest() if before else ""):
            text = f"The form {form!r} has been published anew since, or is there already; load it again."
            raise RefusedError(Rejected("form.stale", text))
        if not draft.note.strip():
            raise RefusedError(REASON_REQUIRED)
        _, findings = read_form(content, file)
        if has_errors(findings):
            raise faulty(findings)
        rows = (await self._showing(tenant)).get(form, [])
        change = _with(form, file, content, await office.catalogue.form_files(tenant))
        processes = await self._redeploying.publish(caller, rows, change)
        await office.trail.record(
            AuditRecord(
                tenant,
                office.clock.now_ms(),
                caller.principal.id,
                "form.published",
                "form",
                form,
                reason=draft.note.strip(),
                before=_told(before),
                after=_told(content),
                origin=origin_json(caller.origin),
            )
        )
        return FormPublished(processes)

    async def _showing(self, tenant: int) -> dict[str, list[DefinitionRow]]:
        """The processes in force by the forms that they show, those deployed last first."""
        found: dict[str, list[DefinitionRow]] = {}
        for row in sorted(self._office.catalogue.newest(tenant), key=lambda row: -row.deployment):
            graph = await self._office.graph(row.id)
            named = {graph.start_form, *(element.human.form for element in graph.elements if element.human)}
            for form in named - {""}:
                found.setdefault(form, []).append(row)
        return found

    async def _use(self, row: DefinitionRow, form: str) -> FormUse:
        graph = await self._office.graph(row.id)
        starts = [graph.elements[0]] if graph.start_form == form else []
        steps = [element for element in graph.elements if element.human and element.human.form == form]
        return FormUse(process_ref(row), [element_ref(element) for element in (*starts, *steps)])

    async def _source(self, tenant: int, form: str) -> tuple[str, bytes]:
        """The file of a form, as the process that was deployed last shows it.

        Raises:
            NotFoundError: it is not deployed.
        """
        catalogue = self._office.catalogue
        for row in (await self._showing(tenant)).get(form, []):
            # With the process or, if not there, before it: the file's name may be another form's by now.
            for files in (
                await catalogue.resources(row.deployment),
                await catalogue.form_files(tenant, before=row.deployment),
            ):
                if (file := _file_of(form, files)) is not None:
                    return file, files[file]
        files = await catalogue.form_files(tenant)
        if (file := _file_of(form, files)) is not None:
            return file, files[file]
        raise NotFoundError(f"There is no form {form!r}.")


def _content(form: str, schema: Mapping[str, object]) -> bytes:
    """A schema as the file that is deployed.

    Raises:
        RefusedError: it is another form's.
    """
    if schema.get("id") != form:
        text = f"The schema says that it is {schema.get('id')!r}, not {form!r}."
        raise RefusedError(Rejected("form.bad_id", text, {"fields": {"id": "form.bad_id"}}))
    return json.dumps(schema, ensure_ascii=False, indent=2).encode() + b"\n"


def _with(form: str, file: str, content: bytes, deployed: Mapping[str, bytes]) -> Change:
    """Replaces the file that holds a form in each deployment, whatever it is called there; adds it where none does.

    Args:
        form: its id.
        file: what its file is called if that name is not another form's.
        content: the new file.
        deployed: the newest form files.
    """

    def change(resources: Mapping[str, bytes]) -> Mapping[str, bytes]:
        there = {**deployed, **resources}
        names = chain([file, f"{form}.form"], (f"{form}-{number}.form" for number in count(2)))
        free = next(name for name in names if name not in there or _id_in(name, there[name]) == form)
        return {_file_of(form, resources) or free: content}

    return change


def _file_of(form: str, files: Mapping[str, bytes]) -> str | None:
    """The file that holds a form; of several that of the last, as for the processes that show it."""
    return next((name for name in reversed([*files]) if _id_in(name, files[name]) == form), None)


def _id_in(name: str, content: bytes) -> str | None:
    """The id of the form that a file holds, None when it holds none."""
    read = read_form(content, name)[0] if name.lower().endswith(".form") else None
    return read.id if read is not None else None


def _count(fields: tuple[Field, ...]) -> int:
    return sum(_count(field.fields) if field.fields else 1 for field in fields)


def _told(content: bytes) -> str:
    """An edition of a form in the audit trail: its digest; the file itself stays with the deployment."""
    return json.dumps({"sha256": sha256(content).hexdigest()}) if content else "{}"
