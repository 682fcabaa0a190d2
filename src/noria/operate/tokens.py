"""Access tokens of programs: made by the person they act as, shown once, taken back at any time."""

from __future__ import annotations

import msgspec

from noria.kernel.errors import Rejected
from noria.kernel.instants import DAY_MS
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, origin_json, person_ref
from noria.operate.views import Page, Ref
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission, may
from noria.trust.signing_in import Secrets, hashed_secret
from noria.trust.tokens import PREFIX, USED_MS, AccessToken, TokenStore

DAYS_MAX = 730
NAME_CHARS_MAX = 80
TOKENS_MAX = 50
"""Of one person."""


class TokenOrder(msgspec.Struct):
    """A token to make.

    Attributes:
        name: what it is for.
        days: how long it is taken.
    """

    name: str
    days: int = 365


class TokenView(msgspec.Struct):
    """A token.

    Attributes:
        person: who it acts as.
        used_at: when it was used last, null for never; exact to a minute.
    """

    id: str
    name: str
    person: Ref
    created_at: str
    expires_at: str
    expired: bool
    used_at: str | None


class NewToken(msgspec.Struct):
    """A token that has just been made; its secret is shown this once."""

    token: TokenView
    secret: str


class Tokens:
    """The use cases about access tokens."""

    def __init__(self, office: Office, store: TokenStore, secrets: Secrets) -> None:
        self._office = office
        self._store = store
        self._secrets = secrets

    async def list_mine(self, caller: Caller) -> Page[TokenView]:
        """The caller's own, the newest first."""
        return await self._page(caller, caller.principal.id)

    async def list_all(self, caller: Caller) -> Page[TokenView]:
        """Everybody's, for administrators.

        Raises:
            DeniedError: the caller may not.
        """
        await self._office.require(caller, Permission.PEOPLE, "token")
        return await self._page(caller)

    async def _page(self, caller: Caller, person: str = "") -> Page[TokenView]:
        tokens = await self._store.tokens(caller.principal.tenant)
        found = [await self._view(token) for token in tokens if person in ("", token.person)]
        return Page(found, len(found), len(found), 0)

    async def _view(self, token: AccessToken) -> TokenView:
        organisation = await self._office.people.organisation(token.tenant)
        return TokenView(
            token.id,
            token.name,
            person_ref(organisation, token.person),
            iso(token.created),
            iso(token.expires),
            token.expires <= self._office.clock.now_ms(),
            iso(token.used) if token.used else None,
        )

    async def create(self, caller: Caller, order: TokenOrder) -> NewToken:
        """Make a token that acts as the caller.

        Raises:
            RefusedError: it has no name, lasts for no time or too long, or there are too many.
        """
        name, tenant, now_ms = order.name.strip(), caller.principal.tenant, self._office.clock.now_ms()
        if not 0 < len(name) <= NAME_CHARS_MAX:
            raise _refused("name", f"Say what the token is for, in at most {NAME_CHARS_MAX} characters.")
        if not 1 <= order.days <= DAYS_MAX:
            raise _refused("days", f"A token is taken for 1 to {DAYS_MAX} days.")
        if sum(token.person == caller.principal.id for token in await self._store.tokens(tenant)) >= TOKENS_MAX:
            raise RefusedError(Rejected("token.too_many", f"You have {TOKENS_MAX} tokens; take some back first."))
        secret = PREFIX + self._secrets.token()
        token = AccessToken(
            self._secrets.token()[:16],
            tenant,
            caller.principal.id,
            name,
            hashed_secret(secret),
            now_ms,
            now_ms + order.days * DAY_MS,
        )
        await self._store.put(token)
        await self._record(caller, "token.created", token)
        return NewToken(await self._view(token), secret)

    async def revoke(self, caller: Caller, key: str) -> None:
        """Take a token back: one's own, or anybody's as an administrator.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        tokens = await self._store.tokens(caller.principal.tenant)
        token = next((token for token in tokens if token.id == key), None)
        mine = token is not None and token.person == caller.principal.id
        if token is None or not (mine or may(caller.principal, Permission.PEOPLE).allowed):
            raise NotFoundError(f"There is no token {key!r}.")
        await self._store.drop(token)
        await self._record(caller, "token.revoked", token)

    async def fits(self, secret: str) -> AccessToken | None:
        """The token with a secret, None when there is none that is still taken."""
        if not secret.startswith(PREFIX):
            return None
        token = await self._store.token(hashed_secret(secret))
        now_ms = self._office.clock.now_ms()
        if token is None or token.expires <= now_ms:
            return None
        if now_ms >= token.used + USED_MS:
            await self._store.touch(token, now_ms)
        return token

    async def _record(self, caller: Caller, action: str, token: AccessToken) -> None:
        about = {"name": token.name, "person": token.person, "expires": iso(token.expires)}
        await self._office.trail.record(
            AuditRecord(
                token.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                "token",
                token.id,
                after=msgspec.json.encode(about).decode(),
                origin=origin_json(caller.origin),
            )
        )


def _refused(field: str, message: str) -> RefusedError:
    return RefusedError(Rejected(f"token.{field}", message, {"fields": {field: f"token.{field}"}}))
