"""Large states on each database: written now and then, complete with what the journal has on top of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.searching import index
from noria.engine.state import StateFormatError, Status, decode_state, encode_state
from noria.operate import stepping
from noria.operate.auditing import verify_audit
from noria.operate.restoring import restored
from noria.operate.rows import InstanceRow
from tests.house import House

MODEL = """
startEvent start
userTask work assignee=lin
exclusiveGateway split
endEvent end
start -> work -> split
split -default-> work
split -[done]-> end
"""
EVERY = 4


@pytest.fixture
async def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(stepping, "LARGE_STATE_BYTES", 400)
    monkeypatch.setattr(stepping, "LAG_MAX", EVERY)
    opened = await House.open(database_url)
    await opened.deploy(MODEL)
    yield opened
    await opened.down()


async def row_of(house: House, iid: int) -> InstanceRow:
    return (await house.store.load([iid]))[iid]


async def worked(house: House, times: int, note: str = "x" * 400) -> int:
    """An instance whose task has been completed so often."""
    iid = await house.start(note=note, done=False)
    for n in range(times):
        await house.complete(iid, "work", n=n)
    return iid


async def test_a_large_state_is_written_once_in_so_many_commands(house: House) -> None:
    iid = await worked(house, 0)
    written = []
    for n in range(2 * EVERY):
        await house.complete(iid, "work", n=n)
        row = await row_of(house, iid)
        assert row.ver == n + 2
        written.append(decode_state(row.state).version)
    assert written == [1] * (EVERY - 1) + [1 + EVERY] * EVERY + [1 + 2 * EVERY]


async def test_a_small_state_is_written_with_each_command(house: House) -> None:
    row = await row_of(house, await worked(house, 2, note=""))
    assert decode_state(row.state).version == row.ver == 3


async def test_the_end_is_written_at_once(house: House) -> None:
    iid = await worked(house, 1)
    await house.complete(iid, "work", done=True)
    state = decode_state((await row_of(house, iid)).state)
    assert (state.version, state.status) == (3, Status.COMPLETED)


async def test_after_a_restart_an_instance_goes_on_where_it_was(house: House) -> None:
    iid = await worked(house, EVERY - 1)
    before = await house.state(iid)
    await house.down()
    await house.up()
    assert encode_state(await house.state(iid)) == encode_state(before)
    await house.complete(iid, "work", n="later")
    row = await row_of(house, iid)
    assert decode_state(row.state).version == row.ver == EVERY + 1, "the count goes on, too"
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
    row = await row_of(house, await worked(house, 2))
    row.ver += 1
    with pytest.raises(StateFormatError, match="gaps"):
        await restored(house.store, row)


async def test_what_was_written_only_to_the_journal_is_found(house: House) -> None:
    iid = await worked(house, 0)
    await house.complete(iid, "work", supplier="安徽起重")
    async with house.noria.database.engine.begin() as db:
        await index(db, house.noria.catalogue, [iid])
        found = (await db.execute(sa.text("SELECT terms FROM search"))).scalars().all()
    assert decode_state((await row_of(house, iid)).state).version == 1
    assert found
