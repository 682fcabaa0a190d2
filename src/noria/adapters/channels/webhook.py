"""A signed webhook: CloudEvents 1.0 in structured JSON, signed as Standard Webhooks say.

Sources: CloudEvents 1.0.2, JSON event format and HTTP binding (structured mode); Standard Webhooks 1.0.0 (signed
content ``id.timestamp.body``, HMAC-SHA256, header ``webhook-signature: v1,BASE64``).
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256

import msgspec

from noria.adapters.channels.outside import Outside, judge
from noria.kernel.instants import InstantMs, format_instant
from noria.operate.channels import ChannelRow, Message

TYPE = "noria.notice"
_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: ``whsec_`` and base64, or the text itself."""
    if secret.startswith(_PREFIX):
        try:
            return b64decode(secret[len(_PREFIX) :], validate=True)
        except Base64Error:
            return secret.encode()
    return secret.encode()


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + b64encode(hmac.digest(key_of(secret), content, sha256)).decode()


def cloud_event(message: Message) -> bytes:
    """The body: a CloudEvent about one notice."""
    place = f"tasks/{message.iid}-{message.tok}" if message.tok else f"instances/{message.iid}"
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": message.id,
            "source": message.source,
            "type": f"{TYPE}.{message.kind}",
            "subject": place,
            "time": format_instant(InstantMs(message.at)),
            "datacontenttype": "application/json",
            "data": {
                "kind": message.kind,
                "instance_id": str(message.iid),
                "task_id": f"{message.iid}-{message.tok}" if message.tok else None,
                "people": [{"id": person.id, "name": person.name} for person in message.people],
                "subject": message.subject,
                "text": message.body,
                "link": message.link,
                "params": message.params,
            },
        }
    )


class Webhook:
    """`Channel`."""

    def __init__(self, row: ChannelRow, outside: Outside) -> None:
        self._url = row.settings["url"]
        self._secret = row.secrets["secret"]
        self._outside = outside

    async def send(self, message: Message, now_ms: int) -> None:
        """Post an event.

        Raises:
            UndeliveredError: the other side did not take it.
        """
        body = cloud_event(message)
        timestamp_s = now_ms // 1000
        headers = {
            "Content-Type": "application/cloudevents+json; charset=UTF-8",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(self._secret, message.id, timestamp_s, body),
        }
        judge(await self._outside.post(self._url, body, headers))
