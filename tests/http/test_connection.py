"""An answer leaves in as few writes as it can, and always whole."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from noria.adapters.http.connection import Gathering


class Wire:
    """A transport that remembers what is done with it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def gathering(wire: Wire) -> Any:
    return Gathering(cast("asyncio.Transport", wire))


async def test_head_and_body_leave_in_one_write(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"head ")
    gathering.write(b"body")
    assert wire.done == []
    await asyncio.sleep(0)
    assert wire.done == [b"head body"]


async def test_what_comes_later_leaves_later_and_in_order(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"head")
    await asyncio.sleep(0)
    gathering.write(b"event 1 ")
    gathering.write(b"event 2")
    await asyncio.sleep(0)
    assert wire.done == [b"head", b"event 1 event 2"]


async def test_whoever_closes_has_sent_everything_before(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"last words")
    gathering.close()
    await asyncio.sleep(0)
    assert wire.done == [b"last words", "closed"]
    assert gathering.is_closing()
