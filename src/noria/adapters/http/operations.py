"""Operators' changes: to one instance, and to all live ones of a process as a batch."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import Parameter

from noria.adapters.http.ids import instance_number
from noria.adapters.http.instances import Reason
from noria.adapters.http.services import Services
from noria.adapters.http.tasks import Limit, Offset
from noria.engine.commands import Move
from noria.operate.office import Caller
from noria.operate.operations import Plan
from noria.operate.views import BatchItemView, BatchView, InstanceBrief, Page, PlanView
from noria.operate.wishes import Wish


class Modification(msgspec.Struct):
    """Where an instance is to be, and why."""

    moves: tuple[Move, ...]
    reason: str = ""


class Correction(msgspec.Struct):
    """What variables are to be, and why."""

    variables: dict[str, object]
    reason: str = ""


class BatchOrder(msgspec.Struct):
    """A plan to be carried out, and why."""

    plan: Plan
    reason: str = ""


@post("/instances/{instance_id:str}/modify", operation_id="modifyInstance", tags=["instances"], status_code=200)
async def modify(instance_id: str, data: Modification, caller: Caller, services: Services) -> InstanceBrief:
    """Put an instance elsewhere in its process, as an operator."""
    wish = Wish(verb="modify", moves=data.moves, reason=data.reason)
    return await services.verbs.on_instance(caller, instance_number(instance_id), wish)


@post("/instances/{instance_id:str}/correct", operation_id="correctInstance", tags=["instances"], status_code=200)
async def correct(instance_id: str, data: Correction, caller: Caller, services: Services) -> InstanceBrief:
    """Correct variables of an instance, as an operator."""
    wish = Wish(verb="correct", variables=data.variables, reason=data.reason)
    return await services.verbs.on_instance(caller, instance_number(instance_id), wish)


@post("/instances/{instance_id:str}/suspend", operation_id="suspendInstance", tags=["instances"], status_code=200)
async def suspend(instance_id: str, data: Reason, caller: Caller, services: Services) -> InstanceBrief:
    """Put an instance to rest, as an operator."""
    return await services.verbs.on_instance(
        caller, instance_number(instance_id), Wish(verb="suspend", reason=data.reason)
    )


@post("/instances/{instance_id:str}/resume", operation_id="resumeInstance", tags=["instances"], status_code=200)
async def resume(instance_id: str, data: Reason, caller: Caller, services: Services) -> InstanceBrief:
    """Have a suspended instance go on, as an operator."""
    return await services.verbs.on_instance(
        caller, instance_number(instance_id), Wish(verb="resume", reason=data.reason)
    )


@post("/batches/plan", operation_id="planBatch", tags=["batches"], status_code=200)
async def plan(data: Plan, caller: Caller, services: Services) -> PlanView:
    """Try a plan on every live instance of a process; nothing is written."""
    return await services.operations.plan(caller, data)


@post("/batches", operation_id="beginBatch", tags=["batches"], status_code=202)
async def begin(data: BatchOrder, caller: Caller, services: Services) -> BatchView:
    """Have a plan carried out in the background."""
    return await services.operations.begin(caller, data.plan, data.reason)


@get("/batches", operation_id="listBatches", tags=["batches"])
async def list_batches(caller: Caller, services: Services, limit: Limit = 50, offset: Offset = 0) -> Page[BatchView]:
    """Batches, newest first."""
    return await services.operations.find(caller, limit, offset)


@get("/batches/{batch_id:str}", operation_id="getBatch", tags=["batches"])
async def get_batch(batch_id: str, caller: Caller, services: Services) -> BatchView:
    """One batch with its progress."""
    return await services.operations.one(caller, batch_id)


@get("/batches/{batch_id:str}/items", operation_id="listBatchItems", tags=["batches"])
async def list_items(
    batch_id: str,
    caller: Caller,
    services: Services,
    outcome: Annotated[str, Parameter(query="state")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[BatchItemView]:
    """The instances of a batch: all, or those that are waiting, done, refused, undone or kept."""
    return await services.operations.items(caller, batch_id, outcome, limit, offset)


@post("/batches/{batch_id:str}/undo", operation_id="undoBatch", tags=["batches"], status_code=202)
async def undo(batch_id: str, data: Reason, caller: Caller, services: Services) -> BatchView:
    """Take a batch back for the instances that have not moved on since."""
    return await services.operations.undo(caller, batch_id, data.reason)


HANDLERS = [modify, correct, suspend, resume, plan, begin, list_batches, get_batch, list_items, undo]
