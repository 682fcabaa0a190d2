"""For programs: external workers, messages, signals, and several commands at once."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Annotated

import msgspec
from litestar import Request, post
from litestar.datastructures import State

from noria.adapters.http.ids import request_id_of
from noria.adapters.http.problems import Problem, problem_of
from noria.adapters.http.services import Services
from noria.kernel.errors import NoriaError
from noria.kernel.numbers import whole_number
from noria.operate.office import Caller
from noria.operate.together import OnInstance, OnTask, Order, Start
from noria.operate.views import InstanceBrief, JobList, MessageAnswer
from noria.operate.wishes import Wish
from noria.trust.policy import Permission

POLL_MS = 200
WAIT_MS_MAX = 30_000
COMMANDS_MAX = 500


class Topic(msgspec.Struct):
    """A topic to work on."""

    topic: str


class FetchOrder(msgspec.Struct):
    """Which jobs a worker wants, and for how long; `wait_ms` waits for one to come up."""

    worker: str
    topics: Annotated[list[Topic], msgspec.Meta(min_length=1, max_length=100)]
    limit: int = 10
    lease_ms: int = 60_000
    wait_ms: int = 0


class JobResult(msgspec.Struct):
    """A job's result."""

    lease_token: str
    variables: dict[str, object] = {}


class JobFailure(msgspec.Struct):
    """Why a try failed; -1 leaves retries and wait to the model."""

    lease_token: str
    message: str
    retries: int = -1
    retry_in_ms: int = -1


class JobError(msgspec.Struct):
    """A business error that the model catches by its code."""

    lease_token: str
    code: str
    message: str = ""
    variables: dict[str, object] = {}


class LeaseOrder(msgspec.Struct):
    """How long a job is kept from now on."""

    lease_token: str
    lease_ms: int


class MessageOrder(msgspec.Struct):
    """A message: who awaits this name with this key gets the variables. The id makes a repetition harmless."""

    name: str
    correlation_key: str = ""
    variables: dict[str, object] = {}
    ttl_ms: int = 0
    message_id: str = ""


class SignalOrder(msgspec.Struct):
    """A signal for everybody who waits for its name now."""

    name: str
    variables: dict[str, object] = {}
    signal_id: str = ""


class ConditionOrder(msgspec.Struct):
    """Facts for the conditional start events of all processes. The id makes a repetition harmless."""

    variables: dict[str, object]
    id: str = ""


@post("/jobs/fetch-and-lock", operation_id="fetchAndLockJobs", tags=["jobs"], status_code=200)
async def fetch_and_lock(data: FetchOrder, caller: Caller, services: Services) -> JobList:
    """Lease jobs."""
    clock = services.office.clock
    until_ms = clock.now_ms() + max(0, min(data.wait_ms, WAIT_MS_MAX))
    topics = [topic.topic for topic in data.topics]
    while True:
        jobs = await services.workers.fetch_and_lock(caller, data.worker, topics, data.limit, data.lease_ms)
        if jobs.items or clock.now_ms() >= until_ms:
            return jobs
        await asyncio.sleep(POLL_MS / 1000)


@post("/jobs/{job_id:str}/complete", operation_id="completeJob", tags=["jobs"], status_code=204)
async def complete_job(job_id: str, data: JobResult, caller: Caller, services: Services) -> None:
    """Hand in a result."""
    await services.office.require(caller, Permission.JOBS, "job", job_id)
    await services.workers.complete(
        caller.principal.tenant, job_id, data.lease_token, data.variables, caller.principal.id, caller.origin
    )


@post("/jobs/{job_id:str}/fail", operation_id="failJob", tags=["jobs"], status_code=204)
async def fail_job(job_id: str, data: JobFailure, caller: Caller, services: Services) -> None:
    """Report a failed try."""
    await services.office.require(caller, Permission.JOBS, "job", job_id)
    await services.workers.fail(
        caller.principal.tenant,
        job_id,
        data.lease_token,
        data.message,
        caller.principal.id,
        caller.origin,
        data.retries,
        data.retry_in_ms,
    )


@post("/jobs/{job_id:str}/throw-error", operation_id="throwJobError", tags=["jobs"], status_code=204)
async def throw_error(job_id: str, data: JobError, caller: Caller, services: Services) -> None:
    """Report a business error."""
    await services.office.require(caller, Permission.JOBS, "job", job_id)
    await services.workers.throw_error(
        caller.principal.tenant,
        job_id,
        data.lease_token,
        data.code,
        data.message,
        data.variables,
        caller.principal.id,
        caller.origin,
    )


@post("/jobs/{job_id:str}/extend-lease", operation_id="extendJobLease", tags=["jobs"], status_code=204)
async def extend_lease(job_id: str, data: LeaseOrder, caller: Caller, services: Services) -> None:
    """Keep a job for longer (heartbeat)."""
    await services.office.require(caller, Permission.JOBS, "job", job_id)
    await services.workers.extend(job_id, data.lease_token, data.lease_ms)


@post("/messages", operation_id="publishMessage", tags=["messages"], status_code=202)
async def publish(data: MessageOrder, caller: Caller, services: Services) -> MessageAnswer:
    """Publish a message."""
    return await services.workers.publish(
        caller, data.name, data.correlation_key, data.variables, data.ttl_ms, data.message_id or token_hex(16)
    )


@post("/signals", operation_id="broadcastSignal", tags=["messages"], status_code=202)
async def broadcast(data: SignalOrder, caller: Caller, services: Services) -> None:
    """Broadcast a signal."""
    await services.workers.broadcast(caller, data.name, data.variables, data.signal_id or token_hex(16))


@post("/conditions", operation_id="evaluateConditions", tags=["messages"], status_code=202)
async def evaluate(data: ConditionOrder, caller: Caller, services: Services) -> None:
    """Start every process whose conditional start event holds for these variables."""
    await services.workers.evaluate(caller, data.variables, data.id or token_hex(16))


# Several commands at once


class _Keyed(msgspec.Struct, tag_field="type"):
    key: str = ""


class BatchStart(_Keyed, tag="start_instance", kw_only=True):
    """Start a process."""

    process: str
    variables: dict[str, object] = {}
    business_key: str = ""


class BatchComplete(_Keyed, tag="complete_task", kw_only=True):
    """Finish a task."""

    task: str
    variables: dict[str, object] = {}
    comment: str = ""
    version: int = 0


class BatchReturn(_Keyed, tag="return_task", kw_only=True):
    """Send a request back."""

    task: str
    to: str
    reason: str
    version: int = 0


class BatchTransfer(_Keyed, tag="transfer_task", kw_only=True):
    """Hand a task over."""

    task: str
    to: str
    reason: str = ""
    version: int = 0


class BatchWithdraw(_Keyed, tag="withdraw_instance", kw_only=True):
    """Take a request back."""

    instance: str
    reason: str = ""


BatchCommand = BatchStart | BatchComplete | BatchReturn | BatchTransfer | BatchWithdraw


class Batch(msgspec.Struct):
    """Commands that are run one beside the other; one that fails does not touch the others."""

    commands: Annotated[list[BatchCommand], msgspec.Meta(min_length=1, max_length=COMMANDS_MAX)]


class BatchResult(msgspec.Struct, omit_defaults=True):
    """What became of one command."""

    ok: bool
    instance: InstanceBrief | None = None
    problem: Problem | None = None


class BatchAnswer(msgspec.Struct):
    """One result per command, in their order."""

    results: list[BatchResult]


def _order(caller: Caller, command: BatchCommand) -> Order:
    if caller.key or command.key:
        caller = msgspec.structs.replace(caller, key=command.key)
    if isinstance(command, BatchComplete):
        wish = Wish(verb="complete", variables=command.variables, reason=command.comment, version=command.version)
        return OnTask(caller, command.task, wish)
    if isinstance(command, BatchStart):
        return Start(caller, command.process, command.variables, command.business_key)
    if isinstance(command, BatchReturn):
        wish = Wish(verb="return", to=command.to, reason=command.reason, version=command.version)
        return OnTask(caller, command.task, wish)
    if isinstance(command, BatchTransfer):
        wish = Wish(verb="transfer", to=command.to, reason=command.reason, version=command.version)
        return OnTask(caller, command.task, wish)
    return OnInstance(caller, whole_number(command.instance) or 0, Wish(verb="withdraw", reason=command.reason))


@post("/commands", operation_id="runCommands", tags=["commands"], status_code=200)
async def run_commands(
    request: Request[object, object, State], data: Batch, caller: Caller, services: Services
) -> BatchAnswer:
    """Run several commands at once; they share group commits."""
    path, number = request.url.path, request_id_of(request)
    outcomes = await services.together.run([_order(caller, command) for command in data.commands])
    return BatchAnswer(
        [
            BatchResult(False, problem=problem_of(outcome, path, number))
            if isinstance(outcome, NoriaError)
            else BatchResult(True, outcome)
            for outcome in outcomes
        ]
    )


HANDLERS = [
    fetch_and_lock,
    complete_job,
    fail_job,
    throw_error,
    extend_lease,
    publish,
    broadcast,
    evaluate,
    run_commands,
]
