"""Notices on devices over REST: set up by an administrator, turned on by each person for their own browsers."""

from __future__ import annotations

import sys

import httpx
import pytest

from noria.adapters.database.deliveries import DatabaseDeliveries
from noria.operate.devices import DEVICES_MAX
from tests.channels.browsers import Browser, claims_of
from tests.channels.receivers import Receiver, receiving
from tests.http.house import Client, House

ORDER = {
    "id": "push",
    "kind": "webpush",
    "name": "浏览器推送",
    "settings": {"contact": "mailto:it@noria.example", "hosts": "127.0.0.1"},
}


@pytest.fixture
def house(sending_house: House) -> House:
    return sending_house


async def set_up(house: House) -> tuple[Client, str]:
    """An administrator who has set the channel up, and its public key."""
    he = await house.sign_in("he")
    await he.send("PUT", "/admin/notice-settings", json={"public_url": "https://noria.example"})
    answer = await he.post("/admin/channels", ORDER)
    assert answer.status_code == 201, answer.text
    return he, answer.json()["settings"]["public_key"]


async def added(client: Client, receiver: Receiver, key: str, path: str = "/push") -> Browser:
    browser = Browser(receiver.url + path)
    answer = await client.post("/notices/devices", browser.order(key))
    assert answer.status_code == 201, answer.text
    return browser


async def all_sent(house: House) -> None:
    await house.noria.projector.catch_up()
    await house.noria.sender.send_due()


def problem(answer: httpx.Response) -> tuple[int, str, list[str]]:
    found = answer.json()
    return answer.status_code, found["code"], list(found["details"].get("fields", {}))


async def test_who_holds_a_new_task_is_told_on_their_device_and_the_click_leads_to_its_page(house: House) -> None:
    _, key = await set_up(house)
    wang, lin = await house.sign_in("wang"), await house.sign_in("lin")
    async with receiving() as service:
        browser = await added(wang, service, key)
        started = await lin.start()
        await all_sent(house)
        (request,) = service.requests
    task = await wang.task()
    found = browser.opened(request.body)
    assert (found["path"], found["title"]) == (f"/tasks/{task['id']}", f"新待办：{started['title']}")
    assert claims_of(request, key)["sub"] == "mailto:it@noria.example"
    (device,) = (await wang.get("/notices/devices")).json()["items"]
    assert (device["name"], device["service"], device["used_at"] is not None) == ("Chrome · Android", "127.0.0.1", True)
    # Opening the page decides nothing.
    before = (await wang.get(f"/instances/{started['id']}")).json()["version"]
    assert (await wang.http.get(found["path"])).status_code == 200
    assert (await wang.get(f"/instances/{started['id']}")).json()["version"] == before


async def test_who_has_no_device_is_not_waited_for(house: House) -> None:
    he, _ = await set_up(house)
    await (await house.sign_in("lin")).start()
    await all_sent(house)
    for state in ("waiting", "sent", "dead", "dropped"):
        assert (await he.get("/deliveries", state=state)).json()["total"] == 0, state


async def test_a_person_chooses_what_comes_on_the_device(house: House) -> None:
    _, key = await set_up(house)
    wang = await house.sign_in("wang")
    async with receiving() as service:
        await added(wang, service, key)
        answer = await wang.send("PUT", "/notices/preference", json={"choices": {"task": {"push": False}}})
        assert {"id": "push", "kind": "webpush", "name": "浏览器推送"} in answer.json()["channels"]
        await (await house.sign_in("lin")).start()
        await all_sent(house)
        assert service.requests == []


async def test_a_removed_device_is_told_nothing_and_both_are_on_record(house: House) -> None:
    _, key = await set_up(house)
    wang = await house.sign_in("wang")
    async with receiving() as service:
        await added(wang, service, key)
        (device,) = (await wang.get("/notices/devices")).json()["items"]
        assert (await wang.send("DELETE", f"/notices/devices/{device['id']}")).status_code == 204
        await (await house.sign_in("lin")).start()
        await all_sent(house)
        assert service.requests == []
    assert (await wang.get("/notices/devices")).json()["items"] == []
    records = (await (await house.sign_in("qian")).get("/audit", actor="wang", limit=50)).json()["items"]
    actions = [(item["action"], item["object"]["id"]) for item in records if item["action"].startswith("device.")]
    assert actions == [("device.removed", device["id"]), ("device.added", device["id"])]


async def test_nobody_sees_or_removes_what_is_somebody_elses(house: House) -> None:
    he, key = await set_up(house)
    wang, lin = await house.sign_in("wang"), await house.sign_in("lin")
    async with receiving() as service:
        await added(wang, service, key)
    (device,) = (await wang.get("/notices/devices")).json()["items"]
    for other in (lin, he):
        assert (await other.get("/notices/devices")).json()["items"] == []
        refused = await other.send("DELETE", f"/notices/devices/{device['id']}")
        assert problem(refused)[:2] == (404, "not_found")
    assert len((await wang.get("/notices/devices")).json()["items"]) == 1


async def test_what_leads_to_a_device_is_written_and_never_read(house: House) -> None:
    he, key = await set_up(house)
    wang, qian = await house.sign_in("wang"), await house.sign_in("qian")
    (channel,) = await DatabaseDeliveries(house.noria.database).channels(1)
    private = channel.secrets["private_key"]
    async with receiving() as service:
        service.status = "503 Away"
        browser = await added(wang, service, key)
        await (await house.sign_in("lin")).start()
        await all_sent(house)
        texts = [
            (await client.get(path)).text
            for client, path in (
                (wang, "/notices/devices"),
                (wang, "/notices/preference"),
                (he, "/admin/channels"),
                (he, "/deliveries?state=waiting"),
                (qian, "/audit?limit=200"),
            )
        ]
    assert "answered 503" in texts[3]
    for text in texts:
        assert private not in text
        for secret in (browser.endpoint, browser.auth, browser.p256dh):
            assert secret not in text


async def test_without_a_channel_there_is_no_key_and_no_device(house: House) -> None:
    wang = await house.sign_in("wang")
    assert (await wang.get("/notices/devices")).json() == {"public_key": "", "items": []}
    order = Browser("https://fcm.googleapis.com/fcm/send/x").order("BA")
    assert problem(await wang.post("/notices/devices", order)) == (422, "device.no_channel", [])


async def test_a_channel_for_others_is_none(house: House) -> None:
    he, key = await set_up(house)
    await he.send("PUT", "/admin/channels/push", json={**ORDER, "groups": ["finance"]})
    wang, li = await house.sign_in("wang"), await house.sign_in("li")
    assert (await wang.get("/notices/devices")).json()["public_key"] == ""
    assert (await li.get("/notices/devices")).json()["public_key"] == key


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": " "}, "device.invalid", "name"),
        ({"name": "x" * 81}, "device.invalid", "name"),
        ({"name": "a\nb"}, "device.invalid", "name"),
        ({"endpoint": "ftp://127.0.0.1/x"}, "device.invalid", "endpoint"),
        ({"endpoint": "no address"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://user@127.0.0.1/x"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://127.0.0.1/" + "x" * 2_000}, "device.invalid", "endpoint"),
        ({"endpoint": "http://fcm.googleapis.com/x"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com/x"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://127.0.0.1.example/x"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://[::1]/x"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://127.0.0.1/x\r\nHost: y"}, "device.invalid", "endpoint"),
        ({"endpoint": "https://127.0.0.1:99999/x"}, "device.invalid", "endpoint"),
        ({"auth": "AAAA"}, "device.invalid", "auth"),
        ({"auth": "%%%"}, "device.invalid", "p256dh"),
        ({"p256dh": "AAAA"}, "device.invalid", "p256dh"),
        ({"p256dh": "BA" + "A" * 85}, "device.invalid", "p256dh"),
        ({"p256dh": "A"}, "device.invalid", "p256dh"),
        ({"key": "BA"}, "device.key_changed", "key"),
    ],
)
async def test_a_subscription_that_cannot_be_right_is_refused(
    house: House, given: dict[str, str], code: str, field: str
) -> None:
    _, key = await set_up(house)
    wang = await house.sign_in("wang")
    answer = await wang.post("/notices/devices", {**Browser("https://127.0.0.1/x").order(key), **given})
    assert problem(answer) == (409 if code == "device.key_changed" else 422, code, [field])
    assert (await wang.get("/notices/devices")).json()["items"] == []


async def test_the_same_browser_again_is_one_device_and_there_may_be_so_many(house: House) -> None:
    _, key = await set_up(house)
    wang = await house.sign_in("wang")
    async with receiving() as service:
        for number in range(DEVICES_MAX):
            await added(wang, service, key, f"/push/{number}")
        await added(wang, service, key, "/push/0")
        answer = await wang.post("/notices/devices", Browser(f"{service.url}/one-more").order(key))
    assert problem(answer)[:2] == (422, "device.too_many")
    assert len((await wang.get("/notices/devices")).json()["items"]) == DEVICES_MAX


async def test_a_program_adds_no_device(house: House) -> None:
    _, key = await set_up(house)
    wang = await house.sign_in("wang")
    secret = (await wang.post("/tokens", {"name": "ERP"})).json()["secret"]
    answer = await house.browser().post(
        "/api/notices/devices",
        json=Browser("https://127.0.0.1/x").order(key),
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert problem(answer)[:2] == (401, "session.required")


async def test_the_keys_are_made_once_and_stay_however_the_channel_is_changed(house: House) -> None:
    he, key = await set_up(house)
    changed = await he.send("PUT", "/admin/channels/push", json={**ORDER, "name": "推送"})
    assert (changed.json()["settings"]["public_key"], changed.json()["secrets"]) == (key, ["private_key"])
    refused = await he.send("PUT", "/admin/channels/push", json={**ORDER, "secrets": {"private_key": "mine"}})
    assert problem(refused) == (422, "channel.invalid", ["private_key"])
    second = await he.post("/admin/channels", {**ORDER, "id": "other"})
    assert problem(second) == (409, "channel.exists", ["kind"])


async def test_devices_of_a_channel_that_was_made_anew_are_off_until_they_are_turned_on_again(house: House) -> None:
    he, key = await set_up(house)
    wang = await house.sign_in("wang")
    async with receiving() as service:
        await added(wang, service, key)
        assert (await he.send("DELETE", "/admin/channels/push")).status_code == 204
        made = (await he.post("/admin/channels", ORDER)).json()["settings"]["public_key"]
        assert made != key
        assert (await wang.get("/notices/devices")).json() == {"public_key": made, "items": []}
        await (await house.sign_in("lin")).start()
        await all_sent(house)
        assert service.requests == []
        browser = await added(wang, service, made)
        await (await house.sign_in("lin")).start()
        await all_sent(house)
        assert [browser.opened(request.body)["id"] for request in service.requests]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"contact": "it@noria.example"}, "contact"),
        ({"contact": "mailto:nobody"}, "contact"),
        ({"contact": "http://noria.example"}, "contact"),
        ({"contact": ""}, "contact"),
        ({"contact": "mailto:it@noria.example", "hosts": "https://push.example"}, "hosts"),
    ],
)
async def test_a_channel_that_push_services_would_refuse_is_refused(
    house: House, settings: dict[str, str], field: str
) -> None:
    he = await house.sign_in("he")
    await he.send("PUT", "/admin/notice-settings", json={"public_url": "https://noria.example"})
    answer = await he.post("/admin/channels", {**ORDER, "settings": settings})
    assert problem(answer) == (422, "channel.invalid", [field])


async def test_an_administrator_tries_it_on_a_device_of_their_own(house: House) -> None:
    he, key = await set_up(house)
    assert problem(await he.post("/admin/channels/push/test"))[:2] == (409, "channel.no_device")
    async with receiving() as service:
        browser = await added(he, service, key)
        assert (await he.post("/admin/channels/push/test")).status_code == 204
        (request,) = service.requests
    assert (browser.opened(request.body)["title"], request.headers["urgency"]) == ("Noria 测试消息", "high")


async def test_without_the_package_an_administrator_is_told_what_to_install(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    he = await house.sign_in("he")
    await he.send("PUT", "/admin/notice-settings", json={"public_url": "https://noria.example"})
    monkeypatch.delitem(sys.modules, "noria.adapters.channels.sealing", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hashes", None)
    answer = await he.post("/admin/channels", ORDER)
    assert problem(answer)[:2] == (501, "channel.not_installed")
    assert "noria[push]" in answer.json()["title"]
    assert (await he.get("/admin/channels")).json()["items"] == []
