"""Web Push: a sealed message to each device of a person, by the push service of its browser.

Sources: RFC 8030 (delivery: TTL, Urgency, Topic, statuses), RFC 8291 (sealing), RFC 8292 (who sends).
"""

from __future__ import annotations

import asyncio
import logging
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec

from noria.adapters.channels.outside import Outside
from noria.kernel.instants import DAY_MS, HOUR_MS
from noria.operate.channels import ChannelRow, Message, NoDeviceError, NotInstalledError, UndeliveredError
from noria.operate.devices import Device, DeviceStore, decoded, may_be_reached
from noria.operate.notices import ABOUT_TASKS, URGENT

logger = logging.getLogger(__name__)

KEPT_S = DAY_MS // 1000
"""How long a push service keeps a message for a device that is off; what is older stands in the inbox anyway."""
SIGNED_MS = 12 * HOUR_MS
"""How long a signature holds; push services take a day at most."""
TITLE_CHARS_MAX, BODY_CHARS_MAX, LINES_MAX = 200, 600, 8
PLAIN_BYTES_MAX = 3_500
"""Below what one record holds (`sealing.PLAIN_BYTES_MAX`)."""
GONE = frozenset({404, 410})
LATER = frozenset({408, 413, 425, 429})


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise NotInstalledError(
            "Web Push needs the package cryptography, which is not installed; have the operator install noria[push]."
        ) from None


class PushKeys:
    """`operate.devices.PushKeys`."""

    def make(self) -> tuple[str, str]:
        """A new pair of keys, private and public, base64url.

        Raises:
            NotInstalledError: the package is not installed.
        """
        with _installed():
            from noria.adapters.channels.sealing import new_keys  # noqa: PLC0415 - its package is an extra
        return new_keys()

    def fits(self, point: bytes) -> bool:
        """Whether bytes are an uncompressed point on P-256.

        Raises:
            NotInstalledError: the package is not installed.
        """
        with _installed():
            from noria.adapters.channels.sealing import is_point  # noqa: PLC0415
        return is_point(point)


def topic_of(message: Message, device: Device) -> str:
    """By what a later message takes the place of an earlier one: the task, else the message; 32 letters.

    The push service sees it, so it is made with what the push service does not know.
    """
    about_task = message.tok and message.kind in ABOUT_TASKS
    what = f"{message.iid}-{message.tok}" if about_task else message.id
    mark = blake2b(what.encode(), key=device.auth.encode(), digest_size=24).digest()
    return urlsafe_b64encode(mark).decode()


def payload_of(message: Message, topic: str) -> bytes:
    """What the page's service worker is told: what to show, and the path of the page that it leads to."""
    lines = [subject for subject, _ in message.items] if message.items else [message.body]
    body = "\n".join(line[:BODY_CHARS_MAX] for line in lines[:LINES_MAX])
    while True:
        found = msgspec.json.encode(
            {
                "id": message.id,
                "language": message.language,
                "title": message.subject[:TITLE_CHARS_MAX],
                "body": body,
                "path": urlsplit(message.link).path,
                "tag": topic,
            }
        )
        if len(found) <= PLAIN_BYTES_MAX:
            return found
        body = body[: len(body) * 3 // 4]


class WebPush:
    """`Channel`: one message to each device of a person; a device that is gone is forgotten."""

    def __init__(self, row: ChannelRow, outside: Outside, devices: DeviceStore) -> None:
        self._row = row
        self._outside = outside
        self._devices = devices
        # Push services that did not answer a moment ago: the next device need not wait for that again.
        self._silent: dict[str, str] = {}

    async def send(self, message: Message, now_ms: int) -> None:
        """Send to each device that has not taken this message yet.

        Raises:
            NoDeviceError: the person has none any more.
            UndeliveredError: one must be tried again, or none took it.
            NotInstalledError: the package for sealing is not installed.
        """
        person = message.people[0].id
        devices = await self._devices.of_person(self._row.tenant, person)
        failures: list[UndeliveredError] = []
        took = 0
        tried = await asyncio.gather(*(self._to(device, message, now_ms) for device in devices))
        for outcome in tried:
            if isinstance(outcome, UndeliveredError):
                failures.append(outcome)
            else:
                took += outcome
        again = [failure for failure in failures if not failure.final]
        if again:
            raise UndeliveredError(
                _said(again), retry_after_ms=max(failure.retry_after_ms for failure in again), alone=True
            )
        if not took:
            raise UndeliveredError(_said(failures), final=True, alone=True) if failures else NoDeviceError
        for failure in failures:
            logger.warning("A device of %s took no message: %s", person, failure.message)

    async def _to(self, device: Device, message: Message, now_ms: int) -> bool | UndeliveredError:
        """Whether a device has the message, False when it is gone; or why it has not."""
        if device.key != self._row.settings["public_key"]:
            await self._devices.drop(device)
            return False
        if message.id in device.taken:
            return True
        host = urlsplit(device.endpoint).hostname or ""
        if not may_be_reached(host, self._row.hosts):
            return UndeliveredError(
                f"Nothing is sent through {host}: it is no push service of this channel.", final=True
            )
        if host in self._silent:
            return UndeliveredError(self._silent[host])
        body, headers = self._sealed(device, message, now_ms)
        try:
            answer = await self._outside.post(device.endpoint, body, headers)
        except UndeliveredError as error:
            if not error.final:
                self._silent[host] = f"{host}: {error.message}"
            return UndeliveredError(f"{host}: {error.message}", final=error.final)
        if 200 <= answer.status < 300:
            await self._devices.took(device, message.id, now_ms)
            return True
        if answer.status in GONE:
            await self._devices.drop(device)
            return False
        later = answer.status in LATER or answer.status >= 500
        return UndeliveredError(
            f"{host} answered {answer.status}.", final=not later, retry_after_ms=answer.retry_after_ms
        )

    def _sealed(self, device: Device, message: Message, now_ms: int) -> tuple[bytes, dict[str, str]]:
        with _installed():
            from noria.adapters.channels.sealing import authorization, seal  # noqa: PLC0415
        topic = topic_of(message, device)
        parts = urlsplit(device.endpoint)
        settings = self._row.settings
        headers = {
            "Authorization": authorization(
                self._row.secrets["private_key"],
                settings["public_key"],
                f"{parts.scheme}://{parts.netloc}",
                settings["contact"],
                (now_ms + SIGNED_MS) // 1000,
            ),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_S),
            "Urgency": "high" if message.kind in URGENT or message.kind == "test" else "normal",
            "Topic": topic,
        }
        return seal(payload_of(message, topic), decoded(device.p256dh), decoded(device.auth)), headers


def _said(failures: Sequence[UndeliveredError]) -> str:
    return " ".join(dict.fromkeys(failure.message for failure in failures))
