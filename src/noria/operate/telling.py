"""The use cases about channels, deliveries that failed, and what people prefer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from noria.kernel.errors import Rejected
from noria.kernel.numbers import whole_number
from noria.operate.channels import (
    SETTINGS,
    ChannelKind,
    ChannelRow,
    Delivery,
    MakeChannel,
    Message,
    Recipient,
    check_address,
    check_channel,
    link_to,
)
from noria.operate.devices import PushKeys
from noria.operate.notices import KINDS, URGENT
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, iso_or_none, origin_json, person_ref
from noria.operate.preferences import IN_APP, Language, Preference, check, wants
from noria.operate.sentences import sentence
from noria.operate.views import Page, Ref
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission


class ChannelStore(Protocol):
    """Where channels and preferences are kept; `adapters.database.deliveries.DatabaseDeliveries` has them."""

    async def channels(self, tenant: int) -> list[ChannelRow]:
        """A tenant's channels, by id."""
        ...

    async def put_channel(self, row: ChannelRow) -> None:
        """Add a channel, or replace it."""
        ...

    async def drop_channel(self, tenant: int, channel: str) -> None:
        """Remove a channel."""
        ...

    async def preference(self, tenant: int, person: str) -> Preference:
        """What a person has chosen."""
        ...

    async def put_preference(self, tenant: int, person: str, preference: Preference) -> None:
        """Keep what a person has chosen."""
        ...

    async def public_url(self, tenant: int) -> str:
        """Where people reach this Noria, "" when nobody has said it."""
        ...

    async def put_public_url(self, tenant: int, url: str) -> None:
        """Say where people reach this Noria."""
        ...

    async def invites_new(self, tenant: int) -> bool:
        """Whether whoever is new is invited without being asked."""
        ...

    async def put_invites_new(self, tenant: int, *, wanted: bool) -> None:
        """Say whether whoever is new is invited without being asked."""
        ...

    async def listed(
        self, tenant: int, state: str, channel: str, limit: int, offset: int
    ) -> tuple[list[Delivery], int]:
        """Deliveries in a state, newest first, and how many there are."""
        ...

    async def again(self, tenant: int, key: tuple[int, int, int, str], now_ms: int) -> bool:
        """Have a dead one tried anew."""
        ...

    async def all_again(self, tenant: int, channel: str, now_ms: int) -> int:
        """Have all dead ones of a channel tried anew."""
        ...


class ChannelOrder(msgspec.Struct, kw_only=True):
    """A channel to add or change; a secret that is left out stays as it is."""

    id: str
    kind: ChannelKind
    name: str
    enabled: bool = True
    language: Language = "zh-CN"
    kinds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}


class ChannelView(msgspec.Struct, kw_only=True):
    """A channel without its secrets: `secrets` says which are set, `host` where it leads."""

    id: str
    kind: ChannelKind
    name: str
    enabled: bool
    language: Language
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    settings: dict[str, str]
    secrets: list[str]
    host: str
    waiting: int
    dead: int


class NoticeSettings(msgspec.Struct):
    """Where people reach this Noria: messages lead there.

    Attributes:
        public_url: its address.
        invites_new: whether who comes by an import or SCIM is sent a link that sets their password; null: as before.
    """

    public_url: str
    invites_new: bool | None = None


class DeliveryView(msgspec.Struct, kw_only=True):
    """A delivery for operators: to whom, by what, and why it failed; not what it says."""

    id: str
    channel: str
    kind: str
    people: list[Ref]
    instance_id: str
    at: str
    state: str
    attempts: int
    error: str
    next_at: str | None
    sent_at: str | None


class ChannelChoice(msgspec.Struct):
    """A channel that one may choose."""

    id: str
    kind: str
    name: str


class KindChoice(msgspec.Struct):
    """A kind of notices, and by which channels one wants it; an urgent one does not wait for quiet hours to end."""

    kind: str
    urgent: bool
    channels: dict[str, bool]


class PreferenceView(msgspec.Struct):
    """What a person has chosen, and what there is to choose from."""

    language: Language
    zone: str
    quiet_from: str
    quiet_to: str
    per_hour_max: int
    handles: dict[str, str]
    email: str
    channels: list[ChannelChoice]
    kinds: list[KindChoice]


class Telling:
    """The use cases.

    Args:
        office: where things are.
        store: where channels and preferences are kept.
        make: gives the way out for a channel as it is set up.
        keys: makes the keys of Web Push.
        allowed: hosts that the operator of the machine allows although they are not public.
    """

    def __init__(
        self, office: Office, store: ChannelStore, make: MakeChannel, keys: PushKeys, allowed: frozenset[str]
    ) -> None:
        self._office = office
        self._store = store
        self._make = make
        self._keys = keys
        self._allowed = allowed

    # Channels

    async def channels(self, caller: Caller) -> Page[ChannelView]:
        """All channels."""
        await self._office.require(caller, Permission.CHANNELS, "channel")
        rows = await self._store.channels(caller.principal.tenant)
        return Page([await self._view(row) for row in rows], len(rows), len(rows), 0)

    async def put_channel(self, caller: Caller, order: ChannelOrder, *, new: bool) -> ChannelView:
        """Add a channel, or change one.

        Raises:
            DeniedError: the caller may not.
            NotFoundError: there is none to change.
            NotInstalledError: a package for it is not installed.
            RefusedError: a setting is wrong, the id is taken, or nobody has said where people reach this Noria.
        """
        await self._office.require(caller, Permission.CHANNELS, "channel", order.id)
        tenant = caller.principal.tenant
        before = await self._find(tenant, order.id)
        if new and before is not None:
            raise RefusedError(
                Rejected(
                    "channel.exists", f"There is a channel {order.id!r} already.", {"fields": {"id": "channel.exists"}}
                )
            )
        if not new and before is None:
            raise NotFoundError(f"There is no channel {order.id!r}.")
        if not await self._store.public_url(tenant):
            raise RefusedError(
                Rejected("channel.no_public_url", "Say first at which address people reach Noria: messages lead there.")
            )
        kept = before.secrets if before is not None and before.kind == order.kind else {}
        names = {setting.name for setting in SETTINGS[order.kind] if setting.secret}
        misplaced = next((name for name in order.settings if name in names), None) or next(
            (name for name in order.secrets if name not in names), None
        )
        if misplaced is not None:
            message = f"{misplaced!r} stands in the wrong place: secrets of {order.kind} are {sorted(names)}."
            raise RefusedError(Rejected("channel.invalid", message, {"fields": {misplaced: "channel.invalid"}}))
        row = ChannelRow(
            tenant=tenant,
            **{name: getattr(order, name) for name in order.__struct_fields__ if name != "secrets"},
            secrets={name: value for name, value in {**kept, **order.secrets}.items() if value},
        )
        if row.kind == "webpush":
            row = await self._with_keys(row, before, order)
        rejected = check_channel(row, self._allowed)
        if rejected is not None:
            raise RefusedError(rejected)
        await self._store.put_channel(row)
        await self._record(caller, "channel.changed", row.id, _shown(before), _shown(row))
        return await self._view(row)

    async def _with_keys(self, row: ChannelRow, before: ChannelRow | None, order: ChannelOrder) -> ChannelRow:
        """A channel of Web Push with the keys that it has, or with new ones: browsers subscribe with them.

        Raises:
            NotInstalledError: a package for it is not installed.
            RefusedError: there is one already, or somebody sends keys.
        """
        others = [one for one in await self._store.channels(row.tenant) if one.kind == "webpush" and one.id != row.id]
        if others:
            message = f"There is a channel of Web Push already, {others[0].id!r}: a browser subscribes to one only."
            raise RefusedError(Rejected("channel.exists", message, {"fields": {"kind": "channel.exists"}}))
        if order.secrets:
            message = "The keys of Web Push are made by Noria and given by nobody."
            raise RefusedError(Rejected("channel.invalid", message, {"fields": {"private_key": "channel.invalid"}}))
        if before is not None and before.kind == "webpush":
            private, public = before.secrets["private_key"], before.settings["public_key"]
        else:
            private, public = self._keys.make()
        return msgspec.structs.replace(
            row, settings={**row.settings, "public_key": public}, secrets={"private_key": private}
        )

    async def drop_channel(self, caller: Caller, channel: str) -> None:
        """Remove a channel; what waits for it is dropped.

        Raises:
            DeniedError: the caller may not.
            NotFoundError: there is none.
        """
        row = await self._one(caller, channel)
        await self._store.drop_channel(row.tenant, row.id)
        await self._record(caller, "channel.removed", row.id, _shown(row), {})

    async def test_channel(self, caller: Caller, channel: str) -> None:
        """Send a test message now: to the caller, or into the room.

        Raises:
            DeniedError: the caller may not.
            NotFoundError: there is no such channel.
            UndeliveredError: the other side did not take it; the sentence says why.
        """
        row = await self._one(caller, channel)
        if row.kind == "email" and not caller.person.email:
            raise RefusedError(Rejected("channel.no_address", "You have no e-mail address that a test could go to."))
        now_ms = self._office.clock.now_ms()
        language = row.language
        chosen = await self._store.preference(row.tenant, caller.person.id)
        if row.personal:
            language = chosen.language
        base = await self._store.public_url(row.tenant)
        words = sentence("test", language, {"by": caller.person.name})
        person = caller.person
        handle = chosen.handles.get(row.kind, "")
        await self._make(row).send(
            Message(
                id=f"test-{now_ms}-{row.id}",
                kind="test",
                language=language,
                subject=words.subject,
                body=words.body,
                link=link_to(base, "test", 0, 0),
                people=(Recipient(person.id, person.name, person.email, handle),),
                at=now_ms,
                source=base,
            ),
            now_ms,
        )
        await self._record(caller, "channel.tested", row.id, {}, {})

    async def settings(self, caller: Caller) -> NoticeSettings:
        """Where people reach this Noria."""
        await self._office.require(caller, Permission.CHANNELS, "channel")
        tenant = caller.principal.tenant
        return NoticeSettings(await self._store.public_url(tenant), await self._store.invites_new(tenant))

    async def put_settings(self, caller: Caller, settings: NoticeSettings) -> NoticeSettings:
        """Say where people reach this Noria.

        Raises:
            DeniedError: the caller may not.
            RefusedError: it is no address.
        """
        await self._office.require(caller, Permission.CHANNELS, "channel")
        url = settings.public_url.strip().rstrip("/")
        # It is only written into messages, never called: any host will do, with or without TLS.
        problem = check_address(url, frozenset({urlsplit(url).hostname or ""} if "://" in url else ()))
        if problem or urlsplit(url).query:
            message = problem or "The address of this Noria has no query."
            raise RefusedError(Rejected("channel.invalid", message, {"fields": {"public_url": "channel.invalid"}}))
        tenant = caller.principal.tenant
        before = await self.settings(caller)
        await self._store.put_public_url(tenant, url)
        if settings.invites_new is not None:
            await self._store.put_invites_new(tenant, wanted=settings.invites_new)
        after = await self.settings(caller)
        about = (msgspec.structs.asdict(one) for one in (before, after))
        await self._record(caller, "channel.address_changed", "", *about)
        return after

    async def _find(self, tenant: int, channel: str) -> ChannelRow | None:
        return next((row for row in await self._store.channels(tenant) if row.id == channel), None)

    async def _one(self, caller: Caller, channel: str) -> ChannelRow:
        await self._office.require(caller, Permission.CHANNELS, "channel", channel)
        row = await self._find(caller.principal.tenant, channel)
        if row is None:
            raise NotFoundError(f"There is no channel {channel!r}.")
        return row

    async def _view(self, row: ChannelRow) -> ChannelView:
        given = {**row.settings, **row.secrets}
        host = given.get("host") or urlsplit(given.get("url", "")).hostname or ""
        if row.kind == "webpush":
            host = ", ".join(row.hosts)
        _, waiting = await self._store.listed(row.tenant, "waiting", row.id, 1, 0)
        _, dead = await self._store.listed(row.tenant, "dead", row.id, 1, 0)
        names = [name for name in row.__struct_fields__ if name not in ("tenant", "secrets")]
        return ChannelView(
            **{name: getattr(row, name) for name in names},
            secrets=sorted(row.secrets),
            host=host,
            waiting=waiting,
            dead=dead,
        )

    async def _record(
        self, caller: Caller, action: str, channel: str, before: Mapping[str, object], after: Mapping[str, object]
    ) -> None:
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                "channel",
                channel,
                before=msgspec.json.encode({name: before[name] for name in changed if name in before}).decode(),
                after=msgspec.json.encode({name: after[name] for name in changed if name in after}).decode(),
                origin=origin_json(caller.origin),
            )
        )

    # Deliveries

    async def deliveries(self, caller: Caller, state: str, channel: str, limit: int, offset: int) -> Page[DeliveryView]:
        """Deliveries in a state, newest first."""
        await self._office.require(caller, Permission.DELIVERIES, "delivery")
        tenant = caller.principal.tenant
        rows, total = await self._store.listed(tenant, state, channel, limit, offset)
        organisation = await self._office.people.organisation(tenant)
        return Page(
            [
                DeliveryView(
                    id=row.id,
                    channel=row.channel,
                    kind=row.kind,
                    people=[person_ref(organisation, person) for person in row.people],
                    instance_id=str(row.iid),
                    at=iso(row.at),
                    state=row.state,
                    attempts=row.attempts,
                    error=row.error,
                    next_at=iso(row.due) if row.state == "waiting" else None,
                    sent_at=iso_or_none(row.sent),
                )
                for row in rows
            ],
            total,
            limit,
            offset,
        )

    async def again(self, caller: Caller, delivery: str) -> None:
        """Have a delivery that was given up tried anew.

        Raises:
            DeniedError: the caller may not.
            NotFoundError: there is none that was given up.
        """
        await self._office.require(caller, Permission.DELIVERIES, "delivery", delivery)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        *parts, channel = delivery.split("-", 3)
        numbers = [number for part in parts if (number := whole_number(part)) is not None]
        if len(numbers) != 3:
            raise NotFoundError(f"{delivery[:80]!r} is not the id of a delivery.")
        key = (numbers[0], numbers[1], numbers[2], channel)
        if not await self._store.again(tenant, key, now_ms):
            raise NotFoundError(f"There is no delivery {delivery!r} that was given up.")
        await self._record(caller, "delivery.resent", key[3], {}, {"delivery": delivery})

    async def all_again(self, caller: Caller, channel: str) -> int:
        """Have all deliveries of a channel that were given up tried anew; gives how many."""
        await self._office.require(caller, Permission.DELIVERIES, "delivery", channel)
        count = await self._store.all_again(caller.principal.tenant, channel, self._office.clock.now_ms())
        await self._record(caller, "delivery.resent", channel, {}, {"count": count})
        return count

    # What people prefer

    async def preference(self, caller: Caller) -> PreferenceView:
        """What the caller has chosen, and what there is to choose from."""
        tenant = caller.principal.tenant
        chosen = await self._store.preference(tenant, caller.person.id)
        channels = await self._choosable(caller)
        ids = [IN_APP, *(channel.id for channel in channels)]
        return PreferenceView(
            chosen.language,
            chosen.zone,
            chosen.quiet_from,
            chosen.quiet_to,
            chosen.per_hour_max,
            chosen.handles,
            caller.person.email,
            [ChannelChoice(channel.id, channel.kind, channel.name) for channel in channels],
            [KindChoice(kind, kind in URGENT, {key: wants(chosen, kind, key) for key in ids}) for kind in KINDS],
        )

    async def _choosable(self, caller: Caller) -> list[ChannelRow]:
        return [
            row
            for row in await self._store.channels(caller.principal.tenant)
            if row.enabled and row.kind != "webhook" and row.concerns(caller.principal.groups)
        ]

    async def put_preference(self, caller: Caller, preference: Preference) -> PreferenceView:
        """Choose.

        Raises:
            RefusedError: a zone, time, kind or channel that does not exist.
        """
        rows = await self._store.channels(caller.principal.tenant)
        rejected = check(preference, frozenset({IN_APP, *(row.id for row in rows)}))
        if rejected is not None:
            raise RefusedError(rejected)
        await self._store.put_preference(caller.principal.tenant, caller.person.id, preference)
        return await self.preference(caller)


def _shown(row: ChannelRow | None) -> dict[str, object]:
    """A channel for the audit trail: which secrets are set, never what they are."""
    if row is None:
        return {}
    names = [name for name in row.__struct_fields__ if name not in ("tenant", "secrets")]
    return {**{name: getattr(row, name) for name in names}, "secrets": sorted(row.secrets)}
