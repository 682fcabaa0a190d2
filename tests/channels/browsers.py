"""A browser that subscribed to Web Push, and what it does with what comes: checks who sent it, and opens it.

The opening is http-ece's, an implementation of its own beside the product's.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from noria.operate.devices import Device, device_id
from tests.channels.receivers import Request


def base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def plain(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """A browser with a subscription.

    Attributes:
        endpoint: where its push service takes messages.
        p256dh, auth: what it tells the server.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # Not the beginning of the hash that the device is called by.
        auth = sha256(b"auth of " + endpoint.encode()).digest()[:16]
        self._key = generate_private_key(SECP256R1())
        self._auth = auth
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.p256dh, self.auth = base64url(point), base64url(auth)

    def device(self, key: str, person: str = "wang", created: int = 1) -> Device:
        """As the server keeps it."""
        return Device(
            tenant=1,
            id=device_id(self.endpoint),
            person=person,
            name="Chrome",
            endpoint=self.endpoint,
            p256dh=self.p256dh,
            auth=self.auth,
            key=key,
            created=created,
        )

    def order(self, key: str, **given: object) -> dict[str, object]:
        """As its page hands it in."""
        order = {"name": "Chrome · Android", "endpoint": self.endpoint, "p256dh": self.p256dh, "auth": self.auth}
        return {**order, "key": key, **given}

    def opened(self, body: bytes) -> dict[str, Any]:
        """What is in a message."""
        found = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        return dict(msgspec.json.decode(found))


def claims_of(request: Request, public_key: str) -> dict[str, Any]:
    """What the sender says of itself, after its signature was checked as a push service checks it."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, given["k"]) == ("vapid", public_key)
    head, claims, signature = given["t"].split(".")
    assert msgspec.json.decode(plain(head)) == {"typ": "JWT", "alg": "ES256"}
    numbers = plain(signature)
    assert len(numbers) == 64
    der = encode_dss_signature(int.from_bytes(numbers[:32], "big"), int.from_bytes(numbers[32:], "big"))
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), plain(public_key))
    key.verify(der, f"{head}.{claims}".encode(), ECDSA(SHA256()))
    return dict(msgspec.json.decode(plain(claims)))
