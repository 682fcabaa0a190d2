"""What has lately been folded: most instances that something happens to are those that something just happened to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from noria.monitor.visits import Known, Recorded

_INSTANCES_MAX = 10_000
"""So many are remembered, about 1 kB each."""
_VISITS_MAX = 100
"""An instance with more open visits is read again."""


class Lately:
    """What folds have left of instances, those of the last pages.

    It holds for the next command of an instance, and for no other: of which version something is known is kept with it.
    So it does not matter who else folds, whether a page is written in the end, or that the board is built anew.
    """

    def __init__(self) -> None:
        self._known: dict[int, Known] = {}

    def take(self, rows: Iterable[Recorded]) -> dict[int, Known]:
        """What is known of instances as before some rows, to be changed by a fold; it is forgotten here.

        Args:
            rows: a page. Of an instance that begins in it, it is known that there was nothing.
        """
        found: dict[int, Known] = {}
        seen: set[int] = set()
        for row in rows:
            if row.iid in seen:
                continue
            seen.add(row.iid)
            known = self._known.pop(row.iid, None)
            if row.ver == 1:
                found[row.iid] = Known()
            elif known is not None and known.version == row.ver - 1:
                found[row.iid] = known
        return found

    def keep(self, folded: Mapping[int, Known]) -> None:
        """Remember what a fold has left of what it took."""
        for iid, known in folded.items():
            if known.life is not None and known.life.ended:
                # Its working time is that of the calendar then.
                known.life = None
            if len(known.visits) <= _VISITS_MAX:
                self._known[iid] = known
        for iid in list(islice(self._known, max(0, len(self._known) - _INSTANCES_MAX))):
            del self._known[iid]

    def known(self, iid: int, version: int) -> Known | None:
        """What is known of an instance, None unless that is as of a version or a later one. It must not be changed."""
        known = self._known.get(iid)
        return known if known is not None and known.version >= version else None

    def forget(self) -> None:
        """Forget everything."""
        self._known.clear()
