"""The state that a stored row stands for."""

from __future__ import annotations

from noria.engine.events import decode_events
from noria.engine.evolve import replay
from noria.engine.state import State, StateFormatError, decode_state
from noria.operate.rows import InstanceRow


def restored(row: InstanceRow) -> State:
    """The state as of the row's version: the one that is written there, and on top of it what came later.

    Raises:
        StateFormatError: it cannot be read, or a part of the journal is missing.
    """
    state = decode_state(row.state)
    if state.version + len(row.later) != row.ver:
        raise StateFormatError(f"The journal of instance {row.iid} has gaps before version {row.ver}.")
    return replay(map(decode_events, row.later), state)
