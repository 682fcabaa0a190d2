"""States on each database: written now and then, complete with what the journal has on top of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.opening import open_database
from noria.adapters.database.searching import documents_of, put
from noria.engine import commands as c
from noria.engine.state import StateFormatError, Status, decode_state, encode_state
from noria.operate import stepping
from noria.operate.auditing import verify_audit
from noria.operate.restoring import restored
from noria.operate.rows import InstanceRow
from tests.databases import NEWEST, turn
from tests.house import House

STEPS = [f"step{n}" for n in range(10)]
MODEL = "\n".join(
    [
        "startEvent start",
        *(f"userTask {step} assignee=lin" for step in STEPS),
        "endEvent end",
        " -> ".join(["start", *STEPS, "end"]),
    ]
)
EVERY = 4


@pytest.fixture
async def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(stepping, "LAG_MAX", EVERY)
    opened = await House.open(database_url)
    await opened.deploy(MODEL)
    yield opened
    await opened.down()


async def row_of(house: House, iid: int) -> InstanceRow:
    return (await house.store.load([iid]))[iid]


async def worked(house: House, times: int) -> int:
    """An instance of which so many tasks have been completed."""
    iid = await house.start(note="steel")
    for step in STEPS[:times]:
        await house.complete(iid, step)
    return iid


async def test_a_state_is_written_once_in_so_many_commands(house: House) -> None:
    iid = await worked(house, 0)
    written = []
    for n in range(2 * EVERY):
        await house.complete(iid, STEPS[n])
        row = await row_of(house, iid)
        assert (row.ver, len(row.later)) == (n + 2, row.ver - decode_state(row.state).version)
        written.append(row.ver - len(row.later))
    assert written == [1] * (EVERY - 1) + [1 + EVERY] * EVERY + [1 + 2 * EVERY]


async def test_what_lists_show_is_written_at_once(house: House) -> None:
    iid = await worked(house, 1)
    (token,) = (await house.state(iid)).tasks
    await house.submit(c.ReturnTask(token, "lin", STEPS[0], reason="again"), iid)
    row = await row_of(house, iid)
    assert (row.round, row.later) == (2, ())


async def test_an_amount_that_is_set_is_written_at_once_and_what_no_list_shows_is_not(house: House) -> None:
    iid = await worked(house, 1)
    await house.submit(c.SetVariables("admin", {"note": "iron"}, "a slip"), iid)
    assert len((await row_of(house, iid)).later) == 2
    await house.submit(c.SetVariables("admin", {"amount": 12}, "a slip"), iid)
    row = await row_of(house, iid)
    assert (row.amount, row.later) == (12.0, ())


async def test_an_incident_is_written_at_once_and_so_is_its_end(house: House) -> None:
    await house.deploy(
        MODEL,
        "startEvent start\nuserTask work assignee=lin\nserviceTask order topic=order\nendEvent end\n"
        "start -> work -> order -> end",
    )
    iid = await house.start("model1")
    await house.complete(iid, "work")
    token = await house.token(iid, "order")
    await house.submit(c.FailJob(token, "worker", "no", retries=0), iid)
    row = await row_of(house, iid)
    assert (row.incidents, row.later) == (1, ())
    (incident,) = (await house.state(iid)).incidents
    await house.submit(c.RetryIncident(incident, "admin"), iid)
    row = await row_of(house, iid)
    assert (row.incidents, row.later) == (0, ())


async def test_a_migration_is_written_at_once(house: House) -> None:
    iid = await worked(house, 1)
    before = (await row_of(house, iid)).definition
    (after,) = await house.deploy(MODEL.replace("assignee=lin", "assignee=wang"))
    await house.submit(c.MigrateInstance("admin", "a new version", before, after), iid, target=after)
    row = await row_of(house, iid)
    assert (row.definition, row.later) == (after, ())


async def test_the_end_is_written_at_once(house: House) -> None:
    iid = await worked(house, len(STEPS))
    state = decode_state((await row_of(house, iid)).state)
    assert (state.version, state.status) == (1 + len(STEPS), Status.COMPLETED)


async def test_after_a_restart_an_instance_goes_on_where_it_was_and_is_written_by_the_next_command(
    house: House,
) -> None:
    iid = await worked(house, EVERY - 2)
    before = await house.state(iid)
    await house.down()
    await house.up()
    assert encode_state(await house.state(iid)) == encode_state(before)
    await house.complete(iid, STEPS[EVERY - 2], n="later")
    row = await row_of(house, iid)
    assert (decode_state(row.state).version, row.later) == (EVERY, ()), "a version before this one may have written it"
    assert (await house.state(iid)).scopes[0].variables["n"] == "later"


async def test_the_audit_verifies_a_state_that_is_behind_and_finds_a_changed_one(house: House) -> None:
    iid = await worked(house, 2)
    audit = DatabaseAudit(house.noria.database)
    verdict = await verify_audit(audit)
    assert (verdict.first_bad, verdict.instances) == ("", 1)
    state = decode_state((await row_of(house, iid)).state)
    state.scopes[0].variables["note"] = "changed"
    async with house.noria.database.engine.begin() as db:
        await db.execute(sa.update(t.inst).values(state=encode_state(state)))
    assert (await verify_audit(audit)).first_bad == f"instance/{iid}"


async def test_a_state_that_is_behind_without_its_journal_is_refused(house: House) -> None:
    iid = await worked(house, EVERY - 1)
    async with house.noria.database.engine.begin() as db:
        await db.execute(sa.delete(t.journal).where(t.journal.c.ver == EVERY - 1))
    row = await row_of(house, iid)
    with pytest.raises(StateFormatError, match="gaps"):
        restored(row)


async def test_instances_that_are_read_together_each_have_what_is_theirs(house: House) -> None:
    iids = [await worked(house, times) for times in (2, 0, EVERY)]
    rows = await house.store.load(iids)
    assert [(iid, restored(rows[iid]).version, len(rows[iid].later)) for iid in iids] == [
        (iids[0], 3, 2),
        (iids[1], 1, 0),
        (iids[2], EVERY + 1, 0),
    ]


async def test_what_was_written_only_to_the_journal_is_found(house: House) -> None:
    iid = await worked(house, 0)
    await house.complete(iid, STEPS[0], supplier="安徽起重")
    async with house.noria.database.engine.begin() as db:
        await put(db, await documents_of(db, house.noria.catalogue, [iid]))
        found = (await db.execute(sa.text("SELECT terms FROM search"))).scalars().all()
    assert decode_state((await row_of(house, iid)).state).version == 1
    assert found


async def test_states_that_the_version_before_left_behind_are_read(house: House, database_url: str) -> None:
    iids = [await worked(house, EVERY - 1) for _ in range(3)]
    states = [encode_state(await house.state(iid)) for iid in iids]
    await house.down()
    database = await open_database(database_url)
    async with database.writing() as db:
        await db.run_sync(turn, "0020")
        versions = await db.execute(sa.select(t.inst.c.ver))
        assert set(versions.scalars()) == {EVERY}, "the version before looks in the row for how far the journal goes"
        await db.run_sync(turn, NEWEST)
        assert set((await db.execute(sa.select(t.inst.c.ver))).scalars()) == {1}
    await database.close()
    await house.up()
    assert [encode_state(await house.state(iid)) for iid in iids] == states
