"""The clock by which the demonstration's past is made."""

from __future__ import annotations

import asyncio

from noria.adapters.demo.seeding import SimulatedClock


async def test_who_sleeps_wakes_up_when_the_clock_is_set_far_enough_and_not_before() -> None:
    clock = SimulatedClock(1_000)
    await clock.sleep_until(1_000)
    sleeping = asyncio.ensure_future(clock.sleep_until(3_000))
    for instant_ms in (2_000, 2_999):
        await asyncio.sleep(0)
        clock.move_to(instant_ms)
        await asyncio.sleep(0)
        assert not sleeping.done()
    clock.move_to(3_000)
    await sleeping
    assert clock.now_ms() == 3_000


async def test_it_does_not_go_back() -> None:
    clock = SimulatedClock(2_000)
    clock.move_to(1_000)
    assert clock.now_ms() == 2_000
