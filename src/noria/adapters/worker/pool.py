"""Runs job handlers in this process: leases jobs, extends the leases while they run, reports what came of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from noria.kernel.errors import NoriaError
from noria.operate.background import ended
from noria.operate.ports import Clock, StoreUnavailableError
from noria.operate.requests import Committed, Origin
from noria.operate.runtime import Runtime
from noria.operate.views import JobView
from noria.operate.workers import BpmnError, JobHandler, Workers

logger = logging.getLogger(__name__)

LEASE_MS = 30_000
_LOOK_AGAIN_MS = 1_000
_AT_ONCE = 20
ORIGIN = Origin("worker")


class WorkerPool:
    """Works on some topics of one tenant.

    Args:
        workers: the use cases of workers.
        clock: for waiting.
        tenant: whose jobs.
        handlers: topic → handler.
        name: what the journal calls this worker.
    """

    def __init__(
        self, workers: Workers, clock: Clock, tenant: int, handlers: Mapping[str, JobHandler], name: str = "worker"
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._tenant = tenant
        self._handlers = dict(handlers)
        self._name = name
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, runtime: Runtime) -> None:
        """Begin to work, if there is anything that it could do."""
        if not self._handlers:
            return
        runtime.listen(self._committed)
        self._task = asyncio.create_task(self._work(), name="noria-worker")

    async def stop(self) -> None:
        """Stop; jobs at hand come up again when their leases run out."""
        await ended(self._task)

    def _committed(self, _items: list[Committed]) -> None:
        self._wake.set()

    async def _work(self) -> None:
        while True:
            # Before looking, not after: what is committed while it looks must wake it again.
            self._wake.clear()
            try:
                worked = await self.work_once()
            except NoriaError as error:
                logger.warning("The worker pauses: %s", error)
                worked = 0
            except Exception:
                logger.exception("The worker pauses on a defect")
                worked = 0
            if worked:
                continue
            sleeping = asyncio.create_task(self._clock.sleep_until(self._clock.now_ms() + _LOOK_AGAIN_MS))
            waking = asyncio.create_task(self._wake.wait())
            try:
                await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()

    async def work_once(self) -> int:
        """Do what is due now; gives how many jobs."""
        jobs = (await self._workers.lock(self._tenant, self._name, list(self._handlers), _AT_ONCE, LEASE_MS)).items
        await asyncio.gather(*(self._do(job) for job in jobs))
        return len(jobs)

    async def _do(self, job: JobView) -> None:
        beating = asyncio.create_task(self._heartbeat(job))
        try:
            try:
                variables = dict(await self._handlers[job.topic](job))
            except BpmnError as error:
                await self._workers.throw_error(
                    self._tenant,
                    job.id,
                    job.lease_token,
                    error.error_code,
                    error.message,
                    error.variables,
                    self._name,
                    ORIGIN,
                )
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is a failed try, with retries
                logger.warning("Job %s of topic %s failed: %r", job.id, job.topic, error)
                message = f"{type(error).__name__}: {error}"
                await self._workers.fail(self._tenant, job.id, job.lease_token, message, self._name, ORIGIN)
            else:
                await self._workers.complete(self._tenant, job.id, job.lease_token, variables, self._name, ORIGIN)
        except NoriaError as error:
            # The lease went elsewhere or the job was cancelled meanwhile: not ours any more.
            logger.info("Job %s was not taken: %s", job.id, error)
        finally:
            beating.cancel()

    async def _heartbeat(self, job: JobView) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_ms() + LEASE_MS // 3)
            try:
                await self._workers.extend(job.id, job.lease_token, LEASE_MS)
            except StoreUnavailableError as error:
                logger.warning("The lease of job %s could not be extended yet: %s", job.id, error)
