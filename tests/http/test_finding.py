"""Looking for something in the lists, and filters that are saved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.house import Client, House
from tests.http.test_field_access import begin, deploy


async def keys(client: Client, path: str = "/instances", **query: object) -> list[str]:
    answer = await client.get(path, **query)
    assert answer.status_code == 200, answer.text
    return [item["business_key"] for item in answer.json()["items"]]


async def save(client: Client, name: str, of: str = "instances", **query: object) -> Any:
    return await client.post("/filters", {"list": of, "name": name, "query": query})


# Looking


async def test_conditions_hold_together_and_each_list_takes_them(house: House) -> None:
    lin = await house.sign_in("lin")
    small, large = [(await lin.start(amount=amount))["business_key"] for amount in (800, 90_000)]
    assert await keys(lin, field=["amount>=800", "supplier~精工"]) == [large, small]
    assert await keys(lin, field=["amount>=800", "amount<9e4"], starter="lin") == [small]
    assert await keys(lin, q="轴承 6204", field="amount=90000", box="started") == [large]
    wang = await house.sign_in("wang")
    assert await keys(wang, "/tasks", field="amount>800") == [large]
    assert (await wang.complete()).status_code == 200
    done = await keys(wang, "/tasks", box="done")
    assert await keys(wang, "/tasks", box="done", field="amount>0", actor="wang") == done
    assert len(done) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"field": "amount"}, "filter.syntax"),
        ({"field": "amuont>5"}, "filter.unknown_field"),
        ({"field": "amount>five"}, "filter.value"),
        ({"holder": "nobody"}, "person.not_found"),
    ],
)
async def test_a_wrong_condition_is_a_problem_that_names_its_parameter(
    house: House, query: dict[str, str], code: str
) -> None:
    lin = await house.sign_in("lin")
    for path in ("/instances", "/tasks"):
        answer = await lin.get(path, **query)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code)
        assert problem["details"]["parameter"] == next(iter(query))
        assert problem["details"]["given"] == next(iter(query.values()))


async def test_what_some_step_hides_is_found_by_nobody_but_who_may_read_all(house: House) -> None:
    lin, started = await begin(house)
    he = await house.sign_in("he")
    assert [item["id"] for item in (await he.get("/instances", q="机密")).json()["items"]] == [started["id"]]
    assert (await he.get("/instances", field="margin~机密")).json()["total"] == 1
    assert (await he.get("/instances", field="secret_sum>=42")).json()["total"] == 1
    for client in (lin, await house.sign_in("wang"), await house.sign_in("li")):
        assert (await client.get("/instances", q="机密")).json()["total"] == 0
        assert (await client.get("/tasks", q="机密")).json()["total"] == 0
        for field in ("margin~机密", "margin=机密 31%", "secret_sum>0"):
            assert (await client.get("/instances", field=field)).json()["code"] == "filter.unknown_field"
        names = {field["name"] for field in (await client.get("/filters/fields", process="offer")).json()["items"]}
        assert names == {"subject", "price", "remark"}
    assert (await lin.get("/instances", field="price=21")).json()["total"] == 1


async def test_the_fields_of_a_process_come_with_what_its_forms_call_them(house: House) -> None:
    lin = await house.sign_in("lin")
    items = (await lin.get("/filters/fields", process="purchase")).json()["items"]
    fields = {field["name"]: field for field in items}
    assert fields["amount"] == {"name": "amount", "label": "总金额（元）", "type": "number", "choices": []}
    assert fields["needed_on"]["type"] == "date"
    assert ["material", "原材料"] in fields["category"]["choices"]
    assert (await lin.get("/filters/fields", process="nothing")).status_code == 404


# Saving


async def test_a_filter_is_saved_listed_changed_and_forgotten(house: House) -> None:
    lin = await house.sign_in("lin")
    made = await save(lin, " 大额 ", q="轴承", process="purchase", status="open", field=["amount>=50000"])
    assert made.status_code == 201
    kept = made.json()
    assert (kept["name"], kept["list"], kept["problems"]) == ("大额", "instances", [])
    assert kept["query"] == {"q": "轴承", "process": "purchase", "status": "open", "field": ["amount>=50000"]}
    other = (await save(lin, "大额", "tasks", box="done")).json()
    assert [item["id"] for item in (await lin.get("/filters")).json()["items"]] == [kept["id"], other["id"]]
    assert [item["id"] for item in (await lin.get("/filters", list="tasks")).json()["items"]] == [other["id"]]
    order = {"list": "instances", "name": "更大", "query": {"field": ["amount>=90000"]}}
    changed = await lin.send("PUT", f"/filters/{kept['id']}", json=order)
    assert (changed.status_code, changed.json()["name"]) == (200, "更大")
    assert (await lin.get("/filters", list="instances")).json()["items"] == [changed.json()]
    assert (await lin.send("DELETE", f"/filters/{kept['id']}")).status_code == 204
    assert (await lin.send("DELETE", f"/filters/{kept['id']}")).status_code == 404
    assert (await lin.get("/filters", list="instances")).json()["items"] == []


@pytest.mark.parametrize(
    ("name", "query", "status", "code"),
    [
        ("", {}, 422, "filter.name"),
        ("x" * 61, {}, 422, "filter.name"),
        ("大额", {}, 409, "filter.exists"),
        ("新", {"field": ["amount"]}, 422, "filter.syntax"),
        ("新", {"field": ["nothing=1"]}, 422, "filter.unknown_field"),
        ("新", {"starter": "nobody"}, 422, "person.not_found"),
        ("新", {"box": "mine"}, 422, "filter.box"),
        ("新", {"process": "nothing"}, 404, "not_found"),
        ("新", {"status": "asleep"}, 400, "request.invalid"),
    ],
)
async def test_a_filter_that_could_not_be_used_is_not_saved(
    house: House, name: str, query: dict[str, object], status: int, code: str
) -> None:
    lin = await house.sign_in("lin")
    kept = (await save(lin, "大额")).json()
    answer = await save(lin, name, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await lin.get("/filters")).json()["items"] == [kept]


async def test_renaming_to_a_name_that_is_taken_changes_nothing(house: House) -> None:
    lin = await house.sign_in("lin")
    one, two = [(await save(lin, name)).json() for name in ("一", "二")]
    order = {"list": "instances", "name": "二", "query": {}}
    assert (await lin.send("PUT", f"/filters/{one['id']}", json=order)).json()["code"] == "filter.exists"
    assert [item["name"] for item in (await lin.get("/filters")).json()["items"]] == ["一", "二"]
    assert two["name"] == "二"


async def test_filters_are_everybody_s_own(house: House) -> None:
    lin, chen = await house.sign_in("lin"), await house.sign_in("chen")
    kept = (await save(lin, "大额")).json()
    assert (await chen.get("/filters")).json()["items"] == []
    order = {"list": "instances", "name": "mine", "query": {}}
    assert (await chen.send("PUT", f"/filters/{kept['id']}", json=order)).status_code == 404
    assert (await chen.send("DELETE", f"/filters/{kept['id']}")).status_code == 404
    assert (await save(chen, "大额")).status_code == 201
    assert (await lin.get("/filters")).json()["items"] == [kept]


async def test_no_more_filters_are_kept_than_anybody_can_choose_from(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noria.operate.saved_filters.FILTERS_MAX", 2)
    lin = await house.sign_in("lin")
    for name in ("一", "二"):
        assert (await save(lin, name)).status_code == 201
    refused = await save(lin, "三")
    assert (refused.status_code, refused.json()["code"]) == (422, "filter.too_many_saved")


async def test_a_filter_that_names_a_field_which_is_gone_says_so(house: House) -> None:
    lin, _ = await begin(house)
    await save(lin, "好", field=["price>1", "subject~泵"])
    await save(lin, "旧", process="offer", field=["price>1"])
    # From the next version on the price is for those alone who may read all.
    assert (await deploy(house, 'noria:hiddenFields="price, margin, secret_sum, sheet"')).status_code == 201
    here, there = (await lin.get("/filters")).json()["items"]
    (problem,) = here["problems"]
    assert (problem["parameter"], problem["given"], problem["code"]) == ("field", "price>1", "filter.unknown_field")
    assert (await lin.get("/instances", field="price>1")).json()["code"] == "filter.unknown_field"
    # Who names the process means its requests of before, too.
    assert there["problems"] == []
    assert (await lin.get("/instances", process="offer", field="price>1")).json()["total"] == 1
