"""The state that a stored row stands for."""

from __future__ import annotations

from noria.engine.events import decode_events
from noria.engine.evolve import replay
from noria.engine.state import State, StateFormatError, decode_state
from noria.operate.ports import InstanceStore
from noria.operate.rows import InstanceRow


async def restored(store: InstanceStore, row: InstanceRow) -> tuple[State, int]:
    """The state as of the row's version, and the version of the one that is written in the row.

    What lies between them is replayed from the journal.

    Raises:
        StateFormatError: it cannot be read, or a part of the journal is missing.
    """
    state = decode_state(row.state)
    written = state.version
    if written < row.ver:
        later = await store.journal_of(row.iid, row.ver, written)
        replay((decode_events(entry.ev) for entry in later), state)
        if state.version != row.ver:
            raise StateFormatError(f"The journal of instance {row.iid} has gaps before version {row.ver}.")
    return state, written
