"""Jobs on each database: leases, retries with back-off, incidents, and workers that come too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from noria.adapters.worker.pool import LEASE_MS
from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.instants import MINUTE_MS
from noria.operate.requests import Accepted, Origin
from noria.operate.views import JobView
from noria.operate.workers import BpmnError, LeaseLostError
from tests.house import TENANT, House, eventually

MODEL = """
startEvent start
serviceTask order topic=order retries=3 retryWait=PT1M,PT5M
boundaryEvent refused on=order error=REFUSED
userTask other assignee=lin
endEvent end
start -> order -> end
refused -> other -> end
"""
WORKER = Origin("worker")


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url)
    await opened.deploy(MODEL)
    yield opened
    await opened.down()


async def lock(house: House, worker: str = "w", limit: int = 10) -> list[JobView]:
    return (await house.noria.services.workers.lock(TENANT, worker, ["order"], limit, LEASE_MS)).items


async def complete(house: House, job: JobView, **variables: object) -> None:
    await house.noria.services.workers.complete(TENANT, job.id, job.lease_token, variables, "w", WORKER)


async def fail(house: House, job: JobView, **given: int) -> None:
    await house.noria.services.workers.fail(TENANT, job.id, job.lease_token, "no answer", "w", WORKER, **given)


async def test_a_worker_gets_what_it_needs_and_its_result_goes_on(house: House) -> None:
    iid = await house.start(amount=7)
    [job] = await lock(house)
    assert (job.topic, job.instance_id, job.variables, job.retries) == ("order", str(iid), {"amount": 7}, 3)
    await complete(house, job, number="PO-1")
    state = await house.state(iid)
    assert state.status.name == "COMPLETED"
    assert state.scopes[0].variables["number"] == "PO-1"


async def test_a_result_handed_in_twice_counts_once(house: House) -> None:
    iid = await house.start()
    [job] = await lock(house)
    await complete(house, job)
    await complete(house, job)
    assert len(await house.events(iid, e.JobCompleted)) == 1


async def test_a_worker_that_comes_too_late_is_refused_and_the_new_one_is_not_disturbed(house: House) -> None:
    iid = await house.start()
    [stale] = await lock(house, "slow")
    house.clock.instant += LEASE_MS
    [fresh] = await lock(house, "quick")
    assert fresh.id == stale.id
    with pytest.raises(LeaseLostError):
        await complete(house, stale, by="slow")
    with pytest.raises(LeaseLostError):
        await fail(house, stale)
    await complete(house, fresh, by="quick")
    with pytest.raises(LeaseLostError):
        await complete(house, stale, by="slow")
    assert (await house.state(iid)).scopes[0].variables["by"] == "quick"


async def test_an_extended_lease_keeps_the_job(house: House) -> None:
    await house.start()
    [job] = await lock(house)
    house.clock.instant += LEASE_MS - 1
    await house.noria.services.workers.extend(job.id, job.lease_token, LEASE_MS)
    house.clock.instant += LEASE_MS - 1
    assert await lock(house, "other") == []
    await complete(house, job)


async def test_a_lost_lease_cannot_be_extended(house: House) -> None:
    await house.start()
    [stale] = await lock(house)
    house.clock.instant += LEASE_MS
    await lock(house, "other")
    with pytest.raises(LeaseLostError):
        await house.noria.services.workers.extend(stale.id, stale.lease_token, LEASE_MS)


async def test_a_lease_outlives_a_restart_of_the_server(house: House) -> None:
    iid = await house.start()
    [job] = await lock(house)
    await house.down()
    await house.up()
    assert await lock(house, "other") == []
    await complete(house, job)
    assert (await house.state(iid)).status.name == "COMPLETED"


async def test_a_failed_job_is_tried_again_after_the_waits_of_the_model(house: House) -> None:
    iid = await house.start()
    for wait_ms in (MINUTE_MS, 5 * MINUTE_MS):
        [job] = await lock(house)
        await fail(house, job)
        house.clock.instant += wait_ms - 1
        assert await lock(house) == []
        house.clock.instant += 1
    assert [event.retries for event in await house.events(iid, e.JobFailed)] == [2, 1]


async def test_used_up_tries_raise_one_incident_and_a_retry_goes_on(house: House) -> None:
    iid = await house.start()
    for _ in range(3):
        [job] = await lock(house)
        await fail(house, job)
        house.clock.instant += 10 * MINUTE_MS
    assert await lock(house) == []
    assert (await house.store.load([iid]))[iid].incidents == 1
    [(incident, value)] = (await house.state(iid)).incidents.items()
    assert (value.code, value.message) == ("job.failed", "no answer")
    assert isinstance(await house.submit(c.RetryIncident(incident, "he"), iid), Accepted)
    [job] = await lock(house)
    await complete(house, job)
    row = (await house.store.load([iid]))[iid]
    assert (row.status, row.incidents) == (1, 0)


async def test_a_worker_may_say_itself_how_often_and_when_to_try_again(house: House) -> None:
    await house.start()
    [job] = await lock(house)
    await fail(house, job, retries=9, retry_in_ms=500)
    house.clock.instant += 500
    assert [job.retries for job in await lock(house)] == [9]


async def test_a_business_error_is_caught_by_the_model(house: House) -> None:
    iid = await house.start()
    [job] = await lock(house)
    workers = house.noria.services.workers
    await workers.throw_error(TENANT, job.id, job.lease_token, "REFUSED", "closed", {}, "w", WORKER)
    assert await house.places(iid) == ["other"]


# Workers in the server's own process


async def run_with(database_url: str, handler, count: int = 1) -> House:
    house = await House.open(database_url, handlers={"order": handler})
    await house.deploy(MODEL)
    for _ in range(count):
        await house.start()
    return house


async def test_the_servers_own_worker_does_every_job_once(database_url: str) -> None:
    done: list[str] = []

    async def order(job: JobView) -> Mapping[str, object]:
        done.append(job.instance_id)
        return {}

    house = await run_with(database_url, order, 50)

    async def all_ended() -> bool:
        return len(done) == 50 and not await lock(house)

    await eventually(all_ended)
    await house.down()
    assert len(set(done)) == 50


@pytest.mark.parametrize("result", [None, 5, {"when": object()}])
async def test_a_handler_that_gives_no_usable_result_harms_only_its_own_job(database_url: str, result: object) -> None:
    async def order(job: JobView) -> Mapping[str, object]:
        return {} if job.variables.get("good") else result  # type: ignore[return-value]

    house = await run_with(database_url, order)
    good = await house.start(good=True)
    await house.ends(good)
    await house.down()


async def test_a_handler_that_raises_uses_up_its_tries_and_raises_an_incident(database_url: str) -> None:
    async def order(job: JobView) -> Mapping[str, object]:
        raise RuntimeError("the shop does not answer")

    house = await run_with(database_url, order, 0)
    iid = await house.start()

    async def stands_still() -> bool:
        house.clock.instant += MINUTE_MS
        return bool((await house.state(iid)).incidents)

    await eventually(stands_still)
    messages = [event.message for event in await house.events(iid, e.JobFailed)]
    await house.down()
    assert messages == ["RuntimeError: the shop does not answer"] * 3


async def test_a_handler_that_takes_long_keeps_its_lease(database_url: str) -> None:
    tries: list[str] = []
    free = asyncio.Event()

    async def order(job: JobView) -> Mapping[str, object]:
        tries.append(job.lease_token)
        await free.wait()
        return {}

    house = await run_with(database_url, order, 0)
    iid = await house.start()

    async def begun() -> bool:
        return bool(tries)

    await eventually(begun)
    for _ in range(10):
        # A third of a lease at a time, as the heart beats; after each the lease must reach further.
        house.clock.instant += LEASE_MS // 3

        async def extended() -> bool:
            async with house.noria.database.reading() as db:
                until = (await db.exec_driver_sql("SELECT lease_until FROM job")).scalar_one()
            # A beat may have come just before the clock was moved; the next one is then a beat away.
            return until >= house.clock.instant + LEASE_MS // 3

        await eventually(extended)
    free.set()
    await house.ends(iid)
    await house.down()
    assert len(tries) == 1


async def test_a_business_error_of_a_handler_is_no_failed_try(database_url: str) -> None:
    async def order(job: JobView) -> Mapping[str, object]:
        raise BpmnError("REFUSED", "closed")

    house = await run_with(database_url, order, 0)
    iid = await house.start()
    await house.comes_to(iid, "other")
    failed = await house.events(iid, e.JobFailed)
    await house.down()
    assert failed == []
