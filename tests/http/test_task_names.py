"""A task whose name the model computes is called so wherever people meet it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from noria.kernel.instants import DAY_MS
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SignIn = Callable[[str], Awaitable[Client]]

REVIEWS = draw(
    [
        "startEvent start",
        'userTask review name=Review assignee=wang dueIn=P1D title="= \\"Review \\" + customer"',
        'userTask look name=Look assignee=wang title="= missing"',
        "endEvent end",
        "start -> review -> look -> end",
    ],
    "reviews",
)


async def started(house: House, lin: Client) -> dict[str, Any]:
    he = await house.sign_in("he")
    answer = await he.send("POST", "/deployments", files={"file": ("reviews.bpmn", REVIEWS)})
    assert answer.status_code == 201, answer.text
    for customer in ("Acme", "精工"):
        answer = await lin.post("/instances", {"process": "reviews", "variables": {"customer": customer}})
        assert answer.status_code == 201, answer.text
    return dict(answer.json())


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["element"]["name"] for item in items]


async def test_the_inbox_the_task_and_its_instance_call_a_task_by_its_computed_name(
    house: House, sign_in: SignIn
) -> None:
    lin, wang = await sign_in("lin"), await sign_in("wang")
    instance = await started(house, lin)
    assert sorted(names((await wang.get("/tasks", box="mine")).json()["items"])) == ["Review Acme", "Review 精工"]
    [found] = (await wang.get("/tasks", box="mine", q="review 精")).json()["items"]
    assert (await wang.get(f"/tasks/{found['id']}")).json()["element"] == {"id": "review", "name": "Review 精工"}
    assert names(instance["holders"]) == ["Review 精工"]
    assert names((await lin.get("/instances", box="started")).json()["items"][0]["holders"]) == ["Review 精工"]
    assert names((await lin.get(f"/instances/{instance['id']}")).json()["open_tasks"]) == ["Review 精工"]


async def test_a_task_that_is_done_keeps_its_name_and_one_whose_name_gives_nothing_is_called_as_its_element(
    house: House, sign_in: SignIn
) -> None:
    lin, wang = await sign_in("lin"), await sign_in("wang")
    instance = await started(house, lin)
    [task] = (await wang.get("/tasks", box="mine", q="精工")).json()["items"]
    await wang.post(f"/tasks/{task['id']}/complete", {"variables": {}})
    await house.noria.projector.catch_up()
    assert names((await wang.get("/tasks", box="done")).json()["items"]) == ["Review 精工"]
    assert names((await wang.get("/tasks", box="done", q="Review")).json()["items"]) == ["Review 精工"]
    assert (await wang.get("/tasks", box="done", q="Acme")).json()["items"] == []
    closed = (await wang.get(f"/tasks/{task['id']}")).json()
    assert (closed["status"], closed["element"]["name"]) == ("done", "Review 精工")
    assert names((await lin.get(f"/instances/{instance['id']}")).json()["holders"]) == ["Look"]
    told = (await lin.get(f"/instances/{instance['id']}/timeline")).json()["items"]
    assert names([item for item in told if item["kind"].startswith("task.")]) == ["Review 精工", "Review 精工", "Look"]


async def test_a_reminder_calls_a_task_by_its_computed_name(house: House, sign_in: SignIn) -> None:
    lin = await sign_in("lin")
    await started(house, lin)
    house.clock.offset_ms += 2 * DAY_MS
    await house.noria.timers.fire_due()
    await house.noria.projector.catch_up()
    wang = await sign_in("wang")
    notices = (await wang.get("/notices")).json()["items"]
    assert {(item["kind"], item["params"]["element"]) for item in notices} == {
        (kind, name) for kind in ("overdue", "reminder") for name in ("Review Acme", "Review 精工")
    }
