"""What people and programs are shown of forms that their owners design."""

from __future__ import annotations

import msgspec

from noria.design.findings import Finding
from noria.operate.views import ProcessRef, Ref


class FormUse(msgspec.Struct):
    """A process in force that shows a form; `steps` are the elements where, the process itself for its start."""

    process: ProcessRef
    steps: list[Ref]


class FormBrief(msgspec.Struct):
    """A form that is deployed; `fields` is how many it asks for, those of line items among them."""

    id: str
    fields: int
    uses: list[FormUse]


class DesignedForm(msgspec.Struct, kw_only=True):
    """A form with what its check finds; `base` names this edition of it, `schema` is form-js's own JSON."""

    id: str
    file: str
    base: str
    schema: dict[str, object]
    uses: list[FormUse]
    findings: list[Finding]


class FormDraft(msgspec.Struct):
    """An edited form; `base` names the edition that it was made from ("" for a new one), `note` says why."""

    schema: dict[str, object]
    base: str = ""
    note: str = ""


class FormPublished(msgspec.Struct):
    """What publishing a form made: a new version of each process that shows it."""

    processes: list[ProcessRef]
