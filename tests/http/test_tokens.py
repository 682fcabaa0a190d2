"""Access tokens: what programs sign in with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.house import PURCHASE, Client, House

DAY_MS = 86_400_000


async def made(client: Client, **order: object) -> dict[str, Any]:
    answer = await client.post("/tokens", {"name": "ERP", **order})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_a_program_acts_as_the_person_who_made_its_token_without_a_cookie(house: House) -> None:
    robot = await house.sign_in("robot")
    new = await made(robot, days=30)
    program = house.browser()
    found = await program.post(
        "/api/jobs/fetch-and-lock",
        json={"worker": "w", "topics": [{"topic": "order"}]},
        headers=bearer(new["secret"]),
    )
    assert (found.status_code, found.json()) == (200, {"items": []})
    refused = await program.get("/api/admin/people", headers=bearer(new["secret"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "permission.denied")
    shown = (await robot.get("/tokens")).json()["items"]
    assert [(item["name"], item["person"]["id"], item["expired"]) for item in shown] == [("ERP", "robot", False)]
    assert shown[0]["used_at"] is not None
    assert new["secret"] not in (await robot.get("/tokens")).text


async def test_what_a_token_does_is_on_record_with_the_token(house: House) -> None:
    lin = await house.sign_in("lin")
    new = await made(lin)
    program = house.browser()
    started = await program.post(
        "/api/instances", json={"process": "purchase", "variables": PURCHASE}, headers=bearer(new["secret"])
    )
    assert started.status_code == 201, started.text
    auditor = await house.sign_in("qian")
    records = (await auditor.get("/audit", limit=100)).json()["items"]
    created = [item for item in records if item["action"] == "token.created"]
    assert [(item["actor"]["id"], item["object"]["id"]) for item in created] == [("lin", new["token"]["id"])]
    entry = (await auditor.get(f"/instances/{started.json()['id']}/audit")).json()["items"][0]
    assert (entry["actor"]["id"], entry["device"]) == ("lin", "Tests/1")
    assert new["secret"] not in str(records)


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer noria_unknown", "bearer noria_"])
async def test_what_is_no_token_is_refused(house: House, header: str) -> None:
    answer = await house.browser().get("/api/tasks", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_is_not_taken_once_it_is_revoked_or_expired_or_its_person_has_left(house: House) -> None:
    lin, admin = await house.sign_in("lin"), await house.sign_in("he")
    first, second = await made(lin), await made(lin, days=2)
    program = house.browser()

    async def status(new: dict[str, Any]) -> int:
        return (await program.get("/api/tasks", headers=bearer(new["secret"]))).status_code

    assert (await status(first), await status(second)) == (200, 200)
    assert (await lin.send("DELETE", f"/tokens/{first['token']['id']}")).status_code == 204
    assert (await status(first), await status(second)) == (401, 200)
    person = next(item for item in (await admin.get("/admin/people")).json()["items"] if item["id"] == "lin")
    order = {name: person[name] for name in ("id", "username", "name", "roles")}
    assert (await admin.send("PUT", "/admin/people/lin", json={**order, "active": False})).status_code == 200
    assert await status(second) == 401
    assert (await admin.send("PUT", "/admin/people/lin", json={**order, "active": True})).status_code == 200
    assert await status(second) == 200
    house.clock.offset_ms += 2 * DAY_MS
    assert await status(second) == 401


async def test_a_token_makes_no_tokens_and_changes_no_password(house: House) -> None:
    lin = await house.sign_in("lin")
    secret = (await made(lin))["secret"]
    program = house.browser()
    for method, path, body in (
        ("POST", "/tokens", {"name": "another"}),
        ("PUT", "/session/password", {"old": "a", "new": "b"}),
        ("GET", "/session", None),
    ):
        answer = await program.request(method, f"/api{path}", json=body, headers=bearer(secret))
        assert (answer.status_code, answer.json()["code"]) == (401, "session.required"), path


async def test_administrators_see_all_tokens_and_take_them_back_and_others_only_their_own(house: House) -> None:
    lin, wang, admin = [await house.sign_in(name) for name in ("lin", "wang", "he")]
    key = (await made(lin))["token"]["id"]
    assert (await wang.get("/tokens")).json()["items"] == []
    assert (await wang.get("/admin/tokens")).status_code == 403
    assert (await wang.send("DELETE", f"/tokens/{key}")).status_code == 404
    assert [item["id"] for item in (await admin.get("/admin/tokens")).json()["items"]] == [key]
    assert (await admin.send("DELETE", f"/tokens/{key}")).status_code == 204
    assert (await lin.get("/tokens")).json()["items"] == []


@pytest.mark.parametrize(
    ("order", "code"),
    [({"name": " "}, "token.name"), ({"days": 0}, "token.days"), ({"days": 731}, "token.days")],
)
async def test_a_token_has_a_purpose_and_an_end(house: House, order: dict[str, object], code: str) -> None:
    lin = await house.sign_in("lin")
    answer = await lin.post("/tokens", {"name": "ERP", **order})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await lin.get("/tokens")).json()["items"] == []
