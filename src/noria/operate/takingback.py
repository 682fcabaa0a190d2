"""What a person can take back of a request (取回, R5), by its journal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.state import Purpose
from noria.engine.tasks import taking_back
from noria.kernel.errors import Rejected
from noria.operate.rows import JournalRow

_DONE = frozenset(c.ACTIONS[kind] for kind in taking_back.DONE)
_WITHOUT_EFFECT = frozenset(c.ACTIONS[kind] for kind in taking_back.WITHOUT_EFFECT)
_OF_WORKERS = frozenset(c.ACTIONS[kind] for kind in taking_back.OF_WORKERS)
_FIRED = c.ACTIONS[c.FireTimer]


class LastAct(msgspec.Struct, frozen=True):
    """What a person did last, and may take back.

    Attributes:
        at: position of its row in the journal.
        effects: token → element index of the activities that have had effects outside since: only where all of them
            can be compensated it can be taken back.
    """

    at: int
    effects: dict[int, int]


def last_act(person: str, rows: Sequence[JournalRow]) -> LastAct | Rejected:
    """Which row of an instance's journal a person may take back: nothing that cannot be undone lies behind it.

    Args:
        person: who wants to.
        rows: the whole journal, oldest first.

    Returns:
        The row, or why there is none.
    """
    decoded: dict[int, tuple[e.AnyEvent, ...]] = {}
    for at in range(len(rows) - 1, -1, -1):
        row = rows[at]
        decoded[at] = events = e.decode_events(row.ev)
        if row.actor == person and row.action in _DONE:
            since = [event for position in sorted(decoded) for event in decoded[position]]
            tokens, effect = taking_back.effects_in(since)
            if effect:
                text = f"What you did has had an effect already ({effect}); it cannot be taken back."
                return Rejected("task.taken_back_late", text, {"effect": effect})
            return LastAct(at, _elements(tokens, rows))
        if _passes(row, events, rows[:at]):
            continue
        if any(row.actor == person and row.action in _DONE for row in rows[:at]):
            text = "Somebody has gone on with it since; it cannot be taken back any more."
            return Rejected("task.taken_back_late", text, {"by": row.actor})
        break
    return Rejected("task.nothing_to_take_back", "There is nothing of yours that can be taken back.")


def _passes(row: JournalRow, events: tuple[e.AnyEvent, ...], earlier: Sequence[JournalRow]) -> bool:
    """Whether what a row did leaves the question open to what lies before it."""
    if row.action == _FIRED:
        return taking_back.only_reminds(events) or _at_save_point(events, earlier)
    return row.action in _WITHOUT_EFFECT or row.action in _OF_WORKERS


def _at_save_point(events: tuple[e.AnyEvent, ...], earlier: Sequence[JournalRow]) -> bool:
    """Whether a timer was a save point: what it began is work that nobody had waited for."""
    fired = {event.timer for event in events if isinstance(event, e.TimerFired)}
    return any(
        isinstance(event, e.TimerStarted) and event.timer in fired and event.purpose is not Purpose.EVENT
        for row in reversed(earlier)
        for event in e.decode_events(row.ev)
    )


def _elements(tokens: tuple[int, ...], rows: Sequence[JournalRow]) -> dict[int, int]:
    """Where tokens are, or were."""
    if not tokens:
        return {}
    entered = {
        event.token: event.element
        for row in rows
        for event in e.decode_events(row.ev)
        if isinstance(event, e.ElementEntered)
    }
    return {token: entered[token] for token in tokens}
