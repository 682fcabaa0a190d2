"""Robots of chat rooms: the very bytes that each vendor documents, on the wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import unquote_plus

import msgspec
import pytest

from noria.adapters.channels.outside import Outside
from noria.adapters.channels.robots import DingTalk, Feishu, WeCom
from noria.operate.channels import Message, Recipient, UndeliveredError
from tests.channels.receivers import LOOPBACK, Receiver, channel, message, receiving

NOW_MS = 1_790_000_123_456
SECRET = "SECfeedfacefeedfacefeedfacefeedface"  # noqa: S105 - of nothing


def named(handle: str) -> Message:
    return message(people=(Recipient("wang", "王强", "", handle),))


async def post(kind: type, receiver: Receiver, sent: Message, path: str = "/send?key=k1", secret: str = "") -> None:
    secrets = {"url": receiver.url + path, **({"secret": secret} if secret else {})}
    outside = Outside(LOOPBACK)
    try:
        await kind(channel("wecom", secrets=secrets), outside).send(sent, NOW_MS)
    finally:
        await outside.close()


async def test_wecom_gets_a_card_that_opens_the_page() -> None:
    async with receiving({"errcode": 0, "errmsg": "ok"}) as receiver:
        await post(WeCom, receiver, message())
    (request,) = receiver.requests
    assert request.line == "POST /send?key=k1 HTTP/1.1"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.body.decode() == (
        '{"msgtype":"template_card","template_card":{"card_type":"text_notice","source":{"desc":"Noria"},'
        '"main_title":{"title":"即将超时：深沟球轴承"},"sub_title_text":"“主管审批”的办理时限已用去 80%。",'
        '"jump_list":[{"type":1,"title":"打开查看","url":"https://noria.example/tasks/77-5"}],'
        '"card_action":{"type":1,"url":"https://noria.example/tasks/77-5"}}}'
    )


async def test_wecom_calls_people_by_their_user_ids() -> None:
    async with receiving({"errcode": 0}) as receiver:
        await post(WeCom, receiver, named("wangqiang"))
    assert receiver.requests[0].body.decode() == (
        '{"msgtype":"text","text":{"content":"即将超时：深沟球轴承\\n“主管审批”的办理时限已用去 80%。\\n'
        'https://noria.example/tasks/77-5","mentioned_list":["wangqiang"]}}'
    )


async def test_dingtalk_gets_a_signed_card() -> None:
    async with receiving({"errcode": 0, "errmsg": "ok"}) as receiver:
        await post(DingTalk, receiver, message(), "/robot/send?access_token=t1", SECRET)
    (request,) = receiver.requests
    _, path, _ = request.line.split()
    address, _, sign = path.rpartition("&sign=")
    assert address == f"/robot/send?access_token=t1&timestamp={NOW_MS}"
    digest = hmac.new(SECRET.encode(), f"{NOW_MS}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(unquote_plus(sign)) == digest
    assert request.body.decode() == (
        '{"msgtype":"actionCard","actionCard":{"title":"即将超时：深沟球轴承",'
        '"text":"### 即将超时：深沟球轴承\\n\\n“主管审批”的办理时限已用去 80%。","singleTitle":"打开查看",'
        '"singleURL":"https://noria.example/tasks/77-5"}}'
    )


@pytest.mark.parametrize(
    ("handle", "at"),
    [
        ("13800001111", {"atMobiles": ["13800001111"], "atUserIds": [], "isAtAll": False}),
        ("manager7", {"atMobiles": [], "atUserIds": ["manager7"], "isAtAll": False}),
    ],
)
async def test_dingtalk_calls_people_by_mobile_number_or_user_id(handle: str, at: dict[str, object]) -> None:
    async with receiving({"errcode": 0}) as receiver:
        await post(DingTalk, receiver, named(handle))
    body = msgspec.json.decode(receiver.requests[0].body)
    assert (body["msgtype"], body["at"]) == ("markdown", at)
    assert body["markdown"]["text"].endswith(f"[打开查看](https://noria.example/tasks/77-5)\n\n@{handle}")


async def test_feishu_gets_a_signed_card() -> None:
    async with receiving({"code": 0, "msg": "success"}) as receiver:
        await post(Feishu, receiver, named("ou_1"), "/open-apis/bot/v2/hook/h1", SECRET)
    timestamp = NOW_MS // 1000
    sign = base64.b64encode(hmac.new(f"{timestamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()).decode()
    assert receiver.requests[0].body.decode() == (
        f'{{"timestamp":"{timestamp}","sign":"{sign}","msg_type":"interactive","card":{{'
        '"config":{"wide_screen_mode":true},'
        '"header":{"title":{"tag":"plain_text","content":"即将超时：深沟球轴承"},"template":"blue"},'
        '"elements":[{"tag":"div","text":{"tag":"plain_text","content":"“主管审批”的办理时限已用去 80%。"}},'
        '{"tag":"div","text":{"tag":"lark_md","content":"<at id=ou_1></at>"}},'
        '{"tag":"action","actions":[{"tag":"button","text":{"tag":"plain_text","content":"打开查看"},'
        '"type":"primary","url":"https://noria.example/tasks/77-5"}]}]}}'
    )


async def test_without_a_secret_nothing_is_signed() -> None:
    async with receiving({"code": 0, "errcode": 0}) as receiver:
        await post(Feishu, receiver, message(), "/hook")
        await post(DingTalk, receiver, message(), "/send?access_token=t")
    assert b"sign" not in receiver.requests[0].body
    assert "sign" not in receiver.requests[1].line


async def test_what_people_wrote_cannot_call_everybody_nor_lay_a_link() -> None:
    hostile = "[点我](https://evil.example) @all <at id=all></at> **粗**"
    async with receiving({"code": 0, "errcode": 0}) as receiver:
        await post(DingTalk, receiver, message(subject=hostile, body=hostile))
        await post(Feishu, receiver, message(subject=hostile, body=hostile))
    ding = msgspec.json.decode(receiver.requests[0].body)["actionCard"]
    assert not set("[]()@<>*") & set(ding["text"] + ding["title"])
    feishu = msgspec.json.decode(receiver.requests[1].body)["card"]
    texts = [element["text"] for element in feishu["elements"] if "text" in element]
    assert {text["tag"] for text in texts} == {"plain_text"}


@pytest.mark.parametrize(
    ("kind", "answer", "final"),
    [
        (WeCom, {"errcode": 93000, "errmsg": "invalid webhook url"}, True),
        (WeCom, {"errcode": 45009, "errmsg": "api freq out of limit"}, False),
        (DingTalk, {"errcode": 310000, "errmsg": "sign not match"}, True),
        (DingTalk, {"errcode": 130101, "errmsg": "send too fast"}, False),
        (Feishu, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}, True),
        (Feishu, {"code": 11232, "msg": "frequency limited"}, False),
        (Feishu, ["not", "an", "object"], True),
    ],
)
async def test_the_vendors_refusal_in_an_answer_200_is_a_failure(kind: type, answer: object, final: bool) -> None:
    async with receiving(answer) as receiver:
        with pytest.raises(UndeliveredError) as failed:
            await post(kind, receiver, message())
    assert failed.value.final is final


async def test_a_refusal_that_repeats_the_secret_does_not_carry_it_on() -> None:
    async with receiving() as receiver:
        receiver.answer = msgspec.json.encode({"errcode": 1, "errmsg": f"bad {SECRET} at {receiver.url}/send?key=k1"})
        with pytest.raises(UndeliveredError) as failed:
            await post(DingTalk, receiver, message(), secret=SECRET)
    assert SECRET not in failed.value.message
    assert "key=k1" not in failed.value.message


async def test_a_digest_names_its_notices() -> None:
    items = (("催办：甲", "https://noria.example/tasks/1-1"), ("已退回：乙", "https://noria.example/instances/2"))
    async with receiving({"errcode": 0, "code": 0}) as receiver:
        await post(Feishu, receiver, message(kind="digest", subject="2 条通知", body="以下通知合并发送：", items=items))
    text = receiver.requests[0].body.decode()
    assert "1. 催办：甲" in text
    assert "2. 已退回：乙" in text
