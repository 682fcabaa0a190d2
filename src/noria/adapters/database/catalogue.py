"""Deployments, their resources and the definitions made of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.operate.deploying import DefinitionRow, Resource, StartTimerRow


class DatabaseCatalogue:
    """`CatalogueStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def definitions(self, after: int = 0) -> list[DefinitionRow]:
        """The definitions of every tenant with a higher id, oldest first."""
        query = sa.select(t.definition).where(t.definition.c.id > after).order_by(t.definition.c.id)
        async with self._database.reading() as db:
            rows = (await db.execute(query)).mappings().all()
        return [DefinitionRow(**row) for row in rows]

    async def resources(self, deployment: int) -> list[Resource]:
        """What was deployed together."""
        c = t.resource.c
        query = sa.select(c.name, c.kind, c.digest, c.content).where(c.deployment == deployment).order_by(c.name)
        async with self._database.reading() as db:
            return [Resource(*row) for row in (await db.execute(query)).all()]

    async def newest_resources(self, tenant: int, kind: str, before: int | None = None) -> list[Resource]:
        """The newest resource of each name and of a kind, as it is or as it was before a deployment."""
        c = t.resource.c
        deployed = (t.deployment.c.tenant == tenant) & (c.kind == kind)
        if before is not None:
            deployed &= c.deployment < before
        newest = (
            sa.select(c.name, sa.func.max(c.deployment).label("deployment"))
            .join(t.deployment, t.deployment.c.id == c.deployment)
            .where(deployed)
            .group_by(c.name)
            .subquery()
        )
        query = (
            sa.select(c.name, c.kind, c.digest, c.content)
            .join(newest, (newest.c.name == c.name) & (newest.c.deployment == c.deployment))
            .order_by(c.deployment, c.name)
        )
        async with self._database.reading() as db:
            return [Resource(*row) for row in (await db.execute(query)).all()]

    async def deploy(
        self,
        tenant: int,
        by: str,
        now_ms: int,
        resources: list[Resource],
        definitions: list[DefinitionRow],
        timers: Mapping[str, list[StartTimerRow]],
    ) -> int:
        """Write a deployment, all or nothing.

        The ids in `definitions` and `timers` are given here, and versions count on from the newest of each key.
        """
        async with self._database.writing() as db:
            if self._database.is_postgres:
                # Ids and versions count on from what is there; SQLite has one writer at a time anyway.
                await db.execute(sa.text("LOCK TABLE deployment IN SHARE ROW EXCLUSIVE MODE"))
            number = ((await db.execute(sa.select(sa.func.max(t.deployment.c.id)))).scalar() or 0) + 1
            await db.execute(sa.insert(t.deployment).values(id=number, tenant=tenant, at=now_ms, by=by))
            for resource in resources:
                await db.execute(sa.insert(t.resource).values(deployment=number, **msgspec.structs.asdict(resource)))
            next_id = ((await db.execute(sa.select(sa.func.max(t.definition.c.id)))).scalar() or 0) + 1
            for row in definitions:
                c = t.definition.c
                newest = sa.select(sa.func.max(c.version)).where((c.tenant == tenant) & (c.key == row.key))
                row.version = ((await db.execute(newest)).scalar() or 0) + 1
                row.id, row.deployment = next_id, number
                next_id += 1
                await db.execute(sa.insert(t.definition).values(**msgspec.structs.asdict(row)))
                versions = sa.select(c.id).where((c.tenant == tenant) & (c.key == row.key))
                await db.execute(sa.delete(t.start_timer).where(t.start_timer.c.definition.in_(versions)))
                for timer in timers.get(row.key, []):
                    timer.definition = row.id
                    await db.execute(sa.insert(t.start_timer).values(**msgspec.structs.asdict(timer)))
        return number

    async def put_start_timer(self, row: StartTimerRow) -> None:
        """Keep when a start timer is due next."""
        where = (t.start_timer.c.definition == row.definition) & (t.start_timer.c.element == row.element)
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.start_timer).where(where))
            await db.execute(sa.insert(t.start_timer).values(**msgspec.structs.asdict(row)))

    async def drop_start_timer(self, definition: int, element: str) -> None:
        """Forget a start timer that has fired for the last time."""
        where = (t.start_timer.c.definition == definition) & (t.start_timer.c.element == element)
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.start_timer).where(where))

    async def due_start_timers(self, now_ms: int) -> list[StartTimerRow]:
        """Start timers that are due, those of higher priority first."""
        async with self._database.reading() as db:
            c = t.start_timer.c
            query = sa.select(t.start_timer).where(c.due <= now_ms).order_by(c.prio.desc(), c.due, c.definition)
            return [StartTimerRow(**row) for row in (await db.execute(query)).mappings().all()]

    async def start_timers_of(self, tenant: int) -> list[StartTimerRow]:
        """All start timers of a tenant."""
        async with self._database.reading() as db:
            c = t.start_timer.c
            query = sa.select(t.start_timer).where(c.tenant == tenant).order_by(c.definition, c.element)
            return [StartTimerRow(**row) for row in (await db.execute(query)).mappings().all()]

    async def move_start_timer(self, due_ms: int, row: StartTimerRow) -> None:
        """Give a start timer another due instant, if it is still due when it was."""
        c = t.start_timer.c
        where = (c.definition == row.definition) & (c.element == row.element) & (c.due == due_ms)
        async with self._database.writing() as db:
            await db.execute(sa.update(t.start_timer).where(where).values(**msgspec.structs.asdict(row)))
