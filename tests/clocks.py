"""The clock that tests hand to a running Noria."""

from __future__ import annotations

import asyncio
import time

from noria.kernel.instants import InstantMs


class MovedClock:
    """The machine's clock, set forward by as much as a test likes."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> InstantMs:
        return InstantMs(time.time_ns() // 1_000_000 + self.offset_ms)

    async def sleep_until(self, instant_ms: int) -> None:
        await asyncio.sleep(max(0.0, (instant_ms - self.now_ms()) / 1000))
