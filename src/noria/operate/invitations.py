"""Passwords by letter (密码链接): administrators invite people, and who forgot a password asks for a link.

A letter goes the way of all messages, with retries and dead letters. What waits holds no secret: one is drawn when the
letter is written, and only its hash is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from noria.kernel.errors import NoriaError, Rejected
from noria.kernel.instants import DAY_MS, MINUTE_MS
from noria.operate.channels import MAIL_ADDRESS, ChannelRow, Delivery
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, origin_json
from noria.trust.audit import AuditRecord
from noria.trust.password_links import LASTS_MS, PasswordLink, PasswordLinkStore
from noria.trust.people import Organisation, Person
from noria.trust.policy import Permission
from noria.trust.signing_in import Accounts, Secrets, hashed_secret, weak_password

logger = logging.getLogger(__name__)

AGAIN_MS = 5 * MINUTE_MS
"""So long after one letter no other goes to the same person."""
LETTERS_A_DAY_MAX = 5
ASKING_MAX = 100
"""Who may be looked for at a time."""
NAME_CHARS_MAX = 320


class LetterStore(Protocol):
    """Where letters wait; `adapters.database.deliveries.DatabaseDeliveries` has them."""

    async def channels(self, tenant: int) -> list[ChannelRow]:
        """A tenant's channels, by id."""
        ...

    async def add(self, items: Sequence[Delivery]) -> None:
        """Have some sent."""
        ...

    async def letters_since(self, tenant: int, person: str, kinds: Iterable[str], since_ms: int) -> list[int]:
        """Instants of a person's letters of some kinds since then, oldest first."""
        ...

    async def invites_new(self, tenant: int) -> bool:
        """Whether whoever is new is invited without being asked."""
        ...


class LinkView(msgspec.Struct):
    """Whose password a link sets."""

    name: str
    username: str


class Links:
    """Draws and takes links.

    Args:
        office: where things are.
        store: where links are kept.
        secrets: draws their secrets.
    """

    def __init__(self, office: Office, store: PasswordLinkStore, secrets: Secrets) -> None:
        self._office = office
        self._store = store
        self._secrets = secrets

    async def fresh(self, letter: Delivery, now_ms: int) -> str:
        """The secret of a new link for a letter; "" when there is nothing to be set any more."""
        person = (await self._office.people.organisation(letter.tenant)).people.get(letter.person)
        expires = letter.at + LASTS_MS[letter.kind]
        if person is None or not person.active or expires <= now_ms:
            return ""
        secret = self._secrets.token()
        await self._store.put(PasswordLink(hashed_secret(secret), letter.tenant, person.id, now_ms, expires))
        return secret

    async def of(self, secret: str) -> tuple[PasswordLink, Person]:
        """The link with a secret, and its person.

        Raises:
            RefusedError: it is not taken, or not any more.
        """
        link = await self._store.link(hashed_secret(secret))
        if link is not None and link.expires > self._office.clock.now_ms():
            person = (await self._office.people.organisation(link.tenant)).people.get(link.person)
            if person is not None and person.active:
                return link, person
        raise _refused("invalid", "The link is unknown, was used, or has expired; ask for another one.")

    async def take(self, link: PasswordLink) -> None:
        """Use a link up, with all others of its person.

        Raises:
            RefusedError: somebody else was faster.
        """
        if not await self._store.take(link):
            raise _refused("invalid", "The link is unknown, was used, or has expired; ask for another one.")


class Invitations:
    """The use cases.

    Args:
        office: where things are.
        links: draws and takes links.
        letters: where letters wait.
        accounts: where passwords are.
        secrets: draws numbers of letters.
        nudge: has letters sent now.
    """

    def __init__(
        self,
        office: Office,
        links: Links,
        letters: LetterStore,
        accounts: Accounts,
        secrets: Secrets,
        nudge: Callable[[], None],
    ) -> None:
        self._office = office
        self._links = links
        self._letters = letters
        self._accounts = accounts
        self._secrets = secrets
        self._nudge = nudge
        self._asking: set[asyncio.Task[None]] = set()

    async def invite(self, caller: Caller, key: str) -> None:
        """Send somebody a letter with a link that sets their password.

        Raises:
            DeniedError: the caller may not.
            NotFoundError: there is no such person.
            RefusedError: the person has left or has no address, letters are not set up, or one has just been sent.
        """
        await self._office.require(caller, Permission.PEOPLE, "person", key)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        person = (await self._office.people.organisation(tenant)).people.get(key)
        if person is None:
            raise NotFoundError(f"There is no person {key!r}.")
        if not person.active:
            raise _refused("inactive", f"{person.name} is not active.")
        if not MAIL_ADDRESS.fullmatch(person.email):
            raise _refused("no_address", f"{person.name} has no e-mail address.")
        channel = await self._channel(tenant)
        gone = await self._letters.letters_since(tenant, key, ("invitation",), now_ms - AGAIN_MS)
        if gone:
            raise _refused(
                "recently", f"{person.name} was sent a letter less than {AGAIN_MS // MINUTE_MS} minutes ago."
            )
        await self._letters.add([self._letter(channel, person, "invitation", now_ms)])
        self._nudge()
        await self._record(tenant, caller.principal.id, "person.invited", key, origin=origin_json(caller.origin))

    async def welcome(self, caller: Caller, before: Organisation, people: Iterable[Person]) -> None:
        """Invite those who are new, where the installation does so; who has no address is left out.

        Args:
            caller: who added them, which was allowed.
            before: people before.
            people: who was added or changed.
        """
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        new = [
            person
            for person in people
            if person.id not in before.people and person.active and MAIL_ADDRESS.fullmatch(person.email)
        ]
        if not new or not await self._letters.invites_new(tenant):
            return
        channel = await self._find_channel(tenant)
        if channel is None:
            # They are there all the same; an administrator may invite them when there is one.
            logger.warning("%d new people are not invited: no channel sends e-mail.", len(new))
            return
        await self._letters.add([self._letter(channel, person, "invitation", now_ms) for person in new])
        self._nudge()
        for person in new:
            origin = origin_json(caller.origin)
            await self._record(tenant, caller.principal.id, "person.invited", person.id, origin=origin)

    async def ask(self, tenant: int, name: str, origin: str) -> None:
        """Somebody forgot their password; returns before it is known whether there is such a person.

        Args:
            tenant: whose.
            name: user name or e-mail address.
            origin: where it was asked, JSON for the record.

        Raises:
            RefusedError: letters are not set up, or too many are asking; neither depends on the name.
        """
        await self._channel(tenant)
        if len(self._asking) >= ASKING_MAX:
            raise _refused("busy", "Too many people ask at once; try again in a minute.")
        task = asyncio.create_task(self._answer(tenant, name.strip()[:NAME_CHARS_MAX], origin))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def asked(self) -> None:
        """Return when all who asked before have been looked for."""
        await asyncio.gather(*self._asking)

    async def _answer(self, tenant: int, name: str, origin: str) -> None:
        try:
            await self._write_to(tenant, name, origin)
        except NoriaError as error:
            logger.warning("A letter for who forgot a password is not written: %s", error)

    async def _write_to(self, tenant: int, name: str, origin: str) -> None:
        now_ms = self._office.clock.now_ms()
        people = (await self._office.people.organisation(tenant)).people.values()
        found = [
            person
            for person in people
            if person.active
            and MAIL_ADDRESS.fullmatch(person.email)
            and (person.username == name or person.email.casefold() == name.casefold())
        ]
        if not found:
            await self._record(tenant, "", "password.asked", name[:80], "failed", "unknown account", origin)
            return
        channel = await self._channel(tenant)
        for person in found:
            gone = await self._letters.letters_since(tenant, person.id, LASTS_MS, now_ms - DAY_MS)
            if len(gone) >= LETTERS_A_DAY_MAX or (gone and gone[-1] > now_ms - AGAIN_MS):
                await self._record(tenant, person.id, "password.asked", person.id, "refused", "too often", origin)
                continue
            await self._letters.add([self._letter(channel, person, "forgotten", now_ms)])
            await self._record(tenant, person.id, "password.asked", person.id, origin=origin)
        self._nudge()

    async def look(self, secret: str) -> LinkView:
        """Whose password a link sets.

        Raises:
            RefusedError: it is not taken, or not any more.
        """
        _, person = await self._links.of(secret)
        return LinkView(person.name, person.username)

    async def choose(self, secret: str, password: str, origin: str) -> None:
        """Set the password of a link's person; the link, and every session of theirs, has ended then.

        Raises:
            RefusedError: the link is not taken, or the password is weak.
        """
        link, person = await self._links.of(secret)
        weakness = weak_password(password, person.username)
        if weakness:
            raise RefusedError(Rejected("password.weak", weakness, {"fields": {"password": "password.weak"}}))
        await self._links.take(link)
        await self._accounts.set_password(link.tenant, person.id, password, self._office.clock.now_ms())
        await self._record(link.tenant, person.id, "password.chosen", person.id, origin=origin)

    async def _channel(self, tenant: int) -> ChannelRow:
        channel = await self._find_channel(tenant)
        if channel is None:
            raise _refused("no_mail", "No e-mail is sent here; ask an administrator for a password.")
        return channel

    async def _find_channel(self, tenant: int) -> ChannelRow | None:
        rows = await self._letters.channels(tenant)
        return next((row for row in rows if row.kind == "email" and row.enabled), None)

    def _letter(self, channel: ChannelRow, person: Person, kind: str, now_ms: int) -> Delivery:
        # No notice has such a number: those of a shard count its journal's rows.
        number = int.from_bytes(sha256(self._secrets.token().encode()).digest()[:4], "big") >> 1
        hours = LASTS_MS[kind] // (60 * MINUTE_MS)
        return Delivery(
            shard=0,
            seq=now_ms,
            n=number,
            channel=channel.id,
            tenant=channel.tenant,
            person=person.id,
            people=(person.id,),
            at=now_ms,
            kind=kind,
            iid=0,
            tok=0,
            params={"username": person.username, "hours": hours},
            due=now_ms,
        )

    async def _record(
        self, tenant: int, by: str, action: str, key: str, outcome: str = "ok", reason: str = "", origin: str = ""
    ) -> None:
        now_ms = self._office.clock.now_ms()
        await self._office.trail.record(
            AuditRecord(tenant, now_ms, by, action, "person", key, outcome, reason, origin=origin)
        )


def _refused(what: str, message: str) -> RefusedError:
    return RefusedError(Rejected(f"invitation.{what}", message))
