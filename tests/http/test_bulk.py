"""Approving several tasks at once: only what the process owner allows, and who is left out is named with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SIGNED = {
    "type": "default",
    "id": "signed",
    "schemaVersion": 19,
    "components": [
        {"type": "number", "id": "f_amount", "key": "amount", "label": "金额", "readonly": True},
        {
            "type": "group",
            "id": "f_group",
            "label": "签字",
            "components": [
                {
                    "type": "filepicker",
                    "id": "f_hand",
                    "key": "hand",
                    "label": "手写签名",
                    "properties": {"kind": "signature"},
                    "validate": {"required": True},
                }
            ],
        },
    ],
}
MODELS = {
    "agreed": """
        startEvent start
        userTask enter assignee="= starter.id"
        userTask agree name=会签 approval=allOf approvers='= ["wang", "li"]' bulkApproval=true
        userTask pay candidateGroups=finance separateFrom=agree bulkApproval=true
        endEvent end
        start -> enter -> agree -> pay -> end
    """,
    "filed": """
        startEvent start
        userTask file candidateGroups=finance bulkApproval=true
        endEvent end
        start -> file -> end
    """,
    "sealed": """
        startEvent start
        userTask seal approval=anyOf approvers=wang form=signed bulkApproval=true
        endEvent end
        start -> seal -> end
    """,
    "opened": """
        startEvent start
        userTask look approval=anyOf approvers=wang
        userTask again approval=anyOf approvers=wang bulkApproval=false
        endEvent end
        start -> look -> again -> end
    """,
}


@pytest.fixture
async def people(house: House) -> dict[str, Client]:
    clients = {name: await house.sign_in(name) for name in ("lin", "wang", "li", "zhao", "he", "qian")}
    files = [("files", (f"{key}.bpmn", draw(text.splitlines(), key))) for key, text in MODELS.items()]
    files.append(("files", ("signed.form", json.dumps(SIGNED).encode())))
    answer = await clients["he"].send("POST", "/deployments", files=files)
    assert answer.status_code == 201, answer.text
    return clients


async def start(lin: Client, process: str) -> str:
    answer = await lin.post("/instances", {"process": process, "variables": {}})
    assert answer.status_code == 201, answer.text
    if process == "agreed":
        await lin.complete()
    return str(answer.json()["id"])


async def seen(client: Client, instance: str, box: str = "mine") -> dict[str, Any]:
    items = (await client.get("/tasks", box=box)).json()["items"]
    return dict(next(task for task in items if task["instance_id"] == instance))


async def approve(client: Client, *tasks: dict[str, Any], key: str = "", **more: object) -> list[dict[str, Any]]:
    order = {"tasks": [{"id": task["id"], "version": task["version"]} for task in tasks], **more}
    answer = await client.post("/tasks/bulk-approve", order, key=key)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


async def test_each_is_a_decision_of_its_own_with_the_one_opinion(people: dict[str, Client]) -> None:
    lin, wang = people["lin"], people["wang"]
    instances = [await start(lin, "agreed") for _ in range(3)]
    results = await approve(wang, *[await seen(wang, instance) for instance in instances], opinion="同意")
    assert [(result["approved"], result["instance"]["id"]) for result in results] == [(True, one) for one in instances]
    for instance in instances:
        items = (await lin.get(f"/instances/{instance}/timeline")).json()["items"]
        (decided,) = [item for item in items if item["kind"] == "task.approved"]
        assert (decided["actor"]["id"], decided["comment"]) == ("wang", "同意")
        audit = (await lin.get(f"/instances/{instance}/audit")).json()["items"]
        assert [item["actor"]["id"] for item in audit if item["action"] == "complete_task"] == ["lin", "wang"]


async def test_what_is_no_approval_is_done_and_what_nobody_holds_is_claimed(people: dict[str, Client]) -> None:
    lin, li = people["lin"], people["li"]
    instance = await start(lin, "filed")
    task = await seen(li, instance, "group")
    assert task["in_bulk"] is True
    (result,) = await approve(li, task)
    assert (result["approved"], result["instance"]["status"]) == (True, "completed")


async def test_a_dry_run_names_who_would_be_left_out_and_does_nothing(people: dict[str, Client]) -> None:
    lin, wang = people["lin"], people["wang"]
    agreed, sealed, opened = [await start(lin, name) for name in ("agreed", "sealed", "opened")]
    tasks = [await seen(wang, instance) for instance in (agreed, sealed, opened)]
    before = [(await lin.get(f"/instances/{instance}")).json() for instance in (agreed, sealed, opened)]
    told = await approve(wang, *tasks, dry_run=True)
    assert [result["refused"] for result in told] == ["", "task.bulk_signature", "task.bulk_not_allowed"]
    assert told[1]["details"] == {"labels": ["手写签名"]}
    assert [result["instance"] for result in told] == [None, None, None]
    assert [(await lin.get(f"/instances/{instance}")).json() for instance in (agreed, sealed, opened)] == before
    done = await approve(wang, *tasks)
    assert [result["refused"] for result in done] == [result["refused"] for result in told]
    assert [(await lin.get(f"/instances/{instance}")).json() for instance in (sealed, opened)] == before[1:]


async def test_a_step_that_says_false_is_as_one_that_says_nothing(people: dict[str, Client]) -> None:
    lin, wang = people["lin"], people["wang"]
    instance = await start(lin, "opened")
    task = await seen(wang, instance)
    await wang.post(f"/tasks/{task['id']}/complete", {"outcome": "approve"})
    (result,) = await approve(wang, await seen(wang, instance))
    assert result["refused"] == "task.bulk_not_allowed"


async def test_the_tasks_of_others_are_left_out_and_the_denial_is_on_record(people: dict[str, Client]) -> None:
    lin, wang, zhao, qian = (people[name] for name in ("lin", "wang", "zhao", "qian"))
    instance = await start(lin, "agreed")
    task = await seen(wang, instance)
    strange = {"id": "no-such", "version": 1}
    results = await approve(zhao, task, strange, {"id": "17-1", "version": 1})
    assert [result["refused"] for result in results] == ["permission.denied", "not_found", "not_found"]
    records = (await qian.get("/audit", outcome="refused", actor="zhao")).json()["items"]
    assert [record["action"] for record in records][:1] == ["task.complete_task"]
    assert [holder["assignee"]["id"] for holder in (await lin.get(f"/instances/{instance}")).json()["holders"]] == [
        "wang",
        "li",
    ]


async def test_who_did_an_earlier_step_is_kept_from_it(house: House, people: dict[str, Client]) -> None:
    lin, wang, li = (people[name] for name in ("lin", "wang", "li"))
    instance = await start(lin, "agreed")
    for who in (wang, li):
        (result,) = await approve(who, await seen(who, instance))
        assert result["approved"]
    # 李娜 is of the finance group as 孙磊 is, but has agreed.
    sun = await house.sign_in("sun")
    task = await seen(sun, instance, "group")
    (refused,) = await approve(li, task)
    assert (refused["approved"], refused["refused"]) == (False, "task.separated")
    (result,) = await approve(sun, task)
    assert result["instance"]["status"] == "completed"


async def test_what_was_changed_or_done_meanwhile_is_left_out(people: dict[str, Client]) -> None:
    lin, wang, li = people["lin"], people["wang"], people["li"]
    moved, done, gone = [await start(lin, name) for name in ("agreed", "filed", "agreed")]
    tasks = [await seen(wang, moved), await seen(wang, gone)]
    await wang.post(f"/tasks/{tasks[0]['id']}/delegate", {"to": "zhao"})
    zhao = people["zhao"]
    await zhao.post(f"/tasks/{tasks[0]['id']}/complete", {"outcome": "approve"})
    await lin.post(f"/instances/{gone}/withdraw", {})
    assert [result["refused"] for result in await approve(wang, *tasks)] == ["task.version_stale", "task.withdrawn"]
    task = await seen(li, done, "group")
    await li.post(f"/tasks/{task['id']}/complete", {})
    (late,) = await approve(li, task)
    assert (late["refused"], late["details"]["by"]["id"]) == ("task.not_open", "li")


async def test_the_same_key_does_nothing_twice_and_answers_as_the_first_time(people: dict[str, Client]) -> None:
    lin, wang = people["lin"], people["wang"]
    instances = [await start(lin, "agreed") for _ in range(2)]
    opened = await start(lin, "opened")
    tasks = [await seen(wang, instance) for instance in (*instances, opened)]
    once, again = [await approve(wang, *tasks, key="k") for _ in range(2)]
    assert [(result["task"], result["approved"], result["refused"]) for result in once] == [
        (result["task"], result["approved"], result["refused"]) for result in again
    ]
    for instance in instances:
        items = (await lin.get(f"/instances/{instance}/timeline")).json()["items"]
        assert [item["kind"] for item in items].count("task.approved") == 1


async def test_a_task_that_is_named_twice_counts_once(people: dict[str, Client]) -> None:
    wang = people["wang"]
    task = await seen(wang, await start(people["lin"], "agreed"))
    assert [result["approved"] for result in await approve(wang, task, task)] == [True]


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"tasks": []}, 422, "task.bulk_size"),
        ({"tasks": [{"id": f"1-{n}", "version": 1} for n in range(201)]}, 422, "task.bulk_size"),
        ({"tasks": [{"id": "1-1", "version": 0}]}, 400, "request.invalid"),
        ({"tasks": [{"id": "1-1"}]}, 400, "request.invalid"),
        ({}, 400, "request.invalid"),
    ],
)
async def test_an_order_without_tasks_or_versions_is_refused(
    people: dict[str, Client], order: dict[str, object], status: int, code: str
) -> None:
    answer = await people["wang"].post("/tasks/bulk-approve", order)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_another_word_than_true_or_false_refuses_deployment(people: dict[str, Client]) -> None:
    model = draw(["startEvent s", "userTask t assignee=he bulkApproval=yes", "endEvent e", "s -> t -> e"], "odd")
    answer = await people["he"].send("POST", "/deployments", files={"file": ("odd.bpmn", model)})
    found = answer.json()["details"]["findings"]
    assert [(item["code"], item["element"]) for item in found if item["severity"] == "error"] == [
        ("bpmn.approval", "t")
    ]
