"""Operators change instances: one by one, and all live ones of a process, looked at before and taken back after."""

from __future__ import annotations

from typing import Any

from tests.house import eventually
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

FIRST = """
  startEvent start
  userTask apply assignee=lin
  userTask check assignee=he
  boundaryEvent late on=check timer=PT1H cancel=false
  endEvent end
  start -> apply -> check -> end
  late -> end
"""


async def deploy(he: Client, text: str) -> int:
    content = draw(text.splitlines(), "trip")
    answer = await he.send("POST", "/deployments", files=[("files", ("trip.bpmn", content))])
    assert answer.status_code == 201, answer.text
    return int(answer.json()["processes"][0]["version"])


async def begin(client: Client) -> str:
    answer = await client.post("/instances", {"process": "trip", "variables": {}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def places(client: Client, iid: str) -> list[str]:
    answer = await client.get(f"/instances/{iid}")
    return sorted(token["element"]["id"] for token in answer.json()["tokens"])


async def finished(he: Client, batch: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await he.get(f"/batches/{batch}")).json()
        return found if found["ended_at"] else None

    return await eventually(look)


async def test_live_instances_go_on_by_another_version_after_a_look_at_all_of_them(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    clean, stuck = await begin(lin), await begin(lin)
    await he.post(
        f"/instances/{stuck}/modify",
        {"moves": [{"kind": "move", "element": "apply", "to": "check"}], "reason": "paper"},
    )
    assert await deploy(he, FIRST.replace("check", "look")) == 2
    plan = {"kind": "migrate", "process": "trip", "to_version": 2}

    seen = (await he.post("/batches/plan", plan)).json()
    assert (seen["total"], seen["clean"], seen["mapped"], seen["impossible"]) == (2, 1, 0, 1)
    (problem,) = seen["problems"]
    assert (problem["code"], problem["element"], problem["examples"]) == ("migration.gone", "check", [stuck])
    assert (await he.get(f"/instances/{clean}")).json()["process"]["version"] == 1

    mapped = {**plan, "elements": {"check": "look", "late": "late"}}
    assert (await he.post("/batches/plan", mapped)).json()["mapped"] == 1
    begun = await he.post("/batches", {"plan": mapped, "reason": "clearer name"})
    assert begun.status_code == 202, begun.text
    done = await finished(he, begun.json()["id"])
    assert (done["total"], done["done"], done["refused"]) == (2, 2, 0)
    assert (await places(lin, clean), await places(lin, stuck)) == (["apply"], ["look"])
    assert (await he.get(f"/instances/{stuck}")).json()["process"]["version"] == 2
    kinds = [item["kind"] for item in (await lin.get(f"/instances/{stuck}/timeline")).json()["items"]]
    assert kinds[-1] == "instance.migrated"
    board = (await he.get("/processes/trip/versions")).json()["items"]
    assert [item["version"] for item in board] == [2, 1]

    task = (await lin.get("/tasks", box="mine")).json()["items"][0]
    answer = await lin.post(f"/tasks/{task['id']}/complete", {"variables": {}})
    assert answer.status_code == 200, answer.text
    back = await he.post(f"/batches/{begun.json()['id']}/undo", {"reason": "too early"})
    assert back.status_code == 202, back.text
    undone = await finished(he, begun.json()["id"])
    assert (undone["taken_back"], undone["kept"]) == (1, 1)
    (kept,) = (await he.get(f"/batches/{begun.json()['id']}/items", state="kept")).json()
    assert (kept["instance_id"], kept["code"]) == (clean, "restore.moved_on")
    assert await places(lin, stuck) == ["check"]


async def test_every_instance_at_an_element_is_moved(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    first, second = await begin(lin), await begin(lin)
    plan = {
        "kind": "modify",
        "process": "trip",
        "at": "apply",
        "moves": [{"kind": "move", "element": "apply", "to": "check"}],
    }
    batch = (await he.post("/batches", {"plan": plan, "reason": "done on paper"})).json()
    assert (await finished(he, batch["id"]))["done"] == 2
    assert await places(lin, first) == await places(lin, second) == ["check"]
    await he.post(f"/batches/{batch['id']}/undo", {"reason": "not so"})
    assert (await finished(he, batch["id"]))["taken_back"] == 2
    assert await places(lin, first) == ["apply"]


async def test_a_suspended_instance_rests_until_it_is_resumed(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    assert (await he.post(f"/instances/{iid}/suspend", {"reason": ""})).json()["code"] == "reason.required"
    assert (await he.post(f"/instances/{iid}/suspend", {"reason": "an inquiry"})).status_code == 200
    detail = (await he.get(f"/instances/{iid}")).json()
    assert (detail["suspended"], "resume" in detail["allowed"], "suspend" in detail["allowed"]) == (True, True, False)
    task = (await lin.get("/tasks", box="mine")).json()["items"][0]
    refused = await lin.post(f"/tasks/{task['id']}/complete", {"variables": {}})
    assert (refused.status_code, refused.json()["code"]) == (409, "instance.suspended")
    assert (await he.post(f"/instances/{iid}/resume", {"reason": "cleared"})).status_code == 200
    assert (await lin.post(f"/tasks/{task['id']}/complete", {"variables": {}})).status_code == 200


async def test_only_an_operator_plans_and_begins(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    plan = {"kind": "suspend", "process": "trip"}
    for path, body in (
        ("/batches/plan", plan),
        ("/batches", {"plan": plan, "reason": "x"}),
        (f"/instances/{iid}/modify", {"moves": [], "reason": "x"}),
        (f"/instances/{iid}/suspend", {"reason": "x"}),
    ):
        assert (await lin.post(path, body)).status_code == 403, path


async def test_a_plan_that_says_too_little_is_refused(house: House) -> None:
    he = await house.sign_in("he")
    await deploy(he, FIRST)
    for plan in ({"kind": "migrate", "process": "trip", "to_version": 9}, {"kind": "modify", "process": "trip"}):
        assert (await he.post("/batches/plan", plan)).json()["code"] == "batch.plan"
    assert (await he.post("/batches/plan", {"kind": "suspend", "process": "nowhere"})).status_code == 404
