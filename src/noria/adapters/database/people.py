"""People, units, credentials and sessions in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from noria.adapters.database import schema as t
from noria.adapters.database.opening import Database
from noria.operate.ports import Clock
from noria.trust.history import Change, ChangedKind, History
from noria.trust.people import Organisation, Person, Unit
from noria.trust.signing_in import Credential, Session
from noria.trust.substitutes import Substitution

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
    """`PeopleStore` and `AccountStore`.

    What is known of a tenant's people is read once, and again when it has changed here or `forget` is called. The
    organisation of now is kept until the next instant at which something in it changes.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._histories: dict[int, History] = {}
        self._organisations: dict[int, tuple[Organisation, int]] = {}
        self._past: dict[int, tuple[Organisation, int]] = {}
        self._latest: dict[int, Organisation] = {}
        self._changes = 0

    async def history(self, tenant: int) -> History:
        """All that is known of people and units, at every instant."""
        known = self._histories.get(tenant)
        if known is not None:
            return known
        changes = self._changes
        async with self._database.reading() as db:
            history = await _history(db, tenant)
        if changes == self._changes:
            self._histories[tenant] = history
        return history

    async def organisation(self, tenant: int, at_ms: int | None = None) -> Organisation:
        """All people and units, as they are now or at another instant."""
        if at_ms is not None:
            return await self._organisation_at(tenant, at_ms)
        known = self.known(tenant)
        if known is not None:
            return known
        changes = self._changes
        history = await self.history(tenant)
        organisation = history.at(self._clock.now_ms())
        if changes == self._changes:
            self._organisations[tenant] = (organisation, history.until(organisation))
        self._latest[tenant] = organisation
        return organisation

    async def _organisation_at(self, tenant: int, at_ms: int) -> Organisation:
        organisation, until = self._past.get(tenant, (None, 0))
        if organisation is None or not organisation.at_ms <= at_ms < until:
            # Who asks for one instant asks for many near it: an instance's history, say.
            history = await self.history(tenant)
            organisation = history.at(at_ms)
            self._past[tenant] = (organisation, history.until(organisation))
        return organisation

    def latest(self, tenant: int) -> Organisation | None:
        """The organisation that was asked for last, None when none was; the caller has just asked for that of now."""
        return self._latest.get(tenant)

    def known(self, tenant: int) -> Organisation | None:
        """The organisation of now, if it is at hand without asking the database."""
        organisation, until = self._organisations.get(tenant, (None, 0))
        if organisation is None or not organisation.at_ms <= self._clock.now_ms() < until:
            return None
        return organisation

    def forget(self) -> None:
        """People or units have changed somewhere: read them again when they are asked for."""
        self._changes += 1
        self._histories.clear()
        self._organisations.clear()
        self._past.clear()

    async def put(
        self,
        tenant: int,
        people: Sequence[Person],
        units: Sequence[Unit],
        now_ms: int,
        *,
        valid_from: int | None = None,
        by: str = "",
    ) -> None:
        """Write people and units as they are from an instant on, all or nothing.

        Fields that have another value from a later instant on keep it there.

        Args:
            tenant: whose.
            people: as they are to be; their user names count at once.
            units: likewise.
            now_ms: when this is entered.
            valid_from: from when on, `now_ms` when not given.
            by: who enters it.
        """
        since = now_ms if valid_from is None else valid_from
        changes = self._changes
        async with self._database.writing() as db:
            # First of all: writers of one tenant wait for each other here, and see what the other has written.
            await db.execute(_STAMP, {"tenant": tenant, "name": PEOPLE_STAMP})
            known = await _history(db, tenant)
            if tenant in self._histories:
                known.take_over(self._histories[tenant])
            after = known.with_members([*units, *people], since, now_ms, by)
            await _put_identities(db, tenant, people, known.usernames, now_ms)
            await _put_changes(db, tenant, known, known.new_in(after))
            left = [person.id for person in people if not person.active and since <= now_ms]
            if left:
                where = (t.session.c.tenant == tenant) & t.session.c.person.in_(left)
                await db.execute(sa.delete(t.session).where(where))
        alone = changes == self._changes
        self.forget()
        if alone:
            # As it has just been written. Had somebody been told of another change meanwhile, it might miss that.
            self._histories[tenant] = after

    async def drop_change(self, tenant: int, kind: ChangedKind, key: str, valid_from: int) -> bool:
        """Forget a change of a person or unit; tells whether there was one."""
        async with self._database.writing() as db:
            gone = await db.execute(sa.delete(t.org_change).where(_is(tenant, kind, key, valid_from)))
            await db.execute(_STAMP, {"tenant": tenant, "name": PEOPLE_STAMP})
        self.forget()
        return bool(gone.rowcount)

    async def put_substitution(self, tenant: int, item: Substitution) -> None:
        """Write a substitution; one with this id is replaced."""
        values = {
            "principal": item.principal,
            "substitute": item.substitute,
            "since": item.since_ms,
            "until": item.until_ms,
            "processes": msgspec.json.encode(item.processes).decode(),
            "amount_max": item.amount_max,
            "created": item.created_ms,
            "created_by": item.created_by,
            "ended": item.ended_ms,
            "ended_by": item.ended_by,
            "kept": msgspec.json.encode(item.kept).decode(),
            "passes_on": int(item.passes_on),
        }
        where = (t.substitution.c.tenant == tenant) & (t.substitution.c.id == item.id)
        async with self._database.writing() as db:
            if not (await db.execute(sa.update(t.substitution).where(where).values(values))).rowcount:
                await db.execute(sa.insert(t.substitution).values(tenant=tenant, id=item.id, **values))
            await db.execute(_STAMP, {"tenant": tenant, "name": PEOPLE_STAMP})
        self.forget()

    async def credential(self, tenant: int, username: str) -> Credential | None:
        """Of an active person."""
        c = t.credential.c
        query = (
            sa.select(c.person, c.hash, c.failures, c.locked_until, c.must_change)
            .join(t.person, (t.person.c.tenant == c.tenant) & (t.person.c.id == c.person))
            .where((c.tenant == tenant) & (t.person.c.username == username))
        )
        async with self._database.reading() as db:
            row = (await db.execute(query)).first()
        if row is None or not (await self.organisation(tenant)).is_active(row[0]):
            return None
        return Credential(row[0], row[1], row[2], row[3], bool(row[4]))

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
        c, credential = t.session.c, t.credential.c
        query = (
            sa.select(*(c[name] for name in _SESSION), sa.func.coalesce(credential.must_change, 0))
            .outerjoin(t.credential, (credential.tenant == c.tenant) & (credential.person == c.person))
            .where(c.hash == hashed)
        )
        async with self._database.reading() as db:
            row = (await db.execute(query)).first()
        if row is None:
            return None
        session = msgspec.convert(dict(zip((*_SESSION, "must_change"), row, strict=True)), Session, strict=False)
        return session if (await self.organisation(session.tenant)).is_active(session.person) else None

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


async def _history(db: AsyncConnection, tenant: int) -> History:
    person, c = t.person.c, t.org_change.c
    names = await db.execute(sa.select(person.id, person.username).where(person.tenant == tenant))
    usernames = {row[0]: row[1] for row in names.all()}
    query = sa.select(c.kind, c.id, c.valid_from, c.fields, c.recorded, c.by).where(c.tenant == tenant)
    changes = [
        Change(kind, key, valid_from, msgspec.json.decode(fields), recorded, by)
        for kind, key, valid_from, fields, recorded, by in (await db.execute(query)).all()
    ]
    return History(usernames, changes, await _substitutions(db, tenant))


async def _substitutions(db: AsyncConnection, tenant: int) -> list[Substitution]:
    c = t.substitution.c
    rows = (await db.execute(sa.select(t.substitution).where(c.tenant == tenant).order_by(c.created, c.id))).mappings()
    return [
        Substitution(
            row["id"],
            row["principal"],
            row["substitute"],
            row["since"],
            row["until"],
            tuple(msgspec.json.decode(row["processes"])),
            row["amount_max"],
            row["created"],
            row["created_by"],
            row["ended"],
            row["ended_by"],
            tuple(msgspec.json.decode(row["kept"])),
            bool(row["passes_on"]),
        )
        for row in rows
    ]


async def _put_identities(
    db: AsyncConnection, tenant: int, people: Sequence[Person], known: Mapping[str, str], now_ms: int
) -> None:
    for person in people:
        if known.get(person.id, person.username) != person.username:
            where = (t.person.c.tenant == tenant) & (t.person.c.id == person.id)
            await db.execute(sa.update(t.person).where(where).values(username=person.username))
    new = [
        {"tenant": tenant, "id": person.id, "username": person.username, "created": now_ms}
        for person in people
        if person.id not in known
    ]
    if new:
        # All in one go: thousands come out of a file, and everybody who writes waits meanwhile.
        await db.execute(sa.insert(t.person), new)


async def _put_changes(db: AsyncConnection, tenant: int, known: History, changes: Sequence[Change]) -> None:
    for change in changes:
        if any(item.valid_from == change.valid_from for item in known.changes.get((change.kind, change.id), ())):
            await db.execute(sa.delete(t.org_change).where(_is(tenant, change.kind, change.id, change.valid_from)))
    rows = [
        {
            "tenant": tenant,
            "kind": change.kind,
            "id": change.id,
            "valid_from": change.valid_from,
            "fields": msgspec.json.encode(change.fields).decode(),
            "recorded": change.recorded,
            "by": change.by,
        }
        for change in changes
    ]
    if rows:
        await db.execute(sa.insert(t.org_change), rows)


def _is(tenant: int, kind: str, key: str, valid_from: int) -> sa.ColumnElement[bool]:
    c = t.org_change.c
    return (c.tenant == tenant) & (c.kind == kind) & (c.id == key) & (c.valid_from == valid_from)
