"""Substitutes (代理), as journey J3 has them: scope, limit, own requests, taking back, and what history says of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from noria.kernel.instants import DAY_MS, format_instant
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

BUY = """
startEvent start
userTask approve assignee=zhao
userTask sign candidateGroups=general_manager
endEvent end
start -> approve -> sign -> end
""".strip().splitlines()
OTHER = "startEvent start\nuserTask approve assignee=zhao\nendEvent end\nstart -> approve -> end".splitlines()


@pytest.fixture
async def people(house: House) -> dict[str, Client]:
    people = {key: await house.sign_in(key) for key in ("he", "zhao", "sun", "lin", "li")}
    for key, model in (("buy", BUY), ("other", OTHER)):
        files = {"file": (f"{key}.bpmn", draw(model, key))}
        assert (await people["he"].send("POST", "/deployments", files=files)).status_code == 201
    return people


async def name(zhao: Client, house: House, **changes: Any) -> dict[str, Any]:
    """赵总 names 孙磊 for the purchases of the next nine days, up to 100 000."""
    order = {
        "substitute": "sun",
        "until": format_instant(house.clock.now_ms() + 9 * DAY_MS),
        "processes": ["buy"],
        "amount_max": 100_000,
        **changes,
    }
    answer = await zhao.post("/substitutions", order)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def start(client: Client, amount: object = 800, process: str = "buy") -> str:
    """Start a request; gives the id of its first task."""
    answer = await client.post("/instances", {"process": process, "variables": {"amount": amount}})
    assert answer.status_code == 201, answer.text
    detail = (await client.get(f"/instances/{answer.json()['id']}")).json()
    return str(detail["open_tasks"][0]["id"])


async def ids(client: Client, box: str = "mine") -> set[str]:
    answer = await client.get("/tasks", box=box, limit=200)
    assert answer.status_code == 200, answer.text
    found = {item["id"] for item in answer.json()["items"]}
    assert (await client.get("/tasks/counts")).json()[box] == len(found)
    return found


async def complete(client: Client, task: str) -> httpx.Response:
    return await client.post(f"/tasks/{task}/complete", {"variables": {}})


async def test_a_substitute_finds_the_principals_tasks_and_does_them_for_the_principal(
    house: House, people: dict[str, Client]
) -> None:
    task = await start(people["lin"])
    assert task not in await ids(people["sun"])
    assert (await complete(people["sun"], task)).status_code == 403
    await name(people["zhao"], house)
    row = next(item for item in (await people["sun"].get("/tasks")).json()["items"] if item["id"] == task)
    assert (row["assignee"]["id"], row["on_behalf_of"]) == ("zhao", {"id": "zhao", "name": "赵总"})
    assert "complete" in (await people["sun"].get(f"/tasks/{task}")).json()["allowed"]
    assert task in await ids(people["zhao"])
    assert (await complete(people["sun"], task)).status_code == 200
    timeline = (await people["lin"].get(f"/instances/{task.split('-')[0]}/timeline")).json()["items"]
    done = next(item for item in timeline if item["kind"] == "task.completed")
    assert (done["actor"]["name"], done["on_behalf_of"]["name"]) == ("孙磊", "赵总")
    audit = (await people["sun"].get(f"/instances/{task.split('-')[0]}/audit")).json()["items"]
    entry = next(item for item in audit if item["action"] == "complete_task")
    assert (entry["actor"]["id"], entry["on_behalf_of"]["id"]) == ("sun", "zhao")


async def test_what_was_done_by_a_substitute_is_in_both_lists_of_done_tasks(
    house: House, people: dict[str, Client]
) -> None:
    task = await start(people["lin"])
    await name(people["zhao"], house)
    await complete(people["sun"], task)
    await house.noria.projector.catch_up()
    for person, for_whom in (("zhao", None), ("sun", {"id": "zhao", "name": "赵总"})):
        row = next(i for i in (await people[person].get("/tasks", box="done")).json()["items"] if i["id"] == task)
        assert (row["assignee"]["id"], row["proxy"]["id"], row["on_behalf_of"]) == ("zhao", "sun", for_whom)
    assert (await people["sun"].get(f"/instances/{task.split('-')[0]}")).status_code == 200


async def test_a_substitute_claims_what_only_the_principal_could_and_the_principal_owns_it(
    house: House, people: dict[str, Client]
) -> None:
    await name(people["zhao"], house)
    await complete(people["sun"], await start(people["lin"]))
    (task,) = [task for task in await ids(people["sun"], "group") if task.startswith("")]
    view = (await people["sun"].post(f"/tasks/{task}/claim", {})).json()
    assert (view["assignee"]["id"], view["on_behalf_of"]["id"]) == ("zhao", "zhao")
    assert task in await ids(people["sun"])
    assert task in await ids(people["zhao"])
    assert (await complete(people["sun"], task)).status_code == 200


async def test_other_processes_stay_with_the_principal(house: House, people: dict[str, Client]) -> None:
    await name(people["zhao"], house)
    task = await start(people["lin"], process="other")
    assert task not in await ids(people["sun"])
    assert (await complete(people["sun"], task)).status_code == 403
    assert (await people["sun"].get(f"/tasks/{task}")).status_code == 403


@pytest.mark.parametrize("amount", [120_000, "much", None])
async def test_beyond_the_limit_a_task_goes_to_the_administrators_and_not_to_the_substitute(
    house: House, people: dict[str, Client], amount: object
) -> None:
    await name(people["zhao"], house)
    task = await start(people["lin"], amount)
    assert task not in await ids(people["sun"])
    refused = await complete(people["sun"], task)
    assert refused.status_code == 403
    assert task in await ids(people["he"], "queue")
    assert await ids(people["li"], "queue") == set()
    row = next(item for item in (await people["he"].get("/tasks", box="queue")).json()["items"] if item["id"] == task)
    assert row["on_behalf_of"]["id"] == "zhao"
    assert (await complete(people["he"], task)).status_code == 403
    handed_on = await people["he"].post(f"/tasks/{task}/transfer", {"to": "li", "reason": "超出代理金额"})
    assert handed_on.status_code == 200, handed_on.text
    assert task in await ids(people["li"])
    assert task not in await ids(people["he"], "queue")
    assert (await complete(people["li"], task)).status_code == 200


async def test_who_may_see_a_request_anyway_is_told_that_it_is_beyond_the_limit(
    house: House, people: dict[str, Client]
) -> None:
    await name(people["zhao"], house, substitute="he")
    task = await start(people["lin"], 120_000)
    refused = await complete(people["he"], task)
    assert (refused.status_code, refused.json()["code"]) == (403, "substitute.beyond_limit")


async def test_nobody_decides_their_own_request_for_somebody_else(house: House, people: dict[str, Client]) -> None:
    await name(people["zhao"], house)
    task = await start(people["sun"])
    assert task not in await ids(people["sun"])
    assert "complete" not in (await people["sun"].get(f"/tasks/{task}")).json()["allowed"]
    refused = await complete(people["sun"], task)
    assert (refused.status_code, refused.json()["code"]) == (403, "substitute.own_request")
    assert (await complete(people["zhao"], task)).status_code == 200


async def test_there_are_no_chains(house: House, people: dict[str, Client]) -> None:
    await name(people["zhao"], house)
    await name(people["sun"], house, substitute="li")
    task = await start(people["lin"])
    assert task in await ids(people["sun"])
    assert task not in await ids(people["li"])
    assert (await complete(people["li"], task)).status_code == 403


async def test_it_begins_and_ends_by_its_dates(house: House, people: dict[str, Client]) -> None:
    task = await start(people["lin"])
    await name(people["zhao"], house, since=format_instant(house.clock.now_ms() + DAY_MS))
    assert task not in await ids(people["sun"])
    seen = []
    for days in (2, 10):
        house.clock.offset_ms += days * DAY_MS
        sun = await house.sign_in("sun")
        seen.append(task in await ids(sun))
    assert seen == [True, False]


async def test_taking_it_back_leaves_tasks_in_flight_with_the_substitute_if_that_is_wanted(
    house: House, people: dict[str, Client]
) -> None:
    before = await start(people["lin"])
    house.clock.offset_ms += 1_000
    item = await name(people["zhao"], house)
    meanwhile = await start(people["lin"])
    answer = await people["zhao"].post(f"/substitutions/{item['id']}/end", {"in_flight": "stay"})
    assert (answer.status_code, answer.json()["kept"]) == (200, [meanwhile])
    later = await start(people["lin"])
    seen = await ids(people["sun"])
    assert (before in seen, meanwhile in seen, later in seen) == (False, True, False)
    assert {before, meanwhile, later} <= await ids(people["zhao"])
    assert (await complete(people["sun"], later)).status_code == 403
    assert (await complete(people["sun"], meanwhile)).status_code == 200
    assert await ids(people["sun"], "group") == set()


async def test_what_the_substitute_claimed_is_in_flight_whenever_it_was_opened(
    house: House, people: dict[str, Client]
) -> None:
    await complete(people["zhao"], await start(people["lin"]))
    await complete(people["zhao"], await start(people["lin"]))
    house.clock.offset_ms += 1_000
    item = await name(people["zhao"], house)
    claimed, left = sorted(await ids(people["sun"], "group"))
    await people["sun"].post(f"/tasks/{claimed}/claim", {})
    ended = await people["zhao"].post(f"/substitutions/{item['id']}/end", {"in_flight": "stay"})
    assert ended.json()["kept"] == [claimed]
    assert left not in await ids(people["sun"], "group")


async def test_taking_it_back_returns_everything_at_once_otherwise(house: House, people: dict[str, Client]) -> None:
    item = await name(people["zhao"], house)
    task = await start(people["lin"])
    assert (await people["zhao"].post(f"/substitutions/{item['id']}/end", {})).json()["state"] == "over"
    assert task not in await ids(people["sun"])
    assert (await complete(people["sun"], task)).status_code == 403
    again = await people["zhao"].post(f"/substitutions/{item['id']}/end", {})
    assert (again.status_code, again.json()["code"]) == (422, "substitute.over")


async def test_an_administrator_names_and_takes_back_for_others_and_nobody_else_does(
    house: House, people: dict[str, Client]
) -> None:
    denied = await people["li"].post("/substitutions", {"principal": "zhao", "substitute": "li", "until": "2199-01-01"})
    assert denied.status_code == 403
    item = await name(people["he"], house, principal="zhao")
    assert item["created_by"]["id"] == "he"
    assert [i["id"] for i in (await people["zhao"].get("/substitutions")).json()["items"]] == [item["id"]]
    assert [i["id"] for i in (await people["sun"].get("/substitutions")).json()["items"]] == [item["id"]]
    assert (await people["li"].get("/substitutions")).json()["items"] == []
    assert (await people["li"].get("/substitutions", everybody=True)).status_code == 403
    assert len((await people["he"].get("/substitutions", everybody=True)).json()["items"]) == 1
    assert (await people["sun"].post(f"/substitutions/{item['id']}/end", {})).status_code == 404
    assert (await people["he"].post(f"/substitutions/{item['id']}/end", {})).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"substitute": "zhao"}, "substitute.self"),
        ({"substitute": "nobody"}, "person.not_found"),
        ({"until": "2020-01-01"}, "period.empty"),
        ({"since": "2199-01-02", "until": "2199-01-01"}, "period.empty"),
        ({"processes": ["nothing"]}, "process.not_found"),
        ({"amount_max": -1}, "substitute.amount"),
        ({"until": "soon"}, "request.invalid"),
    ],
)
async def test_what_is_wrong_is_refused_by_name(
    people: dict[str, Client], changes: dict[str, object], code: str
) -> None:
    answer = await people["zhao"].post("/substitutions", {"substitute": "sun", "until": "2199-01-01", **changes})
    assert (answer.status_code, answer.json()["code"]) == (422 if code != "process.not_found" else 404, code)
    assert (await people["zhao"].get("/substitutions")).json()["items"] == []


async def test_whose_roles_exclude_each_other_do_not_act_for_each_other(people: dict[str, Client]) -> None:
    answer = await people["he"].post("/substitutions", {"substitute": "qian", "until": "2199-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (422, "roles.exclusive")


async def test_notices_go_to_both(house: House, people: dict[str, Client]) -> None:
    await name(people["zhao"], house)
    task = await start(people["lin"])
    await people["lin"].post(f"/tasks/{task}/urge", {"text": "急"})
    await house.noria.projector.catch_up()
    for person in ("zhao", "sun"):
        notices = (await people[person].get("/notices")).json()["items"]
        assert [(notice["kind"], notice["task_id"]) for notice in notices] == [("urged", task)], person


async def test_naming_and_taking_back_are_on_record(house: House, people: dict[str, Client]) -> None:
    item = await name(people["zhao"], house)
    await people["zhao"].post(f"/substitutions/{item['id']}/end", {})
    qian = await house.sign_in("qian")
    found = (await qian.get("/audit", object="zhao", limit=50)).json()["items"]
    actions = [entry["action"] for entry in found if entry["action"].startswith("substitution.")]
    assert sorted(actions) == ["substitution.added", "substitution.ended"]


# With the approval verbs

VOTE = """
startEvent start
userTask vote_of_all approval=allOf approvers='= ["zhao", "wang"]'
userTask after assignee=li
endEvent end
start -> vote_of_all -> after -> end
""".strip().splitlines()


async def vote(house: House, people: dict[str, Client]) -> str:
    """A request that 赵总 and 王强 vote on, with 孙磊 for 赵总; gives the id of 赵总's task."""
    files = {"file": ("vote.bpmn", draw(VOTE, "vote"))}
    assert (await people["he"].send("POST", "/deployments", files=files)).status_code == 201
    await name(people["zhao"], house, processes=[], amount_max=None)
    await start(people["lin"], process="vote")
    return str((await people["sun"].task())["id"])


async def test_a_substitute_votes_for_the_principal(house: House, people: dict[str, Client]) -> None:
    task = await vote(house, people)
    preview = await people["sun"].post(f"/tasks/{task}/preview", {"verb": "approve"})
    assert (preview.status_code, preview.json()["refused"]) == (200, ""), preview.text
    answer = await people["sun"].post(f"/tasks/{task}/complete", {"outcome": "approve"})
    assert answer.status_code == 200, answer.text
    timeline = (await people["lin"].get(f"/instances/{task.split('-')[0]}/timeline")).json()["items"]
    done = next(item for item in timeline if item["kind"] == "task.approved")
    assert (done["actor"]["id"], done["on_behalf_of"]["id"]) == ("sun", "zhao")
    wang = await house.sign_in("wang")
    assert (await wang.post(f"/tasks/{(await wang.task())['id']}/complete", {"outcome": "approve"})).status_code == 200
    assert (await people["li"].task())["element"]["id"] == "after"


async def test_a_substitute_takes_back_what_they_did_only_while_they_are_one(
    house: House, people: dict[str, Client]
) -> None:
    task = await vote(house, people)
    instance = task.split("-")[0]
    approve = {"outcome": "approve"}
    await people["sun"].post(f"/tasks/{task}/complete", approve)
    taken = await people["sun"].post(f"/instances/{instance}/take-back")
    assert taken.status_code == 200, taken.text
    assert task in await ids(people["zhao"])
    assert task in await ids(people["sun"])
    await people["sun"].post(f"/tasks/{task}/complete", approve)
    item = (await people["zhao"].get("/substitutions")).json()["items"][0]
    await people["zhao"].post(f"/substitutions/{item['id']}/end", {})
    await house.noria.projector.catch_up()
    refused = await people["sun"].post(f"/instances/{instance}/take-back")
    assert refused.json()["code"] == "task.nothing_to_take_back"


async def test_an_administrator_sees_what_handing_on_would_do(house: House, people: dict[str, Client]) -> None:
    await name(people["zhao"], house)
    task = await start(people["lin"], 120_000)
    preview = await people["he"].post(f"/tasks/{task}/preview", {"verb": "transfer", "to": "li"})
    assert (preview.status_code, preview.json()["refused"]) == (200, ""), preview.text
    assert (await people["he"].post(f"/tasks/{task}/preview", {"verb": "complete"})).status_code == 403


async def test_a_substitute_keeps_a_draft_of_their_own(house: House, people: dict[str, Client]) -> None:
    task = await start(people["lin"])
    assert (await people["sun"].send("PUT", f"/drafts/{task}", json={"data": {"a": 1}})).status_code == 403
    await name(people["zhao"], house)
    assert (await people["sun"].send("PUT", f"/drafts/{task}", json={"data": {"a": 1}})).status_code == 200
    assert (await people["sun"].get(f"/drafts/{task}")).json()["data"] == {"a": 1}
    assert (await people["zhao"].get(f"/drafts/{task}")).json()["data"] is None


# Substitutes of substitutes


async def passed_on(house: House, people: dict[str, Client], **changes: Any) -> None:
    """孙磊 stands in for 赵总, who lets him pass it on, and 李娜 for 孙磊."""
    await name(people["zhao"], house, passes_on=True)
    await name(people["sun"], house, substitute="li", processes=[], amount_max=50_000, **changes)


async def test_a_substitutes_substitute_acts_where_the_principal_allows_it_and_the_record_names_everybody(
    house: House, people: dict[str, Client]
) -> None:
    await passed_on(house, people)
    task = await start(people["lin"])
    assert all([task in await ids(people[person]) for person in ("zhao", "sun", "li")])
    row = (await people["li"].get(f"/tasks/{task}")).json()
    assert (row["assignee"]["id"], row["on_behalf_of"]["id"]) == ("zhao", "zhao")
    assert (await complete(people["li"], task)).status_code == 200
    instance = task.split("-")[0]
    timeline = (await people["lin"].get(f"/instances/{instance}/timeline")).json()["items"]
    done = next(item for item in timeline if item["kind"] == "task.completed")
    assert (done["actor"]["id"], done["on_behalf_of"]["id"]) == ("li", "zhao")
    assert [person["id"] for person in done["via"]] == ["sun"]
    audit = (await people["li"].get(f"/instances/{instance}/audit")).json()["items"]
    entry = next(item for item in audit if item["action"] == "complete_task")
    assert [person["name"] for person in entry["via"]] == ["孙磊"]


async def test_every_limit_on_the_way_holds(house: House, people: dict[str, Client]) -> None:
    await passed_on(house, people)
    beyond_li, beyond_sun, other = (
        await start(people["lin"], 60_000),
        await start(people["lin"], 120_000),
        await start(people["lin"], process="other"),
    )
    assert await ids(people["li"]) & {beyond_li, beyond_sun, other} == set()
    for task in (beyond_li, beyond_sun, other):
        assert (await complete(people["li"], task)).status_code == 403
    assert beyond_li in await ids(people["sun"])
    assert beyond_sun not in await ids(people["sun"])


async def test_a_way_ends_with_any_of_its_substitutions(house: House, people: dict[str, Client]) -> None:
    await passed_on(house, people, until=format_instant(house.clock.now_ms() + 2 * DAY_MS))
    task = await start(people["lin"])
    assert task in await ids(people["li"])
    house.clock.offset_ms += 3 * DAY_MS
    assert task not in await ids(await house.sign_in("li"))
    assert task in await ids(await house.sign_in("sun"))


async def test_nobody_on_the_way_may_have_started_the_request(house: House, people: dict[str, Client]) -> None:
    await passed_on(house, people)
    for starter in ("sun", "li"):
        task = await start(people[starter])
        assert task not in await ids(people["li"])
        refused = await complete(people["li"], task)
        # 李娜 sees her own request, and of that of 孙磊 nothing at all.
        assert refused.status_code == 403
        assert (await complete(people["zhao"], task)).status_code == 200


async def test_a_way_does_not_come_back_to_who_is_on_it(house: House, people: dict[str, Client]) -> None:
    await passed_on(house, people, passes_on=True)
    await name(people["li"], house, substitute="zhao", processes=[], amount_max=None, passes_on=True)
    task = await start(people["lin"])
    view = (await people["zhao"].get(f"/tasks/{task}")).json()
    assert view["on_behalf_of"] is None
    assert (await complete(people["zhao"], task)).status_code == 200
    timeline = (await people["lin"].get(f"/instances/{task.split('-')[0]}/timeline")).json()["items"]
    done = next(item for item in timeline if item["kind"] == "task.completed")
    assert (done["actor"]["id"], done["on_behalf_of"], done["via"]) == ("zhao", None, [])


async def test_everybody_on_the_way_is_told(house: House, people: dict[str, Client]) -> None:
    await passed_on(house, people)
    task = await start(people["lin"])
    await people["lin"].post(f"/tasks/{task}/urge", {"text": "急"})
    await house.noria.projector.catch_up()
    for person in ("zhao", "sun", "li"):
        notices = (await people[person].get("/notices")).json()["items"]
        assert [notice["kind"] for notice in notices] == ["urged"], person


async def test_whose_roles_exclude_each_other_are_not_on_one_way(house: House, people: dict[str, Client]) -> None:
    await name(people["zhao"], house, substitute="li", passes_on=True)
    await name(people["li"], house, substitute="he")
    # 何 is a process owner; 钱, an auditor, would be on one way with him.
    assert await start(people["lin"]) in await ids(people["he"])
    qian = await house.sign_in("qian")
    answer = await qian.post("/substitutions", {"substitute": "li", "until": "2099-01-01", "passes_on": True})
    assert answer.status_code == 201, answer.text
    own = """
startEvent start
userTask look assignee=qian
endEvent end
start -> look -> end
""".strip().splitlines()
    files = {"file": ("own.bpmn", draw(own, "own"))}
    assert (await people["he"].send("POST", "/deployments", files=files)).status_code == 201
    task = await start(people["lin"], process="own")
    assert task in await ids(people["li"])
    assert task not in await ids(people["he"])


# Opinions


async def asked(house: House, people: dict[str, Client]) -> str:
    """李娜 asks 赵总 for his opinion; gives the id of the opinion."""
    simple = "startEvent start\nuserTask check assignee=li\nendEvent end\nstart -> check -> end".splitlines()
    files = {"file": ("simple.bpmn", draw(simple, "simple"))}
    assert (await people["he"].send("POST", "/deployments", files=files)).status_code == 201
    task = await start(people["lin"], process="simple")
    answer = await people["li"].post(f"/tasks/{task}/consult", {"people": ["zhao"], "text": "如何？"})
    assert answer.status_code == 200, answer.text
    return next(iter(await ids(people["zhao"])))


async def test_a_substitute_answers_for_the_principal(house: House, people: dict[str, Client]) -> None:
    opinion = await asked(house, people)
    assert opinion not in await ids(people["sun"])
    assert (await people["sun"].post(f"/tasks/{opinion}/answer", {"text": "可"})).status_code == 403
    await name(people["zhao"], house, processes=[], amount_max=None)
    assert opinion in await ids(people["sun"])
    view = (await people["sun"].get(f"/tasks/{opinion}")).json()
    assert (view["allowed"], view["on_behalf_of"]["id"]) == (["answer"], "zhao")
    answer = await people["sun"].post(f"/tasks/{opinion}/answer", {"text": "可以"})
    assert answer.status_code == 200, answer.text
    timeline = (await people["lin"].get(f"/instances/{opinion.split('-')[0]}/timeline")).json()["items"]
    given = next(item for item in timeline if item["kind"] == "opinion.given")
    assert (given["actor"]["id"], given["on_behalf_of"]["id"], given["comment"]) == ("sun", "zhao", "可以")
    assert opinion not in await ids(people["zhao"])


async def test_an_opinion_is_not_given_beyond_the_limit_nor_on_a_request_of_ones_own(
    house: House, people: dict[str, Client]
) -> None:
    opinion = await asked(house, people)
    await name(people["zhao"], house, processes=[], amount_max=100)
    refused = await people["sun"].post(f"/tasks/{opinion}/answer", {"text": "可"})
    assert refused.status_code == 403
    await name(people["zhao"], house, substitute="lin", processes=[], amount_max=None)
    own = await people["lin"].post(f"/tasks/{opinion}/answer", {"text": "可"})
    assert (own.status_code, own.json()["code"]) == (403, "substitute.own_request")
    assert opinion in await ids(people["zhao"])
