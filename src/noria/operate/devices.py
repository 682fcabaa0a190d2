"""Devices (通知设备): browsers that a person is told by through Web Push; each person's own to add and to remove."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from hashlib import sha256
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from noria.kernel.errors import Rejected
from noria.operate.channels import ChannelRow, check_address
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, iso_or_none, origin_json
from noria.trust.audit import AuditRecord

DEVICES_MAX = 20
"""Of one person."""
NAME_CHARS_MAX = 80
ENDPOINT_CHARS_MAX = 2_000
POINT_BYTES = 65
"""An uncompressed point of P-256: 0x04 and two numbers of 32 bytes."""
AUTH_BYTES = 16
_ADDRESS = re.compile(r"[!-~]+")  # visible ASCII: what is taken apart here must not be read otherwise elsewhere
TAKEN_MAX = 32
"""Of the messages that a device took last, so many are known."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A browser's push subscription (RFC 8030, 8291).

    Attributes:
        tenant: whose.
        id: derived from the endpoint, so that a browser finds itself in the list, and others learn nothing.
        person: who is told.
        name: as the browser calls itself.
        endpoint: where messages for it are posted; whoever knows it may post, so it is shown to nobody.
        p256dh, auth: what messages are sealed with, base64url.
        key: public key of the channel that it was made for, base64url; it takes nothing signed by another.
        created: ms.
        used: when it took a message last, ms; 0 for never.
        taken: ids of the messages that it took last, oldest first.
    """

    tenant: int
    id: str
    person: str
    name: str
    endpoint: str
    p256dh: str
    auth: str
    key: str
    created: int
    used: int = 0
    taken: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Device({self.tenant}, {self.id!r}, {self.person!r})"  # no secrets, wherever this may be written


class DeviceStore(Protocol):
    """Where devices are kept; `adapters.database.devices.DatabaseDevices` has them."""

    async def of_person(self, tenant: int, person: str) -> list[Device]:
        """A person's devices, the oldest first."""
        ...

    async def put(self, device: Device) -> None:
        """Keep one, in place of the same browser's before, whoever used it."""
        ...

    async def took(self, device: Device, message: str, now_ms: int) -> None:
        """Note that one took a message."""
        ...

    async def drop(self, device: Device) -> None:
        """Forget one."""
        ...


class Channels(Protocol):
    """Where channels are kept."""

    async def channels(self, tenant: int) -> list[ChannelRow]:
        """A tenant's channels, by id."""
        ...


class PushKeys(Protocol):
    """What needs the package for signing and sealing."""

    def make(self) -> tuple[str, str]:
        """A new pair of keys, private and public, base64url.

        Raises:
            NotInstalledError: the package is not installed.
        """
        ...

    def fits(self, point: bytes) -> bool:
        """Whether bytes are an uncompressed point on P-256.

        Raises:
            NotInstalledError: the package is not installed.
        """
        ...


class DeviceOrder(msgspec.Struct, kw_only=True):
    """A browser's subscription.

    Attributes:
        name: what the person calls the device.
        endpoint: address that the browser's push service gave.
        p256dh: its public key: 65 bytes, base64url.
        auth: its secret: 16 bytes, base64url.
        key: the server's public key that the browser subscribed with.
    """

    name: str
    endpoint: str
    p256dh: str
    auth: str
    key: str

    def __repr__(self) -> str:
        return f"DeviceOrder({self.name!r})"


class DeviceView(msgspec.Struct):
    """A device.

    Attributes:
        id: first 22 characters of base64url of SHA-256 of its endpoint.
        service: host of the push service.
        used_at: when it took a message last, null for never.
    """

    id: str
    name: str
    service: str
    created_at: str
    used_at: str | None


class DevicesView(msgspec.Struct):
    """The caller's devices; `public_key` is what a browser subscribes with, "" while there is no such channel."""

    public_key: str
    items: list[DeviceView]


def device_id(endpoint: str) -> str:
    """The id of the device behind an endpoint."""
    return urlsafe_b64encode(sha256(endpoint.encode()).digest()).decode()[:22]


def decoded(text: str) -> bytes:
    """Bytes of base64url with or without padding.

    Raises:
        ValueError: it is none.
    """
    plain = text.rstrip("=")
    if not plain.isascii() or not plain.replace("-", "").replace("_", "").isalnum():
        raise ValueError("This is no base64url.")
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except Base64Error as error:
        raise ValueError("This is no base64url.") from error


def may_be_reached(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a host is one of some names, or below one."""
    return any(host == name or host.endswith(f".{name}") for name in hosts)


class Devices:
    """The use cases.

    Args:
        office: where things are.
        store: where devices are kept.
        channels: where channels are kept.
        keys: looks at public keys.
        allowed: hosts that the operator of the machine allows although they are not public.
    """

    def __init__(
        self, office: Office, store: DeviceStore, channels: Channels, keys: PushKeys, allowed: frozenset[str]
    ) -> None:
        self._office = office
        self._store = store
        self._channels = channels
        self._keys = keys
        self._allowed = allowed

    async def list_mine(self, caller: Caller) -> DevicesView:
        """The caller's devices, the oldest first."""
        channel = await self._channel(caller)
        found = await self._store.of_person(caller.principal.tenant, caller.principal.id)
        public_key = channel.settings["public_key"] if channel is not None else ""
        # Those of a channel that is gone take nothing any more; they go when something should be sent.
        return DevicesView(public_key, [_view(device) for device in found if device.key == public_key])

    async def add(self, caller: Caller, order: DeviceOrder) -> DeviceView:
        """Have the caller told by a browser.

        Raises:
            RefusedError: there is no such channel, the subscription was made for another, something in it is wrong,
                or there are too many.
        """
        channel = await self._channel(caller)
        if channel is None:
            raise RefusedError(Rejected("device.no_channel", "Notices on devices are not set up here."))
        if order.key != channel.settings["public_key"]:
            message = "The subscription was made with another key; unsubscribe, load the page again, and subscribe."
            raise RefusedError(Rejected("device.key_changed", message, {"fields": {"key": "device.key_changed"}}))
        tenant, person, now_ms = caller.principal.tenant, caller.principal.id, self._office.clock.now_ms()
        self._check(channel, order)
        device = Device(
            tenant=tenant,
            id=device_id(order.endpoint),
            person=person,
            name=order.name.strip(),
            endpoint=order.endpoint,
            p256dh=order.p256dh.rstrip("="),
            auth=order.auth.rstrip("="),
            key=order.key,
            created=now_ms,
        )
        others = [one for one in await self._store.of_person(tenant, person) if one.id != device.id]
        if len(others) >= DEVICES_MAX:
            raise RefusedError(Rejected("device.too_many", f"You have {DEVICES_MAX} devices; remove some first."))
        await self._store.put(device)
        await self._record(caller, "device.added", device)
        return _view(device)

    def _check(self, channel: ChannelRow, order: DeviceOrder) -> None:
        if not 1 <= len(order.name.strip()) <= NAME_CHARS_MAX or any(ord(char) < 32 for char in order.name):
            raise _invalid("name", f"A device has a name of 1 to {NAME_CHARS_MAX} characters.")
        problem = check_address(order.endpoint, self._allowed)
        if problem or len(order.endpoint) > ENDPOINT_CHARS_MAX or not _ADDRESS.fullmatch(order.endpoint):
            raise _invalid("endpoint", problem or "This is no address that a push service gives.")
        host = urlsplit(order.endpoint).hostname or ""
        if not may_be_reached(host, channel.hosts):
            message = f"Nothing is sent through {host}: an administrator may add it to the channel's push services."
            raise _invalid("endpoint", message)
        try:
            point, auth = decoded(order.p256dh), decoded(order.auth)
        except ValueError:
            raise _invalid("p256dh", "p256dh and auth are base64url, as the browser gives them.") from None
        if len(auth) != AUTH_BYTES:
            raise _invalid("auth", f"auth has {AUTH_BYTES} bytes, not {len(auth)}.")
        if len(point) != POINT_BYTES or not self._keys.fits(point):
            raise _invalid("p256dh", f"p256dh is a point on P-256 of {POINT_BYTES} bytes.")

    async def remove(self, caller: Caller, key: str) -> None:
        """Have the caller told by a device no more.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        mine = await self._store.of_person(caller.principal.tenant, caller.principal.id)
        device = next((device for device in mine if device.id == key), None)
        if device is None:
            raise NotFoundError(f"There is no device {key!r}.")
        await self._store.drop(device)
        await self._record(caller, "device.removed", device)

    async def _channel(self, caller: Caller) -> ChannelRow | None:
        rows = await self._channels.channels(caller.principal.tenant)
        return next(
            (row for row in rows if row.kind == "webpush" and row.enabled and row.concerns(caller.principal.groups)),
            None,
        )

    async def _record(self, caller: Caller, action: str, device: Device) -> None:
        about: Mapping[str, str] = {"name": device.name, "service": _service(device)}
        await self._office.trail.record(
            AuditRecord(
                device.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                "device",
                device.id,
                after=msgspec.json.encode(about).decode(),
                origin=origin_json(caller.origin),
            )
        )


def _service(device: Device) -> str:
    return urlsplit(device.endpoint).hostname or ""


def _view(device: Device) -> DeviceView:
    return DeviceView(device.id, device.name, _service(device), iso(device.created), iso_or_none(device.used))


def _invalid(field: str, message: str) -> RefusedError:
    return RefusedError(Rejected("device.invalid", message, {"fields": {field: "device.invalid"}}))
