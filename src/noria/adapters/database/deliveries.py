"""Channels, what people prefer, and what is on its way by which channel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.operate.channels import ChannelRow, Delivery
from noria.operate.preferences import DEFAULT, Preference

_PUBLIC_URL, _INVITES_NEW = "public_url", "invites_new"
_JSON = ("people", "params")
_FIELDS = Delivery.__struct_fields__
_KEY = ("shard", "seq", "n", "channel")


def delivery_row(item: Delivery) -> dict[str, object]:
    """A delivery as columns."""
    values = {name: getattr(item, name) for name in _FIELDS}
    return {**values, **{name: msgspec.json.encode(values[name]).decode() for name in _JSON}}


def _delivery(row: sa.RowMapping) -> Delivery:
    values = {name: row[name] for name in _FIELDS}
    values["people"] = tuple(msgspec.json.decode(values["people"]))
    values["params"] = msgspec.json.decode(values["params"])
    return Delivery(**values)


def _channel(row: sa.RowMapping) -> ChannelRow:
    chosen = msgspec.json.decode(row["chosen"])
    secrets = msgspec.json.decode(row["secrets"])
    return msgspec.convert({**chosen, "tenant": row["tenant"], "id": row["id"], "secrets": secrets}, ChannelRow)


async def put_rows(db: AsyncConnection, rows: Sequence[dict[str, object]]) -> None:
    """Write new deliveries."""
    if rows:
        await db.execute(sa.insert(t.delivery), list(rows))


async def read_channels(db: AsyncConnection, tenant: int) -> list[ChannelRow]:
    """A tenant's channels, by id."""
    query = sa.select(t.channel).where(t.channel.c.tenant == tenant).order_by(t.channel.c.id)
    return [_channel(row) for row in (await db.execute(query)).mappings()]


async def read_preferences(db: AsyncConnection, tenant: int, people: Collection[str]) -> dict[str, Preference]:
    """What some people have chosen; who has chosen nothing is left out."""
    c = t.preference.c
    if not people:
        return {}
    query = sa.select(c.person, c.chosen).where(c.tenant == tenant, c.person.in_(sorted(people)))
    return {row[0]: msgspec.json.decode(row[1], type=Preference) for row in (await db.execute(query)).all()}


def _is(item: Delivery) -> sa.ColumnElement[bool]:
    return sa.and_(*(t.delivery.c[name] == getattr(item, name) for name in _KEY))


class DatabaseDeliveries:
    """`ChannelStore` and `DeliveryStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Channels and preferences

    async def channels(self, tenant: int) -> list[ChannelRow]:
        """A tenant's channels, by id."""
        async with self._database.reading() as db:
            return await read_channels(db, tenant)

    async def put_channel(self, row: ChannelRow) -> None:
        """Add a channel, or replace it."""
        chosen = {name: getattr(row, name) for name in row.__struct_fields__ if name not in ("tenant", "id", "secrets")}
        values = {
            name: msgspec.json.encode(value).decode() for name, value in (("chosen", chosen), ("secrets", row.secrets))
        }
        where = (t.channel.c.tenant == row.tenant) & (t.channel.c.id == row.id)
        async with self._database.writing() as db:
            if not (await db.execute(sa.update(t.channel).where(where).values(values))).rowcount:
                await db.execute(sa.insert(t.channel).values(tenant=row.tenant, id=row.id, **values))

    async def drop_channel(self, tenant: int, channel: str) -> None:
        """Remove a channel; what waits for it is dropped when it is due."""
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.channel).where(t.channel.c.tenant == tenant, t.channel.c.id == channel))

    async def preferences(self, tenant: int, people: Collection[str]) -> dict[str, Preference]:
        """What some people have chosen; who has chosen nothing is left out."""
        async with self._database.reading() as db:
            return await read_preferences(db, tenant, people)

    async def preference(self, tenant: int, person: str) -> Preference:
        """What a person has chosen."""
        return (await self.preferences(tenant, [person])).get(person, DEFAULT)

    async def put_preference(self, tenant: int, person: str, preference: Preference) -> None:
        """Keep what a person has chosen."""
        chosen = msgspec.json.encode(preference).decode()
        where = (t.preference.c.tenant == tenant) & (t.preference.c.person == person)
        async with self._database.writing() as db:
            if not (await db.execute(sa.update(t.preference).where(where).values(chosen=chosen))).rowcount:
                await db.execute(sa.insert(t.preference).values(tenant=tenant, person=person, chosen=chosen))

    async def public_url(self, tenant: int) -> str:
        """Where people reach this Noria, "" when nobody has said it."""
        return await self._setting(tenant, _PUBLIC_URL)

    async def put_public_url(self, tenant: int, url: str) -> None:
        """Say where people reach this Noria."""
        await self._put_setting(tenant, _PUBLIC_URL, url)

    async def invites_new(self, tenant: int) -> bool:
        """Whether whoever is new is invited without being asked."""
        return await self._setting(tenant, _INVITES_NEW) == "yes"

    async def put_invites_new(self, tenant: int, *, wanted: bool) -> None:
        """Say whether whoever is new is invited without being asked."""
        await self._put_setting(tenant, _INVITES_NEW, "yes" if wanted else "")

    async def _setting(self, tenant: int, name: str) -> str:
        c = t.setting.c
        query = sa.select(c.value).where(c.tenant == tenant, c.name == name)
        async with self._database.reading() as db:
            return str((await db.execute(query)).scalar() or "")

    async def _put_setting(self, tenant: int, name: str, value: str) -> None:
        where = (t.setting.c.tenant == tenant) & (t.setting.c.name == name)
        async with self._database.writing() as db:
            if not (await db.execute(sa.update(t.setting).where(where).values(value=value))).rowcount:
                await db.execute(sa.insert(t.setting).values(tenant=tenant, name=name, value=value))

    # Deliveries

    async def add(self, items: Sequence[Delivery]) -> None:
        """Have some sent."""
        async with self._database.writing() as db:
            await put_rows(db, [delivery_row(item) for item in items])

    async def letters_since(self, tenant: int, person: str, kinds: Iterable[str], since_ms: int) -> list[int]:
        """Instants of a person's letters of some kinds since then, oldest first."""
        c = t.delivery.c
        query = sa.select(c.at).where(c.tenant == tenant, c.person == person, c.kind.in_(sorted(kinds)))
        async with self._database.reading() as db:
            return list((await db.execute(query.where(c.at > since_ms).order_by(c.at))).scalars())

    async def due(self, now_ms: int, limit: int) -> list[Delivery]:
        """What waits and may go now, the longest due first."""
        c = t.delivery.c
        query = sa.select(t.delivery).where(c.state == "waiting", c.due <= now_ms)
        query = query.order_by(c.due, c.shard, c.seq, c.n, c.channel).limit(limit)
        async with self._database.reading() as db:
            return [_delivery(row) for row in (await db.execute(query)).mappings()]

    async def next_due(self) -> int | None:
        """When the next one may go, None when nothing waits."""
        c = t.delivery.c
        query = sa.select(sa.func.min(c.due)).where(c.state == "waiting")
        async with self._database.reading() as db:
            earliest: int | None = (await db.execute(query)).scalar()
        return earliest

    async def take(self, items: Iterable[Delivery], until_ms: int) -> list[Delivery]:
        """Have some to oneself until an instant, and count the try; those that somebody else has taken are left out."""
        taken = []
        async with self._database.writing() as db:
            for item in items:
                still = _is(item) & (t.delivery.c.state == "waiting") & (t.delivery.c.attempts == item.attempts)
                change = sa.update(t.delivery).where(still).values(attempts=item.attempts + 1, due=until_ms)
                if (await db.execute(change)).rowcount:
                    taken.append(msgspec.structs.replace(item, attempts=item.attempts + 1, due=until_ms))
        return taken

    async def settle(self, items: Iterable[Delivery]) -> None:
        """Write what became of some: state, due, error, sent and message."""
        async with self._database.writing() as db:
            for item in items:
                values = {name: getattr(item, name) for name in ("state", "due", "error", "sent", "message")}
                await db.execute(sa.update(t.delivery).where(_is(item)).values(values))

    async def sent_since(self, tenant: int, channel: str, person: str, since_ms: int) -> list[int]:
        """Instants of the messages that went since then by a channel to a person (or a room), oldest first."""
        c = t.delivery.c
        query = sa.select(sa.func.min(c.sent).label("at"))
        query = query.where(c.tenant == tenant, c.channel == channel, c.person == person, c.sent > since_ms)
        async with self._database.reading() as db:
            return sorted((await db.execute(query.group_by(c.message))).scalars())

    async def open_tasks(self, places: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of some (instance, token) that are open tasks."""
        c = t.task.c
        query = sa.select(c.iid, c.tok).where(c.iid.in_({iid for iid, _ in places}))
        async with self._database.reading() as db:
            return {(row[0], row[1]) for row in (await db.execute(query)).all()} & set(places)

    async def listed(
        self, tenant: int, state: str, channel: str, limit: int, offset: int
    ) -> tuple[list[Delivery], int]:
        """Deliveries in a state, of one channel or all, newest first, and how many there are."""
        c = t.delivery.c
        where: list[Any] = [c.tenant == tenant, c.state == state]
        if channel:
            where.append(c.channel == channel)
        query = sa.select(t.delivery).where(*where).order_by(c.at.desc(), c.shard, c.seq.desc(), c.n, c.channel)
        async with self._database.reading() as db:
            rows = [_delivery(row) for row in (await db.execute(query.limit(limit).offset(offset))).mappings()]
            total = (await db.execute(sa.select(sa.func.count()).select_from(t.delivery).where(*where))).scalar_one()
        return rows, total

    async def again(self, tenant: int, key: tuple[int, int, int, str], now_ms: int) -> bool:
        """Have a dead one tried anew; False when there is none."""
        where = sa.and_(*(t.delivery.c[name] == value for name, value in zip(_KEY, key, strict=True)))
        dead = where & (t.delivery.c.tenant == tenant) & (t.delivery.c.state == "dead")
        async with self._database.writing() as db:
            values = {"state": "waiting", "due": now_ms, "attempts": 0, "error": ""}
            return bool((await db.execute(sa.update(t.delivery).where(dead).values(values))).rowcount)

    async def all_again(self, tenant: int, channel: str, now_ms: int) -> int:
        """Have all dead ones of a channel tried anew; gives how many."""
        c = t.delivery.c
        dead = (c.tenant == tenant) & (c.channel == channel) & (c.state == "dead")
        async with self._database.writing() as db:
            values = {"state": "waiting", "due": now_ms, "attempts": 0, "error": ""}
            return (await db.execute(sa.update(t.delivery).where(dead).values(values))).rowcount

    async def forget(self, before_ms: int) -> None:
        """Forget what was sent or dropped before an instant; what is dead stays until somebody decides."""
        c = t.delivery.c
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.delivery).where(c.state.in_(("sent", "dropped")), c.at < before_ms))
