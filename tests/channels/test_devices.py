"""Notices on devices, from what waits to what a browser opens, on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from noria.adapters.channels.outside import Outside
from noria.adapters.channels.sealing import new_keys
from noria.adapters.channels.webpush import WebPush
from noria.adapters.database.deliveries import DatabaseDeliveries, delivery_row, put_rows
from noria.adapters.database.devices import DatabaseDevices, people_with_devices
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.people import DatabasePeople
from noria.kernel.instants import HOUR_MS, MINUTE_MS, parse_instant
from noria.operate.channels import ChannelRow, Delivery
from noria.operate.devices import TAKEN_MAX
from noria.operate.preferences import Preference
from noria.operate.sending import RETRY_AFTER_MS, Sender
from noria.trust.people import Person
from tests.channels.browsers import Browser, claims_of
from tests.channels.receivers import LOOPBACK, Receiver, channel, no_link, receiving
from tests.house import MovedClock

NOON_MS = parse_instant("2026-03-02T04:00:00Z")  # 12:00 in Shanghai
NIGHT_MS = parse_instant("2026-03-02T15:00:00Z")  # 23:00
MORNING_MS = parse_instant("2026-03-03T00:00:00Z")  # 08:00
PRIVATE, PUBLIC = new_keys()
SETTINGS = {"contact": "mailto:it@noria.example", "hosts": "127.0.0.1", "public_key": PUBLIC}


class Desk:
    """A sender on a database with the real channel, a clock, and the devices of 王强 and 李娜."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = DatabaseDeliveries(database)
        self.devices = DatabaseDevices(database)
        self.clock = MovedClock(NOON_MS)
        self.outside = Outside(LOOPBACK)
        self.people = DatabasePeople(database, self.clock)
        self.sender = Sender(self.store, self.people, self.clock, self.make, no_link)

    def make(self, row: ChannelRow) -> WebPush:
        return WebPush(row, self.outside, self.devices)

    async def subscribe(self, receiver: Receiver, person: str = "wang", path: str = "/push") -> Browser:
        browser = Browser(receiver.url + path)
        await self.devices.put(browser.device(PUBLIC, person, self.clock.instant))
        return browser

    async def waits(self, seq: int, kind: str = "returned", person: str = "wang") -> None:
        item = Delivery(
            shard=1,
            seq=seq,
            n=0,
            channel="webpush",
            tenant=1,
            person=person,
            people=(person,),
            at=self.clock.instant,
            kind=kind,
            iid=7,
            tok=0,
            params={"title": f"申请{seq}", "reason": "", "by": "李娜"},
            due=self.clock.instant,
        )
        async with self.database.writing() as db:
            await put_rows(db, [delivery_row(item)])

    async def states(self) -> dict[str, int]:
        found = {
            state: (await self.store.listed(1, state, "", 99, 0))[1] for state in ("waiting", "sent", "dead", "dropped")
        }
        return {state: count for state, count in found.items() if count}


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = await open_database(database_url)
    desk = Desk(database)
    people = [Person(key, key, name) for key, name in (("wang", "王强"), ("li", "李娜"))]
    await desk.people.put(1, people, [], NOON_MS)
    await desk.store.put_public_url(1, "https://noria.example")
    await desk.store.put_channel(channel("webpush", settings=SETTINGS, secrets={"private_key": PRIVATE}))
    yield desk
    await desk.outside.close()
    await database.close()


async def test_every_device_of_a_person_is_told_in_the_persons_language_and_nobody_elses(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", Preference(language="en"))
    async with receiving() as service:
        phone, laptop = await desk.subscribe(service, path="/a"), await desk.subscribe(service, path="/b")
        await desk.subscribe(service, "li", "/c")
        await desk.waits(1)
        for _ in range(2):
            await desk.sender.send_due()
    assert {request.line.split()[1] for request in service.requests} == {"/a", "/b"}
    by_path = {request.line.split()[1]: request for request in service.requests}
    for browser, path in ((phone, "/a"), (laptop, "/b")):
        found = browser.opened(by_path[path].body)
        assert (found["title"], found["path"]) == ("Returned: 申请1", "/instances/7")
        assert claims_of(by_path[path], PUBLIC)["aud"] == service.url
    assert await desk.states() == {"sent": 1}
    assert [device.used for device in await desk.devices.of_person(1, "wang")] == [NOON_MS, NOON_MS]


async def test_in_quiet_hours_only_what_is_urgent_comes_and_the_rest_in_the_morning(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", Preference(quiet_from="22:00", quiet_to="08:00"))
    desk.clock.instant = NIGHT_MS
    async with receiving() as service:
        browser = await desk.subscribe(service)
        await desk.waits(1)
        await desk.waits(2, "urged")
        await desk.sender.send_due()
        assert [browser.opened(request.body)["title"] for request in service.requests] == ["催办：申请2"]
        desk.clock.instant = MORNING_MS
        await desk.sender.send_due()
    assert [browser.opened(request.body)["title"] for request in service.requests][1:] == ["已退回：申请1"]


async def test_what_comes_above_the_persons_rate_comes_as_one_digest(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", Preference(per_hour_max=2))
    async with receiving() as service:
        browser = await desk.subscribe(service)
        for seq in range(5):
            await desk.waits(seq)
        await desk.sender.send_due()
        (digest,) = [browser.opened(request.body) for request in service.requests]
        assert (digest["title"], digest["path"]) == ("5 条通知", "/tasks")
        assert digest["body"].splitlines() == [f"已退回：申请{seq}" for seq in range(5)]
        desk.clock.instant += MINUTE_MS
        await desk.waits(9)
        await desk.sender.send_due()
        desk.clock.instant += MINUTE_MS
        await desk.waits(10)
        await desk.sender.send_due()
        assert len(service.requests) == 2
        desk.clock.instant = NOON_MS + HOUR_MS + MINUTE_MS
        await desk.sender.send_due()
    assert browser.opened(service.requests[2].body)["title"] == "已退回：申请10"


async def test_a_push_service_that_is_away_is_tried_again_and_holds_up_nobody_else(desk: Desk) -> None:
    async with receiving() as away, receiving() as there:
        away.status, away.extra = "503 Away", "Retry-After: 600\r\n"
        await desk.subscribe(away, "wang", "/a")
        await desk.subscribe(there, "li", "/b")
        await desk.waits(1, person="wang")
        await desk.waits(2, person="li")
        await desk.sender.send_due()
        assert (len(away.requests), len(there.requests)) == (1, 1)
        assert await desk.states() == {"waiting": 1, "sent": 1}
        desk.clock.instant += RETRY_AFTER_MS[0]
        await desk.sender.send_due()
        assert len(away.requests) == 1  # it asked for ten minutes
        away.status = "201 Created"
        desk.clock.instant = NOON_MS + 600_000
        await desk.sender.send_due()
    assert await desk.states() == {"sent": 2}


async def test_what_nobody_can_be_told_any_more_is_dropped_and_the_device_forgotten(desk: Desk) -> None:
    async with receiving() as service:
        service.status = "410 Gone"
        await desk.subscribe(service)
        await desk.waits(1)
        await desk.sender.send_due()
    assert await desk.states() == {"dropped": 1}
    assert await desk.devices.of_person(1, "wang") == []


async def test_a_refusal_for_ever_is_a_dead_letter_until_it_is_resent(desk: Desk) -> None:
    async with receiving() as service:
        service.status = "403 No"
        await desk.subscribe(service)
        await desk.waits(1)
        await desk.sender.send_due()
        assert await desk.states() == {"dead": 1}
        service.status = "201 Created"
        assert await desk.store.all_again(1, "webpush", desk.clock.instant) == 1
        await desk.sender.send_due()
    assert await desk.states() == {"sent": 1}


async def test_a_browser_that_somebody_else_uses_now_tells_only_them(desk: Desk) -> None:
    async with receiving() as service:
        await desk.subscribe(service, "wang")
        await desk.subscribe(service, "li")
    assert await desk.devices.of_person(1, "wang") == []
    async with desk.database.reading() as db:
        assert await people_with_devices(db, 1, {"wang", "li"}) == {"li"}
        assert await people_with_devices(db, 2, {"li"}) == set()


async def test_only_the_last_messages_of_a_device_are_kept_in_mind(desk: Desk) -> None:
    async with receiving() as service:
        await desk.subscribe(service)
    for number in range(TAKEN_MAX + 5):
        (device,) = await desk.devices.of_person(1, "wang")
        await desk.devices.took(device, f"m{number}", NOON_MS + number)
    (device,) = await desk.devices.of_person(1, "wang")
    assert (device.taken[0], device.taken[-1], len(device.taken)) == ("m5", f"m{TAKEN_MAX + 4}", TAKEN_MAX)
    assert device.used == NOON_MS + TAKEN_MAX + 4
