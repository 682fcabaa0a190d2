"""Journey J1 by REST: submit, return, correct, approve; and everything that is refused on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from noria.kernel.instants import DAY_MS
from tests.http.house import PURCHASE, Client, House

SignIn = Callable[[str], Awaitable[Client]]


async def settled(house: House, instance: str) -> dict[str, object]:
    """The instance after the worker in this process has done its jobs."""
    he = await house.sign_in("he")
    for _ in range(200):
        found = (await he.get(f"/instances/{instance}")).json()
        if found["status"] != "open" or found["open_tasks"] or found["incidents"]:
            return dict(found)
        await house.clock.sleep_until(house.clock.now_ms() + 20)
    raise AssertionError(f"the instance does not come to rest: {found['tokens']}")


async def test_a_request_is_returned_corrected_and_approved(house: House, sign_in: SignIn) -> None:
    lin, wang, li, zhao = [await sign_in(name) for name in ("lin", "wang", "li", "zhao")]
    started = await lin.start(amount=68_400)
    assert started["business_key"].startswith("CG-")
    assert [holder["assignee"]["name"] for holder in started["holders"]] == ["王强"]

    assert (await wang.complete(opinion="同意")).status_code == 200
    task = await li.task("group")
    claimed = await li.post(f"/tasks/{task['id']}/claim", {"version": task["version"]})
    assert claimed.json()["assignee"]["id"] == "li"
    returned = await li.post(f"/tasks/{task['id']}/return", {"to": "apply", "reason": "发票信息缺失"})
    assert returned.json()["instance"]["holders"][0]["assignee"]["id"] == "lin"

    mine = await lin.task()
    detail = (await lin.get(f"/tasks/{mine['id']}")).json()
    assert detail["last_return"]["reason"] == "发票信息缺失"
    assert detail["round"] == 2
    assert (await lin.complete(**{**PURCHASE, "amount": 65_000})).status_code == 200

    assert (await wang.complete()).status_code == 200
    assert (await li.complete()).status_code == 200
    assert (await zhao.complete("group")).status_code == 200
    done = await settled(house, started["id"])
    assert done["status"] == "completed"
    assert done["round"] == 2

    audit = (await lin.get(f"/instances/{started['id']}/audit")).json()["items"]
    corrected = [item for item in audit if item["before"].get("amount")]
    assert [(item["before"]["amount"], item["after"]["amount"]) for item in corrected] == [(68_400, 65_000)]
    assert corrected[0]["actor"]["id"] == "lin"


async def test_a_wrong_submission_names_its_fields_and_starts_nothing(house: House, sign_in: SignIn) -> None:
    lin = await sign_in("lin")
    wrong = {**PURCHASE, "amount": "many", "category": "food", "lines": [{"item": "", "quantity": -1, "price": "x"}]}
    del wrong["supplier"]
    answer = await lin.post("/instances", {"process": "purchase", "variables": wrong})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["code"] == "form.invalid"
    assert {"amount", "category", "supplier"} <= problem["details"]["fields"].keys()
    assert (await lin.get("/instances", box="started")).json()["total"] == 0


async def test_an_unknown_process_is_not_found(sign_in: SignIn) -> None:
    answer = await (await sign_in("lin")).post("/instances", {"process": "nothing", "variables": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_task_of_another_person_is_denied_and_the_denial_is_on_record(sign_in: SignIn) -> None:
    lin, wang, chen, qian = [await sign_in(name) for name in ("lin", "wang", "chen", "qian")]
    started = await lin.start()
    task = (await wang.task())["id"]
    answer = await chen.post(f"/tasks/{task}/complete", {"variables": {}})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission.denied")
    assert (await chen.get("/tasks", box="mine")).json()["total"] == 0
    assert (await chen.get(f"/instances/{started['id']}")).status_code == 403
    assert (await chen.get("/instances")).json()["total"] == 0
    refused = (await qian.get("/audit", outcome="refused", actor="chen")).json()
    assert {item["object"]["id"] for item in refused["items"]} == {started["id"]}


async def test_a_stale_version_of_a_task_is_a_conflict(sign_in: SignIn) -> None:
    lin, wang, liu = [await sign_in(name) for name in ("lin", "wang", "liu")]
    await lin.start()
    task = await wang.task()
    moved = await wang.post(
        f"/tasks/{task['id']}/transfer", {"to": "liu", "reason": "出差", "version": task["version"]}
    )
    assert moved.status_code == 200
    answer = await liu.post(f"/tasks/{task['id']}/complete", {"variables": {}, "version": task["version"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "task.version_stale")
    assert (await liu.complete()).status_code == 200


async def test_a_task_that_is_done_is_a_conflict_for_the_next_one(sign_in: SignIn) -> None:
    lin, wang, li, sun = [await sign_in(name) for name in ("lin", "wang", "li", "sun")]
    await lin.start()
    await wang.complete()
    task = (await sun.task("group"))["id"]
    assert (await li.post(f"/tasks/{task}/complete", {"variables": {}})).status_code == 200
    answer = await sun.post(f"/tasks/{task}/complete", {"variables": {}})
    assert (answer.status_code, answer.json()["code"]) == (409, "task.not_open")


async def test_the_same_key_gives_the_first_answer_again(sign_in: SignIn) -> None:
    lin, chen = await sign_in("lin"), await sign_in("chen")
    body = {"process": "purchase", "variables": PURCHASE}
    first = await lin.post("/instances", body, key="k-1")
    again = await lin.post("/instances", body, key="k-1")
    assert again.json()["id"] == first.json()["id"]
    assert (await chen.post("/instances", body, key="k-1")).json()["id"] != first.json()["id"], "a key is one person's"
    assert (await lin.get("/instances", box="started")).json()["total"] == 1


async def test_a_batch_with_one_bad_command_runs_the_others(sign_in: SignIn) -> None:
    lin = await sign_in("lin")
    commands = [
        {"type": "start_instance", "process": "purchase", "variables": PURCHASE, "key": "a"},
        {"type": "start_instance", "process": "purchase", "variables": {}, "key": "b"},
        {"type": "start_instance", "process": "purchase", "variables": PURCHASE, "key": "c"},
        {"type": "complete_task", "task": "1-1", "variables": {}},
    ]
    results = (await lin.post("/commands", {"commands": commands})).json()["results"]
    assert [item["ok"] for item in results] == [True, False, True, False]
    assert [item["problem"]["code"] for item in results if not item["ok"]] == ["form.invalid", "not_found"]
    keys = sorted(item["instance"]["business_key"] for item in results if item["ok"])
    assert int(keys[1][-6:]) == int(keys[0][-6:]) + 1


async def test_the_holder_and_the_manager_are_reminded_and_urging_is_limited(house: House, sign_in: SignIn) -> None:
    lin, wang = await sign_in("lin"), await sign_in("wang")
    started = await lin.start()
    assert (await lin.post(f"/instances/{started['id']}/urge", {"text": "请尽快"})).status_code == 200
    again = await lin.post(f"/instances/{started['id']}/urge", {"text": "请尽快"})
    assert (again.status_code, again.json()["code"]) == (429, "task.urged_recently")
    assert int(again.headers["Retry-After"]) > 29 * 60
    house.clock.offset_ms += 6 * DAY_MS
    await house.noria.timers.fire_due()
    await house.noria.projector.catch_up()
    wang = await sign_in("wang")
    kinds = [item["kind"] for item in (await wang.get("/notices")).json()["items"]]
    assert kinds == ["overdue", "reminder", "urged"]
    task = await wang.task()
    assert task["overdue"] is True


async def test_the_applicant_withdraws_before_the_first_decision_only(sign_in: SignIn) -> None:
    lin, wang = await sign_in("lin"), await sign_in("wang")
    first = await lin.start()
    assert "withdraw" in (await lin.get(f"/instances/{first['id']}")).json()["allowed"]
    gone = await lin.post(f"/instances/{first['id']}/withdraw", {"reason": "不买了"})
    assert gone.json()["status"] == "withdrawn"
    second = await lin.start()
    await wang.complete()
    late = await lin.post(f"/instances/{second['id']}/withdraw", {"reason": "不买了"})
    assert (late.status_code, late.json()["code"]) == (409, "instance.not_withdrawable")
    assert "withdraw" not in (await lin.get(f"/instances/{second['id']}")).json()["allowed"]


async def test_an_instance_can_be_seen_as_it_was(house: House, sign_in: SignIn) -> None:
    lin, wang, li = [await sign_in(name) for name in ("lin", "wang", "li")]
    started = await lin.start(amount=800)
    await wang.complete()
    before = (await lin.get(f"/instances/{started['id']}/timeline")).json()["items"]
    then = next(item["at"] for item in before if item["kind"] == "task.completed" and item["actor"]["id"] == "wang")
    house.clock.offset_ms += 1_000
    await li.post(f"/tasks/{(await li.task('group'))['id']}/return", {"to": "apply", "reason": "再看"})
    await lin.complete(**{**PURCHASE, "amount": 700})
    past = (await lin.get(f"/instances/{started['id']}/state", at=then)).json()
    assert past["variables"]["amount"] == 800
    assert [token["element"]["id"] for token in past["tokens"]] == ["finance_review"]
    assert (await lin.get(f"/instances/{started['id']}/state", at="2020-01-01T00:00:00Z")).status_code == 404


async def test_the_board_counts_what_happened(house: House, sign_in: SignIn) -> None:
    lin, wang, li, he = [await sign_in(name) for name in ("lin", "wang", "li", "he")]
    started = await lin.start()
    await wang.complete()
    await li.complete("group")
    assert (await settled(house, started["id"]))["status"] == "completed"
    await house.noria.projector.catch_up()
    tiles = (await he.get("/processes/purchase/board", range="7d")).json()["tiles"]
    assert tiles["throughput"]["completed"] == 1
    assert tiles["handling"]["count"] == 2
    assert tiles["errors"]["share"] == 0
    assert (await lin.get("/processes/purchase/board")).status_code == 403


async def test_who_puts_a_task_back_and_is_no_candidate_any_more_is_answered_and_sees_it_no_more(
    house: House, sign_in: SignIn
) -> None:
    lin, wang, li, he = [await sign_in(name) for name in ("lin", "wang", "li", "he")]
    await lin.start(amount=68_400)
    await wang.complete()
    task = (await li.task("group"))["id"]
    await li.post(f"/tasks/{task}/claim", {})
    moved = {"id": "li", "username": "li", "name": "李娜", "unit": "it", "roles": ["employee"]}
    answer = await he.send("PUT", "/admin/people/li", json=moved)
    assert answer.status_code == 200, answer.text
    back = await li.post(f"/tasks/{task}/unclaim", {})
    assert back.status_code == 200, back.text
    assert back.json()["assignee"] is None
    assert (await li.get(f"/tasks/{task}")).status_code == 403
    assert (await li.post(f"/tasks/{task}/unclaim", {})).status_code == 403
