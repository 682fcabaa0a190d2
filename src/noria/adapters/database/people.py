"""People, units, credentials and sessions in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.trust.people import Organisation, Person, Unit
from noria.trust.signing_in import Credential, Session

PEOPLE_STAMP = "people"
"""Name of the setting that changes with every change of people or units, so that other processes see it."""
SESSIONS_STAMP = "sessions"
"""The same for sessions that end before their time; of tenant 0."""
_STAMP = sa.text(
    "INSERT INTO setting (tenant, name, value) VALUES (:tenant, :name, '1') "
    "ON CONFLICT (tenant, name) DO UPDATE SET value = CAST(CAST(setting.value AS BIGINT) + 1 AS TEXT)"
)
_SESSION = tuple(name for name in Session.__struct_fields__ if name != "must_change")
"""The columns of a session; whether the password must change stands with the credential."""


class DatabasePeople:
    """`PeopleStore` and `AccountStore`; the organisation is cached until it changes here, or `forget` is called."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._organisations: dict[int, Organisation] = {}
        self._changes = 0

    async def organisation(self, tenant: int) -> Organisation:
        """All people and units."""
        known = self._organisations.get(tenant)
        if known is not None:
            return known
        changes = self._changes
        async with self._database.reading() as db:
            units = (await db.execute(sa.select(t.unit).where(t.unit.c.tenant == tenant))).mappings().all()
            people = (await db.execute(sa.select(t.person).where(t.person.c.tenant == tenant))).mappings().all()
            roles = (
                (await db.execute(sa.select(t.person_role).where(t.person_role.c.tenant == tenant))).mappings().all()
            )
        held: dict[str, list[str]] = {}
        for row in roles:
            held.setdefault(row["person"], []).append(row["role"])
        organisation = Organisation(
            {
                row["id"]: Person(
                    row["id"],
                    row["username"],
                    row["name"],
                    row["unit"],
                    row["email"],
                    bool(row["active"]),
                    tuple(sorted(held.get(row["id"], ()))),
                )
                for row in people
            },
            {row["id"]: Unit(row["id"], row["name"], row["parent"], row["manager"]) for row in units},
        )
        if changes == self._changes:
            self._organisations[tenant] = organisation
        return organisation

    def forget(self) -> None:
        """People or units have changed somewhere: read them again when they are asked for."""
        self._changes += 1
        self._organisations.clear()

    async def put(self, tenant: int, people: Sequence[Person], units: Sequence[Unit], now_ms: int) -> None:
        """Write people and units, all or nothing; those that exist are replaced."""
        async with self._database.writing() as db:
            for unit in units:
                values = {"name": unit.name, "parent": unit.parent, "manager": unit.manager}
                where = (t.unit.c.tenant == tenant) & (t.unit.c.id == unit.id)
                if not (await db.execute(sa.update(t.unit).where(where).values(values))).rowcount:
                    await db.execute(sa.insert(t.unit).values(tenant=tenant, id=unit.id, **values))
            for person in people:
                await self._put_person(db, tenant, person, now_ms)
            await db.execute(_STAMP, {"tenant": tenant, "name": PEOPLE_STAMP})
        self.forget()

    @staticmethod
    async def _put_person(db: AsyncConnection, tenant: int, person: Person, now_ms: int) -> None:
        values = {
            "username": person.username,
            "name": person.name,
            "unit": person.unit,
            "email": person.email,
            "active": int(person.active),
        }
        where = (t.person.c.tenant == tenant) & (t.person.c.id == person.id)
        if not (await db.execute(sa.update(t.person).where(where).values(values))).rowcount:
            await db.execute(sa.insert(t.person).values(tenant=tenant, id=person.id, created=now_ms, **values))
        roles = t.person_role
        await db.execute(sa.delete(roles).where((roles.c.tenant == tenant) & (roles.c.person == person.id)))
        if person.roles:
            rows = [{"tenant": tenant, "person": person.id, "role": role} for role in dict.fromkeys(person.roles)]
            await db.execute(sa.insert(roles), rows)
        if not person.active:
            where = (t.session.c.tenant == tenant) & (t.session.c.person == person.id)
            await db.execute(sa.delete(t.session).where(where))

    async def credential(self, tenant: int, username: str) -> Credential | None:
        """Of an active person."""
        c = t.credential.c
        query = (
            sa.select(c.person, c.hash, c.failures, c.locked_until, c.must_change)
            .join(t.person, (t.person.c.tenant == c.tenant) & (t.person.c.id == c.person))
            .where((c.tenant == tenant) & (t.person.c.username == username) & (t.person.c.active == 1))
        )
        async with self._database.reading() as db:
            row = (await db.execute(query)).first()
        return Credential(row[0], row[1], row[2], row[3], bool(row[4])) if row else None

    async def put_credential(self, tenant: int, credential: Credential, now_ms: int) -> None:
        """Write a person's credential."""
        values = {
            "hash": credential.hash,
            "failures": credential.failures,
            "locked_until": credential.locked_until,
            "must_change": int(credential.must_change),
            "changed": now_ms,
        }
        where = (t.credential.c.tenant == tenant) & (t.credential.c.person == credential.person)
        async with self._database.writing() as db:
            if not (await db.execute(sa.update(t.credential).where(where).values(values))).rowcount:
                await db.execute(sa.insert(t.credential).values(tenant=tenant, person=credential.person, **values))

    async def note_failure(self, tenant: int, person: str, failures_max: int, locked_until: int) -> bool:
        """Count a wrong try; at `failures_max` the account is locked and the count begins anew. Tells whether it is."""
        c = t.credential.c
        where = (c.tenant == tenant) & (c.person == person)
        async with self._database.writing() as db:
            await db.execute(sa.update(t.credential).where(where).values(failures=c.failures + 1))
            reached = sa.update(t.credential).where(where & (c.failures >= failures_max))
            return bool((await db.execute(reached.values(failures=0, locked_until=locked_until))).rowcount)

    async def put_session(self, session: Session) -> None:
        """Write a session; those that have ended are swept."""
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.session).where(t.session.c.expires < session.created))
            await db.execute(sa.insert(t.session).values({name: getattr(session, name) for name in _SESSION}))

    async def session(self, hashed: str) -> Session | None:
        """By the hash of its secret; None when there is none or its person is not active."""
        c, person, credential = t.session.c, t.person.c, t.credential.c
        query = (
            sa.select(*(c[name] for name in _SESSION), sa.func.coalesce(credential.must_change, 0))
            .join(t.person, (person.tenant == c.tenant) & (person.id == c.person))
            .outerjoin(t.credential, (credential.tenant == c.tenant) & (credential.person == c.person))
            .where(c.hash == hashed, person.active == 1)
        )
        async with self._database.reading() as db:
            row = (await db.execute(query)).first()
        if row is None:
            return None
        return msgspec.convert(dict(zip((*_SESSION, "must_change"), row, strict=True)), Session, strict=False)

    async def touch_session(self, hashed: str, now_ms: int) -> None:
        """Note a request."""
        async with self._database.writing() as db:
            await db.execute(sa.update(t.session).where(t.session.c.hash == hashed).values(seen=now_ms))

    async def drop_session(self, hashed: str) -> None:
        """End a session."""
        async with self._database.writing() as db:
            await db.execute(sa.delete(t.session).where(t.session.c.hash == hashed))
            await db.execute(_STAMP, {"tenant": 0, "name": SESSIONS_STAMP})

    async def drop_sessions_of(self, tenant: int, person: str) -> None:
        """End all sessions of a person."""
        async with self._database.writing() as db:
            await db.execute(
                sa.delete(t.session).where((t.session.c.tenant == tenant) & (t.session.c.person == person))
            )
            await db.execute(_STAMP, {"tenant": 0, "name": SESSIONS_STAMP})
