"""Adaptive routing over REST: the day, what integrators say and the load decide the way, and the case says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from noria.adapters.demo.company import DEMO_TENANT
from noria.kernel.instants import InstantMs, format_instant, parse_instant
from noria.trust.people import Person
from tests.house import eventually
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

EXAMPLE = Path(__file__).parents[2] / "examples" / "urgent"
DAYS = {f"2037-10-0{day}": "国庆节" for day in (1, 2, 3, 4, 5, 6, 7)}
STOCK = """
  startEvent start
  exclusiveGateway enough
  userTask take assignee=lin
  userTask buy assignee=wang
  endEvent end
  start -> enough
  enough -[facts.environment.bearings >= quantity]-> take
  enough -default-> buy
  take -> end
  buy -> end
"""
LOADED = """
  startEvent start
  userTask work assignee="= if facts.load.people.wang > 1 then \\"lin\\" else \\"wang\\""
  endEvent end
  start -> work -> end
"""


def at(house: House, text: str) -> None:
    """Set the clock."""
    house.clock.offset_ms += parse_instant(text) - house.clock.now_ms()


async def deploy(he: Client, files: dict[str, bytes]) -> None:
    answer = await he.send("POST", "/deployments", files=[("files", item) for item in files.items()])
    assert answer.status_code == 201, answer.text


async def start(client: Client, process: str, **variables: object) -> str:
    answer = await client.post("/instances", {"process": process, "variables": variables})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def held_at(client: Client, iid: str) -> str:
    return str((await client.get(f"/instances/{iid}")).json()["open_tasks"][0]["element"]["id"])


async def reasons(client: Client, iid: str, kind: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/instances/{iid}/reasons")
    assert answer.status_code == 200, answer.text
    return [item for item in answer.json()["items"] if item["kind"] == kind]


async def with_holidays(house: House) -> None:
    """The days of October 2037, which has those of 2026; and somebody on duty."""
    he = await house.sign_in("he")
    view = (await he.get("/calendars/default")).json()
    order = {name: view[name] for name in ("zone", "week", "horizon", "hours", "name")}
    holidays = {day: name for day, name in view["holidays"].items() if not day.startswith("2037-10")} | DAYS
    workdays = [*(day for day in view["workdays"] if not day.startswith("2037-10")), "2037-10-10"]
    answer = await he.post(
        "/calendars/default", {**order, "holidays": holidays, "workdays": workdays, "base": view["version"]}
    )
    assert answer.status_code == 201, answer.text
    duty = Person("zhou", "zhou", "周值班", "it", roles=("employee", "duty_approver"))
    await house.noria.people.put(DEMO_TENANT, [duty], [], house.clock.now_ms())
    await deploy(he, {path.name: path.read_bytes() for path in EXAMPLE.iterdir()})


@pytest.mark.parametrize(
    ("day", "urgent", "place", "rule"),
    [
        ("2037-09-30", True, "gm_review", "otherwise"),
        ("2037-10-01", True, "duty_review", "urgent_on_a_holiday"),
        ("2037-10-01", False, "gm_review", "otherwise"),
        ("2037-10-08", True, "gm_review", "otherwise"),
        ("2037-10-10", True, "gm_review", "otherwise"),
        ("2037-10-11", True, "duty_review", "urgent_on_a_holiday"),
    ],
)
async def test_the_day_decides_who_is_asked_and_the_case_says_why(
    house: House, day: str, urgent: bool, place: str, rule: str
) -> None:
    at(house, f"{day}T10:00:00+08:00")
    await with_holidays(house)
    lin = await house.sign_in("lin")
    iid = await start(lin, "urgent", title="停机", urgent=urgent)
    assert await held_at(lin, iid) == place

    (decision,) = await reasons(lin, iid, "decision")
    assert [row["rule"] for row in decision["matched"]] == [rule]
    assert (decision["calendar"], decision["calendar_version"]) == ("default", 2)
    assert decision["facts"]["calendar"]["date"] == day
    assert decision["facts"]["calendar"]["holiday"] == ("国庆节" if day == "2037-10-01" else None)
    (route,) = await reasons(lin, iid, "route")
    assert [flow["to"]["id"] for flow in route["chosen"]] == [place]
    # What a model says is for who may read models.
    assert {flow["condition"] for flow in route["chosen"]} == {""}

    he = await house.sign_in("he")
    (made,) = (await he.get(f"/instances/{iid}/decisions")).json()["items"]
    assert made["same"] is True
    assert made["explanation"]["tables"][0]["inputs"][1]["expression"] == "facts.calendar.working_day"


async def test_a_decision_keeps_its_reason_when_the_calendar_changes(house: House) -> None:
    at(house, "2037-10-01T10:00:00+08:00")
    await with_holidays(house)
    lin, he = await house.sign_in("lin"), await house.sign_in("he")
    iid = await start(lin, "urgent", title="停机", urgent=True)
    view = (await he.get("/calendars/default")).json()
    order = {name: view[name] for name in ("zone", "week", "horizon", "hours", "name", "workdays")}
    await he.post("/calendars/default", {**order, "holidays": {}, "base": view["version"]})
    again = await start(lin, "urgent", title="停机", urgent=True)
    assert (await held_at(lin, iid), await held_at(lin, again)) == ("duty_review", "gm_review")
    (before,) = await reasons(lin, iid, "decision")
    (after,) = await reasons(lin, again, "decision")
    assert (before["calendar_version"], after["calendar_version"]) == (2, 3)
    (made,) = (await he.get(f"/instances/{iid}/decisions")).json()["items"]
    assert made["same"] is True


async def test_stock_that_an_integrator_posts_decides_while_it_is_valid(house: House) -> None:
    he, lin, robot = await house.sign_in("he"), await house.sign_in("lin"), await house.sign_in("robot")
    await deploy(he, {"stock.bpmn": draw(STOCK.splitlines(), "stock")})
    said = await robot.send("PUT", "/facts/bearings", json={"value": 100})
    assert (said.status_code, said.json()["version"]) == (200, 1)
    await robot.send("PUT", "/facts/weather", json={"value": "雨"})
    iid = await start(lin, "stock", quantity=40)
    assert await held_at(lin, iid) == "take"
    (route,) = await reasons(he, iid, "route")
    assert route["facts"] == {"environment": {"bearings": 100}}
    assert route["versions"] == {"bearings": 1}
    assert route["chosen"][0]["condition"] == "facts.environment.bearings >= quantity"

    until = "2999-01-01T00:00:00Z"
    later = await robot.send("PUT", "/facts/bearings", json={"value": 3, "valid_until": until})
    assert later.json()["version"] == 2
    assert await held_at(lin, await start(lin, "stock", quantity=40)) == "buy"
    said = await robot.send("PUT", "/facts/bearings", json={"value": 900, "valid_from": "2998-01-01T00:00:00Z"})
    assert said.json()["version"] == 3
    assert [fact["value"] for fact in (await he.get("/facts")).json()["items"]] == [3, "雨"]
    history = (await he.get("/facts/bearings")).json()["items"]
    assert [(fact["version"], fact["value"]) for fact in history] == [(3, 900), (2, 3), (1, 100)]
    assert history[0]["observed_by"]["id"] == "robot"


async def test_what_is_valid_no_more_gives_way_to_what_was_said_before(house: House) -> None:
    robot, he = await house.sign_in("robot"), await house.sign_in("he")
    await robot.send("PUT", "/facts/bearings", json={"value": 100})
    end = house.clock.now_ms() + 60_000
    await robot.send("PUT", "/facts/bearings", json={"value": 0, "valid_until": format_instant(InstantMs(end))})
    assert [fact["value"] for fact in (await he.get("/facts")).json()["items"]] == [0]
    house.clock.offset_ms += 120_000
    assert [fact["value"] for fact in (await he.get("/facts")).json()["items"]] == [100]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("9lives", {"value": 1}, "fact.bad_name"),
        ("a.b", {"value": 1}, "fact.bad_name"),
        ("big", {"value": "x" * 5_000}, "fact.too_large"),
        ("past", {"value": 1, "valid_until": "2001-01-01T00:00:00Z"}, "fact.bad_period"),
        ("odd", {"value": 1, "valid_from": "yesterday"}, "request.invalid"),
    ],
)
async def test_what_cannot_be_used_is_refused(house: House, name: str, body: dict[str, object], code: str) -> None:
    robot = await house.sign_in("robot")
    answer = await robot.send("PUT", f"/facts/{name}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert (await robot.get(f"/facts/{name}")).status_code == 404


async def test_who_may_not_speak_of_the_world_is_refused(house: House) -> None:
    lin = await house.sign_in("lin")
    assert (await lin.send("PUT", "/facts/bearings", json={"value": 1})).status_code == 403
    assert (await lin.get("/facts")).status_code == 403


async def test_work_goes_to_who_has_less_of_it(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, {"loaded.bpmn": draw(LOADED.splitlines(), "loaded")})
    for _ in range(2):
        await start(lin, "loaded")

    async def counted() -> bool:
        return house.noria.facts(DEMO_TENANT).load_people.get("wang", 0) > 1

    await eventually(counted)
    iid = await start(lin, "loaded")
    (why,) = await reasons(he, iid, "people")
    assert (why["people"], why["facts"]["load"]["people"]["wang"]) == (["lin"], 2)
    assert (why["names"]["lin"], why["names"]["wang"]) == ("林晓", "王强")
