"""Drafts and phrases."""

from __future__ import annotations

import msgspec
from litestar import delete, get, put

from noria.adapters.http.services import Services
from noria.operate.desk import DraftView, Phrases
from noria.operate.office import Caller


class DraftOrder(msgspec.Struct):
    """What is in a form that is not sent yet."""

    data: dict[str, object]


class PhraseOrder(msgspec.Struct):
    """Phrases in their order."""

    texts: list[str]


@get("/drafts/{what:str}", operation_id="getDraft", tags=["drafts"])
async def get_draft(what: str, caller: Caller, services: Services) -> DraftView:
    """What the caller has kept for an open task (its id), or for starting a process (`start.` and its key)."""
    return await services.desk.draft(caller, what)


@put("/drafts/{what:str}", operation_id="putDraft", tags=["drafts"])
async def put_draft(what: str, data: DraftOrder, caller: Caller, services: Services) -> DraftView:
    """Keep a form that is not sent yet; it may be incomplete."""
    return await services.desk.put_draft(caller, what, data.data)


@delete("/drafts/{what:str}", operation_id="dropDraft", tags=["drafts"], status_code=204)
async def drop_draft(what: str, caller: Caller, services: Services) -> None:
    """Forget what the caller has kept."""
    await services.desk.drop_draft(caller, what)


@get("/phrases", operation_id="listPhrases", tags=["phrases"])
async def list_phrases(caller: Caller, services: Services) -> Phrases:
    """The caller's phrases, and everybody's."""
    return await services.desk.phrases(caller)


@put("/phrases", operation_id="putPhrases", tags=["phrases"])
async def put_phrases(data: PhraseOrder, caller: Caller, services: Services) -> Phrases:
    """Keep the caller's phrases in place of those before."""
    return await services.desk.put_phrases(caller, data.texts)


@put("/admin/phrases", operation_id="putSharedPhrases", tags=["phrases"])
async def put_shared(data: PhraseOrder, caller: Caller, services: Services) -> Phrases:
    """Keep everybody's phrases in place of those before."""
    return await services.desk.put_shared(caller, data.texts)


HANDLERS = [get_draft, put_draft, drop_draft, list_phrases, put_phrases, put_shared]
