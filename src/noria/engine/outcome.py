"""What an accepted command comes to."""

from __future__ import annotations

import msgspec

from noria.engine import events as e
from noria.engine.state import State


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """An accepted command.

    Attributes:
        events: what happened, in order; never empty.
        state: the state after them, its version counted up by one.
    """

    events: tuple[e.AnyEvent, ...]
    state: State
