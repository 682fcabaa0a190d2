"""The version of Noria before this one, as far as what it wrote: states of format 1, and events without later fields.

A server of that version is this version's server with the former encodings. What they cannot express it did not know
either; such instances are written as they are now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from noria.engine import events as e
from noria.engine.state import FORMAT, Purpose, State, encode_state

FORMER = 1
_STATE_FIELDS = 20
_TIMER_FIELDS = 6
_TIMERS = State.__struct_fields__.index("timers")
_APPENDED: dict[int, object] = {
    e.ScopeOpened.__struct_config__.tag: {},
    e.TimerStarted.__struct_config__.tag: int(Purpose.EVENT),
    e.CallRequested.__struct_config__.tag: "",
}
"""Tag of an event → what its last field holds when it says nothing; the former version did not have that field."""

_encode_events = e.encode_events


def former_state(state: State) -> bytes:
    """A state as the former version wrote it."""
    assert FORMAT == FORMER + 1
    written = encode_state(state)
    fields: list[Any] = msgspec.msgpack.decode(written)
    timers: dict[int, list[Any]] = fields[_TIMERS]
    if any(fields[_STATE_FIELDS:]) or any(any(timer[_TIMER_FIELDS:]) for timer in timers.values()):
        return written
    fields[0] = FORMER
    fields[_TIMERS] = {key: timer[:_TIMER_FIELDS] for key, timer in timers.items()}
    return msgspec.msgpack.encode(fields[:_STATE_FIELDS])


def former_events(events: tuple[e.AnyEvent, ...] | list[e.AnyEvent]) -> bytes:
    """Events as the former version wrote them."""
    written: list[list[Any]] = msgspec.msgpack.decode(_encode_events(events))
    for event in written:
        if event[0] in _APPENDED and event[-1] == _APPENDED[event[0]]:
            event.pop()
    return msgspec.msgpack.encode(written)


@contextmanager
def former_version() -> Iterator[None]:
    """Servers are of the former version."""
    with (
        patch("noria.operate.stepping.encode_state", former_state),
        patch("noria.engine.events.encode_events", former_events),
    ):
        yield
