"""Who writes to a SQLite file next, of all connections within this process.

SQLite itself has whoever finds the file locked sleep, a tenth of a second in the end, and look again. Here who gives up
their turn wakes up the next. Other processes are still kept out by SQLite's own lock, which is taken behind the turn.
"""

from __future__ import annotations

import threading
from collections import deque

WAIT_S_MAX = 30
"""As long as SQLite's own lock is waited for."""


class Turn:
    """A lock that is handed to those who wait in the order they came in, those who keep people waiting first.

    It belongs to a connection, not to a thread: whichever thread works for that may give it back.

    Attributes:
        changes: rows that those whose turn it was have changed since the log was last folded beside them.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._guard = threading.Lock()
        self._taken = False
        self._urgent: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def take(self, *, urgent: bool) -> bool:
        """Wait for the turn; gives whether it came in time."""
        waiting = self._urgent if urgent else self._others
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            waiting.append(mine)
        if mine.acquire(timeout=WAIT_S_MAX):
            return True
        with self._guard:
            if mine in waiting:
                waiting.remove(mine)
                return False
        return True  # it came in this very moment

    def give(self) -> None:
        """Let the next one write."""
        with self._guard:
            waiting = self._urgent or self._others
            if waiting:
                waiting.popleft().release()
            else:
                self._taken = False
