"""Several processes on one PostgreSQL: whoever is asked, the owner does it, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import msgspec
import pytest

from noria.adapters.cluster.links import TcpLinks
from noria.adapters.http.app import create_app
from noria.bootstrap import TENANT
from noria.engine import commands as c
from noria.engine import events as e
from noria.kernel.errors import NoriaError
from noria.kernel.instants import HOUR_MS, MINUTE_MS
from noria.operate.ids import shard_of
from noria.operate.leases import Member
from noria.operate.office import Caller
from noria.operate.ports import NoAnswerError, NotOwnerError, StaleOwnerError
from noria.operate.reading import InstanceBox, InstanceStatus, Search, TaskBox, TaskSort
from noria.operate.requests import Accepted, Origin, Request
from noria.operate.rows import SHARDS, Commit
from noria.operate.terms import Term
from noria.operate.together import OnTask, Start
from noria.operate.views import InstanceBrief
from noria.operate.wishes import Wish
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from tests.cluster.fleet import SHORT_MS, Fleet, Ship, refused
from tests.house import eventually, serial

A_MINUTE = 60_000
"""A lease that does not run out during a test: what happens, happens for another reason."""

MODEL = """
startEvent start
userTask work assignee=lin
endEvent end
start -> work -> end
"""
SHOP = Caller(
    Principal("shop", TENANT, frozenset({Permission.MESSAGES, Permission.JOBS})),
    Person("shop", "shop", "shop"),
    Origin("api"),
)
Make = Callable[..., Fleet]


async def journal(ship: Ship) -> int:
    return len(await ship.noria.database.store.journal_after({}, 100_000))


async def several(a_fleet: Make, *models: str, count: int = 2, **given: object) -> tuple[Fleet, list[Ship]]:
    fleet = a_fleet(**given)
    (first,) = await fleet.add()
    await first.deploy(*(models or (MODEL,)))
    await fleet.add(count - 1)
    return fleet, fleet.ships


async def spread(ships: list[Ship], count: int = 24, **given: object) -> list[int]:
    """Instances that lie in shards of all processes."""
    iids = [await ships[number % len(ships)].start_one(**given) for number in range(count)]
    assert all(any(shard_of(iid) in ship.owned for iid in iids) for ship in ships)
    return iids


# Shares


async def test_the_shards_are_shared_out_evenly_as_processes_come_and_go(a_fleet: Make) -> None:
    fleet = a_fleet(lease_ms=A_MINUTE)
    (first,) = await fleet.add()
    assert len(first.owned) == SHARDS
    await fleet.add(2)
    assert sorted(len(ship.owned) for ship in fleet.ships) == [20, 22, 22]
    await fleet.stop(fleet.ships[1])
    await fleet.shared_out()
    assert [len(ship.owned) for ship in fleet.ships] == [32, 32]


async def test_a_process_that_stops_hands_its_shards_over_at_once(a_fleet: Make) -> None:
    fleet, ships = await several(a_fleet, count=3, lease_ms=A_MINUTE)
    iids = await spread(ships)
    await fleet.stop(ships[0])
    await fleet.shared_out()
    answers = await asyncio.gather(*(fleet.ships[0].complete(iid, "work") for iid in iids))
    assert all(isinstance(answer, Accepted) for answer in answers)


async def test_the_shards_of_a_process_that_died_on_the_same_machine_are_taken_over_before_its_lease_ends(
    a_fleet: Make,
) -> None:
    fleet, ships = await several(a_fleet, count=3, lease_ms=A_MINUTE)
    iids = await spread(ships)
    await fleet.kill(ships[0])
    await fleet.shared_out()
    answers = await asyncio.gather(*(fleet.ships[0].complete(iid, "work") for iid in iids))
    assert all(isinstance(answer, Accepted) for answer in answers)


async def test_a_shard_that_was_given_up_and_comes_back_is_known_as_it_is_by_then(a_fleet: Make) -> None:
    fleet = a_fleet(lease_ms=A_MINUTE)
    (first,) = await fleet.add()
    await first.deploy(MODEL.replace("work -> end", "work -> check -> end") + "userTask check assignee=lin")
    # In one commit, the last that the first process makes for a while.
    iids = await asyncio.gather(*(first.start_one() for _ in range(40)))
    (second,) = await fleet.add()
    moved = [iid for iid in iids if shard_of(iid) in second.owned]
    assert moved
    assert all([isinstance(await second.complete(iid, "work"), Accepted) for iid in moved])
    await fleet.stop(second)
    await fleet.shared_out()
    assert [await first.places(iid) for iid in moved] == [["check"]] * len(moved)
    assert all([isinstance(await first.complete(iid, "check"), Accepted) for iid in moved])


async def test_what_is_on_its_way_is_finished_before_a_shard_is_handed_over(a_fleet: Make) -> None:
    fleet = a_fleet(lease_ms=A_MINUTE)
    (first,) = await fleet.add()
    await first.deploy(MODEL)
    iids = [await first.start_one() for _ in range(20)]
    done = [asyncio.ensure_future(first.complete(iid, "work", key=f"k{iid}")) for iid in iids]
    joining = asyncio.ensure_future(fleet.add(2))
    more = [await fleet.ships[0].start_one(key=f"more{number}") for number in range(100)]
    assert all(isinstance(answer, Accepted) for answer in await asyncio.gather(*done))
    await joining
    assert len(set(more)) == 100
    assert await journal(first) == 20 + 20 + 100


# Commands


async def test_a_command_is_done_whichever_process_is_asked(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    for number, iid in enumerate(await spread(ships)):
        assert isinstance(await ships[number // 3 % len(ships)].complete(iid, "work"), Accepted)
        assert [await ship.places(iid) for ship in ships] == [[]] * len(ships)


async def test_commands_that_come_together_are_done_whichever_process_is_asked(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    first, second = (ship.noria for ship in ships)
    lin = Person("lin", "lin", "林")
    await first.people.put(TENANT, [lin], [], first.clock.now_ms())
    caller = Caller(Principal("lin", TENANT, frozenset({Permission.START, Permission.WORK})), lin, Origin("api"))
    starts = [Start(msgspec.structs.replace(caller, key=f"k{number}"), "model", {}, "") for number in range(24)]
    begun = [told.id for told in await first.services.together.run(starts) if isinstance(told, InstanceBrief)]
    assert len(begun) == len(starts)
    assert all(any(shard_of(int(iid)) in ship.owned for iid in begun) for ship in ships)
    held = [await first.runtime.instance(int(iid)) for iid in begun]
    tasks = [f"{one.row.iid}-{token}" for one in held if one is not None for token in one.state.tasks]
    wish = Wish(verb="complete")
    done = await second.services.together.run([OnTask(caller, task, wish) for task in [*tasks, tasks[0]]])
    assert [told.status for told in done if isinstance(told, InstanceBrief)] == ["completed"] * len(starts)
    assert [told.code for told in done if isinstance(told, NoriaError)] in (["refused"], ["task.not_open"])


async def test_a_repeated_key_gives_the_first_answer_at_every_process(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    for number in range(20):
        answers = await asyncio.gather(
            *(ship.submit(c.StartInstance("lin", {"id": "lin"}), definition=1, key=f"k{number}") for ship in ships * 2)
        )
        assert len({answer.iid for answer in answers}) == 1
        assert sum(not answer.repeated for answer in answers) == 1
    assert await journal(ships[0]) == 20


async def test_serial_numbers_that_are_drawn_at_all_processes_at_once_leave_no_gap(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    iids = await asyncio.gather(*(ship.start_one(serial=serial(1)) for ship in ships * 60))
    rows = await ships[0].noria.database.store.load(list(iids))
    assert sorted(row.bkey for row in rows.values()) == [f"CG-2026-{n:06d}" for n in range(1, 121)]


async def test_a_refusal_comes_back_from_the_owner_as_it_is(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    iid = await ships[0].start_one()
    answers = [await ship.submit(c.CompleteTask(99, "lin"), iid) for ship in ships]
    assert {refused(answer) for answer in answers} == {"task.not_open"}


async def test_an_instance_that_there_cannot_be_is_not_found(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    for iid in (7, 900 << 12, (1 << 40) + 3):
        answers = [await ship.submit(c.CompleteTask(1, "lin"), iid) for ship in ships]
        assert {refused(answer) for answer in answers} == {"instance.not_found"}


# Hanging


async def test_the_late_commit_of_a_process_that_hung_is_refused_and_its_callers_are_answered_by_the_new_owner(
    a_fleet: Make,
) -> None:
    fleet, ships = await several(a_fleet, count=3, lease_ms=SHORT_MS)
    iids = await spread(ships)
    hung, others = ships[0], ships[1:]
    own = [iid for iid in iids if shard_of(iid) in hung.owned]
    held = {iid: await hung.noria.runtime.instance(iid) for iid in own}
    refusals = record_refusals(hung)
    hung.hang()
    # Without keys nothing is looked up first: they are decided from memory, and hang in their commit.
    late = [asyncio.ensure_future(hung.submit(c.CompleteTask(2, "lin"), iid)) for iid in own]
    await fleet.shared_out(*others)
    first = [await others[0].submit(c.CompleteTask(2, "lin"), iid) for iid in own]
    assert all(isinstance(answer, Accepted) for answer in first)
    assert [future for future in late if future.done()] == []
    hung.wake()
    assert {refused(answer) for answer in await asyncio.gather(*late)} == {"instance.ended"}
    assert refusals
    now = {iid: await hung.noria.runtime.instance(iid) for iid in own}
    assert [(held[iid].row.ver, now[iid].row.ver) for iid in own] == [(1, 2)] * len(own), "its memory was dropped"
    rows = [row for iid in own for row in await hung.noria.database.store.journal_of(iid)]
    assert [row.ver for row in rows] == [1, 2] * len(own)
    await fleet.shared_out()


def record_refusals(ship: Ship) -> list[StaleOwnerError]:
    """What the fence refuses of a process from now on."""
    store, refusals = ship.noria.database.store, []
    write = store.commit

    async def commit(what: Commit) -> None:
        try:
            await write(what)
        except StaleOwnerError as error:
            refusals.append(error)
            raise

    store.commit = commit
    return refusals


async def test_who_asked_a_process_that_hung_gets_the_answer_that_the_new_owner_gave(a_fleet: Make) -> None:
    fleet, ships = await several(a_fleet, count=3, lease_ms=SHORT_MS)
    iids = await spread(ships)
    hung, others = ships[0], ships[1:]
    own = [iid for iid in iids if shard_of(iid) in hung.owned]
    hung.hang()
    late = [asyncio.ensure_future(hung.submit(c.CompleteTask(2, "lin"), iid, key=f"k{iid}")) for iid in own]
    await fleet.shared_out(*others)
    for iid in own:
        assert isinstance(await others[0].submit(c.CompleteTask(2, "lin"), iid, key=f"k{iid}"), Accepted)
    hung.wake()
    assert await asyncio.gather(*late) == [Accepted(iid, 2, repeated=True) for iid in own]
    await fleet.shared_out()


async def test_a_command_for_a_process_that_hangs_is_done_by_the_next_owner(a_fleet: Make) -> None:
    fleet, ships = await several(a_fleet, count=3, lease_ms=SHORT_MS)
    iids = await spread(ships)
    hung, others = ships[0], ships[1:]
    own = [iid for iid in iids if shard_of(iid) in hung.owned]
    hung.hang()
    answers = await asyncio.gather(*(others[0].complete(iid, "work", key=f"k{iid}") for iid in own))
    assert all(isinstance(answer, Accepted) for answer in answers)
    hung.wake()
    await fleet.shared_out()
    assert [len(await others[0].noria.database.store.journal_of(iid)) for iid in own] == [2] * len(own)


async def test_without_an_owner_the_caller_is_told_to_come_back(a_fleet: Make) -> None:
    fleet, ships = await several(a_fleet, lease_ms=A_MINUTE)
    iid = await ships[0].start_one()
    owner = await fleet.owner_of(shard_of(iid))
    asked = next(ship for ship in ships if ship is not owner)
    asked.noria.cluster.neighbours._patience_ms = 300
    # Its door is shut, and as far as the others know it may live on another machine.
    await owner.noria.cluster._door.close()
    for ship in ships:
        leases = ship.noria.cluster.leases
        leases._is_dead = _never
    with pytest.raises(NotOwnerError):
        await asked.complete(iid, "work")
    transport = httpx.ASGITransport(create_app(asked.noria.services))
    made = await asked.noria.first_administrator()
    assert made is not None
    await asked.noria.services.accounts.set_password(TENANT, "admin", "rolling-wheels-3", asked.noria.clock.now_ms())
    async with httpx.AsyncClient(transport=transport, base_url="http://noria") as client:
        signed = await client.post("/api/session", json={"username": "admin", "password": "rolling-wheels-3"})
        head = {"X-CSRF-Token": signed.json()["csrf_token"]}
        told = await client.post(f"/api/instances/{iid}/cancel", json={"reason": "no"}, headers=head)
    assert (told.status_code, told.json()["code"]) == (503, "cluster.no_owner")
    assert int(told.headers["Retry-After"]) >= 1


async def test_who_waits_for_an_owner_at_a_process_that_stops_is_answered(a_fleet: Make) -> None:
    (ship,) = await a_fleet(lease_ms=A_MINUTE).add()
    leases = ship.noria.cluster.leases
    ship.hang()
    waiting = asyncio.create_task(leases.look())
    stopping = asyncio.create_task(leases.stop())
    # As far as both come without the database.
    await asyncio.wait([waiting, stopping], timeout=0.05)
    assert not waiting.done()
    ship.wake()
    await waiting
    await stopping


async def _never(_member: object) -> bool:
    return False


# Timers, jobs, messages, signals, calls


async def test_each_timer_fires_once(a_fleet: Make) -> None:
    model = "startEvent start\nintermediateCatchEvent pause timer=PT1H\nendEvent end\nstart -> pause -> end"
    fleet, ships = await several(a_fleet, model)
    iids = await spread(ships)
    fleet.clock.instant += HOUR_MS + 1

    async def ended() -> bool:
        return [await ships[0].places(iid) for iid in iids] == [[]] * len(iids)

    await eventually(ended)
    rows = [row for iid in iids for row in await ships[0].noria.database.store.journal_of(iid)]
    fired = [event for row in rows for event in e.decode_events(row.ev) if isinstance(event, e.TimerFired)]
    assert len(fired) == len(iids)


async def test_a_timer_start_is_made_once(a_fleet: Make) -> None:
    model = "startEvent start cycle=R3/PT1M\nuserTask work assignee=lin\nendEvent end\nstart -> work -> end"
    fleet, ships = await several(a_fleet, model)

    async def all_made() -> bool:
        fleet.clock.instant += MINUTE_MS
        return await journal(ships[0]) >= 3

    await eventually(all_made)
    for _ in range(20):
        fleet.clock.instant += MINUTE_MS
        await asyncio.sleep(0.01)
    assert await journal(ships[0]) == 3


async def test_a_job_that_is_fetched_at_one_process_may_be_completed_at_another(a_fleet: Make) -> None:
    model = "startEvent start\nserviceTask order topic=order\nendEvent end\nstart -> order -> end"
    _, ships = await several(a_fleet, model)
    iids = await spread(ships)
    fetched = []
    for number in range(len(iids)):
        workers = ships[number % len(ships)].noria.services.workers
        fetched += (await workers.fetch_and_lock(SHOP, "w", ["order"], 1, 60_000)).items
    assert sorted(int(job.instance_id) for job in fetched) == sorted(iids)
    for number, job in enumerate(fetched):
        workers = ships[number // 5 % len(ships)].noria.services.workers
        await workers.complete(TENANT, job.id, job.lease_token, {}, "w", Origin("worker"))
    assert [await ships[1].places(iid) for iid in iids] == [[]] * len(iids)


PAID = """
startEvent start
userTask work assignee=lin
receiveTask paid message=paid correlation="= business_key"
endEvent end
start -> work -> paid -> end
"""


async def test_a_message_is_correlated_whichever_process_it_comes_to(a_fleet: Make) -> None:
    _, ships = await several(a_fleet, PAID)
    iids = [await ships[n % len(ships)].start_one(business_key=f"B{n}") for n in range(15)]
    for iid in iids:
        await ships[0].complete(iid, "work")
    for number, iid in enumerate(iids):
        workers = ships[number // 3 % len(ships)].noria.services.workers
        answer = await workers.publish(SHOP, "paid", f"B{number}", {}, 0, f"m{number}")
        assert answer.status == "correlated"
        assert await ships[1].places(iid) == []


async def test_a_message_that_waits_at_one_process_finds_the_subscription_that_opens_at_another(a_fleet: Make) -> None:
    _, ships = await several(a_fleet, PAID)
    iids = [await ships[n % len(ships)].start_one(business_key=f"B{n}") for n in range(15)]
    for number in range(15):
        workers = ships[number // 3 % len(ships)].noria.services.workers
        answer = await workers.publish(SHOP, "paid", f"B{number}", {}, HOUR_MS, f"m{number}")
        assert answer.status == "waiting"
    for iid in iids:
        await ships[-1].complete(iid, "work")

    async def all_ended() -> bool:
        return [await ships[0].places(iid) for iid in iids] == [[]] * len(iids)

    await eventually(all_ended)


async def test_a_signal_reaches_instances_of_all_processes_once(a_fleet: Make) -> None:
    model = MODEL.replace("start -> work", "intermediateCatchEvent go signal=go\nstart -> go -> work")
    _, ships = await several(a_fleet, model)
    iids = await spread(ships)
    await ships[1].noria.services.workers.broadcast(SHOP, "go", {}, "s1")

    async def all_gone_on() -> bool:
        return [await ships[0].places(iid) for iid in iids] == [["work"]] * len(iids)

    await eventually(all_gone_on)
    assert [len(await ships[0].noria.database.store.journal_of(iid)) for iid in iids] == [2] * len(iids)


async def test_calls_go_to_any_process_and_their_answers_come_back(a_fleet: Make) -> None:
    calling = "startEvent start\ncallActivity call called=model1\nendEvent end\nstart -> call -> end"
    called = 'startEvent start\nscriptTask one script="= 1" resultVariable=x\nendEvent end\nstart -> one -> end'
    _, ships = await several(a_fleet, calling, called)
    iids = await spread(ships)

    async def all_ended() -> bool:
        return [await ships[0].places(iid) for iid in iids] == [[]] * len(iids)

    await eventually(all_ended)
    rows = await ships[0].noria.database.store.journal_after({}, 10_000)
    started = [row for row in rows if row.action == "start_instance"]
    assert len(started) == 2 * len(iids)


# What one process does, the others see


async def test_a_browser_at_one_process_sees_what_happens_at_another(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    lin = Principal("lin", TENANT, frozenset())
    streams = [ship.noria.hub.stream(lin, None) for ship in ships]
    for stream in streams:
        assert await anext(stream) == "ready"
    iid = await ships[0].start_one()
    for stream in streams:
        kinds: set[tuple[str, str]] = set()
        while {("task.created", f"{iid}-2"), ("instance.changed", str(iid))} - kinds:
            item = await asyncio.wait_for(anext(stream), 10)
            kinds.add((item.kind, item.subject))


async def test_a_position_of_another_process_makes_a_browser_start_afresh(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    lin = Principal("lin", TENANT, frozenset())
    await ships[0].start_one()
    stream = ships[1].noria.hub.stream(lin, ships[0].noria.hub.seq)
    assert await anext(stream) == "reset"


async def test_notices_and_figures_are_announced_at_every_process(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    boss = Principal("lin", TENANT, frozenset({Permission.BOARD}))
    streams = [ship.noria.hub.stream(boss, None) for ship in ships]
    for stream in streams:
        await anext(stream)
    await ships[0].noria.people.put(TENANT, [Person("lin", "lin", "林")], [], ships[0].noria.clock.now_ms())
    iid = await ships[0].start_one()
    await ships[1].complete(iid, "work")
    for stream in streams:
        kinds: set[str] = set()
        while {"board.changed", "notice.created"} - kinds:
            kinds.add((await asyncio.wait_for(anext(stream), 10)).kind)


async def test_what_was_just_done_copied_or_started_is_in_the_next_answer_of_every_process(a_fleet: Make) -> None:
    _, ships = await several(a_fleet, count=3)
    people = [Person(key, key, name, roles=("employee",)) for key, name in (("lin", "林晓"), ("li", "李娜"))]
    await ships[0].noria.people.put(TENANT, people, [], ships[0].noria.clock.now_ms())
    callers = {person.id: Principal(person.id, TENANT, frozenset({Permission.WORK})) for person in people}
    for number in range(12):
        one, two, three = (ships[(number + n) % 3] for n in range(3))
        iid = await one.start_one(business_key=f"CG-2026-{number:06d}")
        search = Search(((Term(f"^{number:04d}"),),))
        asked = {"definitions": None, "limit": 50, "offset": 0}
        found, _ = await two.noria.services.office.lists.instances(
            callers["lin"], InstanceBox.ALL, status=InstanceStatus.ALL, search=search, **asked
        )
        assert iid in {row.iid for row in found}
        await two.complete(iid, "work")
        done, total = await three.noria.services.office.lists.tasks(
            callers["lin"], TaskBox.DONE, search=None, sort=TaskSort.CREATED, **asked
        )
        assert iid in {row.iid for row in done}
        assert total == number + 1
        await three.submit(c.SendCopy("lin", ("li",), ""), iid)
        copied, total = await one.noria.services.office.lists.instances(
            callers["li"], InstanceBox.COPIED, status=InstanceStatus.ALL, search=None, **asked
        )
        assert iid in {row.iid for row in copied}
        assert total == number + 1


async def test_a_deployment_is_in_force_at_every_process(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    await ships[-1].deploy(MODEL, MODEL)

    async def seen() -> bool:
        return all((ship.noria.catalogue.find(TENANT, "model1")) is not None for ship in ships)

    await eventually(seen)
    assert [ship.noria.catalogue.find(TENANT, "model").version for ship in ships] == [2] * len(ships)
    iid = await ships[0].start_one("model1")
    assert await ships[1].places(iid) == ["work"]


async def test_versions_that_are_deployed_at_once_at_all_processes_count_on(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    await asyncio.gather(*(ship.deploy(MODEL) for ship in ships))
    rows = await ships[0].noria.catalogue_store.definitions()
    assert [row.version for row in rows] == [1, 2, 3]


async def test_people_that_are_changed_at_one_process_are_changed_at_all(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    for ship in ships:
        assert not (await ship.noria.people.organisation(TENANT)).people
    await ships[0].noria.people.put(TENANT, [Person("lin", "lin", "林")], [], ships[0].noria.clock.now_ms())

    async def known() -> bool:
        return all(["lin" in (await ship.noria.people.organisation(TENANT)).people for ship in ships])

    await eventually(known)


# The way between them


async def test_who_does_not_know_the_secret_is_turned_away(a_fleet: Make) -> None:
    fleet = a_fleet()
    (ship,) = await fleet.add()
    host, _, port = ship.noria.cluster.leases.member.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await reader.readexactly(32)
    writer.write(bytes(32) + bytes(32))
    proof_then_end = await asyncio.wait_for(reader.read(), 10)
    assert len(proof_then_end) == 32, "the door proves itself, and hangs up"
    writer.close()


async def test_who_waits_for_a_way_that_is_closed_before_it_is_open_is_told_that_nothing_was_done() -> None:
    called, hang_up = asyncio.Event(), asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await hang_up.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    links = TcpLinks(bytes(32), lost=list)
    owner = Member("other", f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    waiting = asyncio.create_task(links.submit(owner, Request(c.CompleteTask(2, "lin"), "lin", iid=1)))
    await called.wait()
    closing = asyncio.create_task(links.close())
    await asyncio.wait([waiting, closing], timeout=0.05)
    hang_up.set()
    with pytest.raises(NotOwnerError):
        await waiting
    await closing
    server.close()


async def test_an_error_of_the_owner_comes_back_as_what_it_is(a_fleet: Make) -> None:
    _, ships = await several(a_fleet)
    answers = await asyncio.gather(
        *(
            ship.submit(c.StartInstance("lin", {"id": "lin"}), definition=99, key=f"k{n}")
            for n in range(4)
            for ship in ships
        ),
        return_exceptions=True,
    )
    assert {type(answer).__name__ for answer in answers} == {"UnknownDefinitionError"}
    assert all(isinstance(answer, NoriaError) and not isinstance(answer, NoAnswerError) for answer in answers)
