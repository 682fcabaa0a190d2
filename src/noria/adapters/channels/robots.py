"""Robots of chat rooms: 企业微信 (WeCom), 钉钉 (DingTalk), 飞书 (Feishu), each as its vendor documents it.

Sources: developer.work.weixin.qq.com/document/path/91770 (群机器人配置说明: text with mentioned_list, template_card
text_notice); open.dingtalk.com/document/robots/customize-robot-security-settings (加签) and
/custom-robot-access (markdown with at, actionCard); open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
(签名校验, interactive cards).

What people wrote goes into places that hold plain text; where a vendor has only Markdown, its signs are made harmless.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import ClassVar
from urllib.parse import parse_qsl, quote_plus, urlsplit

import msgspec

from noria.adapters.channels.outside import Answer, Outside, judge
from noria.operate.channels import ChannelRow, Message, UndeliveredError
from noria.operate.sentences import OPEN

KEY_CHARS_MIN = 8
# Full-width twins look alike and mean nothing to Markdown.
_HARMLESS = str.maketrans("[]()<>*_`#!@|~\r\n", "［］（）＜＞＊＿｀＃！＠｜～  ")


class _Robot(ABC):
    """What all robots share: post JSON, and look for the vendor's own code in the answer."""

    code_field: ClassVar[str]
    text_field: ClassVar[str]
    too_many: ClassVar[frozenset[int]]
    """Codes that say: later."""

    def __init__(self, row: ChannelRow, outside: Outside) -> None:
        self._url = row.secrets["url"]
        self._secret = row.secrets.get("secret", "")
        self._outside = outside

    def address(self, _now_ms: int) -> str:
        """Where to post."""
        return self._url

    @abstractmethod
    def body(self, message: Message, now_ms: int) -> dict[str, object]:
        """What to post."""

    async def send(self, message: Message, now_ms: int) -> None:
        """Post into the room.

        Raises:
            UndeliveredError: the vendor did not take it.
        """
        body = msgspec.json.encode(self.body(message, now_ms))
        answer = await self._outside.post(
            self.address(now_ms), body, {"Content-Type": "application/json; charset=utf-8"}
        )
        judge(answer)
        self._judge_code(answer)

    def _judge_code(self, answer: Answer) -> None:
        """These vendors answer 200 to everything; the body says whether it was taken."""
        try:
            said = msgspec.json.decode(answer.body, type=dict[str, object])
        except msgspec.DecodeError:
            raise UndeliveredError("The other side did not answer as this vendor's robots do.", final=True) from None
        code = said.get(self.code_field)
        if code == 0:
            return
        text = self._without_secrets(str(said.get(self.text_field, "")))[:200]
        raise UndeliveredError(f"The robot answered {code}: {text}", final=code not in self.too_many)

    def _without_secrets(self, text: str) -> str:
        """What the vendor says may repeat what it was sent: the address, its key, the secret."""
        parts = urlsplit(self._url)
        keys = [value for _, value in parse_qsl(parts.query)] + [parts.path.rpartition("/")[2]]
        for secret in filter(None, (self._url, self._secret, *(key for key in keys if len(key) >= KEY_CHARS_MIN))):
            text = text.replace(secret, "…")
        return text


def _lines(message: Message) -> list[str]:
    return [message.body, *(f"{number}. {subject}" for number, (subject, _) in enumerate(message.items, 1))]


def _handles(message: Message) -> list[str]:
    return [person.handle for person in message.people if person.handle]


class WeCom(_Robot):
    """`Channel` 企业微信: a text that calls people by name where their user ids are known, else a card."""

    code_field = "errcode"
    text_field = "errmsg"
    too_many = frozenset({-1, 45009})

    def body(self, message: Message, _now_ms: int) -> dict[str, object]:
        """``text`` with ``mentioned_list``, or ``template_card`` of type ``text_notice``."""
        handles = _handles(message)
        if handles:
            content = "\n".join([message.subject, *_lines(message), message.link])
            # Their limit is 2,048 bytes; what is cut off stands on the page.
            content = content.encode()[:2_000].decode("utf-8", "ignore")
            return {"msgtype": "text", "text": {"content": content, "mentioned_list": handles}}
        return {
            "msgtype": "template_card",
            "template_card": {
                "card_type": "text_notice",
                "source": {"desc": "Noria"},
                "main_title": {"title": message.subject},
                "sub_title_text": "\n".join(_lines(message)),
                "jump_list": [{"type": 1, "title": OPEN[message.language], "url": message.link}],
                "card_action": {"type": 1, "url": message.link},
            },
        }


class DingTalk(_Robot):
    """`Channel` 钉钉: Markdown that calls people by mobile number or user id where known, else an action card."""

    code_field = "errcode"
    text_field = "errmsg"
    too_many = frozenset({-1, 130101, 410100})

    def address(self, now_ms: int) -> str:
        """With the signature: base64 of HMAC-SHA256 over timestamp, line feed and secret by the secret, URL-encoded."""
        if not self._secret:
            return self._url
        content = f"{now_ms}\n{self._secret}".encode()
        sign = quote_plus(b64encode(hmac.digest(self._secret.encode(), content, sha256)))
        joint = "&" if "?" in self._url else "?"
        return f"{self._url}{joint}timestamp={now_ms}&sign={sign}"

    def body(self, message: Message, _now_ms: int) -> dict[str, object]:
        """``markdown`` with ``at``, or ``actionCard`` with one button."""
        title = message.subject.translate(_HARMLESS)
        lines = [f"### {title}", *(line.translate(_HARMLESS) for line in _lines(message))]
        handles = _handles(message)
        if not handles:
            card = {"title": title, "text": "\n\n".join(lines), "singleTitle": OPEN[message.language]}
            return {"msgtype": "actionCard", "actionCard": {**card, "singleURL": message.link}}
        lines += [f"[{OPEN[message.language]}]({message.link})", " ".join(f"@{handle}" for handle in handles)]
        mobiles = [handle for handle in handles if handle.lstrip("+").replace("-", "").isdecimal()]
        at: Mapping[str, object] = {
            "atMobiles": mobiles,
            "atUserIds": [handle for handle in handles if handle not in mobiles],
            "isAtAll": False,
        }
        return {"msgtype": "markdown", "markdown": {"title": title, "text": "\n\n".join(lines)}, "at": at}


class Feishu(_Robot):
    """`Channel` 飞书: an interactive card; people are called by their open_id or user id where known."""

    code_field = "code"
    text_field = "msg"
    too_many = frozenset({9499, 11232})

    def body(self, message: Message, now_ms: int) -> dict[str, object]:
        """``interactive``, with ``timestamp`` and ``sign`` when the robot has a secret."""
        elements: list[dict[str, object]] = [
            {"tag": "div", "text": {"tag": "plain_text", "content": line}} for line in _lines(message)
        ]
        handles = _handles(message)
        if handles:
            calls = " ".join(f"<at id={handle}></at>" for handle in handles)
            elements.append({"tag": "div", "text": {"tag": "lark_md", "content": calls}})
        button = {
            "tag": "button",
            "text": {"tag": "plain_text", "content": OPEN[message.language]},
            "type": "primary",
            "url": message.link,
        }
        elements.append({"tag": "action", "actions": [button]})
        card = {
            "config": {"wide_screen_mode": True},
            "header": {"title": {"tag": "plain_text", "content": message.subject}, "template": "blue"},
            "elements": elements,
        }
        return {**self._signed(now_ms // 1000), "msg_type": "interactive", "card": card}

    def _signed(self, timestamp_s: int) -> dict[str, object]:
        """Base64 of HMAC-SHA256 over nothing by the key of timestamp, line feed and secret; in seconds."""
        if not self._secret:
            return {}
        key = f"{timestamp_s}\n{self._secret}".encode()
        return {"timestamp": str(timestamp_s), "sign": b64encode(hmac.digest(key, b"", sha256)).decode()}
