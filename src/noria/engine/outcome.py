"""What an accepted command comes to."""

from __future__ import annotations

from typing import final

import msgspec

from noria.engine import events as e
from noria.engine.state import State


@final
class Outcome(msgspec.Struct, frozen=True, gc=False):
    """An accepted command.

    Attributes:
        events: what happened, in order; never empty.
        state: the state after them, its version counted up by one.
    """

    events: tuple[e.AnyEvent, ...]
    state: State
