"""Jobs for workers, messages and signals from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from noria.engine import commands as c
from noria.engine.state import RESERVED_VARIABLES
from noria.kernel.errors import NoriaError
from noria.operate.changes import Posted
from noria.operate.ids import parse_task_id, shard_of_key, task_id
from noria.operate.office import Caller, NotFoundError, Office, iso
from noria.operate.requests import Origin, Request
from noria.operate.rows import LockedJob, OutboxRow
from noria.operate.views import JobList, JobView, MessageAnswer
from noria.trust.policy import Permission

LEASE_MS_MAX = 3_600_000
JOBS_MAX = 1_000
MESSAGE_TTL_MS_MAX = 30 * 86_400_000

JobHandler = Callable[["JobView"], Awaitable[Mapping[str, object]]]
"""Does a job: gives variables; raises `BpmnError` for a business error; any other exception is a failed try."""


class LeaseLostError(NoriaError):
    """The job's lease has gone to another worker, or the job is closed; nothing was done."""

    code = "job.lease_lost"


class BpmnError(NoriaError):
    """A worker's business error, which the model catches by its code."""

    code = "job.bpmn_error"

    def __init__(self, error_code: str, message: str = "", variables: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.variables = dict(variables or {})


class Workers:
    """The use cases of workers and of messages.

    Args:
        office: what the services share.
        accept: takes a message from outside at whoever owns its shard; tells whether it is kept for later.
    """

    def __init__(self, office: Office, accept: Callable[[OutboxRow], Awaitable[bool]]) -> None:
        self._office = office
        self._accept = accept

    async def lock(self, tenant: int, worker: str, topics: Sequence[str], limit: int, lease_ms: int) -> JobList:
        """Lease jobs; a worker that dies lets them go when the lease runs out."""
        office = self._office
        locked = await office.store.lock_jobs(
            tenant,
            worker,
            topics,
            max(1, min(limit, JOBS_MAX)),
            office.clock.now_ms(),
            max(1_000, min(lease_ms, LEASE_MS_MAX)),
        )
        views = [await self._view(job) for job in locked]
        return JobList([view for view in views if view is not None])

    async def fetch_and_lock(
        self, caller: Caller, worker: str, topics: Sequence[str], limit: int, lease_ms: int
    ) -> JobList:
        """Lease jobs, as an external worker.

        Raises:
            DeniedError: the caller may not work on jobs.
        """
        await self._office.require(caller, Permission.JOBS, "job")
        return await self.lock(caller.principal.tenant, worker, topics, limit, lease_ms)

    async def _view(self, job: LockedJob) -> JobView | None:
        held = await self._office.runtime.instance(job.iid)
        if held is None or job.tok not in held.state.tokens:
            return None
        state = held.state
        element = held.definition.graph.elements[state.tokens[job.tok].element]
        variables: dict[str, object] = {}
        if job.tok in state.scopes and element.inputs and not element.keeps:
            variables.update(state.scopes[job.tok].variables)
        else:
            chain = []
            scope = job.tok if job.tok in state.scopes else state.tokens[job.tok].scope
            while scope >= 0:
                chain.append(state.scopes[scope])
                scope = state.scopes[scope].parent
            for item in reversed(chain):
                variables.update(item.variables)
        for name in RESERVED_VARIABLES:
            variables.pop(name, None)
        row = self._office.catalogue.row(held.row.definition)
        return JobView(
            id=task_id(job.iid, job.tok),
            topic=job.topic,
            instance_id=str(job.iid),
            business_key=state.business_key,
            element_id=element.id,
            process={"key": row.key, "version": row.version},
            variables=variables,
            headers=element.job.headers if element.job else {},
            retries=job.retries,
            lease_until=iso(job.lease_until),
            idempotency_key=f"job:{job.iid}:{job.tok}",
            lease_token=job.lease_token,
            priority=job.prio,
        )

    async def _close(
        self, tenant: int, job: str, lease_token: str, actor: str, origin: Origin, make: Callable[[int], c.AnyCommand]
    ) -> None:
        iid, token = _job(job)
        # The key is of the job, not of the try: a repetition after a lost answer is answered, not refused.
        command = make(token)
        key = f"{command.__struct_config__.tag}:{iid}:{token}:{lease_token}"
        if not await self._office.store.leased(iid, token, lease_token):
            if (await self._office.store.answers([key])).get(key):
                return
            raise LeaseLostError(f"Job {job} is not leased by this token any more; another worker may have it.")
        await self._office.run(Request(command, actor, iid=iid, tenant=tenant, key=key, origin=origin))

    async def complete(
        self, tenant: int, job: str, lease_token: str, variables: dict[str, object], actor: str, origin: Origin
    ) -> None:
        """Hand in a job's result.

        Raises:
            LeaseLostError: another worker may have the job now.
            RefusedError: the engine refused the result.
        """
        await self._close(tenant, job, lease_token, actor, origin, lambda token: c.CompleteJob(token, actor, variables))

    async def fail(
        self,
        tenant: int,
        job: str,
        lease_token: str,
        message: str,
        actor: str,
        origin: Origin,
        retries: int = -1,
        retry_in_ms: int = -1,
    ) -> None:
        """Report a failed try."""
        await self._close(
            tenant,
            job,
            lease_token,
            actor,
            origin,
            lambda token: c.FailJob(token, actor, message[:2_000], retries, retry_in_ms),
        )

    async def throw_error(
        self,
        tenant: int,
        job: str,
        lease_token: str,
        code: str,
        message: str,
        variables: dict[str, object],
        actor: str,
        origin: Origin,
    ) -> None:
        """Report a business error that the model catches."""
        await self._close(
            tenant,
            job,
            lease_token,
            actor,
            origin,
            lambda token: c.ThrowJobError(token, actor, code, message[:2_000], variables),
        )

    async def extend(self, job: str, lease_token: str, lease_ms: int) -> None:
        """Keep a job for longer.

        Raises:
            LeaseLostError: another worker may have it now.
        """
        iid, token = _job(job)
        until = self._office.clock.now_ms() + max(1_000, min(lease_ms, LEASE_MS_MAX))
        if not await self._office.store.extend_lease(iid, token, lease_token, until):
            raise LeaseLostError(f"Job {job} is not leased by this token any more; another worker may have it.")

    # Messages and signals

    async def publish(
        self, caller: Caller, name: str, key: str, variables: dict[str, object], ttl_ms: int, message_id: str
    ) -> MessageAnswer:
        """Take a message for delivery; one with an id that was taken before is not delivered again.

        Raises:
            DeniedError: the caller may not publish.
        """
        await self._office.require(caller, Permission.MESSAGES, "message", name)
        now_ms = self._office.clock.now_ms()
        ttl_ms = max(0, min(ttl_ms, MESSAGE_TTL_MS_MAX))
        kept = await self._post(caller, "message", name, key, variables, message_id, now_ms + ttl_ms)
        if await self._office.store.answers([f"message:{_own_id(caller, message_id)}"]):
            return MessageAnswer(message_id, "correlated")
        return MessageAnswer(message_id, "waiting" if kept else "expired")

    async def broadcast(self, caller: Caller, name: str, variables: dict[str, object], message_id: str) -> None:
        """Take a signal for delivery to everybody who waits for it now.

        Raises:
            DeniedError: the caller may not publish.
        """
        await self._office.require(caller, Permission.MESSAGES, "signal", name)
        await self._post(caller, "signal", name, "", variables, message_id, 0)

    async def evaluate(self, caller: Caller, variables: dict[str, object], message_id: str) -> None:
        """Start every process whose conditional start event holds for these variables.

        Raises:
            DeniedError: the caller may not publish.
        """
        await self._office.require(caller, Permission.MESSAGES, "condition")
        await self._post(caller, "condition", message_id, "", variables, message_id, 0)

    async def _post(
        self,
        caller: Caller,
        kind: str,
        name: str,
        key: str,
        variables: dict[str, object],
        message_id: str,
        expires: int,
    ) -> bool:
        own_id = _own_id(caller, message_id)
        body = msgspec.msgpack.encode(Posted(0, variables=variables, message_id=own_id))
        # High bit set: numbers from outside never meet those that the journal gives.
        number = 1 << 62 | int.from_bytes(_digest(own_id), "big")
        row = OutboxRow(shard_of_key(key or name), number, caller.principal.tenant, kind, name, key, body, expires)
        if await self._office.store.answers([f"message:{own_id}"]):
            return False
        return await self._accept(row)


def _own_id(caller: Caller, message_id: str) -> str:
    """Two tenants may use the same id without knowing of each other, and none meets the ids that instances give."""
    return f"{caller.principal.tenant}:{message_id}"


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=7).digest()


def _job(job: str) -> tuple[int, int]:
    parsed = parse_task_id(job)
    if parsed is None:
        raise NotFoundError(f"{job!r} is not the id of a job.")
    return parsed
