"""What a person can take back of a request (取回, R5), by its journal."""

from __future__ import annotations

from collections.abc import Sequence

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.tasks import taking_back
from noria.kernel.errors import Rejected
from noria.operate.rows import JournalRow

_DONE = frozenset(c.ACTIONS[kind] for kind in taking_back.DONE)
_WITHOUT_EFFECT = frozenset(c.ACTIONS[kind] for kind in taking_back.WITHOUT_EFFECT)
_FIRED = c.ACTIONS[c.FireTimer]


def last_act(person: str, rows: Sequence[JournalRow]) -> int | Rejected:
    """Which row of an instance's journal a person may take back: nothing with an effect lies behind it.

    Args:
        person: who wants to.
        rows: the whole journal, oldest first.

    Returns:
        The row's position, or why there is none.
    """
    for at in range(len(rows) - 1, -1, -1):
        row = rows[at]
        events = e.decode_events(row.ev)
        if row.actor == person and row.action in _DONE:
            effect = taking_back.effect_in(events)
            if effect:
                text = f"What you did has had an effect already ({effect}); it cannot be taken back."
                return Rejected("task.taken_back_late", text, {"effect": effect})
            return at
        if row.action in _WITHOUT_EFFECT and (row.action != _FIRED or taking_back.only_reminds(events)):
            continue
        if any(row.actor == person and row.action in _DONE for row in rows[:at]):
            text = "Somebody has gone on with it since; it cannot be taken back any more."
            return Rejected("task.taken_back_late", text, {"by": row.actor})
        break
    return Rejected("task.nothing_to_take_back", "There is nothing of yours that can be taken back.")
