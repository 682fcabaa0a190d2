"""Sealing and signing for Web Push; needs the package cryptography, which the extra `push` installs.

Sources: RFC 8291 (message encryption for Web Push), RFC 8188 (aes128gcm, here with a single record), RFC 8292 (VAPID).
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from noria.operate.devices import decoded

RECORD_BYTES = 4096
"""What every push service takes (RFC 8030, section 7.2)."""
SALT_BYTES, TAG_BYTES, POINT_BYTES, NUMBER_BYTES = 16, 16, 65, 32
PLAIN_BYTES_MAX = RECORD_BYTES - SALT_BYTES - 4 - 1 - POINT_BYTES - TAG_BYTES - 1
"""What remains beside the header, the tag and the sign of the last record."""
_LAST = b"\x02"


def encoded(value: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def new_keys() -> tuple[str, str]:
    """A pair of keys on P-256: the private number and the public point, base64url."""
    key = generate_private_key(SECP256R1())
    return encoded(key.private_numbers().private_value.to_bytes(NUMBER_BYTES, "big")), encoded(_point(key))


def is_point(value: bytes) -> bool:
    """Whether bytes are an uncompressed point on P-256."""
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), value)
    except ValueError:
        return False
    return len(value) == POINT_BYTES


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def seal(
    plain: bytes, point: bytes, auth: bytes, own: EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """A message that only the browser can read: header and one record of aes128gcm.

    Args:
        plain: up to `PLAIN_BYTES_MAX` bytes.
        point: the browser's public key, 65 bytes.
        auth: the browser's secret, 16 bytes.
        own: drawn for this message alone when not given.
        salt: 16 bytes, drawn when not given.

    Raises:
        ValueError: the message is too long, or the key is none.
    """
    if len(plain) > PLAIN_BYTES_MAX:
        raise ValueError(f"A push message has {PLAIN_BYTES_MAX} bytes at most, not {len(plain)}.")
    own = own or generate_private_key(SECP256R1())
    salt = salt or os.urandom(SALT_BYTES)
    shared = own.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point))
    secret = _derived(shared, auth, b"WebPush: info\0" + point + _point(own), 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([POINT_BYTES]) + _point(own)
    return header + AESGCM(key).encrypt(nonce, plain + _LAST, None)


def authorization(private_key: str, public_key: str, audience: str, contact: str, expires_s: int) -> str:
    """The header that tells a push service who sends: a JSON Web Token signed by ES256, and the key (RFC 8292).

    Args:
        private_key: of `new_keys`.
        public_key: of the same.
        audience: origin of the push service.
        contact: whom its operators may ask, ``mailto:…`` or ``https://…``.
        expires_s: seconds since the epoch, at most a day ahead.
    """
    head = encoded(b'{"typ":"JWT","alg":"ES256"}')
    claims = encoded(msgspec.json.encode({"aud": audience, "exp": expires_s, "sub": contact}))
    signed = f"{head}.{claims}"
    key = derive_private_key(int.from_bytes(decoded(private_key), "big"), SECP256R1())
    numbers = decode_dss_signature(key.sign(signed.encode(), ECDSA(SHA256())))
    signature = b"".join(number.to_bytes(NUMBER_BYTES, "big") for number in numbers)
    return f"vapid t={signed}.{encoded(signature)}, k={public_key}"
