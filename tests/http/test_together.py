"""Commands that come together: each is judged, given and answered by itself, whatever else comes beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import msgspec
import pytest

from noria.operate import waiting
from noria.operate.cases import Cases
from noria.operate.ports import StoreUnavailableError
from noria.operate.verbs import Verbs
from noria.trust.audit import AuditRecord
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

Command = dict[str, object]

MODELS = {
    "trip": """
        startEvent start
        userTask apply assignee=lin
        userTask check assignee=lin
        userTask pay assignee=he
        endEvent end
        start -> apply -> check -> pay -> end
    """,
    "closed": """
        startEvent start
        endEvent end
        start -> end
    """,
    "pool": """
        startEvent start
        userTask work candidateGroups=employee
        endEvent end
        start -> work -> end
    """,
}
UNLIKE = re.compile(r'\d{15,}(-\d+)?|"request_id": "\w+"|\d{4}-\d\d-\d\dT[\d:.]+Z')
"""What is another in each answer: ids of instances and tasks, numbers of requests, instants."""
LOST = {"hash": "ab" * 32, "media_type": "image/png", "name": "a.png"}


@pytest.fixture
async def lin(house: House) -> Client:
    he = await house.sign_in("he")
    for name, model in MODELS.items():
        drawn = draw(model.splitlines(), name).replace(b'id="closed"', b'id="closed" noria:starterGroups="finance"')
        files = [("files", (f"{name}.bpmn", drawn))]
        assert (await he.send("POST", "/deployments", files=files)).status_code == 201
    return await house.sign_in("lin")


async def together(client: Client, *commands: Command, key: str = "") -> list[dict[str, Any]]:
    answer = await client.post("/commands", {"commands": list(commands)}, key=key)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def codes(results: list[dict[str, Any]]) -> list[str]:
    """What each came to: "" when it was done."""
    return ["" if result["ok"] else result["problem"]["code"] for result in results]


def start(process: str = "trip", **given: object) -> Command:
    return {"type": "start_instance", "process": process, **given}


def complete(task: str, **given: object) -> Command:
    return {"type": "complete_task", "task": task, **given}


async def tasks(client: Client, count: int, process: str = "trip") -> list[str]:
    """The first tasks of new instances."""
    begun = await together(client, *[start(process)] * count)
    return [await task_of(client, result["instance"]["id"]) for result in begun]


async def task_of(client: Client, iid: str) -> str:
    (task,) = (await client.get(f"/instances/{iid}")).json()["open_tasks"]
    return str(task["id"])


@contextmanager
def nothing_at_hand() -> Iterator[None]:
    """Every command goes the way of those that must ask first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Verbs, "at_hand", lambda *_: None)
        patch.setattr(Cases, "start_at_hand", lambda *_: None)
        yield


@contextmanager
def all_at_hand() -> Iterator[None]:
    """No command may go that way."""

    async def asks(*_: object) -> None:
        raise AssertionError("it asks")

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((Verbs, "on_task"), (Verbs, "on_instance"), (Cases, "start")):
            patch.setattr(owner, name, asks)
        yield


async def every_kind(lin: Client) -> list[Command]:
    """One of each: what is done, what is refused, what is denied, and what there is not."""
    own, stale, seen, back, lost, kept, gone, left = await tasks(lin, 8)
    (pooled,) = await tasks(lin, 1, "pool")
    (over,) = await tasks(lin, 1)
    await together(lin, complete(back), complete(gone), complete(over))
    iid = over.partition("-")[0]
    others = [await task_of(lin, iid)]
    await together(lin, complete(others[0]))
    return [
        complete(own, variables={"why": "北京"}, comment="好"),
        complete(stale, version=77),
        {"type": "transfer_task", "task": seen, "to": "nobody"},
        {"type": "transfer_task", "task": seen, "to": "guest", "reason": "忙"},
        {"type": "return_task", "task": await task_of(lin, back.partition("-")[0]), "to": "apply", "reason": "再看"},
        {"type": "return_task", "task": kept, "to": "nowhere", "reason": "再看"},
        complete(lost, variables={"picture": LOST}),
        complete(gone),
        complete(await task_of(lin, iid)),
        complete(pooled),
        {"type": "withdraw_instance", "instance": left.partition("-")[0], "reason": "不去了"},
        complete(left),
        {"type": "withdraw_instance", "instance": "x"},
        complete("1-1"),
        complete("x"),
        start(variables={"why": "上海"}, business_key="B-1"),
        start("nowhere"),
        start("closed"),
        start(variables={"picture": LOST}),
    ]


async def denials(house: House) -> list[AuditRecord]:
    return [stored.record async for stored in house.noria.audit.all_records()]


async def test_what_is_at_hand_is_answered_as_what_must_ask_first(house: House, lin: Client) -> None:
    answers: list[list[dict[str, Any]]] = []
    noted: list[list[tuple[str, str, str, str]]] = []
    for way in (nothing_at_hand, nullcontext):
        commands = await every_kind(lin)
        before = len(await denials(house))
        with way():
            answers.append(await together(lin, *commands))
        noted.append([(one.actor, one.action, one.outcome, one.reason) for one in (await denials(house))[before:]])
    asked, at_hand = ([UNLIKE.sub("…", json.dumps(one, sort_keys=True)) for one in results] for results in answers)
    assert at_hand == asked
    assert sorted(noted[0]) == sorted(noted[1])
    assert len(noted[0]) == 2
    assert codes(answers[0]) == [
        *("", "task.version_stale", "person.not_found", "", "", "task.not_returnable", "not_found"),
        *("task.not_open", "permission.denied", "", "", "instance.ended", "not_found"),
        *("not_found", "not_found", "", "not_found", "permission.denied", "not_found"),
    ]


async def test_most_commands_take_no_way_of_their_own(lin: Client) -> None:
    open_tasks = await tasks(lin, 4)
    with all_at_hand():
        done = await together(
            lin,
            *(complete(task, key=task) for task in open_tasks[:2]),
            {"type": "transfer_task", "task": open_tasks[2], "to": "guest", "reason": "忙"},
            complete(open_tasks[3], version=77),
            start(key="k"),
        )
    assert codes(done) == ["", "", "", "task.version_stale", ""]
    assert [result["instance"]["holders"][0]["element"]["id"] for result in done if result["ok"]] == [
        *("check", "check", "apply", "apply")
    ]


async def test_commands_on_one_instance_are_given_in_their_order(lin: Client) -> None:
    first, second = await tasks(lin, 2)
    withdraw = [{"type": "withdraw_instance", "instance": task.partition("-")[0]} for task in (first, second)]
    done = await together(lin, withdraw[0], complete(first), complete(second), withdraw[1])
    assert codes(done) == ["", "instance.ended", "", ""]
    assert [done[at]["instance"]["status"] for at in (0, 3)] == ["withdrawn", "withdrawn"]


async def test_a_key_is_answered_as_it_was_before_though_the_task_is_gone(lin: Client) -> None:
    (task,) = await tasks(lin, 1)
    commands = [complete(task, key="done"), start(key="begun")]
    first = await together(lin, *commands)
    assert await together(lin, *commands) == first
    assert codes(await together(lin, complete(task, key="another"))) == ["task.not_open"]


async def test_a_key_of_the_whole_request_is_no_commands(lin: Client) -> None:
    done = await together(lin, start(), start(), key="k")
    assert len({result["instance"]["id"] for result in done}) == 2


async def test_instances_that_are_not_in_memory_are_read(house: House, lin: Client) -> None:
    open_tasks = await tasks(lin, 3)
    house.noria.runtime._cache.clear()
    assert codes(await together(lin, *map(complete, open_tasks))) == ["", "", ""]


async def test_what_is_too_much_for_the_queue_is_refused_by_itself(
    lin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_tasks = await tasks(lin, 3)
    monkeypatch.setattr(waiting, "QUEUE_MAX", 2)
    done = await together(lin, *map(complete, open_tasks))
    assert codes(done) == ["", "", "runtime.overloaded"]
    assert done[2]["problem"]["status"] == 429


async def test_a_commit_that_fails_is_told_to_each(house: House, lin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    open_tasks = await tasks(lin, 2)

    async def away(_: object) -> None:
        raise StoreUnavailableError("The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(house.noria.database.store, "commit", away)
        done = await together(lin, *map(complete, open_tasks), start("nowhere"))
    assert codes(done) == ["store.unavailable", "store.unavailable", "not_found"]
    assert codes(await together(lin, *map(complete, open_tasks))) == ["", ""]


async def test_who_may_not_work_any_more_is_denied_by_the_next_command(house: House, lin: Client) -> None:
    tenant = house.noria.services.tenant
    first, second = await tasks(lin, 2)
    assert codes(await together(lin, complete(first))) == [""]
    person = (await house.noria.people.organisation(tenant)).people["lin"]
    await house.noria.people.put(tenant, [msgspec.structs.replace(person, roles=())], [], house.clock.now_ms())
    assert codes(await together(lin, complete(second), start())) == ["permission.denied", "permission.denied"]
