"""Signing in with local accounts: lockout, server-side sessions, protection against cross-site requests."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Protocol

import msgspec

from noria.kernel.errors import Rejected
from noria.kernel.instants import HOUR_MS, MINUTE_MS
from noria.trust.audit import AuditRecord, AuditTrail

FAILURES_MAX = 5
LOCK_MS = 15 * MINUTE_MS
IDLE_MS = 30 * MINUTE_MS
ABSOLUTE_MS = 12 * HOUR_MS
KNOWN_MS = MINUTE_MS
"""How long a session that was read is relied on, unless it is known to have ended (`Accounts.forget`)."""
_KNOWN_MAX = 10_000
PASSWORD_CHARS_MIN = 8
PASSWORD_CHARS_MAX = 256


class Credential(msgspec.Struct, frozen=True):
    """How a person signs in.

    Attributes:
        person: person id.
        hash: of the password.
        failures: wrong tries in a row.
        locked_until: instant until which no try counts, ms.
        must_change: whether the password must be changed after the next sign-in.
    """

    person: str
    hash: str
    failures: int = 0
    locked_until: int = 0
    must_change: bool = False


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser.

    Attributes:
        hash: of the secret in the cookie.
        tenant: whose.
        person: person id.
        csrf: token that unsafe requests must show.
        created: ms.
        seen: last request, ms.
        expires: end at the latest, ms.
        address: of the client.
        device: what the client says it is.
        must_change: whether the person must choose a new password before anything else.
    """

    hash: str
    tenant: int
    person: str
    csrf: str
    created: int
    seen: int
    expires: int
    address: str
    device: str
    must_change: bool = False


class PasswordHasher(Protocol):
    """A slow, salted hash (argon2id)."""

    async def hash(self, password: str) -> str:
        """Hash a new password."""
        ...

    async def verify(self, hashed: str, password: str) -> bool:
        """Whether a password fits."""
        ...


class AccountStore(Protocol):
    """Where credentials and sessions are kept."""

    async def credential(self, tenant: int, username: str) -> Credential | None:
        """Of an active person."""
        ...

    async def put_credential(self, tenant: int, credential: Credential, now_ms: int) -> None:
        """Write a person's credential."""
        ...

    async def note_failure(self, tenant: int, person: str, failures_max: int, locked_until: int) -> bool:
        """Count a wrong try; at `failures_max` the account is locked and the count begins anew. Tells whether it is.

        Tries at the same time are each counted.
        """
        ...

    async def put_session(self, session: Session) -> None:
        """Write a session."""
        ...

    async def session(self, hashed: str) -> Session | None:
        """By the hash of its secret; None when there is none or its person is not active."""
        ...

    async def touch_session(self, hashed: str, now_ms: int) -> None:
        """Note a request."""
        ...

    async def drop_session(self, hashed: str) -> None:
        """End a session."""
        ...

    async def drop_sessions_of(self, tenant: int, person: str) -> None:
        """End all sessions of a person."""
        ...


class Secrets(Protocol):
    """Unguessable texts."""

    def token(self) -> str:
        """256 random bits as text."""
        ...


def hashed_secret(secret: str) -> str:
    """What is stored of a session's secret."""
    return sha256(secret.encode()).hexdigest()


def weak_password(password: str, username: str) -> str | None:
    """Why a password is not taken, None when it is."""
    if len(password) < PASSWORD_CHARS_MIN:
        return f"A password has at least {PASSWORD_CHARS_MIN} characters."
    if len(password) > PASSWORD_CHARS_MAX:
        return f"A password has at most {PASSWORD_CHARS_MAX} characters."
    if username.lower() in password.lower() or len(set(password)) < 5:
        return "The password is too easy to guess."
    return None


class Accounts:
    """Signs people in and out."""

    def __init__(self, store: AccountStore, hasher: PasswordHasher, trail: AuditTrail, secrets: Secrets) -> None:
        self._store = store
        self._hasher = hasher
        self._trail = trail
        self._secrets = secrets
        self._dummy: str | None = None
        self._known: dict[str, tuple[Session, int]] = {}
        self._ends = 0

    async def sign_in(
        self, tenant: int, username: str, password: str, *, now_ms: int, address: str, device: str
    ) -> tuple[str, Session] | Rejected:
        """Open a session.

        Returns:
            The secret for the cookie and the session, or the refusal (``session.bad_credentials`` or
            ``session.locked``); each is an audit record.
        """
        credential = await self._store.credential(tenant, username)

        async def record(outcome: str, reason: str) -> None:
            origin = msgspec.json.encode({"method": "ui", "address": address, "device": device}).decode()
            who = credential.person if credential else ""
            await self._trail.record(
                AuditRecord(
                    tenant,
                    now_ms,
                    who,
                    "session.sign_in",
                    "person",
                    who or username[:80],
                    outcome,
                    reason,
                    origin=origin,
                )
            )

        if credential is None:
            # The same work as for a real account, so that the time does not tell which names exist.
            self._dummy = self._dummy or await self._hasher.hash(self._secrets.token())
            await self._hasher.verify(self._dummy, password[:PASSWORD_CHARS_MAX])
            await record("failed", "unknown account")
            return Rejected("session.bad_credentials", "The user name or the password is wrong.")
        if credential.locked_until > now_ms:
            await record("refused", "locked")
            return Rejected(
                "session.locked",
                "The account is locked after too many wrong passwords; try again later.",
                {"retry_after_ms": credential.locked_until - now_ms},
            )
        if not await self._hasher.verify(credential.hash, password[:PASSWORD_CHARS_MAX]):
            locked = await self._store.note_failure(tenant, credential.person, FAILURES_MAX, now_ms + LOCK_MS)
            await record("failed", "locked now" if locked else "wrong password")
            return Rejected("session.bad_credentials", "The user name or the password is wrong.")
        if credential.failures or credential.locked_until:
            await self._store.put_credential(
                tenant, msgspec.structs.replace(credential, failures=0, locked_until=0), now_ms
            )
        secret = self._secrets.token()
        session = Session(
            hash=hashed_secret(secret),
            tenant=tenant,
            person=credential.person,
            csrf=self._secrets.token(),
            created=now_ms,
            seen=now_ms,
            expires=now_ms + ABSOLUTE_MS,
            address=address,
            device=device,
            must_change=credential.must_change,
        )
        await self._store.put_session(session)
        await record("ok", "")
        return secret, session

    async def session(self, secret: str, now_ms: int) -> Session | None:
        """The live session of a cookie; None when it is unknown, idle for too long or too old."""
        hashed = hashed_secret(secret)
        known, read_ms = self._known.get(hashed, (None, 0))
        session = known if 0 <= now_ms - read_ms < KNOWN_MS else await self._read(hashed, now_ms)
        if session is None:
            return None
        if now_ms > session.expires or now_ms > session.seen + IDLE_MS:
            await self._end(session)
            return None
        if now_ms > session.seen + MINUTE_MS:
            await self._store.touch_session(session.hash, now_ms)
            self._known.pop(session.hash, None)
        return session

    async def _read(self, hashed: str, now_ms: int) -> Session | None:
        ends = self._ends
        session = await self._store.session(hashed)
        # One that was ended while it was read must not be remembered.
        if session is not None and ends == self._ends:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[hashed] = (session, now_ms)
        return session

    async def _end(self, session: Session) -> None:
        await self._store.drop_session(session.hash)
        self._known.pop(session.hash, None)
        self._ends += 1

    def forget(self) -> None:
        """Sessions may have ended somewhere: read each again when it is used."""
        self._known.clear()
        self._ends += 1

    async def sign_out(self, session: Session, now_ms: int) -> None:
        """End a session."""
        await self._end(session)
        await self._trail.record(
            AuditRecord(session.tenant, now_ms, session.person, "session.sign_out", "person", session.person)
        )

    async def change_password(
        self, session: Session, username: str, old: str, new: str, now_ms: int
    ) -> Rejected | None:
        """Change one's own password; every session of the person ends."""
        credential = await self._store.credential(session.tenant, username)
        if credential is None or not await self._hasher.verify(credential.hash, old[:PASSWORD_CHARS_MAX]):
            return Rejected("session.bad_credentials", "The old password is wrong.")
        weakness = weak_password(new, username)
        if weakness:
            return Rejected("password.weak", weakness, {"fields": {"new": "password.weak"}})
        await self.set_password(session.tenant, credential.person, new, now_ms)
        await self._trail.record(
            AuditRecord(session.tenant, now_ms, session.person, "password.changed", "person", session.person)
        )
        return None

    async def set_password(
        self, tenant: int, person: str, password: str, now_ms: int, *, must_change: bool = False
    ) -> None:
        """Set a person's password; every session of theirs ends."""
        hashed = await self._hasher.hash(password)
        await self._store.put_credential(tenant, Credential(person, hashed, must_change=must_change), now_ms)
        await self._store.drop_sessions_of(tenant, person)
        self.forget()

    @staticmethod
    def csrf_fits(session: Session, token: str) -> bool:
        """Whether an unsafe request shows the session's token."""
        return hmac.compare_digest(session.csrf.encode(), token.encode())
