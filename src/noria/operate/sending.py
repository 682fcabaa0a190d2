"""Sends what waits, at least once.

Later when somebody sleeps or has been told a lot, again when it fails, and at last it stays where operators see it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from hashlib import blake2b
from typing import Protocol

import msgspec

from noria.kernel.errors import NoriaError
from noria.kernel.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from noria.operate.background import ended
from noria.operate.channels import (
    Channel,
    ChannelRow,
    Delivery,
    MakeChannel,
    Message,
    NoDeviceError,
    Recipient,
    UndeliveredError,
    link_to,
)
from noria.operate.notices import ABOUT_TASKS, URGENT
from noria.operate.ports import Clock
from noria.operate.preferences import DEFAULT, Language, Preference, quiet_until
from noria.operate.sentences import sentence
from noria.trust.password_links import LASTS_MS
from noria.trust.people import Organisation, PeopleStore

logger = logging.getLogger(__name__)

RETRY_AFTER_MS = (30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS)
"""Waits before the further tries; who fails once more is given up."""
ATTEMPTS_MAX = len(RETRY_AFTER_MS) + 1
TAKEN_MS = 2 * MINUTE_MS
"""How long a try may take; then somebody else may try."""
ROOM_WINDOW_MS, ROOM_MESSAGES_MAX = MINUTE_MS, 15
"""The vendors' robots take 20 messages a minute, and none for a while from who sends more."""
KEPT_MS = 30 * DAY_MS
DIGEST_ITEMS_MAX = 30
_AT_ONCE = URGENT | LASTS_MS.keys()
"""Kinds that wait for no morning, and stand in no digest."""
_PAGE = 200
_LOOK_AGAIN_MS = 5 * SECOND_MS
_LOOK_AFTER_DEFECT_MS = 30 * SECOND_MS


SecretOf = Callable[[Delivery, int], Awaitable[str]]


class DeliveryStore(Protocol):
    """Where deliveries are kept; the methods are those of `adapters.database.deliveries.DatabaseDeliveries`."""

    async def channels(self, tenant: int) -> list[ChannelRow]:
        """A tenant's channels."""
        ...

    async def preferences(self, tenant: int, people: Collection[str]) -> dict[str, Preference]:
        """What some people have chosen."""
        ...

    async def public_url(self, tenant: int) -> str:
        """Where people reach this Noria."""
        ...

    async def due(self, now_ms: int, limit: int) -> list[Delivery]:
        """What waits and may go now."""
        ...

    async def next_due(self) -> int | None:
        """When the next one may go."""
        ...

    async def take(self, items: Iterable[Delivery], until_ms: int) -> list[Delivery]:
        """Have some to oneself."""
        ...

    async def settle(self, items: Iterable[Delivery]) -> None:
        """Write what became of some."""
        ...

    async def sent_since(self, tenant: int, channel: str, person: str, since_ms: int) -> list[int]:
        """Instants of the messages that went."""
        ...

    async def open_tasks(self, places: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those that are open."""
        ...

    async def forget(self, before_ms: int) -> None:
        """Forget what is done with."""
        ...


class Sender:
    """Works off what waits, while this process is the one that does.

    Args:
        store: where it waits.
        people: whom it is for.
        clock: the only source of time.
        make: gives the way out for a channel as it is set up.
        secret_of: draws the secret of the link of a letter that sets a password; "" when there is nothing to set.
    """

    def __init__(
        self, store: DeliveryStore, people: PeopleStore, clock: Clock, make: MakeChannel, secret_of: SecretOf
    ) -> None:
        self._store = store
        self._people = people
        self._clock = clock
        self._make = make
        self._secret_of = secret_of
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._forgot_ms = 0

    def start(self, mine: Callable[[], bool]) -> None:
        """Begin to send whenever `mine` says that this process does."""
        self._task = asyncio.create_task(self._work(mine), name="noria-sender")

    async def stop(self) -> None:
        """Stop; what is being sent may be sent again."""
        await ended(self._task)

    def nudge(self) -> None:
        """There may be something new."""
        self._wake.set()

    async def _work(self, mine: Callable[[], bool]) -> None:
        while True:
            self._wake.clear()
            wait_ms = _LOOK_AGAIN_MS
            try:
                if mine():
                    await self.send_due()
                    following = await self._store.next_due()
                    if following is not None:
                        wait_ms = min(wait_ms, max(0, following - self._clock.now_ms()))
            except NoriaError as error:
                logger.warning("Messages wait: %s", error)
            except Exception:
                # A defect must be seen, and must not keep all others from being told for ever.
                logger.exception("Messages wait on a defect")
                wait_ms = _LOOK_AFTER_DEFECT_MS
            sleeping = asyncio.ensure_future(self._clock.sleep_until(self._clock.now_ms() + wait_ms))
            waking = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()

    async def send_due(self) -> None:
        """Work off what is due now.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        now_ms = self._clock.now_ms()
        if now_ms - self._forgot_ms > HOUR_MS:
            self._forgot_ms = now_ms
            await self._store.forget(now_ms - KEPT_MS)
        while items := await self._store.due(now_ms, _PAGE):
            items = await self._without_closed(items)
            by_channel: dict[tuple[int, str], list[Delivery]] = {}
            for item in items:
                by_channel.setdefault((item.tenant, item.channel), []).append(item)
            # Channels beside each other: one that hangs must not hold up the others.
            await asyncio.gather(*(self._by_channel(*key, found) for key, found in by_channel.items()))

    async def _without_closed(self, items: Sequence[Delivery]) -> list[Delivery]:
        """Leave out what is about tasks that are done: nobody needs to be told of them any more."""
        places = {(item.iid, item.tok) for item in items if item.kind in ABOUT_TASKS and item.tok}
        still = await self._store.open_tasks(places) if places else set()
        closed = [item for item in items if (item.iid, item.tok) in places - still and item.kind in ABOUT_TASKS]
        await self._drop(closed, "The task is done.")
        gone = {item.id for item in closed}
        return [item for item in items if item.id not in gone]

    async def _drop(self, items: Sequence[Delivery], why: str) -> None:
        if items:
            await self._store.settle([msgspec.structs.replace(item, state="dropped", error=why) for item in items])

    async def _by_channel(self, tenant: int, channel: str, items: Sequence[Delivery]) -> None:
        row = next((one for one in await self._store.channels(tenant) if one.id == channel), None)
        if row is None or not row.enabled:
            await self._drop(items, "The channel is switched off.")
            return
        way = _Way(row, self._make(row), await self._store.public_url(tenant), await self._people.organisation(tenant))
        for person in dict.fromkeys(item.person for item in items):
            theirs = [item for item in items if item.person == person]
            if row.personal and not way.organisation.is_active(person):
                await self._drop(theirs, "The person is not active any more.")
            else:
                await self._to(way, person, theirs)

    async def _to(self, way: _Way, person: str, items: Sequence[Delivery]) -> None:
        """Everything that is due for one person, or one room: at once, one by one, as a digest, or later."""
        chosen = await self._store.preferences(way.row.tenant, {key for item in items for key in item.people})
        now_ms = self._clock.now_ms()
        preference = chosen.get(person, DEFAULT)
        calm = [item for item in items if item.kind not in _AT_ONCE and way.row.kind != "webhook"]
        together: list[Delivery] = []
        until_ms = quiet_until(preference, now_ms) if way.row.personal else None
        if calm and until_ms is None:
            window_ms = HOUR_MS if way.row.personal else ROOM_WINDOW_MS
            most = preference.per_hour_max if way.row.personal else ROOM_MESSAGES_MAX
            gone = await self._store.sent_since(way.row.tenant, way.row.id, person, now_ms - window_ms)
            free = most - len(gone)
            until_ms = gone[-most] + window_ms if free <= 0 else None
            together = calm if 0 < free < len(calm) else []
        if until_ms is not None:
            await self._postpone(calm, until_ms)
        later = {item.id for item in calm} if together or until_ms is not None else set()
        for item in items:
            if item.id not in later:
                await self._send(way, [item], chosen)
        if together:
            await self._send(way, together, chosen)

    async def _postpone(self, items: Sequence[Delivery], until_ms: int) -> None:
        if items:
            await self._store.settle([msgspec.structs.replace(item, due=until_ms) for item in items])

    async def _send(self, way: _Way, items: Sequence[Delivery], chosen: dict[str, Preference]) -> None:
        """One message about one or several notices, and what became of it."""
        if way.failed_ms:
            # The other side has just failed: the rest need not each wait for it to fail again.
            await self._postpone(items, way.failed_ms)
            return
        taken = await self._store.take(items, self._clock.now_ms() + TAKEN_MS)
        if not taken:
            return
        message = way.message(taken, chosen)
        if taken[0].kind in LASTS_MS:
            secret = await self._secret_of(taken[0], self._clock.now_ms())
            if not secret:
                await self._drop(taken, "There is no password to be set any more.")
                return
            # Behind the #: browsers tell no server of it.
            message = msgspec.structs.replace(message, link=f"{way.base}/password#{secret}")
        now_ms = self._clock.now_ms()
        try:
            await way.channel.send(message, now_ms)
        except UndeliveredError as error:
            await self._failed(way, taken, error)
            return
        sent_ms = self._clock.now_ms()
        await self._store.settle(
            [msgspec.structs.replace(item, state="sent", sent=sent_ms, message=message.id, error="") for item in taken]
        )

    async def _failed(self, way: _Way, taken: Sequence[Delivery], error: UndeliveredError) -> None:
        if isinstance(error, NoDeviceError):
            await self._drop(taken, error.message)
            return
        now_ms = self._clock.now_ms()
        settled = []
        for item in taken:
            dead = error.final or item.attempts >= ATTEMPTS_MAX
            wait_ms = 0 if dead else max(RETRY_AFTER_MS[item.attempts - 1], error.retry_after_ms)
            state = "dead" if dead else "waiting"
            settled.append(msgspec.structs.replace(item, state=state, due=now_ms + wait_ms, error=error.message))
        await self._store.settle(settled)
        logger.warning("Channel %s did not take a message: %s", way.row.id, error.message)
        if not error.final and not error.alone:
            way.failed_ms = now_ms + max(RETRY_AFTER_MS[0], error.retry_after_ms)


class _Way(msgspec.Struct):
    """A channel at work: what messages are made of; `failed_ms` is when it may be tried again after a failure."""

    row: ChannelRow
    channel: Channel
    base: str
    organisation: Organisation
    failed_ms: int = 0

    def message(self, items: Sequence[Delivery], chosen: dict[str, Preference]) -> Message:
        """What is sent about some notices."""
        first = items[0]
        language = chosen.get(first.person, DEFAULT).language if self.row.personal else self.row.language
        concerned = dict.fromkeys(key for item in items for key in item.people)
        people = tuple(self._recipient(key, chosen) for key in concerned)
        if len(items) == 1:
            return message_of(first, language, self.base, people)
        lines = [message_of(item, language, self.base) for item in items]
        words = sentence("digest", language, {"count": len(items)})
        mark = blake2b("\n".join(sorted(item.id for item in items)).encode(), digest_size=12).hexdigest()
        return Message(
            id=f"digest-{mark}",
            kind="digest",
            language=language,
            subject=words.subject,
            body=words.body,
            link=link_to(self.base, "digest", 0, 0),
            items=tuple((line.subject, line.link) for line in lines[:DIGEST_ITEMS_MAX]),
            people=people,
            at=max(item.at for item in items),
            source=self.base,
        )

    def _recipient(self, person: str, chosen: dict[str, Preference]) -> Recipient:
        known = self.organisation.people.get(person)
        handle = chosen.get(person, DEFAULT).handles.get(self.row.kind, "")
        return Recipient(person, self.organisation.name_of(person), known.email if known else "", handle)


def message_of(item: Delivery, language: Language, base: str, people: tuple[Recipient, ...] = ()) -> Message:
    """The message about one notice."""
    words = sentence(item.kind, language, item.params)
    return Message(
        id=item.id,
        kind=item.kind,
        language=language,
        subject=words.subject,
        body=words.body,
        link=link_to(base, item.kind, item.iid, item.tok),
        people=people,
        at=item.at,
        iid=item.iid,
        tok=item.tok,
        params=item.params,
        source=base,
    )
