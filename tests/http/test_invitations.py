"""Passwords by letter: who is invited, or forgot theirs, sets one by a link, once; nobody learns who has an account."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from noria.kernel.instants import DAY_MS, HOUR_MS, MINUTE_MS
from noria.operate.invitations import ASKING_MAX, LETTERS_A_DAY_MAX
from tests.channels.receivers import Letter, PostOffice, post_office
from tests.http.house import Client, House
from tests.http.test_channels import all_sent, give_address, mail, text_of

CHOSEN = "a-password-of-my-own"


@pytest.fixture
async def house(sending_house: House) -> House:
    await give_address(sending_house, "wang")
    return sending_house


async def administrator(house: House, office: PostOffice, **settings: object) -> Client:
    he = await house.sign_in("he")
    await he.send("PUT", "/admin/notice-settings", json={"public_url": "https://noria.example", **settings})
    assert (await he.post("/admin/channels", mail(office))).status_code == 201
    return he


async def ask(house: House, name: str) -> httpx.Response:
    answer = await house.browser().post("/api/password-links", json={"name": name})
    await house.noria.services.invitations.asked()
    await all_sent(house)
    return answer


async def use(house: House, secret: str, password: str = CHOSEN) -> httpx.Response:
    return await house.browser().post("/api/password-links/use", json={"secret": secret, "password": password})


async def look(house: House, secret: str) -> httpx.Response:
    return await house.browser().post("/api/password-links/look", json={"secret": secret})


async def status_of_sign_in(house: House, username: str, password: str) -> int:
    body = {"username": username, "password": password}
    return (await house.browser().post("/api/session", json=body)).status_code


def secret_in(letter: Letter) -> str:
    found = re.search(r"https://noria\.example/password#([\w-]+)", text_of(letter))
    assert found is not None, text_of(letter)
    return found[1]


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def actions(house: House) -> list[tuple[str, str, str]]:
    qian = await house.sign_in("qian")
    items: list[dict[str, Any]] = (await qian.get("/audit", limit=200)).json()["items"]
    wanted = ("person.invited", "password.asked", "password.chosen")
    return [(one["action"], one["object"]["id"], one["outcome"]) for one in items if one["action"] in wanted]


async def test_who_is_invited_sets_a_password_by_the_link_once_and_signs_in_with_it(house: House) -> None:
    async with post_office() as office:
        he = await administrator(house, office)
        assert (await he.post("/admin/people/wang/invitation")).status_code == 202
        await all_sent(house)
        (letter,) = office.letters
    assert letter.to == ["wang@example.com"]
    assert "您的用户名是 wang。请在 72 小时内打开链接设置密码" in text_of(letter)
    secret = secret_in(letter)
    for _ in range(2):  # looking uses nothing up
        assert (await look(house, secret)).json() == {"name": "王强", "username": "wang"}
    session = await house.sign_in("wang")
    assert (await use(house, secret)).status_code == 204
    assert (await session.get("/tasks")).status_code == 401, "every session has ended"
    assert await status_of_sign_in(house, "wang", CHOSEN) == 201
    for answer in (await use(house, secret, "another-password"), await look(house, secret)):
        assert problem(answer) == (410, "invitation.invalid")
    assert await status_of_sign_in(house, "wang", "another-password") == 401
    assert await actions(house) == [("password.chosen", "wang", "ok"), ("person.invited", "wang", "ok")]


async def test_a_weak_password_leaves_the_link_as_it_is(house: House) -> None:
    async with post_office() as office:
        he = await administrator(house, office)
        await he.post("/admin/people/wang/invitation")
        await all_sent(house)
        secret = secret_in(office.letters[0])
    assert problem(await use(house, secret, "wang-wang-wang")) == (422, "password.weak")
    assert problem(await use(house, secret, "short")) == (422, "password.weak")
    assert (await use(house, secret)).status_code == 204


@pytest.mark.parametrize("name", ["wang", "wang@example.com", " WANG@Example.com "])
async def test_who_forgot_a_password_asks_by_user_name_or_address(house: House, name: str) -> None:
    async with post_office() as office:
        await administrator(house, office)
        assert (await ask(house, name)).status_code == 202
        (letter,) = office.letters
    assert "有人为用户名 wang 申请重设密码" in text_of(letter)
    assert (await use(house, secret_in(letter))).status_code == 204
    assert await status_of_sign_in(house, "wang", CHOSEN) == 201


async def test_nobody_learns_by_asking_whether_there_is_an_account(house: House) -> None:
    async with post_office() as office:
        await administrator(house, office)
        answers = [await ask(house, name) for name in ("wang", "lin", "nobody", "", "x" * 5_000)]
        assert len(office.letters) == 1  # 林晓 has no address
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert ("password.asked", "nobody", "failed") in await actions(house)


async def test_a_link_ends_with_its_time(house: House) -> None:
    async with post_office() as office:
        he = await administrator(house, office)
        await he.post("/admin/people/wang/invitation")
        await all_sent(house)
        await ask(house, "wang")
        house.clock.offset_ms += 6 * MINUTE_MS
        await ask(house, "wang")
        invited, forgotten = (secret_in(letter) for letter in office.letters)
    house.clock.offset_ms += HOUR_MS
    assert problem(await look(house, forgotten)) == (410, "invitation.invalid")
    assert (await look(house, invited)).status_code == 200
    house.clock.offset_ms += 3 * DAY_MS
    assert problem(await use(house, invited)) == (410, "invitation.invalid")


async def test_setting_a_password_ends_every_other_link_of_the_person(house: House) -> None:
    async with post_office() as office:
        await administrator(house, office)
        await ask(house, "wang")
        house.clock.offset_ms += 6 * MINUTE_MS
        await ask(house, "wang")
        first, second = (secret_in(letter) for letter in office.letters)
    assert (await use(house, second)).status_code == 204
    assert problem(await use(house, first)) == (410, "invitation.invalid")


async def test_nobody_is_sent_more_letters_than_a_few(house: House) -> None:
    async with post_office() as office:
        await administrator(house, office)
        for _ in range(LETTERS_A_DAY_MAX + 3):
            for _ in range(2):
                assert (await ask(house, "wang")).status_code == 202
            house.clock.offset_ms += 6 * MINUTE_MS
        assert len(office.letters) == LETTERS_A_DAY_MAX
        he = await house.sign_in("he")
        assert (await he.post("/admin/people/wang/invitation")).status_code == 202
        assert problem(await he.post("/admin/people/wang/invitation")) == (429, "invitation.recently")
        house.clock.offset_ms += DAY_MS
        await ask(house, "wang")
        assert len(office.letters) == LETTERS_A_DAY_MAX + 2


async def test_only_a_hash_of_the_secret_is_kept_and_no_list_shows_it(house: House) -> None:
    async with post_office() as office:
        he = await administrator(house, office)
        await he.post("/admin/people/wang/invitation")
        await all_sent(house)
        secret = secret_in(office.letters[0])
    sent = (await he.get("/deliveries", state="sent")).json()["items"]
    assert [(one["kind"], one["people"][0]["id"]) for one in sent] == [("invitation", "wang")]
    async with house.noria.database.reading() as db:
        for table in ("password_link", "delivery", "audit"):
            rows = (await db.execute(sa.text(f"SELECT * FROM {table}"))).all()  # noqa: S608 - names of our own
            assert rows
            assert secret not in str(rows)


async def test_a_letter_waits_for_no_morning_and_is_tried_again_with_a_link_that_works(house: House) -> None:
    wang = await house.sign_in("wang")
    await wang.send("PUT", "/notices/preference", json={"quiet_from": "00:00", "quiet_to": "23:59", "per_hour_max": 1})
    async with post_office() as office:
        he = await administrator(house, office)
        office.refused["wang@example.com"] = "451 later"
        await he.post("/admin/people/wang/invitation")
        await all_sent(house)
        assert office.letters == []
        office.refused.clear()
        house.clock.offset_ms += MINUTE_MS
        await all_sent(house)
        assert (await look(house, secret_in(office.letters[0]))).status_code == 200


async def test_a_letter_that_comes_too_late_or_to_who_has_left_is_not_sent(house: House) -> None:
    async with post_office() as office:
        await administrator(house, office)
        office.refused["wang@example.com"] = "451 later"
        await ask(house, "wang")
        office.refused.clear()
        house.clock.offset_ms += 2 * HOUR_MS
        await all_sent(house)
        assert office.letters == []
        he = await house.sign_in("he")
        await he.post("/admin/people/wang/invitation")
        person = next(one for one in (await he.get("/admin/people")).json()["items"] if one["id"] == "wang")
        order = {name: person[name] for name in ("id", "username", "name", "roles", "email")}
        assert (await he.send("PUT", "/admin/people/wang", json={**order, "active": False})).status_code == 200
        await all_sent(house)
        assert office.letters == []
        assert problem(await he.post("/admin/people/wang/invitation")) == (422, "invitation.inactive")
    assert (await he.get("/deliveries", state="dropped")).json()["total"] == 2


async def test_a_link_of_who_has_left_is_not_taken(house: House) -> None:
    async with post_office() as office:
        he = await administrator(house, office)
        await he.post("/admin/people/wang/invitation")
        await all_sent(house)
        secret = secret_in(office.letters[0])
    person = next(one for one in (await he.get("/admin/people")).json()["items"] if one["id"] == "wang")
    order = {name: person[name] for name in ("id", "username", "name", "roles", "email")}
    await he.send("PUT", "/admin/people/wang", json={**order, "active": False})
    assert problem(await use(house, secret)) == (410, "invitation.invalid")


async def test_without_a_channel_for_mail_it_is_said_whoever_asks(house: House) -> None:
    he = await house.sign_in("he")
    for name in ("wang", "nobody"):
        assert problem(await ask(house, name)) == (422, "invitation.no_mail")
    assert problem(await he.post("/admin/people/wang/invitation")) == (422, "invitation.no_mail")
    assert problem(await he.post("/admin/people/lin/invitation")) == (422, "invitation.no_address")
    assert problem(await he.post("/admin/people/nobody/invitation")) == (404, "not_found")


async def test_so_many_may_ask_at_once_and_whoever_comes_then_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def waits(*_: object) -> None:
        await gate.wait()

    async with post_office() as office:
        await administrator(house, office)
        invitations = house.noria.services.invitations
        monkeypatch.setattr(invitations, "_write_to", waits)
        for _ in range(ASKING_MAX):
            await invitations.ask(1, "nobody", "{}")
        answer = await house.browser().post("/api/password-links", json={"name": "wang"})
        assert problem(answer) == (429, "invitation.busy")
        gate.set()
        await invitations.asked()


async def test_who_is_new_by_an_import_is_invited_where_that_is_set(house: House) -> None:
    table = "id,username,name,email\nyun,yun,云飞,yun@example.com\nwang,wang,王强,wang@example.com\nfei,fei,飞云,\n"

    async def load(he: Client, content: str) -> None:
        files = {"file": ("people.csv", content.encode())}
        answer = await he.http.post(
            "/api/admin/people/import?apply=true", files=files, headers={"X-CSRF-Token": he.csrf}
        )
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["applied"], answer.text

    async with post_office() as office:
        he = await administrator(house, office, invites_new=True)
        assert (await he.get("/admin/notice-settings")).json()["invites_new"] is True
        await load(he, table)
        await all_sent(house)
        assert [letter.to for letter in office.letters] == [["yun@example.com"]]
        assert (await use(house, secret_in(office.letters[0]))).status_code == 204
        assert await status_of_sign_in(house, "yun", CHOSEN) == 201
        await load(he, table)
        await he.send(
            "PUT", "/admin/notice-settings", json={"public_url": "https://noria.example", "invites_new": False}
        )
        await load(he, table + "lan,lan,兰兰,lan@example.com\n")
        await all_sent(house)
        assert len(office.letters) == 1


async def test_who_is_new_by_scim_is_invited_where_that_is_set(house: House) -> None:
    async with post_office() as office:
        he = await administrator(house, office, invites_new=True)
        secret = (await he.post("/tokens", {"name": "Entra"})).json()["secret"]
        user = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "yun@example.com",
            "displayName": "云飞",
            "active": True,
            "emails": [{"value": "yun@example.com", "primary": True}],
        }
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/scim+json"}
        answer = await house.browser().post("/scim/v2/Users", json=user, headers=headers)
        assert answer.status_code == 201, answer.text
        await all_sent(house)
        assert [letter.to for letter in office.letters] == [["yun@example.com"]]
    assert (await use(house, secret_in(office.letters[0]))).status_code == 204
    assert await status_of_sign_in(house, "yun@example.com", CHOSEN) == 201


async def test_another_page_cannot_ask_or_use(house: House) -> None:
    for path in ("", "/look", "/use"):
        answer = await house.browser().post(
            f"/api/password-links{path}",
            json={"name": "wang", "secret": "x", "password": CHOSEN},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert problem(answer) == (403, "session.csrf")
