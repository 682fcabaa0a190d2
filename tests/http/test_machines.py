"""Programs: external workers by fetch-and-lock, messages and signals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from noria.kernel.instants import MINUTE_MS
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SignIn = Callable[[str], Awaitable[Client]]

SHIPPING = draw(
    [
        "startEvent start",
        "serviceTask pack topic=pack retries=2 retryWait=PT1M",
        "boundaryEvent broken on=pack error=BROKEN",
        'userTask look assignee="= starter.id"',
        "receiveTask picked message=Picked",
        "endEvent end",
        "start -> pack -> picked -> end",
        "broken -> look -> end",
    ],
    "shipping",
)
ORDERED = draw(
    ["startEvent start message=Ordered", 'userTask look assignee="= customer"', "endEvent end", "start -> look -> end"],
    "ordered",
)


async def deploy(house: House, name: str, content: bytes) -> None:
    he = await house.sign_in("he")
    answer = await he.send("POST", "/deployments", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text


async def started(house: House, lin: Client) -> dict:
    await deploy(house, "shipping.bpmn", SHIPPING)
    answer = await lin.post("/instances", {"process": "shipping", "variables": {"box": 7}, "business_key": "S-1"})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def fetch(robot: Client, **order: object) -> list[dict]:
    body = {"worker": "w1", "topics": [{"topic": "pack"}], **order}
    return (await robot.post("/jobs/fetch-and-lock", body)).json()["items"]


async def test_the_job_of_higher_priority_is_fetched_first(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    by_urgency = SHIPPING.replace(b'noria:topic="pack"', b'noria:topic="pack" noria:jobPriority="= urgency"')
    await deploy(house, "shipping.bpmn", by_urgency)
    for urgency in (0, 50, 7):
        await lin.post("/instances", {"process": "shipping", "variables": {"urgency": urgency}})
    assert [job["priority"] for job in await fetch(robot, limit=2)] == [50, 7]
    assert [job["priority"] for job in await fetch(robot)] == [0]


async def test_a_worker_sees_the_inputs_alone_unless_outputs_are_all_that_is_passed_on(
    house: House, sign_in: SignIn
) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    lines = ["startEvent start", "serviceTask pack topic=pack", '  input size "= box * 2"', "endEvent end"]
    seen = []
    for more in ("", " passOn=outputs"):
        drawn = [line.replace("topic=pack", f"topic=pack{more}") for line in (*lines, "start -> pack -> end")]
        await deploy(house, "shipping.bpmn", draw(drawn, "shipping"))
        await lin.post("/instances", {"process": "shipping", "variables": {"box": 7}})
        seen += [job["variables"] for job in await fetch(robot)]
    assert seen == [{"size": 14}, {"box": 7, "size": 14}]


async def test_a_worker_fetches_works_and_completes(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    instance = await started(house, lin)
    job = (await fetch(robot))[0]
    assert (job["variables"], job["business_key"], job["retries"]) == ({"box": 7}, "S-1", 2)
    assert await fetch(robot) == [], "a job is leased to one worker at a time"
    done = {"lease_token": job["lease_token"], "variables": {"weight": 12}}
    assert (await robot.post(f"/jobs/{job['id']}/complete", done)).status_code == 204
    assert (await robot.post(f"/jobs/{job['id']}/complete", done)).status_code == 204, (
        "a lost answer may be asked again"
    )
    seen = (await lin.get(f"/instances/{instance['id']}")).json()
    assert seen["variables"]["weight"] == 12
    assert [token["element"]["id"] for token in seen["tokens"]] == ["picked"]


async def test_a_worker_that_lost_its_lease_cannot_complete(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    await started(house, lin)
    slow = (await fetch(robot, lease_ms=60_000))[0]
    house.clock.offset_ms += 61_000
    quick = (await fetch(robot, worker="w2"))[0]
    assert quick["id"] == slow["id"]
    assert quick["idempotency_key"] == slow["idempotency_key"], "side effects are recognised by it"
    late = await robot.post(f"/jobs/{slow['id']}/complete", {"lease_token": slow["lease_token"]})
    assert (late.status_code, late.json()["code"]) == (409, "job.lease_lost")
    assert (await robot.post(f"/jobs/{quick['id']}/complete", {"lease_token": quick["lease_token"]})).status_code == 204


async def test_a_heartbeat_keeps_the_lease(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    await started(house, lin)
    job = (await fetch(robot, lease_ms=60_000))[0]
    longer = {"lease_token": job["lease_token"], "lease_ms": 10 * MINUTE_MS}
    assert (await robot.post(f"/jobs/{job['id']}/extend-lease", longer)).status_code == 204
    house.clock.offset_ms += 5 * MINUTE_MS
    assert await fetch(robot, worker="w2") == []
    wrong = await robot.post(f"/jobs/{job['id']}/extend-lease", {"lease_token": "other", "lease_ms": 1000})
    assert wrong.json()["code"] == "job.lease_lost"


async def test_failures_wait_for_the_back_off_and_end_in_an_incident_that_an_operator_repairs(
    house: House, sign_in: SignIn
) -> None:
    lin, robot, he = await sign_in("lin"), await sign_in("robot"), await sign_in("he")
    instance = await started(house, lin)
    job = (await fetch(robot))[0]
    await robot.post(f"/jobs/{job['id']}/fail", {"lease_token": job["lease_token"], "message": "no boxes"})
    assert await fetch(robot) == [], "not before the back-off is over"
    house.clock.offset_ms += MINUTE_MS + 1
    job = (await fetch(robot))[0]
    assert job["retries"] == 1
    await robot.post(f"/jobs/{job['id']}/fail", {"lease_token": job["lease_token"], "message": "no boxes"})
    house.clock.offset_ms += MINUTE_MS + 1
    assert await fetch(robot) == []
    he = await sign_in("he")
    seen = (await he.get(f"/instances/{instance['id']}")).json()
    incident = seen["incidents_list"][0]
    assert (incident["code"], incident["message"]) == ("job.failed", "no boxes")
    assert (await lin.post(f"/instances/{instance['id']}/incidents/{incident['id']}/retry")).status_code == 403
    assert (await he.post(f"/instances/{instance['id']}/incidents/{incident['id']}/retry")).status_code == 200
    assert [item["retries"] for item in await fetch(robot)] == [1]


async def test_a_business_error_takes_the_modelled_way(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    instance = await started(house, lin)
    job = (await fetch(robot))[0]
    error = {"lease_token": job["lease_token"], "code": "BROKEN", "message": "glass"}
    assert (await robot.post(f"/jobs/{job['id']}/throw-error", error)).status_code == 204
    seen = (await lin.get(f"/instances/{instance['id']}")).json()
    assert [token["element"]["id"] for token in seen["tokens"]] == ["look"]


async def test_a_worker_may_wait_for_work_to_come_up(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    await deploy(house, "shipping.bpmn", SHIPPING)
    waiting = asyncio.create_task(fetch(robot, wait_ms=20_000))
    await asyncio.sleep(0)
    await lin.post("/instances", {"process": "shipping", "variables": {}})
    assert len(await waiting) == 1


async def test_a_message_reaches_who_awaits_it_once(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    instance = await started(house, lin)
    job = (await fetch(robot))[0]
    await robot.post(f"/jobs/{job['id']}/complete", {"lease_token": job["lease_token"]})
    picked = {"name": "Picked", "correlation_key": "S-1", "variables": {"by": "truck"}, "message_id": "m-1"}
    for _ in range(2):
        answer = await robot.post("/messages", picked)
        assert (answer.status_code, answer.json()["status"]) == (202, "correlated")
    seen = (await lin.get(f"/instances/{instance['id']}")).json()
    assert (seen["status"], seen["variables"]["by"]) == ("completed", "truck")


async def test_an_early_message_waits_until_it_expires(house: House, sign_in: SignIn) -> None:
    lin, robot = await sign_in("lin"), await sign_in("robot")
    instance = await started(house, lin)
    early = {"name": "Picked", "correlation_key": "S-1", "ttl_ms": 60_000, "message_id": "m-1"}
    assert (await robot.post("/messages", early)).json()["status"] == "waiting"
    nobody = {"name": "Picked", "correlation_key": "S-2", "message_id": "m-2"}
    assert (await robot.post("/messages", nobody)).json()["status"] == "expired"
    job = (await fetch(robot))[0]
    await robot.post(f"/jobs/{job['id']}/complete", {"lease_token": job["lease_token"]})
    for _ in range(500):
        seen = (await lin.get(f"/instances/{instance['id']}")).json()
        if seen["status"] == "completed":
            break
        await asyncio.sleep(0.01)
    assert seen["status"] == "completed"


async def test_a_message_starts_a_process_once(house: House, sign_in: SignIn) -> None:
    await deploy(house, "ordered.bpmn", ORDERED)
    robot = await sign_in("robot")
    order = {"name": "Ordered", "correlation_key": "O-1", "variables": {"customer": "lin"}, "message_id": "o-1"}
    for _ in range(2):
        assert (await robot.post("/messages", order)).json()["status"] == "correlated"
    lin = await sign_in("lin")
    assert (await lin.get("/tasks", process="ordered")).json()["total"] == 1


CONDITIONAL = """
  startEvent plain
  startEvent dry
    raw <conditionalEventDefinition><condition>stock &lt; reorder_at</condition></conditionalEventDefinition>
  userTask order assignee=lin
  endEvent end
  plain -> order -> end
  dry -> order
"""


async def test_facts_start_the_processes_whose_condition_holds_once(house: House) -> None:
    he, robot, lin = await house.sign_in("he"), await house.sign_in("robot"), await house.sign_in("lin")
    content = draw(CONDITIONAL.splitlines(), "reorder")
    assert (await he.send("POST", "/deployments", files=[("files", ("reorder.bpmn", content))])).status_code == 201
    enough = {"variables": {"stock": 9, "reorder_at": 5}}
    low = {"variables": {"stock": 2, "reorder_at": 5}, "id": "count-1"}
    for facts in (enough, low, low):
        assert (await robot.post("/conditions", facts)).status_code == 202
    tasks = (await lin.get("/tasks", box="mine")).json()["items"]
    assert [task["process"]["key"] for task in tasks] == ["reorder"]
    assert (await lin.post("/conditions", low)).status_code == 403
