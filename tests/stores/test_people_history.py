"""What people and units were before they had a history is their history's beginning."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from noria.adapters.database.opening import open_database
from noria.adapters.database.people import DatabasePeople
from noria.trust.people import Person, Post, Unit
from tests.databases import NEWEST, turn
from tests.house import MovedClock
from tests.stores.rows import NOW_MS

BEFORE = "0005"
ROWS = {
    "person": [
        {"id": "lin", "username": "lin", "name": "林晓", "unit": "buying", "email": "l@x.test", "active": 1},
        {"id": "gone", "username": "gone", "name": "离职", "unit": "", "email": "", "active": 0},
    ],
    "person_role": [{"person": "lin", "role": "employee"}, {"person": "lin", "role": "buyer"}],
    "unit": [{"id": "buying", "name": "采购部", "parent": "", "manager": "lin"}],
}


def _insert(connection: sa.Connection) -> None:
    for table, rows in ROWS.items():
        for row in rows:
            values: dict[str, Any] = {"tenant": 1, **row, **({"created": 7} if table == "person" else {})}
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)  # noqa: S608


async def test_people_of_an_earlier_version_are_there_from_the_beginning_and_go_back_as_they_are(
    database_url: str,
) -> None:
    database = await open_database(database_url)
    try:
        async with database.writing() as db:
            await db.run_sync(turn, BEFORE)
            await db.run_sync(_insert)
            await db.run_sync(turn, NEWEST)
        people = DatabasePeople(database, MovedClock(NOW_MS))
        for at_ms in (0, NOW_MS):
            organisation = await people.organisation(1, at_ms)
            assert organisation.people == {
                "lin": Person("lin", "lin", "林晓", "buying", "l@x.test", roles=("buyer", "employee")),
                "gone": Person("gone", "gone", "离职", active=False),
            }
            assert organisation.units == {"buying": Unit("buying", "采购部", "", "lin")}
        moved = Person("lin", "lin", "林小小", "buying", roles=("employee",), posts=(Post("buying", "x"),))
        await people.put(1, [moved], [], NOW_MS)
        async with database.writing() as db:
            await db.run_sync(turn, BEFORE)
            query = sa.text("SELECT id, name, unit, email, active FROM person ORDER BY id")
            rows = [tuple(row) for row in (await db.execute(query)).all()]
            roles = (await db.execute(sa.text("SELECT person, role FROM person_role"))).all()
            await db.run_sync(turn, NEWEST)
        assert rows == [("gone", "离职", "", "", 0), ("lin", "林小小", "buying", "", 1)]
        assert [tuple(row) for row in roles] == [("lin", "employee")]
    finally:
        await database.close()
