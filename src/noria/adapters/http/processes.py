"""Processes, deployments, decisions and the live board."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State

from noria.adapters.http.bodies import uploaded
from noria.adapters.http.services import Services
from noria.adapters.http.tasks import Limit, Offset
from noria.design.bpmn.vocabulary import moddle
from noria.monitor.board import Board
from noria.monitor.watching import BoardRange, BoardTime
from noria.operate.office import Caller
from noria.operate.views import (
    DecisionAnswer,
    DeploymentView,
    Page,
    PlainModel,
    ProcessDetail,
    ProcessView,
    StartForm,
    Timeline,
    VersionView,
)


class DecisionInput(msgspec.Struct):
    """Input data by name, and whether to say why the decision came out as it did."""

    variables: dict[str, object] = {}
    explain: bool = False


@get("/processes", operation_id="listProcesses", tags=["processes"])
async def list_processes(
    caller: Caller, services: Services, limit: Limit = 50, offset: Offset = 0
) -> Page[ProcessView]:
    """Processes that the caller may start or read."""
    return await services.models.processes(caller, limit, offset)


@get("/processes/{key:str}", operation_id="getProcess", tags=["processes"])
async def get_process(key: str, caller: Caller, services: Services, version: int | None = None) -> ProcessDetail:
    """One process."""
    return await services.models.process(caller, key, version)


@get("/processes/{key:str}/versions", operation_id="listVersions", tags=["processes"])
async def list_versions(key: str, caller: Caller, services: Services) -> Page[VersionView]:
    """All versions, newest first."""
    return await services.models.versions(caller, key)


@get("/processes/{key:str}/xml", operation_id="getXml", tags=["processes"], media_type="application/xml")
async def get_xml(key: str, caller: Caller, services: Services, version: int | None = None) -> Response[bytes]:
    """The BPMN file of a version as it was deployed."""
    return Response(await services.models.xml(caller, key, version), media_type="application/xml")


@get("/processes/{key:str}/plain", operation_id="getPlain", tags=["processes"])
async def get_plain(key: str, caller: Caller, services: Services, version: int | None = None) -> PlainModel:
    """A version as plain BPMN 2.0 for other tools, with a finding for whatever that costs."""
    return await services.models.plain(caller, key, version)


@get("/bpmn/moddle", operation_id="getModdle", tags=["processes"])
async def get_moddle() -> dict[str, Any]:
    """Noria's attributes and elements in BPMN, as an extension package of moddle for modellers."""
    return moddle()


@get("/processes/{key:str}/start-form", operation_id="getStartForm", tags=["processes"])
async def get_start_form(key: str, caller: Caller, services: Services) -> StartForm:
    """The form that starts the process."""
    return await services.models.start_form(caller, key)


@get("/processes/{key:str}/board", operation_id="getBoard", tags=["board"])
async def get_board(
    key: str,
    caller: Caller,
    services: Services,
    range: BoardRange = BoardRange.DAYS_30,  # noqa: A002 - the parameter's name on the wire
    time: BoardTime = BoardTime.CLOCK,
) -> Board:
    """The live board."""
    return await services.watching.board(caller, key, range, time)


@get("/processes/{key:str}/feed", operation_id="getFeed", tags=["board"])
async def get_feed(key: str, caller: Caller, services: Services, limit: Limit = 20) -> Timeline:
    """What happened last, newest first."""
    return await services.watching.feed(caller, key, limit)


@post("/deployments", operation_id="deploy", tags=["deployments"], status_code=201)
async def deploy(
    request: Request[object, object, State], caller: Caller, services: Services, dry_run: bool = False
) -> DeploymentView:
    """Check files (multipart, any part names) and put them into force."""
    files = await uploaded(request)
    made = await services.models.deploy(caller, files, dry_run=dry_run)
    if not dry_run:
        keys = [process.key for process in made.processes]
        services.live.deployed(caller.principal.tenant, keys, services.office.clock.now_ms())
    return made


@post("/decisions/{decision:str}/evaluate", operation_id="evaluateDecision", tags=["decisions"], status_code=200)
async def evaluate(decision: str, data: DecisionInput, caller: Caller, services: Services) -> DecisionAnswer:
    """Make a decision without an instance."""
    return await services.models.evaluate(caller, decision, data.variables, explained=data.explain)


HANDLERS = [
    list_processes,
    get_process,
    list_versions,
    get_xml,
    get_plain,
    get_moddle,
    get_start_form,
    get_board,
    get_feed,
    deploy,
    evaluate,
]
