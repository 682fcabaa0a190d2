"""People and units over REST: history, changes ahead, acting managers, and what the policy makes of them."""

from __future__ import annotations

from noria.kernel.instants import DAY_MS, format_instant
from tests.http.house import Client, House

LIN = {"id": "lin", "username": "lin", "name": "林晓", "unit": "purchasing", "roles": ["employee"]}


async def person(he: Client, key: str, at: str = "") -> dict[str, object]:
    listed = (await he.get("/admin/people", at=at)).json()["items"]
    return next(item for item in listed if item["id"] == key)


async def test_a_move_that_is_entered_ahead_is_seen_at_its_date_and_not_before(house: House) -> None:
    he = await house.sign_in("he")
    day = format_instant(house.clock.now_ms() + 9 * DAY_MS)
    answer = await he.send("PUT", "/admin/people/lin", json={**LIN, "unit": "it", "valid_from": day})
    assert answer.json()["unit"] == {"id": "it", "name": "信息部"}
    assert (await person(he, "lin"))["unit"]["id"] == "purchasing"
    assert (await person(he, "lin", day))["unit"]["id"] == "it"
    changes = (await he.get("/admin/people/lin/changes")).json()["items"]
    assert [(item["ahead"], item["fields"]) for item in changes][1:] == [(True, {"unit": "it"})]
    assert changes[1]["by"]["id"] == "he"
    house.clock.offset_ms += 10 * DAY_MS
    he = await house.sign_in("he")
    assert (await person(he, "lin"))["managers"] == [{"id": "he", "name": "何静"}, {"id": "zhao", "name": "赵总"}]


async def test_the_organisation_of_a_past_date_can_be_asked(house: House) -> None:
    he = await house.sign_in("he")
    before = format_instant(house.clock.now_ms())
    house.clock.offset_ms += 1_000
    await he.post("/admin/units", {"id": "purchasing", "name": "采购中心", "parent": "chenghai", "manager": "wang"})
    names = {
        at: [
            unit["name"] for unit in (await he.get("/admin/units", at=at)).json()["items"] if unit["id"] == "purchasing"
        ]
        for at in (before, "", "2020-01-01")
    }
    assert names == {before: ["采购部"], "": ["采购中心"], "2020-01-01": []}


async def test_a_change_ahead_can_be_taken_back_and_one_in_force_cannot(house: House) -> None:
    he = await house.sign_in("he")
    now, later = house.clock.now_ms(), format_instant(house.clock.now_ms() + DAY_MS)
    await he.send("PUT", "/admin/people/lin", json={**LIN, "active": False, "valid_from": later})
    assert (await he.send("DELETE", f"/admin/people/lin/changes/{later}")).status_code == 204
    assert len((await he.get("/admin/people/lin/changes")).json()["items"]) == 1
    gone = await he.send("DELETE", f"/admin/people/lin/changes/{later}")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    first = (await he.get("/admin/people/lin/changes")).json()["items"][0]["valid_from"]
    kept = await he.send("DELETE", f"/admin/people/lin/changes/{first}")
    assert (kept.status_code, kept.json()["code"]) == (422, "change.in_force"), now


async def test_whoever_leaves_at_a_date_is_signed_out_then(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    leaving = format_instant(house.clock.now_ms() + 60_000)
    await he.send("PUT", "/admin/people/lin", json={**LIN, "active": False, "valid_from": leaving})
    assert (await lin.get("/tasks")).status_code == 200
    house.clock.offset_ms += 120_000
    assert (await lin.get("/tasks")).status_code == 401
    again = await house.browser().post("/api/session", json={"username": "lin", "password": "noria-demo-2026"})
    assert again.status_code == 401


async def test_an_acting_manager_gets_the_units_tasks_and_sees_its_requests_while_it_lasts(house: House) -> None:
    he, liu, lin = await house.sign_in("he"), await house.sign_in("liu"), await house.sign_in("lin")
    until = format_instant(house.clock.now_ms() + DAY_MS)
    acting = [{"person": "liu", "since": "", "until": until}]
    answer = await he.post(
        "/admin/units",
        {"id": "purchasing", "name": "采购部", "parent": "chenghai", "manager": "wang", "acting": acting},
    )
    assert answer.json()["head"] == {"id": "liu", "name": "刘洋"}
    started = await lin.start()
    assert started["holders"][0]["assignee"]["id"] == "liu"
    assert (await liu.get(f"/instances/{started['id']}")).status_code == 200
    house.clock.offset_ms += 2 * DAY_MS
    lin = await house.sign_in("lin")
    assert (await lin.start())["holders"][0]["assignee"]["id"] == "wang"


async def test_a_further_post_makes_a_candidate_and_what_excludes_each_other_is_refused_whatever_the_post(
    house: House,
) -> None:
    he = await house.sign_in("he")
    posts = [{"unit": "finance_unit", "position": "cashier"}]
    kept = await he.send("PUT", "/admin/people/lin", json={**LIN, "posts": posts, "position": "buyer"})
    assert kept.json()["posts"] == [{"unit": {"id": "finance_unit", "name": "财务部"}, "position": "cashier"}]
    refused = await he.send("PUT", "/admin/people/lin", json={**LIN, "posts": posts, "roles": ["auditor", "sysadmin"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "roles.exclusive")


async def test_a_user_name_changes_at_once_and_not_ahead(house: House) -> None:
    he = await house.sign_in("he")
    ahead = await he.send("PUT", "/admin/people/lin", json={**LIN, "username": "xiao", "valid_from": "2199-01-01"})
    assert ahead.json()["code"] == "person.username_undated"
    assert (await he.send("PUT", "/admin/people/lin", json={**LIN, "username": "wang"})).json()["code"] == (
        "person.username_taken"
    )
    assert (await he.send("PUT", "/admin/people/lin", json={**LIN, "username": "xiao"})).status_code == 200
    await house.sign_in("xiao")


async def test_a_date_that_is_none_is_told(house: House) -> None:
    he = await house.sign_in("he")
    assert (await he.get("/admin/people", at="soon")).status_code == 422
    assert (await he.send("PUT", "/admin/people/lin", json={**LIN, "valid_from": "soon"})).status_code == 422
