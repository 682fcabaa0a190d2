"""The webhook: a CloudEvent whose signature anybody can check from the documentation alone."""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec
import pytest

from noria.adapters.channels.outside import Outside
from noria.adapters.channels.webhook import Webhook
from noria.kernel.instants import DAY_MS
from noria.operate.channels import UndeliveredError
from tests.channels.receivers import LOOPBACK, Receiver, channel, message, receiving

NOW_MS = 1_790_000_123_456
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


async def send(receiver: Receiver, secret: str = SECRET, now_ms: int = NOW_MS) -> None:
    outside = Outside(LOOPBACK)
    row = channel("webhook", settings={"url": receiver.url + "/hook"}, secrets={"secret": secret})
    try:
        await Webhook(row, outside).send(message(), now_ms)
    finally:
        await outside.close()


async def test_its_body_is_a_cloud_event_byte_for_byte() -> None:
    async with receiving() as receiver:
        await send(receiver)
    (request,) = receiver.requests
    assert request.headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
    assert request.body.decode() == (
        '{"specversion":"1.0","id":"3-17-0-room","source":"https://noria.example","type":"noria.notice.reminder",'
        '"subject":"tasks/77-5","time":"2026-09-21T14:13:20.000Z","datacontenttype":"application/json","data":{'
        '"kind":"reminder","instance_id":"77","task_id":"77-5","people":[{"id":"wang","name":"王强"}],'
        '"subject":"即将超时：深沟球轴承","text":"“主管审批”的办理时限已用去 80%。",'
        '"link":"https://noria.example/tasks/77-5","params":{"title":"深沟球轴承","share":0.8}}}'
    )


@pytest.mark.parametrize(
    ("secret", "key"), [(SECRET, KEY), ("no-prefix-at-all-but-long", b"no-prefix-at-all-but-long")]
)
async def test_it_is_signed_over_id_time_and_body(secret: str, key: bytes) -> None:
    async with receiving() as receiver:
        await send(receiver, secret)
    (request,) = receiver.requests
    stamp = str(NOW_MS // 1000)
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("3-17-0-room", stamp)
    signed = f"3-17-0-room.{stamp}.".encode() + request.body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"


async def test_it_has_the_same_id_however_often_it_is_sent() -> None:
    async with receiving() as receiver:
        await send(receiver)
        await send(receiver, now_ms=NOW_MS + 60_000)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == msgspec.json.decode(first.body)["id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize(
    ("status", "final"),
    [("500 Oh", False), ("429 Slow", False), ("408 Late", False), ("401 No", True), ("410 Gone", True)],
)
async def test_what_would_be_refused_again_and_again_is_final(status: str, final: bool) -> None:
    async with receiving() as receiver:
        receiver.status = status
        receiver.extra = "Retry-After: 120\r\n"
        with pytest.raises(UndeliveredError) as failed:
            await send(receiver)
    assert (failed.value.final, failed.value.retry_after_ms) == (final, 120_000)


@pytest.mark.parametrize(
    ("said", "wait_ms"),
    [("9" * 5_000, DAY_MS), ("Fri, 27 Nov 2026 09:00:00 GMT", 0), ("²", 0), ("-1", 0), ("90", 90_000)],
)
async def test_what_the_other_side_says_of_when_to_come_again_may_be_anything(said: str, wait_ms: int) -> None:
    async with receiving() as receiver:
        receiver.status, receiver.extra = "503 Busy", f"Retry-After: {said}\r\n"
        with pytest.raises(UndeliveredError) as failed:
            await send(receiver)
    assert failed.value.retry_after_ms == wait_ms


async def test_a_redirection_is_not_followed() -> None:
    async with receiving() as other, receiving() as receiver:
        receiver.status = "302 Found"
        receiver.extra = f"Location: {other.url}/\r\n"
        with pytest.raises(UndeliveredError):
            await send(receiver)
    assert other.requests == []
