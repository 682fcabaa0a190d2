"""What waits is sent at least once, on each database: with pauses, digests, quiet hours and an end that is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from noria.adapters.database.deliveries import DatabaseDeliveries, delivery_row, put_rows
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.people import DatabasePeople
from noria.kernel.instants import HOUR_MS, MINUTE_MS, parse_instant
from noria.operate.channels import ChannelRow, Delivery, Message, UndeliveredError
from noria.operate.preferences import Preference
from noria.operate.sending import ATTEMPTS_MAX, RETRY_AFTER_MS, Sender
from noria.trust.people import Person
from tests.channels.receivers import channel, no_link
from tests.house import MovedClock, eventually

NOON_MS = parse_instant("2026-03-02T04:00:00Z")  # 12:00 in Shanghai
NIGHT_MS = parse_instant("2026-03-02T15:00:00Z")  # 23:00
MORNING_MS = parse_instant("2026-03-03T00:00:00Z")  # 08:00
QUIET = Preference(quiet_from="22:00", quiet_to="08:00")


class Recorder:
    """A channel that keeps what it is given, and fails as it is told.

    Attributes:
        sent: messages that it took.
        failures: what it raises instead, one after the other.
        hang: what it waits for first.
    """

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.tried = 0
        self.failures: list[UndeliveredError] = []
        self.hang: asyncio.Event | None = None
        self.at_work = asyncio.Event()

    async def send(self, message: Message, _now_ms: int) -> None:
        self.tried += 1
        self.at_work.set()
        if self.hang is not None:
            await self.hang.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)


class Desk:
    """A sender on a database, a clock, and what stands at the other ends."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = DatabaseDeliveries(database)
        self.clock = MovedClock(NOON_MS)
        self.people = DatabasePeople(database, self.clock)
        self.ends: dict[str, Recorder] = {}
        self.sender = self.another()

    def another(self) -> Sender:
        return Sender(self.store, self.people, self.clock, self.make, no_link)

    def make(self, row: ChannelRow) -> Recorder:
        return self.end(row.id)

    def end(self, channel_id: str) -> Recorder:
        return self.ends.setdefault(channel_id, Recorder())

    async def waits(self, seq: int, channel_id: str = "email", person: str = "wang", **given: object) -> Delivery:
        values: dict[str, object] = {
            "people": (person or "wang",),
            "kind": "returned",
            "params": {"title": f"申请{seq}", "reason": "", "by": "李娜"},
            "tok": 0,
        }
        item = Delivery(
            shard=1,
            seq=seq,
            n=0,
            channel=channel_id,
            tenant=1,
            person=person,
            at=self.clock.instant,
            iid=7,
            due=self.clock.instant,
            **{**values, **given},  # type: ignore[arg-type]
        )
        async with self.database.writing() as db:
            await put_rows(db, [delivery_row(item)])
        return item

    async def states(self) -> dict[str, int]:
        found = {
            state: (await self.store.listed(1, state, "", 99, 0))[1] for state in ("waiting", "sent", "dead", "dropped")
        }
        return {state: count for state, count in found.items() if count}


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    database = await open_database(database_url)
    desk = Desk(database)
    people = [Person(key, key, name, email=f"{key}@example.com") for key, name in (("wang", "王强"), ("li", "李娜"))]
    await desk.people.put(1, people, [], NOON_MS)
    await desk.store.put_public_url(1, "https://noria.example")
    for kind in ("email", "feishu", "webhook"):
        await desk.store.put_channel(channel(kind))
    yield desk
    await database.close()


async def told(desk: Desk, channel_id: str) -> bool:
    return bool(desk.end(channel_id).sent)


async def test_what_is_due_is_sent_once_in_the_persons_language(desk: Desk) -> None:
    await desk.store.put_preference(1, "li", Preference(language="en"))
    item = await desk.waits(1)
    await desk.waits(2, person="li")
    for _ in range(2):
        await desk.sender.send_due()
    chinese, english = desk.end("email").sent
    assert (chinese.id, chinese.subject) == (item.id, "已退回：申请1")
    assert [person.email for person in chinese.people] == ["wang@example.com"]
    assert chinese.link == "https://noria.example/instances/7"
    assert english.subject == "Returned: 申请2"
    assert await desk.states() == {"sent": 2}


async def test_who_has_left_meanwhile_is_told_nothing(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", QUIET)
    desk.clock.instant = NIGHT_MS
    await desk.waits(1)
    await desk.waits(2, "feishu", person="")
    await desk.sender.send_due()
    left = Person("wang", "wang", "王强", email="wang@example.com", active=False)
    await desk.people.put(1, [left], [], desk.clock.instant)
    desk.clock.instant = MORNING_MS
    await desk.sender.send_due()
    assert desk.end("email").sent == []
    assert await desk.states() == {"dropped": 1, "sent": 1}


async def test_a_failure_is_tried_again_later_and_later_and_at_last_given_up(desk: Desk) -> None:
    await desk.waits(1)
    end = desk.end("email")
    end.failures = [UndeliveredError("away") for _ in range(ATTEMPTS_MAX)]
    for wait_ms in RETRY_AFTER_MS:
        await desk.sender.send_due()
        assert await desk.states() == {"waiting": 1}
        desk.clock.instant += wait_ms - 1
        tried = end.tried
        await desk.sender.send_due()
        assert end.tried == tried, "too early"
        desk.clock.instant += 1
    await desk.sender.send_due()
    ((dead,), _) = await desk.store.listed(1, "dead", "", 9, 0)
    assert (dead.attempts, dead.error, end.sent) == (ATTEMPTS_MAX, "away", [])


async def test_what_would_be_refused_again_is_given_up_at_once_and_can_be_sent_anew(desk: Desk) -> None:
    item = await desk.waits(1)
    await desk.waits(2)
    desk.end("email").failures = [UndeliveredError("no such user", final=True), UndeliveredError("gone", final=True)]
    await desk.sender.send_due()
    assert await desk.states() == {"dead": 2}
    assert await desk.store.again(1, (1, 1, 0, "email"), desk.clock.instant)
    assert not await desk.store.again(1, (1, 1, 0, "email"), desk.clock.instant), "it waits already"
    assert not await desk.store.again(2, (1, 2, 0, "email"), desk.clock.instant), "another tenant's"
    await desk.sender.send_due()
    assert [message.id for message in desk.end("email").sent] == [item.id]
    assert await desk.store.all_again(1, "email", desk.clock.instant) == 1
    await desk.sender.send_due()
    assert await desk.states() == {"sent": 2}


async def test_the_other_side_says_how_long_to_wait(desk: Desk) -> None:
    await desk.waits(1)
    desk.end("email").failures = [UndeliveredError("slow", retry_after_ms=HOUR_MS)]
    await desk.sender.send_due()
    assert await desk.store.next_due() == NOON_MS + HOUR_MS


async def test_one_failure_holds_up_the_rest_of_its_channel_but_no_other_channel(desk: Desk) -> None:
    for seq in range(5):
        await desk.waits(seq)
        await desk.waits(seq, "webhook", "")
    desk.end("email").failures = [UndeliveredError("away")]
    await desk.sender.send_due()
    assert desk.end("email").tried == 1
    assert len(desk.end("webhook").sent) == 5
    desk.clock.instant += RETRY_AFTER_MS[0]
    await desk.sender.send_due()
    assert len(desk.end("email").sent) == 5


async def test_a_channel_that_hangs_does_not_hold_up_the_others(desk: Desk) -> None:
    await desk.waits(1)
    await desk.waits(1, "webhook", "")
    desk.end("email").hang = asyncio.Event()
    sending = asyncio.create_task(desk.sender.send_due())
    await eventually(lambda: told(desk, "webhook"))
    desk.end("email").hang.set()
    await sending
    assert await desk.states() == {"sent": 2}


async def test_two_senders_do_not_send_the_same_at_the_same_time(desk: Desk) -> None:
    for seq in range(10):
        await desk.waits(seq)
    await asyncio.gather(desk.sender.send_due(), desk.another().send_due())
    assert sorted(message.id for message in desk.end("email").sent) == [f"1-{seq}-0-email" for seq in range(10)]


async def test_what_a_sender_that_died_had_taken_is_sent_again_with_the_same_id(desk: Desk) -> None:
    await desk.waits(1)
    desk.end("email").hang = asyncio.Event()
    dying = asyncio.create_task(desk.sender.send_due())
    await desk.end("email").at_work.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    desk.end("email").hang = None
    await desk.another().send_due()
    assert desk.end("email").sent == [], "somebody may still be sending it"
    desk.clock.instant += 2 * MINUTE_MS
    await desk.another().send_due()
    assert [message.id for message in desk.end("email").sent] == ["1-1-0-email"]


async def test_quiet_hours_hold_back_all_but_what_is_urgent(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", QUIET)
    desk.clock.instant = NIGHT_MS
    await desk.waits(1)
    await desk.waits(2, kind="urged", params={"title": "急", "by": "林晓", "text": ""})
    await desk.waits(3, person="li")
    await desk.sender.send_due()
    assert [message.id for message in desk.end("email").sent] == ["1-2-0-email", "1-3-0-email"]
    assert await desk.store.next_due() == MORNING_MS
    desk.clock.instant = MORNING_MS
    await desk.sender.send_due()
    assert len(desk.end("email").sent) == 3


async def test_what_comes_above_the_rate_goes_as_one_digest(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", Preference(per_hour_max=3))
    for seq in range(2):
        await desk.waits(seq)
    await desk.sender.send_due()
    for seq in range(2, 8):
        await desk.waits(seq)
    await desk.waits(8, person="li")
    await desk.sender.send_due()
    sent = desk.end("email").sent
    assert [message.kind for message in sent] == ["returned", "returned", "digest", "returned"]
    digest = sent[2]
    assert digest.subject == "6 条通知"
    assert [subject for subject, _ in digest.items] == [f"已退回：申请{seq}" for seq in range(2, 8)]
    await desk.waits(9)
    await desk.sender.send_due()
    assert len(sent) == 4, "three messages have gone within the hour"
    await desk.waits(10, kind="urged", params={"title": "急"})
    await desk.sender.send_due()
    assert sent[-1].kind == "urged"
    desk.clock.instant += HOUR_MS
    await desk.sender.send_due()
    assert sent[-1].subject == "已退回：申请9"


async def test_a_digest_that_failed_goes_again_with_what_came_meanwhile_under_another_id(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", Preference(per_hour_max=1))
    for seq in range(3):
        await desk.waits(seq)
    end = desk.end("email")
    end.failures = [UndeliveredError("away")]
    await desk.sender.send_due()
    desk.clock.instant += RETRY_AFTER_MS[0]
    await desk.waits(3)
    await desk.sender.send_due()
    (message,) = end.sent
    assert len(message.items) == 4
    assert await desk.states() == {"sent": 4}


async def test_a_room_gets_no_more_than_its_robot_may_post(desk: Desk) -> None:
    for seq in range(40):
        await desk.waits(seq, "feishu", "", people=("wang", "li"))
    await desk.sender.send_due()
    (digest,) = desk.end("feishu").sent
    assert (digest.kind, len(digest.items)) == ("digest", 30)
    assert digest.subject == "40 条通知"


async def test_a_program_gets_each_event_by_itself(desk: Desk) -> None:
    await desk.store.put_preference(1, "wang", QUIET)
    desk.clock.instant = NIGHT_MS
    for seq in range(40):
        await desk.waits(seq, "webhook", "")
    await desk.sender.send_due()
    assert [message.kind for message in desk.end("webhook").sent] == ["returned"] * 40


async def test_a_task_that_is_done_is_nobodys_news(desk: Desk) -> None:
    await desk.waits(1, kind="task", tok=5, params={"title": "申请", "element": "审批"})
    await desk.sender.send_due()
    assert desk.end("email").tried == 0
    assert await desk.states() == {"dropped": 1}


async def test_what_waits_for_a_channel_that_is_switched_off_or_gone_is_dropped(desk: Desk) -> None:
    await desk.waits(1)
    await desk.waits(1, "feishu", "")
    await desk.store.put_channel(channel("email", enabled=False))
    await desk.store.drop_channel(1, "feishu")
    await desk.sender.send_due()
    assert await desk.states() == {"dropped": 2}


async def test_what_was_sent_long_ago_is_forgotten_and_what_is_dead_is_not(desk: Desk) -> None:
    await desk.waits(1)
    await desk.waits(2)
    desk.end("email").failures = [UndeliveredError("no", final=True)]
    await desk.sender.send_due()
    desk.clock.instant += 31 * 24 * HOUR_MS
    await desk.sender.send_due()
    assert await desk.states() == {"dead": 1}


async def test_a_defect_in_one_channel_does_not_end_the_sender(desk: Desk) -> None:
    desk.end("email").failures = [ValueError("a defect")]  # type: ignore[list-item]
    await desk.waits(1)
    desk.sender.start(lambda: True)

    async def told_some_time_later() -> bool:
        desk.clock.instant += MINUTE_MS
        return await told(desk, "email")

    await eventually(told_some_time_later)
    await desk.sender.stop()


async def test_who_is_not_in_charge_sends_nothing(desk: Desk) -> None:
    asked = asyncio.Event()

    def not_mine() -> bool:
        asked.set()
        return False

    await desk.waits(1)
    desk.sender.start(not_mine)
    await asked.wait()
    desk.sender.nudge()
    await asyncio.sleep(0)
    await desk.sender.stop()
    assert desk.end("email").tried == 0
