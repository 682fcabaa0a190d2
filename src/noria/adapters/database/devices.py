"""Devices that people are told by, in the database."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.operate.devices import TAKEN_MAX, Device


def _device(row: sa.RowMapping) -> Device:
    return Device(**{**row, "taken": tuple(msgspec.json.decode(row["taken"]))})


def _is(device: Device) -> sa.ColumnElement[bool]:
    c = t.device.c
    return sa.and_(c.tenant == device.tenant, c.id == device.id, c.person == device.person)


async def people_with_devices(db: AsyncConnection, tenant: int, people: Collection[str]) -> set[str]:
    """Those of some people who have a device."""
    c = t.device.c
    query = sa.select(c.person).where(c.tenant == tenant, c.person.in_(sorted(people))).distinct()
    return set((await db.execute(query)).scalars())


class DatabaseDevices:
    """`DeviceStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_person(self, tenant: int, person: str) -> list[Device]:
        """A person's devices, the oldest first."""
        c = t.device.c
        query = sa.select(t.device).where(c.tenant == tenant, c.person == person).order_by(c.created, c.id)
        async with self._database.reading() as db:
            return [_device(row) for row in (await db.execute(query)).mappings()]

    async def put(self, device: Device) -> None:
        """Keep one, in place of the same browser's before, whoever used it."""
        c = t.device.c
        values = {**msgspec.structs.asdict(device), "taken": msgspec.json.encode(device.taken).decode()}
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.device).where(c.tenant == device.tenant, c.id == device.id))
            await db.execute(sa.insert(t.device).values(values))

    async def took(self, device: Device, message: str, now_ms: int) -> None:
        """Note that one took a message."""
        taken = msgspec.json.encode([*device.taken, message][-TAKEN_MAX:]).decode()
        async with self._database.writing() as db:
            await db.execute(sa.update(t.device).where(_is(device)).values(used=now_ms, taken=taken))

    async def drop(self, device: Device) -> None:
        """Forget one."""
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.device).where(_is(device)))
