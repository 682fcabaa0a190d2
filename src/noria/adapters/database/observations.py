"""What integrators say of the world, and counts of open tasks, in the database."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.operate.surroundings import ObservationRow

FACTS_STAMP = "facts"
"""Name of the setting that changes with every observation, so that other processes see it."""
_KEPT = 1_000
"""Versions of a name that are kept; what a case used stands in its journal."""
_STAMP = sa.text(
    "INSERT INTO setting (tenant, name, value) VALUES (:tenant, :name, '1') "
    "ON CONFLICT (tenant, name) DO UPDATE SET value = CAST(CAST(setting.value AS BIGINT) + 1 AS TEXT)"
)


class DatabaseObservations:
    """`ObservationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, now_ms: int) -> list[ObservationRow]:
        """Of every tenant and name what is valid now or will be, and the newest."""
        c = t.observation.c
        newest = (
            sa.select(c.tenant, c.name, sa.func.max(c.version).label("version")).group_by(c.tenant, c.name).subquery()
        )
        # Of what holds until something else is said only the newest can count.
        endless = (
            sa.select(c.tenant, c.name, sa.func.max(c.version).label("version"))
            .where(c.valid_until == 0, c.valid_from <= now_ms)
            .group_by(c.tenant, c.name)
            .subquery()
        )

        def within(found: sa.Subquery) -> sa.ColumnElement[bool]:
            return (
                sa.select(sa.literal(1))
                .where(found.c.tenant == c.tenant, found.c.name == c.name, found.c.version == c.version)
                .exists()
            )

        query = (
            sa.select(t.observation)
            .where(sa.or_(within(newest), within(endless), c.valid_until > now_ms, c.valid_from > now_ms))
            .order_by(c.tenant, c.name, c.version)
        )
        async with self._database.reading() as db:
            return [ObservationRow(**row) for row in (await db.execute(query)).mappings()]

    async def versions(self, tenant: int, name: str, limit: int) -> list[ObservationRow]:
        """What was said under a name, newest first."""
        c = t.observation.c
        query = sa.select(t.observation).where(c.tenant == tenant, c.name == name).order_by(c.version.desc())
        async with self._database.reading() as db:
            return [ObservationRow(**row) for row in (await db.execute(query.limit(limit))).mappings()]

    async def observe(self, row: ObservationRow) -> ObservationRow:
        """Write what was said as the next version of its name; what is long past is forgotten."""
        c = t.observation.c
        async with self._database.writing() as db:
            # The stamp's row is locked first: two that speak at once get two versions.
            await db.execute(_STAMP, {"tenant": row.tenant, "name": FACTS_STAMP})
            newest = sa.select(sa.func.coalesce(sa.func.max(c.version), 0)).where(
                c.tenant == row.tenant, c.name == row.name
            )
            version = (await db.execute(newest)).scalar_one() + 1
            written = msgspec.structs.replace(row, version=version)
            await db.execute(sa.insert(t.observation).values(**msgspec.structs.asdict(written)))
            named = (c.tenant == row.tenant) & (c.name == row.name)
            # What holds until something else is said counts as long as it is the newest of its kind.
            endless = sa.select(sa.func.coalesce(sa.func.max(c.version), 0)).where(
                named, c.valid_until == 0, c.valid_from <= row.at
            )
            baseline = (await db.execute(endless)).scalar_one()
            past = named & (c.version <= version - _KEPT) & (c.valid_until < row.at) & (c.version != baseline)
            await db.execute(sa.delete(t.observation).where(past))
        return written

    async def loads(self, tenant: int) -> tuple[dict[str, int], dict[str, int]]:
        """Open tasks of people, and untaken ones of groups."""
        k, c = t.task.c, t.candidate.c
        people = sa.select(k.assignee, sa.func.count()).where(k.tenant == tenant, k.assignee != "").group_by(k.assignee)
        same = (k.shard == c.shard) & (k.iid == c.iid) & (k.tok == c.tok)
        groups = (
            sa.select(c.name, sa.func.count())
            .select_from(t.candidate.join(t.task, same))
            .where(c.tenant == tenant, c.kind == "g", k.assignee == "")
            .group_by(c.name)
        )
        async with self._database.reading() as db:
            held = dict(map(tuple, (await db.execute(people)).all()))
            waiting = dict(map(tuple, (await db.execute(groups)).all()))
        return held, waiting
