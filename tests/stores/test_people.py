"""People, accounts, sessions, uploads, deployments and audit records on each database."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.blobs import DatabaseBlobs
from noria.adapters.database.catalogue import DatabaseCatalogue
from noria.adapters.database.opening import Database
from noria.adapters.database.people import DatabasePeople
from noria.engine.state import Deadline, State, encode_state
from noria.operate.auditing import AuditFilter, verify_audit
from noria.operate.deploying import DefinitionRow, Resource, StartTimerRow
from noria.trust.audit import AuditRecord
from noria.trust.people import Person, Unit
from noria.trust.signing_in import Credential, Session
from tests.house import House, MovedClock, eventually
from tests.stores.rows import NOW_MS, Owner, an_id, an_instance

LIN = Person("lin", "lin", "林晓", "purchasing", "lin@example.test", roles=("employee", "manager"))
PURCHASING = Unit("purchasing", "采购部", "", "wang")


@pytest.fixture
def people(database: Database) -> DatabasePeople:
    return DatabasePeople(database, MovedClock(NOW_MS + 10))


# People


async def test_people_and_units_are_read_as_they_were_written(database: Database, people: DatabasePeople) -> None:
    await people.put(1, [LIN], [PURCHASING], NOW_MS)
    for seen in (people, DatabasePeople(database, MovedClock(NOW_MS + 10))):
        organisation = await seen.organisation(1)
        assert organisation.people == {"lin": LIN}
        assert organisation.units == {"purchasing": PURCHASING}


async def test_a_person_is_replaced_with_all_roles(database: Database, people: DatabasePeople) -> None:
    await people.put(1, [LIN], [PURCHASING], NOW_MS)
    moved = Person("lin", "lin", "林晓", "it", roles=("finance",))
    await people.put(1, [moved], [Unit("purchasing", "采购", "", "")], NOW_MS + 1)
    organisation = await DatabasePeople(database, MovedClock(NOW_MS + 10)).organisation(1)
    assert organisation.people == {"lin": moved}
    assert organisation.units["purchasing"].name == "采购"


async def test_people_of_another_tenant_are_not_seen(people: DatabasePeople) -> None:
    await people.put(1, [LIN], [PURCHASING], NOW_MS)
    await people.put(2, [Person("lin", "lin", "another")], [], NOW_MS)
    assert (await people.organisation(2)).people["lin"].name == "another"
    assert (await people.organisation(1)).people["lin"].name == "林晓"
    await people.put_credential(1, Credential("lin", "hash"), NOW_MS)
    assert await people.credential(2, "lin") is None


async def test_people_are_written_all_or_nothing(database: Database, people: DatabasePeople) -> None:
    await people.put(1, [LIN], [], NOW_MS)
    with pytest.raises(sa.exc.IntegrityError):
        await people.put(1, [Person("chen", "chen", "陈晨"), Person("zhou", "lin", "周凯")], [PURCHASING], NOW_MS)
    organisation = await DatabasePeople(database, MovedClock(NOW_MS + 10)).organisation(1)
    assert (list(organisation.people), organisation.units) == (["lin"], {})


# Accounts


async def test_a_credential_is_kept_and_replaced(people: DatabasePeople) -> None:
    await people.put(1, [LIN], [], NOW_MS)
    assert await people.credential(1, "lin") is None
    await people.put_credential(1, Credential("lin", "first", must_change=True), NOW_MS)
    assert await people.credential(1, "lin") == Credential("lin", "first", 0, 0, True)
    locked = Credential("lin", "first", 5, NOW_MS + 900_000)
    await people.put_credential(1, locked, NOW_MS)
    assert await people.credential(1, "lin") == locked


def a_session(hashed: str, person: str = "lin", expires: int = NOW_MS + 1_000) -> Session:
    return Session(hashed, 1, person, "csrf", NOW_MS, NOW_MS, expires, "127.0.0.1", "browser")


async def test_a_session_lives_from_sign_in_to_sign_out(people: DatabasePeople) -> None:
    await people.put(1, [LIN], [], NOW_MS)
    await people.put_session(a_session("one"))
    assert await people.session("one") == a_session("one")
    await people.touch_session("one", NOW_MS + 5)
    touched = await people.session("one")
    assert touched is not None
    assert touched.seen == NOW_MS + 5
    await people.drop_session("one")
    assert await people.session("one") is None


async def test_a_new_session_sweeps_those_that_have_ended(database: Database, people: DatabasePeople) -> None:
    await people.put(1, [LIN], [], NOW_MS)
    await people.put_session(a_session("old", expires=NOW_MS - 1))
    await people.put_session(a_session("new"))
    async with database.reading() as db:
        assert (await db.execute(sa.select(t.session.c.hash))).scalars().all() == ["new"]


async def test_all_sessions_of_a_person_end_and_those_of_others_stay(people: DatabasePeople) -> None:
    await people.put(1, [LIN, Person("chen", "chen", "陈晨")], [], NOW_MS)
    for hashed, person in (("a", "lin"), ("b", "lin"), ("c", "chen")):
        await people.put_session(a_session(hashed, person))
    await people.drop_sessions_of(1, "lin")
    assert [await people.session(hashed) is not None for hashed in "abc"] == [False, False, True]


async def test_whoever_leaves_the_company_is_signed_out_and_cannot_sign_in(people: DatabasePeople) -> None:
    await people.put(1, [LIN], [], NOW_MS)
    await people.put_credential(1, Credential("lin", "hash"), NOW_MS)
    await people.put_session(a_session("one"))
    await people.put(1, [Person("lin", "lin", "林晓", active=False)], [], NOW_MS)
    assert await people.session("one") is None
    assert await people.credential(1, "lin") is None


# Uploads


async def test_an_upload_is_kept_once_by_its_content(database: Database) -> None:
    blobs = DatabaseBlobs(database)
    content = bytes(range(256)) * 100
    first = await blobs.put(1, "报价.pdf", "application/pdf", content, "lin", NOW_MS)
    again = await blobs.put(1, "copy.pdf", "text/plain", content, "chen", NOW_MS)
    assert first == again
    assert await blobs.get(1, first) == ("报价.pdf", "application/pdf", content)
    async with database.reading() as db:
        assert (await db.execute(sa.select(sa.func.count()).select_from(t.blob))).scalar_one() == 1


async def test_the_same_upload_from_many_at_once_is_kept_once(database: Database) -> None:
    blobs = DatabaseBlobs(database)
    names = [f"{n}.txt" for n in range(8)]
    hashes = await asyncio.gather(*(blobs.put(1, name, "text/plain", b"same", "lin", NOW_MS) for name in names))
    assert len(set(hashes)) == 1
    assert (await blobs.get(1, hashes[0]))[2] == b"same"


async def test_uploads_of_another_tenant_are_as_good_as_absent(database: Database) -> None:
    blobs = DatabaseBlobs(database)
    hashed = await blobs.put(1, "a.txt", "text/plain", b"secret", "lin", NOW_MS)
    assert await blobs.get(2, hashed) is None
    assert await blobs.exist(2, [hashed]) == set()
    assert await blobs.exist(1, [hashed, "f" * 64]) == {hashed}


# Deployments


def a_definition(key: str, tenant: int = 1) -> DefinitionRow:
    return DefinitionRow(0, tenant, key, 0, f"name of {key}", 0, f"{key}.bpmn", NOW_MS, "he")


def a_resource(name: str, content: bytes = b"<xml/>", kind: str = "bpmn") -> Resource:
    return Resource(name, kind, "digest", content)


async def test_versions_count_on_per_key_and_tenant(database: Database) -> None:
    store = DatabaseCatalogue(database)
    for tenant, keys in ((1, ["a", "b"]), (1, ["a"]), (2, ["a"])):
        files = [a_resource(f"{key}.bpmn") for key in keys]
        await store.deploy(tenant, "he", NOW_MS, files, [a_definition(key, tenant) for key in keys], {})
    found = [(row.id, row.tenant, row.key, row.version, row.deployment) for row in await store.definitions()]
    assert found == [(1, 1, "a", 1, 1), (2, 1, "b", 1, 1), (3, 1, "a", 2, 2), (4, 2, "a", 1, 3)]


async def test_a_deployment_keeps_its_files_and_the_newest_of_a_kind_are_found(database: Database) -> None:
    store = DatabaseCatalogue(database)
    old, new = a_resource("policy.dmn", b"old", "dmn"), a_resource("policy.dmn", b"new", "dmn")
    first = await store.deploy(1, "he", NOW_MS, [a_resource("a.bpmn"), old], [a_definition("a")], {})
    await store.deploy(1, "he", NOW_MS, [new], [], {})
    await store.deploy(2, "he", NOW_MS, [a_resource("policy.dmn", b"other", "dmn")], [], {})
    assert await store.resources(first) == [a_resource("a.bpmn"), old]
    assert await store.newest_resources(1, "dmn") == [new]
    assert await store.newest_resources(1, "form") == []


async def test_a_deployment_is_written_whole_or_not_at_all(database: Database) -> None:
    store = DatabaseCatalogue(database)
    twice = [a_resource("a.bpmn"), a_resource("a.bpmn")]
    with pytest.raises(sa.exc.IntegrityError):
        await store.deploy(1, "he", NOW_MS, twice, [a_definition("a")], {})
    assert await store.definitions() == []
    assert await store.resources(1) == []


async def test_start_timers_are_replaced_by_a_new_version_put_dropped_and_found_when_due(database: Database) -> None:
    store = DatabaseCatalogue(database)
    old, new = StartTimerRow(0, "every", 1, NOW_MS, -1, "PT1H"), StartTimerRow(0, "every", 1, NOW_MS + 5, 3, "PT1H")
    await store.deploy(1, "he", NOW_MS, [a_resource("a.bpmn")], [a_definition("a")], {"a": [old]})
    assert await store.due_start_timers(NOW_MS - 1) == []
    assert await store.due_start_timers(NOW_MS) == [msgspec.structs.replace(old, definition=1)]
    await store.deploy(1, "he", NOW_MS, [a_resource("a.bpmn")], [a_definition("a")], {"a": [new]})
    assert await store.start_timers_of(1) == [msgspec.structs.replace(new, definition=2)]
    moved = StartTimerRow(2, "every", 1, NOW_MS + 9, 2, "PT1H")
    await store.put_start_timer(moved)
    assert await store.due_start_timers(NOW_MS + 9) == [moved]
    later = moved.at(NOW_MS + 20, Deadline("plant", 3, NOW_MS, "PT1H", provisional=True))
    await store.move_start_timer(NOW_MS + 5, later)
    assert await store.start_timers_of(1) == [moved]
    await store.move_start_timer(NOW_MS + 9, later)
    assert await store.start_timers_of(1) == [later]
    assert await store.start_timers_of(2) == []
    await store.drop_start_timer(2, "every")
    assert await store.start_timers_of(1) == []


# Audit records


def a_record(n: int = 1, **given: object) -> AuditRecord:
    fields = {"actor": "lin", "action": "session.sign_in", "object_type": "person", "object_id": "lin"} | given
    return AuditRecord(1, NOW_MS + n, **fields)


async def test_records_from_many_at_once_make_one_unbroken_chain(database: Database) -> None:
    audit = DatabaseAudit(database)
    await asyncio.gather(*(audit.record(a_record(n)) for n in range(25)))
    verdict = await verify_audit(audit)
    assert (verdict.first_bad, verdict.records) == ("", 25)
    assert (await audit.chain_head())[0] == 25


async def test_records_are_found_newest_first_by_what_is_asked(database: Database) -> None:
    audit = DatabaseAudit(database)
    await audit.record(a_record(1))
    await audit.record(a_record(2, actor="chen", outcome="failed", action="session.sign_in"))
    await audit.record(a_record(3, action="models.deploy", object_type="process", object_id="purchase"))
    await audit.record(AuditRecord(2, NOW_MS, "lin", "session.sign_in", "person", "lin"))

    async def found(wanted: AuditFilter, limit: int = 10) -> tuple[list[int], int]:
        records, total = await audit.records(1, wanted, limit)
        return [item.seq for item in records], total

    assert await found(AuditFilter()) == ([3, 2, 1], 3)
    assert await found(AuditFilter(), 1) == ([3], 3)
    assert await found(AuditFilter(actor="chen")) == ([2], 1)
    assert await found(AuditFilter(action="models.deploy")) == ([3], 1)
    assert await found(AuditFilter(outcome="failed")) == ([2], 1)
    assert await found(AuditFilter(object="purchase")) == ([3], 1)
    assert await found(AuditFilter(start_ms=NOW_MS + 2, end_ms=NOW_MS + 2)) == ([2], 1)


async def test_commands_are_found_as_audit_records_too(database: Database, owner: Owner) -> None:
    audit = DatabaseAudit(database)
    one, two, foreign = an_id(1), an_id(2), an_id(3)
    await owner.write(an_instance(one), an_instance(two), an_instance(foreign, tenant=2))

    async def found(wanted: AuditFilter) -> tuple[set[int], int]:
        rows, total = await audit.commands(1, wanted, 10)
        return {row.iid for row in rows}, total

    assert await found(AuditFilter()) == ({one, two}, 2)
    assert await found(AuditFilter(object=str(one))) == ({one}, 1)
    assert await found(AuditFilter(object="purchase")) == (set(), 0)
    assert await found(AuditFilter(actor="lin", action="start_instance", outcome="ok")) == ({one, two}, 2)
    assert await found(AuditFilter(actor="chen")) == (set(), 0)
    assert await found(AuditFilter(outcome="failed")) == (set(), 0)


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ("UPDATE audit SET actor = 'somebody' WHERE seq = 2", "records/2"),
        ("DELETE FROM audit WHERE seq = 2", "records/2"),
        ("DELETE FROM audit WHERE seq = 3", "records/3"),
        ("UPDATE journal SET actor = 'somebody' WHERE seq = 1", "journal/4/1"),
        ("DELETE FROM journal WHERE seq = 1", "journal/4/1"),
        ("DELETE FROM journal WHERE seq = 2", "journal/4/2"),
        ("UPDATE shard SET seq = 1 WHERE shard = 4", "journal/4/3"),
    ],
)
async def test_verification_names_the_first_entry_that_somebody_changed(
    database: Database, owner: Owner, change: str, bad: str
) -> None:
    audit = DatabaseAudit(database)
    for n in range(3):
        await audit.record(a_record(n))
    for _ in range(2):
        await owner.write(an_instance(an_id(4), state=encode_state(State(version=1))))
    async with database.writing() as db:
        await db.exec_driver_sql(change)
    assert (await verify_audit(audit)).first_bad == bad


async def test_verification_raises_no_false_alarm_while_people_work(database_url: str) -> None:
    house = await House.open(database_url)
    await house.deploy("startEvent start\nuserTask work assignee=lin\nendEvent end\nstart -> work -> end")
    stop = asyncio.Event()

    async def work() -> None:
        while not stop.is_set():
            iid = await house.start()
            await house.complete(iid, "work")
            await house.noria.audit.record(a_record())

    working = [asyncio.create_task(work()) for _ in range(3)]
    verdicts = [await verify_audit(DatabaseAudit(house.noria.database))]

    async def verified_while_rows_came() -> bool:
        verdicts.append(await verify_audit(DatabaseAudit(house.noria.database)))
        return len(verdicts) > 8 and verdicts[-1].rows > verdicts[0].rows

    await eventually(verified_while_rows_came)
    stop.set()
    await asyncio.gather(*working)
    await house.down()
    assert {(verdict.first_bad, verdict.reason) for verdict in verdicts} == {("", "")}
