"""Four eyes over REST: what an earlier step keeps somebody from is not offered, and refused with a code."""

from __future__ import annotations

from noria.kernel.instants import DAY_MS, format_instant
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

MODEL = """
startEvent start
userTask enter candidateGroups=finance
userTask check candidateGroups=finance separateFrom=start,enter
endEvent end
start -> enter -> check -> end
""".strip().splitlines()


async def check_of(house: House, lin: Client, li: Client) -> str:
    """A request that 林晓 has started and 李娜 has entered; gives the id of its check."""
    he = await house.sign_in("he")
    answer = await he.send("POST", "/deployments", files={"file": ("pay.bpmn", draw(MODEL, "pay"))})
    assert answer.status_code == 201, answer.text
    await lin.post("/instances", {"process": "pay", "variables": {}})
    assert (await li.complete("group")).status_code == 200
    sun = await house.sign_in("sun")
    return str((await sun.task("group"))["id"])


async def test_who_did_the_earlier_step_is_not_offered_the_later_one_and_refused(house: House) -> None:
    lin, li, sun = [await house.sign_in(person) for person in ("lin", "li", "sun")]
    task = await check_of(house, lin, li)
    assert (await li.get("/tasks", box="group")).json()["items"] == []
    assert (await li.get("/tasks/counts")).json()["group"] == 0
    assert "complete" not in (await li.get(f"/tasks/{task}")).json()["allowed"]
    for verb, body in (("claim", {}), ("complete", {"variables": {}})):
        refused = await li.post(f"/tasks/{task}/{verb}", body)
        assert (refused.status_code, refused.json()["code"]) == (403, "task.separated"), verb
    assert (await sun.post(f"/tasks/{task}/claim", {})).status_code == 200
    refused = await sun.post(f"/tasks/{task}/transfer", {"to": "li"})
    assert (refused.status_code, refused.json()["code"]) == (403, "task.separated")
    assert (await sun.post(f"/tasks/{task}/complete", {"variables": {}})).status_code == 200


async def test_a_substitute_does_not_do_it_either(house: House) -> None:
    lin, li, sun, wang = [await house.sign_in(person) for person in ("lin", "li", "sun", "wang")]
    until = format_instant(house.clock.now_ms() + DAY_MS)
    # Who entered it would check it for 孙磊, and 王强 would check it for who entered it.
    await sun.post("/substitutions", {"substitute": "li", "until": until})
    await li.post("/substitutions", {"substitute": "wang", "until": until})
    task = await check_of(house, lin, li)
    for person in (li, wang):
        assert task not in [item["id"] for item in (await person.get("/tasks", box="group")).json()["items"]]
        assert (await person.post(f"/tasks/{task}/complete", {"variables": {}})).status_code == 403


async def test_what_a_substitute_did_keeps_both_from_the_later_step(house: House) -> None:
    lin, sun, wang = [await house.sign_in(person) for person in ("lin", "sun", "wang")]
    he = await house.sign_in("he")
    await he.send("POST", "/deployments", files={"file": ("pay.bpmn", draw(MODEL, "pay"))})
    until = format_instant(house.clock.now_ms() + DAY_MS)
    await sun.post("/substitutions", {"substitute": "wang", "until": until})
    await lin.post("/instances", {"process": "pay", "variables": {}})
    assert (await wang.complete("group")).status_code == 200
    for person in (sun, wang):
        assert (await person.get("/tasks", box="group")).json()["items"] == []
    li = await house.sign_in("li")
    assert (await li.complete("group")).status_code == 200
