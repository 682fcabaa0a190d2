"""The version of Noria before this one, as far as what it wrote: a state of format 4 with each command.

A server of that version is this version's server with the former encoding. What large ones it wrote more seldom is left
out: for the server after it, their migration puts them among those that are written now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from noria.engine.state import FORMAT, State, encode_state

FORMER = 4


def former_state(state: State) -> bytes:
    """A state as the former version wrote it."""
    assert FORMAT == FORMER + 1
    fields: list[Any] = msgspec.msgpack.decode(encode_state(state))
    fields[0] = FORMER
    return msgspec.msgpack.encode(fields)


@contextmanager
def former_version() -> Iterator[None]:
    """Servers are of the former version."""
    with patch.multiple("noria.operate.stepping", encode_state=former_state, LAG_MAX=1):
        yield
