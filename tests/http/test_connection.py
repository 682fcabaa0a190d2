"""An answer leaves in as few writes as it can, and always whole."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from noria.adapters.http.connection import HELD_BYTES_MAX, Gathering


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


async def test_much_is_not_held_but_written_at_once(wire: Wire, gathering: Gathering) -> None:
    chunk = b"x" * (HELD_BYTES_MAX - 4)
    gathering.write(b"head")
    gathering.write(chunk)
    assert wire.done == [b"head" + chunk]
    gathering.write(b"tail")
    await asyncio.sleep(0)
    assert wire.done == [b"head" + chunk, b"tail"]


async def test_whoever_closes_has_sent_everything_before(wire: Wire, gathering: Gathering) -> None:
    gathering.write(b"last words")
    gathering.close()
    await asyncio.sleep(0)
    assert wire.done == [b"last words", "closed"]
    assert gathering.is_closing()
