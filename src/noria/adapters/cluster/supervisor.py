"""Several workers on one listening socket: started, started again when one dies, stopped together."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from types import FrameType

logger = logging.getLogger(__name__)

Work = Callable[[str, str, socket.socket, Event], None]
"""A worker's whole life: database, address for the others, listening socket, and what it sets when it is ready."""

RESTART_S = 1.0
"""A worker that does not live longer than this is not started again sooner than after as long a time."""


class Supervisor:
    """The parent of the workers. It does no work itself, so that hardly anything can go wrong in it."""

    def __init__(self, work: Work, database: str, peers: str, listening: socket.socket, count: int) -> None:
        self._work = work
        self._database = database
        self._peers = peers
        self._listening = listening
        # Not forked: a worker shares nothing with its parent but what it is given.
        self._context = multiprocessing.get_context("spawn")
        self._ready = self._context.Event()
        self._workers: dict[int, tuple[SpawnProcess, float] | None] = dict.fromkeys(range(count))
        self._stopping = False

    def run(self, ready: Callable[[], None]) -> None:
        """Keep the workers running until a signal ends this process.

        Args:
            ready: called once, when the first worker serves.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        said = False
        while not self._stopping:
            for name, worker in self._workers.items():
                if worker is None:
                    self._workers[name] = self._started()
            if not said and self._ready.wait(0.05):
                ready()
                said = True
            self._await_end(1.0 if said else 0.05)
        for worker in self._workers.values():
            if worker is not None:
                worker[0].join()

    def _started(self) -> tuple[SpawnProcess, float]:
        process = self._context.Process(
            target=self._work, args=(self._database, self._peers, self._listening, self._ready), name="noria-worker"
        )
        process.start()
        return process, time.monotonic()

    def _await_end(self, seconds: float) -> None:
        """Wait until a worker ends, or a while, and make room for the next."""
        running = {worker[0].sentinel: name for name, worker in self._workers.items() if worker is not None}
        for sentinel in wait(list(running), seconds):
            worker = self._workers[running[sentinel]]  # type: ignore[index]
            assert worker is not None  # noqa: S101 - only those that run are waited for
            process, began = worker
            process.join()
            self._workers[running[sentinel]] = None  # type: ignore[index]
            if not self._stopping:
                logger.warning("A worker ended with code %s and is started again.", process.exitcode)
                time.sleep(max(0.0, RESTART_S - (time.monotonic() - began)))

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for worker in self._workers.values():
            if worker is not None and worker[0].is_alive():
                worker[0].terminate()
