"""What integrators say of the world: stock, weather, states of machines; models see it as ``facts.environment``."""

from __future__ import annotations

import msgspec
from litestar import get, put

from noria.adapters.http.services import Services
from noria.adapters.http.tasks import Limit
from noria.kernel.instants import parse_instant
from noria.operate.office import Caller
from noria.operate.reason_views import ObservationView
from noria.operate.views import Page


class Observed(msgspec.Struct):
    """What is said.

    Attributes:
        value: any JSON value, up to 4 KB.
        valid_from: ISO 8601, "" for now.
        valid_until: ISO 8601, "" for until something else is said.
    """

    value: object
    valid_from: str = ""
    valid_until: str = ""


@get("/facts", operation_id="listFacts", tags=["facts"])
async def list_facts(caller: Caller, services: Services) -> Page[ObservationView]:
    """What holds now."""
    return await services.environment.current(caller)


@get("/facts/{name:str}", operation_id="getFact", tags=["facts"])
async def get_fact(name: str, caller: Caller, services: Services, limit: Limit = 50) -> Page[ObservationView]:
    """What was said under a name, newest first."""
    return await services.environment.history(caller, name, limit)


@put("/facts/{name:str}", operation_id="putFact", tags=["facts"])
async def put_fact(name: str, data: Observed, caller: Caller, services: Services) -> ObservationView:
    """Say something of the world; it is kept as the next version of its name."""
    start = parse_instant(data.valid_from) if data.valid_from else 0
    end = parse_instant(data.valid_until) if data.valid_until else 0
    return await services.environment.observe(caller, name, data.value, start, end)


HANDLERS = [list_facts, get_fact, put_fact]
