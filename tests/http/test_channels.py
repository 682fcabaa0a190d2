"""Channels over REST: set up by administrators, chosen by people, failed deliveries resent; secrets never come back."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac

import httpx
import msgspec
import pytest

from noria.kernel.instants import DAY_MS, HOUR_MS
from noria.trust.people import Person
from tests.channels.receivers import Letter, PostOffice, Receiver, post_office, receiving
from tests.house import eventually
from tests.http.house import PURCHASE, Client, House

SECRET = "whsec_" + base64.b64encode(bytes(24)).decode()
TOKEN = "b0a1c2-secret-of-the-robot"  # noqa: S105 - of nothing


@pytest.fixture
def house(sending_house: House) -> House:
    return sending_house


async def administrator(house: House) -> Client:
    he = await house.sign_in("he")
    answer = await he.send("PUT", "/admin/notice-settings", json={"public_url": "https://noria.example/"})
    assert answer.json() == {"public_url": "https://noria.example", "invites_new": False}
    return he


def hook(receiver: Receiver, **given: object) -> dict[str, object]:
    settings, secrets = {"url": receiver.url + "/hook"}, {"secret": SECRET}
    return {"id": "hook", "kind": "webhook", "name": "ERP", "settings": settings, "secrets": secrets, **given}


def robot(receiver: Receiver, **given: object) -> dict[str, object]:
    secrets = {"url": f"{receiver.url}/send?access_token={TOKEN}"}
    return {"id": "room", "kind": "dingtalk", "name": "采购群", "secrets": secrets, **given}


def mail(office: PostOffice, **given: object) -> dict[str, object]:
    settings = {"host": "127.0.0.1", "port": str(office.port), "security": "none", "sender": "noria@example.com"}
    return {"id": "mail", "kind": "email", "name": "邮件", "settings": settings, **given}


async def give_address(house: House, key: str) -> None:
    person = (await house.noria.people.organisation(1)).people[key]
    person = msgspec.structs.replace(person, email=f"{key}@example.com")
    assert isinstance(person, Person)
    await house.noria.people.put(1, [person], [], house.clock.now_ms())


def text_of(letter: Letter) -> str:
    body = email.message_from_bytes(letter.content, policy=email.policy.default).get_body(("plain",))
    return str(body.get_content())


async def all_sent(house: House) -> None:
    await house.noria.projector.catch_up()
    await house.noria.sender.send_due()


async def test_who_holds_a_new_task_gets_a_letter_and_the_link_decides_nothing(house: House) -> None:
    he = await administrator(house)
    await give_address(house, "wang")
    async with post_office() as office:
        assert (await he.post("/admin/channels", mail(office))).status_code == 201
        lin = await house.sign_in("lin")
        started = await lin.start()
        await all_sent(house)
        (letter,) = office.letters
    assert letter.to == ["wang@example.com"]
    wang = await house.sign_in("wang")
    task = await wang.task()
    link = f"https://noria.example/tasks/{task['id']}"
    assert link in text_of(letter)
    # Opening it, signed in or not, shows a page and changes nothing.
    before = (await wang.get(f"/instances/{started['id']}")).json()["version"]
    for http in (wang.http, house.browser()):
        assert (await http.get(link.removeprefix("https://noria.example"))).status_code == 200
    assert (await wang.get(f"/instances/{started['id']}")).json()["version"] == before


async def test_every_page_and_reading_route_decides_nothing(house: House) -> None:
    lin = await house.sign_in("lin")
    started = await lin.start()
    wang = await house.sign_in("wang")
    task = await wang.task()
    version = (await wang.get(f"/instances/{started['id']}")).json()["version"]
    for verb in ("complete", "claim", "return", "transfer", "comment", "urge"):
        assert (await wang.get(f"/tasks/{task['id']}/{verb}")).status_code in (404, 405)
    assert (await wang.get(f"/instances/{started['id']}")).json()["version"] == version


async def test_a_program_is_told_of_each_event_with_a_signature_over_time_and_body(house: House) -> None:
    he = await administrator(house)
    async with receiving() as receiver:
        await he.post("/admin/channels", hook(receiver, kinds=["returned"]))
        lin, wang = await house.sign_in("lin"), await house.sign_in("wang")
        await lin.start()
        task = await wang.task()
        await wang.post(f"/tasks/{task['id']}/return", {"to": "apply", "reason": "发票缺失"})
        await all_sent(house)
        (request,) = receiver.requests
    event = msgspec.json.decode(request.body)
    assert (event["specversion"], event["type"], event["source"]) == (
        "1.0",
        "noria.notice.returned",
        "https://noria.example",
    )
    assert event["data"]["people"] == [{"id": "lin", "name": "林晓"}]
    assert event["data"]["params"]["reason"] == "发票缺失"
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    digest = base64.b64encode(hmac.new(bytes(24), signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"


async def test_a_room_is_told_once_of_a_task_for_a_group(house: House) -> None:
    he = await administrator(house)
    async with receiving({"errcode": 0}) as receiver:
        await he.post("/admin/channels", robot(receiver, kinds=["offered"], groups=["finance"]))
        lin, wang = await house.sign_in("lin"), await house.sign_in("wang")
        li = await house.sign_in("li")
        await li.send("PUT", "/notices/preference", json={"handles": {"dingtalk": "13800001111"}})
        await lin.start(amount=20_000)
        assert (await wang.complete()).status_code == 200
        await all_sent(house)
        (request,) = receiver.requests
    body = msgspec.json.decode(request.body)
    assert body["at"]["atMobiles"] == ["13800001111"]
    assert "可由您认领" in body["markdown"]["text"]


async def test_a_person_who_does_not_want_a_kind_is_not_told(house: House) -> None:
    he = await administrator(house)
    await give_address(house, "wang")
    async with post_office() as office:
        await he.post("/admin/channels", mail(office))
        wang = await house.sign_in("wang")
        answer = await wang.send(
            "PUT", "/notices/preference", json={"choices": {"task": {"mail": False, "in_app": True}}}
        )
        chosen = {item["kind"]: item["channels"] for item in answer.json()["kinds"]}
        assert chosen["task"] == {"in_app": True, "mail": False}
        assert chosen["urged"] == {"in_app": True, "mail": True}
        lin = await house.sign_in("lin")
        await lin.start()
        await all_sent(house)
        assert office.letters == []
    assert [item["kind"] for item in (await wang.get("/notices")).json()["items"]] == ["task"]


async def test_a_mention_is_told_and_only_to_who_may_see_the_request(house: House) -> None:
    lin, wang = await house.sign_in("lin"), await house.sign_in("wang")
    started = await lin.start()
    task = await wang.task()
    refused = await wang.post(f"/tasks/{task['id']}/comment", {"text": "@陈晨", "mentions": ["chen"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "comment.mention_unseen")
    nobody = await wang.post(f"/instances/{started['id']}/comment", {"text": "@x", "mentions": ["nobody"]})
    assert (nobody.status_code, nobody.json()["code"]) == (422, "person.not_found")
    before = (await wang.get(f"/instances/{started['id']}")).json()["version"]
    said = await wang.post(
        f"/tasks/{task['id']}/comment", {"text": "@林晓 请补发票", "mentions": ["lin", "lin", "wang"]}
    )
    assert said.status_code == 200
    assert (await wang.get(f"/instances/{started['id']}")).json()["version"] == before + 1
    await house.noria.projector.catch_up()
    (notice,) = (await lin.get("/notices")).json()["items"]
    assert (notice["kind"], notice["params"]["text"], notice["params"]["by"]) == ("mentioned", "@林晓 请补发票", "王强")
    assert (await wang.get("/notices")).json()["items"] == [], "nobody is told of what they said themselves"


async def test_secrets_are_written_and_never_read(house: House) -> None:
    he, qian = await administrator(house), await house.sign_in("qian")
    async with receiving({"errcode": 310000, "errmsg": f"token {TOKEN} is bad"}) as receiver:
        answers = [
            await he.post("/admin/channels", robot(receiver)),
            await he.post("/admin/channels", hook(receiver)),
            await he.send("PUT", "/admin/channels/room", json=robot(receiver, name="新名", secrets={})),
            await he.get("/admin/channels"),
            await he.post("/admin/channels/room/test"),
            await qian.get("/audit", limit=200),
            await he.get("/deliveries"),
        ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200, 502, 200, 200]
    for answer in answers:
        assert TOKEN not in answer.text
        assert SECRET not in answer.text
    room = answers[3].json()["items"][1]
    assert (room["name"], room["secrets"], room["host"]) == ("新名", ["url"], "127.0.0.1")
    actions = {item["action"] for item in answers[5].json()["items"]}
    assert "channel.changed" in actions


async def test_a_test_message_says_at_once_whether_a_channel_works(house: House) -> None:
    he = await administrator(house)
    async with post_office() as office, receiving({"errcode": 0}) as receiver:
        await he.post("/admin/channels", mail(office))
        await he.post("/admin/channels", robot(receiver))
        unknown = await he.post("/admin/channels/mail/test")
        assert (unknown.status_code, unknown.json()["code"]) == (422, "channel.no_address")
        await give_address(house, "he")
        assert (await he.post("/admin/channels/mail/test")).status_code == 204
        assert (await he.post("/admin/channels/room/test")).status_code == 204
        office.refused["he@example.com"] = "550 no such user"
        refused = await he.post("/admin/channels/mail/test")
        assert (refused.status_code, refused.json()["code"]) == (502, "channel.undelivered")
        assert "550 no such user" in refused.json()["detail"]
    assert [letter.to for letter in office.letters] == [["he@example.com"]]
    assert len(receiver.requests) == 1


async def test_what_failed_is_shown_to_operators_without_what_it_says_and_resent(house: House) -> None:
    he = await administrator(house)
    async with receiving() as receiver:
        await he.post("/admin/channels", hook(receiver, kinds=["urged"]))
        receiver.status = "401 No"
        lin = await house.sign_in("lin")
        started = await lin.start(title="机密设备")
        await lin.post(f"/instances/{started['id']}/urge", {"text": "机密理由"})
        await all_sent(house)
        listed = await he.get("/deliveries")
        (dead,) = listed.json()["items"]
        assert (dead["kind"], dead["error"], dead["attempts"]) == ("urged", "The other side answered 401.", 1)
        assert "机密" not in listed.text
        assert (await he.get("/admin/channels")).json()["items"][0]["dead"] == 1
        receiver.status = "200 OK"
        assert (await he.post(f"/deliveries/{dead['id']}/resend")).status_code == 202
        assert (await he.post(f"/deliveries/{dead['id']}/resend")).status_code == 404
        await house.noria.sender.send_due()
        assert (await he.get("/deliveries")).json()["total"] == 0
        assert (await he.get("/deliveries", state="sent")).json()["total"] == 1
        ids = {request.headers["webhook-id"] for request in receiver.requests}
        assert ids == {dead["id"]}, "receivers leave out repetitions by it"
        assert (await he.post("/channels/hook/resend")).json() == {"count": 0}


async def test_waiting_messages_outlive_the_server(house: House) -> None:
    he = await administrator(house)
    async with receiving() as receiver:
        receiver.status = "503 Away"
        await he.post("/admin/channels", hook(receiver, kinds=["task"]))
        await (await house.sign_in("lin")).start()
        await all_sent(house)
        assert (await he.get("/deliveries", state="waiting")).json()["total"] == 1
        url = str(house.noria.database.engine.url).replace("+aiosqlite", "")
        await house.noria.close()
        receiver.status = "200 OK"
        house.noria = (await House.open(url)).noria
        house.noria.clock.offset_ms += HOUR_MS  # type: ignore[attr-defined]

        async def sent_again() -> bool:
            return len(receiver.requests) > 1

        await eventually(sent_again)
    first, last = receiver.requests
    assert first.headers["webhook-id"] == last.headers["webhook-id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "in_app"}, "id"),
        ({"id": "Hook!"}, "id"),
        ({"name": " "}, "name"),
        ({"kinds": ["gossip"]}, "kinds"),
        ({"settings": {"url": "http://10.0.0.1/"}}, "url"),
        ({"settings": {"url": "file:///etc/passwd"}}, "url"),
        ({"settings": {}}, "url"),
        ({"settings": {"url": "https://a.example", "x": "1"}}, "x"),
        ({"secrets": {"secret": "short"}}, "secret"),
        ({"settings": {"url": "https://a.example", "secret": SECRET}}, "secret"),
        ({"secrets": {"secret": SECRET, "url": "https://a.example"}}, "url"),
        ({"kind": "email"}, "secret"),
        ({"kind": "email", "secrets": {}}, "url"),
    ],
)
async def test_a_wrong_setting_is_refused_by_its_name_and_nothing_is_kept(
    house: House, change: dict[str, object], field: str
) -> None:
    he = await administrator(house)
    receiver = Receiver()
    receiver.url = "https://a.example"
    answer = await he.post("/admin/channels", hook(receiver, **change))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "channel.invalid"
    assert list(answer.json()["details"]["fields"]) == [field]
    assert (await he.get("/admin/channels")).json()["total"] == 0


async def test_an_id_is_given_once_and_a_channel_needs_the_public_address_first(house: House) -> None:
    he = await house.sign_in("he")
    receiver = Receiver()
    receiver.url = "https://a.example"
    early = await he.post("/admin/channels", hook(receiver))
    assert (early.status_code, early.json()["code"]) == (422, "channel.no_public_url")
    await administrator(house)
    assert (await he.post("/admin/channels", hook(receiver))).status_code == 201
    twice = await he.post("/admin/channels", hook(receiver))
    assert (twice.status_code, twice.json()["code"]) == (409, "channel.exists")
    assert (await he.send("PUT", "/admin/channels/other", json=hook(receiver))).status_code == 404
    assert (await he.send("DELETE", "/admin/channels/hook")).status_code == 204
    assert (await he.send("DELETE", "/admin/channels/hook")).status_code == 404


async def test_a_secret_of_another_kind_is_not_carried_over(house: House) -> None:
    he = await administrator(house)
    receiver = Receiver()
    receiver.url = "https://a.example"
    await he.post("/admin/channels", hook(receiver))
    changed = {"id": "hook", "kind": "feishu", "name": "群", "secrets": {"url": "https://a.example/h"}}
    answer: httpx.Response = await he.send("PUT", "/admin/channels/hook", json=changed)
    assert answer.json()["secrets"] == ["url"]


@pytest.mark.parametrize(
    "url", ["", "noria.example", "ftp://noria.example", "https://noria.example/?x=1", "https://u:p@x.y"]
)
async def test_a_public_address_is_a_plain_address(house: House, url: str) -> None:
    he = await house.sign_in("he")
    answer = await he.send("PUT", "/admin/notice-settings", json={"public_url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "channel.invalid")


async def test_a_channel_for_a_group_is_not_offered_to_others(house: House) -> None:
    he = await administrator(house)
    receiver = Receiver()
    receiver.url = "https://a.example"
    await he.post("/admin/channels", robot(receiver, groups=["finance"]))
    await he.post("/admin/channels", hook(receiver))
    offered = {}
    for name in ("lin", "li"):
        client = await house.sign_in(name)
        offered[name] = [one["id"] for one in (await client.get("/notices/preference")).json()["channels"]]
    assert offered == {"lin": [], "li": ["room"]}


def subjects(office: PostOffice, person: str) -> list[str]:
    """Subjects of a person's letters, oldest first, without the title of the request."""
    letters = [letter for letter in office.letters if letter.to == [f"{person}@example.com"]]
    read = [email.message_from_bytes(letter.content, policy=email.policy.default)["subject"] for letter in letters]
    return [subject.partition("：")[0] for subject in read]


async def test_reminders_at_80_and_100_percent_reach_holder_and_manager_again_after_a_return(house: House) -> None:
    he = await administrator(house)
    for key in ("lin", "wang", "zhao"):
        await give_address(house, key)
    async with post_office() as office:
        await he.post("/admin/channels", mail(office))
        lin = await house.sign_in("lin")
        started = await lin.start()
        await all_sent(house)

        async def time_passes() -> None:
            house.clock.offset_ms += 6 * DAY_MS
            await house.noria.timers.fire_due()
            await all_sent(house)

        await time_passes()
        assert subjects(office, "wang") == ["新待办", "即将超时", "已超时"]
        assert subjects(office, "zhao") == ["即将超时", "已超时"]
        assert "的办理时限已用去 80%" in next(text_of(letter) for letter in office.letters if "80%" in text_of(letter))
        wang = await house.sign_in("wang")
        task = await wang.task()
        await wang.post(f"/tasks/{task['id']}/return", {"to": "apply", "reason": "发票缺失"})
        await all_sent(house)
        assert subjects(office, "lin") == ["已退回", "新待办"]
        assert "原因：发票缺失" in text_of(office.letters[-2])
        lin = await house.sign_in("lin")
        assert (await lin.complete(**PURCHASE)).status_code == 200
        await all_sent(house)
        await time_passes()
        assert subjects(office, "wang") == ["新待办", "即将超时", "已超时"] * 2
        assert subjects(office, "zhao") == ["即将超时", "已超时"] * 2
        he = await house.sign_in("he")
        kinds = [item["kind"] for item in (await he.get(f"/instances/{started['id']}/timeline")).json()["items"]]
        assert kinds.count("task.reminded") == 4
