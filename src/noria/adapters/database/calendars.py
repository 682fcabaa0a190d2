"""Working calendars in the database."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.kernel.calendar import WorkCalendar
from noria.operate.calendars import CalendarRow
from noria.operate.operations import BatchRow

CALENDARS_STAMP = "calendars"
"""Name of the setting that changes with every publication and assignment, so that other processes see it."""
_STAMP = sa.text(
    "INSERT INTO setting (tenant, name, value) VALUES (:tenant, :name, '1') "
    "ON CONFLICT (tenant, name) DO UPDATE SET value = CAST(CAST(setting.value AS BIGINT) + 1 AS TEXT)"
)
_PUBLISH = sa.text(
    "INSERT INTO calendar (tenant, id, version, body, at, by, note) "
    "VALUES (:tenant, :id, :version, :body, :at, :by, :note) ON CONFLICT (tenant, id, version) DO NOTHING"
)


class DatabaseCalendars:
    """`CalendarStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calendars(self) -> list[CalendarRow]:
        """Every version of every tenant's calendars, oldest first."""
        query = sa.select(t.calendar).order_by(t.calendar.c.tenant, t.calendar.c.id, t.calendar.c.version)
        async with self._database.reading() as db:
            rows = (await db.execute(query)).mappings().all()
        return [
            CalendarRow(
                row["tenant"], msgspec.json.decode(row["body"], type=WorkCalendar), row["at"], row["by"], row["note"]
            )
            for row in rows
        ]

    async def assignments(self) -> dict[int, dict[str, str]]:
        """Tenant → unit → id of the calendar that is its own."""
        async with self._database.reading() as db:
            rows = (await db.execute(sa.select(t.calendar_unit))).mappings().all()
        found: dict[int, dict[str, str]] = {}
        for row in rows:
            found.setdefault(row["tenant"], {})[row["unit"]] = row["calendar"]
        return found

    async def publish(self, row: CalendarRow, batch: BatchRow | None) -> bool:
        """Write a version, and the batch that counts due dates anew with it; False when that version exists."""
        calendar = row.calendar
        values = {"id": calendar.id, "version": calendar.version, "body": msgspec.json.encode(calendar).decode()}
        async with self._database.writing() as db:
            values |= {"tenant": row.tenant, "at": row.at, "by": row.by, "note": row.note}
            if not (await db.execute(_PUBLISH, values)).rowcount:
                return False
            if batch is not None:
                await db.execute(sa.insert(t.batch).values(**msgspec.structs.asdict(batch)))
            await db.execute(_STAMP, {"tenant": row.tenant, "name": CALENDARS_STAMP})
        return True

    async def assign(self, tenant: int, unit: str, calendar: str) -> None:
        """Give a unit a calendar of its own, or ("") take it away."""
        c = t.calendar_unit.c
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.calendar_unit).where(c.tenant == tenant, c.unit == unit))
            if calendar:
                await db.execute(sa.insert(t.calendar_unit).values(tenant=tenant, unit=unit, calendar=calendar))
            await db.execute(_STAMP, {"tenant": tenant, "name": CALENDARS_STAMP})
