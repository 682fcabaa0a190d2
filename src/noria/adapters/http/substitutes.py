"""Substitutes."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import get, post

from noria.adapters.http.services import Services
from noria.operate.office import Caller
from noria.operate.substitutes import SubstitutionOrder, SubstitutionView
from noria.operate.views import Page


class Ending(msgspec.Struct):
    """What becomes of tasks that were opened, or claimed by the substitute, meanwhile."""

    in_flight: Literal["stay", "return"] = "return"


@get("/substitutions", operation_id="listSubstitutions", tags=["people"])
async def list_substitutions(caller: Caller, services: Services, everybody: bool = False) -> Page[SubstitutionView]:
    """The caller's substitutes, and for whom the caller is one; or those of everybody."""
    return await services.substitutes.find(caller, everybody=everybody)


@post("/substitutions", operation_id="addSubstitution", tags=["people"], status_code=201)
async def add_substitution(data: SubstitutionOrder, caller: Caller, services: Services) -> SubstitutionView:
    """Name a substitute, for the caller or as an administrator for somebody else."""
    return await services.substitutes.add(caller, data)


@post("/substitutions/{substitution_id:str}/end", operation_id="endSubstitution", tags=["people"], status_code=200)
async def end_substitution(substitution_id: str, data: Ending, caller: Caller, services: Services) -> SubstitutionView:
    """Take a substitute back before the time."""
    return await services.substitutes.end(caller, substitution_id, data.in_flight)


HANDLERS = [list_substitutions, add_substitution, end_substitution]
