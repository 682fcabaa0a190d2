"""The version of Noria before this one, as far as what it wrote: states of format 5, whose parent has no depth.

A server of that version is this version's server with the former encoding. A depth that it could not express is written
as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from noria.engine.state import FORMAT, State, encode_state

FORMER = 5
_PARENT = State.__struct_fields__.index("parent")


def former_state(state: State) -> bytes:
    """A state as the former version wrote it."""
    assert FORMAT == FORMER + 1
    fields: list[Any] = msgspec.msgpack.decode(encode_state(state))
    fields[0] = FORMER
    if state.parent is not None and state.parent.depth == 1:
        del fields[_PARENT][-1]
    return msgspec.msgpack.encode(fields)


@contextmanager
def former_version() -> Iterator[None]:
    """Servers are of the former version."""
    with patch("noria.operate.stepping.encode_state", former_state):
        yield
