"""Where an operator may put a token so that the oracle can follow: along the sequence that it stands in."""

from __future__ import annotations

from dataclasses import dataclass

from noria.engine import commands as c
from tests.simulation.models import (
    AdHoc,
    Block,
    Catch,
    Model,
    Pass,
    ScriptTask,
    Sequence,
    ServiceTask,
    Throw,
    UserTask,
    blocks_in,
)

_SINGLE = (UserTask, ServiceTask, ScriptTask, Catch, Pass, Throw)
"""Blocks that any number of tokens may pass, one after another or at the same time."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What an operator means to do with one token.

    Attributes:
        token: which.
        source: the element that it stands at.
        target: the element before which it goes on; "" for going on behind the one that it stands at.
    """

    token: int
    source: str
    target: str

    def moves(self, scope: int) -> tuple[c.Move, ...]:
        """The command's changes, for a token in this scope."""
        if self.target:
            return (c.Move("move", self.source, self.target, self.token, scope),)
        return (
            c.Move("start_after", self.source, scope=scope),
            c.Move("cancel", self.source, token=self.token),
        )


def shifts(model: Model) -> dict[str, tuple[str, ...]]:
    """Element → the targets for a token that stands at it, "" among them for going on behind it.

    Back it may go over nothing but single elements: what splits, joins or repeats has been there once already.
    """
    found: dict[str, tuple[str, ...]] = {}
    kept = {
        activity.id
        for process in model.processes
        for block in process.blocks()
        if isinstance(block, AdHoc)
        for activity in block.activities
    }
    for process in model.processes:
        for block in process.blocks():
            if isinstance(block, Sequence):
                found.update(_along(block, kept))
    return found


def _along(sequence: Sequence, kept: set[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for place, block in enumerate(sequence.blocks):
        if not isinstance(block, UserTask | ServiceTask | Catch) or not _is_single(block) or block.id in kept:
            continue
        targets = [block.id]
        if not getattr(block, "sets", ""):
            # Without what it sets the gateway behind it would not choose what the oracle takes it to.
            targets.append("")
            targets += [later.id for later in sequence.blocks[place + 1 :] if _is_single(later)]
        for earlier in reversed(sequence.blocks[:place]):
            if not _is_single(earlier):
                break
            targets.append(earlier.id)
        found[block.id] = tuple(targets)
    return found


def _is_single(block: Block) -> bool:
    """Whether it may be passed again, and what its boundary events lead to as well."""
    if not isinstance(block, _SINGLE) or getattr(block, "loop", None) is not None:
        return False
    behind = [inner for boundary in getattr(block, "boundaries", ()) for inner in blocks_in(boundary.then)]
    return all(isinstance(inner, Sequence) or _is_single(inner) for inner in behind)
