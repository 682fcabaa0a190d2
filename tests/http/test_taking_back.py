"""Taking back what has had effects (取回), by REST: shown before, undone by the model's handlers, told when done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.house import eventually
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SignIn = Callable[[str], Awaitable[Client]]
MODEL = """
  startEvent start
  userTask review name=Review approval=allOf approvers="= [\\"wang\\", \\"li\\"]"
  serviceTask reserve name=Reserve topic=reserve
  boundaryEvent undo_reserve on=reserve
    raw <compensateEventDefinition/>
  serviceTask release name=Release isForCompensation=true topic=release retries=1
  serviceTask order name=Order topic=order
  boundaryEvent undo_order on=order
    raw <compensateEventDefinition/>
  userTask cancel name=Cancel isForCompensation=true assignee=zhao
  userTask file name=File assignee=he
  serviceTask pay name=Pay topic=pay
  userTask archive name=Archive assignee=he
  endEvent end
  start -> review -> reserve -> order -> file -> pay -> archive -> end
  raw <association id="a1" sourceRef="undo_reserve" targetRef="release"/>
  raw <association id="a2" sourceRef="undo_order" targetRef="cancel"/>
"""


@pytest.fixture
async def people(house: House, sign_in: SignIn) -> dict[str, Client]:
    clients = {name: await sign_in(name) for name in ("lin", "wang", "li", "zhao", "he", "robot")}
    content = draw(MODEL.splitlines(), "buy")
    answer = await clients["he"].send("POST", "/deployments", files={"file": ("buy.bpmn", content)})
    assert answer.status_code == 201, answer.text
    return clients


async def work(robot: Client, topic: str, *, fails: bool = False) -> None:
    body = {"worker": "w1", "topics": [{"topic": topic}]}
    (job,) = (await robot.post("/jobs/fetch-and-lock", body)).json()["items"]
    path, more = ("fail", {"message": "no"}) if fails else ("complete", {"variables": {}})
    answer = await robot.post(f"/jobs/{job['id']}/{path}", {"lease_token": job["lease_token"], **more})
    assert answer.status_code in (200, 204), answer.text


async def decide(client: Client, outcome: str = "approve") -> None:
    task = await client.task()
    answer = await client.post(f"/tasks/{task['id']}/complete", {"variables": {}, "outcome": outcome})
    assert answer.status_code == 200, answer.text


async def bought(people: dict[str, Client]) -> str:
    """A request that Wang and Li have approved, and whose goods are reserved and ordered."""
    answer = await people["lin"].post("/instances", {"process": "buy", "variables": {}})
    await decide(people["wang"])
    await decide(people["li"])
    for topic in ("reserve", "order"):
        await work(people["robot"], topic)
    return str(answer.json()["id"])


async def seen(client: Client, instance: str) -> dict[str, Any]:
    return dict((await client.get(f"/instances/{instance}")).json())


async def kinds(client: Client, instance: str) -> list[str]:
    return [item["kind"] for item in (await client.get(f"/instances/{instance}/timeline")).json()["items"]]


async def test_what_will_be_undone_is_shown_and_then_undone_and_the_task_is_open_again(
    people: dict[str, Client],
) -> None:
    instance = await bought(people)
    li = people["li"]
    assert "take_back" in (await seen(li, instance))["allowed"]
    shown = (await li.post(f"/instances/{instance}/preview", {"verb": "take_back"})).json()
    assert [step["id"] for step in shown["undone"]] == ["order", "reserve"]
    assert [task["element"]["id"] for task in shown["cancelled"]] == ["file"]
    assert {task["assignee"]["id"] for task in shown["opened"]} == {"li", "zhao"}

    assert (await li.post(f"/instances/{instance}/take-back")).status_code == 200
    now = await seen(li, instance)
    assert (now["taking_back"]["by"]["id"], now["taking_back"]["element"]["id"]) == ("li", "review")
    assert [task["assignee"]["id"] for task in now["open_tasks"]] == ["zhao"]
    await decide(people["zhao"], "")
    await work(people["robot"], "release")

    now = await seen(li, instance)
    assert now["taking_back"] is None
    assert [(task["element"]["id"], task["assignee"]["id"]) for task in now["open_tasks"]] == [("review", "li")]
    told = await kinds(li, instance)
    assert told.index("task.taking_back") < told.index("compensation.started") < told.index("task.taken_back")

    async def heard() -> bool:
        notices = (await li.get("/notices")).json()["items"]
        return any(notice["kind"] == "taken_back" for notice in notices)

    await eventually(heard)
    await decide(li)
    assert "reserve" in {token["element"]["id"] for token in (await seen(li, instance))["tokens"]}


async def test_who_took_it_back_is_told_of_and_not_the_worker(people: dict[str, Client]) -> None:
    instance = await bought(people)
    await people["li"].post(f"/instances/{instance}/take-back")
    await decide(people["zhao"], "")
    await work(people["robot"], "release")
    items = (await people["li"].get(f"/instances/{instance}/timeline")).json()["items"]
    (item,) = [item for item in items if item["kind"] == "task.taken_back"]
    assert (item["actor"]["id"], item["on_behalf_of"]) == ("li", None)


async def test_a_handler_that_fails_is_an_incident_and_the_rest_is_undone_after_it(
    house: House, people: dict[str, Client]
) -> None:
    instance = await bought(people)
    await people["li"].post(f"/instances/{instance}/take-back")
    await decide(people["zhao"], "")
    await work(people["robot"], "release", fails=True)
    now = await seen(people["he"], instance)
    assert [incident["code"] for incident in now["incidents_list"]] == ["job.failed"]
    assert now["taking_back"]["by"]["id"] == "li"
    incident = now["incidents_list"][0]["id"]
    assert (await people["he"].post(f"/instances/{instance}/incidents/{incident}/retry", {})).status_code == 200
    await work(people["robot"], "release")
    assert [task["assignee"]["id"] for task in (await seen(people["li"], instance))["open_tasks"]] == ["li"]


async def test_what_would_be_lost_is_not_changed_meanwhile(people: dict[str, Client]) -> None:
    instance = await bought(people)
    await people["li"].post(f"/instances/{instance}/take-back")
    he = people["he"]
    move = {"moves": [{"kind": "start_before", "element": "file"}], "reason": "quick"}
    refused = await he.post(f"/instances/{instance}/modify", move)
    assert (refused.status_code, refused.json()["code"]) == (409, "instance.taking_back")
    again = await people["li"].post(f"/instances/{instance}/take-back")
    assert again.json()["code"] in ("task.taken_back_late", "task.nothing_to_take_back")
    assert "take_back" not in (await seen(people["li"], instance))["allowed"]


async def test_work_without_a_handler_and_what_somebody_else_did_end_it(people: dict[str, Client]) -> None:
    instance = await bought(people)
    await decide(people["he"], "")
    assert "take_back" in (await seen(people["he"], instance))["allowed"]
    await work(people["robot"], "pay")
    shown = (await people["he"].post(f"/instances/{instance}/preview", {"verb": "take_back"})).json()
    assert (shown["refused"], shown["details"]["effect"]) == ("task.taken_back_late", "pay")
    assert "Pay" in shown["message"]
    assert "take_back" not in (await seen(people["he"], instance))["allowed"]
    late = await people["li"].post(f"/instances/{instance}/take-back")
    assert (late.status_code, late.json()["code"]) == (409, "task.taken_back_late")
    told = await kinds(people["he"], instance)
    assert "compensation.started" not in told
