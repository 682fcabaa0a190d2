"""The version of Noria before this one, as far as what it wrote: states of format 3, without `taking_back`.

A server of that version is this version's server with the former encoding. What it cannot express it did not know
either; such instances are written as they are now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from noria.engine.state import FORMAT, State, encode_state

FORMER = 3


def former_state(state: State) -> bytes:
    """A state as the former version wrote it."""
    assert FORMAT == FORMER + 1
    written = encode_state(state)
    if state.taking_back is not None:
        return written
    fields: list[Any] = msgspec.msgpack.decode(written)
    fields[0] = FORMER
    return msgspec.msgpack.encode(fields[:-1])


@contextmanager
def former_version() -> Iterator[None]:
    """Servers are of the former version."""
    with patch("noria.operate.stepping.encode_state", former_state):
        yield
