"""Signing in: sessions, lockout, protection against other sites' pages, and what of it is on record."""

from __future__ import annotations

import asyncio

import pytest

from noria.adapters.demo.company import DEMO_PASSWORD
from noria.kernel.instants import HOUR_MS, MINUTE_MS
from tests.http.house import House

WRONG = {"username": "lin", "password": "not the password"}
RIGHT = {"username": "lin", "password": DEMO_PASSWORD}


async def test_the_cookie_is_out_of_reach_of_pages_and_of_other_sites(house: House) -> None:
    answer = await house.browser().post("/api/session", json=RIGHT)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert answer.json()["person"]["name"] == "林晓"
    assert "password" not in answer.text.replace("must_change_password", "")


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(house: House) -> None:
    wrong = await house.browser().post("/api/session", json=WRONG)
    unknown = await house.browser().post("/api/session", json={**WRONG, "username": "nobody"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "session.bad_credentials")
    assert wrong.json()["title"] == unknown.json()["title"]


async def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(house: House) -> None:
    browser = house.browser()
    for _ in range(5):
        assert (await browser.post("/api/session", json=WRONG)).json()["code"] == "session.bad_credentials"
    locked = await browser.post("/api/session", json=RIGHT)
    assert (locked.status_code, locked.json()["code"]) == (401, "session.locked")
    house.clock.offset_ms += 15 * MINUTE_MS
    assert (await browser.post("/api/session", json=RIGHT)).status_code == 201


async def test_wrong_passwords_sent_all_at_once_lock_the_account_too(house: House) -> None:
    browser = house.browser()
    answers = await asyncio.gather(*(browser.post("/api/session", json=WRONG) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {401}
    assert (await browser.post("/api/session", json=RIGHT)).json()["code"] == "session.locked"


@pytest.mark.parametrize(("after_ms", "lives"), [(29 * MINUTE_MS, True), (31 * MINUTE_MS, False)])
async def test_an_idle_session_ends_after_half_an_hour(house: House, after_ms: int, lives: bool) -> None:
    lin = await house.sign_in("lin")
    house.clock.offset_ms += after_ms
    assert (await lin.get("/session")).status_code == (200 if lives else 401)


async def test_a_session_in_use_ends_after_twelve_hours_at_the_latest(house: House) -> None:
    lin = await house.sign_in("lin")
    for _ in range(36):
        assert (await lin.get("/session")).status_code == 200
        house.clock.offset_ms += 20 * MINUTE_MS
    house.clock.offset_ms += MINUTE_MS
    assert (await lin.get("/session")).status_code == 401


async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    lin = await house.sign_in("lin")
    stolen = dict(lin.http.cookies)
    assert (await lin.send("DELETE", "/session")).status_code == 204
    lin.http.cookies.update(stolen)
    assert (await lin.get("/session")).status_code == 401


async def test_every_attempt_is_on_record_with_address_and_device(house: House) -> None:
    await house.browser().post("/api/session", json=WRONG)
    lin = await house.sign_in("lin")
    await lin.send("DELETE", "/session")
    qian = await house.sign_in("qian")
    found = (await qian.get("/audit", actor="lin")).json()["items"]
    assert [(item["action"], item["outcome"]) for item in found] == [
        ("session.sign_out", "ok"),
        ("session.sign_in", "ok"),
        ("session.sign_in", "failed"),
    ]
    assert (found[2]["address"], found[2]["device"]) == ("203.0.113.7", "Tests/1")


async def test_a_new_password_ends_every_other_session(house: House) -> None:
    one, other = await house.sign_in("lin"), await house.sign_in("lin")
    weak = await one.send("PUT", "/session/password", json={"old": DEMO_PASSWORD, "new": "short"})
    assert (weak.status_code, weak.json()["code"]) == (422, "password.weak")
    new = "a-better-passphrase-77"
    assert (await one.send("PUT", "/session/password", json={"old": DEMO_PASSWORD, "new": new})).status_code == 204
    assert (await other.get("/session")).status_code == 401
    await house.sign_in("lin", new)


async def test_a_password_that_an_administrator_set_must_be_changed_before_anything_else(house: House) -> None:
    he = await house.sign_in("he")
    reset = await he.post("/admin/people/chen/password", {"password": "set-by-admin-1"})
    assert reset.status_code == 204
    chen = await house.sign_in("chen", "set-by-admin-1")
    assert (await chen.get("/session")).json()["must_change_password"] is True
    refused = await chen.get("/tasks")
    assert (refused.status_code, refused.json()["code"]) == (403, "password.must_change")
    await chen.send("PUT", "/session/password", json={"old": "set-by-admin-1", "new": "a-phrase-of-ones-own-2"})
    chen = await house.sign_in("chen", "a-phrase-of-ones-own-2")
    assert (await chen.get("/tasks")).status_code == 200


async def test_somebody_who_left_is_signed_out_and_stays_out(house: House) -> None:
    he, chen = await house.sign_in("he"), await house.sign_in("chen")
    body = {"id": "chen", "username": "chen", "name": "陈晨", "unit": "production", "roles": [], "active": False}
    assert (await he.send("PUT", "/admin/people/chen", json=body)).status_code == 200
    assert (await chen.get("/session")).status_code == 401
    assert (await house.browser().post("/api/session", json={**RIGHT, "username": "chen"})).status_code == 401
    house.clock.offset_ms += HOUR_MS
