"""The version of Noria before this one, as far as what it wrote: states of format 2, and events without later fields.

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
from noria.engine.state import FORMAT, State, encode_state

FORMER = 2
_FIELDS = {State.__struct_fields__.index(name): known for name, known in (("tasks", 12), ("jobs", 4), ("timers", 7))}
"""Position in the state → how many fields the former version knew of what is there."""
_APPENDED: dict[int, object] = {
    e.TaskOpened.__struct_config__.tag: "",
    e.JobCreated.__struct_config__.tag: 0,
    e.TimerStarted.__struct_config__.tag: 0,
}
"""Tag of an event → what its last field holds when it says nothing; the former version did not have that field."""

_encode_events = e.encode_events


def former_state(state: State) -> bytes:
    """A state as the former version wrote it."""
    assert FORMAT == FORMER + 1
    written = encode_state(state)
    fields: list[Any] = msgspec.msgpack.decode(written)
    for position, known in _FIELDS.items():
        items: dict[int, list[Any]] = fields[position]
        if any(any(item[known:]) for item in items.values()):
            return written
        fields[position] = {key: item[:known] for key, item in items.items()}
    fields[0] = FORMER
    return msgspec.msgpack.encode(fields)


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
