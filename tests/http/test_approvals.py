"""Approvals by REST: deciding, added approvers, delegating, straight back, taking back, copies, previews."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from noria.kernel.instants import MINUTE_MS
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SignIn = Callable[[str], Awaitable[Client]]
ORDER = draw(
    [
        "startEvent start",
        'userTask apply name=Apply assignee="= starter.id"',
        'userTask review name=Review approval=allOf approvers="= [\\"wang\\", \\"li\\"]"',
        "userTask sign name=Sign approval=allOf approvers=zhao",
        "userTask file name=File assignee=he",
        "endEvent end",
        "start -> apply -> review -> sign -> file -> end",
    ],
    "order",
)


@pytest.fixture
async def people(house: House, sign_in: SignIn) -> dict[str, Client]:
    clients = {name: await sign_in(name) for name in ("lin", "wang", "li", "zhao", "he")}
    answer = await clients["he"].send("POST", "/deployments", files={"file": ("order.bpmn", ORDER)})
    assert answer.status_code == 201, answer.text
    return clients


async def begun(people: dict[str, Client]) -> str:
    answer = await people["lin"].post("/instances", {"process": "order", "variables": {"amount": 68_400}})
    assert answer.status_code == 201, answer.text
    await decide(people["lin"], outcome="")
    return str(answer.json()["id"])


async def decide(client: Client, outcome: str = "approve", **more: object) -> dict[str, Any]:
    answer = await client.post(
        f"/tasks/{(await client.task())['id']}/complete", {"variables": {}, "outcome": outcome, **more}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["instance"])


async def detail(client: Client) -> dict[str, Any]:
    return dict((await client.get(f"/tasks/{(await client.task())['id']}")).json())


def holders(instance: dict[str, Any]) -> list[str]:
    return sorted(holder["assignee"]["id"] for holder in instance["holders"])


async def test_everybody_who_is_asked_sees_how_it_stands_and_decides(people: dict[str, Client]) -> None:
    await begun(people)
    seen = await detail(people["wang"])
    assert seen["approval"]["mode"] == "allOf"
    assert [(seat["person"]["id"], seat["outcome"], seat["open"]) for seat in seen["approval"]["seats"]] == [
        ("wang", "", True),
        ("li", "", True),
    ]
    assert {"approve", "refuse", "add", "delegate", "transfer"} <= set(seen["allowed"])
    assert "complete" not in seen["allowed"]
    unsaid = await people["wang"].post(f"/tasks/{seen['id']}/complete", {"variables": {}})
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "task.outcome")
    assert holders(await decide(people["wang"], comment="同意")) == ["li"]
    assert (await detail(people["li"]))["approval"]["seats"][0]["outcome"] == "approve"
    assert holders(await decide(people["li"])) == ["zhao"]


async def test_a_refusal_ends_the_request_and_the_timeline_says_who_refused(people: dict[str, Client]) -> None:
    instance = await begun(people)
    ended = await decide(people["li"], "refuse", comment="too dear")
    assert (ended["status"], ended["holders"]) == ("refused", [])
    lin = people["lin"]
    items = (await lin.get(f"/instances/{instance}/timeline")).json()["items"]
    refused = next(item for item in items if item["kind"] == "task.refused")
    assert (refused["actor"]["id"], refused["comment"]) == ("li", "too dear")
    assert items[-1]["kind"] == "instance.refused"
    assert [item["id"] for item in (await lin.get("/instances", status="refused")).json()["items"]] == [instance]


async def test_added_approvers_are_asked_first_and_may_be_removed_by_who_added_them(people: dict[str, Client]) -> None:
    instance = await begun(people)
    wang = people["wang"]
    task = await wang.task()
    nobody = await wang.post(f"/tasks/{task['id']}/approvers", {"people": ["ghost"], "where": "before"})
    assert nobody.json()["code"] == "person.not_found"
    added = await wang.post(
        f"/tasks/{task['id']}/approvers", {"people": ["he", "zhao"], "where": "before", "reason": "看一下价格"}
    )
    assert holders(added.json()["instance"]) == ["he", "li", "zhao"]
    not_mine = await people["li"].post(f"/instances/{instance}/approvers/remove", {"person": "zhao"})
    assert (not_mine.status_code, not_mine.json()["code"]) == (409, "approval.not_added")
    removed = await wang.post(f"/instances/{instance}/approvers/remove", {"person": "zhao"})
    assert holders(removed.json()) == ["he", "li"]
    assert holders(await decide(people["he"])) == ["li", "wang"]


async def test_a_delegated_task_comes_back_to_who_concludes(people: dict[str, Client]) -> None:
    await begun(people)
    wang = people["wang"]
    task = await wang.task()
    given = await wang.post(f"/tasks/{task['id']}/delegate", {"to": "he", "reason": "你熟"})
    assert holders(given.json()["instance"]) == ["he", "li"]
    assert (await detail(people["he"]))["owner"]["id"] == "wang"
    assert holders(await decide(people["he"], comment="fine")) == ["li", "wang"]
    assert holders(await decide(people["wang"])) == ["li"]


async def test_a_returned_request_comes_straight_back_when_nothing_has_changed(people: dict[str, Client]) -> None:
    await begun(people)
    await decide(people["wang"])
    await decide(people["li"])
    zhao = people["zhao"]
    task = await zhao.task()
    assert [item["element"]["id"] for item in (await detail(zhao))["returnable"]] == ["apply", "review"]
    await zhao.post(f"/tasks/{task['id']}/return", {"to": "apply", "reason": "说明用途"})
    seen = await detail(people["lin"])
    assert (seen["comeback"]["by"]["id"], seen["comeback"]["resubmits"]) == ("zhao", True)
    assert holders(await decide(people["lin"], "", resubmit="straight")) == ["zhao"]


async def test_a_decision_can_be_taken_back_until_somebody_has_gone_on_with_it(people: dict[str, Client]) -> None:
    instance = await begun(people)
    await decide(people["wang"])
    wang = people["wang"]
    shown = (await wang.post(f"/instances/{instance}/preview", {"verb": "take_back"})).json()
    assert [task["assignee"]["id"] for task in shown["opened"]] == ["wang"]
    back = await wang.post(f"/instances/{instance}/take-back")
    assert holders(back.json()) == ["li", "wang"]
    await decide(people["wang"])
    await decide(people["li"])
    late = await wang.post(f"/instances/{instance}/take-back")
    assert (late.status_code, late.json()["code"]) == (409, "task.taken_back_late")
    nothing = await people["zhao"].post(f"/instances/{instance}/take-back")
    assert nothing.json()["code"] == "task.nothing_to_take_back"
    # Who decided last still may: what that opened goes again.
    assert holders((await people["li"].post(f"/instances/{instance}/take-back")).json()) == ["li"]


async def test_a_transfer_is_taken_back_until_the_receiver_acts(people: dict[str, Client]) -> None:
    instance = await begun(people)
    wang = people["wang"]
    task = await wang.task()
    await wang.post(f"/tasks/{task['id']}/transfer", {"to": "he"})
    assert holders((await wang.post(f"/instances/{instance}/take-back")).json()) == ["li", "wang"]
    task = await wang.task()
    await wang.post(f"/tasks/{task['id']}/transfer", {"to": "he"})
    await decide(people["he"])
    assert (await wang.post(f"/instances/{instance}/take-back")).json()["code"] == "task.taken_back_late"


async def test_a_preview_says_what_a_verb_would_do_and_does_nothing(people: dict[str, Client]) -> None:
    instance = await begun(people)
    await decide(people["wang"])
    await decide(people["li"])
    zhao = people["zhao"]
    task = await zhao.task()
    before = (await zhao.get(f"/instances/{instance}")).json()
    shown = (
        await zhao.post(f"/tasks/{task['id']}/preview", {"verb": "return", "to": "review", "reason": "再看"})
    ).json()
    assert [(item["element"]["id"], item["assignee"]["id"], item["round"]) for item in shown["opened"]] == [
        ("review", "wang", 2),
        ("review", "li", 2),
    ]
    assert {person["id"] for person in shown["notified"]} == {"wang", "li", "lin"}
    refusing = (await zhao.post(f"/tasks/{task['id']}/preview", {"verb": "refuse"})).json()
    assert (refusing["status"], refusing["refused"]) == ("refused", "")
    unfit = (await zhao.post(f"/tasks/{task['id']}/preview", {"verb": "abstain"})).json()
    assert unfit["refused"] == "task.outcome"
    assert (await zhao.get(f"/instances/{instance}")).json() == before
    for_others = await people["lin"].post(f"/tasks/{task['id']}/preview", {"verb": "approve"})
    assert for_others.status_code == 403


async def test_the_path_is_foreseen_before_it_is_submitted_and_while_it_is_under_way(
    people: dict[str, Client], house: House
) -> None:
    def shown(path: dict[str, Any]) -> list[tuple[str, str, bool]]:
        return [(step["element"]["id"], step["assignee"]["id"], step["open"]) for step in path["steps"]]

    lin = people["lin"]
    before = (await lin.post("/instances/path", {"process": "order", "variables": {"amount": 1}})).json()
    rest = [("review", "wang", False), ("review", "li", False), ("sign", "zhao", False), ("file", "he", False)]
    assert shown(before) == [("apply", "lin", True), *rest]
    assert (before["complete"], before["ends_at"]) == (True, None)
    assert (await lin.get("/instances", box="started")).json()["items"] == []
    instance = await begun(people)
    for name in ("wang", "li", "zhao"):
        house.clock.offset_ms += 3 * MINUTE_MS
        await decide(people[name])
    house.clock.offset_ms += 3 * MINUTE_MS
    await decide(people["he"], "")
    await house.noria.projector.catch_up()
    second = await begun(people)
    assert second != instance
    path = (await lin.get(f"/instances/{second}/path")).json()
    assert shown(path) == [("review", "wang", True), ("review", "li", True), *rest[2:]]
    assert path["ends_at"] is not None
    assert [step["until_at"] for step in path["steps"]] == sorted(step["until_at"] for step in path["steps"])


async def test_an_opinion_is_asked_for_and_filed_while_the_task_stays_where_it_is(
    people: dict[str, Client], sign_in: SignIn, house: House
) -> None:
    instance = await begun(people)
    wang, guest = people["wang"], await sign_in("guest")
    task = await wang.task()
    nobody = await wang.post(f"/tasks/{task['id']}/consult", {"people": ["wang"], "text": "?"})
    assert (nobody.status_code, nobody.json()["code"]) == (422, "consultation.people")
    asked = await wang.post(f"/tasks/{task['id']}/consult", {"people": ["guest"], "text": "价格合理吗？"})
    assert holders(asked.json()["instance"]) == ["li", "wang"]
    assert (await wang.get("/tasks/counts")).json()["mine"] == 1
    opinion = await guest.task()
    assert (opinion["opinion"], opinion["element"]["id"]) == (True, "review")
    seen = await detail(guest)
    assert (seen["allowed"], seen["consultations"][0]["text"]) == (["answer"], "价格合理吗？")
    assert (await guest.post(f"/tasks/{opinion['id']}/complete", {"variables": {}})).status_code == 404
    not_asked = await people["li"].post(f"/tasks/{opinion['id']}/answer", {"text": "x"})
    assert not_asked.json()["code"] == "task.not_yours"
    assert (await detail(wang))["consultations"][0]["person"]["id"] == "guest"
    given = await guest.post(f"/tasks/{opinion['id']}/answer", {"text": "合理"})
    assert given.status_code == 200, given.text
    assert (await guest.get("/tasks", box="mine")).json()["items"] == []
    again = await guest.post(f"/tasks/{opinion['id']}/answer", {"text": "合理"})
    assert (again.status_code, again.json()["code"]) == (409, "consultation.not_open")
    items = (await wang.get(f"/instances/{instance}/timeline")).json()["items"]
    assert [(item["actor"]["id"], item["comment"]) for item in items if item["kind"].startswith("opinion.")] == [
        ("wang", "价格合理吗？"),
        ("guest", "合理"),
    ]
    await house.noria.projector.catch_up()
    assert [item["kind"] for item in (await wang.get("/notices")).json()["items"]] == ["answered"]


async def test_who_asks_for_an_opinion_need_not_wait_for_it(people: dict[str, Client], sign_in: SignIn) -> None:
    await begun(people)
    wang, guest = people["wang"], await sign_in("guest")
    await wang.post(f"/tasks/{(await wang.task())['id']}/consult", {"people": ["guest"], "text": "?"})
    await decide(wang)
    assert (await guest.get("/tasks", box="mine")).json()["items"] == []


async def test_a_refused_request_is_restarted_where_it_was_and_a_completed_one_declared_void(
    people: dict[str, Client], house: House
) -> None:
    instance = await begun(people)
    await decide(people["wang"])
    await decide(people["li"], "refuse", comment="?")
    he, lin = people["he"], people["lin"]
    assert (await lin.post(f"/instances/{instance}/restart", {"reason": "please"})).status_code == 403
    assert (await he.post(f"/instances/{instance}/restart", {})).json()["code"] == "reason.required"
    assert "restart" in (await he.get(f"/instances/{instance}")).json()["allowed"]
    back = (await he.post(f"/instances/{instance}/restart", {"reason": "误驳回"})).json()
    assert (back["status"], holders(back), back["ended_at"]) == ("open", ["li"], None)
    assert (await he.post(f"/instances/{instance}/void", {"reason": "x"})).json()["code"] == "instance.not_completed"
    await decide(people["li"])
    await decide(people["zhao"])
    await decide(he, "")
    void = (await he.post(f"/instances/{instance}/void", {"reason": "重复报销"})).json()
    assert void["status"] == "voided"
    await lin.post(f"/instances/{instance}/comment", {"text": "好"})
    again = (await he.post(f"/instances/{instance}/restart", {"reason": "没有重复"})).json()
    assert again["status"] == "completed"
    await house.noria.projector.catch_up()
    assert (await he.get("/instances", status="completed")).json()["items"][0]["id"] == instance


async def test_what_was_withdrawn_is_restarted_by_its_starter(people: dict[str, Client]) -> None:
    instance = await begun(people)
    lin = people["lin"]
    await lin.post(f"/instances/{instance}/withdraw", {})
    assert holders((await lin.post(f"/instances/{instance}/restart", {"reason": "还需要"})).json()) == ["li", "wang"]


async def test_what_was_terminated_at_rest_is_restarted_and_rests_again(people: dict[str, Client]) -> None:
    instance = await begun(people)
    he = people["he"]
    await he.post(f"/instances/{instance}/suspend", {"reason": "等待"})
    await he.post(f"/instances/{instance}/cancel", {"reason": "误操作"})
    assert not (await he.get(f"/instances/{instance}")).json()["suspended"]
    sent = await he.post(f"/instances/{instance}/copies", {"people": ["qin"]})
    assert sent.status_code == 200, sent.text
    back = await he.post(f"/instances/{instance}/restart", {"reason": "继续"})
    assert (back.status_code, holders(back.json())) == (200, ["li", "wang"]), back.text
    assert (await he.get(f"/instances/{instance}")).json()["suspended"]
    assert (await he.post(f"/instances/{instance}/resume", {})).status_code == 200


async def test_who_gets_a_copy_may_look_at_the_request(
    people: dict[str, Client], house: House, sign_in: SignIn
) -> None:
    instance = await begun(people)
    guest = await sign_in("guest")
    assert (await guest.get(f"/instances/{instance}")).status_code == 403
    sent = await people["lin"].post(f"/instances/{instance}/copies", {"people": ["guest"], "text": "请知悉"})
    assert sent.status_code == 200, sent.text
    assert (await guest.get(f"/instances/{instance}")).status_code == 200
    await house.noria.projector.catch_up()
    assert [item["id"] for item in (await guest.get("/instances", box="copied")).json()["items"]] == [instance]
    [notice] = (await guest.get("/notices")).json()["items"]
    assert (notice["kind"], notice["params"]["text"]) == ("copied", "请知悉")
    again = await people["lin"].post(f"/instances/{instance}/copies", {"people": ["guest"]})
    assert again.json()["code"] == "copy.nobody"


async def test_who_wants_no_notice_of_copies_finds_them_all_the_same(
    people: dict[str, Client], house: House, sign_in: SignIn
) -> None:
    guest = await sign_in("guest")
    chosen = await guest.send("PUT", "/notices/preference", json={"choices": {"copied": {"in_app": False}}})
    assert chosen.status_code == 200, chosen.text
    instance = await begun(people)
    await people["lin"].post(f"/instances/{instance}/copies", {"people": ["guest"]})
    await house.noria.projector.catch_up()
    assert [item["id"] for item in (await guest.get("/instances", box="copied")).json()["items"]] == [instance]
    assert (await guest.get("/tasks/counts")).json()["notices"] == 0


async def test_who_has_just_approved_sees_the_request_at_once(people: dict[str, Client], house: House) -> None:
    await house.noria.projector.stop()
    instance = await begun(people)
    for name in ("wang", "li"):
        await decide(people[name])
        assert (await people[name].get(f"/instances/{instance}")).status_code == 200, name
    assert (await people["wang"].get(f"/instances/{instance}")).status_code == 200
