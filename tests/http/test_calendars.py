"""Working calendars over REST: looked at, published with what depends on them, given to units."""

from __future__ import annotations

from typing import Any

import pytest

from noria.kernel.instants import parse_instant
from tests.house import eventually
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

LIMITED = """
  startEvent start
  userTask check assignee=he dueIn=P2D calendar=plant remindAt=1
  userTask look assignee=lin dueIn=PT2H calendar=unit
  endEvent end
  start -> check -> look -> end
"""


async def deploy(he: Client) -> None:
    content = draw(LIMITED.splitlines(), "limited")
    answer = await he.send("POST", "/deployments", files=[("files", ("limited.bpmn", content))])
    assert answer.status_code == 201, answer.text


async def begin(client: Client) -> str:
    answer = await client.post("/instances", {"process": "limited", "variables": {}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def at(house: House, text: str) -> None:
    """Set the clock."""
    house.clock.offset_ms += parse_instant(text) - house.clock.now_ms()


PLANT = {
    "zone": "Asia/Shanghai",
    "week": [["09:00-12:00", "13:00-18:00"]] * 5 + [[], []],
    "horizon": "2037-12-31",
    "holidays": {"2038-01-01": "元旦"},
    "name": "工厂日历",
}
"""Knows 2037; what it says of 2038 is what the law always has."""
PLANT_2038 = {
    **PLANT,
    "horizon": "2038-12-31",
    "holidays": {"2038-01-01": "元旦", "2038-01-04": "元旦"},
    "workdays": ["2038-01-09"],
    "base": 1,
    "note": "国务院办公厅通知",
}


async def draft(client: Client, key: str = "default", **changes: object) -> dict[str, Any]:
    view = (await client.get(f"/calendars/{key}")).json()
    kept = ("zone", "week", "horizon", "holidays", "workdays", "hours", "name")
    return {**{name: view[name] for name in kept}, "base": view["version"], **changes}


async def due(client: Client, iid: str) -> str:
    answer = await client.get(f"/instances/{iid}")
    return str(answer.json()["open_tasks"][0]["due_at"])[:16]


async def settled(he: Client, batch: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await he.get(f"/batches/{batch}")).json()
        return found if found["ended_at"] else None

    return await eventually(look)


async def test_a_year_shows_its_holidays_and_make_up_days(house: House) -> None:
    lin = await house.sign_in("lin")
    year = (await lin.get("/calendars/default/years/2026")).json()
    assert (year["working_days"], year["make_up_days"], year["provisional"]) == (248, 6, False)
    days = {day["date"]: day for day in year["days"]}
    assert (days["2026-10-01"]["kind"], days["2026-10-01"]["name"]) == ("holiday", "国庆节")
    assert (days["2026-10-10"]["kind"], days["2026-10-10"]["minutes"]) == ("make_up", 480)
    assert (await lin.get("/calendars/default/years/2027")).json()["provisional"]
    assert (await lin.get("/calendars/default/years/1")).status_code == 422


async def test_publishing_the_next_year_moves_provisional_due_dates_and_lists_them(house: House) -> None:
    at(house, "2037-12-01T09:00:00+08:00")
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await he.post("/calendars/plant", PLANT)
    await deploy(he)
    firm = await begin(lin)
    at(house, "2037-12-31T10:00:00+08:00")
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    moved = await begin(lin)
    assert await due(lin, moved) == "2038-01-05T02:00"

    plan = (await he.post("/calendars/plant/plan", PLANT_2038)).json()
    assert plan["total"] == 1
    (affected,) = plan["affected"]
    assert (affected["instance_id"], affected["element"]["id"]) == (moved, "check")
    assert (affected["before"][:16], affected["after"][:16]) == ("2038-01-05T02:00", "2038-01-06T02:00")
    assert (await lin.get("/calendars/plant")).json()["version"] == 1

    published = await he.post("/calendars/plant", PLANT_2038)
    assert published.status_code == 201, published.text
    assert (published.json()["version"], published.json()["published_by"]["id"]) == (2, "he")
    batch = await settled(he, published.json()["batch"])
    assert (batch["kind"], batch["total"], batch["done"]) == ("derive", 1, 1)
    (item,) = (await he.get(f"/batches/{batch['id']}/items")).json()
    assert item["instance_id"] == moved
    assert item["message"].startswith("check: 2038-01-05T02:00")
    assert await due(lin, moved) == "2038-01-06T02:00"
    assert await due(lin, firm) == "2037-12-03T01:00"
    told = (await he.get(f"/instances/{moved}/timeline")).json()
    assert [item["params"]["version"] for item in told["items"] if item["kind"] == "deadline.moved"] == [2]
    assert (await he.post(f"/batches/{batch['id']}/undo", {"reason": "no"})).status_code == 409


async def test_a_publication_is_a_record_of_the_audit_trail_with_what_changed(house: House) -> None:
    he, auditor = await house.sign_in("he"), await house.sign_in("qian")
    await he.post("/calendars/default", await draft(he, hours={"2037-12-31": ["09:00-12:00"]}, note="半天"))
    records = (await auditor.get("/audit", action="calendar.published")).json()["items"]
    assert (records[0]["actor"]["id"], records[0]["reason"]) == ("he", "半天")


async def test_a_calendar_that_was_published_meanwhile_is_not_overwritten(house: House) -> None:
    he = await house.sign_in("he")
    order = await draft(he, name="公司日历")
    assert (await he.post("/calendars/default", order)).status_code == 201
    again = await he.post("/calendars/default", order)
    assert (again.status_code, again.json()["code"]) == (409, "calendar.stale")
    assert (await he.get("/calendars/default", version=1)).json()["name"] == "办公日历"


@pytest.mark.parametrize(
    ("key", "changes", "code", "field"),
    [
        ("unit", {"base": 0}, "calendar.bad_id", "id"),
        ("a b", {"base": 0}, "calendar.bad_id", "id"),
        ("default", {"zone": "Asia/Nowhere"}, "calendar.bad_zone", "zone"),
        ("default", {"zone": "../etc/passwd"}, "calendar.bad_zone", "zone"),
        ("default", {"week": [["09:00-12:00"]]}, "calendar.bad_hours", "week"),
        ("default", {"week": [["9-12"], *[[]] * 6]}, "calendar.bad_hours", "week.0"),
        ("default", {"week": [["09:00-12:00", "11:00-13:00"], *[[]] * 6]}, "calendar.bad_hours", "week.0"),
        ("default", {"week": [["22:00-06:00"], ["05:00-12:00"], *[[]] * 5]}, "calendar.bad_hours", "week"),
        ("default", {"week": [[]] * 7}, "calendar.no_working_time", "week"),
        ("default", {"holidays": {"2026-02-30": "x"}}, "calendar.bad_date", "holidays"),
        ("default", {"workdays": ["20261010"]}, "calendar.bad_date", "workdays"),
        ("default", {"workdays": ["2026-10-01"]}, "calendar.contradiction", "workdays"),
        ("default", {"horizon": "2025-12-31"}, "calendar.horizon_back", "horizon"),
        ("default", {"name": "x" * 101}, "calendar.bad_name", "name"),
    ],
)
async def test_a_wrong_calendar_is_refused_with_its_field(
    house: House, key: str, changes: dict[str, object], code: str, field: str
) -> None:
    he = await house.sign_in("he")
    order = await draft(he, **changes)
    for path in (f"/calendars/{key}/plan", f"/calendars/{key}"):
        answer = await he.post(path, order)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert answer.json()["details"]["fields"] == {field: code}
    assert (await he.get("/calendars/default")).json()["version"] == 1


async def test_units_work_by_their_own_calendar_or_that_of_the_unit_above(house: House) -> None:
    at(house, "2037-12-01T09:00:00+08:00")
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await he.post("/calendars/plant", PLANT)
    night = await draft(he, base=0, name="夜班", week=[["22:00-06:00"]] * 7, holidays={}, workdays=[])
    assert (await he.post("/calendars/night", night)).status_code == 201
    units = {item["unit"]["id"]: item for item in (await lin.get("/unit-calendars")).json()["items"]}
    purchasing = next(unit for unit in units if unit == "purchasing")
    assert (units[purchasing]["own"], units[purchasing]["calendar"]) == ("", "default")

    given = await he.send("PUT", f"/unit-calendars/{purchasing}", json={"calendar": "night"})
    assert given.json() == {"unit": units[purchasing]["unit"], "own": "night", "calendar": "night"}
    await deploy(he)
    iid = await begin(lin)
    assert (await he.complete()).status_code == 200
    # 09:00 in Shanghai; the night shift begins at 22:00.
    assert await due(lin, iid) == "2037-12-01T16:00"

    missing = await he.send("PUT", f"/unit-calendars/{purchasing}", json={"calendar": "none"})
    assert missing.status_code == 404
    assert (await he.send("PUT", f"/unit-calendars/{purchasing}", json={"calendar": ""})).json()[
        "calendar"
    ] == "default"


async def test_who_may_not_publish_is_refused(house: House) -> None:
    lin = await house.sign_in("lin")
    assert (await lin.post("/calendars/default", await draft(lin))).status_code == 403
    assert (await lin.post("/calendars/default/plan", await draft(lin))).status_code == 403
    assert (await lin.get("/public-holidays/2026")).status_code == 403
    assert (await lin.send("PUT", "/unit-calendars/purchasing", json={"calendar": "default"})).status_code == 403


async def test_the_public_holidays_of_a_year_say_whether_they_are_published(house: House) -> None:
    he = await house.sign_in("he")
    known = (await he.get("/public-holidays/2026")).json()
    assert known["published"]
    assert len(known["workdays"]) == 6
    assert not (await he.get("/public-holidays/2090")).json()["published"]


@pytest.mark.parametrize(
    "line",
    [
        "userTask check assignee=he dueIn=P2D calendar=nobody_has_it",
        "intermediateCatchEvent check timer=P2D calendar=nobody_has_it",
    ],
)
async def test_a_calendar_that_nobody_has_refuses_deployment_and_names_the_element(house: House, line: str) -> None:
    he = await house.sign_in("he")
    content = draw(["startEvent start", line, "endEvent end", "start -> check -> end"], "limited")
    answer = await he.send("POST", "/deployments", files=[("files", ("limited.bpmn", content))])
    assert answer.status_code == 422
    (finding,) = answer.json()["details"]["findings"]
    assert (finding["severity"], finding["code"], finding["element"]) == ("error", "calendar.unknown", "check")
    assert "nobody_has_it" in finding["message"]
