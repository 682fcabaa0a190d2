"""Forms: their owners design them, and publish them to the processes that show them."""

from __future__ import annotations

import msgspec
from litestar import get, post

from noria.adapters.http.services import Services
from noria.design.findings import Finding
from noria.operate.form_views import DesignedForm, FormBrief, FormDraft, FormPublished
from noria.operate.office import Caller
from noria.operate.views import Page


class FormCheck(msgspec.Struct):
    """An edited form to be checked."""

    schema: dict[str, object]


@get("/forms", operation_id="listForms", tags=["forms"])
async def list_forms(caller: Caller, services: Services) -> Page[FormBrief]:
    """The forms that are deployed, and the processes that show them."""
    return await services.forms.list_all(caller)


@get("/forms/{form:str}", operation_id="getForm", tags=["forms"])
async def get_form(form: str, caller: Caller, services: Services) -> DesignedForm:
    """A form as it is in force, with what its check finds."""
    return await services.forms.one(caller, form)


@post("/forms/{form:str}/check", operation_id="checkForm", tags=["forms"], status_code=200)
async def check_form(form: str, data: FormCheck, caller: Caller, services: Services) -> list[Finding]:
    """What the check finds in an edited form, by itself and in the processes that show it; nothing is written."""
    return await services.forms.check(caller, form, data.schema)


@post("/forms/{form:str}", operation_id="publishForm", tags=["forms"], status_code=201)
async def publish_form(form: str, data: FormDraft, caller: Caller, services: Services) -> FormPublished:
    """Put an edited or new form into force: a new version of each process that shows it."""
    made = await services.forms.publish(caller, form, data)
    keys = [process.key for process in made.processes]
    services.live.deployed(caller.principal.tenant, keys, services.office.clock.now_ms())
    return made


HANDLERS = [list_forms, get_form, check_form, publish_form]
