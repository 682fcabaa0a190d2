"""The runtime on each database: first answers, lone failures, tenants, serial numbers, owners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.postgres_store import PostgresStore
from noria.adapters.database.sqlite_store import SqliteStore
from noria.engine import commands as c
from noria.engine.events import decode_events
from noria.engine.evolve import replay
from noria.engine.state import Status, encode_state
from noria.kernel.errors import NoriaError, Rejected
from noria.operate.auditing import verify_audit
from noria.operate.ports import StaleOwnerError, UnstorableError
from noria.operate.requests import Accepted, Answer, Request
from noria.operate.rows import Commit, InstanceRow
from noria.operate.runtime import Runtime
from noria.operate.stepping import Stepper
from tests.house import House, serial

MODEL = """
startEvent start
userTask work assignee=lin
endEvent end
start -> work -> end
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url)
    await opened.deploy(MODEL)
    yield opened
    await opened.down()


async def commands(house: House) -> int:
    return len(await house.store.journal_after({}, 100_000))


def start(**variables: object) -> c.StartInstance:
    return c.StartInstance("lin", {"id": "lin"}, variables)


# Memory


async def test_what_has_just_ended_is_known_without_a_look_at_the_store(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = iids = [await house.start() for _ in range(3)]
    monkeypatch.setattr("noria.operate.runtime.ENDED_MAX", 2)
    for iid in iids:
        await house.complete(iid, "work")
    loaded: list[int] = []
    load = house.store.load

    async def noted(wanted: list[int]) -> dict[int, InstanceRow]:
        loaded.extend(wanted)
        return await load(wanted)

    monkeypatch.setattr(house.store, "load", noted)
    found = [await house.noria.runtime.instance(iid) for iid in iids]
    assert [held.state.status for held in found if held is not None] == [Status.COMPLETED] * 3
    assert loaded == [first]


async def test_memory_says_nothing_of_a_version_that_only_the_store_may_have(house: House) -> None:
    iid = await house.start()
    held = await house.noria.runtime.instance(iid)
    assert held is not None
    assert house.noria.runtime.remembered(iid, held.state.version) is held
    assert house.noria.runtime.remembered(iid, held.state.version + 1) is None
    assert house.noria.runtime.remembered(iid + 1) is None


# Commits


async def test_while_a_commit_of_enough_commands_is_on_its_way_the_others_are_stepped(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in (SqliteStore, PostgresStore):
        monkeypatch.setattr(store, "enough", 3)
    house = await House.open(database_url)
    await house.deploy(MODEL)
    waiting, all_stepped, written, stepped = asyncio.Event(), asyncio.Event(), [], []
    commit, answer = house.store.commit, Stepper.answer

    async def late(wanted: Commit) -> None:
        written.append(len(wanted.journal))
        await waiting.wait()
        await commit(wanted)

    def noted(*given: Any) -> Answer:
        stepped.append(len(written))
        if len(stepped) == 10:
            all_stepped.set()
        return answer(*given)

    monkeypatch.setattr(house.store, "commit", late)
    monkeypatch.setattr(Stepper, "answer", noted)
    answers = asyncio.gather(*(house.submit(start(), definition=1) for _ in range(10)))
    await all_stepped.wait()
    assert (written, stepped) == ([3], [0] * 3 + [1] * 7)
    waiting.set()
    assert len({accepted.iid for accepted in await answers}) == 10
    assert written == [3, 7]
    await house.down()


# Idempotency


async def test_a_runtime_that_is_stopped_finishes_what_was_accepted_before(house: House) -> None:
    runtime = house.noria.runtime
    on_the_way = [asyncio.ensure_future(runtime.submit(Request(start(), "lin", definition=1))) for _ in range(3)]
    await house.down()
    assert all(isinstance(asked.result(), Accepted) for asked in on_the_way)
    await house.up()
    assert await commands(house) == 3


async def test_a_repeated_key_gives_the_first_answer_and_nothing_happens_again(house: House) -> None:
    first = await house.submit(start(), definition=1, key="k")
    again = await house.submit(start(), definition=1, key="k")
    assert isinstance(first, Accepted)
    assert again == Accepted(first.iid, 1, repeated=True)
    assert await commands(house) == 1


async def test_a_key_repeated_while_the_first_still_waits_gives_the_same_answer(house: House) -> None:
    answers = await asyncio.gather(*(house.submit(start(), definition=1, key="k") for _ in range(10)))
    assert len({answer.iid for answer in answers}) == 1
    assert [answer.repeated for answer in answers] == [False] + [True] * 9
    assert await commands(house) == 1


async def test_the_first_answer_is_given_after_a_restart_too(house: House) -> None:
    iid = await house.start(key="k")
    await house.complete(iid, "work", key="done")
    await house.down()
    await house.up()
    again = await house.submit(c.CompleteTask(2, "lin"), iid, key="done")
    assert again == Accepted(iid, 2, repeated=True)


async def test_a_refused_command_may_be_tried_again_with_its_key(house: House) -> None:
    iid = await house.start()
    refused = await house.submit(c.ClaimTask(99, "lin"), iid, key="k")
    assert isinstance(refused, Rejected)
    accepted = await house.complete(iid, "work", key="k")
    assert isinstance(accepted, Accepted)
    assert not accepted.repeated


# Failing alone


async def test_a_refused_command_leaves_no_trace(house: House) -> None:
    iid = await house.start()
    before = (await house.store.load([iid]), await commands(house))
    refused = await house.submit(c.CompleteTask(99, "lin"), iid, key="k")
    assert isinstance(refused, Rejected)
    assert (await house.store.load([iid]), await commands(house)) == before
    assert await house.store.answers(["k"]) == {}


async def test_in_a_batch_one_refused_command_fails_alone(house: House) -> None:
    iids = [await house.start() for _ in range(20)]
    made = [c.CompleteTask(99 if n == 7 else await house.token(iid, "work"), "lin") for n, iid in enumerate(iids)]
    answers = await asyncio.gather(*(house.submit(one, iid) for one, iid in zip(made, iids, strict=True)))
    assert [isinstance(answer, Rejected) for answer in answers] == [n == 7 for n in range(20)]
    assert await house.places(iids[7]) == ["work"]


async def test_in_a_batch_one_command_that_cannot_be_stored_fails_alone(house: House) -> None:
    answers = await asyncio.gather(
        *(house.submit(start(), definition=1, unit="\ud800" if n == 7 else "", key=f"k{n}") for n in range(20)),
        return_exceptions=True,
    )
    assert [n for n, answer in enumerate(answers) if not isinstance(answer, Accepted)] == [7]
    assert isinstance(answers[7], UnstorableError)
    assert await commands(house) == 19
    assert await house.store.answers(["k7"]) == {}


async def test_an_unknown_definition_fails_alone(house: House) -> None:
    answers = await asyncio.gather(
        *(house.submit(start(), definition=99 if n == 3 else 1) for n in range(10)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if not isinstance(answer, Accepted)] == [3]
    assert isinstance(answers[3], NoriaError)


# Tenants


async def test_an_instance_of_another_tenant_is_as_good_as_absent(house: House) -> None:
    iid = await house.start()
    answer = await house.submit(c.CompleteTask(await house.token(iid, "work"), "lin"), iid, tenant=2)
    assert isinstance(answer, Rejected)
    assert answer.code == "instance.not_found"
    assert await house.places(iid) == ["work"]


async def test_serial_numbers_of_tenants_are_counted_apart(house: House) -> None:
    await house.deploy(MODEL, tenant=2)
    for tenant, definition in ((1, 1), (2, 2), (1, 1)):
        await house.submit(start(), definition=definition, tenant=tenant, serial=serial(0))
    assert (await house.store.serial(1, "serial-0", "2026")).n == 2
    assert (await house.store.serial(2, "serial-0", "2026")).n == 1


# Serial numbers


async def test_five_hundred_starts_at_once_draw_every_number_once_and_leave_no_gap(house: House) -> None:
    answers = await asyncio.gather(*(house.submit(start(), definition=1, serial=serial(1)) for _ in range(500)))
    rows = await house.store.load([answer.iid for answer in answers])
    assert sorted(row.bkey for row in rows.values()) == [f"CG-2026-{n:06d}" for n in range(1, 501)]


async def test_a_refused_start_uses_up_no_number(house: House) -> None:
    draw = serial(1)
    bad = c.StartInstance("lin", {"id": "lin"}, {"starter": "somebody"})
    answers = await asyncio.gather(
        *(house.submit(bad if n % 3 else start(), definition=1, serial=draw) for n in range(30))
    )
    accepted = [answer.iid for answer in answers if isinstance(answer, Accepted)]
    rows = await house.store.load(accepted)
    assert sorted(row.bkey for row in rows.values()) == [f"CG-2026-{n:06d}" for n in range(1, 11)]


async def test_numbers_count_on_after_a_restart(house: House) -> None:
    await house.submit(start(), definition=1, serial=serial(1))
    await house.down()
    house.clock.instant += 1_000
    await house.up()
    answer = await house.submit(start(), definition=1, serial=serial(1))
    row = (await house.store.load([answer.iid]))[answer.iid]
    assert row.bkey == "CG-2026-000002"


# Owners


async def an_owner(house: House, name: str) -> Runtime:
    """A runtime that owns all shards, as far as it knows."""
    noria = house.noria
    runtime = Runtime(noria.database.store, noria.catalogue, house.clock, noria.facts, name)
    await runtime.start()
    return runtime


async def test_a_second_owner_makes_the_first_ones_commit_be_refused(house: House) -> None:
    first = await an_owner(house, "first")
    started = await first.submit(Request(start(), "lin", definition=1))
    assert isinstance(started, Accepted)
    second = await an_owner(house, "second")
    before = await commands(house)
    with pytest.raises(StaleOwnerError):
        await first.submit(Request(c.CompleteTask(2, "lin"), "lin", iid=started.iid))
    assert await commands(house) == before
    await first.stop()
    await second.stop()


async def test_what_another_owner_wrote_stands_after_the_refusal(house: House) -> None:
    first = await an_owner(house, "first")
    started = await first.submit(Request(start(), "lin", definition=1))
    assert isinstance(started, Accepted)
    second = await an_owner(house, "second")
    done = c.CompleteTask(2, "lin")
    assert isinstance(await second.submit(Request(done, "second", iid=started.iid)), Accepted)
    with pytest.raises(StaleOwnerError):
        await first.submit(Request(done, "first", iid=started.iid))
    assert [row.actor for row in await house.store.journal_of(started.iid)] == ["lin", "second"]
    assert (await house.state(started.iid)).status is Status.COMPLETED
    await first.stop()
    await second.stop()


# The proof


async def test_the_stored_state_is_what_the_journal_gives_byte_for_byte(house: House) -> None:
    iids = [await house.start(amount=n, note="采购") for n in range(5)]
    for iid in iids[:3]:
        await house.complete(iid, "work", amount=0)
    for iid, row in (await house.store.load(iids)).items():
        history = [decode_events(entry.ev) for entry in await house.store.journal_of(iid)]
        assert encode_state(replay(history)) == row.state
    verdict = await verify_audit(DatabaseAudit(house.noria.database))
    assert (verdict.first_bad, verdict.rows, verdict.instances) == ("", 8, 5)


# Ids


async def test_a_clock_that_was_set_back_over_a_restart_repeats_no_id(house: House) -> None:
    first = {await house.start() for _ in range(5)}
    await house.down()
    house.clock.instant -= 1
    await house.up()
    house.clock.instant += 1
    second = {await house.start() for _ in range(5)}
    assert len(first | second) == 10
    assert min(second) >> 22 > max(first) >> 22
