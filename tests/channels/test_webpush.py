"""Web Push on the wire: sealed for one browser, signed, and taken up by each device once."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import given
from hypothesis import strategies as st

from noria.adapters.channels.outside import Outside
from noria.adapters.channels.sealing import PLAIN_BYTES_MAX, is_point, new_keys, seal
from noria.adapters.channels.webpush import PushKeys, WebPush, payload_of
from noria.operate.channels import ChannelRow, Message, NoDeviceError, NotInstalledError, UndeliveredError
from noria.operate.devices import TAKEN_MAX, Device
from tests.channels.browsers import Browser, claims_of, plain
from tests.channels.receivers import LOOPBACK, Receiver, channel, message, receiving

NOW_MS = 1_790_000_123_456
PRIVATE, PUBLIC = new_keys()


class Devices:
    """`DeviceStore` in memory."""

    def __init__(self, *devices: Device) -> None:
        self.kept = {device.id: device for device in devices}

    async def of_person(self, _tenant: int, person: str) -> list[Device]:
        return [device for device in self.kept.values() if device.person == person]

    async def put(self, device: Device) -> None:
        self.kept[device.id] = device

    async def took(self, device: Device, message_id: str, now_ms: int) -> None:
        taken = (*device.taken, message_id)[-TAKEN_MAX:]
        self.kept[device.id] = msgspec.structs.replace(device, used=now_ms, taken=taken)

    async def drop(self, device: Device) -> None:
        self.kept.pop(device.id, None)


def pushing(**settings: str) -> ChannelRow:
    values = {"contact": "mailto:it@noria.example", "hosts": "127.0.0.1", "public_key": PUBLIC, **settings}
    return channel("webpush", settings=values, secrets={"private_key": PRIVATE})


@asynccontextmanager
async def way(devices: Devices, **settings: str) -> AsyncIterator[WebPush]:
    outside = Outside(LOOPBACK)
    yield WebPush(pushing(**settings), outside, devices)
    await outside.close()


async def send(devices: Devices, sent: Message | None = None, **settings: str) -> None:
    async with way(devices, **settings) as push:
        await push.send(sent or message(), NOW_MS)


def at(receiver: Receiver, path: str = "/push/one") -> Browser:
    return Browser(receiver.url + path)


def test_a_message_is_sealed_as_the_example_of_rfc_8291_byte_for_byte() -> None:
    own = derive_private_key(int.from_bytes(plain("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1())
    sealed = seal(
        b"When I grow up, I want to be a watermelon",
        plain("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        plain("BTBZMqHH6r4Tts7J_aSIgg"),
        own,
        plain("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert sealed == plain(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.text(max_size=900))
def test_whatever_is_sealed_is_what_the_browser_opens(text: str) -> None:
    browser = Browser("https://fcm.googleapis.com/fcm/send/x")
    content = msgspec.json.encode({"text": text})
    sealed = seal(content, plain(browser.p256dh), plain(browser.auth))
    assert browser.opened(sealed) == {"text": text}


def test_the_longest_message_fills_a_record_and_a_longer_one_is_refused() -> None:
    browser = Browser("https://fcm.googleapis.com/fcm/send/x")
    point, auth = plain(browser.p256dh), plain(browser.auth)
    assert len(seal(b"x" * PLAIN_BYTES_MAX, point, auth)) == 4096
    with pytest.raises(ValueError, match="bytes at most"):
        seal(b"x" * (PLAIN_BYTES_MAX + 1), point, auth)


@pytest.mark.parametrize(
    "wrong",
    [b"", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, plain(PUBLIC)[:64]],
    ids=["nothing", "zeros", "ones", "too short"],
)
def test_what_is_no_point_on_the_curve_is_no_key(wrong: bytes) -> None:
    assert is_point(plain(PUBLIC))
    assert not is_point(wrong)
    assert not PushKeys().fits(wrong)


async def test_a_device_is_told_title_sentence_and_path_and_only_it_can_read_them() -> None:
    async with receiving() as receiver:
        browser = at(receiver)
        devices = Devices(browser.device(PUBLIC))
        await send(devices)
    (request,) = receiver.requests
    assert request.line == "POST /push/one HTTP/1.1"
    found = browser.opened(request.body)
    assert found.pop("tag") == request.headers["topic"]
    assert found == {
        "id": "3-17-0-room",
        "language": "zh-CN",
        "title": "即将超时：深沟球轴承",
        "body": "“主管审批”的办理时限已用去 80%。",
        "path": "/tasks/77-5",
    }
    assert "深沟球轴承".encode() not in request.body
    headers = {name: request.headers[name] for name in ("content-encoding", "ttl", "urgency")}
    assert headers == {"content-encoding": "aes128gcm", "ttl": "86400", "urgency": "normal"}
    assert devices.kept[browser.device(PUBLIC).id].used == NOW_MS


async def test_the_sender_proves_who_it_is_to_this_push_service_for_half_a_day() -> None:
    async with receiving() as receiver:
        await send(Devices(at(receiver).device(PUBLIC)))
    (request,) = receiver.requests
    assert claims_of(request, PUBLIC) == {
        "aud": receiver.url,
        "exp": NOW_MS // 1000 + 12 * 3600,
        "sub": "mailto:it@noria.example",
    }


@pytest.mark.parametrize(("kind", "urgency"), [("overdue", "high"), ("urged", "high"), ("completed", "normal")])
async def test_what_is_urgent_says_so(kind: str, urgency: str) -> None:
    async with receiving() as receiver:
        await send(Devices(at(receiver).device(PUBLIC)), message(kind=kind))
    assert receiver.requests[0].headers["urgency"] == urgency


async def test_a_later_notice_of_a_task_takes_the_place_of_an_earlier_one_and_no_other_does() -> None:
    async with receiving() as receiver:
        devices = Devices(at(receiver).device(PUBLIC), at(receiver, "/push/two").device(PUBLIC))
        for number, told in enumerate(
            (message(kind="task"), message(kind="overdue"), message(tok=6), message(kind="mentioned"))
        ):
            await send(devices, msgspec.structs.replace(told, id=f"m{number}"))
    topics = [request.headers["topic"] for request in receiver.requests if request.line.startswith("POST /push/one")]
    others = {request.headers["topic"] for request in receiver.requests if request.line.startswith("POST /push/two")}
    assert topics[0] == topics[1]
    assert len(set(topics)) == 3
    assert {len(topic) for topic in topics} == {32}
    # Two push services cannot tell by it that they deliver the same.
    assert others.isdisjoint(topics)


@given(
    st.text(max_size=600),
    st.text(max_size=3_000),
    st.lists(st.tuples(st.text(max_size=600), st.just("https://noria.example/tasks")), max_size=30),
)
def test_whatever_people_wrote_fits_into_one_record(title: str, body: str, items: list[tuple[str, str]]) -> None:
    made = payload_of(message(subject=title, body=body, items=tuple(items)), "t" * 32)
    assert len(made) <= PLAIN_BYTES_MAX
    assert msgspec.json.decode(made)["title"] == title[:200]


async def test_a_digest_names_what_it_is_about() -> None:
    items = tuple((f"申请{number}", "https://noria.example/tasks") for number in range(20))
    async with receiving() as receiver:
        browser = at(receiver)
        await send(Devices(browser.device(PUBLIC)), message(kind="digest", subject="20 条通知", items=items))
    found = browser.opened(receiver.requests[0].body)
    assert (found["title"], found["body"].splitlines()) == ("20 条通知", [f"申请{number}" for number in range(8)])


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_a_subscription_that_is_gone_is_forgotten_and_nothing_is_tried_again(status: str) -> None:
    async with receiving() as receiver:
        receiver.status = status
        devices = Devices(at(receiver).device(PUBLIC))
        with pytest.raises(NoDeviceError):
            await send(devices)
    assert devices.kept == {}


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("413 Large", False),
        ("429 Slow", False),
        ("500 Oh", False),
        ("503 Away", False),
        ("400 Bad", True),
        ("403 No", True),
    ],
)
async def test_what_may_pass_is_tried_again_as_late_as_the_push_service_asks(status: str, final: bool) -> None:
    async with receiving() as receiver:
        receiver.status = status
        receiver.extra = "Retry-After: 120\r\n"
        devices = Devices(at(receiver).device(PUBLIC))
        with pytest.raises(UndeliveredError) as failed:
            await send(devices)
    assert (failed.value.final, failed.value.retry_after_ms) == (final, 0 if final else 120_000)
    assert failed.value.alone
    assert failed.value.message == f"127.0.0.1 answered {status[:3]}."
    assert len(devices.kept) == 1


async def test_a_retry_for_one_device_does_not_tell_the_others_again() -> None:
    async with receiving() as phone, receiving() as desk:
        phone.status = "503 Away"
        devices = Devices(at(phone).device(PUBLIC), at(desk).device(PUBLIC))
        with pytest.raises(UndeliveredError):
            await send(devices)
        phone.status = "201 Created"
        await send(devices)
        await send(devices)
    assert (len(phone.requests), len(desk.requests)) == (2, 1)


async def test_one_device_that_refuses_for_ever_does_not_make_the_others_failures() -> None:
    async with receiving() as phone, receiving() as desk:
        phone.status = "403 No"
        await send(Devices(at(phone).device(PUBLIC), at(desk).device(PUBLIC)))
    assert len(desk.requests) == 1


async def test_a_push_service_that_does_not_answer_is_not_waited_for_again_at_once() -> None:
    async with receiving() as receiver:
        url = receiver.url
    first, second = Browser(url + "/one"), Browser(url + "/two")
    devices = Devices(first.device(PUBLIC), second.device(PUBLIC, person="li"))
    async with way(devices) as push:
        with pytest.raises(UndeliveredError, match="cannot be reached") as failed:
            await push.send(message(), NOW_MS)
        assert not failed.value.final
        people = (msgspec.structs.replace(message().people[0], id="li"),)
        async with receiving() as receiver:
            # It is there again, but this round has given it up.
            devices.kept = {"x": Browser(receiver.url).device(PUBLIC, person="li")}
            with pytest.raises(UndeliveredError, match="cannot be reached"):
                await push.send(message(people=people), NOW_MS)
    assert receiver.requests == []


async def test_a_subscription_of_other_keys_is_forgotten_unsent() -> None:
    async with receiving() as receiver:
        devices = Devices(at(receiver).device(new_keys()[1]))
        with pytest.raises(NoDeviceError):
            await send(devices)
    assert (receiver.requests, devices.kept) == ([], {})


@pytest.mark.parametrize("hosts", ["", "push.example", "27.0.0.1"])
async def test_nothing_is_sent_through_a_host_that_is_no_push_service_of_the_channel(hosts: str) -> None:
    async with receiving() as receiver:
        with pytest.raises(UndeliveredError, match="Nothing is sent through") as failed:
            await send(Devices(at(receiver).device(PUBLIC)), hosts=hosts)
    assert failed.value.final
    assert receiver.requests == []


async def test_an_address_of_this_machine_is_refused_unless_the_operator_allows_it() -> None:
    async with receiving() as receiver:
        push = WebPush(pushing(), Outside(frozenset()), Devices(at(receiver).device(PUBLIC)))
        with pytest.raises(UndeliveredError, match="not a public address") as failed:
            await push.send(message(), NOW_MS)
    assert failed.value.final
    assert receiver.requests == []


async def test_without_the_package_the_channel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "noria.adapters.channels.sealing")
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hashes", None)
    async with receiving() as receiver:
        with pytest.raises(NotInstalledError, match=r"noria\[push\]"):
            PushKeys().make()
        with pytest.raises(NotInstalledError) as failed:
            await send(Devices(at(receiver).device(PUBLIC)))
    # Whoever installs it then has what waits sent.
    assert not failed.value.final
    assert receiver.requests == []
