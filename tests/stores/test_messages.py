"""Messages, signals and calls between instances on each database: once, to the right one, in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.errors import Rejected
from noria.kernel.instants import HOUR_MS
from noria.operate import delivery
from noria.operate.ids import shard_of_key
from noria.operate.office import Caller
from noria.operate.requests import Accepted, Origin
from noria.operate.rows import Commit, OutboxRow, WaitRow
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from tests.house import TENANT, House, eventually
from tests.stores.rows import FIRST_EPOCH

RECEIVER = """
startEvent start
receiveTask payment message=paid correlation="= order"
endEvent end
start -> payment -> end
"""
LATER = """
startEvent start
userTask work assignee=lin
receiveTask payment message=paid correlation="= order"
endEvent end
start -> work -> payment -> end
"""
THROWER = """
startEvent start
userTask work assignee=lin
intermediateThrowEvent tell message=paid correlation="= order"
endEvent end
start -> work -> tell -> end
"""
BY_MESSAGE = """
startEvent start message=paid
userTask work assignee=lin
endEvent end
start -> work -> end
"""
TWICE = """
startEvent start
receiveTask first message=paid correlation="= order"
receiveTask second message=paid correlation="= order"
endEvent end
start -> first -> second -> end
"""
SIGNALLED = """
startEvent start
intermediateCatchEvent alarm signal=fire
userTask work assignee=lin
endEvent end
start -> alarm -> work -> end
"""
CALLER = """
startEvent start
callActivity call called=model1
boundaryEvent stop on=call message=stop correlation="= order"
boundaryEvent failed on=call error=BROKEN
userTask repair assignee=lin
userTask after assignee=lin
endEvent end
start -> call -> after -> end
stop -> end
failed -> repair -> end
"""
ESCALATING = """
startEvent start
intermediateThrowEvent late escalation=LATE
userTask inner assignee=lin
endEvent tired escalation=TIRED
start -> late -> inner -> tired
"""
HEARING = """
startEvent start
callActivity call called=model1
boundaryEvent late on=call escalation=LATE cancel=false
boundaryEvent tired on=call escalation=TIRED
userTask hurry assignee=lin
userTask replace assignee=lin
endEvent end
start -> call -> end
late -> hurry -> end
tired -> replace -> end
"""
PASSING_ON = """
startEvent start
callActivity call called=model2
endEvent end
start -> call -> end
"""
CALLING_LATER = """
startEvent start
userTask work assignee=lin
callActivity call called=model1
endEvent end
start -> work -> call -> end
"""
CALLING_ITSELF = """
startEvent start
callActivity call called=model
endEvent end
start -> call -> end
"""
CALLED = """
startEvent start
userTask inner assignee=lin
exclusiveGateway fine
endEvent done
endEvent broken error=BROKEN
start -> inner -> fine
fine -[result = "broken"]-> broken
fine -default-> done
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    opened = await House.open(database_url)
    yield opened
    await opened.down()


def caller(tenant: int = TENANT) -> Caller:
    person = Person("machine", "machine", "machine")
    return Caller(Principal("machine", tenant, frozenset({Permission.MESSAGES})), person, Origin("api"))


async def publish(
    house: House, order: str, message_id: str, ttl_ms: int = 0, tenant: int = TENANT, **variables: object
) -> str:
    workers = house.noria.services.workers
    return (await workers.publish(caller(tenant), "paid", order, variables, ttl_ms, message_id)).status


async def posts(house: House) -> int:
    return len(await house.store.outbox(1_000))


# Messages


async def test_a_message_reaches_the_subscription_with_its_key_and_no_other(house: House) -> None:
    await house.deploy(RECEIVER)
    one, two = await house.start(order="A1"), await house.start(order="A2")
    assert await publish(house, "A1", "m1", paid=5) == "correlated"
    await house.ends(one)
    assert await house.places(two) == ["payment"]
    assert await posts(house) == 0


async def test_a_message_published_twice_is_delivered_once(house: House) -> None:
    await house.deploy(RECEIVER)
    one, two = await house.start(order="A1"), await house.start(order="A1")
    assert await publish(house, "A1", "m1") == "correlated"
    assert await publish(house, "A1", "m1") == "correlated"
    await house.ends(one)
    assert await house.places(two) == ["payment"]


async def test_a_message_waits_for_its_subscription_as_long_as_it_lives(house: House) -> None:
    await house.deploy(LATER)
    iid = await house.start(order="A1")
    assert await publish(house, "A1", "m1", HOUR_MS) == "waiting"
    house.clock.instant += HOUR_MS - 1
    await house.complete(iid, "work")
    await house.ends(iid)
    assert await posts(house) == 0


async def test_a_waiting_message_outlives_a_restart(house: House) -> None:
    await house.deploy(LATER)
    iid = await house.start(order="A1")
    await publish(house, "A1", "m1", HOUR_MS)
    await house.down()
    await house.up()
    await house.complete(iid, "work")
    await house.ends(iid)


async def test_a_message_that_has_expired_is_not_delivered_and_not_kept(house: House) -> None:
    await house.deploy(LATER)
    iid = await house.start(order="A1")
    await publish(house, "A1", "m1", HOUR_MS)
    house.clock.instant += HOUR_MS
    await house.complete(iid, "work")
    await house.quiet()
    assert await house.places(iid) == ["payment"]
    assert await posts(house) == 0


async def test_a_message_without_time_to_live_is_only_for_those_who_wait_already(house: House) -> None:
    await house.deploy(LATER)
    iid = await house.start(order="A1")
    assert await publish(house, "A1", "m1") == "expired"
    await house.complete(iid, "work")
    await house.quiet()
    assert await house.places(iid) == ["payment"]
    assert await publish(house, "A1", "m2") == "correlated"
    await house.ends(iid)


async def test_a_message_starts_a_process_once_whatever_is_repeated(house: House) -> None:
    await house.deploy(BY_MESSAGE)
    for _ in range(3):
        await publish(house, "A1", "m1")
    rows = await house.store.journal_after({}, 100)
    assert [row.action for row in rows] == ["start_instance"]
    assert await posts(house) == 0


async def test_a_message_that_was_received_starts_nothing_when_its_delivery_is_looked_at_again(house: House) -> None:
    await house.deploy(RECEIVER, BY_MESSAGE)
    iid = await house.start(order="A1")
    await publish(house, "A1", "m1")
    await house.ends(iid)
    await house.down()
    await house.up()
    await house.quiet()
    assert len([row for row in await house.store.journal_after({}, 100) if row.action == "start_instance"]) == 1


async def test_one_message_moves_one_instance_one_step(house: House) -> None:
    await house.deploy(TWICE)
    iid = await house.start(order="A1")
    await publish(house, "A1", "m1", HOUR_MS)
    await house.comes_to(iid, "second")
    await house.down()
    await house.up()
    await house.quiet()
    assert await house.places(iid) == ["second"]
    assert len(await house.events(iid, e.MessageReceived)) == 1


async def test_a_subscription_that_opens_during_a_round_of_delivery_still_gets_its_message(house: House) -> None:
    await house.deploy(LATER)
    iid = await house.start(order="A1")
    later = next(key for key in (f"A{n}" for n in range(2, 99)) if shard_of_key(key) > shard_of_key("A1"))

    class OpensMeanwhile:
        """The store, but while the round looks at the other message, the subscription of the first one opens."""

        def __getattr__(self, name: str) -> object:
            return getattr(house.store, name)

        async def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
            if corr == later and await house.places(iid) == ["work"]:
                await house.complete(iid, "work")
            return await house.store.find_waits(tenant, signal, name, corr, limit)

    assert await publish(house, "A1", "m1", HOUR_MS) == "waiting"
    house.noria.delivery._store = OpensMeanwhile()
    await publish(house, later, "m2", HOUR_MS)
    await house.ends(iid)


async def test_a_message_that_found_nobody_while_an_instance_was_being_resumed_still_reaches_it(house: House) -> None:
    await house.deploy(RECEIVER)
    iid = await house.start(order="A1")
    await house.submit(c.SuspendInstance("he", "an audit"), iid)

    class ResumedMeanwhile:
        """The store, but what it finds is overtaken by the end of a suspension."""

        def __getattr__(self, name: str) -> object:
            return getattr(house.store, name)

        async def find_waits(self, tenant: int, signal: bool, name: str, corr: str, limit: int) -> list[WaitRow]:
            found = await house.store.find_waits(tenant, signal, name, corr, limit)
            if (await house.state(iid)).suspended:
                await house.submit(c.ResumeInstance("he", "it is over"), iid)
            return found

    house.noria.delivery._store = ResumedMeanwhile()
    await publish(house, "A1", "m1", HOUR_MS)
    await house.ends(iid)


async def test_a_message_thrown_by_an_instance_reaches_the_one_that_waits(house: House) -> None:
    await house.deploy(THROWER, RECEIVER)
    receiver, thrower = await house.start("model1", order="A1"), await house.start(order="A1")
    await house.complete(thrower, "work", amount=5)
    await house.ends(receiver)
    received = (await house.state(receiver)).scopes[0].variables
    assert received["amount"] == 5


async def test_a_message_of_one_tenant_never_reaches_another(house: House) -> None:
    await house.deploy(RECEIVER)
    iid = await house.start(order="A1")
    assert await publish(house, "A1", "m1", HOUR_MS, tenant=2) == "waiting"
    assert await house.places(iid) == ["payment"]
    assert await publish(house, "A1", "m1") == "correlated"
    await house.ends(iid)


async def test_a_post_that_cannot_be_read_holds_up_nothing_behind_it(house: House) -> None:
    await house.deploy(RECEIVER)
    iid = await house.start(order="A1")
    await house.store.put_outbox(
        OutboxRow(0, 1, TENANT, "message", "paid", "A1", b"\xc1", house.clock.instant + 1), FIRST_EPOCH
    )
    assert await publish(house, "A1", "m1") == "correlated"
    await house.ends(iid)


# Signals


async def test_a_signal_reaches_everybody_who_waits_and_nobody_twice(house: House) -> None:
    await house.deploy(SIGNALLED)
    iids = [await house.start() for _ in range(5)]
    workers = house.noria.services.workers
    for _ in range(2):
        await workers.broadcast(caller(), "fire", {}, "s1")
    for iid in iids:
        await house.comes_to(iid, "work")
        assert len(await house.events(iid, e.MessageReceived)) == 1
    late = await house.start()
    await house.quiet()
    assert await house.places(late) == ["alarm"]
    assert await posts(house) == 0


# Calls


async def called(house: House, iid: int) -> int:
    async def child() -> int | None:
        return await house.store.called(iid, await house.token(iid, "call"))

    return await eventually(child)


async def test_a_called_instance_answers_its_caller(house: House) -> None:
    await house.deploy(CALLER, CALLED)
    iid = await house.start(order="A1", amount=3)
    child = await called(house, iid)
    assert (await house.state(child)).scopes[0].variables["amount"] == 3
    await house.complete(child, "inner", result="fine")
    await house.comes_to(iid, "after")
    assert await posts(house) == 0


async def test_a_call_goes_on_after_a_restart_on_either_side_of_it(house: House) -> None:
    await house.deploy(CALLER, CALLED)
    iid = await house.start(order="A1")
    await house.down()
    await house.up()
    child = await called(house, iid)
    await house.complete(child, "inner", result="fine")
    await house.down()
    await house.up()
    await house.comes_to(iid, "after")
    starts = [row for row in await house.store.journal_after({}, 100) if row.action == "start_instance"]
    assert len(starts) == 2


async def test_a_call_is_made_when_its_row_is_seen_before_memory_follows_the_commit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.deploy(CALLING_LATER, CALLED)
    iid = await house.start()
    store, seen = house.store, asyncio.Event()
    read, write = store.outbox, store.commit

    async def outbox(*where: object) -> list[OutboxRow]:
        rows = await read(*where)
        if rows:
            seen.set()
        return rows

    async def commit(what: Commit) -> None:
        await write(what)
        house.noria.delivery.nudge()
        await seen.wait()
        for _ in range(20):
            await asyncio.sleep(0)

    monkeypatch.setattr(store, "outbox", outbox)
    monkeypatch.setattr(store, "commit", commit)
    await house.complete(iid, "work")
    child = await called(house, iid)
    assert await house.places(child) == ["inner"]


async def test_an_error_of_the_called_instance_is_caught_by_its_caller(house: House) -> None:
    await house.deploy(CALLER, CALLED)
    iid = await house.start(order="A1")
    child = await called(house, iid)
    await house.complete(child, "inner", result="broken")
    await house.comes_to(iid, "repair")
    assert (await house.state(child)).status.name == "FAILED"


async def test_an_escalation_of_the_called_instance_is_caught_by_its_caller_before_its_answer(house: House) -> None:
    await house.deploy(HEARING, ESCALATING)
    iid = await house.start()
    child = await called(house, iid)
    await house.comes_to(iid, "call", "hurry")
    await house.complete(child, "inner")
    await house.comes_to(iid, "hurry", "replace")
    await house.ends(child)


async def test_an_escalation_goes_up_through_callers_that_do_not_catch_it(house: House) -> None:
    await house.deploy(HEARING, PASSING_ON, ESCALATING)
    iid = await house.start()
    await house.comes_to(iid, "call", "hurry")
    await house.quiet()
    assert await posts(house) == 0


async def test_a_call_that_is_no_longer_wanted_ends_the_called_instance(house: House) -> None:
    await house.deploy(CALLER, CALLED)
    iid = await house.start(order="A1")
    child = await called(house, iid)
    workers = house.noria.services.workers
    await workers.publish(caller(), "stop", "A1", {}, 0, "m1")
    await house.ends(iid)
    await house.ends(child, "TERMINATED")
    await house.quiet()
    assert await posts(house) == 0


async def test_cancelling_the_caller_ends_the_called_instance(house: House) -> None:
    await house.deploy(CALLER, CALLED)
    iid = await house.start(order="A1")
    child = await called(house, iid)
    assert isinstance(await house.submit(c.CancelInstance("he", "not needed"), iid), Accepted)
    await house.ends(child, "TERMINATED")


async def test_a_caller_whose_called_instance_was_ended_by_a_person_does_not_wait_for_ever(house: House) -> None:
    await house.deploy(CALLER, CALLED)
    iid = await house.start(order="A1")
    child = await called(house, iid)
    assert not isinstance(await house.submit(c.CancelInstance("he", "not needed"), child), Rejected)

    async def incident() -> list[str]:
        return [incident.code + ": " + incident.message for incident in (await house.state(iid)).incidents.values()]

    assert "call.terminated" in str(await eventually(incident))


async def test_calling_a_process_that_is_not_there_is_an_incident_of_the_caller(house: House) -> None:
    await house.deploy(CALLER)
    iid = await house.start(order="A1")

    async def incident() -> bool:
        return bool((await house.state(iid)).incidents)

    await eventually(incident)


async def test_a_process_that_calls_itself_for_ever_is_stopped_at_a_depth(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CALL_DEPTH_MAX", 3)
    await house.deploy(CALLING_ITSELF)
    iid = await house.start(order="A1")

    async def incident() -> list[str]:
        return [incident.message for incident in (await house.state(iid)).incidents.values()]

    # It goes up as an error does, which nobody on the way catches.
    assert "'call.too_deep': 'model' would be called 4 deep" in str(await eventually(incident))
