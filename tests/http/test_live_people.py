"""Whoever is connected is told what they have to see now, not what they had to see when they connected."""

from __future__ import annotations

import pytest

from noria.adapters.http import live
from noria.kernel.instants import DAY_MS
from noria.trust.policy import Principal
from noria.trust.substitutes import Substitution
from tests.http.house import PURCHASE, House


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.01)


async def renewed(house: House) -> Principal | None:
    office = house.noria.services.office
    sun = (await office.people.organisation(1)).people["sun"]
    return await office.principal(1, sun) if sun.active else None


async def test_a_new_substitute_is_told_to_look_again_and_of_the_principals_tasks_from_then_on(house: House) -> None:
    lin = await house.sign_in("lin")
    who = await renewed(house)
    assert who is not None
    stream = house.noria.hub.stream(who, None, lambda: renewed(house))
    assert await anext(stream) == "ready"
    assert await anext(stream) == "ping"
    now_ms = house.clock.now_ms()
    await house.noria.people.put_substitution(1, Substitution("s", "wang", "sun", now_ms, now_ms + DAY_MS))
    told = [item async for item in _until(stream, "reset")]
    assert set(told) <= {"ping"}
    await lin.start()
    async for item in stream:
        if isinstance(item, live.Pointer) and item.kind == "task.created":
            break
    await stream.aclose()


async def test_who_is_not_active_any_more_is_told_nothing(house: House) -> None:
    who = await renewed(house)
    assert who is not None
    stream = house.noria.hub.stream(who, None, lambda: renewed(house))
    assert await anext(stream) == "ready"
    he = await house.sign_in("he")
    gone = {"id": "sun", "username": "sun", "name": "孙磊", "active": False}
    assert (await he.send("PUT", "/admin/people/sun", json=gone)).status_code == 200
    assert {item async for item in stream if not isinstance(item, live.Pointer)} <= {"ping"}


async def test_who_comes_back_is_told_the_rest_from_any_pointer_on(house: House) -> None:
    lin = await house.sign_in("lin")
    office, hub = house.noria.services.office, house.noria.hub
    who = await office.principal(1, (await office.people.organisation(1)).people["lin"])
    before = hub.seq
    await lin.start()
    await lin.start()

    async def told(after: int) -> list[live.Pointer]:
        stream = hub.stream(who, after)
        found = [item async for item in _until(stream, "ready") if isinstance(item, live.Pointer)]
        await stream.aclose()
        return found

    pointers = await told(before)
    assert {pointer.kind for pointer in pointers} >= {"task.closed", "instance.changed"}
    assert [pointer.seq for pointer in pointers] == sorted({pointer.seq for pointer in pointers})
    assert before < pointers[0].seq
    assert pointers[-1].seq <= hub.seq
    for at, pointer in enumerate(pointers):
        assert await told(pointer.seq) == pointers[at + 1 :]


async def test_who_has_several_new_notices_is_told_once(house: House) -> None:
    noria = house.noria
    lin = await house.sign_in("lin")
    await noria.projector.stop()
    await noria.following.stop()
    await noria.projector.catch_up()
    await noria.following.look()
    before = noria.hub.seq
    for _ in range(3):
        begun = await lin.start()
        assert (await lin.post(f"/instances/{begun['id']}/urge", {"text": "请尽快"})).status_code == 200
    await noria.projector.catch_up()
    await noria.following.look()
    wang = await noria.services.office.principal(1, (await noria.people.organisation(1)).people["wang"])
    stream = noria.hub.stream(wang, before)
    told = [item async for item in _until(stream, "ready") if isinstance(item, live.Pointer)]
    await stream.aclose()
    assert [item.subject for item in told if item.kind == "notice.created"] == ["wang"]
    notices = (await (await house.sign_in("wang")).get("/notices")).json()["items"]
    assert len(notices) == 3
    assert next(item.at for item in told if item.kind == "notice.created") == max(item["at"] for item in notices)


async def test_a_browser_that_does_not_keep_up_with_a_commit_is_cut_off_and_misses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin, hub = await house.sign_in("lin"), house.noria.hub
    office = house.noria.services.office
    who = await office.principal(1, (await office.people.organisation(1)).people["lin"])
    monkeypatch.setattr(live, "QUEUE_MAX", 2)
    stream = hub.stream(who, None)
    assert await anext(stream) == "ready"
    before = hub.seq
    order = {"type": "start_instance", "process": "purchase", "variables": PURCHASE}
    assert (await lin.post("/commands", {"commands": [order] * 5})).status_code == 200
    assert [item async for item in stream] == []
    again = hub.stream(who, before)
    missed = [item.seq async for item in _until(again, "ready") if isinstance(item, live.Pointer)]
    await again.aclose()
    assert missed[0] == before + 1
    assert missed == sorted(set(missed))
    assert len(missed) >= 2 * 5


async def _until(stream, last):
    async for item in stream:
        if item == last:
            return
        yield item
